"""The picture of what was made smaller: loss against parameters, a point for each network, and the best of them."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from ontogeny.ask.scale import LOG, Scale
from ontogeny.faces.picture import COLOURS, FAINT, INK, MARGIN, MARKS, PAPER
from ontogeny.faces.ticks import marks
from ontogeny.train.small.shrink import Report

SHAPES = "oDsv^P*X"
"""One for each way and what was before, since there are fewer colours, and points of two ways may coincide."""


def draw(report: Report) -> Figure:
    """One panel; a pruned network stands at as many parameters as it has weights that are not zero."""
    figure = Figure(figsize=(9, 5.4), layout=ConstrainedLayoutEngine(h_pad=MARGIN), facecolor=PAPER)
    panel = figure.subplots()
    panel.set_xscale("log")
    every = (report.before, *report.after)
    front = sorted((one.parameters, one.quality.loss) for one in report.front())
    panel.step(*zip(*front, strict=True), where="post", color=FAINT, linewidth=2.2, zorder=1)
    for place, way in enumerate(dict.fromkeys(one.way for one in every)):
        own = [(one.parameters, one.quality.loss) for one in every if one.way == way]
        shape, colour = SHAPES[place % len(SHAPES)], COLOURS[place % len(COLOURS)]
        panel.plot(*zip(*own, strict=True), shape, color=colour, alpha=0.8, markersize=8, label=way)
    if all(one.quality.loss > 0 for one in every):
        panel.set_yscale("log")
        places = marks(Scale(LOG), *panel.get_ylim(), MARKS)
        panel.set_yticks([value for value, _ in places], [words for _, words in places])
    places = marks(Scale(LOG), *panel.get_xlim(), MARKS)
    panel.set_xticks([value for value, _ in places], [words for _, words in places])
    panel.minorticks_off()
    panel.set_title("held-out loss; grey: nothing here is smaller and better", loc="left", color=INK, fontsize=10)
    panel.set_xlabel("parameters; of a pruned network those that are not zero", color=INK)
    panel.grid(True, which="major", color=FAINT, linewidth=0.7)
    panel.tick_params(colors=INK, which="both", length=0)
    panel.spines[:].set_visible(False)
    panel.legend(frameon=False, fontsize=9, labelcolor=INK)
    name = report.before.run
    figure.suptitle(f"{name}, made smaller", x=0.012, ha="left", color=INK, fontsize=12, weight="bold")
    return figure
