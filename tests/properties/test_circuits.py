"""Passes and conversions over random netlists: what comes out is equal, and of the gates it should be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontogeny.evolve.circuits.convert import nand_only, two_input
from ontogeny.evolve.circuits.equivalent import equivalent
from ontogeny.evolve.circuits.simplify import PASSES, simplified
from ontogeny.isa.netlist import NAND, Netlist, cases, netlist, truth
from tests.properties.netlists import netlists

pytest.importorskip("pysat", reason="python-sat decides what is too large to be tried")


@pytest.mark.parametrize("simpler", [*PASSES, simplified])
@settings(max_examples=40, deadline=None)
@given(net=netlists())
def test_a_pass_gives_an_equal_netlist_of_no_more_gates(simpler: Callable[[Netlist], Netlist], net: Netlist) -> None:
    after = simpler(net)
    assert equivalent(net, after) and after.gates <= net.gates and after.named == net.named
    assert simpler is not simplified or simplified(after) == after


@settings(max_examples=60, deadline=None)
@given(netlists(widest=6, gates=6))
def test_conversions_give_equal_netlists_of_their_gates_alone(net: Netlist) -> None:
    narrow, nands = two_input(net), nand_only(net)
    assert equivalent(net, narrow) and (narrow.arity <= 2).all()
    assert equivalent(net, nands)
    assert not net.sources or ((nands.table == NAND).all() and (nands.arity == 2).all())


@settings(max_examples=60, deadline=None)
@given(netlists(), st.integers(0, 2**32))
def test_trying_all_and_proving_agree_on_what_is_equal(net: Netlist, seed: int) -> None:
    """One bit of one table is another: the solver finds what trying all cases finds, and its counterexample is one."""
    rng = np.random.default_rng(seed)
    if not net.gates:
        return
    gate = int(rng.integers(net.gates))
    table = net.table.copy()
    table[gate] ^= np.uint64(1 << int(rng.integers(1 << len(net.takes(gate)))))
    other = netlist(net.inputs, table, net.fanin, net.outputs, next=net.next, initial=net.initial)
    tried, proved = equivalent(net, other), equivalent(net, other, exhaustive=-1)
    assert tried.equal == proved.equal
    for found in (tried, proved):
        if not found:
            words = np.array(found.case, np.uint64)[:, None].reshape(net.sources, 1)
            assert ((truth(net, words) ^ truth(other, words)) & np.uint64(1)).any() and found.differs


def test_the_tables_of_conversions_cover_every_gate_of_three() -> None:
    for table in range(256):
        net = netlist(3, [table], [[0, 1, 2]], [3])
        words = cases(3)
        expected = truth(net, words)
        assert np.array_equal(truth(two_input(net), words), expected), table
        assert np.array_equal(truth(nand_only(net), words), expected), table
