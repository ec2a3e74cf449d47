"""ontogeny waste"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.ask.waste import LOST, REMEDIES, SAMPLES, Line, Waste, waste
from ontogeny.faces.progress import Busy
from ontogeny.faces.sources import DataFile, RunName, StepWindow, opened
from ontogeny.faces.terminal import AsJson, amount, answer, duration, table
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.trace.traces import Window

WORDS = {
    "zero": "a zero operand",
    "rounding": "updates lost to rounding",
    "no gradient": "no gradient",
    "unused": "a result nobody uses",
    "made twice": "a result made twice",
    "constant": "always the same result",
    "padding": "padding",
    "ignored": "ignored targets",
    "masked": "masked attention",
    "memory": "waiting for memory",
}
LONGEST = 70
OTHERS = 52
"""Columns of the terminal that a line's other cells take."""


def command(
    name: RunName,
    steps: StepWindow = ":",
    samples: Annotated[int, typer.Option("--samples", min=1, help="So many steps of it, evenly spaced.")] = SAMPLES,
    kinds: Annotated[list[str] | None, typer.Option("--kind", help=f"Only: {', '.join(REMEDIES)}.")] = None,
    count: Annotated[int, typer.Option("--top", min=0, help="So many lines; 0 for all.")] = 20,
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Count what a run computes for nothing, and say what would remove it.

    Over some of its steps: zero operands, updates lost to rounding, parameters without a gradient, results that nobody
    uses or that are made twice, padding, masks, waiting for memory. Counted, not recoverable; and lines overlap.
    """
    for kind in kinds or ():
        if kind not in REMEDIES:
            raise OntogenyError(f"there is no waste of the kind {kind!r}; choose {', '.join(REMEDIES)}")
    with Busy(f"counting what {name} computes for nothing", as_json):
        found = waste(opened(name, file), Window.parse(steps), samples)
    chosen = [line for line in found.lines if not kinds or line.kind in kinds]
    shown = chosen[: count or None]
    answer(document(found, shown), as_json, lambda console: say(console, found, shown, len(chosen)))


def document(found: Waste, lines: list[Line]) -> dict[str, Any]:
    """The answer as a document. Seconds and operations are of one step."""
    tensors = [{**asdict(tensor), "lost": list(tensor.lost)} for tensor in found.tensors]
    balance = found.balance and {
        "operations_per_second": found.balance.operations,
        "bytes_per_second": [{"up_to_bytes": most, "speed": speed} for most, speed in found.balance.bytes],
    }
    return {
        "steps": list(found.steps),
        "operations": found.operations,
        "seconds": found.seconds,
        "multiply_adds": found.multiply_adds,
        "multiply_adds_with_zero": found.zero,
        "balance": balance,
        "kinds": [{"kind": kind, **total(found.of(kind))} for kind in REMEDIES],
        "lines": [{**asdict(line), "share": line.share, "remedy": line.remedy} for line in lines],
        "tensors": tensors,
    }


def total(lines: tuple[Line, ...]) -> dict[str, Any]:
    """The lines of a kind together."""
    seconds, operations = sum(line.seconds for line in lines), sum(line.operations for line in lines)
    return {"lines": len(lines), "seconds": seconds, "operations": operations}


def say(console: Console, found: Waste, lines: list[Line], count: int) -> None:
    """The tables for a person."""
    shown = table("", waste="left", what="left", share="right", operations="right", time="right")
    what = shown.columns[1]
    what.no_wrap, what.overflow, what.max_width = True, "ellipsis", max(20, console.width - OTHERS)
    for line in lines:
        text = escape(line.what) + (f"\n[dim]{escape(short(line.where))}[/]" if line.where else "")
        cells = f"{line.share:.1%}", amount(round(line.operations)), time(line.seconds)
        shown.add_row(WORDS[line.kind], text, *cells)
    console.print(shown)
    if count > len(lines):
        console.print(f"[dim]and {count - len(lines)} more; --top 0 shows all, --kind some[/]")
    console.print(_kinds(found))
    states = ", ".join(map(str, found.steps))
    step = f"a step takes {time(found.seconds)} in its kernels and {amount(found.operations)} operations"
    console.print(f"{step}; looked at from the states {states}", soft_wrap=True)
    for sentence in sentences(found):
        console.print(sentence, soft_wrap=True)
    console.print("[dim]counted, not recoverable; and lines overlap[/]")


def sentences(found: Waste) -> list[str]:
    """What holds for the run as a whole."""
    said = []
    if found.multiply_adds:
        said.append(f"[bold]{found.zero / found.multiply_adds:.1%}[/] of multiply-adds have a zero operand")
    elements = sum(tensor.elements for tensor in found.tensors)
    if elements:
        dead = sum(tensor.dead for tensor in found.tensors)
        said.append(f"[bold]{dead / elements:.1%}[/] of parameters had no gradient in any of these steps")
    updates = [sum(tensor.updates[at] for tensor in found.tensors) for at in range(len(found.steps))]
    lost = [sum(tensor.lost[at] for tensor in found.tensors) for at in range(len(found.steps))]
    if found.of(LOST):
        shares = ", ".join(f"{one / max(1, of):.2%}" for one, of in zip(lost, updates, strict=True))
        said.append(f"updates lost to rounding, step by step: {shares}")
    if found.balance:
        fast, slow = found.balance.bytes[0][1], found.balance.bytes[-1][1]
        moved = f"{amount(slow)} to {amount(fast)} bytes"
        said.append(f"this machine does {amount(found.balance.operations)} operations in a second, and moves {moved}")
    return said


def _kinds(found: Waste) -> object:
    shown = table("by kind", waste="left", lines="right", time="right", of_a_step="right", what_would_remove_it="left")
    for kind, remedy in REMEDIES.items():
        own = total(found.of(kind))
        if own["lines"]:
            share = f"{own['seconds'] / found.seconds:.1%}" if found.seconds else ""
            shown.add_row(WORDS[kind], str(own["lines"]), time(own["seconds"]), share, remedy)
    return shown


def time(seconds: float) -> str:
    """Seconds of an instruction, which are few."""
    return (
        f"{seconds * 1e6:.0f} us" if seconds < 1e-3 else f"{seconds * 1e3:.1f} ms" if seconds < 1 else duration(seconds)
    )


def short(where: str) -> str:
    """A user's line, cut where it is long."""
    return where if len(where) <= LONGEST else where[: LONGEST - 1] + "…"
