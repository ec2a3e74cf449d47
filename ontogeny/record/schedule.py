"""What a journal's entries mean for each step: the dials in force, what batches are made of, the events before it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping

from ontogeny.record.composition import MEANINGS, Composition
from ontogeny.record.dials import LINEAR, Course, course
from ontogeny.record.journal import Entry

DIAL = "dial"
CALL = "call"
EDIT = "edit"
ALTER = "alter"
EVENTS = (CALL, EDIT, ALTER)
EFFECTIVE = (DIAL, *MEANINGS, *EVENTS)
NEVER = 1 << 62


class Schedule:
    """What holds in stretches of steps, and `events`: calls, edits and alterations by step, in journal order.

    Where the program changed at step `first`, `before` is the schedule until then: dials of the same name go on in
    their courses, and batches stay composed as they were.
    """

    def __init__(
        self, dials: Mapping[str, float], entries: Iterable[Entry], before: Schedule | None = None, first: int = 0
    ) -> None:
        courses: Mapping[str, Course] = before._courses[before._place(first)] if before else {}
        self._starts = [0]
        self._courses: list[dict[str, Course]] = [{name: courses.get(name, Course(dials[name])) for name in dials}]
        self._compositions = [before.composition(first) if before else Composition()]
        self.events: dict[int, list[Entry]] = {}
        for entry in sorted((e for e in entries if e.kind in EFFECTIVE), key=lambda e: e.at):
            self._add(entry)

    def _add(self, entry: Entry) -> None:
        if entry.kind in EVENTS:
            self.events.setdefault(entry.at, []).append(entry)
        else:
            if self._starts[-1] != entry.at:
                self._starts.append(entry.at)
                self._courses.append(dict(self._courses[-1]))
                self._compositions.append(self._compositions[-1])
            if entry.kind == DIAL:
                self._courses[-1][entry["name"]] = turned(self._courses[-1], entry)
            else:
                self._compositions[-1] = self._compositions[-1].after(entry)

    def span(self, step: int) -> tuple[int, int]:
        """The first and one past the last step of the stretch around `step` in which no entry changes anything."""
        place = self._place(step)
        end = self._starts[place + 1] if place + 1 < len(self._starts) else NEVER
        return self._starts[place], end

    def settled(self, step: int) -> int:
        """The state from which on the dials of the stretch around `step` hold; before it one is on its way."""
        return max((each.end for each in self._courses[self._place(step)].values()), default=0)

    def composition(self, step: int) -> Composition:
        """What the batch of `step` is made of, the same all over its span."""
        return self._compositions[self._place(step)]

    def dials(self, step: int) -> dict[str, float]:
        """The dials that the step from state `step` goes by."""
        return {name: each(step) for name, each in self._courses[self._place(step)].items()}

    def _place(self, step: int) -> int:
        return bisect_right(self._starts, step) - 1


def turned(courses: Mapping[str, Course], entry: Entry) -> Course:
    """Where an entry sends its dial: from the value in force at its step, at once or over some steps."""
    name, value, over = entry["name"], float(entry["value"]), entry.content.get("over", 0)
    start = courses[name](entry.at) if name in courses else value
    return course(name, value, start, entry.at, over, entry.content.get("shape", LINEAR))
