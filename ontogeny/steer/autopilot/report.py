"""What a flight comes to, for a person and as data: what it saw, tried, kept and discarded, and what that cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ontogeny.steer.autopilot.judge import Verdict


@dataclass(frozen=True)
class Report:
    """`run` and `step` are where what is kept stands; `steps` were computed in all, of which `budget` were allowed."""

    given: str
    run: str
    step: int
    kept: bool
    why: str
    steps: int
    budget: int
    verdict: Verdict | None = None
    equal: tuple[int, Verdict] | None = None
    """The step that both have been at last, and the judgement there."""
    measure: str = "loss"
    changes: tuple[str, ...] = ()
    discarded: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    goal_met: bool | None = None
    written: bool = True
    """Whether the run's journal has it; not where another process goes on writing the run."""
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """For a person."""
        head = f"{self.run} at step {self.step} is kept" if self.kept else f"{self.given} stands as it is"
        said = [f"{head}: {self.why}"]
        if not self.kept and self.run != self.given:
            said += [f"gone on with unchanged, it is {self.run}, whose best step is {self.step}"]
        if self.kept:
            said += ["what was changed: " + ("; ".join(self.changes) or "nothing")]
        if self.verdict is not None:
            said += [_judgement(self.verdict, self.measure)]
        if self.equal is not None:
            step, there = self.equal
            said += [f"at equal steps, {step}: {_figures(there, self.measure)}"]
        if self.goal_met is not None:
            said += [f"the goal is {'met' if self.goal_met else 'not met'} on the judged examples"]
        said += [f"{self.steps:,} of {self.budget:,} steps were taken, discarded forks among them"]
        said += [f"discarded: {', '.join(self.discarded)}"] if self.discarded else []
        said += self.remarks
        return "\n".join([*said, "", "how it came to that:", *(f"  {line}" for line in self.lines)])

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "given": self.given,
            "run": self.run,
            "step": self.step,
            "kept": self.kept,
            "why": self.why,
            "steps": self.steps,
            "budget": self.budget,
            "verdict": None if self.verdict is None else self.verdict.as_json(),
            "at_equal_steps": None if self.equal is None else {"step": self.equal[0], **self.equal[1].as_json()},
            "measure": self.measure,
            "changes": list(self.changes),
            "discarded": list(self.discarded),
            "remarks": list(self.remarks),
            "lines": list(self.lines),
            "goal_met": self.goal_met,
            "written": self.written,
            **self.figures,
        }


def _judgement(verdict: Verdict, measure: str) -> str:
    where = f"on {verdict.parts} parts of the held-out examples that no trial had seen"
    return f"{where}: {_figures(verdict, measure)} ({verdict.method})"


def _figures(verdict: Verdict, measure: str) -> str:
    was, now = ("none" if value is None else f"{value:.4g}" for value in (verdict.original, verdict.found))
    between = "" if verdict.low is None else f", by {verdict.low:.3g} to {verdict.high:.3g}"
    return f"{measure} {was} before and {now} now; better in {verdict.sure:.1%} of the draws{between}"
