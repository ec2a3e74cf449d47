"""Moments of every parameter, streamed while it trains: of its values and of its updates, at constant memory.

    watched = og.watch_moments(model)
    for batch in loader:
        ...
        optimizer.step()
        watched.step()
    watched.table()["0.weight"].updates.kurtosis

At a step the parameters are only copied beside each other, on their own device. Once `rows` steps are together their
moments are worked out in f64, some lanes at a time so that these stay in the cache, and merged with what is known of
the steps before (`record/moments.py` has the formulas). Values are taken relative to the first that was seen, so that
a large offset costs no digits. A parameter takes 72 bytes and `rows` + 1 of its own size: 140 in f32, 16 rows.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from ontogeny.isa.errors import RecordError
from ontogeny.machine.compiled.convert import to_numpy
from ontogeny.record.attach.moment_files import Online, write
from ontogeny.record.attach.processes import count, rank
from ontogeny.record.attach.watched import Watched
from ontogeny.record.disk import RecordWarning
from ontogeny.record.moments import Moments, TensorMoments
from ontogeny.record.trace.layout import Tensor

ROWS = 16
LANES = {"cpu": 1 << 13}
MOST_LANES = 1 << 20
"""Lanes worked out at a time: on the CPU so that they stay in its cache, elsewhere so that few kernels are started."""
NO_F64 = ("mps",)
Four = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def watch_moments(
    model: nn.Module, only: Sequence[str] | None = None, *, buffers: bool = False, rows: int = ROWS
) -> WatchedMoments:
    """Streams the moments of a model from now on, and keeps nothing else; call `step` after each optimizer step.

    `only` holds names or patterns with `*`. The present values are the first observation. `rows` steps are worked out
    together: more take more memory and less time. Raises RecordError where nothing matches, or is no real number.
    """
    return WatchedMoments(Watched(model, only, buffers), rows)


class WatchedMoments:
    """Moments under way. `first` is the step before the first observed update; the initial state is step 0."""

    def __init__(self, watched: Watched, rows: int = ROWS, first: int = 0, again: bool = False) -> None:
        """Begins at step `first`; where that step was observed already, `again`, it is only what an update starts from.

        `watched` is this object's own.
        """
        if rows < 1:
            raise RecordError(f"rows={rows} holds no step; give 1 or more, such as {ROWS}")
        self._watched, self._rows = watched, rows
        self.first = self.last = first
        self._begin(0 if again else 1)

    def step(self) -> None:
        """One step of the optimizer has been taken. Where the parameters are no longer the same, begins anew."""
        self.last += 1
        if self._watched.changed():
            layout = self._watched.layout()
            self._watched.walk()
            if self._watched.layout() != layout or self._devices() != self._placed:
                self._changed()
                return
        tensors = self._watched.tensors()
        for bank in self._banks:
            bank.take(tensors)

    def reset(self) -> None:
        """Forgets what was observed: a window begins, whose first update starts from the present step."""
        self.first = self.last
        for bank in self._banks:
            bank.reset()

    def table(self) -> dict[str, TensorMoments]:
        """The moments so far by tensor, flat, as NumPy arrays in f64, and copies."""
        found: dict[int, TensorMoments] = {}
        described = self._watched.layout().tensors
        for bank in self._banks:
            found.update(bank.table(described))
        return {described[place].name: found[place] for place in sorted(found)}

    def online(self) -> Online:
        """The same with the steps that it is of."""
        return Online(self.first, self.last, tuple(self.table().values()))

    def save(self, folder: Path | str) -> Path:
        """Writes what `ontogeny moments FOLDER --online` shows, one safetensors file of this window; its path.

        Where the model is sharded each process writes its part, and the whole is there once all have.
        """
        return write(Path(folder), self.online(), *((rank(), count()) if self._watched.sharded else ()))

    def _begin(self, count: int) -> None:
        tensors = self._watched.tensors()
        if odd := [name for name, t in zip(self._watched.named, tensors, strict=True) if not t.is_floating_point()]:
            raise RecordError(f"{odd[0]} has no real numbers; leave it out with only=[...]")
        kinds: dict[tuple[torch.dtype, torch.device], list[int]] = {}
        for place, tensor in enumerate(tensors):
            kinds.setdefault((tensor.dtype, tensor.device), []).append(place)
        self._banks = [_Bank(tensors, places, self._rows, count) for places in kinds.values()]
        self._placed = self._devices()

    def _devices(self) -> list[torch.device]:
        return [tensor.device for tensor in self._watched.tensors()]

    def _changed(self) -> None:
        """The parameters are others than before."""
        warnings.warn(
            f"the parameters changed at step {self.last}: their moments begin anew there", RecordWarning, stacklevel=3
        )
        self.first = self.last
        self._begin(1)


@dataclass
class _State:
    """The moments so far: how many observations, and mean, m2, m3, m4 [4, lanes]."""

    count: int
    sums: torch.Tensor

    def merge(self, lanes: slice, values: torch.Tensor) -> None:
        """Adds observations [rows, lanes], which are overwritten. `count` is to be raised once all lanes are merged."""
        new = values.mean(0)
        off = values.sub_(new)
        square = off * off
        m2, m3 = square.sum(0), off.mul_(square).sum(0)
        mean, known2, known3, known4 = self.sums[:, lanes]
        new_four = (new, m2, m3, square.square_().sum(0))
        _merge(self.count, (mean, known2, known3, known4), len(values), new_four)


def _merge(a: int, known: Four, b: int, new: Four) -> None:
    """The formulas of `Moments.merged` in the memory of both, in as few passes over it as torch can say them in."""
    mean, m2, m3, m4 = known
    other, other_m2, other_m3, other_m4 = new
    n = a + b
    off = other.sub_(mean)
    part = off / n
    square = part * part
    term = off.mul_(part)
    mean.add_(part, alpha=b)
    m4.add_(other_m4).addcmul_(term, square, value=a * b * (a * a - a * b + b * b))
    m4.addcmul_(square, torch.mul(other_m2, a * a).add_(m2, alpha=b * b), value=6)
    m4.addcmul_(part, torch.mul(other_m3, a).sub_(m3, alpha=b), value=4)
    m3.add_(other_m3).addcmul_(term, part, value=a * b * (a - b))
    m3.addcmul_(part, torch.mul(other_m2, a).sub_(m2, alpha=b), value=3)
    m2.add_(other_m2).add_(term, alpha=a * b)


class _Bank:
    """Tensors of one format on one device beside each other: the rows under way, and what is known of those before.

    Row 0 is the state that the next update starts from. Values are merged relative to `origin`.
    """

    def __init__(self, tensors: Sequence[torch.Tensor], places: Sequence[int], rows: int, count: int) -> None:
        self.places = places
        mine = [tensors[place] for place in places]
        self.ends = [0]
        for tensor in mine:
            self.ends.append(self.ends[-1] + tensor.numel())
        like, size = mine[0], self.ends[-1]
        form = torch.float32 if like.device.type in NO_F64 else torch.float64
        self.rows = torch.empty((rows + 1, size), dtype=like.dtype, device=like.device)
        self.views = [
            [row[a:b].view(t.shape) for a, b, t in zip(self.ends, self.ends[1:], mine, strict=False)]
            for row in self.rows
        ]
        self.filled = 0
        self.states = [_State(number, torch.zeros((4, size), dtype=form, device=like.device)) for number in (count, 0)]
        with torch.no_grad():
            torch._foreach_copy_(self.views[0], mine)
        self.origin = self.rows[0].to(form, copy=True)

    @torch.no_grad()
    def take(self, tensors: Sequence[torch.Tensor]) -> None:
        """One more row."""
        self.filled += 1
        torch._foreach_copy_(self.views[self.filled], [tensors[place] for place in self.places])
        if self.filled == len(self.rows) - 1:
            self.fold()

    @torch.no_grad()
    def fold(self) -> None:
        """Merges the rows under way."""
        if not self.filled:
            return
        values, updates = self.states
        width = LANES.get(self.rows.device.type, MOST_LANES)
        for first in range(0, self.ends[-1], width):
            lanes = slice(first, first + width)
            rows = self.rows[: self.filled + 1, lanes].to(self.origin.dtype, copy=True)
            updates.merge(lanes, rows[1:] - rows[:-1])
            values.merge(lanes, rows[1:].sub_(self.origin[lanes]))
        values.count += self.filled
        updates.count += self.filled
        self.rows[0].copy_(self.rows[self.filled])
        self.filled = 0

    @torch.no_grad()
    def reset(self) -> None:
        """No observation yet; the last row is what the next update starts from."""
        self.rows[0].copy_(self.rows[self.filled])
        self.filled = 0
        self.origin.copy_(self.rows[0])
        for state in self.states:
            state.count = 0
            state.sums.zero_()

    def table(self, described: Sequence[Tensor]) -> dict[int, TensorMoments]:
        """The moments so far, by the tensors' places in the layout."""
        self.fold()
        values, updates = (to_numpy(state.sums.cpu()).astype("float64") for state in self.states)
        if self.states[0].count:
            values[0] += to_numpy(self.origin.cpu())
        found = {}
        for place, first, last in zip(self.places, self.ends, self.ends[1:], strict=False):
            assert math.prod(described[place].shape) == last - first
            own, moved = (
                Moments(state.count, *sums[:, first:last].copy())
                for state, sums in zip(self.states, (values, updates), strict=True)
            )
            found[place] = TensorMoments(described[place], own, moved)
        return found
