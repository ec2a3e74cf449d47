"""One panel of a chart as inline SVG: the density as an image, single lines over it, the curves beneath, their axes.

It is whole without a script. Everything that a zoom moves lies in nested pictures of their own, measured in the chart's
columns and rows, so that a script need change nothing but their view boxes.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from ontogeny.ask.bins import Floats
from ontogeny.ask.chart import Chart, Curve, Panel
from ontogeny.ask.scale import Scale
from ontogeny.faces.colours import DARK, LIGHT, Theme, levels, limits, palette, png
from ontogeny.faces.density_words import curve_axis
from ontogeny.faces.thin import thinned
from ontogeny.faces.ticks import marks, step_marks

LEFT, RIGHT, TOP, FOOT, GAP = 64, 14, 10, 40, 16
MOST_POINTS = 1200
Ends = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Size:
    """Of a figure and its parts, in the units of its view box."""

    width: int = 960
    height: int = 400
    curve: int = 84
    measures: int = 2

    @property
    def plot(self) -> int:
        """The width of what stands between the margins."""
        return self.width - LEFT - RIGHT


WHOLE, SMALL = Size(), Size(480, 200, 56, 1)


def figure_svg(chart: Chart, panel: Panel, size: Size = WHOLE, themes: Sequence[Theme] = (LIGHT, DARK)) -> str:
    """A panel as one SVG element."""
    rows, columns = panel.density.counts.shape
    box = f'x="{LEFT}" y="{TOP}" width="{size.plot}" height="{size.height}" viewBox="0 0 {columns} {rows}"'
    inner = "".join(_image(panel, theme) for theme in themes) + "".join(_overlays(chart, panel))
    plot = f'<svg class="plot" {box} preserveAspectRatio="none">{inner}</svg>'
    parts = [_value_marks(panel, size), plot, _frame(TOP, size.height, size)]
    beneath, bottom = _beneath(chart.curves, _ends(chart), TOP + size.height, size, columns)
    parts += [beneath, f'<line class="cursor" y1="{TOP}" y2="{bottom}" x1="0" x2="0"/>']
    said = (
        f"{panel.name}: {panel.elements:,} parameters against steps {chart.steps[0]:g} to {chart.steps[-1]:g}, "
        f"values {panel.edges[0]:.4g} to {panel.edges[-1]:.4g}"
    )
    return (
        f'<svg class="chart density" viewBox="0 0 {size.width} {bottom + FOOT}" role="img" tabindex="0" '
        f'aria-label="{escape(said, quote=True)}">{"".join(parts)}</svg>'
    )


def curves_svg(curves: Sequence[Curve], last: float, size: Size = WHOLE) -> str:
    """Curves alone, from step 0 to `last`, as one SVG element."""
    body, bottom = _beneath(curves, (0.0, float(last)), TOP - GAP, size, size.plot)
    names = escape(", ".join(dict.fromkeys(curve.measure for curve in curves)), quote=True)
    return (
        f'<svg class="chart density" viewBox="0 0 {size.width} {bottom + FOOT}" role="img" '
        f'aria-label="{names} against step">{body}</svg>'
    )


def _beneath(curves: Sequence[Curve], ends: Ends, top: int, size: Size, columns: int) -> tuple[str, int]:
    """Curves one under another below `top`, the axis of steps, and where they end."""
    parts = []
    for measure in list(dict.fromkeys(curve.measure for curve in curves))[: size.measures]:
        mine = [curve for curve in curves if curve.measure == measure]
        parts.append(_curve(mine, ends, top + GAP, size, columns))
        top += size.curve + GAP
    return "".join(parts) + _step_marks(ends, top, size), top


def _ends(chart: Chart) -> Ends:
    return float(chart.steps[0]), float(chart.steps[-1])


def key_svg(panel: Panel, theme: Theme) -> str:
    """What the colours mean, as a bar of them."""
    low, high = limits(panel.density.counts)
    bar = png(np.arange(1, 256, dtype=np.uint8)[None], palette(theme))
    places = [value for value, _ in marks(Scale("log"), low, high, 4)] if high > 20 * low else [low, high]
    words = "".join(
        f'<text x="{_share(low, high, value) * 240 + 10:.1f}" y="27" text-anchor="middle">{value:,.4g}</text>'
        for value in places
    )
    image = f'<image href="{_data(bar)}" x="10" y="2" width="240" height="9" preserveAspectRatio="none"/>'
    name = "light" if theme is LIGHT else "dark"
    return f'<svg class="colours {name}" viewBox="0 0 270 32" aria-hidden="true">{image}{words}</svg>'


def _share(low: float, high: float, value: float) -> float:
    return math.log(value / low) / math.log(high / low)


def _data(picture: bytes) -> str:
    return f"data:image/png;base64,{b64encode(picture).decode()}"


def _image(panel: Panel, theme: Theme) -> str:
    counts = panel.density.counts
    rows, columns = counts.shape
    picture = png(levels(counts, *limits(counts))[::-1], palette(theme), clear=True)
    name = "light" if theme is LIGHT else "dark"
    return (
        f'<image class="{name}" href="{_data(picture)}" width="{columns}" height="{rows}" preserveAspectRatio="none"/>'
    )


def _across(ends: Ends, steps: Floats, columns: int) -> Floats:
    return (steps - ends[0]) / (ends[1] - ends[0]) * columns


def _overlays(chart: Chart, panel: Panel) -> list[str]:
    rows, columns = panel.density.counts.shape
    first, last = panel.scale.forward([panel.edges[0], panel.edges[-1]])
    found = []
    for place, line in enumerate(panel.lines):
        steps, values = thinned((line.steps, line.values), MOST_POINTS)
        down = rows * (last - panel.scale.forward(values)) / (last - first)
        path = drawn(_across(_ends(chart), steps, columns), down)
        title = f"<title>{escape(line.name)}</title>"
        found.append(f'<path class="halo" d="{path}"/><path class="over o{place % 4}" d="{path}">{title}</path>')
    return found


def drawn(across: Floats, down: Floats) -> str:
    """A path through points; one that is not finite leaves a gap."""
    pieces, joined = [], False
    for x, y in zip(across.tolist(), down.tolist(), strict=True):
        if sound := math.isfinite(x) and math.isfinite(y):
            pieces.append(f"{'L' if joined else 'M'}{x:.2f} {y:.2f}")
        joined = sound
    return "".join(pieces)


def _value_marks(panel: Panel, size: Size) -> str:
    first, last = (float(one) for one in panel.scale.forward([panel.edges[0], panel.edges[-1]]))
    found = []
    for value, words in marks(panel.scale, float(panel.edges[0]), float(panel.edges[-1]), size.height // 50):
        y = TOP + size.height * (last - float(panel.scale.forward(value))) / (last - first)
        found.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{words}</text>')
    return f'<g class="values">{"".join(found)}</g>'


def _frame(top: int, height: int, size: Size) -> str:
    return f'<rect class="frame" x="{LEFT}" y="{top}" width="{size.plot}" height="{height}"/>'


def _step_marks(ends: Ends, bottom: int, size: Size) -> str:
    low, high = ends
    found = []
    for step, words in step_marks(low, high, size.width // 110):
        x = LEFT + (step - low) / (high - low) * size.plot
        found.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{words}</text>')
    name = f'<text x="{LEFT + size.plot / 2}" y="{bottom + 35}" text-anchor="middle">step</text>'
    return f'<g class="steps">{"".join(found)}</g>{name}'


def _curve(curves: Sequence[Curve], ends: Ends, top: int, size: Size, columns: int) -> str:
    scale, low, high, percent = curve_axis(curves)
    first, last = (float(one) for one in scale.forward([low, high]))
    first, last = first - 0.06 * (last - first), last + 0.06 * (last - first)
    grid = ""
    for value, words in marks(scale, low, high, 2 if percent else 3):
        y = top + size.curve * (last - float(scale.forward(value))) / (last - first)
        shown = f"{value:.0%}" if percent else words
        grid += f'<line class="grid" x1="{LEFT}" x2="{LEFT + size.plot}" y1="{y:.1f}" y2="{y:.1f}"/>'
        grid += f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{shown}</text>'
    paths = ""
    for curve in curves:
        steps, values = thinned((curve.steps, curve.values), MOST_POINTS)
        down = 100 * (last - scale.forward(values)) / (last - first)
        paths += f'<path class="line {curve.kind}" d="{drawn(_across(ends, steps, columns), down)}"/>'
    box = f'x="{LEFT}" y="{top}" width="{size.plot}" height="{size.curve}" viewBox="0 0 {columns} 100"'
    y = top + size.curve - 8 if percent else top + 16
    name = f'<text class="name" x="{LEFT + size.plot - 8}" y="{y}" text-anchor="end">{escape(curves[0].measure)}</text>'
    return (
        f'{grid}<svg class="curve" {box} preserveAspectRatio="none">{paths}</svg>{_frame(top, size.curve, size)}{name}'
    )
