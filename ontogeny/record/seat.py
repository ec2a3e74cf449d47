"""One machine shared by a run and its forks: whoever needs it takes it, and the one before keeps its state.

Forks by another program have a seat of their own `beside` it, under the same lock, so that none waits for another's.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Protocol

from ontogeny.data.base import Array
from ontogeny.isa.program import Program
from ontogeny.machine.base import Machine


class Sitter(Protocol):
    """A run that can wait without a machine: `parked` is its present state, or None where replay must make it."""

    parked: dict[str, Array] | None


class Seat:
    """A machine for one program, made when first needed, and whose state it holds.

    `lock` keeps threads from taking turns midway.
    """

    def __init__(self, make: Callable[[Program], Machine], program: Program) -> None:
        self._make = make
        self._program = program
        self._machine: Machine | None = None
        self.holder: Sitter | None = None
        self.lock = RLock()

    @property
    def machine(self) -> Machine:
        """The machine, whoever holds it."""
        if self._machine is None:
            self._machine = self.another()
        return self._machine

    def another(self) -> Machine:
        """A further machine of the same kind, without a state."""
        return self._make(self._program)

    def beside(self, program: Program) -> Seat:
        """A seat of the same kind of machine for another program."""
        seat = Seat(self._make, program)
        seat.lock = self.lock
        return seat

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
