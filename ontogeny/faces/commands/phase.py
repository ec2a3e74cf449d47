"""ontogeny phase"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.ask.memorised import examples_of
from ontogeny.ask.phase import Foretold, Passed, foretold, passed
from ontogeny.faces.progress import Busy
from ontogeny.faces.sources import DataFile, RunNames, opened, told_apart
from ontogeny.faces.terminal import AsJson, answer, number, table
from ontogeny.isa.errors import OntogenyError, RecordError
from ontogeny.record.run import Run

BELOW, BETWEEN, ABOVE = (1 / 4, 1 / 2, 0.9), (1 / 4, 1 / 2, 3 / 4), (1.1, 2.0)
"""Where nobody names rates: so many times the first bound, so far from it to the second in equal factors, and so many
times the second."""


@dataclass(frozen=True, slots=True)
class Told:
    """A run: the phase of its first learning rate, foretold from its first state; what it then did, None before its
    first step; and what the bounds do not know of it."""

    foretold: Foretold
    did: Passed | None
    remarks: tuple[str, ...]

    @staticmethod
    def of(run: Run) -> Told:
        """What is foretold of a run and what it did."""
        found = foretold(run)
        did = passed(run, found.sharpness) if run.step else None
        return Told(found, did, tuple(_remarks(run, found)))

    def as_json(self) -> dict[str, Any]:
        """The same as plain values; phases by their names."""
        found, did = self.foretold, self.did
        document = asdict(found) | {"phase": found.phase.value, "times": times(found), "remarks": list(self.remarks)}
        done = None if did is None else asdict(did) | {"phase": did.phase.value if did.phase else None}
        return {**document, "did": done}

    @property
    def words(self) -> str:
        """What it did."""
        if self.did is None:
            return "no step yet"
        return self.did.phase.value if self.did.phase else "none of them so far"


def command(
    names: RunNames,
    rates: Annotated[str, typer.Option("--rates", help="Also of these, such as 0.01,0.1; else about the bounds.")] = "",
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Foretell whether a learning rate is lazy, catapults or diverges, beside what the run then did.

    By the largest eigenvalue of the loss's Hessian before the first step, for plain gradient descent on a squared
    error with all examples at every step; of other rules, losses and nonlinearities the bounds are not known. The
    rates of --rates are told of from where the first run began; runs at other rates may be named beside it.
    """
    found = dict[str, Told]()
    asked = _numbers(rates)
    with Busy(f"asking how sharp the loss of {', '.join(names)} is", as_json):
        for name, run in told_apart([opened(one, file) for one in names]).items():
            found[name] = Told.of(run)
    first = next(iter(found.values())).foretold
    others = [first.at(rate) for rate in asked or _about(first)]
    document = {
        "runs": [{"run": name, **one.as_json()} for name, one in found.items()],
        "rates": [{"rate": one.rate, "times": times(one), "phase": one.phase.value} for one in others],
    }

    def words(console: Console) -> None:
        _say(console, found, others)

    answer(document, as_json, words)


def times(found: Foretold) -> float:
    """The rate in units of one over the largest eigenvalue: 2 is the first bound."""
    return 2 * found.rate / found.lower


def _say(console: Console, found: dict[str, Told], others: Sequence[Foretold]) -> None:
    shown = table("", run="left", rate="right", rate_x_l="right", foretold="left", did="left")
    for name, one in found.items():
        shown.add_row(escape(name), *_cells(one.foretold), one.words)
    for other in others:
        shown.add_row("", *_cells(other))
    console.print(shown)
    first = next(iter(found.values())).foretold
    console.print(escape(f"a {first.kind} network: {first.words}"), soft_wrap=True)
    for name, one in found.items():
        for remark in (*_course(one.did), *one.remarks):
            console.print(f"[dim]{escape(f'{name}: {remark}')}[/]", soft_wrap=True)


def _course(did: Passed | None) -> list[str]:
    """What a run did, in figures."""
    if did is None:
        return []
    losses = f"loss {number(did.first)} at first, {number(did.highest)} at most, {number(did.last)} in the end"
    return [f"{losses}; l {number(did.before.value)} before training, {number(did.after.value)} after"]


def _cells(one: Foretold) -> tuple[str, str, str]:
    return number(one.rate), f"{times(one):.3g}", one.phase.value


def _about(found: Foretold) -> list[float]:
    """Rates below, between and above the bounds."""
    between = (found.lower * (found.upper / found.lower) ** share for share in BETWEEN)
    return [*(found.lower * share for share in BELOW), *between, *(found.upper * share for share in ABOVE)]


def _remarks(run: Run, found: Foretold) -> list[str]:
    """What of a run is not as the bounds suppose."""
    said = []
    batch = len(next(iter(run.data.batch(0).values())))
    with suppress(RecordError):  # data that does not say how much it is
        if batch < (every := examples_of(run)):
            said.append(f"a step learns from {batch} of {every} examples; the bounds are of all at once")
    if run.step and (last := run.dials(run.step)["lr"]) != found.rate:
        said.append(f"lr began at {found.rate:g} and is {last:g} now; foretold is what the first one does")
    return said


def _numbers(text: str) -> list[float]:
    """Learning rates as they are spelt."""
    try:
        found = [float(one) for one in text.split(",")] if text else []
    except ValueError:
        found = [0.0]
    if any(not 0 < one < math.inf for one in found):
        raise OntogenyError(f"--rates {text!r}: give learning rates above 0 with commas between, such as 0.01,0.1")
    return found
