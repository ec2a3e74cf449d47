"""What words mean: commands that are sure, or a question back with what could have been meant.

Whoever turns words into commands is a `Reader`: the phrases (`steer/phrases`) are one, a language model may be another.
A reading does nothing; a face previews it, asks, and gives it to a session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ontogeny.steer.command import Command
from ontogeny.steer.session import Session


@dataclass(frozen=True, slots=True)
class Alternative:
    """What could have been meant: words that would be sure, and the commands that they are."""

    words: str
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """The commands that words mean, in order. Where they are `unsure` there are none: it says what is to be said.

    An `answer` is what the reader says itself, beside the commands that it proposes or in their place. A change that is
    probable but not `sure` is shown and asked about even where changes are to be done unasked. What commands would take
    may be all that is asked: they are `supposed`, foretold and not done. And so may be what can be said: `help`. Words
    that name what the run does not have are `settled`: no other reading of them is taken.
    """

    commands: tuple[Command, ...] = ()
    unsure: str = ""
    alternatives: tuple[Alternative, ...] = ()
    answer: str = ""
    sure: bool = True
    supposed: tuple[Command, ...] = ()
    help: bool = False
    settled: bool = False

    @property
    def changes(self) -> bool:
        """Whether any of the commands changes a run."""
        return any(command.EFFECT.confirmed for command in self.commands)


class Reader(Protocol):
    """Turns what a person says into commands; never does anything itself."""

    def read(self, text: str, session: Session) -> Reading:
        """What the words mean, said to a session where it stands. Raises nothing for any text."""
        ...
