"""The picture of a scaling law: loss against parameters, a curve and band for each amount of data, the runs as dots.

Both axes are logarithmic. A law of data alone has data along the axis. Runs have the colour of the curve whose data is
nearest to theirs; where there are more amounts of data than colours, curves are drawn at some of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from ontogeny.ask.laws.law import ENDS, Law
from ontogeny.ask.laws.points import Points, groups, points
from ontogeny.ask.scale import LOG, Scale
from ontogeny.faces.picture import COLOURS, FAINT, INK, MARGIN, MARKS, PAPER
from ontogeny.faces.terminal import amount
from ontogeny.faces.ticks import marks
from ontogeny.isa.errors import LawError

Floats = npt.NDArray[np.float64]
CURVES = 6
SMOOTH = 80
FURTHER = 4.0
"""By what factor curves go on beyond the runs."""
NAMES = {"parameters": "parameters", "tokens": "tokens seen", "unique": "distinct tokens"}


def draw(law: Law, title: str = "", unit: str = "tokens") -> Figure:
    """A figure of one panel. LawError for a law that comes without runs."""
    if law.points is None:
        raise LawError("a published law has no runs here to draw; give runs or a CSV file")
    along, by = _axes(law)
    layout = ConstrainedLayoutEngine(h_pad=MARGIN)
    figure = Figure(figsize=(9, 5.4), layout=layout, facecolor=PAPER)
    panel = figure.subplots()
    panel.set_xscale("log")
    panel.set_yscale("log")
    levels = _levels(law.points, by)
    nearest = (
        np.abs(law.points.log(by)[:, None] - np.log(levels)[None]).argmin(axis=1) if by else np.zeros(len(law.points))
    )
    for place, level in enumerate(levels):
        own = law.points.take(np.flatnonzero(nearest == place))
        colour = COLOURS[place % len(COLOURS)]
        _curve(panel, law, (along, by), (own, float(level)), colour, f"{amount(level)} {unit}" if by else "runs")
    moved = bool(by) and any(law.points.levels(axis) > len(levels) for axis in law.form.axes[1:])
    _style(panel, NAMES[along].replace("tokens", unit), moved)
    figure.suptitle(title or law.form.formula, x=0.012, ha="left", color=INK, fontsize=12, weight="bold")
    if by:
        panel.legend(frameon=False, fontsize=9, labelcolor=INK, title=NAMES[by].replace("tokens", unit), loc="best")
    return figure


def _axes(law: Law) -> tuple[str, str]:
    """What lies along the axis, and what each curve has its own of; "" where that is nothing."""
    if law.form.name == "data":
        return "tokens", ""
    if law.form.name == "size":
        return "parameters", ""
    return "parameters", "unique" if law.form.name == "tuned" else "tokens"


def _levels(given: Points, by: str) -> Floats:
    """The amounts of data that curves are drawn at: all, or some spread over them."""
    if not by:
        return np.ones(1)
    column = getattr(given, by)
    level = groups(column)
    found = np.array([column[level == one].mean() for one in range(int(level.max()) + 1)])
    return found if len(found) <= CURVES else np.geomspace(found[0], found[-1], CURVES)


def _curve(panel: Any, law: Law, axes: tuple[str, str], runs: tuple[Points, float], colour: str, label: str) -> None:
    """A curve, its band, and the runs that are nearest to it, moved along the law to its data."""
    (along, by), (own, level), whole = axes, runs, law.points
    assert whole is not None
    low, high = whole.range(along)
    grid = np.geomspace(low / FURTHER**0.25, high * FURTHER, SMOOTH)
    share = (own if len(own) else whole).log("unique").mean() - (own if len(own) else whole).log("tokens").mean()
    if len(own):
        there = _with(_middling(whole, own.parameters, share), by, level) if by else own
        moved = own.loss * law.losses(there)[0] / law.losses(own)[0]
        panel.plot(getattr(own, along), moved, "o", color=colour, markersize=4, alpha=0.8, clip_on=False)
    at = _with(points(grid, grid, unique=grid) if along == "tokens" else _middling(whole, grid, share), by, level)
    mid, drawn = law.losses(at)
    panel.plot(grid, mid, color=colour, linewidth=1.6, label=label)
    if len(drawn):
        panel.fill_between(grid, *np.percentile(drawn, ENDS, axis=0), color=colour, alpha=0.18, linewidth=0)


def _middling(whole: Points, sizes: Floats, distinct: float) -> Points:
    """Sizes on as much data as the runs have in the middle, of which exp(`distinct`) is distinct."""
    tokens = float(np.exp(whole.log("tokens").mean()))
    return points(sizes, tokens, unique=tokens * float(np.exp(distinct)))


def _with(given: Points, by: str, level: float) -> Points:
    """The points with other data, seen as often as theirs."""
    if not by:
        return given
    times = level / getattr(given, by)
    return points(given.parameters, given.tokens * times, given.loss, unique=given.unique * times)


def _style(panel: Any, label: str, moved: bool) -> None:
    low, high = panel.get_ylim()
    places = marks(Scale(LOG), low, high, MARKS)
    panel.set_yticks([value for value, _ in places], [words for _, words in places])
    panel.minorticks_off()
    dots = "dots: runs, moved along the law to the data of the nearest curve" if moved else "dots: runs"
    panel.set_title(f"loss, logarithmic; {dots}; band: 95 of 100 samples", loc="left", color=INK, fontsize=10)
    panel.set_xlabel(label, color=INK)
    panel.grid(True, which="major", color=FAINT, linewidth=0.7)
    panel.tick_params(colors=INK, which="both", length=0)
    panel.spines[:].set_visible(False)
