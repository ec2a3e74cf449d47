"""The autopilot's reasoning as lines of the given run's journal: what it saw, tried, kept and discarded, why, and cost.

A line also keeps what was worked out at it, under a key. An autopilot that is started again after it was interrupted
goes through the same reasoning and finds there, and in the forks, what has been done already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ontogeny.isa.errors import RecordError
from ontogeny.record.journal import Entry
from ontogeny.record.run import Run

KIND = "autopilot"
AUTHOR = "autopilot"
BEGAN, ENDED = "began", "ended"
Told = Callable[[str], object]


class Log:
    """The lines of one flight in a run's journal; `told` hears each new one."""

    def __init__(self, run: Run, settings: Mapping[str, Any], told: Told = lambda text: None) -> None:
        self.run, self.settings, self.told = run, dict(settings), told
        self.lines: list[dict[str, Any]] = []
        self._known = {line["key"]: line for line in unfinished(run, self.settings)}
        self.resumed = bool(self._known)

    def known(self, key: str) -> dict[str, Any] | None:
        """What an earlier start wrote under a key."""
        return self._known.get(key)

    def note(self, key: str, text: str, **content: Any) -> dict[str, Any]:
        """Writes a line, unless an earlier start has written it; either way what it says."""
        line = self._known.get(key)
        if line is None:
            line = {"key": key, "text": text, **content}
            try:
                self.run.note(KIND, author=AUTHOR, key=key, text=text, about=content)
            finally:
                self.run.close()
            self.told(text)
        self.lines.append(line)
        return line


def unfinished(run: Run, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The lines of the last flight with these settings, where it has not ended."""
    own = [{"key": one["key"], "text": one["text"], **one["about"]} for one in flights(run)]
    starts = [place for place, line in enumerate(own) if line["key"] == BEGAN]
    if not starts or own[starts[-1]]["settings"] != settings:
        return []
    last = own[starts[-1] :]
    return [] if any(line["key"] == ENDED for line in last) else last


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
