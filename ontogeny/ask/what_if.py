"""What would have been: the run replayed with one thing changed, beside the run as it was.

A run is a function of program, data, seed and journal, so what another journal would have led to is computed, not
estimated. What is changed is a journal entry: a dial turned, or examples left out of the batches (`data/without.py`
says what that means). Up to the first step that it touches both are the same; from there both are replayed side by
side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ontogeny.ask.alternative import Alternative, alternative
from ontogeny.data.base import Array
from ontogeny.isa.errors import MachineError
from ontogeny.isa.program import Decl, Program
from ontogeny.machine.base import value_of
from ontogeny.record.counterfactual import Pair, beside, schedule
from ontogeny.record.creating import EVALUATE
from ontogeny.record.hashing import shown as shown_hash
from ontogeny.record.recorded import Recorded
from ontogeny.record.stepper import view
from ontogeny.record.trace.layout import Tensor
from ontogeny.record.trace.traces import shown

Floats = npt.NDArray[np.float64]
PREDICT = "predict"
MOST_MOVED = 10


@dataclass(frozen=True, slots=True)
class Both:
    """One figure on both sides."""

    actual: float
    other: float


@dataclass(frozen=True)
class TensorChange:
    """How far a tensor is from what it was: the Euclidean norm of the difference, at every step and against its own."""

    name: str
    elements: int
    distance: Floats
    norm: float

    @property
    def relative(self) -> float:
        """The last distance, of the tensor's own norm at the last step; infinite where that is zero."""
        return float(self.distance[-1]) / self.norm if self.norm else float("inf") if self.distance[-1] else 0.0


@dataclass(frozen=True, slots=True)
class Moved:
    """An element that ended elsewhere."""

    element: str
    actual: float
    other: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """A result of `predict` on the validation inputs, at the last step: elements, and by how much they differ.

    `changed` of `examples` have their largest score in another place; None where a result is no row of scores.
    """

    name: str
    examples: int
    changed: int | None
    largest: float
    mean: float


@dataclass(frozen=True)
class WhatIf:
    """What would have been. Arrays have an entry for each of `steps`, the states from the first step that differs on.

    `metrics` [2, steps] hold the run's own and the others', NaN where no step was taken; `evaluations` are by step.
    """

    alternative: Alternative
    steps: npt.NDArray[np.int64]
    tensors: tuple[TensorChange, ...]
    moved: tuple[Moved, ...]
    metrics: Mapping[str, Floats]
    evaluations: Mapping[int, Mapping[str, Both]]
    predictions: tuple[Prediction, ...]
    hash: str


def what_if(
    run: Recorded,
    dials: Mapping[str, float] | None = None,
    without: str | Iterable[int] = (),
    start: int = 0,
    steps: int | None = None,
    undo: int | None = None,
) -> WhatIf:
    """What would have been with dials turned at state `start`, with examples left out of the batches from there on, or
    without what the journal says at state `undo`.

    Takes and raises what `alternative` does, which also says what the answer costs.
    """
    return followed(run, alternative(run, dials, without, start, steps, undo))


def followed(run: Recorded, other: Alternative, most: int = MOST_MOVED) -> WhatIf:
    """Replays the run as it was and as it would have been, and says what differs; nothing is written.

    `most` elements are named, those that moved farthest. Raises RecordError where the run does not replay.
    """
    decls = tuple(run.program.named_params())
    distances = {decl.name: list[float]() for decl in decls}
    results: list[Mapping[str, Array]] = []
    evaluations: dict[int, Mapping[str, Both]] = {}
    changed = schedule(run, other.journal)
    recorded = {int(row["step"]): row for row in run.evaluations()}
    for pair in beside(run, other.journal, other.first, other.last):
        if pair.step == other.first:
            continue
        for decl, actual, moved in tensors(pair, decls):
            distances[decl.name].append(float(np.linalg.norm(moved - actual)))
        results.append(pair.results)
        if pair.step in recorded or pair.step == other.last:
            evaluations[pair.step] = evaluated(run, pair, changed.dials(pair.step), recorded.get(pair.step))
    last = list(tensors(pair, decls))
    changes = (_change(decl, actual, np.array(distances[decl.name])) for decl, actual, _ in last)
    return WhatIf(
        other,
        np.arange(other.first + 1, other.last + 1),
        tuple(changes),
        _moved(last, most),
        _metrics(run, other, results),
        {step: found for step, found in evaluations.items() if found},
        tuple(_predictions(run, pair)),
        shown_hash(run.history.hasher.row(view(pair.other))),
    )


def tensors(pair: Pair, decls: tuple[Decl, ...]) -> Iterator[tuple[Decl, Floats, Floats]]:
    """Each parameter on both sides, flat, in f64."""
    actual, other = view(pair.actual), view(pair.other)
    for decl in decls:
        yield decl, values(decl, actual), values(decl, other)


def values(decl: Decl, registers: Mapping[str, Array]) -> Floats:
    """A parameter's values, flat, in f64."""
    return np.asarray(value_of(decl, registers), np.float64).reshape(-1)


def evaluated(
    run: Recorded, pair: Pair, dials: Mapping[str, float], recorded: Mapping[str, float] | None
) -> dict[str, Both]:
    """The scalars of `evaluate` on both sides; none where there is no such routine or nothing to evaluate on.

    `dials` are the other side's. The run's own scalars are those `recorded`, and computed where there are none.
    """
    if not run.program.has(EVALUATE) or run.valid is None:
        return {}
    other = pair.other.call(EVALUATE, run.valid, dials)
    own = recorded or pair.actual.call(EVALUATE, run.valid, run.dials(pair.step))
    return {name: Both(float(own[name]), float(value)) for name, value in other.items() if not value.shape}


def _change(decl: Decl, actual: Floats, distance: Floats) -> TensorChange:
    return TensorChange(decl.name, decl.type.size, distance, float(np.linalg.norm(actual)))


def _moved(last: list[tuple[Decl, Floats, Floats]], most: int) -> tuple[Moved, ...]:
    """The elements that are farthest from what they were, the farthest first."""
    found: list[tuple[float, Moved]] = []
    for decl, actual, other in last:
        off = np.nan_to_num(np.abs(other - actual), nan=np.inf)
        tensor = Tensor(decl.name, decl.type.dtype, decl.type.shape)
        for place in np.argsort(-off, kind="stable")[:most]:
            if off[place]:
                moved = Moved(shown(tensor, int(place)), float(actual[place]), float(other[place]))
                found.append((float(off[place]), moved))
    return tuple(moved for _, moved in sorted(found, key=lambda one: -one[0])[:most])


def _metrics(run: Recorded, other: Alternative, results: list[Mapping[str, Array]]) -> dict[str, Floats]:
    """What `learn` gave at every step on both sides, the run's own as it is recorded."""
    own = run.metrics(other.first + 1, other.last)
    names = [name for name in own if name != "step"]
    others = {name: [float(row[name]) if name in row else float("nan") for row in results] for name in names}
    return {name: np.array([own[name], others[name]]) for name in names}


def _predictions(run: Recorded, pair: Pair) -> Iterator[Prediction]:
    """Results of `predict` at the last step, on the validation inputs under the names that it reads."""
    inputs = prediction_inputs(run.program, run.valid)
    if inputs is None:
        return
    try:
        actual, other = (machine.call(PREDICT, inputs, run.dials(pair.step)) for machine in (pair.actual, pair.other))
    except MachineError:  # predict takes another number of examples, or inputs that there is no validation data for
        return
    for name, one in actual.items():
        off = np.abs(other[name].astype(np.float64) - one.astype(np.float64))
        scores = one.ndim > 1 and one.shape[-1] > 1
        changed = one.argmax(-1) != other[name].argmax(-1) if scores else None
        examples = len(one) if one.ndim else 1
        by_example = None if changed is None else int(changed.reshape(examples, -1).any(1).sum())
        yield Prediction(
            name, examples, by_example, float(off.max(initial=0.0)), float(off.mean()) if off.size else 0.0
        )


def prediction_inputs(program: Program, valid: Mapping[str, Array] | None) -> dict[str, Array] | None:
    """What `predict` can be asked about: validation inputs by the names it reads; None where there are none."""
    if not program.has(PREDICT) or not valid:
        return None
    return {name.removeprefix("valid."): array for name, array in valid.items()}
