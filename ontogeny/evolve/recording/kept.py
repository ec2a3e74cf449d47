"""What a search keeps beside its journal: states now and then, and a line for every better candidate. All a cache.

States are kept as often as costs little, whatever the clock says of that: a search goes the same way from any of them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ontogeny.evolve.recording import states, tally
from ontogeny.evolve.recording.course import Course
from ontogeny.evolve.search import Standing
from ontogeny.isa.errors import RecordError
from ontogeny.record import lines
from ontogeny.record.disk import disk

STATES, PROGRESS = "states", "progress.jsonl"
EVERY = 1.0
"""Seconds between two states at least."""
SHARE = 0.05
"""The share of the time that keeping them may take."""
MOST_FILES, MOST_BYTES = 64, 64 << 20


class Kept:
    """The states and the progress of a search's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damaged: list[Path] = []
        self._file: lines.Appender | None = None
        self._last: tuple[Any, ...] = ()
        self._at, self._cost, self._newest = time.monotonic(), 0.0, -1
        self.seconds = max((float(row["seconds"]) for row in self.rows()), default=0.0)

    def all(self) -> dict[int, Path]:
        """The states by their evaluations, the earliest first."""
        paths = sorted((self.folder / STATES).glob("[0-9]*.npz"))
        return {int(path.stem): path for path in paths if path.stem.isdigit()}

    def latest(self, template: Standing[Any]) -> Standing[Any]:
        """The latest state that is sound; the template, with which a search begins, where there is none."""
        self.damaged = []
        for path in reversed(self.all().values()):
            try:
                return states.read(path, template)
            except RecordError:
                self.damaged.append(path)
        return template

    def failed(self, evaluations: int) -> tally.Tally:
        """What failed until a state, as far as that is kept."""
        return tally.read(self.folder / STATES / f"{evaluations:015d}.npz")

    def rows(self) -> list[dict[str, Any]]:
        """The progress: evaluations, errors and size of every better candidate, and the seconds until then."""
        return list(lines.read(self.folder / PROGRESS).contents)

    def open(self, evaluations: int) -> None:
        """Cuts what was noted after so many evaluations, which will be gone through again, and gets ready to write."""
        reading = lines.read(self.folder / PROGRESS)
        kept = [row for row in reading.contents if row["evaluations"] <= evaluations]
        self._file = lines.Appender(self.folder / PROGRESS, reading.ends[len(kept) - 1] if kept else 0)
        self._last = _told(kept[-1]) if kept else ()
        self.seconds = float(kept[-1]["seconds"]) if kept else 0.0
        for path in self.damaged:  # before the newest is asked for: what is damaged has to be written again
            tally.remove(path)
        self._newest = max(self.all(), default=-1)

    def note(self, course: Course, last: bool = False) -> None:
        """A line where the best is another than before, or where it stops, and a state where one is due."""
        best, standing = course.search.best(course.standing.state), course.standing
        errors = [error if math.isfinite(error) else None for error in best.errors]
        row: dict[str, Any] = {"evaluations": course.evaluations, "errors": errors, "size": best.size}
        row |= {"solved_at": standing.solved_at, "seconds": round(self.seconds, 3)}
        if self._file is not None and (_told(row) != self._last or last) and None not in errors:
            self._file.add(row)
            self._file.flush(sync=False)
            self._last = _told(row)
        if last or time.monotonic() - self._at > max(EVERY, self._cost / SHARE):
            self.keep(course)

    def keep(self, course: Course) -> None:
        """Keeps where a search arrived, unless that is kept."""
        evaluations = int(course.arrived.state.evaluations)
        if evaluations == self._newest:
            return
        began = time.monotonic()
        with disk("making", self.folder / STATES):
            (self.folder / STATES).mkdir(exist_ok=True)
        path = self.folder / STATES / f"{evaluations:015d}.npz"
        tally.write(path, course.search.tally)
        states.write(path, course.arrived)
        self._newest, self._at = evaluations, time.monotonic()
        self._cost = self._at - began
        self._thin()

    def close(self) -> None:
        """Stops writing."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _thin(self) -> None:
        """Every other of the older states goes, where they are too many or too large."""
        paths = list(self.all().values())
        if len(paths) > MOST_FILES or (len(paths) > 3 and sum(path.stat().st_size for path in paths) > MOST_BYTES):
            for path in paths[1:-2:2]:
                tally.remove(path)


def _told(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (*row["errors"], row["size"], row["solved_at"])
