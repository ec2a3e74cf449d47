"""ontogeny groups"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.ask.alike import AT_LEAST
from ontogeny.ask.groups import TRAILING, Group, Groups, groups, names
from ontogeny.ask.series import UPDATES
from ontogeny.faces.commands.alike import MODES
from ontogeny.faces.progress import Busy
from ontogeny.faces.sources import DataFile, StepWindow, Valued, values
from ontogeny.faces.terminal import AsJson, answer, table
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.trace.traces import Window

TENSORS = 3
WIDTH, WIDE = 32, 120
"""Blocks of a chart, and the columns of a terminal below which there are fewer."""
BARS = "▁▂▃▄▅▆▇█"


def command(
    name: Valued,
    at_least: Annotated[
        float, typer.Option("--at-least", help="The correlation of members with their leader.")
    ] = AT_LEAST,
    over: Annotated[str, typer.Option("--over", help="Charts of updates or of values.")] = UPDATES,
    window: StepWindow = ":",
    either_sign: Annotated[bool, typer.Option("--either-sign", help="Opposite charts move together too.")] = False,
    without: Annotated[bool, typer.Option("--without-shared-modes", help="Take what all share out first.")] = False,
    modes: Annotated[int, typer.Option("--modes", help="How many shared modes that is.")] = MODES,
    trailing: Annotated[int, typer.Option("--trailing", help="Steps that tell when a group formed.")] = TRAILING,
    most: Annotated[int, typer.Option("--top", help="At most so many groups.")] = 20,
    number: Annotated[int, typer.Option("--members", min=0, metavar="N", help="Only what group N's are called.")] = 0,
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Find groups of parameters that move together, and when they formed.

    A group is a leader and all that correlate with it. The shared modes are what most of all charts have in common.
    What moved group 1: `ontogeny explain RUN --group 1`, over the same steps.
    """
    source = values(name, file)
    with Busy(f"grouping the charts of {name}, at first with an index of them", as_json):
        found = groups(
            source,
            at_least,
            over=over,
            window=Window.parse(window),
            either_sign=either_sign,
            without_modes=modes if without else 0,
            most=number or most,
            trailing=trailing,
        )
    if number:
        called = names(source, found, numbered(found, number))
        return answer({"group": number, "members": called}, as_json, lambda _: typer.echo("\n".join(called)))
    answer(document(found), as_json, lambda console: say(console, found))


def numbered(found: Groups, number: int) -> Group:
    """Group `number`, counted from 1. Raises OntogenyError where there are fewer."""
    if number > len(found.groups):
        steps = f"steps {found.steps[0]} to {found.steps[-1]}"
        raise OntogenyError(f"there is no group {number} in {steps}, only {len(found.groups)}; `ontogeny groups` lists")
    return found.groups[number - 1]


def document(found: Groups) -> dict[str, Any]:
    """The whole answer, but for the members' names, which --members gives."""
    about = {"over": found.over, "steps": found.steps.tolist(), "at_least": found.at_least}
    counts = {"elements": found.elements, "shaped": found.shaped, "sampled": found.sampled, "grouped": found.grouped}
    shared = [
        {"energy": share, "chart": mode.tolist()} for share, mode in zip(found.energy, found.modes.T, strict=False)
    ]
    return {**about, **counts, "modes": shared, "groups": [group_document(*one) for one in enumerate(found.groups, 1)]}


def group_document(number: int, group: Group) -> dict[str, Any]:
    """One group."""
    strongest = [{"element": match.shown, "score": match.score} for match in group.strongest]
    about = {"group": number, "leader": group.leader, "size": group.size, "formed": group.formed, "held": group.held}
    return {**about, "tensors": dict(group.tensors), "chart": group.chart.tolist(), "strongest": strongest}


def say(console: Console, found: Groups) -> None:
    """The groups as a table, then the shared modes in a line."""
    shown = table("", group="right", size="right", chart="left", formed="left", leader="left", members="left")
    shown.columns[2].no_wrap = True
    width = WIDTH if console.width >= WIDE else WIDTH // 4
    for number, group in enumerate(found.groups, 1):
        leading = sorted(group.tensors.items(), key=lambda item: -item[1])
        members = "\n".join(f"{name} {count}" for name, count in leading[:TENSORS])
        more = f"\nand {len(leading) - TENSORS} tensors more" if len(leading) > TENSORS else ""
        formed = "" if group.formed is None else f"{group.formed} to {group.held}"
        chart = bars(group.chart.tolist(), width)
        shown.add_row(str(number), str(group.size), chart, formed, escape(group.leader), escape(members + more))
    if found.groups:
        console.print(shown)
    bar = f"{found.at_least:g}"
    console.print(
        f"[bold]{found.grouped}[/] of {found.elements} parameters are in {len(found.groups)} groups whose {found.over} "
        f"correlate with a leader's by {bar} or more, steps {found.steps[0]} to {found.steps[-1]}",
        soft_wrap=True,
    )
    shares = "  ".join(f"{share:.1%}" for share in found.energy)
    console.print(f"shared modes hold {shares} of all charts' energy, {sum(found.energy):.1%} together", soft_wrap=True)
    if found.sampled < found.shaped:
        console.print(f"[dim]leaders are drawn from {found.sampled} parameters; small groups may be missed[/]")


def bars(chart: list[float], width: int) -> str:
    """A chart as a line of blocks, from its lowest to its highest."""
    parts = [chart[i * len(chart) // width : (i + 1) * len(chart) // width] for i in range(width)]
    points = [sum(part) / len(part) for part in parts if part]
    low, high = min(points), max(points)
    return "".join(BARS[round((point - low) / (high - low or 1) * (len(BARS) - 1))] for point in points)
