"""The weights that say what a clause means: which intent, and what fills its slots. NumPy, no training here.

One hidden layer over hashed features says the intent of a clause, another whether words are one clause, several, a part
of one or mere chat; a linear score per way to fill a slot, or to take it over, says the rest. They are
fitted by `tools/fit_phrases.py` on the phrases of tests/phrases, and kept as bytes with a scale for each column.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.steer.phrases.features import bucket

FILE = "weights.npz"
GAIN = 3.0
"""What the sum of the features' rows is multiplied by, over the root of their number."""
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Layer:
    """A hidden layer over hashed features: weights [buckets, hidden] as bytes and [hidden, names]."""

    names: tuple[str, ...]
    hidden: npt.NDArray[np.int8]
    scale: Floats
    out: Floats
    bias: Floats

    def of(self, features: Collection[str]) -> Floats:
        """The log probability of each name [names]."""
        rows = sorted({bucket(one, len(self.hidden)) for one in features})
        total = self.hidden[rows].sum(0, dtype=np.float32) * self.scale
        inner = np.maximum(total * (GAIN / math.sqrt(max(1, len(rows)))), 0)
        return _log_softmax(inner @ self.out + self.bias)


@dataclass(frozen=True, slots=True)
class Network:
    """What says the intent of a clause, what says whether words are a clause, and weights of the fillers [buckets]."""

    intents: Layer
    kinds: Layer
    fillers: npt.NDArray[np.int8]
    fillers_scale: float

    def of_fillers(self, several: Sequence[Collection[str]]) -> Floats:
        """The log probability of each of several ways to fill a slot."""
        size = len(self.fillers)
        scores = [self.fillers[[bucket(one, size) for one in features]].sum(dtype=np.float32) for features in several]
        return _log_softmax(np.array(scores, np.float32) * np.float32(self.fillers_scale))

    def evidence(self, features: Collection[str]) -> float:
        """How much features speak for a way to fill a slot: the sum of their weights."""
        rows = [bucket(one, len(self.fillers)) for one in features]
        return float(self.fillers[rows].sum(dtype=np.float32)) * self.fillers_scale


def _log_softmax(scores: Floats) -> Floats:
    shifted = scores - scores.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()), np.float32)


@cache
def network() -> Network:
    """The weights that are shipped, read when they are first used."""
    with resources.files(__package__).joinpath(FILE).open("rb") as file, np.load(file) as kept:
        return Network(_layer(kept, "intents"), _layer(kept, "kinds"), kept["fillers"], float(kept["fillers_scale"]))


def _layer(kept: Mapping[str, npt.NDArray[Any]], name: str) -> Layer:
    """A layer as it is kept."""
    hidden, scale, out, bias = (kept[f"{name}_{part}"] for part in ("hidden", "scale", "out", "bias"))
    return Layer(tuple(kept[name].tolist()), hidden, scale, out.astype(np.float32), bias)
