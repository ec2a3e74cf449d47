"""ontogeny cost"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.faces.costs import Line, Total, top, turned
from ontogeny.faces.programs import load_program
from ontogeny.faces.running import evaluated
from ontogeny.faces.sources import run_in
from ontogeny.faces.terminal import AsJson, amount, answer, number, size, table
from ontogeny.isa.errors import OntogenyError
from ontogeny.isa.program import Program
from ontogeny.isa.resize import resized
from ontogeny.record.run import Run

USUAL = ("learn", "predict")
LONGEST = 60


def command(
    source: Annotated[str, typer.Argument(help="A run, a program (.onto, .ontob), or a Python file.")],
    routine: Annotated[str, typer.Option("--routine", help="Which routine; learn where there is one.")] = "",
    sort: Annotated[str, typer.Option("--sort", help="By operations, bytes or order.")] = "operations",
    count: Annotated[int, typer.Option("--top", min=0, help="So many instructions; 0 for all.")] = 20,
    uses: Annotated[bool, typer.Option("--uses", help="Also how often each parameter is used per example.")] = False,
    sizes: Annotated[list[str] | None, typer.Option("--size", help="At another size, such as batch=32.")] = None,
    dials: Annotated[list[str] | None, typer.Option("--dial", help="With a dial turned, such as rounds=8.")] = None,
    as_json: AsJson = False,
) -> None:
    """Count the operations and bytes of every instruction.

    A multiply-add is two operations. Bytes are those of operands and results, as if nothing stayed in a cache. A run's
    loops are counted by its dials as they stand.
    """
    run = run_in(source)
    program = load_program(source) if run is None else turned(run.program, run.dials())
    program = resized(program, dict(map(named_size, sizes or [])))
    program = turned(program, dict(map(named_dial, dials or [])))
    name = routine or usual(program)
    lines, total = top(program, name, count, sort)
    document: dict[str, Any] = {
        "routine": name,
        "total": asdict(total),
        "instructions": [{**asdict(line), "bytes": line.bytes} for line in lines],
        "learned": learned(run),
    }

    def words(console: Console) -> None:
        say(console, name, lines, total, uses)
        if uses and document["learned"]:
            step, *figures = (f"{escape(key)} {number(value)}" for key, value in document["learned"].items())
            console.print(f"learned by {step}: {', '.join(figures)}", soft_wrap=True)

    answer(document, as_json, words)


def learned(run: Run | None) -> dict[str, float]:
    """What a run has reached, and at which step; nothing of a program that is no run, or has taken no step."""
    return {"step": float(run.step), **run.latest(), **evaluated(run)} if run is not None and run.step else {}


def named_size(text: str) -> tuple[str, int]:
    """`batch=32` as a name and a number. Raises OntogenyError for anything else."""
    name, _, value = text.partition("=")
    if not name or not value.isdecimal():
        raise OntogenyError(f"{text!r} is no size; write a name and a whole number, as in batch=32")
    return name, int(value)


def named_dial(text: str) -> tuple[str, float]:
    """`rounds=8` as a name and a number. Raises OntogenyError for anything else."""
    name, _, value = text.partition("=")
    try:
        found = float(value)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise OntogenyError(f"{text!r} is no dial; write a name and a number, as in rounds=8")
    return name, found


def usual(program: Program) -> str:
    """The routine that is meant where none is named."""
    names = [routine.name for routine in program.routines]
    return next((name for name in (*USUAL, *names[-1:]) if name in names), "learn")


def say(console: Console, name: str, lines: list[Line], total: Total, uses: bool) -> None:
    """The table and the total for a person."""
    shown = table("", nr="right", instruction="left", phase="left", operations="right", share="right", bytes="right")
    for line in lines:
        share = line.operations / total.operations if total.operations else 0.0
        where = line.where if len(line.where) <= LONGEST else line.where[: LONGEST - 1] + "…"
        text = f"{escape(line.text)}\n[dim]{escape(where)}[/]" if where else escape(line.text)
        shown.add_row(str(line.number), text, line.phase, amount(line.operations), f"{share:.1%}", size(line.bytes))
    console.print(shown)
    if total.instructions > len(lines):
        console.print(f"[dim]and {total.instructions - len(lines)} more; --top 0 shows all[/]")
    console.print(
        f"one call of {escape(name)}: [bold]{amount(total.operations)}[/] operations, "
        f"[bold]{size(total.bytes)}[/] read and written, {total.instructions} instructions, {total.batch} examples"
    )
    if total.remark:
        console.print(f"[dim]{escape(total.remark)}[/]")
    if uses:
        console.print(_uses(total))


def _uses(total: Total) -> object:
    shown = table("times each element is used per example", parameter="left", uses="right")
    for name, times in sorted(total.uses.items(), key=lambda one: -one[1]):
        shown.add_row(escape(name), number(times))
    return shown
