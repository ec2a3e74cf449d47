"""Many learners at once: tapes judged on tasks, a task to a lane, threads over tapes; the same bits with any number.

tasks = Tasks(features, labels, train=100)        # f64[tasks, examples, n], f64[tasks, examples]
errors = learners(tapes, tasks)                   # f64[tapes]
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ontogeny.isa.errors import ProgramError
from ontogeny.machine.swarm import learners_encode as encoding
from ontogeny.machine.swarm import learners_kernels as kernels
from ontogeny.machine.swarm import learners_scoring as scoring
from ontogeny.machine.swarm.learners_codes import FIRST
from ontogeny.machine.swarm.learners_tape import TABLE, Banks, Tape

Floats = NDArray[np.float64]
LANES = 16
"""Tasks of one group: a slot of 16 f64 is two registers of 512 bits, or four of 256."""
PROBED = 20
"""Training examples of each task whose errors say whether two tapes are the same."""


@dataclass(frozen=True, eq=False)
class Tasks:
    """Tasks of regression: features f64[tasks, examples, n], labels f64[tasks, examples]; the first `train` are learnt.

    A prediction that is off by more than `most`, or NaN, fails its task, as in AutoML-Zero. Where the mean error of the
    first `before` groups of 16 tasks is above `hurdle`, the others are not tried, and that is the tape's error.
    """

    features: Floats
    labels: Floats
    train: int
    most: float = 100.0
    before: int = 0
    hurdle: float = 1.0

    def __post_init__(self) -> None:
        shape, given = self.features.shape, {str(self.features.dtype), str(self.labels.dtype)}
        if len(shape) != 3 or self.labels.shape != shape[:2] or given != {"float64"}:
            raise ProgramError(
                f"features {shape} and labels {self.labels.shape} of {', '.join(sorted(given))}; expected f64[tasks, "
                "examples, n] and f64[tasks, examples]"
            )
        if not 0 < self.train < shape[1] or not shape[0]:
            raise ProgramError(f"{self.train} of {shape[1]} examples to train on; expected some of them, and not all")

    def __len__(self) -> int:
        return len(self.features)

    @cached_property
    def ground(self) -> scoring.Ground:
        """As the compiled loops read them, without what depends on the tapes."""
        count, examples, n = self.features.shape
        groups = -(-count // LANES)
        features, labels = np.zeros((groups * LANES, examples, n)), np.zeros((groups * LANES, examples))
        features[:count], labels[:count] = self.features, self.labels
        by_lane = features.reshape(groups, LANES, examples, n).transpose(0, 2, 3, 1)
        real = np.minimum(LANES, count - LANES * np.arange(groups))
        numbers = np.array([self.train, examples, min(PROBED, self.train), self.before], np.int64)
        return scoring.Ground(
            np.ascontiguousarray(by_lane).reshape(groups, -1),
            np.ascontiguousarray(labels.reshape(groups, LANES, examples).transpose(0, 2, 1)).reshape(groups, -1),
            real,
            numbers,
            np.array([self.most, self.hurdle]),
            TABLE,
            np.array([0, 0, 0, n], np.int32),
        )

    def on(self, banks: Banks) -> scoring.Ground:
        """The same for tapes with these banks. Raises ProgramError where their features are not as many."""
        if banks.features != self.features.shape[2]:
            raise ProgramError(f"tapes of {banks.features} features; these tasks have {self.features.shape[2]}")
        return self.ground._replace(sizes=banks.sizes)


def desk(banks: Banks, rows: int, tasks: int) -> scoring.Desk:
    """Room to judge tapes of at most so many rows on so many tasks."""
    count = encoding.slots_of(banks.sizes)
    held, constants = _slots(count), np.zeros(rows + 1)
    return scoring.Desk(
        held,
        held.view(np.float64),
        held.view(np.uint64),
        np.zeros((rows + 1, 8), np.int32),
        constants,
        constants.view(np.uint64),
        np.zeros(rows, np.uint8),
        np.zeros(tasks),
    )


def memory(places: int) -> scoring.Memory:
    """A memory of errors by hash; `places` is a power of two, or 0 for none."""
    if places & (places - 1):
        raise ProgramError(f"a memory of {places} places; expected a power of two, or 0")
    return scoring.Memory(np.zeros(places, np.uint64), np.zeros(places), np.zeros(5, np.int64))


def task_errors(tapes: Sequence[Tape], tasks: Tasks, threads: int | None = None) -> Floats:
    """The error of each tape on each task, f64[tapes, tasks], from 0 to 1, where it failed; nothing is remembered.

    Raises ProgramError for tapes with different banks.
    """
    return _judged(tapes, tasks, threads)[:, 1:]


def learners(tapes: Sequence[Tape], tasks: Tasks, threads: int | None = None) -> Floats:
    """The mean error of each tape over the tasks, f64[tapes]; by default a thread for each core."""
    return _judged(tapes, tasks, threads)[:, 0]


def _judged(tapes: Sequence[Tape], tasks: Tasks, threads: int | None) -> Floats:
    if len({tape.banks for tape in tapes}) != 1:
        raise ProgramError(f"{len(tapes)} tapes with {len({t.banks for t in tapes})} kinds of banks; expected one kind")
    banks, most = tapes[0].banks, max(len(tape) for tape in tapes)
    ground, found = tasks.on(banks), np.empty((len(tapes), 1 + len(tasks)))
    rows, constants = (np.concatenate([getattr(tape, name) for tape in tapes]) for name in ("rows", "constants"))
    lengths = np.stack([tape.lengths for tape in tapes])
    firsts = np.cumsum([0, *map(len, tapes)])
    count = max(1, min(threads or os.cpu_count() or 1, len(tapes)))
    cuts = [len(tapes) * part // count for part in range(count + 1)]

    def part(begin: int, end: int) -> None:
        room, none = desk(banks, most, len(tasks)), memory(0)
        scoring.assess_all(room, ground, none, rows, constants, lengths, firsts, found, begin, end)

    if count == 1:
        part(0, len(tapes))
    else:
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(part, cuts[:-1], cuts[1:]))
    return found


def predictions(tape: Tape, tasks: Tasks) -> tuple[Floats, dict[str, Floats]]:
    """What the tape predicts, example by example, f64[tasks, examples], and its registers at the end, f64[tasks, ...].

    Each example is predicted before it is learnt from; the last ones are only predicted. Nothing fails here.
    """
    banks = tape.banks
    room, found = desk(banks, len(tape), len(tasks)), np.empty((len(tasks), tasks.features.shape[1]))
    ground = tasks.on(banks)
    rows = (tape.rows, tape.constants, tape.lengths, TABLE, banks.sizes, np.ones(len(tape), np.uint8))
    predict, judge, end = encoding.encode(*rows, room.code, room.constants)
    v0, kept = encoding.slot(1, 0, banks.sizes, 0), []
    for group, real in enumerate(ground.real):
        given = ground.features[group], ground.labels[group]

        def run(begin: int, end: int, example: int, v0: int, given: tuple[Floats, Floats] = given) -> None:
            code = (room.slots, room.flat, room.code, room.constants)
            kernels.run(*code, begin, end, *given, example, example + 1, banks.features, v0, math.inf)

        scoring.clear(room, real)
        run(0, predict, 0, 0)
        lanes = room.flat.reshape(-1, LANES)
        for example in range(found.shape[1]):
            run(predict, judge, example, v0)
            found[group * LANES : group * LANES + real, example] = lanes[FIRST, :real]
            if example < tasks.train:
                run(judge + 1, end, example, v0)
        kept.append(lanes[:, :real].T.copy())
    return found, _registers(banks, np.concatenate(kept))


def _registers(banks: Banks, lanes: Floats) -> dict[str, Floats]:
    found: dict[str, Any] = {}
    for place, bank in enumerate("svm"):
        shape = banks.shape(bank)
        for index in range(banks.first(bank), banks.count(bank)):
            first = encoding.slot(place, index, banks.sizes, 0)
            found[f"{bank}{index}"] = lanes[:, first : first + int(np.prod(shape))].reshape(len(lanes), *shape)
    return found


def _slots(count: int) -> NDArray[np.bytes_]:
    """Slots that begin at a cache line."""
    room = np.zeros((count + 1) * LANES * 8, np.uint8)
    start = -room.ctypes.data % 64
    return room[start : start + count * LANES * 8].view(f"S{LANES * 8}")
