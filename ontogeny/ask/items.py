"""How a run does on single examples: loss, likelihood and rank of what each was to be, or how far off it is.

Where the loss is a cross entropy over classes, an example's targets are one label, or one at each place of a sequence;
their log-probabilities are taken from inside `evaluate`, or `learn` where evaluation cannot take any examples. For any
other loss they are real numbers, held against what `predict` gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ontogeny.ask.carry import wide
from ontogeny.ask.examples import VALID
from ontogeny.ask.layers import scores
from ontogeny.ask.what_if import PREDICT
from ontogeny.data.base import Array
from ontogeny.isa import attrs
from ontogeny.isa.errors import DataError, RecordError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Program, Routine
from ontogeny.isa.rules import routine_results
from ontogeny.isa.sizes import Size
from ontogeny.machine.base import Machine
from ontogeny.machine.reads import reads
from ontogeny.record.creating import EVALUATE
from ontogeny.record.recorded import Recorded
from ontogeny.record.stepper import LEARN
from ontogeny.record.watching import Alone

Floats = npt.NDArray[np.float64]
Named = Mapping[str, Array]
WITHIN = 0.01
"""Of the standard deviation of all targets, how near a real number has to come to count as reproduced."""
AT_A_TIME = 256


@dataclass(frozen=True)
class Judged:
    """Examples one by one, f64[examples] each: `loss` is the mean over an example's targets of the nats that each
    costs, or the root mean square of how far off it is; `right` the share of its targets that are the likeliest, or
    within WITHIN; `rank` the mean rank of a target, 1 for the likeliest, NaN for real numbers; `reached` the least
    over its targets of the probability, NaN for real numbers.
    """

    loss: Floats
    right: Floats
    rank: Floats
    reached: Floats

    @property
    def exact(self) -> npt.NDArray[np.bool_]:
        """Which are reproduced exactly: all of their targets are right."""
        return np.asarray(self.right == 1.0)

    def __len__(self) -> int:
        return len(self.loss)


class Judge(Protocol):
    """What judges single examples, by named inputs, at registers that it was given."""

    label: str

    def load(self, registers: Named) -> None:
        """The registers to judge by."""

    def __call__(self, arrays: Named, dials: Mapping[str, float]) -> Judged:
        """Examples, named as training inputs are."""


def judge(run: Recorded) -> Judge:
    """What judges a run's examples. Raises RecordError where its program tells no target and no prediction."""
    told = scores(run.program.routine(LEARN))
    if told is not None and told.input:
        return ByClass(run, told.input)
    label = _real_label(run.program)
    if not label:
        raise RecordError(
            f"program {run.program.name!r} has no cross entropy over classes, and no routine {PREDICT!r} whose result "
            "has the format of an input that it does not read, so no example can be held against what was learnt of "
            "it; capture the model with predict="
        )
    return ByDistance(run, label)


class ByClass:
    """Examples whose targets are classes."""

    def __init__(self, run: Recorded, label: str) -> None:
        program = run.program
        held = scores(program.routine(EVALUATE)) if program.has(EVALUATE) else None
        evaluates = held is not None and held.input == VALID + label and _varies(program, EVALUATE)
        self.label, self._prefix = label, VALID if evaluates else ""
        routine = program.routine(EVALUATE if evaluates else LEARN)
        told = scores(routine)
        assert told is not None
        self._told, self._ignored = told, _ignored(routine)
        self._alone = Alone(run, [told.value, told.labels], routine.name)
        self._rows = 0 if _varies(program, routine.name) else _fixed(program, routine)

    def load(self, registers: Named) -> None:
        """The registers to judge by."""
        self._alone.load(registers)

    def __call__(self, arrays: Named, dials: Mapping[str, float]) -> Judged:
        """Examples, named as training inputs are."""
        return _joined([self._some(part, count, dials) for part, count in parts_of(arrays, self._rows)])

    def _some(self, part: Named, count: int, dials: Mapping[str, float]) -> Judged:
        found = self._alone.values({self._prefix + name: array for name, array in part.items()}, dials)
        logs, labels = wide(found[self._told.value]), found[self._told.labels].astype(np.int64)
        given = len(next(iter(part.values())))
        if len(logs) % given:
            raise RecordError("the loss does not have as many targets for each example, so none can be told apart")
        counts = labels != self._ignored
        rows, safe = np.arange(len(labels)), np.where(counts, labels, 0)
        own = logs[rows, safe]
        rank = 1.0 + (logs > own[:, None]).sum(axis=1)
        least = np.where(counts, own, 0.0).reshape(given, -1).min(axis=1)
        mean = _Mean(counts.reshape(given, -1))
        judged = mean(-own), mean((logs.argmax(axis=1) == safe).astype(np.float64)), mean(rank), np.exp(least)
        return Judged(*(one[:count] for one in judged))


class ByDistance:
    """Examples whose targets are real numbers, held against `predict`."""

    def __init__(self, run: Recorded, label: str) -> None:
        self._run, self.label = run, label
        self._rows = 0 if _varies(run.program, PREDICT) else _fixed(run.program, run.program.routine(PREDICT))

    @cached_property
    def _machine(self) -> Machine:
        return self._run._seat.another()

    @cached_property
    def _spread(self) -> float:
        data = self._run.data
        batch = data.arrays if hasattr(data, "arrays") and isinstance(data.arrays, dict) else data.batch(0)
        return float(np.std(wide(batch[self.label])))

    def load(self, registers: Named) -> None:
        """The registers to judge by."""
        self._machine.load(registers)

    def __call__(self, arrays: Named, dials: Mapping[str, float]) -> Judged:
        """Examples, named as training inputs are."""
        return _joined([self._some(part, count, dials) for part, count in parts_of(arrays, self._rows)])

    def nearer(self, arrays: Named, dials: Mapping[str, float]) -> Floats:
        """For each example, to what share of the others' targets its prediction is not as near as to its own.

        f64[examples]: near 1 where the target is known, one half in the mean by chance. Ties count half.
        """
        count = len(next(iter(arrays.values())))
        parts = [self._result(part, dials)[:some] for part, some in parts_of(arrays, self._rows)]
        targets, predicted = (one.reshape(count, -1) for one in (wide(arrays[self.label]), np.concatenate(parts)))
        far = np.stack([np.square(targets - one).sum(axis=1) for one in predicted])  # [prediction, target]
        own = np.diagonal(far)[:, None]
        return np.asarray(((far > own).sum(axis=1) + ((far == own).sum(axis=1) - 1) / 2) / max(1, count - 1))

    def _result(self, part: Named, dials: Mapping[str, float]) -> Floats:
        results = self._machine.call(PREDICT, part, dials)
        shape = part[self.label].shape
        return wide(next(result for result in results.values() if result.shape == shape))

    def _some(self, part: Named, count: int, dials: Mapping[str, float]) -> Judged:
        off = np.abs(self._result(part, dials) - wide(part[self.label])).reshape(len(part[self.label]), -1)[:count]
        none = np.full(count, np.nan)
        return Judged(np.sqrt((off**2).mean(axis=1)), (off <= WITHIN * self._spread).mean(axis=1), none, none)


@dataclass(frozen=True)
class _Mean:
    """The mean over the targets that count, bool[examples, targets]; NaN where none does."""

    counts: npt.NDArray[np.bool_]

    def __call__(self, values: Floats) -> Floats:
        total = np.where(self.counts, values.reshape(self.counts.shape), 0.0).sum(axis=1)
        number = self.counts.sum(axis=1)
        return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def parts_of(arrays: Named, rows: int) -> Iterator[tuple[Named, int]]:
    """Examples some at a time, and how many of these count; filled up where a program takes batches of one size."""
    total, size = len(next(iter(arrays.values()))), rows or AT_A_TIME
    for first in range(0, total, size):
        part = {name: array[first : first + size] for name, array in arrays.items()}
        count = min(size, total - first)
        if rows and count < rows:
            part = {name: np.concatenate([a, np.repeat(a[:1], rows - count, axis=0)]) for name, a in part.items()}
        yield part, count


def _joined(parts: list[Judged]) -> Judged:
    if not parts:
        raise DataError("no example was given to be judged")
    return Judged(*(np.concatenate([getattr(one, name) for one in parts]) for name in Judged.__dataclass_fields__))


def _varies(program: Program, routine: str) -> bool:
    """Whether a routine takes any number of examples."""
    wanted = reads(program, program.routine(routine))
    shapes = [decl.type.shape for decl in program.of("input") if decl.name in wanted]
    return any(shape and isinstance(shape[0], Size) for shape in shapes)


def _fixed(program: Program, routine: Routine) -> int:
    wanted = reads(program, routine)
    return max(int(decl.type.shape[0]) for decl in program.of("input") if decl.name in wanted and decl.type.shape)


def _ignored(routine: Routine) -> int:
    return next(attrs.integer(instr, "ignore") for instr in routine.body if instr.op is Op.NLL_LOSS)


def _real_label(program: Program) -> str:
    """The input of `learn` that `predict` does not read, and a result of which has its format; empty without one."""
    if not program.has(PREDICT):
        return ""
    wanted = reads(program, program.routine(LEARN)), reads(program, program.routine(PREDICT))
    inputs = [decl for decl in program.of("input") if decl.name in wanted[0] and decl.name not in wanted[1]]
    shapes = [type_.shape for type_ in routine_results(program, program.routine(PREDICT))]
    return next((decl.name for decl in inputs if decl.type.shape in shapes), "")
