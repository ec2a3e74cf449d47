"""Pictures of circuits: wires never lie over each other, and grey is what changes no output, case by case."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from itertools import combinations, groupby

import numpy as np
import pytest
from hypothesis import given, settings

from ontogeny.evolve.circuits.idle import idle
from ontogeny.evolve.circuits.layout import layout
from ontogeny.evolve.circuits.svg import GREY, to_svg
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import Netlist, cases, netlist, truth, values
from tests.pace import paced
from tests.properties.netlists import netlists


@settings(max_examples=60, deadline=None)
@given(netlists(gates=20, widest=3))
def test_no_wire_of_a_channel_lies_on_another(net: Netlist) -> None:
    placed = layout(net)
    for _, channel in groupby(sorted(placed.wires, key=lambda one: one.column), key=lambda one: one.column):
        for a, b in combinations(channel, 2):
            for one, other in ((a, b), (b, a)):
                if one.y in other.targets:
                    assert -1 < one.track < other.track or one.track == other.track == -1
            low, high = (
                max(min(*one.targets, one.y) for one in (a, b)),
                min(max(*one.targets, one.y) for one in (a, b)),
            )
            assert a.track == -1 or a.track != b.track or low > high
            assert not set(a.targets) & set(b.targets) and a.y != b.y


@settings(max_examples=40, deadline=None)
@given(netlists(gates=8, inputs=3, registers=2))
def test_grey_is_what_no_output_ever_depends_on(net: Netlist) -> None:
    """A wire counts where its inverse is seen at an output, or at a register that counts: the smallest such set."""
    words = cases(net.sources)
    seen = {wire: ends_changed(net, wire, words) for wire in range(net.wires)}
    counts = {wire for wire, (outputs, _) in seen.items() if outputs}
    while True:
        registers = {place for place in range(net.registers) if net.inputs + place in counts}
        more = counts | {wire for wire, (_, after) in seen.items() if after & registers}
        if more == counts:
            break
        counts = more
    assert set(np.flatnonzero(~idle(net).wires).tolist()) == counts


def ends_changed(net: Netlist, wire: int, words: np.ndarray) -> tuple[bool, set[int]]:
    """Whether outputs change with a wire made an input of its own, and which registers' next values do."""
    tables, fanin = net.table.copy(), net.fanin.copy()
    if wire < net.sources:
        flipped = words.copy()
        flipped[wire] ^= np.uint64(2**64 - 1)
        differs = (truth(net, words) ^ truth(net, flipped)).any(axis=1)
        differs |= np.isin([*net.outputs, *net.next], wire)
    else:
        gate = wire - net.sources
        tables[gate] ^= np.uint64((1 << (1 << len(net.takes(gate)))) - 1)
        other = netlist(net.inputs, tables, fanin, net.outputs, next=net.next, initial=net.initial)
        differs = (truth(net, words) ^ truth(other, words)).any(axis=1)
    outputs = len(net.outputs)
    return bool(differs[:outputs].any()), set(np.flatnonzero(differs[outputs:]).tolist())


@settings(max_examples=30, deadline=None)
@given(netlists(named=True, widest=6))
def test_a_picture_is_xml_with_every_gate_and_name(net: Netlist) -> None:
    text = to_svg(net, "a < b & c")
    root = ElementTree.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    titles = [title.text or "" for title in root.iter(f"{space}title")]
    assert sum(title.startswith("wire ") for title in titles) == net.gates and "a < b & c" in titles
    words = {element.text for element in root.iter(f"{space}text")}
    assert set(net.named.inputs) | set(net.named.outputs) <= words
    still = idle(net).wires[net.sources :]
    assert text.count(f'<g stroke="{GREY}"') == int(still.sum())


def test_a_gate_that_is_wired_but_never_seen_is_grey() -> None:
    hidden = netlist(2, [0b0111, 0b1000, 0b1110], [[0, 1], [0, 1], [2, 3]], [4])  # nand or and: always one
    found = idle(hidden)
    assert found.how == "all 4 cases" and found.wires.tolist() == [True, True, False, False, False]
    assert values(hidden, cases(2))[4].tolist() == [2**64 - 1]


def test_what_counts_in_one_case_of_many_is_not_grey_and_what_only_a_hidden_register_takes_is() -> None:
    """All of nine inputs at once, which the first cases do not have; registers that lead on to an output or nowhere."""
    wide = 9
    ands = [[wide + 2 + place - 1 if place else 0, place + 1] for place in range(wide - 1)]
    last = wide + 2 + len(ands) - 1
    net = netlist(wide, [0b1000] * len(ands), ands, [wide], next=[last, wide + 1])
    found = idle(net)
    assert found.how == f"all {1 << 11} cases"
    assert np.flatnonzero(found.wires).tolist() == [wide + 1]
    hidden = netlist(wide, [0b1000] * len(ands), ands, [wide], next=[0, last])
    assert np.flatnonzero(idle(hidden).wires).tolist() == [*range(1, wide), *range(wide + 1, hidden.wires)]


def test_a_large_circuit_is_looked_through_within_a_second_or_so() -> None:
    """It took 6 s of CPU wire by wire, and 0.15 s with all wires side by side."""
    rng, sources = np.random.default_rng(0), 159
    fanin = [rng.integers(max(0, sources + gate - 120), sources + gate, 2) for gate in range(1400)]
    wires = sources + len(fanin)
    ends = rng.integers(wires - 300, wires, (2, 150))
    net = netlist(9, [0b0111] * len(fanin), fanin, ends[0, :16], next=ends[1])
    assert paced(lambda: idle(net)) < 2
    assert 100 < idle(net).wires.sum() < 1000


def test_too_many_gates_are_not_drawn() -> None:
    with pytest.raises(NetlistError, match="expected at most 4000"):
        to_svg(netlist(1, [1] * 4001, [[0]] * 4001, [1]))
