"""The ledger of a change: lines that sum to it exactly, per step and over a window.

The parts are kept to multiples of one small power of two, so that adding them rounds nothing: `math.fsum` of the lines
of a step, and of the sums over the window, is the change itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.ask.parts import CARRIED, CLIPPING, GRADIENT, NOISE, OTHER, SELF

Numbers = npt.NDArray[np.float64]
EDIT, ALTERED, CALLED = "edit", "alter", "call"
PARAMETER, ROUNDING, REST = "parameter", "rounding", "rest"
WORDS = {
    SELF: "decay",
    CARRIED: "carried momentum",
    GRADIENT: "fresh gradient",
    CLIPPING: "clipping",
    NOISE: "noise",
    PARAMETER: "other parameters",
    OTHER: "not divided",
    EDIT: "edit by hand",
    ALTERED: "altered",
    CALLED: "routine called",
    ROUNDING: "rounding",
    REST: "all else, not divided",
}
"""The kinds of lines in their order, and what a person calls them."""
SPARE_BITS = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a ledger: its kind, one of WORDS, and what it is of: a state slot, parameter, routine, alteration."""

    kind: str
    name: str = ""

    @property
    def text(self) -> str:
        """What a person calls it."""
        return f"{WORDS[self.kind]} ({self.name})" if self.name else WORDS[self.kind]


@dataclass(frozen=True)
class Ledger:
    """`parts` [steps, lines] sum to `change` [steps], and `sums` [lines] to `total`; the last line is the rounding,
    or of a record without a program all that it does not tell apart.

    Step s is the one that led from state s - 1 to state s.
    """

    lines: tuple[Line, ...]
    steps: npt.NDArray[np.int64]
    parts: Numbers
    change: Numbers
    sums: Numbers
    total: float

    def of(self, kind: str) -> Numbers:
        """The parts of one kind at every step, summed over its lines."""
        return np.asarray(self.parts[:, [line.kind == kind for line in self.lines]].sum(axis=1))

    def as_json(self) -> dict[str, Any]:
        """The ledger as plain values."""
        lines = [
            {"kind": line.kind, "name": line.name, "text": line.text, "sum": float(self.sums[at])}
            for at, line in enumerate(self.lines)
        ]
        steps = [
            {"step": int(step), "change": float(self.change[at]), "parts": self.parts[at].tolist()}
            for at, step in enumerate(self.steps)
        ]
        return {"change": self.total, "lines": lines, "steps": steps}


def closed(
    rows: Sequence[tuple[int, Mapping[Line, float], float]], total: float, closing: Line = Line(ROUNDING)
) -> Ledger:
    """The ledger of (step, parts, change) rows, whose changes are together `total`. Lines that are 0 are left out.

    `closing` is the line of what is missing to the changes.
    """
    found = dict.fromkeys(line for _, parts, _ in rows for line, value in parts.items() if value)
    kinds = list(WORDS)
    lines = sorted(found, key=lambda line: (kinds.index(line.kind), line.name))
    table = np.array([[parts.get(line, 0.0) for line in lines] for _, parts, _ in rows]).reshape(len(rows), len(lines))
    change = np.array([value for _, _, value in rows])
    sums = np.array([math.fsum(column) if np.isfinite(column).all() else column.sum() for column in table.T])
    steps = np.array([step for step, _, _ in rows], np.int64)
    last = (*lines, closing)
    return Ledger(last, steps, exact(table, change), change, exact(sums[None], np.array([total]))[0], total)


def exact(parts: Numbers, change: Numbers) -> Numbers:
    """Parts [n, lines] and, as a last line, what is missing to the change [n], such that their sum has no error."""
    parts = parts.reshape(len(change), -1)
    largest = np.abs(np.column_stack([parts, change])).max(axis=1)
    _, exponent = np.frexp(np.where(np.isfinite(largest), largest, 0.0))
    spare = SPARE_BITS + (parts.shape[1] + 1).bit_length()
    quantum = np.ldexp(1.0, np.maximum(exponent, -900) + spare - 53)[:, None]
    kept = np.rint(parts / quantum) * quantum
    return np.column_stack([kept, change - kept.sum(axis=1)])
