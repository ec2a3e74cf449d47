"""What a run learns from: examples left out, taken back, learned also, mixed in, forgotten."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from ontogeny.ask.alternative import kept
from ontogeny.ask.forget import forgetting
from ontogeny.data.base import Array
from ontogeny.isa.errors import OntogenyError
from ontogeny.record import example_entries
from ontogeny.record.recorded import Recorded
from ontogeny.record.run import Run
from ontogeny.steer.command import Command, Effect, Heading, Outcome, Preview
from ontogeny.steer.examples import numbers, of_file, written_out
from ontogeny.steer.sentences import clipped, counted, example_words, forked_first, settings
from ontogeny.steer.session import Session, fork_name

Examples = Annotated[
    str, Field(min_length=1, description="training examples by number (3,17,40:60), or by a value (y=3)")
]


class Changing(Command):
    """A command that changes what the next batches hold, at the head."""

    EFFECT: ClassVar[Effect] = Effect.CHANGES
    HEADING: ClassVar[Heading] = Heading.DATA

    def said(self, run: Recorded) -> str:
        """What it does, in words, once it has been checked."""
        raise NotImplementedError

    def enter(self, run: Run, author: str) -> None:
        """Does it."""
        raise NotImplementedError

    def foretell(self, session: Session) -> Preview:
        """Which examples, and what becomes of them."""
        run, stood = session.native(self.run), session.stood(self.run)
        text = f"{forked_first(session, self.run)}{self.said(stood)}, from step {stood.step} of {run.folder.name} on"
        return Preview(text=text, effect=self.EFFECT)

    def act(self, session: Session) -> Outcome:
        """Does it at the head."""
        said = self.said(session.stood(self.run))
        run = session.head(self.run)
        self.enter(run, session.author)
        text = f"{run.folder.name}: {said}, from step {run.step} on"
        return Outcome(text=text, run=run.folder.name, step=run.step)


class LeaveOut(Changing):
    """Examples are left out of every batch to come."""

    NAME: ClassVar[str] = "leave-out"
    MEANING: ClassVar[str] = "Leave training examples out of every batch from here on."

    examples: Examples

    def said(self, run: Recorded) -> str:
        """Which examples."""
        example_entries.leave_out(run, numbers(run, self.examples))
        return f"leave {example_words(self.examples)} out"

    def enter(self, run: Run, author: str) -> None:
        """Leaves them out."""
        run.leave_out(numbers(run, self.examples), author=author)


class LearnAgain(Changing):
    """Examples that were left out are learned from again."""

    NAME: ClassVar[str] = "learn-again"
    MEANING: ClassVar[str] = "Learn again from examples that were left out."

    examples: Examples

    def said(self, run: Recorded) -> str:
        """Which examples."""
        example_entries.take_back(run, numbers(run, self.examples))
        return f"learn from {example_words(self.examples)} again"

    def enter(self, run: Run, author: str) -> None:
        """Takes them back in."""
        run.take_back(numbers(run, self.examples), author=author)


class Learn(Changing):
    """Further rows in every batch: of examples that there are, written out, or in a file."""

    NAME: ClassVar[str] = "learn"
    MEANING: ClassVar[str] = "Learn this: put further rows into every batch, of some examples or of new ones."

    examples: Annotated[str, Field(description="examples by number (3,17,40:60) or by a value (y=3)")] = ""
    values: Annotated[
        dict[str, Any], Field(description="a new example written out: its inputs by name, {'x': [3, 4, 97], 'y': 7}")
    ] = Field(default={})
    from_file: Annotated[str, Field(description="new examples in a safetensors file, inputs by name")] = ""
    rows: Annotated[int, Field(ge=1, description="how many further rows in every batch")] = 1

    def said(self, run: Recorded) -> str:
        """Which examples, and how many rows of them."""
        found = self._found(run)
        if isinstance(found, str):
            example_entries.learn_also(run, found, self.rows)
            return f"learn {counted(self.rows, 'further row')} of {example_words(self.examples)} in every batch"
        example_entries.added(run, found, self.rows)
        count = counted(len(next(iter(found.values()))), "new example")
        which = f"in {self.from_file}" if self.from_file else f"({clipped(settings(self.values))})"
        return f"learn {counted(self.rows, 'further row')} of the {count} {which} in every batch"

    def enter(self, run: Run, author: str) -> None:
        """Learns them also."""
        run.learn_also(self._found(run), rows=self.rows, author=author)

    def _found(self, run: Recorded) -> str | dict[str, Array]:
        if sum(map(bool, (self.examples, self.values, self.from_file))) != 1:
            raise OntogenyError("say what to learn in one way: examples by number, values written out, or a file")
        if self.examples:
            return numbers(run, self.examples)
        return written_out(run, self.values) if self.values else of_file(self.from_file)


class StopLearning(Changing):
    """What was learned also is so no more."""

    NAME: ClassVar[str] = "stop-learning"
    MEANING: ClassVar[str] = "End what `learn` began: no further rows in the batches from here on."

    examples: Annotated[str, Field(description="which examples; left out, all that were learned also")] = ""

    def said(self, run: Recorded) -> str:
        """What ends."""
        example_entries.stop_also(run, self._which(run))
        return f"stop learning further rows{f' of {example_words(self.examples)}' if self.examples else ''}"

    def enter(self, run: Run, author: str) -> None:
        """Ends it."""
        run.stop_also(self._which(run), author=author)

    def _which(self, run: Recorded) -> str | None:
        return numbers(run, self.examples) if self.examples else None


class Mix(Changing):
    """A share of every batch is drawn from a group of examples."""

    NAME: ClassVar[str] = "mix"
    MEANING: ClassVar[str] = "Draw a share of every batch from a group of examples; a share of 0 ends that."

    examples: Examples
    share: Annotated[float, Field(ge=0, le=1, description="the share of every batch's rows, from 0 to 1")]

    def said(self, run: Recorded) -> str:
        """Which group, and how much of it."""
        example_entries.mix(run, numbers(run, self.examples), self.share)
        if not self.share:
            return f"draw no share of every batch from {example_words(self.examples)} any more"
        return f"draw {100 * self.share:g}% of every batch from {example_words(self.examples)}"

    def enter(self, run: Run, author: str) -> None:
        """Mixes them in."""
        run.mix(numbers(run, self.examples), self.share, author=author)


class Forget(Command):
    """The run as if it had never learned from some examples: exactly, by replay without them, on a fork."""

    NAME: ClassVar[str] = "forget"
    MEANING: ClassVar[str] = (
        "Forget training examples exactly: replay without them, as a new run; the cost is told first."
    )
    EFFECT: ClassVar[Effect] = Effect.CHANGES
    HEADING: ClassVar[Heading] = Heading.DATA
    MAKES: ClassVar[bool] = True

    examples: Examples
    name: Annotated[str, Field(description="what to call the new run")] = ""

    def foretell(self, session: Session) -> Preview:
        """From which step it differs, and what the replay takes."""
        run = session.native(self.run)
        other = forgetting(run, numbers(run, self.examples))
        name = session.runs.fresh(self.name or fork_name(run, "forgot")).name
        text = (
            f"replay {run.folder.name} without {example_words(self.examples)}, from step {other.first} to "
            f"{other.last}, as a new run, {name}; {len(other.touched)} of these steps learned from "
            f"{'it' if self.examples.strip().isdigit() else 'them'}"
        )
        steps, seconds = other.cost.steps, other.cost.seconds
        return Preview(text=text, effect=self.EFFECT, steps=steps, seconds=seconds, remarks=other.remarks)

    def act(self, session: Session) -> Outcome:
        """Replays, and moves the session to the new run."""
        run = session.native(self.run)
        other = forgetting(run, numbers(run, self.examples))
        folder = session.runs.fresh(self.name or fork_name(run, "forgot"))
        with kept(run, other, folder, session.author) as child:
            step = child.step
        session.move(folder)
        text = f"{folder.name} is {run.folder.name} without {example_words(self.examples)}, at step {step}"
        return Outcome(text=text, run=folder.name, step=step, figures={"touched": list(other.touched)[:1000]})
