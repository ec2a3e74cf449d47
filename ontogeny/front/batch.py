"""Which numbers of a traced routine follow the size of its batch: it is traced at two sizes, and what differs follows.

Where the example's own size is 1, or happens to be another of the model's sizes, shapes that mean the batch cannot all
be told from those that do not; then two larger sizes are traced as well, and hold if they do the example's work.
Python that branches on the size of the batch is followed as it went at these sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch

from ontogeny.isa.errors import CaptureError
from ontogeny.isa.match import Sizes, UnmatchedError, doubtful
from ontogeny.isa.op import Op
from ontogeny.isa.program import Routine
from ontogeny.isa.resize import routine_at
from ontogeny.isa.sizes import Size
from ontogeny.isa.types import Type

Tensors = Mapping[str, torch.Tensor]
Trace = Callable[[Tensors], "Traces"]
ODD = 37
"""A size that is hardly one of a model's own."""
SHAPING = frozenset({Op.RESHAPE, Op.BROADCAST, Op.PERMUTE, Op.SLICE})
"""Operations that are left out where a size makes them do nothing."""


@dataclass(frozen=True, slots=True)
class Traces:
    """The routines that share a batch, as they were traced on one, and the large constants that they read."""

    routines: tuple[Routine, ...]
    constants: Tensors


@dataclass(frozen=True, slots=True)
class Followed:
    """Routines that follow the size of their batch, or where `size` is None why they do not."""

    traces: Traces
    size: Size | None
    carriers: frozenset[str] = field(default_factory=frozenset)
    reason: str = ""

    def input_type(self, name: str, plain: Type) -> Type:
        """The type of an input of the batch, its leading dimension following where it carries the batch."""
        return plain.with_shape((self.size, *plain.shape[1:])) if self.size and name in self.carriers else plain


def follow(name: str, example: Tensors, trace: Trace) -> Followed:
    """What `trace` gives on batches of any size, as far as it follows one; `name` is what the size will be called."""
    own, carriers = trace(example), _carriers(example)
    count = len(example[min(carriers)]) if carriers else 0
    if not count:
        return Followed(own, None, reason="no input of the example batch has examples to count")
    reason = ""
    for first in dict.fromkeys((count, ODD) if count > 1 else (ODD,)):
        try:
            traces = _Batches(name, example, carriers, trace).followed(first, own if first == count else None)
            _same_work(name, count, own, traces)
        except (CaptureError, UnmatchedError) as error:
            reason = reason or str(error)
        else:
            return Followed(traces, Size(first, name), carriers)
    return Followed(own, None, reason=reason)


def _carriers(example: Tensors) -> frozenset[str]:
    """The inputs with as many rows as the first that has rows at all."""
    counts = {name: len(tensor) for name, tensor in example.items() if tensor.dim()}
    return frozenset(name for name, count in counts.items() if count == next(iter(counts.values())))


@dataclass(frozen=True, slots=True)
class _Batches:
    """Batches like the example, of any size, and what is traced on them."""

    name: str
    example: Tensors
    carriers: frozenset[str]
    trace: Trace

    def at(self, count: int) -> Traces:
        """What is traced on a batch of so many examples; what is in it is never looked at."""
        given = self.example.items()
        return self.trace({k: t.new_empty((count, *t.shape[1:])) if k in self.carriers else t for k, t in given})

    def followed(self, first: int, traces: Traces | None) -> Traces:
        """The routines matched with those of a second size, far enough off that no rounding looks like a multiple."""
        second = 2 * first + 3
        traces, other = traces or self.at(first), self.at(second)
        _same_constants(traces, other)
        sizes = Sizes(self.name, first, second)
        matched = tuple(sizes.routine(a, b) for a, b in zip(traces.routines, other.routines, strict=True))
        if any(map(doubtful, matched)):
            self._hold(matched, 3 * first + 7)
        return Traces(matched, traces.constants)

    def _hold(self, matched: tuple[Routine, ...], third: int) -> None:
        """Raises UnmatchedError where the routines are not those of a third size: a curve through two points."""
        for routine, found in zip(matched, self.at(third).routines, strict=True):
            if routine_at(routine, {self.name: third}) != found:
                raise UnmatchedError(f"routine {routine.name!r} follows {self.name} by no line: it differs at {third}")


def _same_constants(a: Traces, b: Traces) -> None:
    for name, tensor in a.constants.items():
        if name not in b.constants or not torch.equal(tensor, b.constants[name]):
            raise UnmatchedError(f"a constant tensor of {tensor.numel()} elements depends on the size of the batch")


def _same_work(name: str, count: int, own: Traces, followed: Traces) -> None:
    """Raises UnmatchedError where the routines at the example's size do other work than was traced there."""
    for a, b in zip(own.routines, followed.routines, strict=True):
        if _work(a) != _work(routine_at(b, {name: count})):
            raise UnmatchedError(f"routine {a.name!r} does other work at {name} {count} than at larger ones")


def _work(routine: Routine) -> list[object]:
    """The operations and attributes of a routine, but for those that only shape."""
    return [(instr.op, instr.attrs) for instr in routine.body if instr.op not in SHAPING]
