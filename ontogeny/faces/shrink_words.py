"""What `ontogeny shrink` says: what it is going to do, the networks it made, what was lost by class and example."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from ontogeny.faces.terminal import amount, number, size, table
from ontogeny.record.run import Run
from ontogeny.train.small.lost import Lost
from ontogeny.train.small.shrink import Network, Report
from ontogeny.train.small.sizes import parameters
from ontogeny.train.small.task import Task
from ontogeny.train.small.ways import Chosen, Plan

WORST = 5
NAMED = 12


def planned(task: Task, chosen: Sequence[Chosen], plan: Plan, teachers: Sequence[Run] = ()) -> list[str]:
    """A line for each network that is going to be made, and who teaches it, where these are several."""
    whole = parameters(task.teacher.program)
    lines = []
    for one in chosen:
        steps = plan.takes(one.way, task.run)
        share = f"{one.parameters:,} of {whole:,} parameters"
        lines.append(f"{one.way}: {share}, {one.words}; {steps:,} steps of batches of {task.batch_size}")
    if teachers:
        lines.append(
            f"taught by {', '.join(f'{one.folder.name} at step {one.step:,}' for one in (task.run, *teachers))}"
        )
    if plan.written:
        lines.append(f"students also read {plan.written:,} sequences that the teacher writes")
    if task.inside:
        lines.append("what the teacher says of all examples is too much to keep, so it goes along in every step")
    return lines


def say(console: Console, report: Report) -> None:
    """The whole report for a person."""
    _networks(console, report)
    _forms(console, (report.before, *report.after))
    for one in report.after:
        if one.lost is not None:
            _lost(console, one, one.lost)


def _networks(console: Console, report: Report) -> None:
    right = ("parameters", "smaller", "operations", "loss", "accuracy", "steps", "CPU_s")
    shown = table("", run="left", **dict.fromkeys(right, "right"))
    for one in (report.before, *report.after):
        shown.add_row(
            escape(one.run),
            f"{one.parameters:,}",
            f"{report.before.parameters / max(1, one.parameters):.1f}x",
            amount(one.operations),
            number(one.quality.loss),
            "" if one.quality.accuracy is None else f"{one.quality.accuracy:.2%}",
            str(one.steps),
            number(one.seconds) if one.lost else "",
        )
    console.print(shown)


def _forms(console: Console, every: Sequence[Network]) -> None:
    """Each network as files."""
    rows = [(one, form) for one in every for form in one.forms]
    if not rows:
        console.print("[dim]no ONNX: `pip install 'ontogeny[onnx]'` writes and measures it, also in 8 bits[/]")
        return
    shown = table("", run="left", format="left", bytes="right", ms_a_batch="right", loss="right", accuracy="right")
    for one, form in rows:
        right = "" if form.accuracy is None else f"{form.accuracy:.2%}"
        taken = number(form.milliseconds)
        shown.add_row(escape(one.run), form.format, size(form.bytes), taken, number(form.loss), right)
    console.print(shown)


def _lost(console: Console, one: Network, lost: Lost) -> None:
    """The classes that lost most, and the examples that turned."""
    grown = lost.after.loss - lost.before.loss
    change = f"loss {'+' if grown >= 0 else '-'}{number(abs(grown))}"
    if lost.after.accuracy is not None and lost.before.accuracy is not None:
        points = 100 * (lost.after.accuracy - lost.before.accuracy)
        change += f", accuracy {points:+.2f} points: {lost.wrong} turned wrong, {lost.right} turned right"
    console.print(f"[bold]{escape(one.run)}[/]: {change}", soft_wrap=True)
    worst = sorted(lost.slices, key=lambda each: each.after - each.before)[:WORST]
    fell = [each for each in worst if each.after < each.before]
    for each in fell:
        console.print(f"  class {each.label}: {each.before:.1%} -> {each.after:.1%} of {each.examples}", soft_wrap=True)
    for what, turned in (("wrong", lost.turned_wrong), ("right", lost.turned_right)):
        if turned:
            named = ", ".join(str(example) for example in turned[:NAMED])
            more = ", ..." if len(turned) > NAMED else ""
            console.print(f"  [dim]turned {what}, held-out examples {named}{more}[/]", soft_wrap=True)
