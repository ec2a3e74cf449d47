"""The picture of what runs hold of their data: bits for each parameter by step, and of several runs by data.

Of runs held against a reference: what they hold beyond it, a line for each number of parameters, and beside it what
a target costs them where they learned from it and where they did not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import StrMethodFormatter

from ontogeny.ask.capacity import Capacity
from ontogeny.ask.unintended import Curve
from ontogeny.faces.picture import COLOURS, FAINT, INK, MARGIN, PAPER


def draw(courses: Mapping[str, Sequence[Capacity]]) -> Figure:
    """A panel of courses, a run's states in order; and beside it, of several runs, where each of them came to."""
    figure, panels = _figure(1 + (len(courses) > 1), "bits held for each parameter")
    for place, (name, course) in enumerate(courses.items()):
        colour = COLOURS[place % len(COLOURS)]
        steps, bits = [one.step for one in course], [one.per_parameter for one in course]
        panels[0].plot(steps, bits, "o-", color=colour, markersize=4, linewidth=1.6, label=name)
    _styled(panels[0], "by step", "step")
    panels[0].legend(frameon=False, fontsize=9, labelcolor=INK)
    if len(courses) > 1:
        _plateau(panels[1], [course[-1] for course in courses.values()])
    return figure


def draw_sizes(sizes: Sequence[Curve]) -> Figure:
    """What is held beyond a reference, over data, a line for each number of parameters; and what a target costs."""
    figure, panels = _figure(2, "held beyond the reference, and what a target costs")
    for place, curve in enumerate(sizes):
        _beyond(panels[0], curve, COLOURS[place % len(COLOURS)])
        _targets(panels[1], curve, COLOURS[place % len(COLOURS)])
    ends = sorted({point.data for curve in sizes for point in curve.points})
    low, high = panels[0].get_ylim()
    along = np.linspace(ends[0], ends[-1], 400)
    panels[0].plot(along, along, color=INK, linestyle=(0, (4, 3)), linewidth=1.2, zorder=1)
    panels[0].set_ylim(min(0.0, low), high)
    theirs = sorted((point.data, point.theirs) for curve in sizes for point in curve.points)
    panels[1].plot(*zip(*theirs, strict=True), color=INK, linestyle=(0, (4, 3)), linewidth=1.2, label="the reference")
    panels[1].set_yscale("log")
    for panel, title in zip(panels, ("bits a parameter; dashed: all, dotted: by luck",
                                     "bits a target; thin: learned from, strong: held out"), strict=True):  # fmt: skip
        panel.set_xscale("log")
        _styled(panel, title, "bits of data for each parameter, by the reference")
        panel.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        panel.legend(frameon=False, fontsize=9, labelcolor=INK)
    panels[1].yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    return figure


def _beyond(panel: Any, curve: Curve, colour: str) -> None:
    """One curve, from the least to the most of the runs at a point; what of it is luck."""
    data, name = [one.data for one in curve.points], f"{curve.parameters:,} parameters"
    panel.plot(data, [one.held for one in curve.points], "o-", color=colour, markersize=5, linewidth=2, label=name)
    panel.vlines(data, [one.least for one in curve.points], [one.most for one in curve.points], color=colour)
    luck = [(one.data, one.luck) for one in curve.points if one.luck is not None]
    if luck:
        panel.plot(*zip(*luck, strict=True), color=colour, linestyle=":", linewidth=1.4)


def _targets(panel: Any, curve: Curve, colour: str) -> None:
    """What a target costs the runs of a curve, learned from and held out."""
    data, name = [one.data for one in curve.points], f"{curve.parameters:,} parameters"
    panel.plot(data, [one.own for one in curve.points], "o-", color=colour, markersize=3, linewidth=1, label=name)
    unseen = [(one.data, one.unseen) for one in curve.points if one.unseen is not None]
    if unseen:
        panel.plot(*zip(*unseen, strict=True), "o-", color=colour, markersize=4, linewidth=2.4)


def _figure(count: int, title: str) -> tuple[Figure, Any]:
    """A figure with so many panels beside each other."""
    layout = ConstrainedLayoutEngine(h_pad=MARGIN, w_pad=MARGIN)
    figure = Figure(figsize=(10 if count > 1 else 6, 4.2), layout=layout, facecolor=PAPER)
    figure.suptitle(title, x=0.012, ha="left", color=INK, fontsize=12, weight="bold")
    return figure, figure.subplots(1, count, squeeze=False)[0]


def _plateau(panel: Any, ends: Sequence[Capacity]) -> None:
    """Where runs came to, by the bits of their data; on the dashed line all of it is held."""
    there = sorted((one.uniform / one.parameters, one.per_parameter) for one in ends)
    most = max(held for _, held in there)
    for place, one in enumerate(ends):
        at = one.uniform / one.parameters, one.per_parameter
        panel.plot(*at, "o", color=COLOURS[place % len(COLOURS)], markersize=8, zorder=3)
    panel.plot(*zip(*there, strict=True), color=FAINT, linewidth=2.2, zorder=1)
    panel.plot([0, most], [0, most], color=INK, linestyle=(0, (4, 3)), linewidth=1.2)
    _styled(panel, f"by data; the most is {most:.2f}, dashed: all of it", "bits of data for each parameter")


def _styled(panel: Any, title: str, along: str) -> None:
    panel.set_title(title, loc="left", color=INK, fontsize=10)
    panel.set_xlabel(along, color=INK)
    panel.grid(True, color=FAINT, linewidth=0.7)
    panel.tick_params(colors=INK, which="both", length=0)
    panel.spines[:].set_visible(False)
