"""The autopilot's reasoning as lines of the given run's journal: what it saw, tried, kept and discarded, why, and cost.

A line also keeps what was worked out at it, under a key. An autopilot that is started again after it was interrupted
goes through the same reasoning and finds there, and in the forks, what has been done already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ontogeny.isa.errors import RecordError
from ontogeny.record.journal import Entry
from ontogeny.record.lock import LockedError, patiently
from ontogeny.record.run import Run

KIND = "autopilot"
AUTHOR = "autopilot"
BEGAN, ENDED = "began", "ended"
PATIENCE = 10.0
"""Seconds that a line waits for another process to let the run's journal go: a command holds it about a second."""
Told = Callable[[str], object]


class Overruled(Exception):
    """A person has commanded the run; the message says who, and what."""


class Log:
    """The lines of one flight in a run's journal; `told` hears each new one but the last, which is the report."""

    def __init__(self, run: Run, settings: Mapping[str, Any], told: Told = lambda text: None) -> None:
        self.run, self.settings, self.told = run, dict(settings), told
        self.lines: list[dict[str, Any]] = []
        self._known = {line["key"]: line for line in unfinished(run, self.settings)}
        self.resumed = bool(self._known)

    def known(self, key: str) -> dict[str, Any] | None:
        """What an earlier start wrote under a key."""
        return self._known.get(key)

    def note(self, key: str, text: str, **content: Any) -> dict[str, Any]:
        """Writes a line, unless an earlier start has written it; either way what it says.

        Raises Overruled where another process writes the run, and goes on to.
        """
        line = self._known.get(key)
        if line is None:
            line = {"key": key, "text": text, **content}
            self._write(key, text, content)
            if key != ENDED:
                self.told(text)
        self.lines.append(line)
        return line

    def _write(self, key: str, text: str, content: dict[str, Any]) -> None:
        try:
            patiently(lambda: self.run.note(KIND, author=AUTHOR, key=key, text=text, about=content), PATIENCE)
        except LockedError as error:
            raise Overruled(f"somebody else goes on with the run: {error}") from error
        finally:
            self.run.close()


def unfinished(run: Run, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The lines of the last flight with these settings, where it has not ended and all its forks are still there."""
    own = [{"key": one["key"], "text": one["text"], **one["about"]} for one in flights(run)]
    starts = [place for place, line in enumerate(own) if line["key"] == BEGAN]
    if not starts or own[starts[-1]]["settings"] != settings:
        return []
    last = own[starts[-1] :]
    gone = any(line.get("run") and not (run.folder.parent / line["run"]).is_dir() for line in last)
    return [] if gone or any(line["key"] == ENDED for line in last) else last


def flights(run: Run) -> list[Entry]:
    """The lines that autopilots wrote into a run's own journal."""
    return [entry for entry in run.own_entries if entry.kind == KIND]


def writable(run: Run) -> bool:
    """Whether its journal can be written here, or another process goes on with the run."""
    try:
        run._write()
    except RecordError:
        return False
    run.close()
    return True
