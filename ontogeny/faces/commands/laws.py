"""ontogeny laws"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from ontogeny.ask.laws.law import PER, SAMPLES, Law, best_supported, fitted
from ontogeny.ask.laws.of_runs import LAST, TAKES, Asked, operations_each, points_of
from ontogeny.ask.laws.points import Points
from ontogeny.ask.laws.published import LAWS, published
from ontogeny.ask.laws.read import read_points
from ontogeny.ask.laws.table import FORMS
from ontogeny.ask.laws.tuned import DecayLaw, decay_law
from ontogeny.faces.laws_picture import draw
from ontogeny.faces.laws_words import Told, asked, quantity, what_if
from ontogeny.faces.outputs import SPELT, place
from ontogeny.faces.picture import save
from ontogeny.faces.sources import opened
from ontogeny.faces.terminal import AsJson, answer
from ontogeny.isa.errors import LawError
from ontogeny.record.runs_folder import RunsFolder

Given = Annotated[
    list[str] | None, typer.Argument(metavar="RUN...|FILE.csv", help="Runs, a folder of runs, or CSV files of points.")
]


def command(
    given: Given = None,
    form: Annotated[str, typer.Option("--form", help=f"Of {', '.join(FORMS)}; else the richest supported.")] = "",
    at: Annotated[list[str] | None, typer.Option("--at", metavar="N,D[,EPOCHS]", help="Foretell a run.")] = None,
    budget: Annotated[list[str] | None, typer.Option("--budget", help="Operations to make the best of.")] = None,
    unique: Annotated[str, typer.Option("--unique", help="Distinct tokens there are, for --budget.")] = "",
    per: Annotated[float | None, typer.Option("--per", help="Operations a parameter and token.")] = None,
    metric: Annotated[str, typer.Option("--metric", help="Which loss of a run.")] = "valid.loss",
    take: Annotated[str, typer.Option("--take", help=f"Which value of it: {' or '.join(TAKES)}.")] = LAST,
    count: Annotated[str, typer.Option("--count", metavar="INPUT", help="Count its elements, not examples.")] = "",
    best: Annotated[bool, typer.Option("--best-only", help="Of runs of one size and data, the best one.")] = False,
    drop: Annotated[int, typer.Option("--drop-highest", metavar="K", help="Without the K highest losses.")] = 0,
    samples: Annotated[int, typer.Option("--samples", min=100, max=10_000, help="For the intervals.")] = SAMPLES,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the samples.")] = 0,
    source: Annotated[str, typer.Option("--published", help=f"A law of {', '.join(LAWS)} instead.")] = "",
    output: Annotated[str, typer.Option(*SPELT, help="Draw it; PNG and SVG are both written.")] = "",
    as_json: AsJson = False,
) -> None:
    """Fit scaling laws to your own runs: what more parameters, data or epochs would give, and what they cannot tell."""
    if source and (given or form):
        raise LawError("--published is a law of its own; leave out the runs and --form, or leave out --published")
    wanted, budgets = [asked(one) for one in at or ()], [quantity(one) for one in budget or ()]
    bound = quantity(unique) if unique else None
    points, unit, measured = (None, "tokens", PER) if source else collected(given or [], Asked(metric, take, count))
    if points is not None:
        points = (points.best_of_each() if best else points).without_highest(drop)
    law, refused, decay = _fit(points, source, form, samples, seed)
    each, sizes = measured if per is None else per, wanted or what_if(law)
    told = Told(
        law=law,
        unit=unit,
        each=each,
        refused=refused,
        predictions=[law.predict(*one) for one in sizes],
        asymptotes=law.asymptotes() if law.form.name in ("tuned", "size") else [],
        optimal=[law.optimal(one, bound, each) for one in budgets],
        decays=[(n, u, *decay.at(n, u)) for n, _, u in sizes] if decay else [],
        files=save(draw(law, unit=unit), place(output, "laws.png")) if output else [],
    )
    answer(told.as_json(), as_json, told.say)


def collected(given: list[str], which: Asked) -> tuple[Points, str, float]:
    """The points of runs, folders of runs or a CSV file, what is counted, and operations a parameter and token."""
    files = [Path(one) for one in given if Path(one).suffix.lower() == ".csv"]
    names = [one for one in given if Path(one).suffix.lower() != ".csv"]
    if not given:
        raise LawError("name runs, a folder of runs, or a CSV file of points; --published NAME needs none")
    if files and names:
        raise LawError("runs and CSV files do not count alike; give either")
    if len(files) > 1:
        raise LawError(f"one CSV file at a time; put the rows of {len(files)} into one")
    if files:
        return read_points(files[0]), "tokens", PER
    runs = [opened(run) for name in names for run in _runs(name)]
    points = points_of(runs, which)
    measured = float(np.median([operations_each(run, which.counted) for run in runs]))
    return points, "tokens" if which.counted else "examples", measured


def _runs(name: str) -> list[str]:
    """A run, or all that lie in a folder."""
    folder = Path(name)
    if folder.is_dir() and not (folder / "journal.jsonl").exists():
        found = [str(one) for one in RunsFolder(folder).all()]
        if not found:
            raise LawError(f"{name} is a folder without runs")
        return found
    return [name]


def _fit(
    points: Points | None, source: str, form: str, samples: int, seed: int
) -> tuple[Law, dict[str, str], DecayLaw | None]:
    """The law, why richer forms are not supported, and the law of the best decay where the runs tell it."""
    if points is None:
        return published(source), {}, None
    law, refused = (fitted(points, form, samples, seed), {}) if form else best_supported(points, samples, seed)
    try:
        return law, refused, decay_law(points)
    except LawError:
        return law, refused, None
