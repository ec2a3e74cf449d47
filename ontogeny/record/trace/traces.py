"""What can be asked of trajectories, wherever they come from: a store, a native run's replay, arrays in memory.

Steps are the numbers of states: step 0 is the initial state, step s the one after s steps. All values are the recorded
ones, bit for bit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ontogeny.isa.errors import RecordError
from ontogeny.record.trace.layout import Tensor

Array = npt.NDArray[Any]
Steps = npt.NDArray[np.int64]
PIECE_BYTES = 1 << 25
"""How many bytes of values one piece holds at most, so that memory stays bounded whatever the model's size."""


@dataclass(frozen=True, slots=True)
class Window:
    """The steps from `start` up to, and without, `stop`; None is open."""

    start: int | None = None
    stop: int | None = None

    @staticmethod
    def parse(text: str) -> Window:
        """`100:200`, `:200`, `100:` or `:`. Raises RecordError for anything else."""
        found = re.fullmatch(r"\s*(\d*)\s*:\s*(\d*)\s*", text)
        if not found:
            raise RecordError(f"{text!r} is not a window of steps; write 100:200, :200, 100: or :")
        start, stop = (int(part) if part else None for part in found.groups())
        return Window(start, stop)

    def of(self, steps: Steps) -> slice:
        """Which of the recorded steps, in rising order, lie in the window."""
        low = 0 if self.start is None else int(np.searchsorted(steps, self.start))
        high = len(steps) if self.stop is None else int(np.searchsorted(steps, self.stop))
        return slice(low, max(low, high))

    def some(self, steps: Steps) -> slice:
        """As `of`. Raises RecordError, with the steps that there are, where none lies in the window."""
        inside = self.of(steps)
        if inside.start >= inside.stop:
            have = f"{steps[0]} to {steps[-1]}" if len(steps) else "none"
            raise RecordError(f"no recorded step lies in the window {self} (recorded: {have})")
        return inside

    def __str__(self) -> str:
        return f"{'' if self.start is None else self.start}:{'' if self.stop is None else self.stop}"


ALL = Window()
"""Every recorded step."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some elements of one tensor over all the steps of a window at which it was there.

    `first` is the flat place (C order) of its first element in the tensor; `values` is [steps, elements].
    """

    tensor: Tensor
    first: int
    steps: Steps
    values: Array


class Traces(Protocol):
    """Trajectories of named tensors."""

    @property
    def steps(self) -> Steps:
        """The steps at which there are values, rising."""

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """The tensors, by name, in the model's order."""

    def pieces(
        self, window: Window = ALL, names: Iterable[str] | None = None, piece_bytes: int = PIECE_BYTES
    ) -> Iterator[Piece]:
        """Everything in a window, piece by piece, each element in exactly one of them."""

    def passes(
        self, window: Window = ALL, names: Iterable[str] | None = None, piece_bytes: int = PIECE_BYTES
    ) -> Iterator[Piece]:
        """The same in the order of time: some steps of everything, then the next. For one pass at bounded memory."""

    def lines(self, name: str, places: npt.ArrayLike, window: Window = ALL) -> tuple[Steps, Array]:
        """The trajectories of single elements of a tensor, by flat places: the steps, and values [steps, places]."""

    def row(self, step: int) -> dict[str, Array]:
        """All tensors at one recorded step."""


def element(traces: Traces, text: str) -> tuple[str, int]:
    """A tensor and the flat place in it that `embed.weight[3,7]` names. Raises RecordError with the nearest name."""
    found = re.fullmatch(r"\s*([^\[\]]+?)\s*(?:\[([-\d,\s]*)\])?\s*", text)
    if not found:
        raise RecordError(f"{text!r} names no parameter; write a tensor and a place: embed.weight[3,7]")
    tensor = named(traces, found[1])
    parts = [int(part) for part in (found[2] or "").split(",") if part.strip()]
    if len(parts) != len(tensor.shape):
        raise RecordError(f"{tensor.name} has {len(tensor.shape)} dimensions {list(tensor.shape)}; name as many places")
    for part, size in zip(parts, tensor.shape, strict=True):
        if not -size <= part < size:
            raise RecordError(f"{text} lies outside of {tensor.name}, whose shape is {list(tensor.shape)}")
    wrapped = [part % size for part, size in zip(parts, tensor.shape, strict=True)]
    return tensor.name, int(np.ravel_multi_index(wrapped, tensor.shape)) if wrapped else 0


def shown(tensor: Tensor, place: int) -> str:
    """The name of one element, as `embed.weight[3,7]`."""
    if not tensor.shape:
        return tensor.name
    return f"{tensor.name}[{','.join(str(int(p)) for p in np.unravel_index(place, tensor.shape))}]"


def named(traces: Traces, name: str) -> Tensor:
    """The tensor of a name. Raises RecordError with the nearest name there is."""
    if name in traces.tensors:
        return traces.tensors[name]
    near = get_close_matches(name, traces.tensors, 1, 0.0)
    raise RecordError(f"no tensor {name!r} is recorded" + (f"; did you mean {near[0]!r}?" if near else ""))


def chosen(traces: Traces, names: Iterable[str] | None) -> list[str]:
    """The tensors of some names, each a name or a pattern with `*`; all where None is given."""
    if names is None:
        return list(traces.tensors)
    found: dict[str, None] = {}
    for name in names:
        matching = [n for n in traces.tensors if fnmatchcase(n, name)] if "*" in name else [named(traces, name).name]
        if not matching:
            raise RecordError(f"no recorded tensor matches {name!r}; there are {', '.join(traces.tensors)}")
        found.update(dict.fromkeys(matching))
    return list(found)
