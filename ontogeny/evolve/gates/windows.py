"""A netlist of any size made smaller: windows of few inputs are cut out, resynthesised by themselves, and put back.

A window is a few gates that hang together. What is outside is not looked at, so every case of its inputs counts, and a
window that is equal by itself is equal in its place. One that would close a loop through gates outside is left.
`resynthesis.py` knows more where all cases of the whole netlist can be kept.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np

from ontogeny.evolve.circuits.convert import nand_only, two_input
from ontogeny.evolve.circuits.grower import Grower
from ontogeny.evolve.gates.resynthesis import WALK, Walk, resynthesised
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import Netlist, find_loop

Gates = dict[Hashable, tuple[int, tuple[Hashable, ...]]]
WIDE = 12


@dataclass(frozen=True)
class Window:
    """Gates by their wires, in order; the wires that they take from outside; those of them that others take."""

    gates: tuple[int, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def windowed(
    net: Netlist, *, gates: str = "nand", seed: int = 0, windows: int = 200, inputs: int = WIDE, size: int = 24,
    steps: int = 1000, walk: Walk = WALK,
) -> Netlist:  # fmt: skip
    """The netlist after so many windows of at most `size` gates with at most so many inputs, each walked in so long.

    Raises NetlistError for windows of less than two inputs or of no gate, or more inputs than WIDE.
    """
    if not 2 <= inputs <= WIDE or size < 1:
        raise NetlistError(f"windows of {inputs} inputs and {size} gates; expected 2 to {WIDE} inputs, 1 gate or more")
    rng = np.random.default_rng(seed % 2**64)
    net = nand_only(net) if gates == "nand" else two_input(net)
    for turn in range(windows):
        if not net.gates:
            break
        window = _window(net, rng, inputs, size)
        part = _cut_out(net, window)
        smaller = resynthesised(part, gates=gates, seed=seed * windows + turn, steps=steps, walk=walk)
        if smaller.gates <= part.gates:
            net = _put_back(net, window, smaller) or net
    return net


def _window(net: Netlist, rng: np.random.Generator, inputs: int, size: int) -> Window:
    """A gate that is drawn, and neighbours that are drawn, as long as what they take from outside is not too much."""
    takers: dict[int, list[int]] = {}
    for gate in range(net.gates):
        for wire in net.takes(gate):
            takers.setdefault(wire, []).append(net.sources + gate)
    inside = {net.sources + int(rng.integers(net.gates))}
    refused: set[int] = set()
    while len(inside) < size:
        near = {wire for one in inside for wire in (*net.takes(one - net.sources), *takers.get(one, ()))}
        near = {wire for wire in near if wire >= net.sources} - inside - refused
        if not near:
            break
        one = sorted(near)[int(rng.integers(len(near)))]
        if len(_outside(net, inside | {one})) <= inputs:
            inside.add(one)
        else:
            refused.add(one)
    ends = {int(wire) for wire in (*net.outputs, *net.next)}
    out = (wire for wire in sorted(inside) if wire in ends or not inside.issuperset(takers.get(wire, ())))
    return Window(tuple(sorted(inside)), tuple(sorted(_outside(net, inside))), tuple(out))


def _outside(net: Netlist, inside: set[int]) -> set[int]:
    """The wires that the gates take from outside."""
    return {wire for one in inside for wire in net.takes(one - net.sources)} - inside


def _cut_out(net: Netlist, window: Window) -> Netlist:
    """The window as a netlist."""
    grown = Grower(len(window.inputs))
    wires = {wire: place for place, wire in enumerate(window.inputs)}
    for wire in window.gates:
        gate = wire - net.sources
        wires[wire] = grown.add(int(net.table[gate]), [wires[one] for one in net.takes(gate)])
    return grown.finished([wires[wire] for wire in window.outputs])


def _put_back(net: Netlist, window: Window, part: Netlist) -> Netlist | None:
    """The netlist with the part in the window's place; None where that closes a loop."""
    gates: Gates = {net.sources + gate: (int(net.table[gate]), net.takes(gate)) for gate in range(net.gates)}
    for wire in window.gates:
        del gates[wire]
    names: list[Hashable] = [*window.inputs, *(("new", gate) for gate in range(part.gates))]
    for gate in range(part.gates):
        gates["new", gate] = (int(part.table[gate]), tuple(names[wire] for wire in part.takes(gate)))
    now: dict[Hashable, Hashable] = {
        wire: names[place] for wire, place in zip(window.outputs, part.outputs.tolist(), strict=True)
    }
    moved = {
        name: (table, takes if isinstance(name, tuple) else tuple(now.get(one, one) for one in takes))
        for name, (table, takes) in gates.items()
    }
    if find_loop({name: takes for name, (_, takes) in moved.items()}):
        return None
    return _in_order(net, moved, now)


def _in_order(net: Netlist, gates: Gates, now: Mapping[Hashable, Hashable]) -> Netlist:
    """The gates that outputs and registers depend on, each after what it takes."""
    grown = Grower(net.sources)
    wires: dict[Hashable, int] = {wire: wire for wire in range(net.sources)}
    ends = [now.get(int(wire), int(wire)) for wire in (*net.outputs, *net.next)]
    waiting = list(ends)
    while waiting:
        name = waiting[-1]
        missing = [] if name in wires else [one for one in gates[name][1] if one not in wires]
        waiting += missing
        if not missing:
            waiting.pop()
            if name not in wires:
                table, takes = gates[name]
                wires[name] = grown.add(table, [wires[one] for one in takes])
    count = len(net.outputs)
    found = [wires[name] for name in ends]
    return grown.finished(found[:count], next=found[count:], initial=net.initial, names=net.names)
