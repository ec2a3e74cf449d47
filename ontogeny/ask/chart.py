"""Charts of all parameters at once: how many pass through each pixel of a picture, the loss beneath, single ones above.

`chart` gives numbers, not a picture: faces draw it. A picture costs its pixels: it is made from an index that lies
with the run and is built once (`pyramid`). Where an axis is zoomed in so far that pixels are finer than the index's
bins, the values of that window are read again if they are not too many; `Panel.exact` and `Panel.blur` say which.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ontogeny.ask.bins import Floats
from ontogeny.ask.density import Density, Plan, from_index, planned, turning
from ontogeny.ask.exact_density import from_values
from ontogeny.ask.index_cache import traces_of
from ontogeny.ask.pyramid import ALL_TENSORS, Pyramid
from ontogeny.ask.pyramid_build import pyramid
from ontogeny.ask.quantity import UPDATE, VALUE, Stream, Z, standard
from ontogeny.ask.scale import Scale, padded, scale_for
from ontogeny.ask.told import told
from ontogeny.isa.errors import RecordError
from ontogeny.record.attach import Attached
from ontogeny.record.shown import Shown
from ontogeny.record.trace.traces import ALL, Traces, Window, chosen, element

COLUMNS, ROWS = 960, 480
AGAIN = 1 << 25
"""So many values at most are read again where pixels are finer than the index's bins."""
FEW = 2048
"""So few elements are drawn from their values: single lines stand out there, and steep ones would fall into dots."""
COARSE = 4
"""Rows of pixels that one bin may cover before its values are read again."""
TRAINING, VALIDATION = "training", "validation"
EACH = ("", "tensor", "layer")


@dataclass(frozen=True, slots=True)
class Line:
    """One element: its numbers at the recorded steps."""

    name: str
    tensor: str
    steps: Floats
    values: Floats


@dataclass(frozen=True, slots=True)
class Curve:
    """A measure of the run against steps; `kind` is training or validation."""

    measure: str
    kind: str
    steps: Floats
    values: Floats


@dataclass(frozen=True, slots=True)
class Panel:
    """The density of some tensors together.

    `edges` are the values between rows of pixels [rows + 1], `density.counts` is [rows, columns]. `exact` says that it
    was counted from the values themselves; else up to `blur` rows share the count of one bin of the index.
    """

    name: str
    tensors: tuple[str, ...]
    elements: int
    scale: Scale
    edges: Floats
    density: Density
    exact: bool
    blur: int
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Chart(Shown):
    """All panels, with one axis of steps: `steps` are the edges of columns [columns + 1]; and the curves beneath.

    `recorded` is how many steps are shown, `each` what there is a panel for each of.
    """

    name: str
    quantity: str
    steps: Floats
    recorded: int
    panels: tuple[Panel, ...]
    curves: tuple[Curve, ...] = ()
    each: str = ""

    @property
    def points(self) -> int:
        """How many numbers the picture shows."""
        return self.recorded * sum(panel.elements for panel in self.panels)


def chart(
    source: Any,
    *,
    tensors: Iterable[str] | None = None,
    steps: Window | str = ALL,
    quantity: str = VALUE,
    log: bool = False,
    span: tuple[float | None, float | None] = (None, None),
    each: str = "",
    lines: Sequence[str] = (),
    columns: int = COLUMNS,
    rows: int = ROWS,
) -> Chart:
    """All parameters of a run, native or attached, or of trajectories, against steps.

    `tensors` are names or patterns with `*`; `quantity` is value, update, or z (each element by its own mean and
    deviation over the window); `span` is the range of values shown, None what there is; `each` is "tensor" or "layer"
    for a panel each; `lines` are single elements, as `embed.weight[3,7]`. Raises RecordError for what there is not.
    """
    traces, window = traces_of(source), Window.parse(steps) if isinstance(steps, str) else steps
    groups = grouped(chosen(traces, tensors), each, list(traces.tensors))
    over = _lines(traces, lines, quantity, window)
    index = pyramid(source, quantity, window)
    inside = window.of(index.steps)
    if quantity == UPDATE and inside.start == 0 and inside.stop > 1:
        inside = slice(1, inside.stop)  # the first recorded step has no update
    plan = planned(index, inside, columns)
    drawer = _Drawer(traces, index, plan, inside, quantity, log, span, rows)
    panels = drawer.panels(groups, over)
    return Chart(
        Path(getattr(source, "folder", "")).name,
        quantity,
        plan.edges,
        inside.stop - inside.start,
        tuple(panels),
        curves(source, float(plan.edges[0]), float(plan.edges[-1])),
        each,
    )


def grouped(names: Sequence[str], each: str, every: Sequence[str] = ()) -> dict[str, list[str]]:
    """The tensors of each panel, by the panel's name."""
    if each not in EACH:
        raise RecordError(f"{each!r} is nothing to draw a panel for each of; choose tensor or layer")
    found: dict[str, list[str]] = {}
    for name in names:
        whole = "all parameters" if list(names) == list(every) else ", ".join(names)
        found.setdefault({"": whole, "tensor": name, "layer": layer_of(name)}[each], []).append(name)
    return found


def layer_of(name: str) -> str:
    """The layer of a tensor: its name up to the first number in it (`blocks.0`), or else without its last part."""
    found = re.match(r"(.*?\.)?\d+(?=\.|$)", name)
    return found[0] if found else name.rpartition(".")[0] or name


def curves(source: Any, first: float, last: float) -> tuple[Curve, ...]:
    """The loss and the other measures of a run between two steps; none of mere trajectories, nor what never changes."""
    if not hasattr(source, "metrics"):
        return ()
    of_loop = told(source) if isinstance(source, Attached) else None
    metrics, found = of_loop.metrics if of_loop else source.metrics(), []
    for name, values in metrics.items():
        if name != "step" and np.ndim(values) == 1:
            found.append(Curve(name, TRAINING, np.asarray(metrics["step"], np.float64), np.asarray(values, np.float64)))
    rows = of_loop.evaluations if of_loop else source.evaluations()
    for name in dict.fromkeys(name for row in rows for name in row if name != "step"):
        points = np.array([(row["step"], row[name]) for row in rows if name in row], np.float64)
        found.append(Curve(name, VALIDATION, points[:, 0], points[:, 1]))
    cut = [_between(curve, first, last) for curve in found]
    rank = {"loss": 0, "accuracy": 1}
    shown = [curve for curve in cut if _changes(curve, curve.measure in rank)]
    return tuple(sorted(shown, key=lambda c: (rank.get(c.measure, 2), c.measure, c.kind)))


def _changes(curve: Curve, always: bool) -> bool:
    """Whether there is anything to see in a curve; of some `always`, where there is a number."""
    numbers = curve.values[np.isfinite(curve.values)]
    return bool(len(numbers)) and (always or bool(np.ptp(numbers) > 0))


def _between(curve: Curve, first: float, last: float) -> Curve:
    """The points between two steps, and the one before and after, so that lines reach the edges of a picture."""
    low, high = np.searchsorted(curve.steps, first, "left"), np.searchsorted(curve.steps, last, "right")
    inside = slice(max(0, int(low) - 1), int(high) + 1)
    return Curve(curve.measure, curve.kind, curve.steps[inside], curve.values[inside])


def _lines(traces: Traces, names: Sequence[str], quantity: str, window: Window) -> list[Line]:
    """The numbers of single elements, as the quantity has them."""
    found = []
    for text in names:
        name, place = element(traces, text)
        rows = window.of(traces.steps)
        first = max(0, rows.start - 1) if quantity == UPDATE else rows.start
        reach = Window(int(traces.steps[first]), int(traces.steps[rows.stop - 1]) + 1) if rows.stop > first else window
        steps, values = traces.lines(name, [place], reach)
        numbers = values[:, 0].astype(np.float64)
        if quantity == UPDATE:
            steps, numbers = steps[1:], np.diff(numbers)
        if quantity == Z:
            numbers = (numbers - numbers.mean()) / (numbers.std() or np.inf)
        found.append(Line(text.strip(), name, steps.astype(np.float64), numbers))
    return found


@dataclass(frozen=True, slots=True)
class _Drawer:
    traces: Traces
    index: Pyramid
    plan: Plan
    inside: slice
    quantity: str
    log: bool
    span: tuple[float | None, float | None]
    rows: int

    def panels(self, groups: dict[str, list[str]], lines: Sequence[Line]) -> list[Panel]:
        """A panel for each group."""
        found = {name: self._panel(name, names, lines) for name, names in groups.items()}
        again = self._again(list(found.values()))
        for panel, density in zip(again, self._exactly(again), strict=True):
            found[panel.name] = replace(panel, density=density, exact=True, blur=1)
        return list(found.values())

    def _panel(self, name: str, names: list[str], lines: Sequence[Line]) -> Panel:
        keys = [ALL_TENSORS] if len(names) == len(self.traces.tensors) else names
        low, high, scale = self._axis(keys)
        edges = scale.edges(low, high, self.rows)
        turn = turning(edges)
        density = from_index(self.index, self.plan, keys, turn)
        blur = int(np.diff(turn.indptr).max())
        elements = sum(self.traces.tensors[one].size for one in names)
        mine = tuple(line for line in lines if line.tensor in names)
        return Panel(name, tuple(names), elements, scale, edges, density, False, blur, mine)

    def _axis(self, keys: list[str]) -> tuple[float, float, Scale]:
        """The range of values and their scale, by what the whole window holds where no range is given."""
        cover = self.index.cover(self.inside.start, self.inside.stop)
        nodes = [(self.index.read(node, key), node) for node in cover for key in keys]
        held = [(found, node) for found, node in nodes if found is not None]
        least = min((float(f[1].low[self.index.place(n)]) for f, n in held), default=np.inf)
        most = max((float(f[1].high[self.index.place(n)]) for f, n in held), default=-np.inf)
        least, most = padded(least, most)
        low, high = (
            given if given is not None else there for given, there in zip(self.span, (least, most), strict=True)
        )
        if not low < high:
            raise RecordError(f"the range {low:g}:{high:g} is empty; give a lower and a higher value, as -0.1:0.1")
        (columns, _), node = held[-1]
        return low, high, scale_for(low, high, self.log, columns.taken(np.array([node.column])))

    def _again(self, panels: list[Panel]) -> list[Panel]:
        """The panels that are better drawn from the values, the smallest first, as long as they are not too many."""
        better = [panel for panel in panels if panel.elements <= FEW or panel.blur > COARSE]
        better.sort(key=lambda panel: panel.elements)
        values = np.cumsum([panel.elements * (self.inside.stop - self.inside.start) for panel in better])
        return better[: int(np.searchsorted(values, AGAIN, "right"))]

    def _exactly(self, panels: list[Panel]) -> list[Density]:
        if not panels:
            return []
        window = Window(int(self.index.steps[0]), int(self.index.steps[-1]) + 1)
        within = standard(self.traces, window) if self.quantity == Z else {}
        stream = Stream(self.traces, self.index.steps, self.quantity, within)
        groups = [(panel.tensors, panel.edges, panel.density) for panel in panels]
        return from_values(stream, self.inside, self.plan.edges, groups)
