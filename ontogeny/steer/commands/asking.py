"""Questions about where a run stands, what happened to it, and how it differs from another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from ontogeny.ask import events
from ontogeny.ask.onsets import Event, Floats
from ontogeny.front.edits.describe import describe
from ontogeny.isa.errors import OntogenyError
from ontogeny.isa.hints import typed
from ontogeny.record.attach.attached import Attached
from ontogeny.record.journal import Entry
from ontogeny.record.parting import parting
from ontogeny.record.recorded import SESSION
from ontogeny.record.run import Run
from ontogeny.record.trace.traces import Window, element
from ontogeny.steer.command import Asking, Outcome, Steps
from ontogeny.steer.figures import plain, said, thinned, value_at
from ontogeny.steer.session import COMMAND, Session

FIRST = ("start", "fork")
IDENTITY = ("id", "hash", "parent_id", "parent_hash")
"""What tells a run from others, and a person nothing."""
SHOWN = 20
"""The last lines of a journal that are shown to a person; the rest are counted, and stand in the figures."""
CONVENTION = "step s leads from state s-1 to state s, and its loss is taken on the way; evaluations are of state s"
"""What a step is, in all that is told of runs."""
DRAWN = ("valid.accuracy", "valid.loss", "loss")
"""The curves that a comparison draws."""
NEITHER = (None, None)


class Status(Asking):
    """Where a run stands: its step, dials, rule, latest metrics, and what happened."""

    NAME: ClassVar[str] = "status"
    MEANING: ClassVar[str] = "Say where a run stands: step, dials, rule, metrics, and what happened."

    def act(self, session: Session) -> Outcome:
        """Reads it off the record."""
        run, step = session.recording(self.run), session.step(self.run)
        known = events.curves(run)
        latest = {name: value_at(curve, step) for name, curve in known.items()}
        latest = {name: value for name, value in latest.items() if value is not None}
        happened = [event for event in events.all_events(run) if event.name != "best"]
        dials = session.stood(self.run).dials(step) if isinstance(run, Run) else {}
        lines = [f"{run.folder.name} is at step {step}{f' of {run.step}' if step < run.step else ''}"]
        lines += [", ".join(f"{name} {value:.4g}" for name, value in latest.items())] if latest else []
        lines += ["dials " + ", ".join(f"{name} {value:g}" for name, value in dials.items())] if dials else []
        lines += [f"rule: {describe(run.as_of(step).program, dials=False)}"] if isinstance(run, Run) else []
        lines += [f"{event.name} by step {event.step}: {event.evidence}" for event in happened]
        figures = {"metrics": latest, "dials": dials, "events": {event.name: event.step for event in happened}}
        return Outcome(text="\n".join(lines), run=run.folder.name, step=step, figures=figures)


class Curve(Asking):
    """A curve: a metric of the run, or one parameter."""

    NAME: ClassVar[str] = "curve"
    MEANING: ClassVar[str] = "Show a metric, or one parameter, against steps."

    of: Annotated[str, Field(description="a metric (loss, valid.accuracy) or a parameter (embed.weight[3,7])")] = "loss"
    steps: Steps = ":"

    def act(self, session: Session) -> Outcome:
        """Reads it, thinned to what a chart shows."""
        run, window = session.recording(self.run), Window.parse(self.steps)
        known = events.curves(run)
        if self.of in known:
            steps, values = known[self.of]
        elif "[" in self.of or self.of in run.traces.tensors:
            name, place = element(run.traces, self.of)
            steps, values = (one.astype(np.float64) for one in run.traces.lines(name, [place], window))
            values = values[:, 0]
        else:
            raise OntogenyError(f"{self.of!r} is neither a metric nor a parameter; the metrics are {', '.join(known)}")
        if window.start is not None and window.stop == window.start + 1:
            return self._at(run, steps, values, window.start)
        inside = window.of(steps.astype(np.int64))
        steps, values = steps[inside], values[inside]
        if not len(steps):
            raise OntogenyError(f"{self.of} has no value in the steps {self.steps}")
        low, high = int(np.nanargmin(values)), int(np.nanargmax(values))
        text = (
            f"{self.of} went from {values[0]:.4g} at step {steps[0]:.0f} to {values[-1]:.4g} at step {steps[-1]:.0f}; "
            f"lowest {values[low]:.4g} at {steps[low]:.0f}, highest {values[high]:.4g} at {steps[high]:.0f}"
        )
        curve = thinned(self.of, steps, values)
        figures = {"first": values[0], "last": values[-1], "lowest": values[low], "highest": values[high]}
        figures |= {"lowest_at": steps[low], "highest_at": steps[high]}
        return Outcome(text=text, run=run.folder.name, figures=plain(figures), series=(curve,))

    def _at(self, run: Run | Attached, steps: Floats, values: Floats, step: int) -> Outcome:
        """The value at one step, or the last before it, as of what is evaluated now and then."""
        value = value_at((steps, values), step)
        if value is None or step > run.step:
            raise OntogenyError(f"{self.of} has no value at step {step}; the run has the steps 0 to {run.step}")
        told = int(steps[np.searchsorted(steps, step, "right") - 1])
        text = f"{self.of} was {value:.4g} at step {told}{'' if told == step else f', the last value before {step}'}"
        return Outcome(text=f"{text} ({CONVENTION})", run=run.folder.name, figures={"value": value, "at": told})


class Happened(Asking):
    """What happened, by the curves: memorised, generalised, spiked, diverged, catapulted, was best."""

    NAME: ClassVar[str] = "events"
    MEANING: ClassVar[str] = (
        "Say what happened and when: memorised, generalised, spiked, diverged, catapulted, was best."
    )

    def act(self, session: Session) -> Outcome:
        """Reads it off the curves."""
        run = session.recording(self.run)
        found = events.all_events(run)
        lines = [f"{one.name}: step {one.step}{_clear_until(one)}: {one.evidence}" for one in found]
        told = {one.name for one in found}
        absent = [words for name, words in events.PAST.items() if name not in told and name != "best"]
        lines += [f"so far there is no step at which it {', or '.join(absent)}"] if absent else []
        figures = {one.name: {"step": one.step, "before": one.before, "evidence": one.evidence} for one in found}
        return Outcome(text="\n".join(lines), run=run.folder.name, figures=figures)


def _clear_until(event: Event) -> str:
    """The step that a person would go back to, where it is another one: what was best is best there."""
    return f" (nothing of it at {event.before})" if event.before < event.step else ""


class Compare(Asking):
    """Two runs side by side."""

    NAME: ClassVar[str] = "compare"
    MEANING: ClassVar[str] = "Put this run beside another: where they part, how their dials differ, what they reached."

    to: Annotated[str, Field(description="the other run; left out, the one before, or this one's parent")] = ""

    def act(self, session: Session) -> Outcome:
        """Reads both records."""
        one, other = session.native(self.run), session.native(self._other(session))
        here = session.step(self.run)
        there = min(other.step, here) if session.in_past(self.run) else other.step
        at, last = parting(one.history, other.history), min(here, there)
        dials = _apart(session.stood(self.run).dials(here), other.dials(there))
        rows = _reached(one, other, last)
        lines = [f"{_placed(one, here)} and {_placed(other, there)} {_parted(at)}"]
        lines += [f"{name}: {a:g} and {'none' if b is None else f'{b:g}'}" for name, (a, b) in dials.items()]
        lines += [
            f"{name} at step {last}: {said(a)} and {said(b)}" for name, (a, b) in rows.items() if (a, b) != NEITHER
        ]
        series = [
            thinned(f"{run.folder.name}: {name}", *curve)
            for run in (one, other)
            for name, curve in events.curves(run).items()
            if name in DRAWN
        ]
        runs = [one.folder.name, other.folder.name]
        figures = {"runs": runs, "parts_at": at, "dials": dials, "metrics": rows, "step": last}
        return Outcome(text="\n".join(lines), run=one.folder.name, figures=plain(figures), series=tuple(series))

    def _other(self, session: Session) -> str:
        if self.to:
            return self.to
        here = session.native(self.run)
        if session.previous is not None and session.previous.folder.resolve() != here.folder.resolve():
            return session.previous.folder.name
        if here.parent is not None:
            return here.parent.name
        raise OntogenyError(
            f"{here.folder.name} has no parent, and no other run was visited; name the run to compare it to"
        )


class Why(Asking):
    """Why the run, or a parameter, is as it is: what was done to it, and what its parts are."""

    NAME: ClassVar[str] = "why"
    MEANING: ClassVar[str] = (
        "Say why a run stands where it does: what was done to it, when, by whom, and their reasons."
    )

    def act(self, session: Session) -> Outcome:
        """Reads the journal, and what happened by the curves."""
        run = session.recording(self.run)
        told = [entry for entry in run.entries if entry.kind != SESSION]
        said = [entry for entry, after in zip(told, [*told[1:], None], strict=True) if not _said_by(entry, after)]
        lines = [
            f"step {entry.at}, {entry.author}: {entry.content.get('text') or _entry(entry.kind, entry.content)}"
            for entry in said
        ]
        lines += [f"step {one.step}: {one.name}, {one.evidence}" for one in events.all_events(run)]
        left = len(lines) - SHOWN
        more = [f"... {left} earlier lines are left out; all are in: {typed('why', run.folder.name, '--json')}"]
        text = "\n".join([*(more if left > 0 else []), *lines[-SHOWN:]])
        return Outcome(text=text, run=run.folder.name, figures={"lines": lines})


def _parted(step: int | None) -> str:
    """Where two runs part, in words."""
    if step is None:
        return "are the same as far as both go"
    return f"part at step {step}" if step else "differ from the start"


def _apart(dials: Mapping[str, float], others: Mapping[str, float]) -> dict[str, tuple[float, float | None]]:
    """The dials that differ from the other run's, with both values."""
    both = {name: (value, others.get(name)) for name, value in dials.items()}
    return {name: pair for name, pair in both.items() if pair[0] != pair[1]}


def _reached(one: Run, other: Run, step: int) -> dict[str, tuple[float | None, float | None]]:
    """What both had reached by a step, by the first one's metrics."""
    others = events.curves(other)
    return {
        name: (value_at(curve, step), value_at(others.get(name), step)) for name, curve in events.curves(one).items()
    }


def _placed(run: Run, step: int) -> str:
    """A run and the step at which it is looked at."""
    return f"{run.folder.name} ({f'at step {step} of {run.step}' if step < run.step else f'step {step}'})"


def _said_by(entry: Entry, after: Entry | None) -> bool:
    """Whether the line behind an entry is the command that it is of, and says it in words."""
    return after is not None and after.kind == COMMAND and entry.kind not in (COMMAND, *FIRST)


def _entry(kind: str, content: Any) -> str:
    small = {
        name: value
        for name, value in content.items()
        if isinstance(value, str | int | float) and len(str(value)) < 40 and name not in IDENTITY
    }
    return f"{kind} {' '.join(f'{name}={value}' for name, value in small.items())}".strip()
