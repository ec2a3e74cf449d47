"""ontogeny laws"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ontogeny.ask.laws.asked import Given as Taken
from ontogeny.ask.laws.asked import Wanted, chosen, of_runs, told
from ontogeny.ask.laws.law import SAMPLES
from ontogeny.ask.laws.of_runs import LAST, TAKES, Asked
from ontogeny.ask.laws.published import LAWS, published
from ontogeny.ask.laws.read import read_points
from ontogeny.ask.laws.table import FORMS
from ontogeny.faces.laws_picture import draw
from ontogeny.faces.laws_words import say
from ontogeny.faces.outputs import SPELT, place
from ontogeny.faces.picture import save
from ontogeny.faces.sources import opened
from ontogeny.faces.terminal import AsJson, answer
from ontogeny.isa.errors import LawError
from ontogeny.record.runs_folder import RunsFolder

Given = Annotated[
    list[str] | None, typer.Argument(metavar="RUN...|FILE.csv", help="Runs, a folder of runs, or CSV files of points.")
]
AT = "Foretell a run; D are all tokens that it sees, EPOCHS times each."


def command(
    given: Given = None,
    form: Annotated[str, typer.Option("--form", help=f"Of {', '.join(FORMS)}; else the richest supported.")] = "",
    at: Annotated[list[str] | None, typer.Option("--at", metavar="N,D[,EPOCHS]", help=AT)] = None,
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
    wanted = Wanted.parse(at or (), budget or (), unique, per)
    points = Taken(None) if source else collected(given or [], Asked(metric, take, count), best, drop)
    found = told(points, wanted, form, samples, seed, published(source) if source else None)
    files = save(draw(found.law, unit=found.unit), place(output, "laws.png")) if output else []
    document = {**found.as_json(), "files": [str(path) for path in files]}
    answer(document, as_json, lambda console: say(console, found, files))


def collected(given: list[str], which: Asked, best: bool, drop: int) -> Taken:
    """The points of runs, folders of runs or a CSV file."""
    files = [Path(one) for one in given if Path(one).suffix.lower() == ".csv"]
    names = [one for one in given if Path(one).suffix.lower() != ".csv"]
    if not given:
        raise LawError("name runs, a folder of runs, or a CSV file of points; --published NAME needs none")
    if files and names:
        raise LawError("runs and CSV files do not count alike; give either")
    if len(files) > 1:
        raise LawError(f"one CSV file at a time; put the rows of {len(files)} into one")
    if files:
        return Taken(chosen(read_points(files[0]), best, drop))
    return of_runs([opened(run) for name in names for run in _runs(name)], which, best, drop)


def _runs(name: str) -> list[str]:
    """A run, or all that lie in a folder."""
    folder = Path(name)
    if folder.is_dir() and not (folder / "journal.jsonl").exists():
        found = [str(one) for one in RunsFolder(folder).all()]
        if not found:
            raise LawError(f"{name} is a folder without runs")
        return found
    return [name]
