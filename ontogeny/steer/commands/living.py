"""Pausing, resuming and ending a live run."""

from __future__ import annotations

from typing import ClassVar

from ontogeny.isa.errors import OntogenyError
from ontogeny.isa.hints import typed
from ontogeny.steer.command import Command, Effect, Heading, Outcome, Preview
from ontogeny.steer.session import Session


class Pause(Command):
    """A live run stops after the present step, and waits."""

    NAME: ClassVar[str] = "pause"
    MEANING: ClassVar[str] = "Let a live run wait after the present step."
    EFFECT: ClassVar[Effect] = Effect.MOVES
    HEADING: ClassVar[Heading] = Heading.GOING

    def foretell(self, session: Session) -> Preview:
        """Which run waits."""
        _alive(session, self.run)
        return Preview(text=f"pause {session.position.folder.name}", effect=self.EFFECT)

    def act(self, session: Session) -> Outcome:
        """Waits."""
        _alive(session, self.run)
        session.pause()
        return Outcome(text=f"{session.position.folder.name} waits at step {session.step()}")


class Resume(Command):
    """A live run goes on towards its last goal, or without end."""

    NAME: ClassVar[str] = "resume"
    MEANING: ClassVar[str] = "Let a live run go on, until it is paused or has reached what it was sent for."
    EFFECT: ClassVar[Effect] = Effect.CHANGES
    HEADING: ClassVar[Heading] = Heading.GOING

    def foretell(self, session: Session) -> Preview:
        """From where it goes on."""
        _alive(session, self.run)
        fork = "fork it there and " if session.in_past() else ""
        text = f"{fork}let {session.position.folder.name} go on from step {session.step()}"
        return Preview(text=text, effect=self.EFFECT)

    def act(self, session: Session) -> Outcome:
        """Goes on."""
        _alive(session, self.run)
        session.resume()
        return Outcome(text=f"{session.position.folder.name} goes on from step {session.step()}")


class End(Command):
    """A live run's process ends; the run stays, and can go on at any time."""

    NAME: ClassVar[str] = "stop"
    MEANING: ClassVar[str] = "End the process of a live run; the run itself stays as far as it came."
    EFFECT: ClassVar[Effect] = Effect.MOVES
    HEADING: ClassVar[Heading] = Heading.GOING

    def foretell(self, session: Session) -> Preview:
        """Which process ends."""
        _alive(session, self.run)
        return Preview(text=f"end the process of {session.position.folder.name}", effect=self.EFFECT)

    def act(self, session: Session) -> Outcome:
        """Ends it."""
        _alive(session, self.run)
        session.end()
        return Outcome(text=f"{session.position.folder.name} stays at step {session.step()}, and is live no more")


class NotLiveError(OntogenyError):
    """What only a live run can be told was told to a stored one."""


def _alive(session: Session, name: str) -> None:
    if not session.live:
        run = session.recording(name).folder.name
        raise NotLiveError(f"{run} is not live, so it waits already; `{typed('live', run)}` lets it go on")
