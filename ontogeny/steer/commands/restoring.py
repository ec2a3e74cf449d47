"""Taking back what no step depends on, by its line in a journal: keeping, marks, and runs that were made."""

from __future__ import annotations

from contextlib import suppress
from typing import ClassVar

from ontogeny.isa.errors import OntogenyError
from ontogeny.record.journal import Entry
from ontogeny.record.run import Run
from ontogeny.record.schedule import EFFECTIVE
from ontogeny.steer.command import Command
from ontogeny.steer.commands.examples import Forget
from ontogeny.steer.commands.going import Again
from ontogeny.steer.commands.places import KEEP, Discard, Fork, Keep, Mark, kept_by
from ontogeny.steer.places import MARK, marks
from ontogeny.steer.session import Session

MAKING = (Fork.NAME, Again.NAME, Forget.NAME)
"""Commands that make a run, and nothing else."""


class MarkAgain(Mark):
    """A name for the step that had it before, wherever the session stands."""

    NAME: ClassVar[str] = Mark.NAME

    at: int

    def where(self, session: Session) -> int:
        """The step that had it."""
        return self.at


def restoring(session: Session, run: Run, line: Entry) -> Command | None:
    """What writes back what stood before the command of a line in a run's own journal, whatever has come after.

    None where only standing before it takes it back, and for a run that was made and then went on, or must stay.
    """
    name, own = run.folder.name, run.own_entries
    earlier = own[: own.index(line)]
    if line["command"] == Keep.NAME:
        return Keep(run=name, off=not kept_by(earlier[: _last(earlier, KEEP)]))
    if line["command"] == Mark.NAME:
        called = line["arguments"]["name"]
        step = marks(run, own[_last(earlier, MARK) :]).get(called)
        return Mark(run=name, name=called, off=True) if step is None else MarkAgain(run=name, name=called, at=step)
    if line["command"] in MAKING and not _went_on(run, line):
        away = Discard(run=name)
        with suppress(OntogenyError):  # it is kept, or others hang on it
            away.foretell(session)
            return away
    return None


def _last(entries: tuple[Entry, ...], kind: str) -> int:
    """Where the last entry of a kind stands."""
    return max(number for number, entry in enumerate(entries) if entry.kind == kind)


def _went_on(run: Run, line: Entry) -> bool:
    own = run.own_entries
    return run.step > line.at or any(entry.kind in EFFECTIVE for entry in own[own.index(line) :])
