"""Densities of all parameters as a picture of Matplotlib's: every count is one pixel of it, the curves stand beneath.

The figure is laid out around the pixels that the chart has, so that none is scaled; its size follows from theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import NullLocator

from ontogeny.ask.chart import TRAINING, VALIDATION, Chart, Curve, Panel
from ontogeny.ask.scale import LOG, Scale
from ontogeny.faces.colours import DARK, LIGHT, Theme, levels, limits, palette
from ontogeny.faces.density_words import MOST_PANELS, about, curve_axis, heading, side_by_side, value_words
from ontogeny.faces.picture import STYLE
from ontogeny.faces.thin import thinned
from ontogeny.faces.ticks import count, marks, step_marks

DPI = 160
PIXELATED = "image-rendering:crisp-edges;image-rendering:pixelated"
LEFT, RIGHT, HEAD, FOOT = 0.78, 0.95, 0.72, 0.5
"""Inches around the panels."""
LETTERS = 14.5
"""Of the smaller words, so many fit into an inch."""
GAP_ACROSS, GAP_DOWN, CURVE, CURVE_GAP = 0.72, 0.42, 0.85, 0.2
MOST_CURVES = 3
WIDTHS = {TRAINING: 1.0, VALIDATION: 1.8}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things lie, in inches from the top left."""

    across: int
    down: int
    width: float
    height: float
    curves: int
    said: int = 1

    @property
    def head(self) -> float:
        """Above the first panel."""
        return HEAD + 0.17 * (self.said - 1) + (0 if self.across == 1 else 0.22)

    @property
    def size(self) -> tuple[float, float]:
        """Of the whole figure."""
        right = RIGHT if self.across == 1 else 0.2
        wide = LEFT + self.across * self.width + (self.across - 1) * GAP_ACROSS + right
        below = self.curves * (CURVE + CURVE_GAP)
        return wide, self.head + self.down * self.height + (self.down - 1) * GAP_DOWN + below + FOOT

    def panel(self, place: int) -> tuple[float, float, float, float]:
        """Left, top, width, height of a panel."""
        row, column = divmod(place, self.across)
        left, top = LEFT + column * (self.width + GAP_ACROSS), self.head + row * (self.height + GAP_DOWN)
        return left, top, self.width, self.height

    def curve(self, place: int, column: int) -> tuple[float, float, float, float]:
        """The same of a curve beneath a column of panels."""
        top = self.head + self.down * self.height + (self.down - 1) * GAP_DOWN + CURVE_GAP + place * (CURVE + CURVE_GAP)
        return LEFT + column * (self.width + GAP_ACROSS), top, self.width, CURVE


def draw_density(chart: Chart, title: str = "", dark: bool = False) -> Figure:
    """A figure of a chart: a panel, or small multiples of them, and the curves with the same axis of steps."""
    theme = DARK if dark else LIGHT
    panels = chart.panels[:MOST_PANELS]
    across = side_by_side(len(panels))
    rows, columns = panels[0].density.counts.shape
    measures = list(dict.fromkeys(curve.measure for curve in chart.curves))[:MOST_CURVES]
    layout = Layout(across, -(-len(panels) // across), columns / DPI, rows / DPI, len(measures))
    said = wrap(about(chart), max(20, int(layout.size[0] * LETTERS)))
    layout = replace(layout, said=len(said))
    figure = Figure(figsize=layout.size, dpi=DPI, facecolor=theme.paper)
    for place, panel in enumerate(panels):
        axes = framed(figure, layout.size, layout.panel(place), theme)
        last = place + across >= len(panels)
        _panel(axes, chart, panel, theme, named=len(panels) > 1, stepped=last and not measures)
    for column in range(min(across, len(panels))):
        for place, measure in enumerate(measures):
            axes = framed(figure, layout.size, layout.curve(place, column), theme)
            mine = [curve for curve in chart.curves if curve.measure == measure]
            _curve(axes, chart, mine, theme, stepped=place == len(measures) - 1)
            if column == 0:
                _named(axes, measure, theme)
            if place == 0 and column == 0:
                _legend(axes, mine, theme)
    _words(figure, heading(chart, title), said, layout, theme)
    return figure


def save_density(figure: Figure, target: Path) -> Path:
    """Writes the figure as its ending says, PNG or SVG, whose pixels a viewer may smooth: thin lines stay whole so."""
    target.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"Date": None} if target.suffix == ".svg" else None
    figure.savefig(target, dpi=DPI, facecolor=figure.get_facecolor(), metadata=metadata)
    if target.suffix == ".svg":
        target.write_text(target.read_text(encoding="utf-8").replace(PIXELATED, ""), encoding="utf-8")
    return target


def framed(figure: Figure, size: tuple[float, float], box: tuple[float, float, float, float], theme: Theme) -> Any:
    """Axes in a box (left, top, width, height) of a figure of that size, all in inches, drawn as the theme has it."""
    wide, tall = size
    left, top, width, height = box
    axes = figure.add_axes((left / wide, 1 - (top + height) / tall, width / wide, height / tall))
    axes.set_facecolor(theme.paper)
    axes.tick_params(colors=theme.soft, length=3, width=0.6, labelsize=8)
    for side in axes.spines.values():
        side.set_color(theme.line)
        side.set_linewidth(0.8)
    return axes


def _panel(axes: Any, chart: Chart, panel: Panel, theme: Theme, named: bool, stepped: bool) -> None:
    counts = panel.density.counts
    low, high = limits(counts)
    first, last = (float(one) for one in panel.scale.forward([panel.edges[0], panel.edges[-1]]))
    extent = (chart.steps[0], chart.steps[-1], first, last)
    pixels = palette(theme)[levels(counts, low, high)]
    axes.imshow(pixels, extent=extent, origin="lower", aspect="auto", interpolation="none")
    about = max(3, round(panel.density.counts.shape[0] / 60))
    _mark_values(axes, panel.scale, panel.edges[0], panel.edges[-1], about)
    _mark_steps(axes, chart, stepped)
    if stepped:
        axes.set_xlabel("step", color=theme.soft, fontsize=8.5)
    axes.set_ylim(first, last)
    _lines(axes, panel, theme)
    if named:
        axes.set_title(f"{panel.name}  ", loc="left", fontsize=8.5, color=theme.ink, pad=4)
        axes.set_title(f"{panel.elements:,}", loc="right", fontsize=7.5, color=theme.soft, pad=4)
    else:
        _named(axes, value_words(chart.quantity, panel.scale), theme)
        _colour_bar(axes, low, high, theme)


def _named(axes: Any, words: str, theme: Theme) -> None:
    """What stands along the left of axes, as far from them as from all others."""
    axes.set_ylabel(words, color=theme.soft, fontsize=8.5)
    axes.yaxis.set_label_coords(-0.56 / (axes.get_window_extent().width / DPI), 0.5)


def _mark_values(axes: Any, scale: Scale, low: float, high: float, about: int) -> None:
    places = marks(scale, float(low), float(high), about)
    axes.set_yticks([float(scale.forward(value)) for value, _ in places], [words for _, words in places])


def _mark_steps(axes: Any, chart: Chart, stepped: bool) -> None:
    wide = axes.get_window_extent().width / DPI
    places = step_marks(float(chart.steps[0]), float(chart.steps[-1]), max(3, int(wide / 0.7)))
    axes.set_xticks([step for step, _ in places], [words if stepped else "" for _, words in places])
    axes.set_xlim(chart.steps[0], chart.steps[-1])


def _lines(axes: Any, panel: Panel, theme: Theme) -> None:
    halo = [withStroke(linewidth=2.6, foreground=theme.paper, alpha=0.75)]
    for place, line in enumerate(panel.lines):
        colour = theme.overlay[place % len(theme.overlay)]
        height = panel.scale.forward(line.values)
        axes.plot(line.steps, height, color=colour, linewidth=1.2, path_effects=halo, label=line.name)
    if panel.lines:
        box = axes.legend(loc="upper right", fontsize=7.5, labelcolor=theme.ink, facecolor=theme.paper, framealpha=0.85)
        box.get_frame().set_edgecolor(theme.line)


def _colour_bar(axes: Any, low: float, high: float, theme: Theme) -> None:
    """What the colours mean, right of a panel."""
    wide = axes.get_window_extent().width / DPI
    bar = axes.inset_axes((1 + 0.12 / wide, 0.0, 0.11 / wide, 1.0))
    bar.imshow(
        palette(theme)[1:, None], origin="lower", aspect="auto", extent=(0, 1, np.log10(low), np.log10(high)),
        interpolation="nearest",
    )  # fmt: skip
    places = [value for value, _ in marks(Scale(LOG), low, high, 6)] if high > 20 * low else [low, high]
    bar.set_yticks([float(np.log10(one)) for one in places], [count(one) for one in places])
    bar.yaxis.tick_right()
    bar.xaxis.set_major_locator(NullLocator())
    bar.tick_params(colors=theme.soft, length=3, width=0.6, labelsize=8)
    bar.spines[:].set_visible(False)
    bar.set_ylabel("parameters per pixel", color=theme.soft, fontsize=8.5)
    bar.yaxis.set_label_position("right")


def _curve(axes: Any, chart: Chart, curves: Sequence[Curve], theme: Theme, stepped: bool) -> None:
    """One measure, training thin and validation strong."""
    scale, low, high, percent = curve_axis(curves)
    for curve in curves:
        steps, shown = thinned((curve.steps, scale.forward(curve.values)))
        axes.plot(steps, shown, color=theme.ink, **STYLE[curve.kind] | {"linewidth": WIDTHS[curve.kind]})
    first, last = (float(one) for one in scale.forward([low, high]))
    axes.set_ylim(first - 0.08 * (last - first), last + 0.08 * (last - first))
    places = marks(scale, low, high, 3)
    axes.set_yticks([float(scale.forward(v)) for v, _ in places], [f"{v:.0%}" if percent else w for v, w in places])
    axes.grid(True, color=theme.line, linewidth=0.5)
    axes.set_axisbelow(True)
    _mark_steps(axes, chart, stepped)
    if stepped:
        axes.set_xlabel("step", color=theme.soft, fontsize=8.5)


def _legend(axes: Any, curves: Sequence[Curve], theme: Theme) -> None:
    if len(curves) < 2:
        return
    axes.legend(
        axes.get_lines(), [curve.kind for curve in curves], loc="best", ncols=2, frameon=False, fontsize=7.5,
        labelcolor=theme.soft, handlelength=1.4, borderaxespad=0.1,
    )  # fmt: skip


def _words(figure: Figure, title: str, said: Sequence[str], layout: Layout, theme: Theme) -> None:
    """The title, and beneath it what is shown."""
    wide, tall = layout.size
    size = min(12.5, 12.5 * wide * 9 / max(1, len(title)))
    figure.text(0.16 / wide, 1 - 0.2 / tall, title, fontsize=size, weight="bold", color=theme.ink, va="top")
    for place, words in enumerate(said):
        figure.text(0.16 / wide, 1 - (0.45 + 0.17 * place) / tall, words, fontsize=8.5, color=theme.soft, va="top")
