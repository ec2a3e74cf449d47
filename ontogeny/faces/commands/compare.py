"""ontogeny compare"""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape

from ontogeny.ask.price.learner import step_of
from ontogeny.faces.costs import turned
from ontogeny.faces.running import evaluated
from ontogeny.faces.sources import RunNames, opened
from ontogeny.faces.terminal import AsJson, amount, answer, columns, number, table
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.parting import parting
from ontogeny.record.run import Run

WORK = {"parameters": "parameters", "operations": "operations a step", "uses": "uses of a parameter"}
"""What a step takes, and how often a parameter is used for an example, forward: told where runs differ in it."""


def command(names: RunNames, as_json: AsJson = False) -> None:
    """Put runs side by side: what they were made with, what they reached, and where they part."""
    if len(names) < 2:
        raise OntogenyError("name at least two runs to compare")
    runs = [opened(name) for name in names]
    document = {
        "runs": [described(run) for run in runs],
        "parts_at": [parting(runs[0].history, run.history) for run in runs[1:]],
    }
    answer(document, as_json, lambda console: say(console, document))


def described(run: Run) -> dict[str, Any]:
    """A run's side of the table."""
    made = {"program": run.program.name, "seed": run.start["seed"], "base": run.base, "step": run.step}
    made["program_changed_at"] = run.changed
    step = step_of(turned(run.program, run.dials()))
    work = {"parameters": step.parameters, "operations": step.products + step.others, "uses": step.uses}
    reached = {"dials": run.dials(), **work, "metrics": run.latest(), **evaluated(run), "hash": run.hash()}
    return {"run": run.folder.name, **made, **reached}


def say(console: Console, document: dict[str, Any]) -> None:
    """A column for each run, and a row for all that they do not have in common, or that was measured."""
    runs = document["runs"]
    shown = columns(table("", what="left"), (run["run"] for run in runs))
    for name in ("program", "seed", "base", "step"):
        shown.add_row(name, *(escape(str(run[name])) for run in runs))
    if any(run["program_changed_at"] is not None for run in runs):
        shown.add_row("program since", *(str(run["program_changed_at"] or 0) for run in runs))
    for name, words in WORK.items():
        if len({run[name] for run in runs}) > 1:
            shown.add_row(words, *(number(run[name]) if name == "uses" else amount(run[name]) for run in runs))
    for group in ("dials", "metrics"):
        for name in dict.fromkeys(name for run in runs for name in run[group]):
            values = [run[group].get(name) for run in runs]
            if group == "metrics" or len(set(values)) > 1:
                shown.add_row(escape(name), *("" if value is None else number(value) for value in values))
    if any("evaluated_at" in run for run in runs):
        shown.add_row("valid.* as of step", *(str(run.get("evaluated_at", run["step"])) for run in runs))
    console.print(shown)
    first = escape(runs[0]["run"])
    for run, at in zip(runs[1:], document["parts_at"], strict=True):
        where = (
            "are the same as far as both go" if at is None else f"are the same up to step {at - 1}, and part at {at}"
        )
        console.print(
            f"{first} and {escape(run['run'])} {where}"
            if at != 0
            else f"{first} and {escape(run['run'])} differ from the start"
        )
