"""Threefry-2x32-20 compiled for the CPU by numba: the same bits as `machine.random`, fifty times as fast as by torch.

A draw of a few thousand numbers is a hundred torch operations of microseconds each; here it is one loop.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ontogeny.machine.kernel_cache import compiled
from ontogeny.machine.random import MASK, PARITY, ROTATIONS, ROUNDS, Words, key_words

TURNS = np.array([ROTATIONS[turn % 8] for turn in range(ROUNDS)], np.uint32)


def bits(seed: int, step: int, site: int, size: int) -> Words:
    """u32[size] random bits, element number `place` being word `place % 2` of block (place // 2, site)."""
    found = np.empty(size + size % 2, np.uint32)
    first, second = key_words(seed, step)
    key = np.array([first, second, first ^ second ^ PARITY], np.uint32)
    _fill(found, key, np.uint32(site & MASK), TURNS)
    return found[:size]


@compiled
def _fill(found: Any, key: Any, site: Any, turns: Any) -> None:
    word = np.uint32(32)
    for block in range(len(found) // 2):
        left, right = np.uint32(np.uint32(block) + key[0]), np.uint32(site + key[1])
        for turn in range(len(turns)):
            left = np.uint32(left + right)
            right = (
                np.uint32(np.uint32(right << turns[turn]) | np.uint32(right >> np.uint32(word - turns[turn]))) ^ left
            )
            if turn % 4 == 3:
                group = turn // 4 + 1
                left = np.uint32(left + key[group % 3])
                right = np.uint32(right + np.uint32(key[(group + 1) % 3] + np.uint32(group)))
        found[2 * block], found[2 * block + 1] = left, right
