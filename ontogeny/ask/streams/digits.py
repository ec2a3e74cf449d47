"""Handwritten digits of 8 x 8 pixels (scikit-learn's, after UCI's optical recognition set), one after the other."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from ontogeny.ask.streams.stream import IMAGES, Stream


def digits(count: int = 1797, second: float = 2.0) -> Stream:
    """So many images, each for so long that `second` of them are seen a second."""
    frames = np.asarray(load_digits().images[:count], np.uint8)
    how = f"scikit-learn's {len(frames):,} images of 8 x 8 pixels, 0 to 16, as if {second:g} were shown a second"
    return Stream("digits", IMAGES, frames, 5, second * 64, how)
