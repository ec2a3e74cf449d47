"""What a command is: a typed record that says beforehand what it will do, and afterwards what came of it.

A command names what it is about by plain arguments, so that a person, a phrase, a language model and a program write
the same one. It never holds code, and does nothing until a session takes it (`steer/session.py`).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from ontogeny.steer.sentences import arguments

if TYPE_CHECKING:
    from ontogeny.steer.session import Done, Position, Session


class Effect(Enum):
    """What a command does to runs."""

    ASKS = "reads, and changes nothing"
    MOVES = "changes where the session stands, and no run"
    CHANGES = "writes to a run's journal, or makes a new run"
    REMOVES = "takes a run out of sight"

    @property
    def confirmed(self) -> bool:
        """Whether a person is asked before it happens."""
        return self in (Effect.CHANGES, Effect.REMOVES)


class Heading(Enum):
    """The headings under which commands are listed."""

    GOING = "Going on"
    WHERE = "Where to stand"
    RULE = "The rule and its dials"
    PARAMETERS = "Parameters"
    DATA = "Data"
    QUESTIONS = "Questions"
    RECORD = "What was done"


class Series(BaseModel):
    """A curve that a face may draw: a value at each of some steps."""

    model_config = ConfigDict(frozen=True)
    name: str
    steps: list[float]
    values: list[float]


class Preview(BaseModel):
    """What a command will do, before it does: in words, and in what it will take."""

    model_config = ConfigDict(frozen=True)
    text: str
    effect: Effect
    steps: Annotated[int, Field(description="steps that will be computed")] = 0
    seconds: Annotated[float | None, Field(description="about how long that takes, where it is known")] = None
    remarks: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether a run will be changed."""
        return self.effect.confirmed


class Outcome(BaseModel):
    """What came of a command: a sentence, the run and step that the session stands at, and the figures."""

    model_config = ConfigDict(frozen=True)
    text: str
    run: str = ""
    step: int | None = None
    past: Annotated[bool, Field(description="whether that is before the run's last step")] = False
    figures: dict[str, Any] = {}
    series: tuple[Series, ...] = ()
    files: Annotated[tuple[str, ...], Field(description="files that were written")] = ()


Run = Annotated[str, Field(description="which run, by name; left out, the one that the session stands at")]
Place = Annotated[
    str,
    Field(
        description="where in a run: a step (900), steps back (-10), 'start', 'last', a mark's name, or 'before it "
        "generalised', 'before the loss spiked', 'when it memorised', 'where it was best'"
    ),
]
Tensors = Annotated[
    tuple[str, ...], Field(min_length=1, description="parameters by name, or patterns such as blocks.*.weight")
]
Steps = Annotated[str, Field(description="a window of steps: 100:200 (to 199), :200, 100:")]


class Command(BaseModel):
    """A command. Subclasses hold the arguments, and say what they mean."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    NAME: ClassVar[str]
    MEANING: ClassVar[str]
    EFFECT: ClassVar[Effect]
    HEADING: ClassVar[Heading]
    LIVE: ClassVar[bool] = True
    """Whether a live run must do it itself, rather than whoever reads its record."""
    STANDS: ClassVar[bool] = True
    """Whether the run that it names is one to stand at."""

    MAKES: ClassVar[bool] = False
    """Whether all that it does is to make a run, and the one that it is about stays as it is."""

    run: Run = ""

    def foretell(self, session: Session) -> Preview:
        """What it will do. Raises an OntogenyError for what cannot be done, and changes nothing."""
        raise NotImplementedError

    def act(self, session: Session) -> Outcome:
        """Does it, by the session's means."""
        raise NotImplementedError

    def inverse(self, session: Session, done: Done) -> Command | None:
        """What takes it back in place, at the step at which it was done; None: a fork before it does."""
        return None

    def noted(self, outcome: Outcome) -> bool:
        """Whether the journal gets a line of it."""
        return self.EFFECT.confirmed

    def about(self, before: Position, outcome: Outcome) -> str:
        """The run whose journal gets it."""
        return outcome.run

    @property
    def drives(self) -> bool:
        """Whether it is about the run that goes on, so that where its live process went another run is meant by it."""
        return self.LIVE and not self.MAKES and (self.EFFECT.confirmed or self.HEADING is Heading.GOING)

    def given(self) -> dict[str, Any]:
        """The arguments that are not left at their defaults, as plain values."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def says(self) -> str:
        """The command and its arguments on one line."""
        return " ".join([self.NAME, *(f"{name}={value}" for name, value in self.given().items())])


class Asking(Command):
    """A question: read from the record, wherever the run lives."""

    EFFECT = Effect.ASKS
    HEADING = Heading.QUESTIONS
    LIVE = False

    def foretell(self, session: Session) -> Preview:
        """What is asked, and of which run; nothing is changed."""
        given = {name: value for name, value in self.given().items() if name != "run"}
        return self.asked(f"of {session.recording(self.run).folder.name}", given)

    def asked(self, of: str, given: dict[str, Any]) -> Preview:
        """What is asked in a sentence: of what, where it is of something, and with which arguments."""
        about = [one for one in (of, arguments(given)) if one]
        what = f"{self.MEANING[:1].lower()}{self.MEANING[1:].rstrip('.')}"
        return Preview(text=f"{what} ({'; '.join(about)})", effect=self.EFFECT)
