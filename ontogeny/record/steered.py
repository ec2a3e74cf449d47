"""What may be done to a run while it learns: each is one entry in its journal, from the next step on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ontogeny.data.base import Array
from ontogeny.isa.errors import RecordError
from ontogeny.record import added, entries, example_entries
from ontogeny.record.dials import LINEAR
from ontogeny.record.journal import Entry
from ontogeny.record.recorded import Recorded
from ontogeny.record.schedule import EFFECTIVE
from ontogeny.record.stepper import edit


class Steered(Recorded, ABC):
    """A run that can be changed. Every entry is durable when its method returns, and raises before it is written."""

    @abstractmethod
    def _write(self) -> int:
        """Makes the run ready to be written to."""

    @abstractmethod
    def _append(self, kind: str, author: str, at: int | None = None, **content: Any) -> Entry:
        """An entry, by default at the present step."""

    def set_dial(self, name: str, value: float, *, over: int = 0, shape: str = LINEAR, author: str = "you") -> Entry:
        """Turns a dial from the next step on.

        With `over` it goes there from its present value: the step from the `over`-th state after this one is the first
        to go by `value`. `shape` is `linear`, `cosine` or `exponential` (formulas in `record/dials.py`). A later entry
        for the same dial replaces this one, wherever it has come to.
        """
        self._write()
        return self._entered(entries.dial(self, name, value, over, shape), author)

    def call(self, routine: str, *, author: str = "you") -> Entry:
        """Calls an outermost routine (`sleep`) before the next step, with its batch."""
        return self._entered(entries.call(self, routine), author)

    def edit(self, register: str, places: Sequence[int], values: Sequence[float], *, author: str = "you") -> Entry:
        """Sets elements of a register, by their flat places, before the next step."""
        self._write()
        entry = entries.edit(self, register, places, values)
        edit(self.state(), entry)
        return self._entered(entry, author)

    def alter(
        self,
        tensors: str | Iterable[str],
        how: str,
        amount: float | None = None,
        *,
        seed: int = 0,
        and_state: bool = False,
        author: str = "you",
    ) -> Entry:
        """Alters parameters, by name or pattern (`*.weight`), before the next step; where stated, not value by value.

        `how` is `scale` (times `amount`), `reset` (to their values at step 0 of the root), `zero`, `noise` (adds
        `amount` standard deviations of the tensor times normal numbers, keyed by `seed`, the step and the name) or
        `prune` (the share `amount` of the smallest magnitudes to zero). `and_state` zeroes what the optimizer keeps of
        them, too. `record/alterations.py` says how it is rounded. RecordError where it would make non-finite numbers.
        """
        self._write()
        entry = entries.alteration(self, tensors, how, amount, seed, and_state)
        entries.check_finite(self.state(), self, entry)
        return self._entered(entry, author)

    def leave_out(self, examples: str | Iterable[int], *, author: str = "you") -> Entry:
        """Leaves examples, by number or in words (3,17,40:60), out of every batch from the next step on."""
        return self._entered(example_entries.leave_out(self, examples), author)

    def take_back(self, examples: str | Iterable[int], *, author: str = "you") -> Entry:
        """Learns again from the next step on from examples that were left out."""
        self._write()
        return self._entered(example_entries.take_back(self, examples), author)

    def learn_also(
        self, examples: str | Iterable[int] | Mapping[str, Array], *, rows: int = 1, author: str = "you"
    ) -> Entry:
        """Learns from the next step on also from further examples: so many rows of them behind every batch's own.

        `examples` are arrays with the names of a batch, kept in the run's folder, or some of those that there are, by
        number or in words (3,17,40:60). They are drawn in epochs of their own order. Added ones get the numbers after
        the last one. The same examples again replace their `rows`.
        """
        self._write()
        if isinstance(examples, Mapping):
            arrays = {name: np.ascontiguousarray(array) for name, array in examples.items()}
            entry = example_entries.added(self, arrays, rows)
            added.keep(self.folder, arrays)
            return self._entered(entry, author)
        return self._entered(example_entries.learn_also(self, examples, rows), author)

    def stop_also(self, examples: str | Iterable[int] | None = None, *, author: str = "you") -> Entry:
        """Ends from the next step on what `learn_also` began for the very same examples; for all if none are named."""
        self._write()
        return self._entered(example_entries.stop_also(self, examples), author)

    def mix(self, examples: str | Iterable[int], share: float, *, author: str = "you") -> Entry:
        """Draws a share of every batch's own rows from a group of examples, from the next step on.

        Of a batch of B rows these are the first round(`share` * B), drawn in epochs of their own order; a second group
        has the rows after those of the first. The same examples again replace their share, and 0 ends it.
        """
        self._write()
        return self._entered(example_entries.mix(self, examples, share), author)

    def enter(self, entry: Entry, *, author: str = "you") -> Entry:
        """The same as another entry says, from the next step on.

        RecordError for kinds that change no step, and where it does not go with what was entered before.
        """
        if entry.kind not in EFFECTIVE:
            raise RecordError(f"an entry {entry.kind!r} changes no step; there are {', '.join(EFFECTIVE)}")
        self._write()
        entry = replace(entry, at=self.step)
        self._lineage.schedule((*self.entries, entry))
        return self._entered(entry, author)

    def _entered(self, entry: Entry, author: str) -> Entry:
        return self._append(entry.kind, author, **entry.content)
