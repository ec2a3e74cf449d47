"""The picture of streams: bits a second against models that grow stronger, with what the sensor gives beside it.

A panel for each kind of stream, since each kind has models of its own. A stream has a colour: its dots are the models,
its line the best of them so far, the broken line its sensor, the dotted one what it carries by how it was made, where
that is known. Published rates of people's senses and deeds are grey.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from ontogeny.ask.scale import LOG, Scale
from ontogeny.ask.streams.carried import Carried
from ontogeny.ask.streams.stream import KINDS, PUBLISHED
from ontogeny.faces.picture import COLOURS, FAINT, INK, MARGIN, MARKS, PAPER
from ontogeny.faces.terminal import amount
from ontogeny.faces.ticks import marks

GREY = "#888888"
ROOM = 1.6
"""By what factor the axis goes on beyond the lines."""


def draw(found: Sequence[Carried]) -> Figure:
    """A figure of a panel for each kind that there is."""
    kinds = [kind for kind in KINDS if any(one.stream.kind == kind for one in found)]
    figure = Figure(
        figsize=(9, 4.4 * len(kinds)), layout=ConstrainedLayoutEngine(h_pad=MARGIN), facecolor=PAPER
    )  # fmt: skip
    for panel, kind in zip(figure.subplots(len(kinds), 1, squeeze=False)[:, 0], kinds, strict=True):
        _panel(panel, kind, [one for one in found if one.stream.kind == kind])
    title = "bits a second that streams carry, by how well they are predicted"
    figure.suptitle(title, x=0.012, ha="left", color=INK, fontsize=13, weight="bold")
    return figure


def _panel(panel: Any, kind: str, found: Sequence[Carried]) -> None:
    names = list(dict.fromkeys(one.model.name for each in found for one in each.taken))
    values = list[float]()
    for place, each in enumerate(found):
        colour = COLOURS[place % len(COLOURS)]
        at = [names.index(one.model.name) for one in each.taken]
        rates = [each.rate(one) for one in each.taken]
        panel.plot(at, rates, "o", color=colour, markersize=4.5)
        least = np.minimum.accumulate(rates)
        panel.step(at, least, where="post", color=colour, linewidth=1.6, label=each.stream.name)
        panel.axhline(each.stream.sensor, color=colour, linestyle="--", linewidth=1.0, alpha=0.8)
        if each.truth:
            panel.axhline(each.truth, color=colour, linestyle=":", linewidth=1.6)
        values += [*rates, each.stream.sensor, *([each.truth] if each.truth else [])]
    panel.set_yscale("log")
    beside = [one for one in PUBLISHED if min(values) / 40 <= one.bits <= max(values) * 40]
    values += [one.bits for one in beside]
    panel.set_ylim(min(values) / ROOM, max(values) * ROOM)
    for one in beside:
        panel.axhline(one.bits, color=GREY, linewidth=1.0)
        panel.text(len(names) - 0.6, one.bits, one.name, color=GREY, fontsize=8, ha="right", va="bottom")
    _style(panel, kind, names)


def _style(panel: Any, kind: str, names: Sequence[str]) -> None:
    low, high = panel.get_ylim()
    places = marks(Scale(LOG), low, high, MARKS)
    panel.set_yticks([value for value, _ in places], [amount(value) for value, _ in places])
    panel.minorticks_off()
    panel.set_xticks(range(len(names)), names, rotation=35, ha="right", fontsize=8.5)
    panel.set_xlim(-0.5, len(names) - 0.5)
    words = f"{kind}: dots: models, line: the best so far, broken: the sensor, dotted: what it was made of"
    panel.set_title(words, loc="left", color=INK, fontsize=10)
    panel.grid(True, which="major", color=FAINT, linewidth=0.7)
    panel.tick_params(colors=INK, which="both", length=0)
    panel.spines[:].set_visible(False)
    panel.legend(frameon=False, fontsize=9, labelcolor=INK, loc="center left", bbox_to_anchor=(1.0, 0.5))
