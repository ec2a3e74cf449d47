"""What takes long is handed to the run's own process, so that it goes on whatever becomes of who asked."""

from __future__ import annotations

from collections.abc import Sequence

from ontogeny.steer.command import Command, Preview
from ontogeny.steer.commands.places import Fork
from ontogeny.steer.live.launch import start
from ontogeny.steer.session import Session

LONG = 20.0
"""Seconds from which on a command is handed over."""
MANY = 200
"""Steps from which on it is, where no record tells yet what a step takes."""


def takes_long(foretold: Preview) -> bool:
    """Whether a command that changes a run is to be done by the run's own process."""
    if not foretold.changes:
        return False
    return foretold.steps > MANY if foretold.seconds is None else foretold.seconds > LONG


def hand_over(session: Session, command: Command, words: Sequence[str] = ()) -> Command:
    """Makes the run live, forked first where the session stands in its past; what to take there in the command's place.

    `words` are further words for `ontogeny live`. Raises OntogenyError where the process does not come up.
    """
    if session.in_past(command.run):
        session.do(Fork(run=command.run))
        command = command.model_copy(update={"run": ""})
    folder = session.native(command.run).folder
    session.let_go()
    start(folder, ["live", str(folder.resolve()), "--serve", "--paused", *words]).close()
    return command
