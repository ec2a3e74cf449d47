"""Circuits' files for any netlist: what is written reads back equal, and any text is read or refused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontogeny.evolve.circuits.aiger_ascii import from_aag, to_aag
from ontogeny.evolve.circuits.aiger_binary import from_aig, to_aig
from ontogeny.evolve.circuits.blif import from_blif, to_blif
from ontogeny.evolve.circuits.draft import CircuitFileError
from ontogeny.evolve.circuits.equivalent import equivalent
from ontogeny.evolve.circuits.verilog import to_verilog
from ontogeny.evolve.circuits.verilog_read import from_verilog
from ontogeny.isa.netlist import NAND, Netlist, netlist
from tests.properties.netlists import names_of, netlists

TEXT: dict[str, tuple[Callable[[Netlist], str], Callable[[str], Netlist]]] = {
    "blif": (to_blif, from_blif),
    "aag": (to_aag, from_aag),
    "verilog": (to_verilog, from_verilog),
}


@pytest.mark.parametrize("form", TEXT)
@settings(max_examples=50, deadline=None)
@given(net=netlists(named=True))
def test_what_is_written_reads_back_equal(form: str, net: Netlist) -> None:
    write, read = TEXT[form]
    again = read(write(net))
    assert equivalent(again, net)
    assert write(read(write(again))) == write(again)


@settings(max_examples=50, deadline=None)
@given(netlists(named=True))
def test_binary_and_ascii_aiger_hold_the_same_graph(net: Netlist) -> None:
    assert from_aig(to_aig(net)) == from_aag(to_aag(net))
    assert from_aig(to_aig(net)).names == net.names


@settings(max_examples=50, deadline=None)
@given(netlists())
def test_blif_gives_the_same_gates_back(net: Netlist) -> None:
    assert from_blif(to_blif(net)) == net


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 5), st.integers(0, 3), st.integers(1, 20), st.integers(0, 2**32))
def test_verilog_gives_the_same_nands_and_names_back(inputs: int, registers: int, gates: int, seed: int) -> None:
    rng, sources = np.random.default_rng(seed), inputs + registers
    first = 1 if sources == 0 else 0
    fanin = np.array([rng.integers(0, sources + gate, 2) for gate in range(first, gates)]).reshape(-1, 2)
    if not sources or not len(fanin):
        return
    wires = sources + len(fanin)
    names = names_of(inputs, 3, registers)
    if any(" " in name for name in (*names.inputs, *names.registers)):
        names = None
    after, begins = rng.integers(0, wires, registers), rng.integers(0, 2, registers)
    net = netlist(
        inputs, [NAND] * len(fanin), fanin, rng.integers(0, wires, 3), next=after, initial=begins, names=names
    )
    assert from_verilog(to_verilog(net)) == net


@pytest.mark.parametrize("form", TEXT)
@settings(max_examples=60, deadline=None)
@given(
    net=netlists(gates=5), seed=st.integers(0, 2**32), junk=st.text("01.- \n\\()[]{};:~&|^?,'bhax=<>\0é", max_size=6)
)
def test_a_damaged_text_is_read_or_refused(form: str, net: Netlist, seed: int, junk: str) -> None:
    write, read = TEXT[form]
    text, rng = write(net), np.random.default_rng(seed)
    place, length = int(rng.integers(len(text))), int(rng.integers(0, 8))
    try:
        read(text[:place] + junk + text[place + length :])
    except CircuitFileError as refused:
        assert refused.line >= 0 and str(refused)


@settings(max_examples=100, deadline=None)
@given(net=netlists(), seed=st.integers(0, 2**32), junk=st.binary(max_size=4))
def test_damaged_bytes_are_read_or_refused(net: Netlist, seed: int, junk: bytes) -> None:
    data, rng = to_aig(net), np.random.default_rng(seed)
    place, length = int(rng.integers(len(data))), int(rng.integers(0, 4))
    try:
        from_aig(data[:place] + junk + data[place + length :])
    except CircuitFileError as refused:
        assert str(refused)
