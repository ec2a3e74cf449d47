"""Questions that `ask` answers, as commands: each says its answer in a sentence or a few lines.

The figures are the answer's own; the shell's commands of the same names show more of it.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ontogeny.ask.alike import alike
from ontogeny.ask.alternative import alternative
from ontogeny.ask.diagnose import diagnose
from ontogeny.ask.explain import explain
from ontogeny.ask.groups import groups
from ontogeny.ask.moments import moments, outliers
from ontogeny.ask.waste import waste
from ontogeny.ask.what_if import what_if
from ontogeny.isa.cost import routine_cost
from ontogeny.record.stepper import LEARN
from ontogeny.record.trace.traces import Window
from ontogeny.steer.command import Asking, Outcome, Preview, Series, Steps
from ontogeny.steer.figures import plain, thinned
from ontogeny.steer.sentences import example_words, settings
from ontogeny.steer.session import Session

SHOWN = 5
Over = Annotated[Literal["updates", "values"], Field(description="charts of updates or of values")]
Element = Annotated[str, Field(description="one parameter: embed.weight[3,7]")]
Named = Annotated[str, Field(description="parameters: one, a row (embed.weight[3,:]), a tensor, or a pattern")]


class Alike(Asking):
    """Every parameter whose chart has another's shape."""

    NAME: ClassVar[str] = "alike"
    MEANING: ClassVar[str] = "Find every parameter that moves like one, none missed."

    element: Element
    at_least: Annotated[float, Field(gt=0, le=1, description="Pearson's correlation to reach")] = 0.95
    over: Over = "updates"
    steps: Steps = ":"
    either_sign: Annotated[bool, Field(description="opposite charts match too")] = False

    def act(self, session: Session) -> Outcome:
        """Asks."""
        run = session.recording(self.run)
        found = alike(
            run,
            self.element,
            self.at_least,
            over=self.over,
            window=Window.parse(self.steps),
            either_sign=self.either_sign,
        )
        near = found.matches(SHOWN)
        named = ", ".join(f"{match.shown} ({match.score:+.3f})" for match in near)
        count, of = len(found), found.proof.elements
        text = f"{count} of {of} parameters move like {found.query}, by {self.at_least:g} or more"
        text += f": {named}" if named else ""
        figures = {"count": len(found), "of": found.proof.elements, "nearest": {m.shown: m.score for m in near}}
        return Outcome(text=text, run=run.folder.name, figures=figures)


class Groups(Asking):
    """Groups of parameters that move together."""

    NAME: ClassVar[str] = "groups"
    MEANING: ClassVar[str] = "Find which parameters moved together, and since when."

    steps: Steps = ":"
    at_least: Annotated[float, Field(gt=0, le=1, description="Pearson's correlation with the group's leader")] = 0.95
    over: Over = "updates"
    most: Annotated[int, Field(ge=1, le=100, description="how many groups")] = SHOWN

    def act(self, session: Session) -> Outcome:
        """Asks."""
        run = session.recording(self.run)
        found = groups(run, self.at_least, over=self.over, window=Window.parse(self.steps), most=self.most)
        lines = [
            f"{place}. {one.size} parameters like {one.leader}{_since(one.formed)}: "
            + ", ".join(f"{count} of {name}" for name, count in list(one.tensors.items())[:4])
            for place, one in enumerate(found.groups, 1)
        ]
        figures = [
            {"leader": g.leader, "size": g.size, "tensors": dict(g.tensors), "formed": g.formed} for g in found.groups
        ]
        text = "\n".join(lines) or f"no two parameters move together by {self.at_least:g}"
        return Outcome(text=text, run=run.folder.name, figures=plain({"groups": figures}))


class Explain(Asking):
    """Which term of the rule made a parameter what it is."""

    NAME: ClassVar[str] = "explain"
    MEANING: ClassVar[str] = "Say why parameters changed: decay, momentum, fresh gradient; the parts sum to the change."

    names: Named
    steps: Steps = ":"

    def act(self, session: Session) -> Outcome:
        """Asks."""
        run = session.recording(self.run)
        found = explain(run, self.names, self.steps)
        ledger = found.ledger
        parts = {line.text: float(value) for line, value in zip(ledger.lines, ledger.sums, strict=True)}
        said = ", ".join(f"{name} {value:+.4g}" for name, value in parts.items())
        what = f"{self.names} changed by {ledger.total:+.6g} in the steps {found.first} to {found.last}: {said}"
        curve = thinned(f"change of {self.names}", ledger.steps, ledger.change)
        text = "\n".join([what, *found.remarks])
        return Outcome(
            text=text, run=run.folder.name, figures={"change": float(ledger.total), "parts": parts}, series=(curve,)
        )


class Moments(Asking):
    """The parameters whose charts are distributed most unlike the others'."""

    NAME: ClassVar[str] = "moments"
    MEANING: ClassVar[str] = "Name the parameters whose mean, variance, skewness or kurtosis lies far from the others'."

    steps: Steps = ":"
    over: Over = "updates"

    def act(self, session: Session) -> Outcome:
        """Asks."""
        run = session.recording(self.run)
        found = outliers(moments(run.traces, Window.parse(self.steps)), self.over, SHOWN)
        lines = [f"{one.element}: {one.moment} {one.value:.4g}, {one.deviation:.3g} deviations off" for one in found]
        figures = [
            {"element": o.element, "moment": o.moment, "value": o.value, "deviation": o.deviation} for o in found
        ]
        return Outcome(text="\n".join(lines), run=run.folder.name, figures=plain({"outliers": figures}))


class WhatIf(Asking):
    """What would have been, by replay."""

    NAME: ClassVar[str] = "what-if"
    MEANING: ClassVar[str] = (
        "Replay with a dial turned or examples left out from a step on: what would have come of it."
    )

    dials: Annotated[dict[str, float], Field(description="dials and their values")] = Field(default={})
    without: Annotated[str, Field(description="examples to leave out: 3,17,40:60")] = ""
    start: Annotated[int, Field(ge=0, description="the state from which on")] = 0

    def foretell(self, session: Session) -> Preview:
        """What the answer costs."""
        run = session.native(self.run)
        other = alternative(run, self.dials, self.without, self.start)
        said = [f"with {settings(self.dials)}"] if self.dials else []
        said += [f"without {example_words(self.without)}"] if self.without else []
        where = f"replay {run.folder.name} from step {other.first} to {other.last}"
        text = f"{where}, as it was and as it would have been {' and '.join(said)}"
        cost = other.cost
        return Preview(text=text, effect=self.EFFECT, steps=cost.steps, seconds=cost.seconds, remarks=other.remarks)

    def act(self, session: Session) -> Outcome:
        """Replays both sides."""
        run = session.native(self.run)
        found = what_if(run, self.dials, self.without, self.start)
        metrics = {name: (float(both[0, -1]), float(both[1, -1])) for name, both in found.metrics.items()}
        evaluated = list(found.evaluations.values())[-1:]
        metrics |= {f"valid.{name}": (b.actual, b.other) for row in evaluated for name, b in row.items()}
        said = ", ".join(f"{name} {b:.4g} instead of {a:.4g}" for name, (a, b) in metrics.items())
        far = sorted(found.tensors, key=lambda one: -one.relative)[:3]
        moved = ", ".join(f"{one.name} by {one.relative:.2%}" for one in far)
        text = f"at step {int(found.steps[-1])}: {said}; farthest from what they were: {moved}"
        figures = {"metrics": metrics, "tensors": {one.name: one.relative for one in found.tensors}}
        return Outcome(text=text, run=run.folder.name, figures=plain(figures))


class Waste(Asking):
    """What a run computes for nothing."""

    NAME: ClassVar[str] = "waste"
    MEANING: ClassVar[str] = "Count what a run computes for nothing, and say what would remove it."

    def act(self, session: Session) -> Outcome:
        """Measures some steps."""
        run = session.native(self.run)
        found = waste(run)
        share = found.zero / max(1, found.multiply_adds)
        lines = [f"{share:.1%} of the multiply-adds have a zero operand; what takes longest:"]
        lines += [
            f"{one.what}: {one.count} of {one.of}, {one.seconds * 1000:.3g} ms a step; {one.remedy}"
            for one in found.lines[:SHOWN]
        ]
        return Outcome(text="\n".join(lines), run=run.folder.name, figures=plain({"zero_share": share}))


class Cost(Asking):
    """Operations of a step."""

    NAME: ClassVar[str] = "cost"
    MEANING: ClassVar[str] = "Say how many operations a step costs."

    def act(self, session: Session) -> Outcome:
        """Counts by the program's shapes."""
        run = session.native(self.run)
        found = routine_cost(run.program, LEARN)
        text = f"a step of {run.folder.name} takes {found.total.operations:,} operations"
        return Outcome(text=text, run=run.folder.name, figures={"operations": found.total.operations})


class Diagnose(Asking):
    """What is wrong with a run, with evidence."""

    NAME: ClassVar[str] = "diagnose"
    MEANING: ClassVar[str] = "Say what is wrong: memorising, stalled, diverging, dead units..., since when, how sure."

    deep: Annotated[bool, Field(description="also by replay of some steps: gradients, units, sharpness")] = True

    def act(self, session: Session) -> Outcome:
        """Looks."""
        run = session.recording(self.run)
        found = diagnose(run, deep=self.deep)
        lines = [
            f"{one.name} since step {one.since} ({one.sureness:.0%} sure): {one.words}"
            + (f" Usually: {one.remedies[0].words}" if one.remedies else "")
            for one in found.findings
        ]
        series = tuple(
            Series(name=f"{one.name}: {curve.name}", steps=list(curve.steps), values=list(curve.values))
            for one in found.findings
            for curve in one.evidence[:1]
        )
        figures = {"findings": [one.as_json() for one in found.findings]}
        return Outcome(
            text="\n".join(lines) or "nothing wrong is found",
            run=run.folder.name,
            figures=plain(figures),
            series=series,
        )


def _since(step: int | None) -> str:
    return "" if step is None else f", since step {step}"
