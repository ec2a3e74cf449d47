"""A run and the runs that it was forked from, as one history.

A root's journal begins with an entry `start`; a fork's with an entry `fork` that names its parent's folder (relative to
its own), identity, and how many of its lines count, with their hash. A history is a list of sections, each a folder
that holds the record of some stretch of steps; keyframes, hashes and metrics are looked up where they are.

A fork may go by another program than its parent: its first entry names one. Then the sections begin with it, and what
came earlier is the lineage `before`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ontogeny.isa.errors import OntogenyError, RecordError
from ontogeny.record.journal import Entry, Journal
from ontogeny.record.schedule import Schedule

START = "start"
FORK = "fork"
PROGRAM = "program"
MOST_ANCESTORS = 1000


@dataclass(frozen=True, slots=True)
class Section:
    """The record in `folder` of the states after `first`, up to `last` (None: to the end)."""

    folder: Path
    first: int
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Lineage:
    """All that a run's journals say: its root's first entry, the entries that count for it, and its sections.

    `origin` is the entry that its program began with: the root's first one, or that of the fork which changed the
    program last, whose folder the sections begin with. `before` is what that was forked from, up to there. `folders`
    are those of all that it was forked from, the root's first, and its own.
    """

    start: Entry
    origin: Entry
    entries: tuple[Entry, ...]
    sections: tuple[Section, ...]
    folders: tuple[Path, ...]
    before: Lineage | None = None

    @property
    def base(self) -> int:
        """The step at which this run's own record begins."""
        return self.sections[-1].first

    @property
    def root(self) -> Path:
        """The folder that holds the data."""
        return self.before.root if self.before else self.home

    @property
    def home(self) -> Path:
        """The folder that holds the program."""
        return self.sections[0].folder

    @property
    def path(self) -> tuple[Section, ...]:
        """All sections from the root on, also those by earlier programs."""
        return (*(self.before.path if self.before else ()), *self.sections)

    def schedule(self, entries: Sequence[Entry] | None = None) -> Schedule:
        """What the entries, or others in their place, mean for the steps by the present program."""
        own = self.since(self.entries if entries is None else entries)
        return Schedule(self.origin["dials"], own, self.before.schedule() if self.before else None, self.origin.at)

    def since(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Those of the entries that came once the present program had begun."""
        return entries[entries.index(self.origin) :] if self.origin in entries else entries

    def upto(self, step: int) -> Lineage:
        """The same as far as a step that its program has come to."""
        sections = [section for section in self.sections if section.first < step] or [self.sections[0]]
        sections[-1] = replace(sections[-1], last=step)
        entries = tuple(entry for entry in self.entries if entry.at <= step)
        return replace(self, entries=entries, sections=tuple(sections))


def trace(folder: Path, journal: Journal, count: int | None = None, depth: int = 0) -> Lineage:
    """The history that ends in `folder`, of which the first `count` lines count (None: all).

    Raises RecordError where a parent is missing, is another run, or has changed before the fork.
    """
    entries = journal.entries[:count]
    if not entries:
        raise RecordError(_no_run(folder, journal))
    first = entries[0]
    if first.kind == START:
        return Lineage(first, first, tuple(entries), (Section(folder, 0),), (folder,))
    if first.kind != FORK or depth > MOST_ANCESTORS:
        raise RecordError(f"{journal.path} begins with {first.kind!r}; {START!r} or {FORK!r} was expected")
    parent = _parent(folder, first, depth)
    if first.at < parent.origin.at:
        raise RecordError(f"{journal.path} begins at step {first.at}, before the program of its parent; it was changed")
    return extended(parent, first, entries, folder)


def extended(parent: Lineage, fork: Entry, entries: Sequence[Entry], folder: Path) -> Lineage:
    """The history of a fork, from its parent's and its own entries."""
    before, own = parent.upto(fork.at), Section(folder, fork.at)
    all_entries, folders = (*before.entries, *entries), (*parent.folders, folder)
    if PROGRAM in fork.content:
        return Lineage(parent.start, fork, all_entries, (own,), folders, before)
    return replace(before, entries=all_entries, sections=(*before.sections, own), folders=folders)


def parent_of(folder: Path, fork: Entry) -> Path:
    """The folder that a fork in `folder` was forked from."""
    return Path(os.path.normpath(folder / fork["parent"]))


def forked_from(folder: Path, entries: Sequence[Entry]) -> Path | None:
    """The folder of the run that the one in `folder` was forked from, by its own entries; None for a root.

    The record of a loop that is not ours, which was taken back to a step, names its parent alike.
    """
    named = bool(entries and entries[0].content.get("parent"))
    return parent_of(folder.resolve(), entries[0]) if named else None


def parent_folder(folder: Path) -> Path | None:
    """The same by the journal that lies there; None also where it cannot be read."""
    with suppress(OntogenyError):
        return forked_from(folder, Journal(folder).entries)
    return None


def _parent(folder: Path, fork: Entry, depth: int) -> Lineage:
    path = parent_of(folder, fork)
    if not path.is_dir():
        raise RecordError(f"{folder} was forked from {path}, which is not there; put its parent back where it was")
    journal = Journal(path)
    if len(journal.entries) < fork["lines"]:
        raise RecordError(f"{folder} was forked from {path}, whose journal has lost lines since{_where(journal)}")
    if journal.entries[0]["id"] != fork["parent_id"] or journal.prefix_hash(fork["lines"]) != fork["parent_hash"]:
        raise RecordError(f"{path} is not the run that {folder} was forked from, or its journal was changed since")
    return trace(path, journal, fork["lines"], depth + 1)


def _no_run(folder: Path, journal: Journal) -> str:
    if journal.damaged:
        return f"the first line of {journal.path} is damaged, and without it the run cannot be read"
    if journal.path.exists():
        return f"the run {folder} was never finished being created; delete the folder and create it again"
    return f"there is no run in {folder}; name a folder that holds {journal.path.name}, or create a run there"


def _where(journal: Journal) -> str:
    return f" (line {journal.damaged} is damaged)" if journal.damaged else ""
