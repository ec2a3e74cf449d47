"""The curves of one or several runs as one picture.

A run has a colour (Okabe and Ito's, told apart with any colour vision); training is a thin line and validation a strong
one. Loss stands on a logarithmic axis. A fork shares its parent's line up to the branch, which is marked.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import PercentFormatter

from ontogeny.ask.scale import LOG, Scale
from ontogeny.faces.thin import thinned
from ontogeny.faces.ticks import marks
from ontogeny.faces.view import TRAIN, VALID, View

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLE: dict[str, dict[str, Any]] = {
    TRAIN: {"linewidth": 1.1, "alpha": 0.55},
    VALID: {"linewidth": 2.4, "alpha": 1.0},
}
INK, FAINT, PAPER = "#222222", "#D9D9D9", "#FFFFFF"
MARGIN = 0.1
"""Inches above the title and around the panels."""
MARKS = 5
SHOWN = ("loss", "accuracy")
LETTERS, KEY = 110, 7
"""Of a legend's row, how many fit; and what a line's key takes, in letters."""


def draw(runs: Sequence[View], title: str = "", measures: Sequence[str] = SHOWN) -> Figure:
    """A figure with a panel for each measure that any run has."""
    there = dict.fromkeys(measure for run in runs for measure in run.measures() if run.lines(measure))
    present = [measure for measure in measures if measure in there] or list(there)[:2] or list(measures[:1])
    layout = ConstrainedLayoutEngine(h_pad=MARGIN)
    figure = Figure(figsize=(9, 1.2 + 2.9 * len(present)), layout=layout, facecolor=PAPER)
    panels = figure.subplots(len(present), 1, sharex=True, squeeze=False)[:, 0]
    for panel, measure in zip(panels, present, strict=True):
        _panel(panel, runs, measure)
    panels[-1].set_xlabel("step", color=INK)
    figure.suptitle(
        title or " · ".join(run.name for run in runs), x=0.012, ha="left", color=INK, fontsize=14, weight="bold"
    )
    _legend(figure, runs)
    return figure


def save(figure: Figure, target: Path) -> list[Path]:
    """Write the figure as PNG and as SVG beside each other; the paths."""
    paths = [target.with_suffix(".png"), target.with_suffix(".svg")]
    target.parent.mkdir(parents=True, exist_ok=True)
    for path in paths:
        figure.savefig(path, dpi=160, facecolor=PAPER, metadata={"Date": None} if path.suffix == ".svg" else None)
    return paths


def _panel(panel: Any, runs: Sequence[View], measure: str) -> None:
    for place, run in enumerate(runs):
        for kind, line in (run.own_lines(measure) if place else run.lines(measure)).items():
            steps, values = thinned(line)
            panel.plot(steps, values, color=COLOURS[place % len(COLOURS)], solid_capstyle="round", **STYLE[kind])
    positive = all((values[np.isfinite(values)] > 0).all() for run in runs for _, values in run.lines(measure).values())
    if "loss" in measure and positive:
        panel.set_yscale("log")
        low, high = panel.get_ylim()
        places = marks(Scale(LOG), low, high, MARKS)
        panel.set_yticks([value for value, _ in places], [words for _, words in places])
        panel.minorticks_off()
    if "accuracy" in measure:
        panel.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        panel.set_ylim(-0.03, 1.03)
    panel.set_title(
        measure + (", logarithmic" if panel.get_yscale() == "log" else ""), loc="left", color=INK, fontsize=11
    )
    panel.grid(True, which="major", color=FAINT, linewidth=0.7)
    panel.tick_params(colors=INK, which="both", length=0)
    panel.spines[:].set_visible(False)
    panel.set_xlim(left=0)
    _branches(panel, runs, labelled=panel is panel.figure.axes[0])


def _branches(panel: Any, runs: Sequence[View], labelled: bool) -> None:
    for place, run in enumerate(runs):
        if run.branch is None:
            continue
        panel.axvline(run.branch, color=COLOURS[place % len(COLOURS)], linestyle=(0, (2, 3)), linewidth=1.4)
        if not labelled:
            continue
        panel.annotate(
            f"{run.name} branches at {run.branch}",
            (run.branch, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(4, 3),
            textcoords="offset points",
            color=COLOURS[place % len(COLOURS)],
            fontsize=8.5,
            annotation_clip=False,
        )


def _legend(figure: Figure, runs: Sequence[View]) -> None:
    handles: list[Any] = []
    axes = figure.axes[0]
    for place, run in enumerate(runs):
        (handle,) = axes.plot([], [], color=COLOURS[place % len(COLOURS)], linewidth=3, label=run.name)
        handles.append(handle)
    for kind, style in STYLE.items():
        (handle,) = axes.plot([], [], color=INK, label=kind, **style)
        handles.append(handle)
    widest = max(len(str(handle.get_label())) for handle in handles)
    ncols = max(1, min(len(handles), LETTERS // (widest + KEY)))
    figure.legend(handles=handles, loc="outside lower left", ncols=ncols, frameon=False, fontsize=9.5, labelcolor=INK)
