"""Adaptive binary codes of symbols in contexts, for numba: a bit at a time, the highest first, by counts alone.

A context and the bits before lead to two counts of what came there. A table has a power of two of such pairs; two
contexts that fall together count together, which costs bits and is never wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ontogeny.machine.kernel_cache import compiled

GOLDEN, MIXED = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
LEVELS = 12
CLAMP = 12.0


@compiled
def place(context: Any, node: Any, size: Any) -> Any:
    """Where the counts of a context and the bits before (a number with a leading one) lie."""
    mixed = (np.uint64(context) + np.uint64(node)) * GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(29))) * MIXED
    return np.int64((mixed ^ (mixed >> np.uint64(32))) & np.uint64(size - 1))


@compiled
def alone(symbols: Any, contexts: Any, bits: int, counts: Any) -> float:
    """Bits of all symbols [n] by Krichevsky and Trofimov's estimate in one context each [n]; counts f32[size, 2]."""
    total = 0.0
    for at in range(symbols.size):
        node = 1
        for shift in range(bits - 1, -1, -1):
            bit = (symbols[at] >> shift) & 1
            own = counts[place(contexts[at], node, counts.shape[0])]
            total -= np.log2((own[bit] + 0.5) / (own[0] + own[1] + 1.0))
            own[bit] += 1.0
            node = 2 * node + bit
    return total


@compiled
def level(count: float) -> Any:
    """A place from 0 to LEVELS - 1 for how often a context came: 0, 1, 2, 3, and then by powers of two."""
    if count < 4.0:
        return np.int64(count)
    return min(LEVELS - 1, 2 + np.int64(np.log2(count)))


@compiled
def mixed(symbols: Any, contexts: Any, bits: int, counts: Any, weights: Any, rate: float, most: float) -> float:
    """Bits of all symbols [n] by a mixture over contexts [n, m] each; counts f32[m, size, 2].

    What each context says, as a logarithm of odds, is weighed by how often it came (weights f64[2^bits, m, LEVELS],
    chosen by the bits before) and added up; the weights follow the gradient of the bits (Mahoney 2005, PAQ). Counts
    above `most` are halved, so that what came lately counts more.
    """
    total, many = 0.0, contexts.shape[1]
    said, where, levels = np.empty(many), np.empty(many, np.int64), np.empty(many, np.int64)
    for at in range(symbols.size):
        node = 1
        for shift in range(bits - 1, -1, -1):
            bit = (symbols[at] >> shift) & 1
            odds = 0.0
            for one in range(many):
                where[one] = place(contexts[at, one], node, counts.shape[1])
                own = counts[one, where[one]]
                levels[one] = level(own[0] + own[1])
                said[one] = np.log((own[1] + 0.2) / (own[0] + 0.2))
                odds += weights[node, one, levels[one]] * said[one]
            one_is = 1.0 / (1.0 + np.exp(-max(-CLAMP, min(CLAMP, odds))))
            total -= np.log2(one_is if bit else 1.0 - one_is)
            error = rate * (bit - one_is)
            for one in range(many):
                weights[node, one, levels[one]] += error * said[one]
                own = counts[one, where[one]]
                own[bit] += 1.0
                if own[0] + own[1] > most:
                    own[0] *= 0.5
                    own[1] *= 0.5
            node = 2 * node + bit
    return total
