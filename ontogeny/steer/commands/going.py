"""Letting a run go on: for some steps, or until something holds; and the same run again from its beginning."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from ontogeny.record.creating import first_dials
from ontogeny.record.run import Run, Stop, create
from ontogeny.steer import costs
from ontogeny.steer.command import Command, Effect, Heading, Outcome, Preview
from ontogeny.steer.commands.dials import check_bounds
from ontogeny.steer.conditions import condition
from ontogeny.steer.figures import thinned
from ontogeny.steer.sentences import counted, settings
from ontogeny.steer.session import Session, fork_name

MOST = 10_000
"""Steps that a condition is waited for unless more are allowed."""
FARTHEST = 10**12
"""Steps that may be asked for at once."""
Dials = Annotated[dict[str, float], Field(description="dials and their values, by name")]


class Advance(Command):
    """Takes steps from where the session stands; in the past, on a fork made there."""

    NAME: ClassVar[str] = "run"
    MEANING: ClassVar[str] = "Take steps: so many, or until a condition holds."
    EFFECT: ClassVar[Effect] = Effect.CHANGES
    HEADING: ClassVar[Heading] = Heading.GOING

    steps: Annotated[
        int,
        Field(ge=0, le=FARTHEST, description="how many; with a condition, at most so many (0: one, or 10,000)"),
    ] = 0
    until: Annotated[
        str, Field(description="stop when it holds: 'valid.accuracy >= 0.99', 'norm(embed.weight) > 10', 'generalised'")
    ] = ""

    def foretell(self, session: Session) -> Preview:
        """How many steps, from where, and how long they take."""
        run, at = session.native(self.run), session.step(self.run)
        if self.until:
            condition(run, self.until)
        steps = self._steps()
        who = run.folder.name
        what = f"fork {who} at step {at} and take the fork" if session.in_past(self.run) else f"take {who}"
        how = (
            f"until {self.until}, at most {counted(steps, 'step')}"
            if self.until
            else f"for {counted(steps, 'step')}, to {at + steps:,}"
        )
        again = costs.replayed(run, at)
        seconds = costs.seconds(run, steps + again)
        return Preview(text=f"{what} on {how}", effect=self.EFFECT, steps=steps + again, seconds=seconds)

    def act(self, session: Session) -> Outcome:
        """Takes the steps."""
        run = session.head(self.run)
        first = run.step
        until = condition(run, self.until) if self.until else None
        stop = session.advance(run, self._steps(), until.holds if until else None)
        if stop is None:
            where = f"until {self.until}" if self.until else f"to step {first + self._steps()}"
            text = f"{run.folder.name} goes on from step {first} {where}"
            return Outcome(text=text, run=run.folder.name, step=first)
        reason = f"{self.until} holds" if stop is Stop.CONDITION else f"{counted(run.step - first, 'step')} taken"
        if until and stop is not Stop.CONDITION:
            reason = f"{self.until} did not come to hold within {counted(run.step - first, 'step')}"
        return told(run, first, reason)

    def _steps(self) -> int:
        return self.steps or (MOST if self.until else 1)


class Again(Command):
    """A new run of the same program on the same data, from the same first parameters."""

    NAME: ClassVar[str] = "again"
    MEANING: ClassVar[str] = "Start a new run of the same learner from its beginning, with another seed or other dials."
    EFFECT: ClassVar[Effect] = Effect.CHANGES
    HEADING: ClassVar[Heading] = Heading.GOING
    MAKES: ClassVar[bool] = True

    name: Annotated[str, Field(description="what to call the new run")] = ""
    seed: Annotated[int | None, Field(description="another seed for random draws; left out, the same")] = None
    dials: Dials = Field(default={})

    def foretell(self, session: Session) -> Preview:
        """What will be made."""
        run = session.native(self.run)
        name = session.runs.fresh(self.name or fork_name(run, "again")).name
        first_dials(run.as_of(0).program, {**run.start["dials"], **self.dials})
        check_bounds(self.dials)
        other = {**({} if self.seed is None else {"seed": self.seed}), **self.dials}
        changed = f", with {settings(other)}" if other else ""
        text = f"make a new run, {name}, of {run.folder.name}'s learner from its beginning{changed}"
        return Preview(text=text, effect=self.EFFECT, seconds=costs.loading(run))

    def act(self, session: Session) -> Outcome:
        """Makes the run; the session moves to it."""
        check_bounds(self.dials)
        run = session.native(self.run)
        start = run.start
        made = create(
            session.runs.fresh(self.name or fork_name(run, "again")),
            run.first_learner,
            run.data,
            valid=run.valid,
            seed=start["seed"] if self.seed is None else self.seed,
            dials={**start["dials"], **self.dials},
            machine=start["machine"],
            options=start["options"],
            evaluate_every=start["evaluate_every"],
            author=session.author,
        )
        made.close()
        session.move(made.folder)
        return Outcome(text=f"{made.folder.name} begins at step 0, like {run.folder.name} did", run=made.folder.name)


def told(run: Run, first: int, reason: str) -> Outcome:
    """Where a run has come to since a step, with its curves from there."""
    columns = run.metrics(first + 1)
    latest = {name: float(values[-1]) for name, values in columns.items() if name != "step" and len(values)}
    rows = [row for row in run.evaluations() if row["step"] >= first]
    latest |= {f"valid.{name}": value for name, value in (rows[-1] if rows else {}).items() if name != "step"}
    figures = ", ".join(f"{name} {value:.4g}" for name, value in latest.items())
    steps = columns.pop("step")
    series = [thinned(name, steps, values) for name, values in columns.items()]
    text = f"{run.folder.name} is at step {run.step}: {reason}{f'; {figures}' if figures else ''}"
    return Outcome(text=text, run=run.folder.name, step=run.step, figures=latest, series=tuple(series))
