"""A run made smaller in several ways and to several sizes, each measured alike: the report."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ontogeny.front.names import piece
from ontogeny.isa.errors import MachineError
from ontogeny.isa.op import Op
from ontogeny.machine.learner import Array, Learner
from ontogeny.record.run import Run
from ontogeny.train.small.lost import Lost, Quality, lost, quality
from ontogeny.train.small.masks import Advance
from ontogeny.train.small.sizes import operations, parameters
from ontogeny.train.small.task import Task
from ontogeny.train.small.teacher import outputs
from ontogeny.train.small.units import PREDICT
from ontogeny.train.small.ways import PRUNED, Chosen, Plan, carry_out


@dataclass(frozen=True, slots=True)
class Form:
    """A network in a file: its format, bytes, milliseconds of CPU for a batch, and how good it is there."""

    format: str
    file: str
    bytes: int
    milliseconds: float
    loss: float
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class Network:
    """A network and its size; a pruned one keeps its shapes, and `parameters` are its weights that are not zero."""

    way: str
    run: str
    words: str
    parameters: int
    operations: float
    quality: Quality
    forms: tuple[Form, ...]
    lost: Lost | None = None
    steps: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """The network before, and each that was made of it."""

    before: Network
    after: tuple[Network, ...]

    def as_json(self) -> dict[str, Any]:
        """As a document."""
        return asdict(self) | {"front": [one.run for one in self.front()]}

    def front(self) -> list[Network]:
        """Those than which no other, the first included, has as few parameters and as little loss."""
        every = (self.before, *self.after)
        return [one for one in every if not any(_better(other, one) for other in every)]


def _better(one: Network, other: Network) -> bool:
    mine, theirs = (one.parameters, one.quality.loss), (other.parameters, other.quality.loss)
    return mine != theirs and mine[0] <= theirs[0] and mine[1] <= theirs[1]


def shrink(
    task: Task,
    chosen: Sequence[Chosen],
    plan: Plan,
    runs: Callable[[str], Path],
    files: Path | None = None,
    advance: Advance = Run.advance,
) -> Report:
    """Every way carried out and measured. `runs` gives a new folder for a run of a way; ONNX goes to `files`.

    What files are not made, since onnx or onnxruntime is not installed, is missing from the report.
    """
    before = Network(
        "before",
        task.run.folder.name,
        "as it is",
        parameters(task.teacher.program),
        operations(task.teacher.program),
        quality(task.scores, task.truth, task.classes),
        _forms(task, task.teacher, files / "before" if files else None),
        steps=task.run.step,
    )
    found = []
    for one in chosen:
        started = time.process_time()
        with carry_out(task, one, plan, partial(runs, one.way), advance) as run:
            seconds = time.process_time() - started
            taken = plan.takes(one.way, task.run), seconds
            found.append(_measured(task, one, run, taken, files / run.folder.name if files else None))
    return Report(before, tuple(found))


def _measured(task: Task, chosen: Chosen, run: Run, taken: tuple[int, float], files: Path | None) -> Network:
    steps, seconds = taken
    learner = run.learner
    scores = outputs(learner, task.valid)
    changed = lost(task.scores, scores, task.truth, task.classes)
    size = nonzero(learner) if chosen.way in PRUNED else parameters(learner.program)
    return Network(
        chosen.way,
        run.folder.name,
        chosen.words,
        size,
        operations(learner.program),
        changed.after,
        _forms(task, learner, files),
        changed,
        steps,
        round(seconds, 3),
    )


def nonzero(learner: Learner) -> int:
    """How many of the parameters that `predict` reads are not zero."""
    read = {str(i.attr("name")) for i in learner.program.routine(PREDICT).body if i.op is Op.READ}
    found = (d for d in learner.program.named_params() if d.name in read)
    return sum(int(np.count_nonzero(piece(learner.program, learner.values, d.name))) for d in found)


def _forms(task: Task, learner: Learner, folder: Path | None) -> tuple[Form, ...]:
    """The network as files, each measured on the held-out examples."""
    if folder is None:
        return ()
    try:
        deployed: Any = import_module("ontogeny.train.small.deployed")
    except MachineError:
        return ()
    written: Mapping[str, Path] = deployed.write(folder, learner, task.train)
    return tuple(_form(task, learner, deployed, *one) for one in written.items())


def _form(task: Task, learner: Learner, deployed: Any, format: str, path: Path) -> Form:
    scores: Array = deployed.scores(path, learner, task.valid)
    found = quality(scores, task.truth, task.classes)
    taken = deployed.timed(path, deployed.first_batch(learner, task.train))
    return Form(format, str(path), path.stat().st_size, taken, found.loss, found.accuracy)
