"""The rates that `provision` plans with, measured here on a real trajectory, at one thread and in CPU time.

Each is measured several times on all lanes, for its quartiles, and on a quarter and a sixteenth of them, evenly drawn,
to see how it grows: time goes as size to the power of `exponent` (a straight line through logarithms, least squares).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt

from ontogeny.ask.alike import alike
from ontogeny.ask.explain import explain
from ontogeny.ask.index_cache import shape_index
from ontogeny.ask.moments import moments
from ontogeny.ask.provision import Interval
from ontogeny.ask.pyramid_build import pyramid
from ontogeny.ask.series import span
from ontogeny.record.run import Run
from ontogeny.record.trace import block, codec
from ontogeny.record.trace.arrays import ArrayTraces
from ontogeny.record.trace.storage import LocalStorage
from ontogeny.record.trace.traces import ALL, PIECE_BYTES, Piece, Window
from ontogeny.record.trace.writer import DEPTH

REPEATS, FEWER = 5, 3
PARTS = (16, 4, 1)
QUERIES = 8
AT_LEAST = 0.95
EXPLAINED = 16
WRITTEN = 1 << 26
Rows = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Measured:
    """One rate: `unit` a second in each repetition; seconds by elements at three sizes, and how they grow."""

    unit: str
    repeats: tuple[float, ...]
    grown: tuple[tuple[int, float], ...] = ()
    exponent: float | None = None

    @property
    def interval(self) -> Interval:
        """The quartiles."""
        low, mid, high = np.percentile(self.repeats, [25, 50, 75]).tolist()
        return Interval(low, mid, high)


@dataclass(frozen=True)
class Calibration:
    """All rates, when they were measured, in `seconds` of CPU, and on what: `parameters` at `states` steps."""

    date: str
    machine: str
    parameters: int
    states: int
    seconds: float
    measured: Mapping[str, Measured]

    @property
    def rates(self) -> dict[str, Interval]:
        """The quartiles by name, as `provision.plan` takes them."""
        return {name: one.interval for name, one in self.measured.items()}

    def as_json(self) -> dict[str, Any]:
        """All as plain values."""
        return asdict(self)

    @staticmethod
    def of_json(found: Mapping[str, Any]) -> Calibration:
        """What `as_json` wrote."""
        measured = {
            name: Measured(
                one["unit"],
                tuple(one["repeats"]),
                tuple((int(size), float(seconds)) for size, seconds in one["grown"]),
                one["exponent"],
            )
            for name, one in found["measured"].items()
        }
        about = {name: found[name] for name in ("date", "machine", "parameters", "states", "seconds")}
        return Calibration(**about, measured=measured)


def pooled(rounds: Sequence[Calibration]) -> Calibration:
    """Several calibrations of one kind of machine as one, so that its intervals hold how they differ.

    Seconds by size are medians over the rounds.
    """
    measured = {}
    for name, first in rounds[0].measured.items():
        every = [one.measured[name] for one in rounds]
        seconds = np.median([[took for _, took in one.grown] for one in every], axis=0).tolist()
        grown = tuple((size, took) for (size, _), took in zip(first.grown, seconds, strict=True))
        repeats = tuple(rate for one in every for rate in one.repeats)
        measured[name] = Measured(first.unit, repeats, grown, _exponent(grown) if grown else None)
    return replace(rounds[-1], seconds=sum(one.seconds for one in rounds), measured=measured)


def calibrate(run: Run, date: str, machine: str) -> Calibration:
    """Measures all rates on a native run. Its values are held in memory; it goes on by some steps, to time them."""
    rows = _rows(run)
    with _cpu() as took:
        measured = {**_codec(rows), **_questions(rows), **_sizes(rows), "disk": _disk(), "explain": _explained(run)}
    return Calibration(date, machine, rows.shape[1], len(rows), took[0], measured)


def _rows(run: Run) -> Rows:
    """All values, in f32 as they are recorded: [steps, elements]."""
    starts = dict(zip(run.traces.tensors, _starts(run), strict=True))
    found = np.empty((len(run.traces.steps), sum(t.size for t in run.traces.tensors.values())), np.float32)
    for piece in run.traces.passes():
        first = starts[piece.tensor.name] + piece.first
        found[piece.steps, first : first + piece.values.shape[1]] = piece.values
    return found


def _starts(run: Run) -> list[int]:
    """The number of each tensor's first element."""
    return [0, *np.cumsum([tensor.size for tensor in run.traces.tensors.values()]).tolist()[:-1]]


def _codec(rows: Rows) -> dict[str, Measured]:
    """How quickly each width is coded and decoded, in values, and how much smaller it becomes."""
    found = {}
    for width, kept in ((4, rows.astype(np.float32)), (2, rows.astype(ml_dtypes.bfloat16))):
        coded = _encoded(kept)
        shares = np.array([sum(len(plane) for plane in planes) / (width * len(rows)) for planes in coded])
        lanes = np.full(len(coded), block.CHUNK)
        lanes[-1] = kept.shape[1] - block.CHUNK * (len(coded) - 1)
        parts = np.array_split(np.arange(len(coded)), REPEATS)
        ratios = tuple(float(lanes[part].sum() / shares[part].sum()) for part in parts if len(part))
        found[f"encode.{width}"] = _grown(kept, lambda part: partial(_encoded, part), "values")
        found[f"decode.{width}"] = _grown(kept, _decoder, "values")
        found[f"ratio.{width}"] = Measured("times smaller", ratios)
    return found


def _encoded(rows: Rows) -> list[list[bytes | memoryview]]:
    return [codec.encode(rows[:, at : at + block.CHUNK]) for at in range(0, rows.shape[1], block.CHUNK)]


def _decoder(rows: Rows) -> Callable[[], object]:
    coded, width = _encoded(rows), rows.shape[1]
    sizes = [min(block.CHUNK, width - at) for at in range(0, width, block.CHUNK)]
    return lambda: [codec.decode(p, len(rows), n, rows.dtype) for p, n in zip(coded, sizes, strict=True)]


def _questions(rows: Rows) -> dict[str, Measured]:
    """How quickly moments, charts and shapes are found, in values; and queries for shapes, in elements."""

    def fresh(part: Rows, question: Callable[[ArrayTraces], object]) -> Callable[[], object]:
        return lambda: question(_Blocks({"w": part}))

    return {
        "moments": _grown(rows, lambda part: fresh(part, moments), "values"),
        "chart": _grown(rows, lambda part: fresh(part, pyramid), "values"),
        "alike_build": _grown(rows, lambda part: fresh(part, lambda t: shape_index(t, span(t))), "values"),
        "alike_query": _grown(rows, _query, "elements", QUERIES),
    }


class _Blocks(ArrayTraces):
    """Arrays whose passes come by as many steps as a store's."""

    def passes(
        self, window: Window = ALL, names: Iterable[str] | None = None, piece_bytes: int = PIECE_BYTES
    ) -> Iterator[Piece]:
        """Everything in a window, in the order of time, some steps at once."""
        taken = self.steps[window.of(self.steps)]
        for first in range(0, len(taken), DEPTH):
            block = taken[first : first + DEPTH]
            yield from self.pieces(Window(int(block[0]), int(block[-1]) + 1), names, piece_bytes)


def _query(rows: Rows) -> Callable[[], object]:
    """Some queries of an index that stands."""
    traces = ArrayTraces({"w": rows})
    order = shape_index(traces, span(traces)).order
    asked = [int(order[at]) for at in np.linspace(0, len(order) - 1, QUERIES).astype(int)]
    return lambda: [alike(traces, f"w[{number}]", AT_LEAST, exact_scores=False) for number in asked]


def _sizes(rows: Rows) -> dict[str, Measured]:
    """Bytes of the indexes: of shapes for an element, of it what every query reads, of charts for a value."""
    traces = ArrayTraces({"w": rows})
    shapes, charts = shape_index(traces, span(traces)), pyramid(traces)
    elements, head = rows.shape[1], 4.0 * (shapes.about["head"] + 1)
    return {
        "alike_bytes": Measured("bytes an element", (_bytes(shapes.folder) / elements,)),
        "alike_head_bytes": Measured("bytes an element", (head,)),
        "chart_bytes": Measured("bytes a value", (_bytes(charts.folder) / rows.size,)),
    }


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _disk() -> Measured:
    """How quickly a store takes blocks, durably: bytes a second by the clock, not used for any other machine."""
    data, found = np.random.default_rng(0).bytes(WRITTEN), []
    with tempfile.TemporaryDirectory(prefix="ontogeny-scale-") as folder:
        storage = LocalStorage(Path(folder))
        for number in range(REPEATS):
            started = time.perf_counter()
            storage.put(f"{number}.block", [data])
            found.append(WRITTEN / (time.perf_counter() - started))
            storage.remove(f"{number}.block")
    return Measured("bytes", tuple(found))


def _explained(run: Run) -> Measured:
    """How quickly explaining accounts for changes, all parameters in one group, beyond a plain step: in values.

    Both are what further steps add, so that the way from the keyframe before them does not count.
    """
    found, elements = [], sum(tensor.size for tensor in run.traces.tensors.values())
    for _ in range(REPEATS):
        first = run.step + 1
        with _cpu() as trained:
            run.advance(EXPLAINED)
        seconds = []
        for steps in (1, EXPLAINED):
            with _cpu() as asked:
                explain(run, "*", Window(first, first + steps))
            seconds.append(asked[0])
        more = (seconds[1] - seconds[0]) / (EXPLAINED - 1) - trained[0] / EXPLAINED
        found.append(elements / max(more, 1e-9))
    return Measured("values", tuple(found))


def _grown(rows: Rows, task: Callable[[Rows], Callable[[], object]], unit: str, times: int = 1) -> Measured:
    """A task at three sizes. Its rate is that of the largest."""
    grown: list[tuple[int, float]] = []
    rates: tuple[float, ...] = ()
    for part in PARTS:
        lanes = np.ascontiguousarray(rows[:, ::part])
        done = task(lanes)
        seconds = [_seconds(done) for _ in range(REPEATS if part == PARTS[-1] else FEWER)]
        work = (lanes.size if unit == "values" else lanes.shape[1]) * times
        rates = tuple(work / one for one in seconds)
        grown.append((lanes.shape[1], float(np.median(seconds))))
    return Measured(unit, rates, tuple(grown), _exponent(grown))


def _exponent(grown: Sequence[tuple[int, float]]) -> float:
    """The slope of a straight line through the logarithms."""
    slope = np.polyfit(np.log([size for size, _ in grown]), np.log([took for _, took in grown]), 1)[0]
    return float(slope)


def _seconds(done: Callable[[], object]) -> float:
    with _cpu() as took:
        done()
    return took[0]


@contextmanager
def _cpu() -> Iterator[list[float]]:
    """CPU seconds of this process within."""
    found, started = [0.0], time.process_time()
    yield found
    found[0] = max(time.process_time() - started, 1e-9)
