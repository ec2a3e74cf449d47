"""What was done, and taking it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from ontogeny.isa.errors import OntogenyError
from ontogeny.isa.hints import typed
from ontogeny.record.journal import Entry
from ontogeny.record.run import Run
from ontogeny.record.runs_folder import is_run
from ontogeny.steer.command import Asking, Command, Effect, Heading, Outcome, Preview
from ontogeny.steer.commands.places import Discard, TakeBack
from ontogeny.steer.commands.restoring import MAKING, restoring
from ontogeny.steer.session import COMMAND, TAKEN_BACK, Done, Position, Session, before_of, commands_of

OF = "of"
"""The run whose command was taken back, among the figures of what came of it."""


class Undo(Command):
    """The last command is taken back: in place where nothing came after it, else by standing before it."""

    NAME: ClassVar[str] = "undo"
    MEANING: ClassVar[str] = "Take the last command back. What was recorded stays; the run goes on from before it."
    EFFECT: ClassVar[Effect] = Effect.CHANGES
    HEADING: ClassVar[Heading] = Heading.RECORD

    def foretell(self, session: Session) -> Preview:
        """Which command, and where the session will stand."""
        taken = last_taken(session, self.run)
        inverse = _in_place(session, taken)
        how = inverse.foretell(session).text if inverse else f"stand {_standing(taken.before(session))}"
        past = "" if inverse else "; what is changed next, where that is in the past, is changed on a fork made there"
        stays = "" if inverse else _staying(session, taken)
        effect = self.EFFECT if inverse or taken.changed else Effect.MOVES
        return Preview(text=f"take back {taken.says!r}: {how}{stays}{past}", effect=effect)

    def act(self, session: Session) -> Outcome:
        """Takes it back."""
        taken = last_taken(session, self.run)
        inverse = _in_place(session, taken)
        stays = "" if inverse else _staying(session, taken)
        if isinstance(inverse, Discard):  # what is put away is not stood at, so that a live process does not end by it
            _stand(session, taken.before(session))
        text = inverse.act(session).text if inverse else ""
        before = taken.before(session)
        if inverse is None or session.position.folder.resolve() != before.folder.resolve():
            _stand(session, before)
        if taken.done is not None:
            session.done.remove(taken.done)
        figures = {TAKEN_BACK: taken.id if taken.changed else "", OF: taken.of}
        said = text or f"{_standing(before)}{stays}"
        return Outcome(text=f"taken back {taken.says!r}: {said}", figures=figures)

    def about(self, before: Position, outcome: Outcome) -> str:
        """The run that was named, or that it was given to: where the line of what is taken back stands."""
        return str(outcome.figures.get(OF) or before.folder.name)

    def noted(self, outcome: Outcome) -> bool:
        """Where what was taken back stands in a journal."""
        return bool(outcome.figures[TAKEN_BACK])


class History(Asking):
    """The commands that a run was given, in order."""

    NAME: ClassVar[str] = "history"
    MEANING: ClassVar[str] = "List what was done to a run: which command, when, by whom, and what came of it."
    HEADING: ClassVar[Heading] = Heading.RECORD

    last: Annotated[int, Field(ge=1, description="how many, the latest")] = 20

    def act(self, session: Session) -> Outcome:
        """Reads them off the journal."""
        run = session.recording(self.run)
        rows = [
            {"at": one.at, "author": one.author, "time": one.time, "command": one["command"], "text": one["text"]}
            for one in commands_of(run)[-self.last :]
        ]
        lines = [f"step {row['at']}, {row['author']}: {row['text']}" for row in rows]
        text = "\n".join(lines) or f"{run.folder.name} has been given no command yet"
        return Outcome(text=text, run=run.folder.name, step=run.step, figures={"commands": rows})


@dataclass(frozen=True, slots=True)
class Taken:
    """The command to be taken back: of this session, or the line of a journal that another one left."""

    says: str
    id: str
    changed: bool
    of: str = ""
    """The run that was named, whose last command it is; empty: the one that the session stands at."""
    done: Done | None = None
    line: Entry | None = None

    def before(self, session: Session) -> Position:
        """Where its session stood before it. Raises OntogenyError where that run is there no more."""
        if self.line is not None:
            return before_of(session, self.line["before"])
        assert self.done is not None
        if not is_run(self.done.before.folder):
            session.runs.find(self.done.before.folder.name)  # says what there is
        return self.done.before


def last_taken(session: Session, name: str = "") -> Taken:
    """The last command that was not taken back: of this session, or of the run's journal where this one gave none.

    With a `name`, the last of that run. Raises OntogenyError where there is none.
    """
    of = session.runs.find(name).name if name else ""
    mine = [done for done in session.done if not isinstance(done.command, Undo) and (not of or of in _about(done))]
    if mine:
        last = mine[-1]
        return Taken(last.command.says(), last.id, last.command.noted(last.outcome), of, done=last)
    run = session.native(of)
    lines = own_commands(run)
    gone = {entry.content.get(TAKEN_BACK) for entry in lines}
    for entry in reversed(lines):
        if entry["command"] != Undo.NAME and entry.content.get("id") not in gone:
            given = " ".join(f"{name}={value}" for name, value in entry["arguments"].items())
            return Taken(f"{entry['command']} {given}".strip(), entry.content.get("id", ""), True, of, line=entry)
    raise OntogenyError(_nothing(run))


def _about(done: Done) -> tuple[str, str]:
    """The runs that a command was about: the one that it led to, and the one whose journal has it."""
    return done.after.folder.name, done.command.about(done.before, done.outcome)


def _nothing(run: Run) -> str:
    """That a run has no command of its own to take back, and where there is one."""
    said = f"{run.folder.name} has been given no command of its own that could be taken back"
    if run.parent is None or len(commands_of(run)) == len(own_commands(run)):
        return said
    return f"{said}; `{typed('undo', run.parent.name)}` takes back the last one of the run that it comes from"


def _in_place(session: Session, taken: Taken) -> Command | None:
    """The command that takes another back where it stands, as long as nothing has come after it.

    A run that was put away is taken back whatever came after it.
    """
    if taken.line is not None and taken.line["command"] == Discard.NAME:
        return TakeBack(run=taken.line["before"]["run"])
    if taken.done is not None and isinstance(taken.done.command, Discard):
        return taken.done.command.inverse(session, taken.done)
    run, line = _written(session, taken)
    if run is not None and line is not None and (found := restoring(session, run, line)) is not None:
        return found
    if taken.done is None:
        return None
    if session.rest() != taken.done.after or session.in_past():
        return None
    return taken.done.command.inverse(session, taken.done)


def _written(session: Session, taken: Taken) -> tuple[Run | None, Entry | None]:
    """The run that a command was about, and its line there; None where either is not there any more."""
    done = taken.done
    name = taken.of if done is None else done.command.about(done.before, done.outcome)
    if name and not is_run(session.runs.root / name):
        return None, None
    run = session.native(name)
    return run, next((entry for entry in own_commands(run) if entry.content.get("id") == taken.id), None)


def _staying(session: Session, taken: Taken) -> str:
    """That a run which was made stays, where it does."""
    run, line = _written(session, taken)
    if run is None or line is None or line["command"] not in MAKING:
        return ""
    return f"; {run.folder.name} stays, and `{typed('discard', run.folder.name)}` puts it away"


def own_commands(run: Run) -> list[Entry]:
    """The lines of a run's own journal that say which commands it was given, without those that it inherited."""
    return [entry for entry in run.own_entries if entry.kind == COMMAND]


def _stand(session: Session, place: Position) -> None:
    session.move(place.folder, place.step, place.lines)


def _standing(position: Position) -> str:
    return f"at step {position.step} of {position.folder.name}"
