"""One moment of every element against another as a picture: densities, a panel for each tensor, far elements named.

Matplotlib draws; a page holds the drawing for light and for dark paper, and the named elements as a table.
"""

from __future__ import annotations

from base64 import b64encode
from html import escape
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.ticker import NullLocator
from matplotlib.transforms import Bbox

from ontogeny.ask.moment_scatter import Axis, Panel, Point, Scatter
from ontogeny.ask.scale import LINEAR, LOG, Scale
from ontogeny.faces.colours import DARK, LIGHT, Theme, levels, limits, palette
from ontogeny.faces.density_picture import framed
from ontogeny.faces.ticks import count, marks, plain

DPI = 160
WHOLE, SMALL = (6.0, 4.0), (2.7, 1.8)
"""Inches of a single panel, and of one among several."""
LEFT, RIGHT, HEAD, FOOT, ACROSS, DOWN = 0.75, 0.95, 0.85, 0.52, 0.2, 0.3
SIZE, RING = 7.0, 5.0
"""Points of names, and of the rings around far elements."""
OFFSETS = tuple((side * across, up) for across, up in ((5, 0), (5, 6), (5, -6), (9, 13), (9, -13)) for side in (1, -1))
Box = tuple[float, float, float, float]


def draw_scatter(found: Scatter, title: str = "", dark: bool = False) -> Figure:
    """A figure of all panels with one colour bar."""
    theme = DARK if dark else LIGHT
    panels = found.panels
    across = min(len(panels), 2 if len(panels) <= 4 else 3)
    down = -(-len(panels) // across)
    wide, tall = WHOLE if len(panels) == 1 else SMALL
    size = (LEFT + across * (wide + ACROSS) + RIGHT, HEAD + down * (tall + DOWN) - DOWN + FOOT)
    figure = Figure(figsize=size, dpi=DPI, facecolor=theme.paper)
    ends = limits(np.concatenate([panel.counts.ravel() for panel in panels]))
    for place, panel in enumerate(panels):
        row, column = divmod(place, across)
        left, top = LEFT + column * (wide + ACROSS), HEAD + row * (tall + DOWN)
        axes = framed(figure, size, (left, top, wide, tall), theme)
        _draw(axes, found, panel, ends, theme)
        _mark(axes, found, (wide, tall), outer=(column == 0, place + across >= len(panels)), theme=theme)
        _label(axes, found, panel, theme, whole=place == 0)
    top, bottom = HEAD, HEAD + down * (tall + DOWN) - DOWN
    _bar(framed(figure, size, (size[0] - RIGHT + 0.02, top, 0.12, min(bottom - top, 2.4)), theme), ends, theme)
    _words(figure, found, size, title, theme)
    return figure


def save_scatter(found: Scatter, target: Path, title: str = "", dark: bool = False) -> Path:
    """Writes PNG, SVG or HTML, as the ending says."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix == ".html":
        target.write_text(scatter_page(found, title), encoding="utf-8")
    else:
        _save(draw_scatter(found, title, dark), target, target.suffix[1:])
    return target


def scatter_page(found: Scatter, title: str = "") -> str:
    """One HTML file that needs no network."""
    named = title or heading(found)
    pictures = []
    for name, dark in (("light", False), ("dark", True)):
        buffer = BytesIO()
        _save(draw_scatter(found, title, dark), buffer, "svg")
        data = b64encode(buffer.getvalue()).decode()
        pictures.append(f'<img class="{name}" alt="{escape(named)}" src="data:image/svg+xml;base64,{data}">')
    body = f'<div class="density">{"".join(pictures)}</div>{_table(found)}'
    style = _file("page.css") + _file("density.css") + "\n.density img { width: 100%; height: auto; }"
    return Template(_file("page.html")).substitute(title=escape(named), style=style, body=body, script="")


def heading(found: Scatter) -> str:
    """What the picture shows."""
    return f"{found.y.moment} against {found.x.moment} of {found.over}"


def about(found: Scatter) -> str:
    """How much it shows, and what is left out."""
    whole = found.panels[0]
    parts = [f"{whole.elements:,} elements over {found.observations:,} {found.over} each"]
    if whole.missing:
        parts.append(f"{whole.missing:,} that never vary left out")
    if found.others:
        parts.append(f"{found.others} smaller tensors only among all")
    return "; ".join(parts)


def _save(figure: Figure, target: Any, kind: str) -> None:
    metadata = {"Date": None} if kind == "svg" else None
    figure.savefig(target, format=kind, dpi=DPI, facecolor=figure.get_facecolor(), metadata=metadata)


def _file(name: str) -> str:
    return files("ontogeny.faces").joinpath(name).read_text(encoding="utf-8")


def _table(found: Scatter) -> str:
    """The named elements of all panels, the farthest first."""
    points = {point.element: point for panel in found.panels for point in panel.far}
    if not points:
        return ""
    rows = "".join(
        f"<tr><td>{escape(point.element)}</td><td>{plain(point.x)}</td><td>{plain(point.y)}</td>"
        f"<td>{point.deviation:.1f}</td></tr>"
        for point in sorted(points.values(), key=lambda point: -point.deviation)
    )
    head = "".join(f"<th>{one}</th>" for one in ("element", found.x.moment, found.y.moment, "deviations"))
    return (
        '<h2>Farthest from their tensor</h2><p class="soft">deviations along both axes as drawn, of a normal '
        f"distribution with the tensor's quartiles</p><table><tr>{head}</tr>{rows}</table>"
    )


def _draw(axes: Any, found: Scatter, panel: Panel, ends: tuple[float, float], theme: Theme) -> None:
    pixels = palette(theme)[levels(panel.counts, *ends)]
    axes.imshow(pixels, extent=(*found.x.ends, *found.y.ends), origin="lower", aspect="auto", interpolation="none")
    axes.set_title(panel.name, loc="left", fontsize=8.5, color=theme.ink, pad=4)
    axes.set_title(f"{panel.elements:,}", loc="right", fontsize=7.5, color=theme.soft, pad=4)


def _mark(axes: Any, found: Scatter, inches: tuple[float, float], outer: tuple[bool, bool], theme: Theme) -> None:
    """The axes' values, written only at the outer edges of the picture."""
    for name, one, length, written in (("y", found.y, inches[1], outer[0]), ("x", found.x, inches[0], outer[1])):
        places = marks(one.scale, one.low, one.high, max(3, int(length / 0.75)))
        axes.set(**{f"{name}ticks": [float(one.scale.forward(value)) for value, _ in places]})
        axes.set(**{f"{name}ticklabels": [words if written else "" for _, words in places]})
        axes.set(**{f"{name}lim": one.ends})
        if written:
            axes.set(**{f"{name}label": _axis_words(one)})
            getattr(axes, f"{name}axis").label.set(color=theme.soft, fontsize=8.5)


def _axis_words(axis: Axis) -> str:
    kind = {LINEAR: "", LOG: ", log"}.get(axis.scale.kind, f", log beyond ±{axis.scale.unit:g}")
    return f"excess kurtosis{kind}" if axis.moment == "kurtosis" else axis.moment + kind


def _label(axes: Any, found: Scatter, panel: Panel, theme: Theme, whole: bool) -> None:
    """A ring around each far element, and its name where there is room; the tensor's own name stands above."""
    ring = {"markersize": RING, "markerfacecolor": "none", "markeredgecolor": theme.overlay[0]}
    places = [_place(found, point) for point in panel.far]
    for place in places:
        axes.plot(*place, "o", **ring)
    taken = [_ring_box(axes, place) for place in places]
    for point, place in zip(panel.far, places, strict=True):
        words = point.element if whole else point.element.removeprefix(panel.name) or point.element
        for offset in OFFSETS:
            text = _name(axes, words, place, offset, theme)
            text.get_window_extent()  # lays it out; the words alone are asked for next, without the line
            box, room = Text.get_window_extent(text), axes.get_window_extent()
            inside = room.x0 < box.x0 and box.x1 < room.x1 and room.y0 < box.y0 and box.y1 < room.y1
            if inside and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            text.remove()


def _ring_box(axes: Any, place: tuple[float, float]) -> Bbox:
    (across, up), half = axes.transData.transform(place), RING * DPI / 72 / 2
    return Bbox.from_extents(across - half, up - half, across + half, up + half)


def _name(axes: Any, words: str, place: tuple[float, float], offset: tuple[int, int], theme: Theme) -> Any:
    """Words beside a place, with a line to it where they are not next to it."""
    line = {"arrowstyle": "-", "color": theme.soft, "linewidth": 0.6, "shrinkA": 0, "shrinkB": RING / 2}
    return axes.annotate(
        words, place, offset, textcoords="offset points", fontsize=SIZE, color=theme.ink, va="center",
        ha="left" if offset[0] > 0 else "right", arrowprops=line if abs(offset[1]) > 6 else None,
        path_effects=[withStroke(linewidth=2.2, foreground=theme.paper, alpha=0.85)],
    )  # fmt: skip


def _place(found: Scatter, point: Point) -> tuple[float, float]:
    return float(found.x.scale.forward(point.x)), float(found.y.scale.forward(point.y))


def _bar(axes: Any, ends: tuple[float, float], theme: Theme) -> None:
    """What the colours mean."""
    low, high = ends
    extent = (0, 1, np.log10(low), np.log10(high))
    axes.imshow(palette(theme)[1:, None], origin="lower", aspect="auto", extent=extent, interpolation="nearest")
    places = [value for value, _ in marks(Scale(LOG), low, high, 6)] if high > 20 * low else [low, high]
    axes.set_yticks([float(np.log10(one)) for one in places], [count(one) for one in places])
    axes.yaxis.tick_right()
    axes.xaxis.set_major_locator(NullLocator())
    axes.spines[:].set_visible(False)
    axes.set_ylabel("elements per cell", color=theme.soft, fontsize=8.5)
    axes.yaxis.set_label_position("right")


def _words(figure: Figure, found: Scatter, size: tuple[float, float], title: str, theme: Theme) -> None:
    wide, tall = size
    named = title or heading(found)
    figure.text(0.16 / wide, 1 - 0.18 / tall, named, fontsize=12.5, weight="bold", color=theme.ink, va="top")
    figure.text(0.16 / wide, 1 - 0.42 / tall, about(found), fontsize=8.5, color=theme.soft, va="top")
