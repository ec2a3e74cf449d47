"""What candidates failed in a search: how many for which reason, and the number of the first one for each.

It lies beside each state that is kept, so that whoever opens the search at that state knows what failed until then. It
is a cache like the state, and decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ontogeny.record.disk import disk, replace_file

KINDS = 20
"""How many reasons are told apart; further ones are counted together."""
LONGEST = 300
OTHERS = "for other reasons"
ENDING = ".failures.json"


@dataclass
class Tally:
    """`kinds`: a reason, how many failed for it, and the first one's number."""

    kinds: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """All that failed."""
        return sum(count for count, _ in self.kinds.values())

    def add(self, failed: Mapping[int, str]) -> None:
        """Counts candidates by their numbers, each with its reason."""
        for number, why in failed.items():
            why = why if len(why) <= LONGEST else f"{why[: LONGEST - 1]}…"
            why = why if why in self.kinds or len(self.kinds) < KINDS else OTHERS
            count, first = self.kinds.get(why, (0, number))
            self.kinds[why] = count + 1, min(first, number)

    def document(self) -> list[dict[str, Any]]:
        """The same as a program is told it, the most frequent first."""
        ordered = sorted(self.kinds.items(), key=lambda one: (-one[1][0], one[1][1]))
        return [{"why": why, "count": count, "first": first} for why, (count, first) in ordered]


def write(state: Path, tally: Tally) -> None:
    """Keeps it beside a state, where anything failed."""
    if tally.kinds:
        replace_file(_beside(state), json.dumps(tally.document()).encode())


def read(state: Path) -> Tally:
    """What lies beside a state; nothing where nothing failed, or what is there cannot be read."""
    path = _beside(state)
    if not path.exists():
        return Tally()
    try:
        with disk("reading", path):
            rows = json.loads(path.read_bytes())
        return Tally({str(row["why"]): (int(row["count"]), int(row["first"])) for row in rows})
    except (ValueError, TypeError, KeyError):
        return Tally()


def remove(state: Path) -> None:
    """Takes a state away, and what lies beside it."""
    state.unlink(missing_ok=True)
    _beside(state).unlink(missing_ok=True)


def _beside(state: Path) -> Path:
    return state.with_suffix(ENDING)
