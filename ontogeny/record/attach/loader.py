"""Batches of a data loader, with the place in them known, so that a loop can go back to it.

The order of an epoch comes from the random generators as they stand when it begins; going back sets them to that, draws
the epoch again, and passes over the batches that came before. So a loader must be one whose order comes from torch's
generator (its default, a sampler's, or its own), or from the number of the epoch, which a DistributedSampler is told
here; and passing over costs what loading costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ontogeny.record.attach.checkpoints import generators, set_generators


class Position:
    """Where a loop stands in its data: the epoch, how many of its batches were given, and how its order was drawn."""

    def __init__(self) -> None:
        self.epoch = self.given = 0
        self.drawn: dict[str, Any] | None = None
        self.wanted: dict[str, Any] | None = None

    def as_tree(self) -> dict[str, Any]:
        """The position as plain values."""
        return {"epoch": self.epoch, "given": self.given, "drawn": self.drawn}

    def go_to(self, found: dict[str, Any], after: dict[str, Any]) -> None:
        """The next batch is the one after `found`; the generators then stand as in `after`."""
        self.wanted = {**found, "after": after}

    def batches(self, loader: Iterable[Any], epochs: int) -> Iterator[Any]:
        """The batches of some epochs; after `go_to`, from there."""
        while self.epoch < epochs or self.wanted is not None:
            back, self.wanted = self.wanted, None
            if back is not None:
                self.epoch = back["epoch"]
                if back["drawn"] is None:
                    back = None  # no epoch had begun, so there is nothing to draw again
                else:
                    set_generators(back["drawn"])
            sampler: Any = getattr(loader, "sampler", None)
            if hasattr(sampler, "set_epoch"):
                sampler.set_epoch(self.epoch)
            self.drawn, self.given = generators(), 0
            yield from self._epoch(loader, back)
            if self.wanted is None:
                self.epoch += 1

    def _epoch(self, loader: Iterable[Any], back: dict[str, Any] | None) -> Iterator[Any]:
        passed = back["given"] if back is not None else 0
        for number, batch in enumerate(loader):
            if number < passed:
                continue
            if back is not None and number == passed:
                set_generators(back["after"])
            self.given = number + 1
            yield batch
            if self.wanted is not None:
                return
        if back is not None and self.given == 0:
            self.given = passed
            set_generators(back["after"])  # it was the last batch
