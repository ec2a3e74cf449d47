"""ontogeny price"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.ask.hardware import with_accelerators
from ontogeny.ask.price.asked import BOTH, of_learner, of_shape
from ontogeny.ask.price.calibration import Calibration, calibrated
from ontogeny.ask.price.estimate import (
    AVAILABILITY,
    FILLED,
    MACHINE,
    OVERHEAD,
    PRECISION,
    STATE_BYTES,
    UTILISATION,
    Terms,
)
from ontogeny.ask.price.learner import LEARN
from ontogeny.ask.price.operations import Shape
from ontogeny.ask.price.predict import Prediction, own_price, predict
from ontogeny.faces.commands.scale import machine_words
from ontogeny.faces.outputs import place
from ontogeny.faces.price_words import (
    ASSUMPTIONS,
    MACHINES,
    TERMS,
    Rows,
    assumption_rows,
    here_words,
    machine_rows,
    step_rows,
    term_rows,
)
from ontogeny.faces.progress import Busy
from ontogeny.faces.sources import load_any
from ontogeny.faces.terminal import AsJson, answer, table
from ontogeny.isa.errors import OntogenyError
from ontogeny.isa.hints import typed
from ontogeny.isa.program import Program

Share = Annotated[float, typer.Option("--utilisation", help="Share of the peak that is reached.")]
Up = Annotated[float, typer.Option("--availability", help="Share of the hours without failures.")]
Watts = Annotated[float, typer.Option("--here-watts", min=0, help="With --here: what this machine draws.")]
Hourly = Annotated[float, typer.Option("--here-dollars", min=0, help="With --here: of an hour of it.")]
LIST = "list"
Which = Annotated[
    str, typer.Option("--machine", help=f"Of {', '.join(with_accelerators())}; or list: all, with sources.")
]
Sizes = tuple[float, float, float, float, float, float, float, float, float, float]
Ours = tuple[bool, str, str, float, float]
"""Whether this machine is asked about, a file of what was measured, one to keep it in, its watts, dollars an hour."""


def command(
    source: Annotated[str, typer.Argument(help="A run, a program (.onto, .ontob), or a Python file.")] = "",
    steps: Annotated[int, typer.Option("--steps", min=1, help="Of a learner: so many steps.")] = 1,
    routine: Annotated[str, typer.Option("--routine", help="Of a learner: which routine a step is.")] = LEARN,
    parameters: Annotated[float, typer.Option("--parameters", help="Of a shape, such as 405e9.")] = 0.0,
    tokens: Annotated[float, typer.Option("--tokens", help="Distinct ones, such as 15.6e12.")] = 0.0,
    epochs: Annotated[float, typer.Option("--epochs", help="How often each is seen.")] = 1.0,
    layers: Annotated[float, typer.Option("--layers", help="For attention, with --width and --context.")] = 0.0,
    width: Annotated[float, typer.Option("--width", help="Of all heads together.")] = 0.0,
    context: Annotated[float, typer.Option("--context", help="Tokens that one may look at.")] = 0.0,
    every_pair: Annotated[bool, typer.Option("--every-pair", help="Attention is not causal.")] = False,
    embedding: Annotated[float, typer.Option("--embedding", help="Parameters that are only looked up.")] = 0.0,
    loops: Annotated[float, typer.Option("--loops", help="Times that a token goes through the layers.")] = 1.0,
    active: Annotated[float, typer.Option("--active", help="Share of the parameters that a token meets.")] = 1.0,
    recompute: Annotated[float, typer.Option("--recompute", help="Share of the forward pass done again.")] = 0.0,
    machine: Which = MACHINE,
    precision: Annotated[str, typer.Option("--precision", help="f32, tf32, bf16, f16 or fp8.")] = PRECISION,
    utilisation: Share = UTILISATION, availability: Up = AVAILABILITY,
    overhead: Annotated[float, typer.Option("--overhead", help="All power by that of machines.")] = OVERHEAD,
    state_bytes: Annotated[float, typer.Option("--state-bytes", help="Of a parameter, in training.")] = STATE_BYTES,
    accelerators: Annotated[int, typer.Option("--accelerators", help="So many; else those that it fits on.")] = 0,
    dollars: Annotated[float | None, typer.Option("--dollars", help="Of one accelerator for an hour.")] = None,
    here: Annotated[bool, typer.Option("--here", help="Of a learner: also on this machine, measured first.")] = False,
    rates: Annotated[str, typer.Option("--rates", help="With --here: what --save kept, instead of measuring.")] = "",
    save: Annotated[str, typer.Option("--save", help="With --here: keep what was measured in a file.")] = "",
    watts: Watts = 0.0, hourly: Hourly = 0.0, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Say what learning costs, of a learner or at any size: hours, machines, money, energy.

    Of a learner, operations are counted exactly from its program; of a shape (--parameters and --tokens), by 6ND and
    its corrections; every assumption is told. --here measures this machine for a minute and foretells a step on it.
    """
    if machine == LIST:
        return _machines(as_json)
    terms = Terms(machine, precision, utilisation, availability, overhead, state_bytes, FILLED, accelerators, dollars)
    sizes = (parameters, tokens, epochs, layers, width, context, embedding, loops, active, recompute)
    ours = (here, rates, save, watts, hourly)
    if source:
        return _of_learner(source, steps, routine, terms, ours, parameters or tokens, as_json)
    return _of_shape(sizes, not every_pair, terms, ours, as_json)


def _of_learner(source: str, steps: int, routine: str, terms: Terms, ours: Ours, sized: float, as_json: bool) -> None:
    if sized:
        raise OntogenyError(BOTH)
    program = load_any(source)
    found = of_learner(source, program, terms, steps, routine)
    foretold = _foretold(program, routine, ours) if any(ours) else None
    own = own_price(foretold, steps, *ours[3:]) if foretold else None
    document = {**found.as_json(), "here": foretold and own and {**asdict(foretold), **asdict(own)}}

    def say(console: Console) -> None:
        _print(console, TERMS, step_rows(found.step))
        console.print(escape(found.sentence), soft_wrap=True)
        if steps == 1:
            console.print("[dim]--steps says how many[/]")
        if foretold and own:
            console.print(escape(here_words(foretold, own)), soft_wrap=True)
        _print(console, ASSUMPTIONS, assumption_rows(found.price.assumptions))

    answer(document, as_json, say)


def _of_shape(sizes: Sizes, causal: bool, terms: Terms, ours: Ours, as_json: bool) -> None:
    if any(ours):
        raise OntogenyError("this machine is measured for a learner: name a run, a program or a Python file too")
    if not (sizes[0] and sizes[1]):
        hint = typed("price", "--parameters", "70e9", "--tokens", "15e12")
        raise OntogenyError(f"name a learner, or give a shape: {hint}")
    found = of_shape(Shape(*sizes, causal), terms)

    def say(console: Console) -> None:
        _print(console, TERMS, term_rows(found.shape.terms()))
        console.print(escape(found.sentence), soft_wrap=True)
        _print(console, ASSUMPTIONS, assumption_rows(found.price.assumptions))

    answer(found.as_json(), as_json, say)


def _machines(as_json: bool) -> None:
    """The figures as a table, and beneath it where each machine's are from."""
    rows = machine_rows()

    def say(console: Console) -> None:
        _print(console, MACHINES[:-1], [row[:-1] for row in rows])
        for row in rows:
            console.print(f"[dim]{escape(row[0])}: {escape(row[-1])}[/]", soft_wrap=True)

    answer({"machines": [dict(zip(MACHINES, row, strict=True)) for row in rows]}, as_json, say)


def _print(console: Console, heads: tuple[str, ...], rows: Rows) -> None:
    right = {"operations", "of all", "value", "dollars", "watts"}
    shown = table("", **{head.replace(" ", "_"): "right" if head in right else "left" for head in heads})
    for row in rows:
        shown.add_row(*(escape(one) for one in row))
    console.print(shown)


def _foretold(program: Program, routine: str, ours: Ours) -> Prediction:
    _, rates, save, *_ = ours
    target = place(save, save) if save else None
    found = _read(rates) if rates else _measured()
    if target:
        target.write_text(json.dumps(found.as_json()) + "\n", encoding="utf-8")
    return predict(program, program.routine(routine), found)


def _measured() -> Calibration:
    """Measures this machine."""
    try:
        with Busy("measuring this machine"):
            return calibrated(date.today().isoformat(), machine_words())
    except ImportError as error:
        raise OntogenyError("measuring needs torch: pip install 'ontogeny[torch]'; or give --rates FILE") from error


def _read(path: str) -> Calibration:
    try:
        known: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
        return Calibration.of_json(known)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        hint = f"`{typed('price', 'FILE.py', '--here', '--save', str(path))}` measures them"
        raise OntogenyError(f"{path} holds no rates of kinds of instructions ({error}); {hint}") from error
