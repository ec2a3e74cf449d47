"""ontogeny scale"""

from __future__ import annotations

import json
import platform
import tempfile
from dataclasses import asdict, replace
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.ask.calibration import Calibration, calibrate, pooled
from ontogeny.ask.provision import ASSUMED, STORE, STORES, Plan, Size, plan
from ontogeny.faces.progress import Busy
from ontogeny.faces.scale_words import RATES, STAGES, Rows, markdown, rate_rows, stage_rows, summary
from ontogeny.faces.terminal import AsJson, answer, table, tell
from ontogeny.isa.errors import OntogenyError
from ontogeny.isa.hints import typed


def command(
    parameters: Annotated[float, typer.Option("--parameters", help="So many, such as 250e9.")] = 250e9,
    iterations: Annotated[int, typer.Option("--iterations", help="Steps that are recorded.")] = 40,
    width: Annotated[int, typer.Option("--bytes-per-value", help="2 for bf16, 4 for f32.")] = 4,
    tokens: Annotated[float, typer.Option("--tokens", help="Of one step, for what explain replays.")] = 2**21,
    queries: Annotated[int, typer.Option("--queries", help="For alike charts.")] = 100,
    machine: Annotated[str, typer.Option("--machine", help=f"Of {', '.join(STORES)}.")] = STORE,
    machines: Annotated[int | None, typer.Option("--machines", help="So many; else those that it fits on.")] = None,
    rates: Annotated[str, typer.Option("--rates", help="A file of rates; else they are measured now.")] = "",
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Measure so many times, all rates together.")] = 1,
    save: Annotated[str, typer.Option("--save", help="Keep the rates in a file.")] = "",
    as_markdown: Annotated[bool, typer.Option("--markdown", help="The page of documentation.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what the questions would take at any size: bytes, machines, hours and prices, from rates measured here.

    A small transformer is trained and every kind of work timed on what was recorded of it, at one thread: about half a
    minute of CPU a round.
    """
    size = Size(parameters, iterations, width, tokens, queries)
    found = _read(rates) if rates else _measured(rounds)
    if save:
        Path(save).write_text(json.dumps(found.as_json(), indent=1) + "\n", encoding="utf-8")
    planned = plan(found.rates, size, machine, machines)
    if as_markdown:
        other = plan(found.rates, replace(size, bytes_per_value=6 - width), machine, machines)
        typer.echo(markdown(found, (planned, other)), nl=False)
        return
    document = {"plan": asdict(planned), "rates": found.as_json(), "assumed": list(ASSUMED)}
    answer(document, as_json, lambda console: say(console, found, planned))


def say(console: Console, found: Calibration, planned: Plan) -> None:
    """The plan, the rates, and what is assumed."""
    _print(console, "", STAGES, stage_rows(planned))
    console.print(escape(summary(planned)), soft_wrap=True)
    _print(console, f"rates, {found.date}, on {found.machine}", RATES, rate_rows(found))
    for one in ASSUMED:
        console.print(f"[dim]assumed: {escape(one)}[/]", soft_wrap=True)


def _print(console: Console, title: str, heads: tuple[str, ...], rows: Rows) -> None:
    shown = table(
        title, **{head.replace(" ", "_"): "left" if head in (heads[0], "unit") else "right" for head in heads}
    )
    for row in rows:
        shown.add_row(*(escape(one) for one in row))
    for column in shown.columns:
        column.no_wrap = column.header == "machines"
    console.print(shown)


def _read(path: str) -> Calibration:
    try:
        return Calibration.of_json(json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = f"`{typed('scale', '--save', str(path))}` measures them"
        raise OntogenyError(f"{path} holds no rates ({error}); {hint}") from error


def _measured(rounds: int) -> Calibration:
    """Trains the specimen on one thread and measures on it, in each round anew."""
    try:
        specimen: Any = import_module("ontogeny.faces.specimen")
    except ImportError as error:
        raise OntogenyError(
            "measuring trains a small model, which needs torch: pip install 'ontogeny[torch]'; or give --rates FILE"
        ) from error
    tell("[dim]training a small transformer, and timing every kind of work on its record[/]")
    found = []
    for _ in range(rounds):
        with Busy("measuring"), tempfile.TemporaryDirectory(prefix="ontogeny-scale-") as folder, specimen.one_thread():
            run = specimen.specimen(Path(folder) / "run")
            found.append(calibrate(run, date.today().isoformat(), machine_words()))
    return pooled(found)


def machine_words() -> str:
    """The kind of machine, without its name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    return f"one thread, {model} ({platform.system()}, {platform.machine()})"
