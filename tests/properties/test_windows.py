"""Windows over random netlists: what comes out is equal, and never larger."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontogeny.evolve.circuits.convert import nand_only
from ontogeny.evolve.circuits.equivalent import equivalent
from ontogeny.evolve.gates.windows import windowed
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import NAND, Netlist, netlist
from tests.properties.netlists import netlists


@settings(max_examples=30, deadline=None)
@given(netlists(gates=30, inputs=6), st.integers(0, 5), st.integers(1, 12), st.integers(2, 6))
def test_windows_leave_an_equal_netlist_that_is_no_larger(net: Netlist, seed: int, size: int, inputs: int) -> None:
    smaller = windowed(net, seed=seed, windows=12, size=size, inputs=inputs, steps=60)
    assert equivalent(net, smaller) and smaller.gates <= nand_only(net).gates and smaller.named == net.named


def test_what_is_doubled_far_from_any_input_is_found() -> None:
    """Of forty wires, an inverter of an inverter at the end of each pair."""
    pairs = [[2 * place, 2 * place + 1] for place in range(20)]
    twice = [[60 - 20 + place] * 2 for place in range(40)]
    net = netlist(40, [NAND] * 60, pairs + twice, range(80, 100))
    assert net.gates == 60 and windowed(net, windows=150, size=4, steps=40).gates == 20


def test_windows_that_make_no_sense_are_refused() -> None:
    net = netlist(2, [NAND], [[0, 1]], [2])
    with pytest.raises(NetlistError, match="expected 2 to 12 inputs"):
        windowed(net, inputs=13)
    with pytest.raises(NetlistError, match="1 gate or more"):
        windowed(net, size=0)
