"""Forks: a folder with one journal, whose first line says what it shares with its parent. Nothing is copied.

A fork by another program also has that program, and its first state. Killed midway it leaves a folder without a run,
which may be forked into again.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path

from ontogeny.data.base import Array
from ontogeny.isa.errors import RecordError
from ontogeny.isa.program import Program
from ontogeny.record.changing import Change, changed, check_batches
from ontogeny.record.disk import disk
from ontogeny.record.history import History
from ontogeny.record.journal import Entry, Journal, stamped
from ontogeny.record.lineage import FORK
from ontogeny.record.lock import Lock
from ontogeny.record.recorded import Recorded
from ontogeny.record.schedule import DIAL, EFFECTIVE


def write_fork(
    source: Recorded,
    step: int,
    folder: Path,
    dials: Mapping[str, float],
    author: str,
    lines: int | None = None,
    change: Change | None = None,
) -> None:
    """Writes the journal of a fork at `step` of a run of whose journal the first `lines` lines count.

    With a `change`, the fork goes by another program from there on.
    """
    journal, history = source._journal, source.history
    count = counted(source, step, lines)
    hash_row = history.hash_row(step)
    content = {
        "id": uuid.uuid4().hex,
        "parent": os.path.relpath(source.folder.resolve(), folder.resolve()),
        "parent_id": journal.entries[0]["id"],
        "parent_hash": journal.prefix_hash(count),
        "lines": count,
        "hash": hash_row.hex() if hash_row else "",
    }
    _claim(folder)
    for found, part in islice(history.keyframes(step), 1):
        part.keyframes.hold(found)
    lock = Lock(folder)
    try:
        _claim(folder)  # once more, since another process may have been quicker
        fork = stamped(FORK, step, author, **{**content, **(change.write(folder, step) if change else {})})
        own = Journal(folder)
        own.open_for_writing()
        own.append(fork, *(stamped(DIAL, step, author, name=name, value=value) for name, value in dials.items()))
        own.close()
    finally:
        lock.release()


def _claim(folder: Path) -> None:
    with disk("making", folder):
        folder.mkdir(parents=True, exist_ok=True)
    journal = Journal(folder)
    if journal.ends or journal.damaged:
        raise RecordError(f"{folder} already holds a run; choose another folder for the fork")


def change_of(
    source: Recorded,
    step: int,
    program: Program,
    dials: Mapping[str, float],
    values: Mapping[str, Array],
    lines: int | None = None,
) -> tuple[Recorded, Change]:
    """The run as far as the step at which a fork goes on by `program`, and the change. Raises as `changed` does."""
    former = until(source, step, lines)
    declared = {decl.name for decl in program.of("dial")}
    kept = {name: value for name, value in former.dials(step).items() if name in declared}
    check_batches(program, source.data, source.valid, source.start)
    state, seed = former._left(source.state(step)), source.start["seed"]
    return former, changed(former.program, state, program, {**kept, **dials}, values, seed)


def until(source: Recorded, step: int, lines: int | None = None) -> Recorded:
    """The run that a fork at a step would begin as: up to there, and with so many lines of its own journal.

    The step is one by the source's present program (`as_of`).
    """
    data, valid = source._materials()
    return Recorded(
        source.folder,
        data=data,
        valid=valid,
        seat=source._seat,
        program=source.program,
        upto=(step, counted(source, step, lines)),
        before=source.__dict__.get("before"),
    )


def ahead(run: Recorded, steps: int, entries: Sequence[Entry]) -> Recorded:
    """What a copy of a run (`until`) will be once such entries are made and so many more steps taken.

    It tells steps, dials and batches, and has no values after those that are recorded.
    """
    last = run.step + steps
    run._lineage = replace(run._lineage.upto(last), entries=(*run.entries, *entries))
    run._schedule = run._lineage.schedule()
    run.history.own.last = last
    return run


def hold_first(history: History) -> None:
    """Writes the first state after a change of the program again where it is lost from the run's own folder."""
    own = history.own
    if history.before is not None and own.first == history.first and own.first not in own.keyframes.steps():
        with suppress(RecordError):  # later keyframes may be there to go on from
            own.keyframes.write(own.first, history.made_again(), history.hash_row(own.first) or b"", sync=True)
            own.keyframes.hold(own.first)


def counted(source: Recorded, step: int, lines: int | None = None) -> int:
    """How many lines of the run's journal count for a fork at a step."""
    journal, whole = source._journal, source._upto[1] if source._upto else len(source._journal.entries)
    count = whole if lines is None else lines
    if not 1 <= count <= len(journal.entries):
        raise RecordError(f"lines={count}: the journal has 1 to {len(journal.entries)} lines")
    if early := [entry for entry in journal.entries[count:] if entry.kind in EFFECTIVE and entry.at < step]:
        raise RecordError(f"an entry at step {early[0].at} is not undone by a fork at step {step}; fork there instead")
    return count
