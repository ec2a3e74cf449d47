"""Handwritten digits of 8x8 pixels (scikit-learn's, after the UCI optical recognition set): 1,797 images."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from ontogeny.data.base import Array

TRAINED_ON = 1400
Named = dict[str, Array]


def digits(seed: int, count: int = TRAINED_ON) -> tuple[Named, Named]:
    """`count` images to learn from and 397 held out, the seed decides which: x f32[n, 64] from -1 to 1, y i64[n]."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(x))
    named = {"x": (x[order] / 8 - 1).astype(np.float32), "y": y[order].astype(np.int64)}
    return {k: v[:count] for k, v in named.items()}, {k: v[TRAINED_ON:] for k, v in named.items()}
