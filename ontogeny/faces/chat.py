"""The chat: words in, what they would do, a question where a run would be changed, and what came of it.

It decides nothing. Readers say what words mean (`steer/reading.py`), in turn until one is sure; a session foretells
and does it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from rich.console import Console
from rich.markup import escape

from ontogeny.faces.chat_foretold import Foretold, foretold
from ontogeny.faces.chat_help import help_about
from ontogeny.faces.plot import plot
from ontogeny.faces.progress import Busy, Live
from ontogeny.faces.terminal import SLOW, complain, explain, takes
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.run import Run
from ontogeny.steer.command import Command, Effect, Outcome
from ontogeny.steer.commands.going import Advance
from ontogeny.steer.live.troubles import unexpected
from ontogeny.steer.reading import Reader, Reading
from ontogeny.steer.session import Session

LEAVE = ("quit", "exit", "bye", "q", ":q", "goodbye")
YES, NO = ("y", "yes", "yep", "ok", "sure", "do it"), ("n", "no", "nope", "")
CURVES = 2
"""Curves that are drawn of one answer."""
ASKED = ("loss", "valid.accuracy")
"""The curves that are drawn first of those that a run tells while it goes on."""


class Ask(StrEnum):
    """When a person is asked before something is done."""

    ALWAYS = "always"
    CHANGES = "changes"
    NEVER = "never"


class Said(Exception):
    """Words that came in the place of a yes or no: they are read as words."""


@dataclass
class Chat:
    """A conversation with a session. `hear(prompt, text)` is a line from a person, beginning with `text` where it can.

    `outcomes` gathers what came of it, `refused` what was not done, `shown` what a person was asked about first, and
    `offered` what they could have meant.
    """

    session: Session
    readers: Sequence[Reader]
    console: Console
    hear: Callable[[str, str], str]
    ask: Ask = Ask.CHANGES
    quiet: bool = False
    outcomes: list[Outcome] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    shown: list[Foretold] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)
    _live: Live | None = None

    def __post_init__(self) -> None:
        self.session.on_step = self._stepped

    def talk(self) -> None:
        """Hears and does until the person leaves."""
        text = ""
        while True:
            try:
                text = text or self.hear(self.prompt(), "").strip()
                if text.lower() in LEAVE:
                    return
                text = self.take(text) or ""
            except EOFError:
                return
            except KeyboardInterrupt:
                self.say("[dim]nothing is under way; `quit` leaves[/]")
                text = ""

    def prompt(self) -> str:
        """Where the session stands, for a person to answer to."""
        try:
            past = "" if self.session.position.step is None else " (past)"
            return f"{self.session.position.folder.name}@{self.session.step()}{past}> "
        except OntogenyError:
            return "> "

    def take(self, text: str) -> str | None:
        """One line from a person; the next one, where it came in the place of an answer. Errors are one sentence."""
        topic = text.lower().split()
        if not topic:
            return None
        if topic[0] == "help":
            self.say(help_about(" ".join(topic[1:])))
            return None
        try:
            return self._do(self._read(text), text)
        except Said as said:
            return str(said)
        except OntogenyError as error:
            self._refuse(str(error))
        except KeyboardInterrupt:
            self._interrupted()
        except (EOFError, BrokenPipeError):
            raise
        except Exception as error:  # the machine's own, such as memory, or ours: the chat stays, and says so
            self._refuse(unexpected(error), cause=error)
        return None

    def say(self, text: str) -> None:
        """A line for the person, with rich's marks."""
        if not self.quiet:
            self.console.print(text, soft_wrap=True)

    def _read(self, text: str) -> Reading:
        """What the first reader that is sure makes of the words; where none is, what could have been meant."""
        unsure: list[Reading] = []
        for reader in self.readers:
            with Busy("reading", quiet=self.quiet):
                reading = reader.read(text, self.session)
            if not reading.unsure:
                return reading
            unsure.append(reading)
        return next((one for one in unsure if one.alternatives), unsure[-1])

    def _do(self, reading: Reading, text: str) -> str | None:
        if reading.answer:
            self.say(escape(reading.answer))
        if reading.help:
            self.say(help_about(""))
        if reading.unsure:
            return self._ask_back(reading)
        for line in said_of(foretold(self.session, reading.supposed)):
            self.say(line)
        told = foretold(self.session, reading.commands)
        doubtful = reading.changes and not reading.sure
        if doubtful and self.ask is Ask.NEVER:
            self.say("[dim]that was read with some doubt, so it is asked about[/]")
        if doubtful or self._is_asked(reading.commands):
            self.shown += told
            for line in said_of(told):
                self.say(line)
            again = self._confirmed(text)
            if again is not None:
                return again or None
        else:
            for line in costly(reading.commands, told):
                self.say(line)
        for place, command in enumerate(reading.commands):
            try:
                self._tell(self._act(command, told[place]))
                if place + 1 < len(reading.commands):
                    self._arrive(command)
            except (Exception, KeyboardInterrupt):
                for left in reading.commands[place + 1 :]:
                    self.say(f"[dim]not done: {escape(left.says())}[/]")
                raise
        return None

    def _ask_back(self, reading: Reading) -> str | None:
        self.refused.append(reading.unsure)
        self.offered += [one.words for one in reading.alternatives]
        self.say(f"[yellow]?[/] {escape(reading.unsure)}")
        for number, one in enumerate(reading.alternatives, 1):
            self.say(f"  {number}. {escape(one.words)}")
        if not reading.alternatives or self.quiet or not self.console.is_terminal:
            return None
        answer = self.hear("which, or otherwise? ", "").strip()
        if answer.isdigit() and 0 < int(answer) <= len(reading.alternatives):
            chosen = reading.alternatives[int(answer) - 1]
            return self._do(Reading(commands=chosen.commands), chosen.words)
        return answer or None

    def _is_asked(self, commands: Sequence[Command]) -> bool:
        if self.ask is Ask.NEVER or all(command.EFFECT is Effect.ASKS for command in commands):
            return False
        return self.ask is Ask.ALWAYS or any(command.EFFECT.confirmed for command in commands)

    def _confirmed(self, text: str) -> str | None:
        """None: go ahead. Else what is to be read in its place, nothing where it is just not to be done."""
        try:
            answer = self.hear("do it? y/n/always/edit ", "").strip()
        except EOFError:
            answer = ""
        small = answer.lower()
        if small == "always":
            self.ask = Ask.NEVER
            return None
        if small in YES:
            return None
        if small in ("e", "edit"):
            return self.hear("edit: ", text).strip()
        self._refuse("not done", quiet=True)
        self.say("[dim]not done[/]")
        return "" if small in NO else answer

    def _act(self, command: Command, told: Foretold) -> Outcome:
        """Does a command, with a line that moves while steps are taken or one waits."""
        if isinstance(command, Advance):
            at, steps = self._step(), command.steps or told.steps
            with Live(at + steps, at, quiet=self.quiet) as self._live:
                return self.session.do(command)
        with Busy(command.NAME, quiet=self.quiet):
            return self.session.do(command)

    def _arrive(self, command: Command) -> None:
        """A live run is only sent on its way by `run`: what comes after it waits until the steps are taken."""
        if isinstance(command, Advance):
            goal = None if command.until else (self.outcomes[-1].step or 0) + (command.steps or 1)
            with Busy(f"waiting for {command.until or f'step {goal}'}", quiet=self.quiet):
                self.session.arrive(goal)

    def _step(self) -> int:
        try:
            return self.session.step()
        except OntogenyError:
            return 0

    def _stepped(self, step: int, metrics: object) -> None:
        if self._live is not None:
            self._live.step(step, metrics)  # type: ignore[arg-type]

    def _interrupted(self) -> None:
        run = self.session.recording()
        if isinstance(run, Run):
            run.close()
        self.refused.append("interrupted")
        if self.session.goes_on():
            self.say(f"[yellow]not waited for[/] {escape(run.folder.name)}, which is live; `pause` lets it wait")
            return
        self.say(f"[yellow]paused[/] {escape(run.folder.name)} at step {run.step}; `run N steps` goes on")

    def _refuse(self, text: str, quiet: bool = False, cause: Exception | None = None) -> None:
        self.refused.append(text)
        if quiet or self.quiet:
            return
        if cause is None:
            complain(" ".join(text.split()))
        else:
            explain(cause, " ".join(text.split()), "ontogeny --debug chat shows where")

    def _tell(self, outcome: Outcome) -> None:
        """What came of a command: its sentence, and a chart where there is a curve."""
        self.outcomes.append(outcome)
        self.say(escape(outcome.text))
        for row in charts(outcome):
            self.say(row)
        for file in outcome.files:
            self.say(f"[dim]{escape(file)}[/]")


def charts(outcome: Outcome) -> list[str]:
    """The first curves of an outcome, drawn in braille dots."""
    drawn: list[str] = []
    ordered = sorted(outcome.series, key=lambda one: one.name.rpartition(" ")[2] not in ASKED)
    for series in ordered[:CURVES]:
        if len(series.steps) < 3:
            continue
        rows = plot([int(step) for step in series.steps], series.values, height=3)
        drawn += [f"[dim]{escape(series.name)}[/]", *map(escape, rows)] if rows else []
    return drawn


def costly(commands: Sequence[Command], told: Sequence[Foretold]) -> list[str]:
    """What questions that take long will take, for a person who is not asked about them."""
    return [
        f"[dim]{escape(one.text)}, {takes(one.steps, one.seconds)}; Ctrl-C breaks it off[/]"
        for command, one in zip(commands, told, strict=True)
        if command.EFFECT is Effect.ASKS and one.seconds is not None and one.seconds >= SLOW
    ]


def said_of(told: Sequence[Foretold]) -> list[str]:
    """What commands would do, in order, for a person to say yes or no to."""
    lines = []
    for number, one in enumerate(told, 1):
        mark = f"{number}. " if len(told) > 1 else "would "
        how_long = takes(one.steps, one.seconds)
        lines.append(f"{mark}{escape(one.text)}{f'[dim], {how_long}[/]' if how_long else ''}")
        lines += [f"   [dim]{escape(remark)}[/]" for remark in one.remarks]
    return lines
