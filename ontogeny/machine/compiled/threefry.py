"""Threefry-2x32-20 in torch's 32-bit integers: the same bits as `machine.random`, fused by a compiler that can.

On the CPU, where nothing fuses them, they are drawn by `threefry_cpu.py`, which is loaded when it is first needed; not
while a compiler follows the operations, which would see none and could not read the seed.
"""

from __future__ import annotations

from importlib import import_module
from math import prod
from typing import Any

import numpy as np
import torch
from torch.fx.experimental.proxy_tensor import get_proxy_mode

from ontogeny.machine.random import MASK, PARITY, ROTATIONS, ROUNDS, key_words

ON_CPU = "ontogeny.machine.compiled.threefry_cpu"


def _signed(word: Any) -> Any:
    """The low 32 bits of a number, or of a scalar i64 tensor, as a signed word."""
    return (word & MASK) - ((word & 0x80000000) << 1)


def threefry_bits(seed: Any, step: Any, site: int, shape: tuple[int, ...], device: str) -> torch.Tensor:
    """Random bits of `shape` as i32; element number `place` is word `place % 2` of block (place // 2, site)."""
    if torch.device(device).type == "cpu" and get_proxy_mode() is None:
        drawn = import_module(ON_CPU).bits(int(seed), int(step), site, prod(shape))
        return torch.from_numpy(drawn.view(np.int32)).reshape(shape)
    return by_torch(seed, step, site, shape, device)


def by_torch(seed: Any, step: Any, site: int, shape: tuple[int, ...], device: str) -> torch.Tensor:
    """The same by torch's own operations, on any device."""
    first, second = key_words(seed, step)
    schedule = [_signed(word) for word in (first, second, first ^ second ^ PARITY)]
    size = prod(shape)
    blocks = torch.arange((size + 1) // 2, dtype=torch.int32, device=device)
    left = blocks + schedule[0]
    right = torch.full_like(blocks, _signed(site)) + schedule[1]
    low = torch.empty_like(right)
    for turn in range(ROUNDS):
        rotation = ROTATIONS[turn % 8]
        left.add_(right)
        torch.bitwise_right_shift(right, 32 - rotation, out=low).bitwise_and_((1 << rotation) - 1)
        right.bitwise_left_shift_(rotation).bitwise_or_(low).bitwise_xor_(left)
        if turn % 4 == 3:
            block = turn // 4 + 1
            left.add_(schedule[block % 3])
            right.add_(_signed(schedule[(block + 1) % 3] + block))
    return torch.stack((left, right), 1).reshape(-1)[:size].reshape(shape)


def uniform(seed: Any, step: Any, site: int, shape: tuple[int, ...], device: str) -> torch.Tensor:
    """f32 in [0, 1): the top 24 bits of each word."""
    bits = threefry_bits(seed, step, site, shape, device)
    return (bits >> 8).bitwise_and_(0xFFFFFF).to(torch.float32).mul_(2.0**-24)
