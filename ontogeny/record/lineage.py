"""A run and the runs that it was forked from, as one history.

A root's journal begins with an entry `start`; a fork's with an entry `fork` that names its parent's folder (relative to
its own), identity, and how many of its lines count, with their hash. A history is a list of sections, each a folder
that holds the record of some stretch of steps; keyframes, hashes and metrics are looked up where they are.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ontogeny.isa.errors import RecordError
from ontogeny.record.journal import Entry, Journal

START = "start"
FORK = "fork"
MOST_ANCESTORS = 1000


@dataclass(frozen=True, slots=True)
class Section:
    """The record in `folder` of the states after `first`, up to `last` (None: to the end)."""

    folder: Path
    first: int
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Lineage:
    """All that a run's journals say: its root's first entry, the entries that count for it, and its sections."""

    start: Entry
    entries: tuple[Entry, ...]
    sections: tuple[Section, ...]

    @property
    def base(self) -> int:
        """The step at which this run's own record begins."""
        return self.sections[-1].first

    @property
    def root(self) -> Path:
        """The folder that holds the program and the data."""
        return self.sections[0].folder


def trace(folder: Path, journal: Journal, count: int | None = None, depth: int = 0) -> Lineage:
    """The history that ends in `folder`, of which the first `count` lines count (None: all).

    Raises RecordError where a parent is missing, is another run, or has changed before the fork.
    """
    entries = journal.entries[:count]
    if not entries:
        raise RecordError(_no_run(folder, journal))
    first = entries[0]
    if first.kind == START:
        return Lineage(first, tuple(entries), (Section(folder, 0),))
    if first.kind != FORK or depth > MOST_ANCESTORS:
        raise RecordError(f"{journal.path} begins with {first.kind!r}; {START!r} or {FORK!r} was expected")
    return extended(_parent(folder, first, depth), first, entries, folder)


def extended(parent: Lineage, fork: Entry, entries: Sequence[Entry], folder: Path) -> Lineage:
    """The history of a fork, from its parent's and its own entries."""
    inherited = tuple(entry for entry in parent.entries if entry.at <= fork.at)
    sections = [section for section in parent.sections if section.first < fork.at] or [parent.sections[0]]
    sections[-1] = Section(sections[-1].folder, sections[-1].first, fork.at)
    return Lineage(parent.start, (*inherited, *entries), (*sections, Section(folder, fork.at)))


def _parent(folder: Path, fork: Entry, depth: int) -> Lineage:
    path = Path(os.path.normpath(folder / fork["parent"]))
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
