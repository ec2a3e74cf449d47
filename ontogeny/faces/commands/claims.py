"""ontogeny claims"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ontogeny.claims.book import claims
from ontogeny.claims.claim import Claim
from ontogeny.claims.result import Result, measure, missing, read, write
from ontogeny.faces.claims import BOOK, COLOURS, Pairs, beside, document, figure_rows, known, markdown, short
from ontogeny.faces.claims import command as spelt
from ontogeny.faces.outputs import SPELT, place
from ontogeny.faces.terminal import AsJson, answer, columns, duration, table, tell
from ontogeny.isa.errors import ClaimError

LARGEST = 2**32 - 1
"""The largest seed that NumPy, torch and Python all take."""


def command(
    names: Annotated[list[str] | None, typer.Argument(help="Claims by name; all where none is named.")] = None,
    again: Annotated[
        bool, typer.Option("--measure", help="Measure them here; else what was measured is read.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="The full form, which verdicts go by; else the quick one.")
    ] = False,
    seeds: Annotated[str, typer.Option("--seeds", help="Such as 0,1,2; else those of the form.")] = "",
    folder: Annotated[str, typer.Option("--folder", help="Of results; else those that come with this version.")] = "",
    anew: Annotated[bool, typer.Option("--anew", help="Also seeds that the folder has already.")] = False,
    out: Annotated[str, typer.Option(*SPELT, help="A page of them: .html, or .md.")] = "",
    as_json: AsJson = False,
) -> None:
    """Claims about learning as experiments: what was measured, and the verdict, which is computed from that.

    --measure repeats them: a quick form takes seconds, a full one up to hours, told beforehand. Figures are kept after
    every seed, in claims/ unless a folder is named; the next time only missing seeds are measured, and all count.
    """
    chosen = claims(names or ())
    if (seeds or full or anew) and not again:
        raise ClaimError("--seeds, --full and --anew say how to measure; give --measure as well")
    target = place(out, "claims.html") if out else None
    if target and target.suffix not in (".html", ".md"):
        raise ClaimError(f"{target} is neither .html nor .md; name one that is")
    if again:
        kept, asked = Path(folder or "claims"), _seeds(seeds)
        pairs: Pairs = [(one, _measured(one, full, asked, kept, anew)) for one in chosen]
    else:
        pairs = [(one, known(one, Path(folder) if folder else BOOK)) for one in chosen]
    if target:
        text = markdown(pairs) if target.suffix == ".md" else _page(pairs)
        target.write_text(text, encoding="utf-8")
        tell(f"wrote {escape(str(target))}")
    answer([document(*pair) for pair in pairs], as_json, lambda console: say(console, pairs, bool(names)))


def say(console: Console, pairs: Pairs, detailed: bool) -> None:
    """All in a table; those that were named each at length as well."""
    if not detailed:
        shown = table("", claim="left", verdict="left", figures="left")
        for claim, found in pairs:
            said = f"{escape(claim.sentence)}\n[dim]{claim.name}[/]"
            shown.add_row(said, _verdict(found), "\n".join(map(escape, short(found))))
        console.print(shown)
        console.print(
            "[dim]ontogeny claims NAME says how one was measured, --measure measures it again[/]", soft_wrap=True
        )
        return
    for claim, found in pairs:
        console.print(f"[bold]{escape(claim.sentence)}[/] {_verdict(found)}", soft_wrap=True)
        console.print(escape(claim.how), soft_wrap=True)
        if found:
            shown = table("", expected="left", measured="right", interval="right", verdict="left")
            for row in figure_rows(found):
                shown.add_row(*map(escape, row))
            console.print(shown)
            heads, rows = beside(found)
            if rows:
                console.print(_plain(heads, rows))
            console.print(_where(found), soft_wrap=True)
            console.print(f"[dim]{escape(spelt(claim))}[/]", soft_wrap=True)
        if claim.limits:
            console.print(f"[dim]{escape(claim.limits)}[/]", soft_wrap=True)


def _plain(heads: list[str], rows: list[list[str]]) -> Table:
    shown = columns(table("", **{heads[0].replace(" ", "_"): "left"}), heads[1:])
    for row in rows:
        shown.add_row(*map(escape, row))
    return shown


def _where(found: Result) -> str:
    form = "full" if found.full else "quick"
    seeds = ", ".join(str(one.seed) for one in found.seeds)
    return f"[dim]{form} form, seeds {seeds}, {duration(found.seconds)} of CPU, {found.date}[/]"


def _verdict(found: Result | None) -> str:
    if found is None:
        return "[dim]not measured[/]"
    return f"[{COLOURS[found.verdict]}]{found.verdict.value}[/]"


def _seeds(text: str) -> tuple[int, ...]:
    try:
        found = tuple(int(one) for one in text.split(",")) if text else ()
    except ValueError:
        found = (-1,)
    if not all(0 <= one <= LARGEST for one in found):
        raise ClaimError(f"--seeds {text!r}: give whole numbers from 0 to {LARGEST} with commas between, such as 0,1,2")
    return found


def _measured(claim: Claim, full: bool, seeds: tuple[int, ...], folder: Path, anew: bool) -> Result:
    path = place(str(folder / f"{claim.name}.json"), "")
    begun = read(claim, path) if path.exists() and not anew else None
    if begun and begun.full != full:
        raise ClaimError(f"{path} is of the {'full' if begun.full else 'quick'} form; name another --folder, or --anew")
    count = len(missing(claim, full, seeds, begun))
    said = f"{count} seed{'s' * (count != 1)}, about {duration(claim.form(full).seconds * count)} of CPU"
    tell(f"{claim.name}: {said if count else f'{escape(str(path))} has these seeds; --anew measures them again'}")
    return measure(claim, full, seeds, begun, lambda result: write(result, path))


def _page(pairs: Pairs) -> str:
    text: str = import_module("ontogeny.faces.claims_page").page(pairs)
    return text
