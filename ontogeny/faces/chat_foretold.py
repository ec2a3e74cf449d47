"""What several commands would do, one after another, before the first of them is done.

A session that stands where this one does goes along: it moves where a command only moves, and changes nothing. What
comes after a change is foretold as if that change were done, as far as it can be; where it cannot, the command itself
is told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

from ontogeny.isa.errors import OntogenyError
from ontogeny.steer import costs
from ontogeny.steer.command import Command, Effect, Preview
from ontogeny.steer.session import Session

FORKS = re.compile(r"^fork (\S+) at step \d+ and (there )?")
SAID_OF = r"(^|\b(?:of|take|put|fork) ){}(?![\w-]|\.\w)"
"""Where a preview says which run it is about."""
FORKING = ("fork", "rule", "freeze", "unfreeze")


@dataclass(frozen=True, slots=True)
class Foretold:
    """What one of several commands would do."""

    text: str
    steps: int = 0
    seconds: float | None = None
    remarks: tuple[str, ...] = ()


def foretold(session: Session, commands: Sequence[Command]) -> list[Foretold]:
    """What each would do. Raises OntogenyError where one cannot be done whatever the ones before it change."""
    ahead = copy(session)
    ahead.done = list(session.done)
    told: list[Foretold] = []
    changed = forked = False
    for command in commands:
        try:
            told.append(_one(ahead, command, forked))
        except OntogenyError:
            if not changed:
                raise
            told.append(Foretold(f"{command.says()}, which can be said in full once the above is done"))
        forked = forked or command.NAME in FORKING or (command.EFFECT.confirmed and _past(ahead))
        changed = changed or command.EFFECT.confirmed
        _along(ahead, command, changed)
    return told


def _one(ahead: Session, command: Command, forked: bool) -> Foretold:
    preview: Preview = ahead.foretell(command)
    text = _on_the_fork(preview.text, "" if command.run else ahead.position.folder.name) if forked else preview.text
    seconds = preview.seconds
    if seconds is None and preview.steps:
        seconds = costs.seconds(ahead.recording(), preview.steps)
    return Foretold(text, preview.steps, seconds, preview.remarks)


def _on_the_fork(text: str, name: str) -> str:
    """What is said of a run, by its name, as it will be of the fork that is made of it first."""
    what = FORKS.sub("", text)
    told = re.sub(SAID_OF.format(re.escape(name)), r"\1the fork", what) if name else text
    if "the fork" in told:
        return told
    return f"on the fork {what}" if name and what != text else f"{text}, as seen from before the fork"


def _past(session: Session) -> bool:
    try:
        return session.in_past()
    except OntogenyError:
        return False


def _along(ahead: Session, command: Command, changed: bool) -> None:
    """Where the session would stand after a command that only moves. A live run's own process is not moved."""
    if command.EFFECT is not Effect.MOVES or changed or ahead._hosted(command) is not None:
        return
    try:
        command.act(ahead)
    except OntogenyError:
        return
