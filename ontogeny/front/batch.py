"""Which numbers of a traced routine follow the size of its batch: it is traced at two sizes, and what differs follows.

Python that branches on the batch's size is followed as it went at these sizes. Not for a size of 1 or 0, where shapes
that mean the batch cannot be told from those that mean one: such an example is traced at two larger sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch

from ontogeny.isa.errors import CaptureError
from ontogeny.isa.match import Sizes, UnmatchedError, doubtful
from ontogeny.isa.program import Routine
from ontogeny.isa.resize import routine_at
from ontogeny.isa.sizes import Size
from ontogeny.isa.types import Type

Tensors = Mapping[str, torch.Tensor]
LEAST = 2
INSTEAD = 5


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


def follow(name: str, example: Tensors, trace: Callable[[Tensors], Traces]) -> Followed:
    """What `trace` gives on batches of any size, as far as it follows one; `name` is what the size will be called."""
    carriers = _carriers(example)
    count = len(example[min(carriers)]) if carriers else 0
    if not count:
        return Followed(trace(example), None, reason="no input of the example batch has examples to count")
    first = count if count >= LEAST else INSTEAD
    own = trace(example) if first == count else None
    try:
        traces = own or trace(_of(example, carriers, first))
        return Followed(_follow(name, example, carriers, trace, first, traces), Size(first, name), carriers)
    except (CaptureError, UnmatchedError) as error:
        return Followed(own or trace(example), None, reason=str(error))


def _carriers(example: Tensors) -> frozenset[str]:
    """The inputs with as many rows as the first that has rows at all."""
    counts = {name: len(tensor) for name, tensor in example.items() if tensor.dim()}
    return frozenset(name for name, count in counts.items() if count == next(iter(counts.values())))


def _of(example: Tensors, carriers: frozenset[str], count: int) -> dict[str, torch.Tensor]:
    """A batch of another size, to be traced: what is in it is never looked at."""
    return {
        name: tensor.new_empty((count, *tensor.shape[1:])) if name in carriers else tensor
        for name, tensor in example.items()
    }


def _follow(
    name: str,
    example: Tensors,
    carriers: frozenset[str],
    trace: Callable[[Tensors], Traces],
    first: int,
    traces: Traces,
) -> Traces:
    """The routines matched with those of a second size, far enough off that no rounding looks like a multiple."""
    second = 2 * first + 3
    sizes = Sizes(name, first, second)
    other = trace(_of(example, carriers, second))
    _same_constants(traces, other)
    matched = tuple(sizes.routine(a, b) for a, b in zip(traces.routines, other.routines, strict=True))
    if any(map(doubtful, matched)):
        third = 3 * first + 7
        expected = trace(_of(example, carriers, third)).routines
        for routine, found in zip(matched, expected, strict=True):
            if routine_at(routine, {name: third}) != found:
                raise UnmatchedError(f"routine {routine.name!r} follows {name} by no line: {first}, {second}, {third}")
    return Traces(matched, traces.constants)


def _same_constants(a: Traces, b: Traces) -> None:
    for name, tensor in a.constants.items():
        if name not in b.constants or not torch.equal(tensor, b.constants[name]):
            raise UnmatchedError(f"a constant tensor of {tensor.numel()} elements depends on the size of the batch")
