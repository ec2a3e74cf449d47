"""The autopilot as a command: it looks after a run on forks of it, within a budget of steps."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from ontogeny.steer import costs
from ontogeny.steer.autopilot.flight import fly
from ontogeny.steer.autopilot.heldout import check_goal, held_out
from ontogeny.steer.autopilot.plan import Plan
from ontogeny.steer.autopilot.pool import workers
from ontogeny.steer.autopilot.proposal import check_never
from ontogeny.steer.command import Command, Effect, Heading, Outcome, Preview
from ontogeny.steer.sentences import counted
from ontogeny.steer.session import Session


class Autopilot(Command):
    """From what is found of a run to remedies, tried on forks of it, judged on examples that no trial saw.

    The run itself stays as it is; the session moves to what is kept. Ctrl-C breaks it off, and the same again goes on.
    """

    NAME: ClassVar[str] = "autopilot"
    MEANING: ClassVar[str] = (
        "Look after a run: find its faults, try remedies on forks, keep what is better, and report."
    )
    EFFECT: ClassVar[Effect] = Effect.CHANGES
    HEADING: ClassVar[Heading] = Heading.GOING
    LIVE: ClassVar[bool] = False

    budget: Annotated[
        str, Field(description="steps of all forks together: 3x, three times the run's own steps, or a number")
    ] = "3x"
    steps: Annotated[int, Field(ge=0, description="steps that the run would take; left out, as many as it has")] = 0
    goal: Annotated[str, Field(description="what to reach: valid.accuracy >= 0.99; left out, a lower loss")] = ""
    never: Annotated[
        str, Field(description="what it must not change: data, rule, parameters, a command, a dial; several by commas")
    ] = ""
    workers: Annotated[int, Field(ge=1, le=256, description="trials at once, in processes of their own")] = 1
    ray: Annotated[str, Field(description="a Ray cluster to run trials on, by its URL: ray://host:10001")] = ""

    def foretell(self, session: Session) -> Preview:
        """How many steps it may take, and what it judges by."""
        run = session.native(self.run)
        plan, held = self._plan(session), held_out(run)
        check_never(plan.never, run)
        check_goal(plan.goal, run)
        text = (
            f"look after {run.folder.name} on forks of it with at most {plan.budget:,} steps, scored on "
            f"{len(held.search)} held-out examples and judged on {len(held.judge)} others"
            f"{self._asked()}; the run stays as it is"
        )
        remarks = (held.remark,) if held.remark else ()
        seconds = costs.seconds(run, plan.budget)
        return Preview(text=text, effect=self.EFFECT, steps=plan.budget, seconds=seconds, remarks=remarks)

    def act(self, session: Session) -> Outcome:
        """Looks after it."""
        with workers(self.workers, self.ray) as several:
            report = fly(
                session,
                self.run,
                budget=self.budget,
                steps=self.steps,
                goal=self.goal,
                never=self.never,
                workers=several,
                told=session.told,
            )
        return Outcome(text=report.text, run=report.run, step=report.step, figures=report.as_json())

    def noted(self, outcome: Outcome) -> bool:
        """Not where the journal is in the hands of another process."""
        return super().noted(outcome) and bool(outcome.figures.get("written", True))

    def _asked(self) -> str:
        """What of it is not as by default."""
        said = [
            f"as if the run took {counted(self.steps, 'step')}" if self.steps else "",
            f"towards {self.goal}" if self.goal else "",
            f"never changing {self.never}" if self.never else "",
            f"{self.workers} trials at once" if self.workers > 1 else "",
            f"on the cluster {self.ray}" if self.ray else "",
        ]
        return "".join(f", {one}" for one in said if one)

    def _plan(self, session: Session) -> Plan:
        run = session.native(self.run)
        return Plan.of(self.budget, self.steps or run.step, self.goal, self.never)
