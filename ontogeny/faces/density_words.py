"""What all ways to draw a chart have in common: its words, how its panels stand, how its curves are scaled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ontogeny.ask.chart import Chart, Curve
from ontogeny.ask.scale import LINEAR, LOG, Scale

WORDS = {"value": "value", "update": "update", "z": "deviations from its own mean"}
MOST_PANELS = 96


def heading(chart: Chart, title: str = "") -> str:
    """The title that was given, or the run's name and what is drawn of it."""
    panels = chart.panels
    what = panels[0].name if len(panels) == 1 else f"each {chart.each}"
    return title or f"{chart.name}: {what}".lstrip(": ")


def about(chart: Chart) -> str:
    """How much is shown, and how to read it."""
    panels = chart.panels
    said = (
        f"{sum(panel.elements for panel in panels):,} parameters at {chart.recorded:,} steps: {chart.points:,} points"
    )
    if len(panels) > 1:
        said += f"; {value_words(chart.quantity, panels[0].scale)}; colour from few to many, each panel by itself"
    if len(panels) > MOST_PANELS:
        said += f"; the first {MOST_PANELS} of {len(panels)} panels"
    lost = max(float(panel.density.nonfinite.max()) for panel in panels)
    if lost:
        said += f"; up to {lost:,.0f} not finite"
    blur = max(panel.blur for panel in panels)
    if blur > 4:
        said += f"; finer than the index: {blur} rows of pixels share a count"
    return said


def value_words(quantity: str, scale: Scale) -> str:
    """What an axis of values is of."""
    return WORDS[quantity] + ("" if scale.kind == LINEAR else f", {scale.kind}")


def side_by_side(panels: int) -> int:
    """How many panels stand in a row: as leaves the fewest places empty, and the whole rather wide than tall."""
    if panels <= 3:
        return panels
    return min((3, 4, 5), key=lambda across: (-panels % across, abs(across - 1.4 * panels**0.5)))


def curve_axis(curves: Sequence[Curve]) -> tuple[Scale, float, float, bool]:
    """The scale of one measure, its range, and whether it is a share: a loss that falls far stands logarithmically."""
    sound = [curve.values[np.isfinite(curve.values)] for curve in curves]
    values = np.concatenate(sound) if any(map(len, sound)) else np.zeros(1)
    percent = "accuracy" in curves[0].measure
    low, high = (0.0, 1.0) if percent else (float(values.min()), float(values.max()))
    log = "loss" in curves[0].measure and 0 < 3 * low < high
    low, high = (low, high) if low < high else (low - 0.5, high + 0.5)
    return Scale(LOG) if log else Scale(), low, high, percent
