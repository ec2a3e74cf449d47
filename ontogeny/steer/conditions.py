"""Conditions over a run: metrics, parameters and what happened, joined by `and` and `or`. Nothing is evaluated as code.

valid.accuracy >= 0.99        a metric of the step, or of the last evaluation
norm(embed.weight) > 10       norm, mean, std, min or max of a parameter
out.weight[3,7] < 0           one element
generalised                   an event of `ask/events.py`
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ontogeny.ask import events
from ontogeny.ask.catapulted import Rising
from ontogeny.ask.diagnose import watcher_of
from ontogeny.ask.findings import KINDS
from ontogeny.ask.onsets import FEW, STAYED, Curve, levels, lost
from ontogeny.isa.errors import OntogenyError
from ontogeny.machine.base import value_of
from ontogeny.machine.conditions import RELATIONS
from ontogeny.record.run import Run
from ontogeny.record.trace.traces import element, named
from ontogeny.steer.places import event_called

CLAUSE = re.compile(
    r"(?:(?P<of>\w+)\((?P<name>[\w.]+)\)|(?P<what>[\w.]+(?:\[[\d,\s]+\])?))\s*(?P<relation><=|>=|==|!=|<|>)\s*"
    r"(?P<bound>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,4})?%?)"
)
OF: dict[str, Callable[[npt.NDArray[np.float64]], float]] = {
    "norm": lambda a: float(np.linalg.norm(a)),
    "mean": lambda a: float(a.mean()),
    "std": lambda a: float(a.std()),
    "min": lambda a: float(a.min()),
    "max": lambda a: float(a.max()),
}
LATEST = {"memorised": "accuracy", "spiked": "loss", "diverged": "loss"}
"""Events that the latest steps of a metric tell."""
SEEN = 64
"""So many of them, more than any of these events is told from."""
Metrics = Mapping[str, float]
Clause = Callable[[Metrics], bool]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on a run, ready to be asked after every step with the step's metrics."""

    text: str
    holds: Clause

    def __str__(self) -> str:
        return self.text


def condition(run: Run, text: str) -> Condition:
    """The condition that a text says, for a run. Raises OntogenyError for one that it cannot be asked."""
    choices = [
        [_clause(run, clause.strip()) for clause in re.split(r"\s+and\s+", choice)]
        for choice in re.split(r"\s+or\s+", text.strip())
    ]
    return Condition(text.strip(), lambda metrics: any(all(one(metrics) for one in choice) for choice in choices))


def _clause(run: Run, text: str) -> Clause:
    match = CLAUSE.fullmatch(text)
    if match is None:
        return _event(run, text)
    compare = RELATIONS[match["relation"]]
    bound = float(match["bound"].rstrip("%")) / (100 if match["bound"].endswith("%") else 1)
    if match["of"]:
        measure, values = _measure(match["of"]), _values(run, match["name"])
        return lambda metrics: bool(compare(measure(values()), bound))
    if match["what"] in metric_names(run):
        what = match["what"]
        return lambda metrics: bool(compare(metrics.get(what, np.nan), bound))
    name, place = element(run.traces, match["what"])
    values = _values(run, name)
    return lambda metrics: bool(compare(float(values().reshape(-1)[place]), bound))


def metric_names(run: Run) -> tuple[str, ...]:
    """The metrics of a step, and those of an evaluation as `valid.*`."""
    evaluated = dict.fromkeys(name for row in run.evaluations() for name in row if name != "step")
    return (*run.history.names, *(f"valid.{name}" for name in evaluated))


def _event(run: Run, text: str) -> Clause:
    word = text.removeprefix("it ").removeprefix("is ").removeprefix("has ").strip()
    if word in KINDS and KINDS[word].watch is not None:
        return _finding(run, word)
    name = event_called(word)
    if name is None:
        watched = [kind.name for kind in KINDS.values() if kind.watch is not None]
        raise OntogenyError(
            f"{text!r} is no condition; write a metric, a relation and a number (valid.accuracy >= 0.99), "
            f"norm(tensor) > 1, or what happens: {', '.join([*events.EVENTS, *watched])}. "
            f"The metrics are {', '.join(metric_names(run))}"
        )
    return _happened(run, name)


def _happened(run: Run, name: str) -> Clause:
    """Whether an event has happened, at the cost of a few steps each time, however long the run is.

    What is read off evaluations is looked at when there is a new one; what a few steps tell, in the latest ones.
    """
    every = run.start["evaluate_every"]

    def whole() -> bool:
        return events.EVENTS[name](events.curves(run)) is not None

    if name == "catapulted":
        return _risen(run, whole)
    if name not in LATEST:
        known = whole()

        def evaluated(metrics: Metrics) -> bool:
            nonlocal known
            known = whole() if every and run.step % every == 0 else known or (name == "best" and not every)
            return known

        return evaluated
    return _lately(run, name, whole())


def _risen(run: Run, whole: Callable[[], bool]) -> Clause:
    """Whether a run was catapulted: looked for when the loss has come to lie below where it rose from."""
    happened, rising = whole(), Rising()
    for loss in events.curves(run).get("loss", ((), ()))[1]:
        rising.ended(float(loss))

    def holds(metrics: Metrics) -> bool:
        nonlocal happened
        if "loss" in metrics and rising.ended(metrics["loss"]):
            happened = happened or whole()
        return happened

    return holds


def _lately(run: Run, name: str, happened: bool) -> Clause:
    """The same of an event that a few steps tell, and, of the loss, its levels before them. It stays happened."""
    metric = LATEST[name]
    curve = events.curves(run).get(metric, (np.zeros(0), np.zeros(0)))
    told = _losing(curve[1]) if name == "diverged" else _among(name, curve)

    def holds(metrics: Metrics) -> bool:
        nonlocal happened
        if metric in metrics:
            happened = told(run.step, metrics[metric]) or happened
        return happened

    return holds


def _among(name: str, curve: Curve) -> Callable[[int, float], bool]:
    """Whether an event shows among the latest steps."""
    latest = deque(zip(*curve, strict=True), maxlen=SEEN)

    def told(step: int, value: float) -> bool:
        latest.append((step, value))
        steps, values = np.array(latest, np.float64).T
        return events.EVENTS[name]({LATEST[name]: (steps, values)}) is not None

    return told


def _losing(losses: npt.NDArray[np.float64]) -> Callable[[int, float], bool]:
    """Whether a loss has diverged, by its latest values, and the first and lowest level before them."""
    latest = deque(losses, maxlen=FEW + STAYED)
    early = levels(losses[:-STAYED]).tolist()
    first, best = next(iter(early), None), min(early, default=np.inf)

    def told(step: int, value: float) -> bool:
        nonlocal first, best
        latest.append(value)
        seen = np.array(latest)
        found = lost(seen, first, best)
        for level in levels(seen[:-STAYED]).tolist():
            first, best = level if first is None else first, min(best, level)
        return found is not None or not np.isfinite(value)

    return told


def _finding(run: Run, name: str) -> Clause:
    """Whether a finding holds, watched from here on with all that was told before."""
    watcher = watcher_of(run, [name])

    def holds(metrics: Metrics) -> bool:
        watcher.step(run.step, metrics)
        return any(found.until is None for found in watcher.findings)

    return holds


def _measure(name: str) -> Callable[[npt.NDArray[np.float64]], float]:
    if name not in OF:
        raise OntogenyError(f"{name!r} cannot be taken of a parameter; there are {', '.join(OF)}")
    return OF[name]


def _values(run: Run, name: str) -> Callable[[], npt.NDArray[np.float64]]:
    declared = {decl.name: decl for decl in run.program.named_params()}
    decl = declared[named(run.traces, name).name]

    def values() -> npt.NDArray[np.float64]:
        state = run.state()
        return value_of(decl, state).astype(np.float64)

    return values
