"""What an explanation says: the ledger of some elements over a window, each of them, and what they have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ontogeny.ask.common import Common
from ontogeny.ask.ledger import Ledger

KEPT_APART = 1 << 16
"""How many elements of a group are told apart at most; a larger one has its sum alone."""


@dataclass(frozen=True, slots=True)
class Member:
    """One element of a group: its value before and after the window, and its lines over it, which sum to the change."""

    name: str
    before: float
    after: float
    sums: tuple[float, ...]


@dataclass(frozen=True)
class Explanation:
    """The ledger of some elements in sum. The states `first` - 1 to `last` are the window.

    `members` are told apart up to KEPT_APART, in the lines of the ledger; `shared` are the instructions, with their
    lines, at which the rule is nonlinear, so that lines were shared in proportion. `remarks` are what a record does not
    tell, so that it was not divided, and `undivided` the steps of which it tells no line but the last.
    """

    asked: tuple[str, ...]
    first: int
    last: int
    count: int
    ledger: Ledger
    members: tuple[Member, ...]
    common: Common
    shared: tuple[tuple[str, str], ...] = ()
    remarks: tuple[str, ...] = ()
    undivided: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The explanation as plain values."""
        each = [{"name": m.name, "before": m.before, "after": m.after, "sums": list(m.sums)} for m in self.members]
        about = {"asked": list(self.asked), "first": self.first, "last": self.last, "count": self.count}
        shared = [{"instruction": text, "where": where} for text, where in self.shared]
        why = {"shared": shared, "remarks": list(self.remarks), "undivided": list(self.undivided)}
        return {**about, **self.ledger.as_json(), "members": each, "common": self.common.as_json(), **why}
