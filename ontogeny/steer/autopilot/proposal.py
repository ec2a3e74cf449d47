"""What is proposed: commands for a fork of a run, where the fork is made, and why. Whoever proposes is a `Proposer`.

A proposal is data and does nothing. The autopilot tries it like any other and keeps it only where that bears it out,
so that a proposer, such as a language model, needs no trust.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ontogeny.ask.finding import Finding
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.run import Run
from ontogeny.steer.command import Command
from ontogeny.steer.commands.dials import Set
from ontogeny.steer.commands.examples import LearnAgain, LeaveOut, Mix, StopLearning
from ontogeny.steer.commands.rules import Freeze, Rule, Unfreeze
from ontogeny.steer.commands.tensors import Alter

KINDS: Mapping[str, type[Command]] = {
    kind.NAME: kind for kind in (Set, Rule, Freeze, Unfreeze, Alter, LeaveOut, LearnAgain, Mix, StopLearning)
}
"""The commands that may be tried. None of them reads a file or names another run."""
TOPICS = {"data": (LeaveOut, LearnAgain, Mix, StopLearning), "rule": (Rule, Freeze, Unfreeze), "parameters": (Alter,)}
"""What can be forbidden in one word, beside a command by its name and a dial by its."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Commands for a fork at the step `at` (None: where the run stands), in words, and the reason."""

    words: str
    commands: tuple[Command, ...] = ()
    at: int | None = None
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        given = [{"command": one.NAME, **one.given()} for one in self.commands]
        return {"words": self.words, "commands": given, "at": self.at, "reason": self.reason}

    @staticmethod
    def of(content: Mapping[str, Any]) -> Proposal:
        """The proposal that `as_json` wrote."""
        commands = tuple(made(one) for one in content["commands"])
        return Proposal(content["words"], commands, content["at"], content["reason"])


UNCHANGED = Proposal("go on unchanged", reason="what the others are compared with")


@dataclass(frozen=True)
class Situation:
    """What a proposer is told: the run as the search sees it, the step it stands at, what was found and tried.

    `horizon`: the steps that it is to take yet; `plateau`: its held-out score no longer gets better.
    """

    run: Run
    step: int
    findings: tuple[Finding, ...]
    horizon: int = 0
    tried: tuple[str, ...] = ()
    plateau: bool = False
    goal: str = ""


class Proposer(Protocol):
    """Proposes what may help; never does anything itself."""

    name: str

    def propose(self, situation: Situation) -> Sequence[Proposal]:
        """What to try, the most promising first."""


def made(content: Mapping[str, Any]) -> Command:
    """A command that may be tried, from its name and arguments. Raises OntogenyError for any other."""
    name = str(content.get("command", "")).replace("_", "-")
    if name not in KINDS:
        raise OntogenyError(f"{name!r} is nothing that a fork is tried with; there are {', '.join(KINDS)}")
    arguments = {key: value for key, value in content.items() if key != "command"}
    try:
        return KINDS[name].model_validate(arguments)
    except ValueError as error:
        raise OntogenyError(f"{name} cannot be given {arguments}: {error}") from error


def allowed(proposals: Iterable[Proposal], never: Sequence[str]) -> list[Proposal]:
    """The proposals without what is forbidden: topics (data, rule, parameters), commands or dials by name."""
    return [one for one in proposals if not any(_forbidden(command, never) for command in one.commands)]


def check_never(never: Sequence[str], run: Run) -> None:
    """Raises OntogenyError for a word that forbids nothing."""
    known = [*TOPICS, *KINDS, *run.dials()]
    if unknown := [word for word in never if word not in known]:
        raise OntogenyError(f"{unknown[0]!r} is nothing that could be forbidden; there are {', '.join(known)}")


def _forbidden(command: Command, never: Sequence[str]) -> bool:
    topics = [topic for topic, kinds in TOPICS.items() if isinstance(command, kinds)]
    dial = [command.dial] if isinstance(command, Set) else []
    return any(word in never for word in (command.NAME, *topics, *dial))
