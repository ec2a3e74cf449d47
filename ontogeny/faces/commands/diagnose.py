"""ontogeny diagnose"""

from __future__ import annotations

import time
from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.ask.diagnose import Watcher, diagnose
from ontogeny.ask.evidence import Evidence
from ontogeny.ask.finding import Diagnosis, Finding
from ontogeny.faces.plot import plot
from ontogeny.faces.sources import DataFile, RunName, StepWindow, recording
from ontogeny.faces.terminal import AsJson, answer, table
from ontogeny.record.trace.traces import Window

LOOK_SECONDS = 1.0


def command(
    name: RunName,
    steps: StepWindow = ":",
    kinds: Annotated[
        list[str] | None, typer.Option("--kind", help="Only findings of this name; may be repeated.")
    ] = None,
    deep: Annotated[
        bool, typer.Option("--deep/--quick", help="By replay too, or only what was told of each step.")
    ] = True,
    follow: Annotated[bool, typer.Option("--follow", help="Look on while it runs, and say what is new.")] = False,
    idle: Annotated[float, typer.Option("--idle", help="Follow until nothing was told for so many seconds.")] = 60.0,
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with a run: since when, how sure, on what evidence.

    And what is usually done about it. Memorising, diverging, a learning rate that is too high or too low, dead and
    saturated units, vanishing and exploding gradients, lost updates, leaks between training and held-out data, wrong
    labels, and what else can go wrong. Without --quick some steps are replayed, and other learning rates tried.
    """
    if follow:
        looked_on(name, kinds, idle, as_json)
        return
    found = diagnose(recording(name, file), Window.parse(steps), kinds, deep)
    answer(found.as_json(), as_json, lambda console: say(console, found))


def looked_on(name: str, kinds: list[str] | None, idle: float, as_json: bool) -> None:
    """Reads what is told as it is told, until that ends or Ctrl-C."""
    watcher, last, told = Watcher(kinds), 0, time.monotonic()
    while time.monotonic() - told <= idle:
        for step, metrics in Evidence(recording(name), Window(last + 1, None)).told():
            last, told = step, time.monotonic()
            for finding in watcher.step(step, metrics):
                answer(finding.as_json(), as_json, partial(said, one=finding))
        time.sleep(min(LOOK_SECONDS, idle))


def say(console: Console, found: Diagnosis) -> None:
    """The table and each finding's evidence, for a person."""
    if found.findings:
        shown = table("", found="left", since="right", sure="right", what="left")
        for one in found.findings:
            since = f"{one.since}" + (f" to {one.until}" if one.until is not None else "")
            shown.add_row(f"[{colour(one)}]{words(one.name)}[/]", since, f"{one.sureness:.0%}", escape(one.words))
        console.print(shown)
        for one in found.findings:
            console.print()
            said(console, one)
        console.print()
    if found.healthy:
        console.print(
            f"[green]healthy[/] at step {found.step}: no fault among {len(found.looked_for)} that were looked for"
        )
    for why in dict.fromkeys(found.silent.values()):
        silent = ", ".join(words(name) for name, said in found.silent.items() if said == why)
        console.print(f"[dim]not looked for: {silent}: {escape(why)}[/]", soft_wrap=True)


def said(console: Console, one: Finding) -> None:
    """One finding: a sentence, its evidence as a small chart, and what is done about it."""
    console.print(
        f"[bold {colour(one)}]{words(one.name)}[/] since step {one.since}, {one.sureness:.0%} sure", highlight=False
    )
    console.print(escape(one.words), soft_wrap=True)
    for line in one.evidence[:2]:
        drawn = plot(line.steps, line.values)
        if drawn:
            console.print(f"[dim]{escape(line.name)}[/]")
            for row in drawn:
                console.print(escape(row), highlight=False, no_wrap=True)
    for remedy in one.remedies:
        console.print(f"  - {escape(remedy.words)}", soft_wrap=True)


def words(name: str) -> str:
    """A finding's name as a person reads it."""
    return name.replace("_", " ")


def colour(one: Finding) -> str:
    """Red for a fault that holds, yellow for one that is over, blue for a state."""
    if not one.fault:
        return "blue"
    return "yellow" if one.until is not None else "red"
