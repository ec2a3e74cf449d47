"""The picture of a claim: what each seed gave, the interval and the bound; beside it the experiment's own lines."""

from __future__ import annotations

import math
from io import StringIO
from typing import Any

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from ontogeny.ask.scale import LOG, Scale
from ontogeny.claims.result import Result
from ontogeny.faces.picture import COLOURS, FAINT, INK, MARGIN, MARKS, PAPER
from ontogeny.faces.ticks import marks

ACROSS = 3
"""Expectations beside one another; further ones stand beneath, so that all can be read."""


def draw(found: Result) -> Figure:
    """A figure with a panel for each expectation, and one for the lines where there are any."""
    lines = any(one.measured.series for one in found.seeds)
    across = min(ACROSS, len(found.judged))
    rows = math.ceil(len(found.judged) / across)
    layout = ConstrainedLayoutEngine(h_pad=MARGIN, w_pad=MARGIN)
    figure = Figure(figsize=(3.2 * across + 6.8 * lines, 3.4 * rows), layout=layout, facecolor=PAPER)
    grid = figure.add_gridspec(rows, across + lines, width_ratios=[*([2.1] if lines else []), *[1.0] * across])
    if lines:
        _lines(figure.add_subplot(grid[:, 0]), found)
    for place in range(len(found.judged)):
        row, column = divmod(place, across)
        _figure(figure.add_subplot(grid[row, column + lines]), found, place)
    return figure


def svg(found: Result) -> str:
    """The figure as SVG to stand in a page, no wider than that."""
    text = StringIO()
    draw(found).savefig(text, format="svg", facecolor=PAPER, metadata={"Date": None})
    drawn = text.getvalue()
    return drawn[drawn.index("<svg") :].replace("<svg", '<svg style="max-width: 100%; height: auto"', 1)


def _figure(panel: Any, found: Result, place: int) -> None:
    """One expectation: a dot for each seed, the mean with its interval, and a line at the bound."""
    one = found.judged[place]
    values = [seed.measured.figures[one.expectation.figure] for seed in found.seeds]
    panel.axhline(one.expectation.bound, color=INK, linestyle=(0, (4, 3)), linewidth=1.2)
    panel.plot([0.3] * len(values), values, "o", color=COLOURS[0], alpha=0.6, clip_on=False)
    if math.isfinite(one.interval.low) and math.isfinite(one.interval.high):
        ends = [[one.interval.mean - one.interval.low], [one.interval.high - one.interval.mean]]
        panel.errorbar([0.7], [one.interval.mean], yerr=ends, fmt="s", color=COLOURS[1], capsize=5)
    panel.set_xlim(0, 1)
    panel.set_xticks([0.3, 0.7], ["seeds", "mean"])
    _styled(
        panel, f"{one.expectation.figure} {one.expectation.relation} {one.expectation.bound:g}: {one.verdict.value}"
    )


def _lines(panel: Any, found: Result) -> None:
    """Lines of one name have one colour, whatever their seed."""
    names = list(dict.fromkeys(line.name for one in found.seeds for line in one.measured.series))
    for one in found.seeds:
        for line in one.measured.series:
            place = names.index(line.name)
            label = line.name if one is found.seeds[0] else None
            mark = "o" if len(line.x) < 12 else ""
            panel.plot(
                line.x, line.y, color=COLOURS[place % len(COLOURS)], alpha=0.7, marker=mark, markersize=3, label=label
            )
    for axis in found.claim.logarithmic:
        getattr(panel, f"set_{axis}scale")("log")
        low, high = getattr(panel, f"get_{axis}lim")()
        places = marks(Scale(LOG), low, high, MARKS)
        getattr(panel, f"set_{axis}ticks")([value for value, _ in places], [words for _, words in places])
    panel.minorticks_off()
    across, up = found.claim.axes
    panel.set_xlabel(across, color=INK)
    _styled(panel, up)
    panel.legend(frameon=False, fontsize=8, labelcolor=INK, loc="upper left", bbox_to_anchor=(1, 1))


def _styled(panel: Any, name: str) -> None:
    panel.set_title(name, loc="left", color=INK, fontsize=9, wrap=True)
    panel.grid(True, axis="y", color=FAINT, linewidth=0.7)
    panel.tick_params(colors=INK, which="both", length=0, labelsize=8)
    panel.spines[:].set_visible(False)
