"""The order of examples in an epoch: a permutation that depends on nothing but the count, the seed and the epoch.

Up to SORTED examples it is the order of a hash of each example's number. Beyond that, sorting an epoch to read one
batch is waste, and a Feistel network over the next power of four, walked until it lands inside, gives any
stretch of it alone. (A Feistel network is a poor shuffle of a handful of examples, so it is not used for few.)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SORTED = 1 << 20
ROUNDS = 8
GOLDEN = 0x9E3779B97F4A7C15
WORD = (1 << 64) - 1

Places = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]


def mix(words: Words) -> Words:
    """SplitMix64's finalizer: a bijection of 64-bit words that scatters every bit (Steele, Lea, Flood 2014)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def epoch_key(seed: int, epoch: int) -> np.uint64:
    """One word from seed and epoch, by the same mixing twice."""
    first = mix(np.array([(seed + GOLDEN) & WORD], np.uint64))
    second = mix(first ^ np.array([(epoch * GOLDEN + 1) & WORD], np.uint64))
    return np.uint64(second[0])


def epoch_order(count: int, seed: int, epoch: int) -> Places:
    """The examples of a whole epoch in their order; `count` at most SORTED."""
    numbers = np.arange(1, count + 1, dtype=np.uint64)
    return np.argsort(mix(numbers * np.uint64(GOLDEN) ^ epoch_key(seed, epoch)), kind="stable")


def places(count: int, seed: int, epoch: int, first: int, last: int) -> Places:
    """The examples at positions `first` up to `last` of an epoch, without making the rest of it."""
    half = max(1, ((count - 1).bit_length() + 1) // 2)
    words = np.arange(first, last, dtype=np.uint64)
    words = _feistel(words, half, epoch_key(seed, epoch))
    while (outside := words >= np.uint64(count)).any():
        words[outside] = _feistel(words[outside], half, epoch_key(seed, epoch))
    return words.astype(np.int64)


def _feistel(words: Words, half: int, key: np.uint64) -> Words:
    bits, mask = np.uint64(half), np.uint64((1 << half) - 1)
    left, right = words >> bits, words & mask
    for turn in range(ROUNDS):
        left, right = right, left ^ (mix(right + key + np.uint64(turn * GOLDEN & WORD)) & mask)
    return (left << bits) | right
