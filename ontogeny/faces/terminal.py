"""What all commands say to a person or to a program: tables and sentences, or one JSON document."""

from __future__ import annotations

import json
import math
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ontogeny.steer.sentences import counted

AsJson = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")]

IN_JSON = ContextVar("IN_JSON", default=False)
"""Whether the command was asked for JSON: what is said beside its answer is JSON then, too, an object a line."""
DEBUG = ContextVar("DEBUG", default=False)
"""Whether an error is to show where it came from."""
NARROWEST = 80
"""Columns that a table is laid out for at least: below that a terminal's own wrapping breaks figures less."""
PASTED = ("run", "regime")
"""Columns of names that are there to be pasted, so none of them is broken."""


class Paper(Console):
    """A console that wraps what is said at words on a terminal; elsewhere a line with `soft_wrap` stays one."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(highlight=False, **settings)
        self._across = self.width
        if self.width < NARROWEST:
            self.width = NARROWEST

    def print(self, *objects: Any, **settings: Any) -> None:
        """As rich prints them."""
        if self.is_terminal and all(isinstance(one, str) for one in objects):
            settings = {**settings, "soft_wrap": False, "width": self._across}
        super().print(*objects, **settings)


def answer(document: Any, as_json: bool, say: Callable[[Console], None]) -> None:
    """Print the document as JSON where asked for, and else let `say` print it for a person."""
    if as_json:
        typer.echo(json.dumps(plain(document), indent=1))
    else:
        say(Paper())


def complain(message: str, hint: str = "", code: int = 1) -> None:
    """One line on the standard error, and where there is one a hint; where JSON was asked for, an object instead."""
    if IN_JSON.get():
        typer.echo(json.dumps({"error": message, "hint": hint or None, "exit_code": code}), err=True)
        return
    console = Paper(stderr=True)
    console.print(f"[bold red]error:[/] {escape(message)}", soft_wrap=True)
    if hint:
        console.print(f"[dim]{escape(hint)}[/]", soft_wrap=True)


def explain(error: Exception, message: str, hint: str = "") -> None:
    """An error in one line, and before it, where that was asked for, where it came from."""
    if DEBUG.get():
        typer.echo("".join(traceback.format_exception(error)), err=True)
    complain(message, hint)


def tell(message: str) -> None:
    """A remark on the standard error, so that the standard output stays a document."""
    if IN_JSON.get():
        typer.echo(json.dumps({"note": Text.from_markup(message).plain}), err=True)
    else:
        Paper(stderr=True).print(message, soft_wrap=True)


def plain(value: Any) -> Any:
    """The value in what JSON knows. Numbers that are not finite become the words NaN, Infinity and -Infinity."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, str | bool | int) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else json.dumps(value)
    if isinstance(value, Sequence):
        return [plain(one) for one in value]
    return plain(value.item()) if hasattr(value, "item") else str(value)


def table(title: str, **columns: str) -> Table:
    """An unframed table; each column is named with `left` or `right`."""
    built = Table(
        title=title or None, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim"
    )
    for name, side in columns.items():
        built.add_column(
            name.replace("_", " "),
            justify="right" if side == "right" else "left",
            overflow="fold",
            no_wrap=name in PASTED,
        )
    return built


def columns(shown: Table, names: Iterable[str]) -> Table:
    """The table with further columns of figures, called just as they are; a remark in brackets stands below."""
    for name in names:
        shown.add_column(escape(name.replace(" (", "\n(")), justify="right", overflow="fold")
    return shown


def amount(value: float) -> str:
    """A count in three or four digits: 950, 12.3 k, 4.56 G."""
    for limit, unit in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g} {unit}"
    return f"{value:g}"


def size(count: float) -> str:
    """Bytes in units of 1024."""
    for limit, unit in ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if count >= limit:
            return f"{count / limit:.3g} {unit}"
    return f"{count:.0f} B"


def duration(seconds: float) -> str:
    """Seconds as a person says them: 850 ms, 12.3 s, 4 min 05 s, 2 h 03 min."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


SLOW = 3.0
"""Seconds from which on it is said beforehand what a question takes."""


def takes(steps: int, seconds: float | None) -> str:
    """What something will take, as far as that is known; empty for what is done at once."""
    if seconds:
        return f"about {duration(seconds)}" if seconds >= 0.0005 else "under 1 ms"
    if seconds is None and steps:
        return f"{counted(steps, 'step')}, and no step was timed yet"
    return ""


def number(value: float) -> str:
    """A metric in four significant digits."""
    return f"{value:.4g}"
