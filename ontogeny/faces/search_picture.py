"""The picture of a search: error and gates of the best against evaluations, dials that were turned, the front."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from ontogeny.evolve.recording.course import DIAL
from ontogeny.evolve.recording.recorded import RecordedSearch
from ontogeny.evolve.recording.turning import said
from ontogeny.faces.picture import COLOURS, FAINT, INK, MARGIN, PAPER

LINE: dict[str, Any] = {"linewidth": 2, "marker": "o", "markersize": 3, "clip_on": False}


def draw(search: RecordedSearch, title: str = "") -> Figure:
    """A figure with a panel for each of error, size and, where there are several objectives, the front."""
    rows, found = search.kept.rows(), search.found()
    objectives = search.began.fitness.objectives
    panels = [objectives[0], *(["gates"] if any(row["size"] for row in rows) else [])]
    several = len(found.front) > 1 and len(objectives) > 1
    count = len(panels) + several
    layout = ConstrainedLayoutEngine(h_pad=MARGIN)
    figure = Figure(figsize=(9, 1.2 + 2.7 * count), layout=layout, facecolor=PAPER)
    axes = figure.subplots(count, 1, squeeze=False)[:, 0]
    steps = [max(1, row["evaluations"]) for row in rows]
    for place, (panel, name) in enumerate(zip(axes, panels, strict=False)):
        values = [row["size"] if place else row["errors"][0] for row in rows]
        panel.plot(steps, values, color=COLOURS[place], drawstyle="steps-post", **LINE)
        _styled(panel, name)
        panel.set_xscale("log")
        _marks(panel, search, rows, labelled=place == 0)
    axes[len(panels) - 1].set_xlabel("evaluations", color=INK)
    if several:
        _front(axes[-1], objectives, found.front)
    figure.suptitle(title or search.folder.name, x=0.012, ha="left", color=INK, fontsize=14, weight="bold")
    return figure


def _styled(panel: Any, name: str) -> None:
    panel.set_title(name, loc="left", color=INK, fontsize=11)
    panel.grid(True, which="major", color=FAINT, linewidth=0.7)
    panel.tick_params(colors=INK, which="both", length=0)
    panel.spines[:].set_visible(False)
    panel.set_ylim(bottom=0)


def _marks(panel: Any, search: RecordedSearch, rows: list[dict[str, Any]], labelled: bool) -> None:
    """Where it was first right, and where dials were turned."""
    marked = [(max(1, entry.at), f"{entry['dial']}={said(_tuple(entry['value']))}") for entry in search.entries
              if entry.kind == DIAL]  # fmt: skip
    if rows and rows[-1]["solved_at"] is not None:
        marked.append((rows[-1]["solved_at"], "right"))
    for at, words in marked:
        panel.axvline(at, color=INK, linestyle=(0, (2, 3)), linewidth=1.1)
        if labelled:
            where = {"xycoords": ("data", "axes fraction"), "xytext": (4, 3), "textcoords": "offset points"}
            panel.annotate(words, (at, 1.0), color=INK, fontsize=8.5, annotation_clip=False, **where)


def _front(panel: Any, objectives: tuple[str, ...], front: Any) -> None:
    panel.scatter(
        [best.errors[1] for best in front], [best.errors[0] for best in front], color=COLOURS[2], s=22, clip_on=False
    )
    _styled(panel, f"the front: {objectives[0]} against {objectives[1]}")
    panel.set_xlabel(objectives[1], color=INK)


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
