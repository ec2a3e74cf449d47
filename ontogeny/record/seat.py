"""One machine shared by a run and its forks: whoever needs it takes it, and the one before keeps its state."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Protocol

from ontogeny.data.base import Array
from ontogeny.machine.base import Machine


class Sitter(Protocol):
    """A run that can wait without a machine: `parked` is its present state, or None where replay must make it."""

    parked: dict[str, Array] | None


class Seat:
    """A machine, made when first needed, and whose state it holds. `lock` keeps threads from taking turns midway."""

    def __init__(self, make: Callable[[], Machine]) -> None:
        self._make = make
        self._machine: Machine | None = None
        self.holder: Sitter | None = None
        self.lock = RLock()

    @property
    def machine(self) -> Machine:
        """The machine, whoever holds it."""
        if self._machine is None:
            self._machine = self._make()
        return self._machine

    def another(self) -> Machine:
        """A further machine of the same kind, without a state."""
        return self._make()

    def clear(self) -> Machine:
        """The machine with nobody on it; its holder's state is parked."""
        if self.holder is not None:
            self.holder.parked = self.machine.state()
            self.holder = None
        return self.machine

    def leave(self, who: Sitter) -> None:
        """Forgets the state of `who`, on the machine or parked; replay makes it again."""
        if self.holder is who:
            self.holder = None
        who.parked = None
