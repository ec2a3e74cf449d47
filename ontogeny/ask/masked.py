"""Places that are computed and then not asked about: padded positions, masks, ignored targets, masked attention.

Padding is told from the inputs: a whole number that stands nowhere but in one run at the end (or the beginning) of the
rows, and in runs of several lengths. A number that fills a column in every row is no padding: the model may ask there.
Scores are masked where a softmax is given minus infinity, or less than half of its format's lowest number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ontogeny.ask.demand import is_elementwise
from ontogeny.ask.observed import Made, Step
from ontogeny.data.base import Array
from ontogeny.isa import attrs
from ontogeny.isa.op import Group, Op
from ontogeny.isa.program import Routine

MOST_ROWS = 1 << 16


@dataclass(frozen=True, slots=True)
class Unasked:
    """Places of an input, or of an instruction's operand (its `number`, else 0): how many of all, and in words."""

    kind: str
    words: str
    places: int
    of: int
    number: int = 0

    @property
    def share(self) -> float:
        """Of all places."""
        return self.places / self.of


class Unlooked:
    """Gathers, over steps, the inputs and the operands of softmax and loss."""

    def __init__(self) -> None:
        self._inputs: dict[str, list[Array]] = {}
        self._scores: dict[int, tuple[int, int]] = {}
        self._targets: dict[int, tuple[int, int]] = {}

    def begin(self, step: Step) -> None:
        """The inputs of a step."""
        for name, array in step.given.items():
            if array.ndim > 1 and array.dtype.kind in "biuf":
                self._inputs.setdefault(name, []).append(array.reshape(-1, array.shape[-1])[:MOST_ROWS])

    def add(self, made: Made) -> None:
        """An instruction of the outermost routine."""
        if made.instr.op is Op.SOFTMAX:
            scores = np.asarray(made.operands[0])
            _more(self._scores, made.number, _masked(scores), scores.size)
        elif made.instr.op is Op.NLL_LOSS:
            target = made.operands[1]
            ignored = int(np.count_nonzero(target == attrs.integer(made.instr, "ignore")))
            _more(self._targets, made.number, ignored, target.size)

    def found(self) -> Iterator[Unasked]:
        """All that is not asked about."""
        for name, arrays in self._inputs.items():
            if len({array.shape[1] for array in arrays}) == 1:
                rows = np.concatenate(arrays)
                yield from _padded(name, rows) if rows.dtype.kind in "iu" else _mask(name, rows)
        for number, (places, of) in self._targets.items():
            if places:
                yield Unasked("ignored", "targets that the loss ignores", places, of, number)
        for number, (places, of) in self._scores.items():
            if places:
                yield Unasked("masked", "attention scores that the mask throws away", places, of, number)


def attention(routine: Routine, softmax: int) -> frozenset[int]:
    """The instructions, by number, that work on the scores of a softmax: the product before, the one after, and those
    element by element between."""
    makers = {out: (number, instr) for number, instr in enumerate(routine.body, 1) for out in instr.out}
    found, waiting = {softmax}, list(routine.body[softmax - 1].args)
    while waiting:
        number, instr = makers.get(waiting.pop(), (0, None))
        if instr is not None and number not in found and (instr.op is Op.DOT or _between(instr.op)):
            found.add(number)
            waiting.extend(instr.args if instr.op is not Op.DOT else ())
    carried = set(routine.body[softmax - 1].out)
    for number, instr in enumerate(routine.body[softmax:], softmax + 1):
        if instr.note.phase != "backward" and carried.intersection(instr.args):
            if instr.op is Op.DOT or _between(instr.op):
                found.add(number)
            carried.update(instr.out if _between(instr.op) else ())
    return frozenset(found)


def _between(op: Op) -> bool:
    return is_elementwise(op) or op is Op.SCALE or op.group is Group.SHAPE


def _masked(scores: Array) -> int:
    lowest = -np.inf if scores.dtype.kind != "f" else float(np.finfo(scores.dtype).min) / 2
    return int(np.count_nonzero(scores.astype(np.float64) <= lowest))


def _more(counts: dict[int, tuple[int, int]], number: int, places: int, of: int) -> None:
    before = counts.get(number, (0, 0))
    counts[number] = before[0] + places, before[1] + of


def _padded(name: str, rows: Array) -> Iterator[Unasked]:
    for side, seen in (("end", rows[:, ::-1]), ("beginning", rows)):
        values, counts = np.unique(seen[:, 0], return_counts=True)
        same = seen == values[counts.argmax()]
        runs = np.logical_and.accumulate(same, axis=1).sum(axis=1)
        if runs.sum() == same.sum() and runs.min() != runs.max():
            words = f"positions of {name} at the {side} of rows, filled with {values[counts.argmax()]}"
            yield Unasked("padding", words, int(runs.sum()), rows.size)


def _mask(name: str, rows: Array) -> Iterator[Unasked]:
    """A mask is an input of bools, or one that is called so and holds only 0 and 1."""
    if rows.dtype.kind == "b" or ("mask" in name and bool(np.isin(rows, (0, 1)).all())):
        zeros = int(np.count_nonzero(rows == 0))
        if zeros:
            yield Unasked("padding", f"positions that the mask {name} leaves out", zeros, rows.size)
