"""ontogeny alike"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.ask.alike import Alike, alike
from ontogeny.ask.alike_moments import MOMENTS, NearByMoments, alike_by_moments
from ontogeny.ask.series import UPDATES
from ontogeny.faces.progress import Busy
from ontogeny.faces.sources import DataFile, StepWindow, Valued, values
from ontogeny.faces.terminal import AsJson, answer, table
from ontogeny.record.trace.traces import Window

SHOWN = 20
MODES = 8


def command(
    name: Valued,
    query: Annotated[str, typer.Argument(metavar="ELEMENT", help="A single parameter, such as 'embed.weight[3,7]'.")],
    at_least: Annotated[float | None, typer.Option("--at-least", help="The correlation to reach; 0.95.")] = None,
    over: Annotated[str, typer.Option("--over", help="Charts of updates or of values.")] = UPDATES,
    window: StepWindow = ":",
    either_sign: Annotated[bool, typer.Option("--either-sign", help="Opposite charts match too.")] = False,
    lag: Annotated[int, typer.Option("--lag", help="Also when shifted by up to so many steps, either way.")] = 0,
    without: Annotated[bool, typer.Option("--without-shared-modes", help="Take what all share out first.")] = False,
    modes: Annotated[int, typer.Option("--modes", help="How many shared modes that is.")] = MODES,
    top: Annotated[int | None, typer.Option("--top", help="The nearest so many, however far they are.")] = None,
    by_moments: Annotated[bool, typer.Option("--by-moments", help="The nearest by all moments, not by shape.")] = False,
    file: DataFile = "",
    as_json: AsJson = False,
) -> None:
    """Find every parameter whose chart has another's shape, and prove that none is missed.

    Two charts are compared by Pearson's correlation over the window. --json gives all that match.
    """
    source = values(name, file)
    if by_moments:
        near = alike_by_moments(source, query, top or SHOWN, window=Window.parse(window))
        return answer(moments_document(near), as_json, lambda console: say_moments(console, near))
    with Busy(f"comparing the charts of {name}, at first with an index of them", as_json):
        found = alike(
            source,
            query,
            at_least,
            over=over,
            window=Window.parse(window),
            either_sign=either_sign,
            lag=lag,
            without_modes=modes if without else 0,
            top=top,
        )
    answer(document(found) if as_json else None, as_json, lambda console: say(console, found))


def document(found: Alike) -> dict[str, Any]:
    """The whole answer."""
    about = {"query": found.query, "over": found.over, "first": found.steps[0], "last": found.steps[1]}
    matches = [{"element": match.shown, "score": match.score, "lag": match.lag} for match in found.matches()]
    return {**about, "at_least": found.at_least, "count": len(found), "matches": matches, "proof": asdict(found.proof)}


def say(console: Console, found: Alike) -> None:
    """The nearest as a table, and the proof in a sentence."""
    first, last = found.steps
    over = f"{found.over} of steps {first} to {last}"
    near = found.matches(SHOWN)
    if near:
        shifted = any(match.lag for match in near)
        shown = table("", element="left", correlation="right", lag="right")
        for match in near:
            shown.add_row(escape(match.shown), f"{match.score:+.4f}", str(match.lag) if shifted else "")
        console.print(shown)
    if len(found) > len(near):
        console.print(f"[dim]and {len(found) - len(near)} more; --json lists all[/]")
    bar = f" by {found.at_least:g} or more" if found.at_least > 0 else ""
    console.print(
        f"[bold]{len(found)}[/] of {found.proof.elements} correlate with {escape(found.query)}{bar} over {over}"
    )
    console.print(f"[dim]{escape(proved(found))}[/]", soft_wrap=True)
    if not len(found):
        console.print("[dim]--top 10 gives the nearest, however far; --at-least 0.8 asks for less[/]")


def moments_document(found: NearByMoments) -> dict[str, Any]:
    """The nearest by moments."""
    about = {"query": found.query, "moments": dict(zip(MOMENTS, found.moments, strict=True))}
    nearest = [
        {"element": near.shown, "distance": near.distance, "moments": dict(zip(MOMENTS, near.moments, strict=True))}
        for near in found.nearest
    ]
    return {**about, "nearest": nearest, "elements": found.elements, "compared": found.compared}


def say_moments(console: Console, found: NearByMoments) -> None:
    """The nearest by moments as a table."""
    shown = table("", element="left", distance="right")
    for near in found.nearest:
        shown.add_row(escape(near.shown), f"{near.distance:.4g}")
    console.print(shown)
    console.print(
        f"nearest to {escape(found.query)} by mean, variance, skewness and kurtosis of values and updates; "
        f"{found.compared} of {found.elements} compared, each moment in units of its spread",
        soft_wrap=True,
    )


def proved(found: Alike) -> str:
    """What became of every element, in words."""
    proof = found.proof
    parts = [
        (proof.by_head, "ruled out by the head of their series"),
        (proof.by_vector, "by the whole of it" if proof.by_head else "ruled out by the whole of their series"),
        (proof.compared, "compared in full"),
        (proof.constant, "without a shape"),
        (proof.not_finite, "not finite"),
        (proof.missing, "not recorded throughout"),
    ]
    return "none is missed: " + ", ".join(f"{count} {what}" for count, what in parts if count)
