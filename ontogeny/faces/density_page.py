"""A chart as one HTML file that needs no network: its counts lie in it, to be pointed at and zoomed into."""

from __future__ import annotations

import json
import math
import zlib
from base64 import b64encode
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.ask.chart import Chart, Curve, Panel
from ontogeny.faces.colours import DARK, LIGHT
from ontogeny.faces.density_figure import LEFT, MOST_POINTS, SMALL, TOP, WHOLE, Size, figure_svg, key_svg
from ontogeny.faces.density_words import MOST_PANELS, about, heading, value_words
from ontogeny.faces.thin import thinned

SAMPLE = '<svg class="density" viewBox="0 0 28 10" aria-hidden="true">'
HINT = (
    "Point anywhere for step, value and count. Drag a box to zoom in; a double click, or the key 0, shows everything. "
    "Arrow keys, + and − do the same."
)


def density_page(chart: Chart, title: str = "") -> str:
    """The whole file."""
    named = heading(chart, title)
    single = len(chart.panels) == 1
    size = WHOLE if single else SMALL
    figures = "".join(_figure(chart, panel, place, size) for place, panel in enumerate(chart.panels[:MOST_PANELS]))
    body = [
        f"<h1>{escape(named)}</h1>",
        f'<p class="soft">{escape(about(chart))}</p>',
        f'<p class="soft hint">{HINT}</p>',
        figures if single else f'<div class="panels">{figures}</div>',
    ]
    return Template(_file("page.html")).substitute(
        title=escape(named),
        style=_file("page.css") + _file("density.css"),
        body="\n".join(body),
        script=_file("density.js"),
    )


def _file(name: str) -> str:
    return files("ontogeny.faces").joinpath(name).read_text(encoding="utf-8")


def _figure(chart: Chart, panel: Panel, place: int, size: Size) -> str:
    """One panel, its numbers, and its counts as base64 of deflated 32-bit floats, the lowest row first."""
    name = f"density{place}"
    counts = b64encode(zlib.compress(shortened(panel.density.counts).tobytes(), 6)).decode()
    what = value_words(chart.quantity, panel.scale)
    keys = f'<p class="soft">parameters per pixel {key_svg(panel, LIGHT)}{key_svg(panel, DARK)}</p>'
    names = "".join(
        f'<li>{SAMPLE}<line class="o{place % 4}" x1="1" x2="27" y1="5" y2="5" stroke-width="3"/></svg>'
        f"{escape(line.name)}</li>"
        for place, line in enumerate(panel.lines)
    )
    lines = f'<ul class="key">{names}{_kinds(chart)}</ul>' if names or chart.curves else ""
    return (
        f'<figure data-density="{name}"><h3>{escape(panel.name)}<span class="soft">{panel.elements:,} parameters, '
        f"{escape(what)}</span></h3>{figure_svg(chart, panel, size)}{lines}{keys}"
        f'<script type="application/json" id="{name}">{_numbers(chart, panel, size)}</script>'
        f'<script type="text/plain" id="{name}-counts">{counts}</script></figure>'
    )


def _kinds(chart: Chart) -> str:
    """What thin and strong curves are, where there are both."""
    kinds = dict.fromkeys(curve.kind for curve in chart.curves)
    found = (f'<li>{SAMPLE}<path class="line {kind}" d="M1 5L27 5"/></svg>{kind}</li>' for kind in kinds)
    return "".join(found) if len(kinds) > 1 else ""


def shortened(counts: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Counts to three digits, which take far fewer bytes than all: the last 13 bits of each are zero."""
    pattern = np.ascontiguousarray(counts, "<f4").view(np.uint32) + np.uint32(1 << 12)
    return (pattern & ~np.uint32((1 << 13) - 1)).view(np.float32)


def _numbers(chart: Chart, panel: Panel, size: Size) -> str:
    rows, columns = panel.density.counts.shape
    document: dict[str, Any] = {
        "columns": columns,
        "rows": rows,
        "box": {"x": LEFT, "y": TOP, "width": size.plot, "height": size.height},
        "steps": [float(chart.steps[0]), float(chart.steps[-1])],
        "values": [float(panel.edges[0]), float(panel.edges[-1])],
        "scale": panel.scale.kind,
        "unit": panel.scale.unit,
        "nonfinite": [round(float(one), 2) for one in panel.density.nonfinite] if panel.density.nonfinite.any() else [],
        "curves": [_curve(curve) for curve in chart.curves],
    }
    return json.dumps(document, separators=(",", ":")).replace("<", "\\u003c")


def _curve(curve: Curve) -> dict[str, Any]:
    steps, values = thinned((curve.steps, curve.values), MOST_POINTS)
    return {
        "name": f"{curve.kind} {curve.measure}",
        "percent": "accuracy" in curve.measure,
        "steps": steps.tolist(),
        "values": [float(f"{value:.6g}") if math.isfinite(value) else None for value in values.tolist()],
    }
