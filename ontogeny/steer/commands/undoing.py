"""What was done, and taking it back."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.command import Asking, Command, Effect, Heading, Outcome, Preview
from ontogeny.steer.session import Done, Position, Session, before_of, commands_of


class Undo(Command):
    """The last command is taken back: in place where nothing came after it, else by standing before it."""

    NAME: ClassVar[str] = "undo"
    MEANING: ClassVar[str] = "Take the last command back. What was recorded stays; the run goes on from before it."
    EFFECT: ClassVar[Effect] = Effect.CHANGES
    HEADING: ClassVar[Heading] = Heading.RECORD

    def foretell(self, session: Session) -> Preview:
        """Which command, and where the session will stand."""
        done = last_done(session)
        if done is not None:
            inverse = _in_place(session, done)
            how = inverse.foretell(session).text if inverse else f"stand {_standing(done.before)}"
            effect = self.EFFECT if inverse else Effect.MOVES
            return Preview(text=f"take back {done.command.says()!r}: {how}", effect=effect)
        before = _from_journal(session)
        return Preview(text=f"stand {_standing(before)}, before the last command", effect=Effect.MOVES)

    def act(self, session: Session) -> Outcome:
        """Takes it back."""
        done = last_done(session)
        before = done.before if done else _from_journal(session)
        inverse = _in_place(session, done) if done else None
        if inverse is not None:
            text = inverse.act(session).text
            if session.position.folder.resolve() != before.folder.resolve():
                session.move(before.folder, before.step, before.lines)
        else:
            session.move(before.folder, before.step, before.lines)
            text = _standing(before)
        if done is not None:
            session.done.remove(done)
        return Outcome(text=f"taken back{f' {done.command.NAME}' if done else ''}: {text}", step=session.step())


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


def last_done(session: Session) -> Done | None:
    """The last command of this session that was not taken back."""
    return next((done for done in reversed(session.done) if not isinstance(done.command, Undo)), None)


def _in_place(session: Session, done: Done) -> Command | None:
    """The command that takes another back where it stands, as long as nothing has come after it."""
    if session.rest() != done.after or session.in_past():
        return None
    return done.command.inverse(session, done)


def _from_journal(session: Session) -> Position:
    """Where the last command of the run's journal, of any session, was given from."""
    run = session.native()
    taken_back = 0
    for entry in reversed(commands_of(run)):
        if entry["command"] == Undo.NAME:
            taken_back += 1
        elif taken_back:
            taken_back -= 1
        else:
            return before_of(session, entry["before"])
    raise OntogenyError(f"{run.folder.name} has been given no command that could be taken back")


def _standing(position: Position) -> str:
    return f"at step {position.step} of {position.folder.name}"
