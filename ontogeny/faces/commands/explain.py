"""ontogeny explain"""

from __future__ import annotations

import json
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ontogeny.ask.by_example import ByExample, by_example
from ontogeny.ask.explain import explain
from ontogeny.ask.explanation import Explanation
from ontogeny.ask.groups import groups
from ontogeny.ask.groups import names as names_of
from ontogeny.ask.parts import GRADIENT
from ontogeny.faces.commands.groups import numbered
from ontogeny.faces.programs import read_text
from ontogeny.faces.progress import Busy
from ontogeny.faces.sources import DataFile, RunName, StepWindow, recording
from ontogeny.faces.terminal import AsJson, answer, columns, table, tell
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.attach import Attached
from ontogeny.record.run import Run
from ontogeny.record.trace.traces import Window

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME...", help="Elements embed.weight[3,7], rows [3,:], tensors, patterns with *."),
]
Group = Annotated[
    str,
    typer.Option(
        "--group",
        metavar="N|FILE",
        help="Group N of `ontogeny groups` over these steps; or a file of names, - the input.",
    ),
]
STEPS_SHOWN = 8
MANY_STEPS = 10


def command(
    name: RunName,
    names: Names = None,
    steps: StepWindow = ":",
    group: Group = "",
    count: Annotated[int, typer.Option("--top", min=1, help="So many members and steps.")] = STEPS_SHOWN,
    file: DataFile = "",
    examples: Annotated[
        bool, typer.Option("--examples", help="Also the gradient by training example; each is replayed alone.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say which term of the rule made a parameter what it is, and which examples.

    Decay, momentum, gradient, clipping, noise, edits: the lines of each step, and of the window, sum to the change
    exactly; rounding is one of them.
    """
    run = recording(name, file)
    with Busy(f"taking the updates of {run.folder.name} apart", as_json):
        asked = [*(names or []), *(together(run, group, steps) if group else [])]
        found = explain(run, asked, steps)
    if examples and found.last - found.first >= MANY_STEPS and not as_json:
        tell(f"replaying each example of {found.last - found.first + 1} steps alone; a narrower --steps is quicker")
    with Busy("replaying examples alone", as_json):
        apart = by_example(run, asked, steps) if examples else None
    document = {**found.as_json(), **({"by_example": apart.as_json(count)} if apart else {})}
    answer(document, as_json, lambda console: say(console, found, apart, count))


def together(run: Run | Attached, group: str, steps: str) -> list[str]:
    """The names of a group: by its number, or from a file."""
    if not group.isdecimal():
        return listed(group)
    found = groups(run, window=Window.parse(steps), most=max(1, int(group)))
    return names_of(run, found, numbered(found, max(1, int(group))))


def listed(file: str) -> list[str]:
    """The names in a file."""
    text = read_text(file)
    if not text.lstrip().startswith("["):
        return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        names = json.loads(text)
    except ValueError as error:
        raise OntogenyError(f"{file} is no JSON list of names: {error}") from error
    if not all(isinstance(each, str) for each in names):
        raise OntogenyError(f"{file} holds something else than names; a JSON list of strings was expected")
    return [str(each) for each in names]


def say(console: Console, found: Explanation, apart: ByExample | None, count: int) -> None:
    """The ledger for a person."""
    console.print(headline(found), soft_wrap=True)
    console.print(totals(found))
    if found.first < found.last:
        console.print(largest(found, count))
    if len(found.members) > 1:
        console.print(members(found, count))
    if apart:
        console.print(strongest(apart, count))
    for line in [*remarks(found), *(left_over(apart) if apart else ())]:
        console.print(line, soft_wrap=True)


def headline(found: Explanation) -> str:
    """What changed, and by how much."""
    steps = f"from state {found.first - 1} to {found.last}"
    if found.count == 1 and found.members:
        (one,) = found.members
        return f"[bold]{escape(one.name)}[/] {steps}: {one.before:.6g} -> {one.after:.6g}, {found.ledger.total:+.6g}"
    asked = escape(", ".join(found.asked[:4]) + (", ..." if len(found.asked) > 4 else ""))
    return f"[bold]{asked}[/], {found.count} elements {steps}: {found.ledger.total:+.6g} together"


def totals(found: Explanation) -> Table:
    """The lines over the window, and in which step each was largest."""
    ledger = found.ledger
    shown = table("", line="left", sum="right", at_most="right", at_step="right")
    for at, line in enumerate(ledger.lines):
        where = int(np.argmax(np.abs(ledger.parts[:, at])))
        most = f"{ledger.parts[where, at]:+.3g}"
        shown.add_row(escape(line.text), f"{ledger.sums[at]:+.6g}", most, str(ledger.steps[where]))
    shown.add_row("[bold]change[/]", f"[bold]{ledger.total:+.6g}[/]", "", "")
    return shown


def largest(found: Explanation, count: int) -> Table:
    """The steps of the largest changes, in their order."""
    ledger = found.ledger
    title = "every step" if len(ledger.steps) <= count else f"the {count} largest of {len(ledger.steps)} steps"
    shown = columns(table(title, step="right", change="right"), (line.text for line in ledger.lines))
    for at in sorted(np.argsort(-np.abs(ledger.change), kind="stable")[:count]):
        parts = [f"{part:+.3g}" for part in ledger.parts[at]]
        if ledger.steps[at] in found.undivided:
            parts[:-1] = [""] * (len(parts) - 1)
        shown.add_row(str(ledger.steps[at]), f"{ledger.change[at]:+.3g}", *parts)
    return shown


def members(found: Explanation, count: int) -> Table:
    """The elements that changed most."""
    lines = found.ledger.lines
    title = f"the {min(count, found.count)} of {found.count} elements that changed most"
    shown = columns(table(title, element="left", change="right"), (line.text for line in lines))
    shown.columns[0].no_wrap = True
    ordered = sorted(found.members, key=lambda member: -abs(member.after - member.before))
    for member in ordered[:count]:
        change = f"{member.after - member.before:+.3g}"
        shown.add_row(escape(member.name), change, *(f"{part:+.3g}" for part in member.sums))
    return shown


def strongest(apart: ByExample, count: int) -> Table:
    """The examples that pushed most in the direction of the change, and against it."""
    shown = table("fresh gradient by example", example="right", part="right", times="right", pushed="left")
    for against in (False, True):
        for one in apart.most(count, against=against):
            shown.add_row(str(one.number), f"{one.part:+.3g}", str(one.times), "against" if against else "for")
    return shown


def left_over(apart: ByExample) -> list[str]:
    """What no example has alone."""
    why = f": {'; '.join(apart.reasons)}" if apart.reasons else ""
    failed = f"; {apart.failed} times an example alone gave no finite gradient" if apart.failed else ""
    together = apart.gradient - apart.remainder
    return [
        f"{len(apart.examples)} training examples together {together:+.6g} of {apart.gradient:+.6g}, left over "
        f"{apart.remainder:+.3g}{escape(why + failed)}"
    ]


def remarks(found: Explanation) -> list[str]:
    """What the elements have in common, where their gradients come from, and what the figures do not tell."""
    common, lines = found.common, []
    if found.count > 1 and len(common.tensors) == 1:
        same = (f"{axis.meaning or f'dimension {axis.dimension}'} {axis.index}" for axis in common.axes)
        lines.append(f"in common: {escape(', '.join((common.tensors[0], *same)))}")
    for origin in common.origins if any(line.kind == GRADIENT for line in found.ledger.lines) else ():
        where = f", the gradient of {origin.where}" if origin.where else ""
        lines.append(f"gradient from instruction {origin.number}: {escape(origin.text + where)}")
    lines += [f"[dim]{escape(remark)}[/]" for remark in found.remarks]
    for text, where in found.shared:
        line = f" ({where})" if where else ""
        lines.append(
            f"[dim]the rule is not linear at {escape(text + line)}: what goes through it is shared in proportion[/]"
        )
    return lines
