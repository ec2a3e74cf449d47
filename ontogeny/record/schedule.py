"""What a journal's entries mean for each step: the dials in force, the examples left out, the events before it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping

from ontogeny.data.without import members
from ontogeny.record.journal import Entry

DIAL = "dial"
CALL = "call"
EDIT = "edit"
WITHOUT = "without"
EVENTS = (CALL, EDIT)
EFFECTIVE = (DIAL, WITHOUT, *EVENTS)
NEVER = 1 << 62


class Schedule:
    """`span(step)`: the dials of a step and how long they hold; `events`: calls and edits by step, in journal order."""

    def __init__(self, dials: Mapping[str, float], entries: Iterable[Entry]) -> None:
        self._starts = [0]
        self._dials = [dict(dials)]
        self._left_out: list[frozenset[int]] = [frozenset()]
        self.events: dict[int, list[Entry]] = {}
        for entry in sorted((e for e in entries if e.kind in EFFECTIVE), key=lambda e: e.at):
            self._add(entry)

    def _add(self, entry: Entry) -> None:
        if entry.kind in EVENTS:
            self.events.setdefault(entry.at, []).append(entry)
        else:
            if self._starts[-1] != entry.at:
                self._starts.append(entry.at)
                self._dials.append(dict(self._dials[-1]))
                self._left_out.append(self._left_out[-1])
            if entry.kind == WITHOUT:
                self._left_out[-1] |= members(entry["examples"])
            else:
                self._dials[-1][entry["name"]] = float(entry["value"])

    def span(self, step: int) -> tuple[dict[str, float], int, int]:
        """The dials at `step`, and the first and one past the last step of the stretch in which they hold."""
        place = bisect_right(self._starts, step) - 1
        end = self._starts[place + 1] if place + 1 < len(self._starts) else NEVER
        return self._dials[place], self._starts[place], end

    def left_out(self, step: int) -> frozenset[int]:
        """The examples that are left out of the batch of `step`, the same all over its span."""
        return self._left_out[bisect_right(self._starts, step) - 1]

    def dials(self, step: int) -> dict[str, float]:
        """A copy of the dials at `step`."""
        return dict(self.span(step)[0])
