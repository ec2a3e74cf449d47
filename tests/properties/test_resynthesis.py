"""Resynthesis of random netlists: what comes out is equal, of the gates it should be, and never larger."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ontogeny.evolve.circuits.convert import nand_only, two_input
from ontogeny.evolve.circuits.equivalent import equivalent
from ontogeny.evolve.gates.resynthesis import Walk, resynthesised
from ontogeny.isa.netlist import NAND, Netlist
from tests.properties.netlists import netlists


@settings(max_examples=25, deadline=None)
@given(netlists(), st.integers(0, 5), st.sampled_from([(), (0.5, 0.5, 0.5)]))
def test_what_is_made_anew_is_equal_and_no_larger(net: Netlist, seed: int, chances: tuple[float, ...]) -> None:
    nands = resynthesised(net, seed=seed, steps=300, walk=Walk(chances))
    assert equivalent(net, nands) and nands.gates <= nand_only(net).gates and nands.named == net.named
    assert not net.sources or (nands.table == NAND).all()
    any_gates = resynthesised(net, gates="two-input", seed=seed, steps=300, walk=Walk(chances))
    assert equivalent(net, any_gates) and any_gates.gates <= two_input(net).gates
