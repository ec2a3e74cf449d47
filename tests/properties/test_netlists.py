"""Netlists for any input: programs of them on both machines, and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from ontogeny.isa.netlist import Netlist, cases, clocked, truth
from ontogeny.isa.netlist_program import from_program, legal, program
from ontogeny.isa.text import from_text, to_text
from ontogeny.machine.base import Machine
from ontogeny.machine.compiled.machine import CompiledMachine
from ontogeny.machine.reference.machine import ReferenceMachine
from tests.properties.netlists import netlists


@settings(max_examples=80, deadline=None)
@given(netlists(named=True))
def test_a_program_of_a_netlist_gives_the_same_gates_back(net: Netlist) -> None:
    again = from_program(from_text(to_text(program(net, words=2))))
    assert again.named == legal(net.named)
    assert again.key[:-1] == net.key[:-1]


@pytest.mark.parametrize("machine", [ReferenceMachine, CompiledMachine])
@settings(max_examples=15, deadline=None)
@given(net=netlists(gates=8))
def test_machines_tick_as_the_arrays_say(machine: type[Machine], net: Netlist) -> None:
    rng = np.random.default_rng(net.gates)
    given = rng.integers(0, 2**64, (3, net.inputs, 2), np.uint64)
    wires = clocked(net, given)
    made = program(net, words=2)
    running = machine(made)
    if net.registers:
        running.load({name: np.zeros(2, np.uint64) for name in net.named.registers})
        running.call("init", {}, {})
    routine = "tick" if net.registers else "predict"
    for tick, words in enumerate(given):
        found = running.call(routine, dict(zip(net.named.inputs, words, strict=True)), {})
        assert np.array_equal(np.stack([found[name] for name in net.named.outputs]), wires[tick, net.outputs])
        held = running.state()
        assert [held[name].tolist() for name in net.named.registers] == wires[tick, net.next].tolist()


@settings(max_examples=60, deadline=None)
@given(netlists(widest=6, inputs=4, registers=2))
def test_a_step_is_what_the_tables_say_case_by_case(net: Netlist) -> None:
    found = truth(net, cases(net.sources))
    for case in range(1 << net.sources):
        wires = [case >> i & 1 for i in range(net.sources)]
        for gate in range(net.gates):
            place = sum(wires[wire] << i for i, wire in enumerate(net.takes(gate)))
            wires.append(int(net.table[gate]) >> place & 1)
        word, bit = divmod(case, 64)
        assert [int(row[word]) >> bit & 1 for row in found] == [wires[w] for w in (*net.outputs, *net.next)]
