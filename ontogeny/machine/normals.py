"""Normal numbers from the language's counter-based random bits: the same bits wherever they are computed.

By Box and Muller (1958): sqrt(-2 ln u) cos(2 pi v), of two words of one block for each number. Logarithm and cosine are
series in f64 sums and products, which are rounded alike on every processor, as a library's own are not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ontogeny.machine.random import MASK, key_words, threefry

Floats = npt.NDArray[np.float64]
LN2 = 0.6931471805599453
TAU = 6.283185307179586
STRETCH = 1 << 18
"""So many numbers are made at a time."""
LOG_TERMS, COS_TERMS = 12, 13


def normals(seed: int, step: int, site: int, size: int) -> Floats:
    """`size` standard normal numbers, f64; number i is a function of (seed, step, site, i) alone."""
    parts = [_stretch(seed, step, site, at, min(at + STRETCH, size)) for at in range(0, size, STRETCH)]
    return np.concatenate(parts) if parts else np.zeros(0)


def _stretch(seed: int, step: int, site: int, first: int, last: int) -> Floats:
    blocks = np.arange(first, last, dtype=np.uint32)
    pair = threefry(key_words(seed, step), blocks, np.full_like(blocks, site & MASK))
    one, other = ((words.astype(np.float64) + 0.5) * 2.0**-32 for words in pair)
    return np.asarray(np.sqrt(-2.0 * logarithm(one)) * cosine(other))


def logarithm(u: Floats) -> Floats:
    """ln u for u > 0: the exponent, and 2 (s + s^3/3 + s^5/5 ...) of the rest m, where s = (m - 1) / (m + 1)."""
    m, exponent = np.frexp(u)
    low = m < 0.7071067811865476
    m, exponent = np.where(low, 2.0 * m, m), np.where(low, exponent - 1, exponent)
    s = (m - 1.0) / (m + 1.0)
    square, total = s * s, np.zeros_like(s)
    for term in range(LOG_TERMS, -1, -1):
        total = total * square + 1.0 / (2 * term + 1)
    return np.asarray(exponent * LN2 + 2.0 * s * total)


def cosine(v: Floats) -> Floats:
    """cos(2 pi v) for 0 <= v <= 1: Taylor's series, on the quarter turn that v is folded to."""
    half = np.abs(v - 0.5)
    far = half > 0.25
    x = TAU * np.where(far, 0.5 - half, half)
    square, total = x * x, np.ones_like(x)
    for term in range(COS_TERMS, 0, -1):
        total = 1.0 - total * square / ((2 * term - 1) * (2 * term))
    return np.asarray(np.where(far, total, -total))
