"""Forks: a folder with one journal, whose first line says what it shares with its parent. Nothing is copied."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from ontogeny.isa.errors import RecordError
from ontogeny.record.disk import disk
from ontogeny.record.history import History
from ontogeny.record.journal import NAME, Journal, stamped
from ontogeny.record.lineage import FORK
from ontogeny.record.lock import Lock
from ontogeny.record.schedule import DIAL, EFFECTIVE


def write_fork(
    parent: Path,
    journal: Journal,
    history: History,
    step: int,
    folder: Path,
    dials: Mapping[str, float],
    author: str,
    lines: int | None = None,
) -> None:
    """Writes the journal of a fork at `step` of the run in `parent`, of whose journal the first `lines` lines count."""
    count = len(journal.entries) if lines is None else lines
    _check_lines(journal, count, step)
    hash_row = history.hash_row(step)
    fork = stamped(
        FORK,
        step,
        author,
        id=uuid.uuid4().hex,
        parent=os.path.relpath(parent.resolve(), folder.resolve()),
        parent_id=journal.entries[0]["id"],
        parent_hash=journal.prefix_hash(count),
        lines=count,
        hash=hash_row.hex() if hash_row else "",
    )
    with disk("making", folder):
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / NAME).exists() and (folder / NAME).stat().st_size:
            raise RecordError(f"{folder} already holds a run; choose another folder for the fork")
    for found, part in islice(history.keyframes(step), 1):
        part.keyframes.hold(found)
    lock = Lock(folder)
    try:
        own = Journal(folder)
        own.open_for_writing()
        own.append(fork, *(stamped(DIAL, step, author, name=name, value=value) for name, value in dials.items()))
        own.close()
    finally:
        lock.release()


def _check_lines(journal: Journal, count: int, step: int) -> None:
    if not 1 <= count <= len(journal.entries):
        raise RecordError(f"lines={count}: the journal has 1 to {len(journal.entries)} lines")
    if early := [entry for entry in journal.entries[count:] if entry.kind in EFFECTIVE and entry.at < step]:
        raise RecordError(f"an entry at step {early[0].at} is not undone by a fork at step {step}; fork there instead")
