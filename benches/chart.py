"""What a picture of a hundred million points costs: a million parameters at a hundred steps, as densities.

`draw` and `zoom` are all of it between the question and an array of colours that a PNG can be made of: finding that the
index is fresh, reading it from its files (cold: nothing of it in our memory, warm: what the first picture left there),
the density of 1280 by 560 pixels, and its colours. `zoom` is another window of steps and another range of values each
time. Not in it: writing the PNG (`png_seconds`), and building the index once (`index_seconds_per_million`, from arrays
in memory, between 16 and 8 points of every line from one step to the next).
Peers, on the same points: datashader's lines, which are drawn anew for every picture; and NumPy's `histogram2d`, which
Matplotlib's `hist2d` calls, on a tenth of the points (it counts points, not lines). Seconds are of CPU at one thread.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt
from common import Figures, Targets, arguments, close, peers

from ontogeny.ask.chart import Chart, chart
from ontogeny.ask.pyramid import forget
from ontogeny.ask.pyramid_build import home_of, pyramid
from ontogeny.faces.colours import LIGHT, levels, limits, palette, png
from ontogeny.record.trace.arrays import ArrayTraces

ELEMENTS, STEPS = 1_000_000, 100
PIXELS = {"columns": 1280, "rows": 560}
TENSORS = 8
Singles = npt.NDArray[np.float32]


def main() -> None:
    """All figures."""
    options = arguments(__doc__ or "")
    versions = peers("datashader", "matplotlib", "numpy")
    values = walks(STEPS, ELEMENTS)
    width = ELEMENTS // TENSORS
    traces = ArrayTraces({f"w{n}": values[:, n * width : (n + 1) * width] for n in range(TENSORS)})
    figures: Figures = {"points": STEPS * ELEMENTS}
    figures["index_seconds_per_million"] = round(spent(lambda: pyramid(traces)) / (STEPS * ELEMENTS / 1e6), 4)
    stored = sum(path.stat().st_size for path in home_of(traces).rglob("*.chart"))
    figures["index_bytes_per_value"] = round(stored / (STEPS * ELEMENTS), 4)
    rounds = 9 if options.full else 5
    draw(traces, figures, rounds)
    figures["hist2d_seconds_tenth"] = round(spent(lambda: histogram(values)), 2)
    if versions["datashader"]:
        shaded(values[:, :1000])  # its functions are compiled on their first use
        figures["datashader_seconds"] = round(spent(lambda: shaded(values)), 2)
        figures["datashader_over_zoom"] = round(
            float(figures["datashader_seconds"]) / float(figures["zoom_seconds"] or 1)
        )
    for name, value in figures.items():
        print(f"  {name}: {value}")
    targets: Targets = {"draw_seconds_cold": ("<=", 0.2), "draw_seconds": ("<=", 0.2), "zoom_seconds": ("<=", 0.2)}
    close("chart", figures, targets, versions)


def walks(steps: int, elements: int) -> Singles:
    """Lines like those of parameters: of several sizes, drifting, with noise."""
    draw = np.random.default_rng(0)
    size = np.exp(draw.normal(-3.5, 0.8, elements)).astype(np.float32)
    found = np.empty((steps, elements), np.float32)
    found[0] = draw.standard_normal(elements, np.float32) * size
    drift = draw.standard_normal(elements, np.float32) * size * 0.02
    for step in range(1, steps):
        found[step] = found[step - 1] * 0.995 + drift + draw.standard_normal(elements, np.float32) * size * 0.05
    return found


def draw(traces: ArrayTraces, figures: Figures, rounds: int) -> None:
    """Pictures of everything, cold and warm, and of ever new windows and ranges."""
    cold, cold_wall = timed(lambda n: coloured(chart(traces, **PIXELS)), rounds, before=forget)
    warm, warm_wall = timed(lambda n: coloured(chart(traces, **PIXELS)), rounds)
    zoom, zoom_wall = timed(
        lambda n: coloured(
            chart(traces, steps=f"{5 * n}:{60 + 5 * n}", span=(-0.05 - n / 100, 0.08 + n / 100), **PIXELS)
        ),
        rounds,
    )
    figures["zoom_rows_per_bin"] = chart(traces, steps="25:85", span=(-0.1, 0.13), **PIXELS).panels[0].blur
    figures |= {"draw_seconds_cold": cold, "draw_seconds": warm, "zoom_seconds": zoom}
    figures |= {"draw_wall_cold": cold_wall, "draw_wall": warm_wall, "zoom_wall": zoom_wall}
    colours = coloured(chart(traces, **PIXELS))
    picture, _ = timed(lambda n: png(colours, palette(LIGHT)), rounds)
    figures["png_seconds"] = picture


def coloured(found: Chart) -> npt.NDArray[np.uint8]:
    """The picture's palette colours, what our PNG is written from; the same as RGB is made beside it."""
    counts = found.panels[0].density.counts
    places = levels(counts, *limits(counts))
    _ = palette(LIGHT)[places]
    return places


def timed(
    call: Callable[[int], object], rounds: int, before: Callable[[], object] | None = None
) -> tuple[float, float]:
    """The median over rounds of CPU seconds, and of seconds by the clock."""
    cpu, wall = [], []
    for turn in range(rounds + 1):
        if before is not None:
            before()
        started, began = time.process_time(), time.perf_counter()
        call(turn)
        cpu.append(time.process_time() - started)
        wall.append(time.perf_counter() - began)
    return round(statistics.median(cpu[1:]), 4), round(statistics.median(wall[1:]), 4)


def spent(call: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    started = time.process_time()
    call()
    return time.process_time() - started


def histogram(values: Singles) -> None:
    """NumPy's own, on a tenth of the points."""
    some = values[:, : ELEMENTS // 10]
    steps = np.repeat(np.arange(STEPS, dtype=np.float32), some.shape[1])
    np.histogram2d(steps, some.reshape(-1), bins=(STEPS, PIXELS["rows"]))


def shaded(values: Singles) -> None:
    """Datashader's lines: one for each parameter."""
    datashader: Any = import_module("datashader")
    pandas: Any = import_module("pandas")
    frame = pandas.DataFrame(values.T, columns=[f"s{step}" for step in range(STEPS)], copy=False)
    low, high = float(values.min()), float(values.max())
    canvas = datashader.Canvas(PIXELS["columns"], PIXELS["rows"], x_range=(0, STEPS - 1), y_range=(low, high))
    canvas.line(frame, x=np.arange(STEPS), y=list(frame.columns), axis=1, agg=datashader.count())


if __name__ == "__main__":
    main()
