"""Parameters that a step does nothing for: elements without a gradient, and updates lost to rounding.

The update is worked out in f64 on the step's own registers, dials and gradients (`ask/account.py`). It is lost where it
is not zero there, and the value that the run keeps is the one from before, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ontogeny.ask.account import Account
from ontogeny.ask.carry import wide
from ontogeny.ask.parts import GRADIENT
from ontogeny.ask.update import Update, update_of
from ontogeny.data.base import Array
from ontogeny.isa.program import Decl, Program
from ontogeny.record.stepper import LEARN

PIECE = 1 << 22
"""Elements of a register whose updates are worked out at a time."""


class Taken(Protocol):
    """A step that has been taken: its registers before and after, inputs and dials, and values from inside."""

    @property
    def entry(self) -> Mapping[str, Array]:
        """The registers as the step found them."""

    @property
    def after(self) -> Mapping[str, Array]:
        """The registers as it left them."""

    @property
    def given(self) -> Mapping[str, Array | float]:
        """Its inputs and dials."""

    @property
    def values(self) -> Mapping[str, Array]:
        """What instructions inside it gave, by the values that they define."""


@dataclass(frozen=True)
class Tensor:
    """A parameter over the sampled steps.

    At each of them so many updates of its elements were not zero (`updates`), and so many of these were `lost`; `dead`
    elements had no gradient at any.
    """

    name: str
    elements: int
    lost: tuple[int, ...]
    updates: tuple[int, ...]
    dead: int


@dataclass(slots=True)
class _Counted:
    """One register under way."""

    update: Update
    accounts: tuple[tuple[slice, Account], ...]
    pieces: tuple[Decl, ...]
    moved: npt.NDArray[np.bool_]
    lost: dict[str, list[int]] = field(default_factory=dict)
    updates: dict[str, list[int]] = field(default_factory=dict)


class Idle:
    """Counts over steps that have been gone through."""

    def __init__(self, program: Program) -> None:
        self._registers: dict[str, _Counted] = {}
        for decl in program.kept():
            update = update_of(program, program.routine(LEARN), decl.name) if decl.kind == "param" else None
            if update is not None:
                pieces = tuple(one for one in program.named_params() if decl.name in (one.name, one.arena))
                size = decl.type.size
                runs = [slice(first, min(first + PIECE, size)) for first in range(0, size, PIECE)]
                accounts = tuple((run, Account(program, update, np.arange(run.start, run.stop))) for run in runs)
                self._registers[decl.name] = _Counted(update, accounts, pieces, np.zeros(size, np.bool_))

    def updating(self, register: str) -> frozenset[str]:
        """The values that are made only for the update of a register."""
        update = self._registers[register].update
        return frozenset(out for instr in update.body for out in instr.out) - frozenset(update.gradients)

    @property
    def pieces(self) -> dict[str, tuple[str, int]]:
        """For every parameter by name: its register, and the elements of that."""
        return {
            piece.name: (name, len(counted.moved))
            for name, counted in self._registers.items()
            for piece in counted.pieces
        }

    def add(self, step: Taken) -> None:
        """One step that has been gone through to its end."""
        after = step.after
        for name, counted in self._registers.items():
            gradients = {value: step.values[value] for value in counted.update.gradients}
            old, new = step.entry[name].reshape(-1), after[name].reshape(-1)
            due = np.zeros(len(old), np.bool_)
            for run, account in counted.accounts:
                exact, parts = account(step.entry, step.given, gradients)
                due[run] = exact != wide(old[run])
                for source, part in parts.items():
                    counted.moved[run] |= (part != 0) & (source.kind == GRADIENT)
            lost = due & (new == old)
            for piece in counted.pieces:
                own = slice(piece.offset, piece.offset + piece.type.size)
                counted.lost.setdefault(piece.name, []).append(int(np.count_nonzero(lost[own])))
                counted.updates.setdefault(piece.name, []).append(int(np.count_nonzero(due[own])))

    def tensors(self) -> Iterable[Tensor]:
        """What was counted, by parameter."""
        for counted in self._registers.values():
            for piece in counted.pieces:
                part = counted.moved[piece.offset : piece.offset + piece.type.size]
                lost, updates = tuple(counted.lost[piece.name]), tuple(counted.updates[piece.name])
                yield Tensor(piece.name, piece.type.size, lost, updates, int(np.count_nonzero(~part)))
