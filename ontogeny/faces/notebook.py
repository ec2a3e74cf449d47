"""What a notebook shows of a run or a chart: a small picture with its axes, drawn without a script.

A chart needs the values of all steps. Where the index of them stands, or is soon made, all parameters are drawn; for a
long run nobody wants to wait at the end of a cell, so there the curves are, with the words that draw the rest.
"""

from __future__ import annotations

from html import escape
from typing import Any

from ontogeny.ask.chart import Chart, chart, curves
from ontogeny.ask.index_cache import traces_of
from ontogeny.ask.pyramid_build import stands
from ontogeny.faces.colours import LIGHT
from ontogeny.faces.density_figure import Size, curves_svg, figure_svg
from ontogeny.faces.density_words import about, heading

SIZE = Size(720, 260, 64, 2)
GRID = (640, 240)
SOON = 4_000_000
"""So many values are indexed without being asked."""
MOST_PANELS = 12
STYLE = """
.ontogeny { background: #fff; color: #1d1f23; max-width: 760px; padding: 10px 12px; font: 14px system-ui, sans-serif; }
.ontogeny p { margin: 2px 0 6px; color: #5b616b; font-size: 12px; }
.ontogeny text { fill: #5b616b; font: 11px system-ui, sans-serif; }
.ontogeny svg { display: block; width: 100%; height: auto; } .ontogeny svg svg { overflow: hidden; }
.ontogeny .frame, .ontogeny .grid { fill: none; stroke: #dfe2e7; }
.ontogeny path { fill: none; stroke: #1d1f23; vector-effect: non-scaling-stroke; }
.ontogeny .training { opacity: .55; } .ontogeny .validation { stroke-width: 2; }
.ontogeny .halo { stroke: #fff; stroke-width: 3.6; opacity: .75; }
.ontogeny .over { stroke: #d1495b; stroke-width: 1.6; }
"""


def in_notebook(shown: Any) -> str:
    """HTML of a chart, or of a run, native or attached: all parameters against steps, its curves beneath."""
    if isinstance(shown, Chart):
        return _card(heading(shown), about(shown), _panels(shown))
    name = shown.folder.name
    steps = traces_of(shown).steps
    if len(steps) > 1 and _soon(shown):
        columns, rows = GRID
        found = chart(shown, columns=columns, rows=rows)
        return _card(f"{name}, step {shown.step:,}", about(found), _panels(found))
    found_curves = curves(shown, 0.0, float(max(1, shown.step)))
    said = f"og.chart(run) draws all parameters at its {len(steps):,} steps" if len(steps) > 1 else "no step yet"
    return _card(f"{name}, step {shown.step:,}", said, curves_svg(found_curves, max(1, shown.step), SIZE))


def _soon(shown: Any) -> bool:
    """Whether a chart takes no more than a moment."""
    traces = traces_of(shown)
    values = len(traces.steps) * sum(tensor.size for tensor in traces.tensors.values())
    return 0 < values <= SOON or stands(shown)


def _panels(found: Chart) -> str:
    shown = [figure_svg(found, panel, SIZE, (LIGHT,)) for panel in found.panels[:MOST_PANELS]]
    if len(shown) == 1:
        return shown[0]
    return "".join(f"<b>{escape(p.name)}</b>{svg}" for p, svg in zip(found.panels, shown, strict=False))


def _card(title: str, said: str, body: str) -> str:
    return f'<div class="ontogeny"><style>{STYLE}</style><b>{escape(title)}</b><p>{escape(said)}</p>{body}</div>'
