"""What may be done to a run while it learns: each is one entry in its journal, from the next step on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from ontogeny.data.without import members
from ontogeny.isa.errors import RecordError
from ontogeny.record import entries
from ontogeny.record.journal import Entry
from ontogeny.record.recorded import Recorded
from ontogeny.record.schedule import ALTER, CALL, DIAL, EDIT, EFFECTIVE, WITHOUT
from ontogeny.record.stepper import edit


class Steered(Recorded, ABC):
    """A run that can be changed. Every entry is durable when its method returns, and raises before it is written."""

    @abstractmethod
    def _write(self) -> int:
        """Makes the run ready to be written to."""

    @abstractmethod
    def _append(self, kind: str, author: str, at: int | None = None, **content: Any) -> Entry:
        """An entry, by default at the present step."""

    def set_dial(
        self, name: str, value: float, *, over: int = 0, shape: str | None = None, author: str = "you"
    ) -> Entry:
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

    def leave_out(self, examples: Iterable[int], *, author: str = "you") -> Entry:
        """Leaves examples, by number, out of every batch from the next step on."""
        return self._entered(entries.leave_out(self, examples), author)

    def enter(self, entry: Entry, *, author: str = "you") -> Entry:
        """The same as another entry says, from the next step on. RecordError for kinds that change no step."""
        content = dict(entry.content)
        if entry.kind == DIAL:
            return self.set_dial(**content, author=author)
        if entry.kind == CALL:
            return self.call(**content, author=author)
        if entry.kind == EDIT:
            return self.edit(**content, author=author)
        if entry.kind == ALTER:
            return self.alter(**content, author=author)
        if entry.kind == WITHOUT:
            return self.leave_out(members(content["examples"]), author=author)
        raise RecordError(f"an entry {entry.kind!r} changes no step; there are {', '.join(EFFECTIVE)}")

    def _entered(self, entry: Entry, author: str) -> Entry:
        return self._append(entry.kind, author, **entry.content)
