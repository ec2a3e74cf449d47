"""The codec of trajectories on real ones: how small, how fast, beside zstd at level 3, pcodec, and what noise allows.

zstd takes each window as it lies; pcodec each lane's 64 steps one after another, with its own choice of differences.
A predictor's bits are what an ideal coder of its residuals needs that knows how long each lane's numbers are: the
entropy of a number's length around the lane's usual one, and all bits below its highest, which in noise nothing
predicts. Fixed predictors have the same coefficients everywhere; `chosen` takes the best of them for each chunk.
Rates are of raw bytes by CPU time on one thread, shares of the time that encoding takes.
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
from trajectories import GENERALISE, ROWS, trajectories

from ontogeny.record.trace import codec, compiled, packing, regression
from ontogeny.record.trace.block import CHUNK
from ontogeny.record.trace.planes import smaller

Rows = npt.NDArray[np.float32]
FIXED = {
    "last": (),
    "half": (0.5,),
    "carried": (0.9,),
    "linear": (1.0,),
    "between": (1.5, -0.5),
    "quadratic": (2.0, -1.0),
}
"""How much of the update before, of the one before that, ... is taken for the next."""


def main() -> None:
    """Every window in turn, the coders one after another in each round."""
    options = arguments(__doc__ or "")
    one_thread()
    versions = peers("zstandard", "pcodec", "numpy", "numba")
    figures: Figures = {}
    targets: Targets = {}
    for name, rows in trajectories():
        measure(name, rows, bool(versions["pcodec"]), 7 if options.full else 3, figures)
        if name.split(".")[0] in GENERALISE:
            targets[f"ratio_over_zstd3.{name}"] = (">=", 2.3)
        if versions["pcodec"]:
            targets[f"encode_over_pcodec.{name}"] = (">=", 5)
            targets[f"ratio_over_pcodec.{name}"] = (">=", 0.9)
    close("codec", figures, targets, versions)


def measure(name: str, rows: Rows, with_pcodec: bool, rounds: int, figures: Figures) -> None:
    """Sizes and rates of one window."""
    coders: dict[str, Callable[[], int]] = {
        "ours": lambda: ours(rows, -1),
        "numpy": lambda: ours(rows, 1 << 62),
        "zstd3": lambda: zstd(rows),
    }
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
    found["ratio_over_zstd3"] = round(sizes["zstd3"] / sizes["ours"], 3)
    if with_pcodec:
        found["ratio_over_pcodec"] = round(sizes["pcodec"] / sizes["ours"], 3)
        over = (theirs / mine for mine, theirs in zip(seconds["ours"], seconds["pcodec"], strict=True))
        found["encode_over_pcodec"] = round(statistics.median(over), 2)
    found |= {**decoding(rows), **predictors(rows), **shares(rows)}
    figures |= {f"{what}.{name}": value for what, value in found.items()}
    print(f"  {name}: {found}", flush=True)


def ours(rows: Rows, pays: int) -> int:
    """Bytes of all chunks. `pays` says from how many values on the loops are the compiled ones, where there are any."""
    compiled.PAYS = pays
    return sum(len(part) for parts in codec.encoded(rows, CHUNK) for part in parts)


def chunks(rows: Rows) -> list[Rows]:
    """The window in pieces as the store codes them."""
    return [rows[:, at : at + CHUNK] for at in range(0, rows.shape[1], CHUNK)]


def zstd(rows: Rows) -> int:
    """Bytes of the window as one frame."""
    return len(zstandard.ZstdCompressor(level=3).compress(rows.data))


def pcodec(rows: Rows) -> int:
    """Bytes of the lanes one after another."""
    from pcodec import ChunkConfig, standalone

    return len(standalone.simple_compress(np.ascontiguousarray(rows.T).reshape(-1), ChunkConfig()))


def decoding(rows: Rows) -> Figures:
    """Megabytes decoded a second, by the compiled loops and NumPy's."""
    widths = [chunk.shape[1] for chunk in chunks(rows)]
    coded: list[tuple[Any, int]] = list(zip(codec.encoded(rows, CHUNK), widths, strict=True))
    found: Figures = {}
    for name, pays in (("ours", -1), ("numpy", 1 << 62)):
        compiled.PAYS = pays
        codec.decode(*coded[0][:1], ROWS, coded[0][1], rows.dtype)
        begun = time.process_time()
        for parts, lanes in coded:
            codec.decode(parts, ROWS, lanes, rows.dtype)
        found[f"decode_MB_s_{name}"] = round(rows.nbytes / (time.process_time() - begun) / 1e6, 1)
    return found


def predictors(rows: Rows) -> Figures:
    """Bits a number from the third row on that each predictor leaves; and the ratio if all rows were coded so well."""
    left: dict[str, list[float]] = {name: [] for name in (*FIXED, "chosen", "fitted")}
    for chunk in map(np.ascontiguousarray, chunks(rows)):
        for name, factors in FIXED.items():
            coefs = np.zeros((ROWS, regression.LAGS), np.int16)
            coefs[2:, : len(factors)] = np.array(factors) * regression.SCALE
            left[name].append(bits(regression.residuals(chunk, coefs)[1:]))
        left["chosen"].append(min(left[name][-1] for name in FIXED))
        left["fitted"].append(bits(regression.residuals(chunk, regression.coefficients(chunk))[1:]))
    weights = [chunk.shape[1] for chunk in chunks(rows)]
    means = {name: float(np.average(values, weights=weights)) for name, values in left.items()}
    return {
        **{f"bits_{name}": round(mean, 2) for name, mean in means.items()},
        "ratio_floor": round(32 / means["fitted"], 3),
    }


def bits(numbers: npt.NDArray[np.uint32]) -> float:
    """Bits a number for an ideal coder that knows how long each lane's are."""
    lengths = np.frexp(numbers.astype(np.float64))[1]
    around = (lengths - np.rint(lengths.mean(0)).astype(lengths.dtype)).reshape(-1)
    share = np.bincount(around - around.min()) / around.size
    entropy = -(share[share > 0] * np.log2(share[share > 0])).sum()
    return float(entropy + np.maximum(lengths - 1, 0).mean())


def shares(rows: Rows) -> Figures:
    """What part of encoding goes into the fit, and into zstd's Huffman coder on the plane above the noise."""
    compiled.PAYS = -1
    fit = huffman = whole = 0.0
    for first in range(0, rows.shape[1], codec.SHARED * CHUNK):
        near = rows[:, first : first + codec.SHARED * CHUNK]
        begun = time.process_time()
        list(codec.encoded(near, CHUNK))
        whole, begun = whole + time.process_time() - begun, time.process_time()
        coefs = regression.coefficients(near)
        fit += time.process_time() - begun
        for chunk in map(np.ascontiguousarray, chunks(near)):
            numbers = regression.residuals(chunk, coefs)
            plane, _, _ = packing.split(numbers, packing.noisy_bits(numbers))
            begun = time.process_time()
            smaller(plane.reshape(-1))
            huffman += time.process_time() - begun
    return {"share_fit": round(fit / whole, 2), "share_huffman": round(huffman / whole, 2)}


if __name__ == "__main__":
    main()
