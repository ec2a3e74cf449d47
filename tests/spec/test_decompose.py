"""Truth tables cut into choices: right in every case, in an order of the inputs that suits them."""

from __future__ import annotations

import numpy as np
import pytest

from ontogeny.evolve import decomposed, equals, resynthesised, table
from ontogeny.evolve.circuits.equivalent import equivalent
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import cases


@pytest.mark.parametrize("seed", range(6))
def test_any_table_is_decomposed_rightly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    inputs, outputs = int(rng.integers(1, 9)), int(rng.integers(1, 5))
    words = cases(inputs)
    target = np.tile(rng.integers(0, 2**64, (outputs, 1), np.uint64), words.shape[1]) ^ words[:1] * np.uint64(seed % 2)
    fitness = table(words, target, 1 << inputs)
    net = decomposed(fitness, seed=seed, orders=5)
    assert fitness.errors([net])[0] == 0
    assert equivalent(net, resynthesised(net, steps=30))


def test_the_order_is_searched() -> None:
    """A selector of eight: by its three address bits first, seven choices; in a bad order many more."""

    def selected(number: int) -> int:
        return number >> 3 >> (number & 7) & 1

    fitness = equals(selected, 11, 1)
    assert decomposed(fitness, seed=3, orders=1).gates > decomposed(fitness, seed=3, orders=300).gates == 7


def test_constants_inverses_and_what_is_shared() -> None:
    fitness = equals(lambda number: 0b0100 | (number & 1) | (~number & 1) << 1 | (number.bit_count() & 1) << 3, 5, 4)
    net = decomposed(fitness, orders=2)
    assert fitness.errors([net])[0] == 0
    assert resynthesised(net, gates="two-input", steps=2000).gates <= 4 + 1 + 2
    with pytest.raises(NetlistError, match="expected all 128"):
        decomposed(equals(lambda number: 0, 7, 1, sampled=64))
