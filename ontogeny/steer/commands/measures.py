"""What a run remembers, holds and costs, and what runs of other sizes would reach, as commands.

Each answers by what `ontogeny recall`, `capacity`, `price` and `laws` answer by, in the same figures; what the shell
sets in tables is a sentence here.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from ontogeny.ask.capacity import capacity
from ontogeny.ask.held import Held
from ontogeny.ask.laws.asked import Wanted, of_runs, told
from ontogeny.ask.laws.of_runs import LAST, TAKES, Asked
from ontogeny.ask.laws.table import FORMS
from ontogeny.ask.laws.words import lines
from ontogeny.ask.price.asked import BOTH, of_learner, of_shape
from ontogeny.ask.price.estimate import AVAILABILITY, MACHINE, PRECISION, UTILISATION, Terms
from ontogeny.ask.price.operations import Shape
from ontogeny.ask.recall import CONTINUED, MOST
from ontogeny.ask.remembered import remembered
from ontogeny.ask.subsets import SHARE
from ontogeny.ask.target_bits import Reference
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.example_entries import numbers
from ontogeny.record.run import Run
from ontogeny.steer import costs
from ontogeny.steer.command import Asking, Outcome, Preview
from ontogeny.steer.figures import plain
from ontogeny.steer.sentences import clipped
from ontogeny.steer.session import Session

State = Annotated[int | None, Field(ge=0, description="at the state after so many steps; left out, where one stands")]


class Recall(Asking):
    """How exactly what a run was trained on is reproduced, and what of it was memorised."""

    NAME: ClassVar[str] = "recall"
    MEANING: ClassVar[str] = "Say how exactly a run knows its data by heart."

    at: State = None
    examples: Annotated[str, Field(description="these alone")] = ""
    looked_at: Annotated[int, Field(ge=1, description="of so many examples, evenly spaced")] = MOST
    prefix: Annotated[int, Field(ge=0, description="continue sequences after so many tokens; 0: half a window")] = 0
    length: Annotated[int, Field(ge=0, description="for so many tokens; 0: to a window's end")] = 0
    continued: Annotated[int, Field(ge=1, description="continue so many sequences")] = CONTINUED
    left_out: Annotated[str, Field(description="train without each of these")] = ""
    workers: Annotated[int, Field(ge=1, le=64, description="processes that share these replays")] = 1
    subsets: Annotated[int, Field(ge=0, description="estimate that for all examples, by so many retrainings")] = 0
    share: Annotated[float, Field(gt=0, lt=1, description="of the examples, how many each of them keeps")] = SHARE

    def foretell(self, session: Session) -> Preview:
        """What is asked, and what the replays take, where some are."""
        said = super().foretell(session)
        run = session.native(self.run)
        gone = sum(stop - first for first, stop in numbers(run, self.left_out)) if self.left_out else 0
        steps = (gone + bool(gone) + self.subsets) * (session.step(self.run) if self.at is None else self.at)
        return said.model_copy(update={"steps": steps, "seconds": costs.seconds(run, steps)}) if steps else said

    def act(self, session: Session) -> Outcome:
        """Asks."""
        run = session.native(self.run)
        found = remembered(
            run,
            self.examples,
            session.step(self.run) if self.at is None else self.at,
            self.looked_at,
            (self.prefix, self.length, self.continued),
            (self.left_out, self.workers),
            (self.subsets, self.share),
        )
        document = {"run": run.folder.name, **found.as_json()}
        return Outcome(text="\n".join(found.lines), run=run.folder.name, figures=plain(document))


class Capacity(Asking):
    """How many bits of its data a run holds."""

    NAME: ClassVar[str] = "capacity"
    MEANING: ClassVar[str] = "Say how many bits of data a run holds per parameter."

    beside: Annotated[tuple[str, ...], Field(description="further runs, to be put beside it")] = ()
    at: State = None
    against: Annotated[str, Field(description="that never saw it")] = ""
    every: Annotated[int, Field(ge=1, description="of the examples every so many, where they overlap")] = 1

    def act(self, session: Session) -> Outcome:
        """Asks."""
        run = session.native(self.run)
        other = Reference(session.native(self.against)) if self.against else None
        runs = [(run, session.step(self.run)), *((one, one.step) for one in map(session.native, self.beside))]
        found = Held(
            {
                one.folder.name: capacity(one, step if self.at is None else self.at, other, self.every)
                for one, step in runs
            }
        )
        return Outcome(text="\n".join(found.lines), run=run.folder.name, figures=plain(found.as_json()))


class Price(Asking):
    """What learning costs, of the run's own learner or of a shape."""

    NAME: ClassVar[str] = "price"
    MEANING: ClassVar[str] = "Say what learning costs, at any size: hours, money, energy."

    for_steps: Annotated[int, Field(ge=1, description="steps")] = 1
    machine: Annotated[str, Field(description="8xB200, ...")] = MACHINE
    precision: Annotated[str, Field(description="bf16, fp8...")] = PRECISION
    accelerators: Annotated[int, Field(ge=0, description="so many; 0: as few as hold the state")] = 0
    dollars: Annotated[float | None, Field(ge=0, description="of one accelerator for an hour; else as listed")] = None
    utilisation: Annotated[float, Field(gt=0, le=1, description="share of the peak that is reached")] = UTILISATION
    availability: Annotated[float, Field(gt=0, le=1, description="share of hours without failures")] = AVAILABILITY
    parameters: Annotated[float, Field(ge=0, description="not of the run")] = 0.0
    tokens: Annotated[float, Field(ge=0, description="that it sees")] = 0.0
    epochs: Annotated[float, Field(gt=0, description="of a shape: how often each token is seen")] = 1.0
    layers: Annotated[float, Field(ge=0, description="of a shape, for attention: with width and context")] = 0.0
    width: Annotated[float, Field(ge=0, description="of a shape: of all heads together")] = 0.0
    context: Annotated[float, Field(ge=0, description="of a shape: tokens that one may look at")] = 0.0

    def foretell(self, session: Session) -> Preview:
        """What is asked; a shape is of no run."""
        if self.parameters and not self.run:
            given = {name: value for name, value in self.given().items() if name != "run"}
            return self.asked("", given)
        return super().foretell(session)

    def act(self, session: Session) -> Outcome:
        """Counts by the run's program, or by the shape."""
        terms = Terms(
            self.machine,
            self.precision,
            self.utilisation,
            self.availability,
            accelerators=self.accelerators,
            dollars=self.dollars,
        )
        if self.parameters or self.tokens:
            if self.run or self.for_steps != 1:
                raise OntogenyError(BOTH)
            if not (self.parameters and self.tokens):
                raise OntogenyError("a shape is parameters and tokens; give both, or neither for the run's own learner")
            sizes = self.parameters, self.tokens, self.epochs, self.layers, self.width, self.context
            shape = of_shape(Shape(*sizes), terms)
            return Outcome(text="\n".join(shape.lines), figures=plain(shape.as_json()))
        run = session.native(self.run)
        found = of_learner(run.folder.name, run.as_of(session.step(self.run)).program, terms, self.for_steps)
        document = {**found.as_json(), "here": None}
        return Outcome(text="\n".join(found.lines), run=run.folder.name, figures=plain(document))


class Laws(Asking):
    """A scaling law of the user's own runs."""

    NAME: ClassVar[str] = "laws"
    MEANING: ClassVar[str] = "Fit a scaling law to runs, to foretell larger ones."

    runs: Annotated[tuple[str, ...], Field(description="left out, all")] = ()
    form: Annotated[str, Field(description=f"one of {', '.join(FORMS)}; else the richest that is supported")] = ""
    sizes: Annotated[tuple[str, ...], Field(description="runs to foretell: N,D or N,D,EPOCHS, as 1e9,20e9")] = ()
    budget: Annotated[tuple[str, ...], Field(description="operations to make the best of: 1e18")] = ()
    unique: Annotated[str, Field(description="distinct tokens there are, for a budget")] = ""
    per: Annotated[float | None, Field(gt=0, description="operations a parameter and token; else as measured")] = None
    metric: Annotated[str, Field(description="which loss of a run")] = "valid.loss"
    take: Annotated[str, Field(description=f"which value of it: {' or '.join(TAKES)}")] = LAST
    count: Annotated[str, Field(description="count the elements of this input, not examples")] = ""
    best_only: Annotated[bool, Field(description="of runs of one size and data, the best one")] = False
    drop_highest: Annotated[int, Field(ge=0, description="without so many of the highest losses")] = 0

    def foretell(self, session: Session) -> Preview:
        """What is asked, and of how many runs."""
        given = {name: value for name, value in self.given().items() if name not in ("run", "runs")}
        return self.asked(f"of {clipped(', '.join(self._names(session)))}", given)

    def act(self, session: Session) -> Outcome:
        """Fits."""
        named = self.run or self.runs
        runs = [
            session.native(name)
            for name in self._names(session)
            if named or isinstance(session.recording(name), Run)  # of all, those that have a program
        ]
        given = of_runs(runs, Asked(self.metric, self.take, self.count), self.best_only, self.drop_highest)
        found = told(given, Wanted.parse(self.sizes, self.budget, self.unique, self.per), self.form)
        return Outcome(text="\n".join(lines(found)), figures=plain(found.as_json()))

    def _names(self, session: Session) -> tuple[str, ...]:
        """The runs that are named, or all."""
        named = tuple(dict.fromkeys((*((self.run,) if self.run else ()), *self.runs)))
        return named or tuple(folder.name for folder in session.runs.all())
