"""Adaptive contexts on any symbols: one context alone, or several mixed. Nothing is sent but the code itself.

The length is that of the probabilities; an arithmetic coder comes within two bits of it. It is lossless where the one
who decodes adds up the same counts in the same order.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ontogeny.ask.streams import mixing_kernels as kernels
from ontogeny.ask.streams.stream import Sent

Contexts = npt.NDArray[np.uint64]
FEWEST_PAIRS, MOST_PAIRS = 1 << 18, 1 << 21
RATE, MOST = 0.02, 255.0
MULTIPLIER = np.uint64(0x9DDFEA08EB382D69)


def by_context(symbols: npt.NDArray[np.integer], contexts: Contexts, bits: int) -> Sent:
    """Symbols [n] of so many bits, each in its context [n]."""
    counts = np.zeros((_size(len(symbols), bits), 2), np.float32)
    length = kernels.alone(symbols.astype(np.int64), contexts, bits, counts)
    return Sent(float(length), holds=int(np.count_nonzero(counts.any(axis=1))))


def by_mixture(symbols: npt.NDArray[np.integer], contexts: Contexts, bits: int) -> Sent:
    """The same in several contexts each [n, m]."""
    many = contexts.shape[1]
    counts = np.zeros((many, _size(len(symbols), bits), 2), np.float32)
    weights = np.full((1 << bits, many, kernels.LEVELS), 1.0 / many**0.5)
    given = np.ascontiguousarray(contexts)
    length = kernels.mixed(symbols.astype(np.int64), given, bits, counts, weights, RATE, MOST)
    return Sent(float(length), holds=int(np.count_nonzero(counts.any(axis=2))) + weights.size)


def hashed(*parts: npt.NDArray[np.integer]) -> Contexts:
    """A context for each place, of several numbers there [n]; other numbers in another order give another."""
    found = np.full(len(parts[0]), len(parts), np.uint64)
    for part in parts:
        found = (found ^ part.astype(np.int64).view(np.uint64)) * MULTIPLIER
        found ^= found >> np.uint64(31)
    return found


def before(symbols: npt.NDArray[np.integer], back: int) -> npt.NDArray[np.int64]:
    """What came so many places before each, -1 before the beginning."""
    found = np.full(len(symbols), -1, np.int64)
    found[back:] = symbols[: max(0, len(symbols) - back)]
    return found


def last(symbols: npt.NDArray[np.integer], order: int) -> Contexts:
    """The context of the `order` symbols before each."""
    if not order:
        return np.zeros(len(symbols), np.uint64)
    return hashed(*(before(symbols, back) for back in range(1, order + 1)))


def _size(count: int, bits: int) -> int:
    """Pairs of counts, a power of two: twice as many as there can be, up to MOST_PAIRS."""
    return min(MOST_PAIRS, max(FEWEST_PAIRS, 1 << (2 * count * bits).bit_length()))
