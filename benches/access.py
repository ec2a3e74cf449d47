"""Reading compressed trajectories: one parameter over 512 steps, and everything at one step, beside Zarr with Blosc.

The values are random walks whose updates carry as much noise as real ones (the bench `codec` says how much that is).
Zarr is set up as a careful user would for both questions: format 3, chunks of 64 steps by 65,536 elements, so that a
chunk is 16 MiB and a row takes one chunk for each 65,536 elements; Blosc with zstd at level 3 and byte shuffle. Both
read files that the system has in memory. CPU time on one thread, medians of rounds that take turns; `bytes` is what
each takes on the disk. The whole row is held against the codec's own rate of decoding.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from common import Figures, Targets, arguments, close, one_thread, peers

from ontogeny.record.trace import Layout, TraceReader, TraceWriter, codec
from ontogeny.record.trace.block import CHUNK

STEPS, ROWS = 512, 64
ZARR_LANES = 65_536


def main() -> None:
    """A store of each kind in a folder that is thrown away."""
    options = arguments(__doc__ or "")
    one_thread()
    versions = peers("zarr", "numpy")
    elements = 1 << (20 if options.full else 18)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        array = zarr_array(place, elements) if versions["zarr"] else None
        first = written(place, elements, array)
        reader = TraceReader(place / "trace")
        contenders: dict[str, Callable[[Any], object]] = {
            "line_ours": lambda at: reader.lines("w", [at]),
            "row_ours": lambda at: reader.row(at % STEPS),
        }
        if array is not None:
            contenders |= {"line_zarr": lambda at: array[:, at], "row_zarr": lambda at: array[at % STEPS]}
            check(reader, array, elements)
        times = measured(contenders, elements, 9 if options.full else 5)
        figures: Figures = {f"{name}_ms": round(1000 * seconds, 3) for name, seconds in times.items()}
        figures["bytes_ours"] = size_of(place / "trace")
        if array is not None:
            figures["bytes_zarr"] = size_of(place / "zarr")
            figures["line_over_zarr"] = round(times["line_zarr"] / times["line_ours"], 1)
        figures["row_MB_s"] = round(elements * 4 * ROWS / times["row_ours"] / 1e6, 1)
        rate = decoding(first)
        figures["decode_MB_s"] = round(rate, 1)
        figures["row_over_codec"] = round(elements * 4 * ROWS / times["row_ours"] / 1e6 / rate, 2)
    print("  " + ", ".join(f"{name} {value}" for name, value in figures.items()), flush=True)
    targets: Targets = {"row_over_codec": (">=", 0.8)}
    targets |= {"line_over_zarr": (">=", 20)} if versions["zarr"] else {}
    close("access", figures, targets, versions)


def zarr_array(place: Path, elements: int) -> Any:
    """An empty array [steps, elements]."""
    import zarr
    from zarr.codecs import BloscCodec, BloscShuffle

    return zarr.create_array(
        store=str(place / "zarr"),
        shape=(STEPS, elements),
        chunks=(ROWS, min(ZARR_LANES, elements)),
        dtype="f4",
        compressors=BloscCodec(cname="zstd", clevel=3, shuffle=BloscShuffle.shuffle),
    )


def written(place: Path, elements: int, array: Any) -> np.ndarray:
    """Fills both, 64 steps at a time; gives the first 64."""
    random = np.random.default_rng(0)
    value = random.normal(0, 0.05, elements).astype(np.float32)
    momentum = np.zeros(elements, np.float32)
    writer = TraceWriter(place / "trace")
    layout = Layout.of({"w": value})
    kept = np.empty((0, elements), np.float32)
    for begin in range(0, STEPS, ROWS):
        rows = np.empty((ROWS, elements), np.float32)
        for row in range(ROWS):
            momentum = 0.9 * momentum + 1e-5 * random.standard_normal(elements, np.float32)
            value = value + momentum
            rows[row] = value
            writer.append(layout, begin + row, rows[row].tobytes())
        if array is not None:
            array[begin : begin + ROWS] = rows
        kept = rows if begin == 0 else kept
    writer.close()
    return kept


def check(reader: TraceReader, array: Any, elements: int) -> None:
    """Both give the same bits."""
    at = elements // 3
    if reader.lines("w", [at])[1][:, 0].tobytes() != np.ascontiguousarray(array[:, at]).tobytes():
        raise RuntimeError("the two stores hold different values")


def measured(contenders: dict[str, Callable[[Any], object]], elements: int, rounds: int) -> dict[str, float]:
    """Seconds of CPU time; each round asks for another place."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        at = (number * 104_729) % elements
        for name, work in contenders.items():
            begun = time.process_time()
            work(at)
            found[name] += [time.process_time() - begun] if number else []
    return {name: statistics.median(values) for name, values in found.items()}


def decoding(rows: np.ndarray) -> float:
    """Megabytes that the codec alone decodes a second."""
    chunks = [rows[:, at : at + CHUNK] for at in range(0, rows.shape[1], CHUNK)]
    coded: list[Any] = [codec.encode(chunk) for chunk in chunks]
    begun = time.process_time()
    for planes in coded:
        codec.decode(planes, len(rows), CHUNK, rows.dtype)
    return rows.nbytes / (time.process_time() - begun) / 1e6


def size_of(folder: Path) -> int:
    """All bytes below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
