"""What a tape that was found does: simplified, each removal proved by equal behaviour, and explained by ablation.

Rows that no prediction depends on go first, which needs no trial. Of the others a row goes if every prediction on the
tasks given, in training and after it, has the same bits without it. That is proof for these tasks, not for all; so one
gives tasks that the search never saw. What a row that stays is worth is the error without it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ontogeny.machine.swarm.learners import Tasks, learners, predictions
from ontogeny.machine.swarm.learners_tape import ROUTINES, Tape, said


@dataclass(frozen=True)
class Removal:
    """A row that was taken out, and why that changes nothing."""

    routine: str
    row: str
    because: str

    def __str__(self) -> str:
        return f"{self.routine}: {self.row} ({self.because})"


@dataclass(frozen=True)
class Worth:
    """A row, the error of the tape with it and without it."""

    routine: str
    row: str
    error: float
    without: float

    def __str__(self) -> str:
        return f"{self.routine:8}{self.row:30}error {self.without:.6g} without it, {self.without - self.error:+.6g}"


def simplified(given: Tape, tasks: Tasks) -> tuple[Tape, list[Removal]]:
    """The tape without rows that change no prediction on the tasks, and what was taken out."""
    gone = [_removal(given, int(at), "no prediction depends on it") for at in np.flatnonzero(~given.alive())]
    kept, expected = given.stripped(), predictions(given, tasks)[0].view(np.uint64)
    proof = f"the same bits in all {expected.size:,} predictions"
    at = len(kept) - 1
    while at >= 0:
        shorter = kept.without([at])
        if (predictions(shorter, tasks)[0].view(np.uint64) == expected).all():
            gone.append(_removal(kept, at, proof))
            dead = np.flatnonzero(~shorter.alive()).tolist()
            gone += [_removal(shorter, row, "no prediction depends on it any more") for row in dead]
            kept, at = shorter.without(dead), len(shorter) - len(dead)
        at -= 1
    return kept, gone


def ablated(given: Tape, tasks: Tasks) -> list[Worth]:
    """Each row with the error of the tape without it."""
    if not len(given):
        return []
    error, *without = learners([given, *(given.without([at]) for at in range(len(given)))], tasks, 1)
    return [
        Worth(routine, row, float(error), float(other))
        for (routine, row), other in zip(_rows(given), without, strict=True)
    ]


def _rows(given: Tape) -> list[tuple[str, str]]:
    return [(name, said(given.banks, row)) for name in ROUTINES for row in given.instructions(name)]


def _removal(given: Tape, at: int, because: str) -> Removal:
    routine, row = _rows(given)[at]
    return Removal(routine, row, because)
