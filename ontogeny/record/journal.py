"""The journal of a run: everything that came from outside, in the order in which it came. It is the only truth.

An entry says at which step it applies: `at` = k means to the step from state k to state k + 1. Author and time are for
people; nothing is computed from them.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ontogeny.isa.errors import RecordError
from ontogeny.record import lines
from ontogeny.record.disk import sync_folder

NAME = "journal.jsonl"
RESERVED = ("kind", "at", "author", "time")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its kind, the step at which it applies, and the rest by name."""

    kind: str
    at: int
    content: Mapping[str, Any] = field(default_factory=dict)
    author: str = "you"
    time: float = 0.0

    def __getitem__(self, name: str) -> Any:
        return self.content[name]

    def as_line(self) -> dict[str, Any]:
        """The entry as one flat mapping."""
        if clash := [name for name in RESERVED if name in self.content]:
            raise RecordError(f"an entry's content may not be called {', '.join(clash)}")
        return {"kind": self.kind, "at": self.at, **self.content, "author": self.author, "time": self.time}

    @staticmethod
    def of_line(line: Mapping[str, Any]) -> Entry:
        """The entry that `as_line` wrote."""
        content = {name: value for name, value in line.items() if name not in RESERVED}
        return Entry(line["kind"], line["at"], content, line["author"], line["time"])


def stamped(kind: str, at: int, author: str, **content: Any) -> Entry:
    """A new entry with the present time."""
    return Entry(kind, at, content, author, round(time.time(), 3))


class Journal:
    """The entries of one run's own file, read without a lock; `append` needs `open_for_writing` first."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._file: lines.Appender | None = None
        self.reload()

    def reload(self) -> None:
        """Reads the file again."""
        reading = lines.read(self.path)
        self.entries = [Entry.of_line(content) for content in reading.contents]
        self.ends = list(reading.ends)
        self.torn = reading.torn
        self.damaged = reading.damaged

    def open_for_writing(self) -> None:
        """Cuts a torn tail and gets ready to append. Raises RecordError for a damaged journal, which is left alone."""
        if self.damaged is not None:
            raise RecordError(
                f"line {self.damaged} of {self.path} is damaged, so this run cannot go on; "
                f"what stands before it can be read, and forked into a new run"
            )
        self._file = lines.Appender(self.path, self.ends[-1] if self.ends else 0)

    def append(self, *entries: Entry) -> None:
        """Adds entries durably: when this returns they are on the disk; when it raises none of them is."""
        if self._file is None:
            raise RecordError(f"{self.path} was not opened for writing")
        try:
            sizes = [self._file.add(entry.as_line()) for entry in entries]
            self._file.flush(sync=True)
        except ValueError as error:
            self._file.take_back()
            raise RecordError(f"an entry cannot be written as JSON: {error}") from error
        except BaseException:  # none of several is there, whatever stopped it
            self._file.take_back()
            raise
        if not self.entries:
            sync_folder(self.path.parent)
        self.entries += entries
        for size in sizes:
            self.ends.append((self.ends[-1] if self.ends else 0) + size)

    def prefix_hash(self, count: int) -> str:
        """SHA-256 of the first `count` lines, by which a fork proves that its parent is still the same."""
        size = self.ends[count - 1] if count else 0
        with self.path.open("rb") as file:
            return hashlib.sha256(file.read(size)).hexdigest()

    def close(self) -> None:
        """Stops writing."""
        if self._file is not None:
            self._file.close()
            self._file = None
