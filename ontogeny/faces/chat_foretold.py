"""What several commands would do, one after another, before the first of them is done.

A session that stands where this one does goes along (`steer/ahead.py`) and changes nothing. What comes after a change
is foretold as if that change were done, as far as it can be; where it cannot, the command itself is told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ontogeny.isa.errors import OntogenyError
from ontogeny.steer import costs
from ontogeny.steer.ahead import Ahead
from ontogeny.steer.command import Command, Preview
from ontogeny.steer.commands.living import NotLiveError
from ontogeny.steer.session import Session

FORKS = re.compile(r"^fork (\S+) at step \d+ and (there )?")
SAID_OF = r"(^|\b(?:of|take|put|fork) ){}(?![\w-]|\.\w)"
"""Where a preview says which run it is about."""


@dataclass(frozen=True, slots=True)
class Foretold:
    """What one of several commands would do."""

    text: str
    steps: int = 0
    seconds: float | None = None
    remarks: tuple[str, ...] = ()


def foretold(session: Session, commands: Sequence[Command]) -> list[Foretold]:
    """What each would do. Raises OntogenyError where one cannot be done whatever the ones before it change."""
    ahead = Ahead(session)
    told: list[Foretold] = []
    for command in commands:
        try:
            told.append(_one(ahead, command))
        except OntogenyError as error:
            if not ahead.changed or (isinstance(error, NotLiveError) and ahead.certain):
                raise
            told.append(Foretold(f"{command.says()}, which can be said in full once the above is done"))
        ahead.take(command)
    return told


def _one(ahead: Ahead, command: Command) -> Foretold:
    preview: Preview = ahead.foretell(command)
    text = preview.text
    if ahead.forked:
        text = _on_the_fork(text, "" if command.run else ahead.position.folder.name)
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
