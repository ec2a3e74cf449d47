"""The codec of trajectories on real ones: how small, how fast, beside zstd at level 3, pcodec, and what noise allows.

zstd takes each window as it lies; pcodec each lane's 64 steps one after another, with its own choice of differences.
The floor is what an ideal coder of the same second differences needs that knows how long each lane's numbers are, in
bits: the entropy of a number's length around the lane's usual one, and all bits below its highest, which in noise
nothing predicts. Rates are of raw bytes by CPU time on one thread.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import zstandard
from common import Figures, Targets, arguments, close, one_thread, peers
from trajectories import ROWS, trajectories

from ontogeny.record.trace import codec
from ontogeny.record.trace.block import CHUNK

Rows = npt.NDArray[np.float32]


def main() -> None:
    """Every window in turn, the coders one after another in each round."""
    options = arguments(__doc__ or "")
    one_thread()
    versions = peers("zstandard", "pcodec", "numpy")
    figures: Figures = {}
    targets: Targets = {}
    for name, rows in trajectories().items():
        measure(name, rows, bool(versions["pcodec"]), 7 if options.full else 3, figures)
        targets[f"ratio_over_zstd3.{name}"] = (">=", 2.3)
        if versions["pcodec"]:
            targets[f"encode_over_pcodec.{name}"] = (">=", 5)
            targets[f"ratio_over_pcodec.{name}"] = (">=", 0.9)
    close("codec", figures, targets, versions)


def measure(name: str, rows: Rows, with_pcodec: bool, rounds: int, figures: Figures) -> None:
    """Sizes and rates of one window."""
    coders: dict[str, Callable[[], int]] = {"ours": lambda: ours(rows), "zstd3": lambda: zstd(rows)}
    if with_pcodec:
        coders["pcodec"] = lambda: pcodec(rows)
    seconds: dict[str, list[float]] = {coder: [] for coder in coders}
    sizes = {}
    for number in range(rounds + 1):
        for coder, work in coders.items():
            begun = time.process_time()
            sizes[coder] = work()
            seconds[coder] += [time.process_time() - begun] if number else []
    rates = {coder: rows.nbytes / statistics.median(values) / 1e6 for coder, values in seconds.items()}
    found: Figures = {f"ratio_{coder}": round(rows.nbytes / size, 3) for coder, size in sizes.items()}
    found |= {f"encode_MB_s_{coder}": round(rate, 1) for coder, rate in rates.items()}
    found["decode_MB_s_ours"] = round(decoding(rows), 1)
    found["ratio_floor"] = round(32 / floor_bits(rows), 3)
    found["ratio_over_zstd3"] = round(sizes["zstd3"] / sizes["ours"], 3)
    if with_pcodec:
        found["ratio_over_pcodec"] = round(sizes["pcodec"] / sizes["ours"], 3)
        found["encode_over_pcodec"] = round(rates["ours"] / rates["pcodec"], 2)
    figures |= {f"{what}.{name}": value for what, value in found.items()}
    print(f"  {name}: {found}", flush=True)


def ours(rows: Rows) -> int:
    """Bytes of all chunks."""
    starts = range(0, rows.shape[1], CHUNK)
    return sum(len(plane) for at in starts for plane in codec.encode(rows[:, at : at + CHUNK]))


def zstd(rows: Rows) -> int:
    """Bytes of the window as one frame."""
    return len(zstandard.ZstdCompressor(level=3).compress(rows.data))


def pcodec(rows: Rows) -> int:
    """Bytes of the lanes one after another."""
    from pcodec import ChunkConfig, standalone

    return len(standalone.simple_compress(np.ascontiguousarray(rows.T).reshape(-1), ChunkConfig()))


def decoding(rows: Rows) -> float:
    """Megabytes decoded a second."""
    chunks = [rows[:, at : at + CHUNK] for at in range(0, rows.shape[1], CHUNK)]
    coded: list[tuple[Any, int]] = [(codec.encode(chunk), chunk.shape[1]) for chunk in chunks]
    begun = time.process_time()
    for planes, lanes in coded:
        codec.decode(planes, ROWS, lanes, rows.dtype)
    return rows.nbytes / (time.process_time() - begun) / 1e6


def floor_bits(rows: Rows) -> float:
    """Bits a number, from the third row on."""
    folded = codec._folded(rows.view(np.uint32))[2:]
    lengths = np.frexp(folded.astype(np.float64))[1]
    around = (lengths - np.rint(lengths.mean(0)).astype(lengths.dtype)).reshape(-1)
    share = np.bincount(around - around.min()) / around.size
    entropy = -(share[share > 0] * np.log2(share[share > 0])).sum()
    return float(entropy + np.maximum(lengths - 1, 0).mean())


if __name__ == "__main__":
    main()
