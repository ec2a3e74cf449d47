"""One measure of one or several runs as inline SVG, complete without a script; its numbers stand beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from ontogeny.faces.picture import COLOURS
from ontogeny.faces.thin import thinned
from ontogeny.faces.ticks import FEW_DECADES
from ontogeny.faces.view import Line, View

WIDTH, HEIGHT = 920, 290
LEFT, RIGHT, TOP, BOTTOM = 62, 906, 14, 258
MOST_POINTS = 1500


class Scale:
    """Where steps and values lie in the picture; values logarithmically where they are losses above zero."""

    def __init__(self, lines: Sequence[Line], measure: str) -> None:
        steps = np.concatenate([line[0] for line in lines])
        values = np.concatenate([line[1] for line in lines])
        values = values[np.isfinite(values)] if np.isfinite(values).any() else np.array([0.0])
        self.first, self.last = 0.0, max(1.0, float(steps.max()))
        self.percent = "accuracy" in measure
        self.log = "loss" in measure and bool(values.min() > 0)
        low, high = (0.0, 1.0) if self.percent else (float(values.min()), float(values.max()))
        self.low, self.high = (math.log10(low), math.log10(high)) if self.log else (low, high)
        if self.high - self.low < 1e-12:
            self.low, self.high = self.low - 0.5, self.high + 0.5

    def across(self, step: float) -> float:
        """The horizontal place of a step."""
        return LEFT + (step - self.first) / (self.last - self.first) * (RIGHT - LEFT)

    def down(self, value: float) -> float:
        """The vertical place of a value."""
        number = math.log10(value) if self.log else value
        return BOTTOM - (number - self.low) / (self.high - self.low) * (BOTTOM - TOP)

    def marks(self) -> Iterator[tuple[float, str]]:
        """Values for the grid, and how they are written."""
        if self.log:
            decades = range(math.floor(self.low), math.floor(self.high) + 1)
            factors = (1, 2, 5) if self.high - self.low < FEW_DECADES else (1,)
            found = [
                float(f"{factor}e{power}") for power in decades[:: max(1, len(decades) // 6)] for factor in factors
            ]
            yield from ((one, f"{one:g}") for one in found if self.low <= math.log10(one) <= self.high)
        else:
            for value in _round_steps(self.low, self.high, 5):
                yield value, f"{value:.0%}" if self.percent else f"{value:.4g}"


def chart(runs: Sequence[View], measure: str, number: int) -> str:
    """A figure of one measure; empty where no run has it."""
    found = [
        (place, run, kind, line)
        for place, run in enumerate(runs)
        for kind, line in (run.own_lines(measure) if place else run.lines(measure)).items()
        if len(line[0])
    ]
    if not found:
        return ""
    shown = [(place, run, kind, thinned(line, MOST_POINTS)) for place, run, kind, line in found]
    scale = Scale([line for *_, line in shown], measure)
    paths = "".join(_path(scale, place, kind, line) for place, _, kind, line in shown)
    branches = "".join(_branch(scale, place, run) for place, run in enumerate(runs) if run.branch is not None)
    cursor = f'<line class="cursor" y1="{TOP}" y2="{BOTTOM}" x1="0" x2="0"/>'
    axis = ", logarithmic axis" if scale.log else ""
    about = escape("; ".join(f"{run.name} {kind} ends at {line[1][-1]:.4g}" for _, run, kind, line in found))
    return (
        f'<figure data-chart="chart{number}"><h3>{escape(measure)}<span class="soft">{axis}</span></h3>'
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" tabindex="0" '
        f'aria-label="{escape(measure)} against step. {about}. Arrow keys move along it.">'
        f"{_grid(scale)}{branches}{paths}{cursor}</svg>"
        f'<script type="application/json" id="chart{number}">{_numbers(scale, shown)}</script></figure>'
    )


def key(runs: Sequence[View]) -> str:
    """What the colours and the two kinds of line mean."""
    entries = [(f"var(--c{place % len(COLOURS)})", 3.0, run.name) for place, run in enumerate(runs)]
    entries += [("var(--soft)", 1.2, "training"), ("var(--soft)", 2.8, "validation")]
    drawn = (
        f'<li><svg viewBox="0 0 28 10" aria-hidden="true"><line x1="1" x2="27" y1="5" y2="5" stroke="{colour}" '
        f'stroke-width="{width}"/></svg>{escape(name)}</li>'
        for colour, width, name in entries
    )
    return f'<ul class="key">{"".join(drawn)}</ul>'


def _grid(scale: Scale) -> str:
    rows = "".join(
        f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{scale.down(value):.1f}" y2="{scale.down(value):.1f}"/>'
        f'<text x="{LEFT - 8}" y="{scale.down(value) + 4:.1f}" text-anchor="end">{text}</text>'
        for value, text in scale.marks()
    )
    columns = "".join(
        f'<text class="{"many" if place % 2 else ""}" x="{scale.across(step):.1f}" y="{BOTTOM + 22}" '
        f'text-anchor="middle">{step:g}</text>'
        for place, step in enumerate(_round_steps(scale.first, scale.last, 8))
    )
    return rows + columns


def _path(scale: Scale, place: int, kind: str, line: Line) -> str:
    pieces: list[str] = []
    joined = False
    for step, value in zip(*line, strict=True):
        drawable = math.isfinite(value) and (value > 0 or not scale.log)
        if drawable:
            pieces.append(f"{'L' if joined else 'M'}{scale.across(step):.1f} {scale.down(value):.1f}")
        joined = drawable
    return f'<path class="line {kind}" stroke="var(--c{place % len(COLOURS)})" d="{"".join(pieces)}"/>'


def _branch(scale: Scale, place: int, run: View) -> str:
    x = scale.across(float(run.branch or 0))
    colour = f"var(--c{place % len(COLOURS)})"
    return (
        f'<line class="branch" stroke="{colour}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{BOTTOM}">'
        f"<title>{escape(run.name)} branches at {run.branch}</title></line>"
    )


def _numbers(scale: Scale, shown: Sequence[tuple[int, View, str, Line]]) -> str:
    lines = [
        {
            "name": f"{run.name} {kind}",
            "colour": place % len(COLOURS),
            "steps": [int(step) for step in line[0]],
            "values": [float(f"{value:.6g}") if math.isfinite(value) else None for value in line[1]],
        }
        for place, run, kind, line in shown
    ]
    document = {
        "width": WIDTH,
        "across": [LEFT, RIGHT],
        "steps": [scale.first, scale.last],
        "percent": scale.percent,
        "lines": lines,
    }
    return json.dumps(document, separators=(",", ":")).replace("<", "\\u003c")


def _round_steps(low: float, high: float, about: int) -> list[float]:
    """Round numbers from low to high, about as many as asked for."""
    rough = (high - low) / about
    unit = 10.0 ** math.floor(math.log10(rough))
    step = min((unit * factor for factor in (1, 2, 2.5, 5, 10)), key=lambda one: abs(one - rough))
    return [round(place * step, 12) for place in range(math.ceil(low / step), math.floor(high / step + 1e-9) + 1)]
