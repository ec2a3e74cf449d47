"""Counter-based random bits: Threefry-2x32 with 20 rounds.

Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (SC 2011); held to the test vectors of their
Random123 library. Whatever is drawn depends only on (seed, step, site, place), never on what was drawn before, so a
replay is exact whatever else draws.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint32]

ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
ROUNDS = 20
PARITY = 0x1BD11BDA
MASK = 0xFFFFFFFF
SEED_MIX = 0x9E3779B9


def threefry(key: tuple[int, int], first: npt.NDArray[Any], second: npt.NDArray[Any]) -> tuple[Words, Words]:
    """Threefry-2x32-20 of one key and many counters: the two words of each block.

    `key` is two words; `first` and `second` are u32 arrays of one shape, the words of the counters.
    """
    schedule = (key[0], key[1], key[0] ^ key[1] ^ PARITY)
    left = first.astype(np.uint32) + np.uint32(schedule[0])
    right = second.astype(np.uint32) + np.uint32(schedule[1])
    for turn in range(ROUNDS):
        rotation = ROTATIONS[turn % 8]
        left = left + right
        right = ((right << np.uint32(rotation)) | (right >> np.uint32(32 - rotation))) ^ left
        if turn % 4 == 3:
            block = turn // 4 + 1
            left = left + np.uint32(schedule[block % 3])
            right = right + np.uint32((schedule[(block + 1) % 3] + block) & MASK)
    return left, right


def key_words(seed: int, step: int) -> tuple[int, int]:
    """The key of a draw: the seed's halves mixed into one word, and the low word of the step. Both are i64."""
    return (seed & MASK) ^ ((seed >> 32 & MASK) * SEED_MIX & MASK), step & MASK


def rand_bits(seed: int, step: int, site: int, shape: tuple[int, ...]) -> Words:
    """Random u32 of `shape`: element number `place` is word `place % 2` of the block of counter (place // 2, site)."""
    size = prod(shape)
    blocks = np.arange((size + 1) // 2, dtype=np.uint32)
    pair = threefry(key_words(seed, step), blocks, np.full_like(blocks, site & MASK))
    return np.stack(pair, axis=1).reshape(-1)[:size].reshape(shape)
