"""What a search of numbers is after, from the shell: a function of a vector, or a small network on labelled examples.

Examples are an archive of NumPy's, `x` [n, ...] and labels `y` [n] from 0, or the 8x8 digits that scikit-learn has. A
share of them, drawn by the seed, is held out: it is never judged by, and told at the end.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.recording.turning import read
from ontogeny.evolve.spaces import Bounded, Vectors
from ontogeny.evolve.weights.network import Network, network
from ontogeny.isa.errors import SearchError

ARCHIVE = ".npz"
Examples = tuple[NDArray[Any], NDArray[Any]]


def vectors(size: int, low: str = "", high: str = "", start: str = "") -> Vectors:
    """Vectors of so many numbers, by words: bounds and a start, one number for all or one each with commas between."""
    given = {name: _numbers(name, text) for name, text in (("low", low), ("high", high), ("start", start)) if text}
    return Bounded(size, **given) if given else Vectors(size)


@dataclass(frozen=True, slots=True)
class Layers:
    """What network is to be searched for: its hidden layers, its activation, what is judged, the share held out."""

    hidden: str = "32"
    activation: str = "relu"
    error: str = "loss"
    held_out: float = 0.2


def on_examples(examples: Examples, layers: Layers, seed: int) -> Network:
    """How badly networks classify examples, all but a share. Raises SearchError for what does not go together."""
    x, y = examples
    if x.dtype.kind not in "biuf" or y.dtype.kind not in "biu" or x.ndim < 2 or y.shape != x.shape[:1] or not x.size:
        told = f"x is {x.dtype}{list(x.shape)}, y {y.dtype}{list(y.shape)}"
        raise SearchError(f"{told}; expected numbers [n, ...] and whole numbers [n]")
    rows, labels = x.reshape(len(x), -1).astype(np.float32), y.astype(np.int64)
    if not 0 <= layers.held_out < 1 or not np.isfinite(rows).all():
        told = f"a share of {layers.held_out:g} held out of {len(rows)} rows, {np.isnan(rows).sum()} numbers NaN"
        raise SearchError(f"{told}; expected 0 or more and below 1, all numbers finite")
    order, count = np.random.default_rng(seed).permutation(len(rows)), int(layers.held_out * len(rows))
    held, kept = order[:count], order[count:]
    rows = (rows - rows[kept].mean()) / (rows[kept].std() or 1)
    apart = (rows[held], labels[held]) if count else ()
    return network(rows[kept], labels[kept], _widths(layers.hidden), layers.activation, layers.error, apart)


def examples_of(target: str) -> Examples:
    """The examples of an archive, or those that have a name. Raises SearchError for what is neither."""
    if target in READY:
        return READY[target]()
    try:
        with np.load(target, allow_pickle=False) as archive:
            there = list(archive)
            if missing := [name for name in ("x", "y") if name not in there]:
                raise SearchError(f"{target} has no array {missing[0]!r}; it has {', '.join(there) or 'none'}")
            return archive["x"], archive["y"]
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise SearchError(
            f"{target} is no archive of NumPy's ({error}); numpy.savez(file, x=..., y=...) writes one"
        ) from error


def _digits() -> Examples:
    try:
        x, y = import_module("sklearn.datasets").load_digits(return_X_y=True)
    except ImportError as error:
        raise SearchError("the digits are scikit-learn's; install it by `pip install 'ontogeny[demo]'`") from error
    return x, y


READY: Mapping[str, Callable[[], Examples]] = {"digits": _digits}
"""Examples that have a name."""


def _numbers(name: str, text: str) -> tuple[float, ...]:
    value = read(text)
    numbers = value if isinstance(value, tuple) else (value,)
    if not numbers or any(isinstance(one, str | tuple) for one in numbers):
        raise SearchError(f"--{name} {text}: expected a number, or one for each with commas between")
    return tuple(map(float, numbers))


def _widths(text: str) -> Sequence[int]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() for part in parts):
        raise SearchError(f"--hidden {text}: expected widths with commas between, as 32 or 64,32")
    return tuple(map(int, parts))
