"""Random bits are Threefry-2x32-20 of Random123, and depend on nothing but seed, step, site and place."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from ontogeny.machine.compiled.threefry import by_torch, threefry_bits
from ontogeny.machine.random import key_words, rand_bits, threefry

ONES = 0xFFFFFFFF
KNOWN = [  # counter, key, result: `threefry2x32 20` of Random123's kat_vectors
    ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
    ((ONES, ONES), (ONES, ONES), (0x1CB996FC, 0xBB002BE7)),
    ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
]


@pytest.mark.parametrize("counter, key, expected", KNOWN)
def test_published_vectors(counter: tuple[int, int], key: tuple[int, int], expected: tuple[int, int]) -> None:
    words = threefry(key, *(np.array([word], dtype=np.uint32) for word in counter))
    assert tuple(int(word[0]) for word in words) == expected


def test_an_element_is_a_word_of_its_block() -> None:
    seed, step, site = 7 | 3 << 32, 11, 5
    bits = rand_bits(seed, step, site, (3, 3)).reshape(-1)
    for place in range(9):
        counter = (np.array([place // 2], np.uint32), np.array([site], np.uint32))
        key = ((7 ^ (3 * 0x9E3779B9)) & ONES, 11)
        assert bits[place] == threefry(key, *counter)[place % 2][0]


def test_negative_seeds_and_steps_have_keys_of_their_own() -> None:
    assert key_words(-1, -1) == (ONES ^ (ONES * 0x9E3779B9 & ONES), ONES)
    draws = {rand_bits(seed, step, 0, (4,)).tobytes() for seed in (-1, 0, 1) for step in (-1, 0, 1)}
    assert len(draws) == 9


@pytest.mark.parametrize("shape", [(), (0,), (1,), (5, 0), (2, 3)])
def test_shapes(shape: tuple[int, ...]) -> None:
    bits = rand_bits(1, 2, 3, shape)
    assert bits.shape == shape and bits.dtype == np.uint32
    longer = rand_bits(1, 2, 3, (100,))
    assert np.array_equal(bits.reshape(-1), longer[: bits.size]), "a longer draw begins with the shorter one"


def test_bits_look_even() -> None:
    bits = rand_bits(0, 0, 0, (1 << 16,))
    share = np.unpackbits(bits.view(np.uint8)).mean()
    assert abs(share - 0.5) < 0.003


@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 3), (4097,)])
@pytest.mark.parametrize("seed, step, site", [(0, 0, 0), (-3, 7, 2), (5 | 9 << 32, 2**31, 2**31 + 5)])
def test_torch_and_the_compiled_loop_draw_the_same(seed: int, step: int, site: int, shape: tuple[int, ...]) -> None:
    expected = rand_bits(seed, step, site, shape)
    for drawn in (threefry_bits, by_torch):
        bits = drawn(torch.tensor(seed), torch.tensor(step), site, shape, "cpu")
        assert bits.shape == shape and np.array_equal(bits.numpy().view(np.uint32), expected)


def test_a_compiler_that_follows_the_operations_sees_the_same_draw() -> None:
    def drawn(seed: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
        return threefry_bits(seed, step, 4, (5,), "cpu")

    followed = make_fx(drawn)(torch.tensor(1), torch.tensor(2))
    bits = followed(torch.tensor(3), torch.tensor(-7))
    assert np.array_equal(bits.numpy().view(np.uint32), rand_bits(3, -7, 4, (5,)))
