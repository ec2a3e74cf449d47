"""ontogeny streams"""

from __future__ import annotations

from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.ask.streams.carried import MADE, Carried, carried, made
from ontogeny.ask.streams.files import MOST, SECOND, of_file
from ontogeny.ask.streams.stream import PUBLISHED, Stream
from ontogeny.faces.outputs import SPELT, place
from ontogeny.faces.picture import save
from ontogeny.faces.progress import Busy
from ontogeny.faces.streams_page import COLUMNS, HEADS, known, markdown, rows, summary
from ontogeny.faces.streams_picture import draw
from ontogeny.faces.terminal import AsJson, amount, answer, table, tell
from ontogeny.isa.errors import DataError
from ontogeny.isa.hints import typed

NOTE = (
    "[dim]all are lossless; sent: bits of the model itself, counted with the others; held: numbers that an adaptive "
    "model finds on both sides alike, and nobody sends; --json says what each model goes by[/]"
)
Given = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME|FILE...", help=f"Of {', '.join(MADE)}; or files: text, .wav, .npy, .png, a folder."),
]


def command(
    given: Given = None,
    second: Annotated[float, typer.Option("--frames", help="Of files: so many images a second.")] = SECOND,
    most: Annotated[int, typer.Option("--most", min=1, help="Of files: the first so many symbols.")] = MOST,
    network: Annotated[bool, typer.Option("--network/--no-network", help="Also by networks that learn it.")] = True,
    output: Annotated[str, typer.Option(*SPELT, help="Draw them, as PNG and SVG; .md writes a page, too.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say how much text, sound and images carry once predicted, in bits a second.

    All models are lossless, and what of a model has to be sent is counted. Without a name the streams that are made
    here are gone through, some of which are made so that the truth is known; it takes some three minutes.
    """
    target = place(output, "streams.png") if output else None
    streams = [_stream(name, second, most) for name in given or MADE]
    learner = _learner() if network else None
    found = []
    for stream in streams:
        with Busy(f"predicting {stream.name}", as_json):
            found.append(carried(stream, learner.networks_of(stream) if learner else ()))
    if target:
        written = save(draw(found), target)
        if target.suffix == ".md":
            said = typed("streams", *(given or ()), *_settings(second, most, network), "-o", output)
            target.write_text(markdown(found, written[0].name, said), encoding="utf-8")
            written = [target, *written]
        tell(f"wrote {escape(', '.join(map(str, written)))}")
    document = {"streams": [one.as_json() for one in found], "published": [asdict(one) for one in PUBLISHED]}
    answer(document, as_json, lambda console: say(console, found, bool(given)))


def say(console: Console, found: list[Carried], detailed: bool) -> None:
    """Every model of streams that were named, else a line for each stream; then published rates."""
    if detailed:
        for one in found:
            _models(console, one)
    else:
        _summary(console, found)
    shown = table("published, to be seen beside", rate="left", bits_a_second="right", source="left")
    for rate in PUBLISHED:
        shown.add_row(rate.name, amount(rate.bits), escape(rate.source))
    console.print(shown)


def _models(console: Console, one: Carried) -> None:
    stream = one.stream
    console.print(f"[bold]{escape(stream.name)}[/]: {escape(stream.how)}", soft_wrap=True)
    shown = table("", **{head.replace(" ", "_"): side for head, side in COLUMNS.items()})
    for row in rows(one):
        shown.add_row(*map(escape, row))
    console.print(shown)
    if words := known(one):
        console.print(escape(words), soft_wrap=True)
    console.print(NOTE, soft_wrap=True)


def _summary(console: Console, found: list[Carried]) -> None:
    shown = table("bits a second", **{head.replace(" ", "_"): side for head, side in HEADS.items()})
    for row in summary(found):
        shown.add_row(*map(escape, row))
    console.print(shown)
    console.print("[dim]ontogeny streams NAME shows every model of one; all are lossless[/]", soft_wrap=True)


def _settings(second: float, most: int, network: bool) -> list[str]:
    """Those that are not as usual, as they are spelt."""
    found = ["--frames", f"{second:g}"] if second != SECOND else []
    found += ["--most", str(most)] if most != MOST else []
    return found if network else [*found, "--no-network"]


def _stream(name: str, second: float, most: int) -> Stream:
    """One that is made here, else a file; a file of such a name is named with its folder, as ./text."""
    if not name.strip():
        raise DataError(f"{name!r} names no stream; give one of {', '.join(MADE)}, or a file (. is the present folder)")
    return made(name) if name in MADE else of_file(Path(name), second, most)


def _learner() -> ModuleType | None:
    """The network and what it fits, where torch is installed."""
    try:
        return import_module("ontogeny.faces.streams_network")
    except ImportError as error:
        tell(f"without a network, which needs {escape(str(error.name))}: pip install 'ontogeny\\[torch]'")
        return None
