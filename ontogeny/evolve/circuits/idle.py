"""What never changes an output of a netlist: wires that nothing depends on, by wiring or by any case.

A wire counts where its inverse would change an output, or what a register takes that itself counts. That is tried in
all cases up to 2^14, else in 2^12 drawn at random, where a wire that counts only rarely may be missed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ontogeny.isa.netlist import Netlist, Words, apply, cases, values

EXHAUSTIVE = 14
DRAWN = 64


@dataclass(frozen=True, slots=True)
class Idle:
    """Which wires never change an output, bool[wires], and in what cases that was looked for."""

    wires: NDArray[np.bool_]
    how: str


def idle(net: Netlist) -> Idle:
    """The wires of `net` that never change an output, or a register that counts."""
    exact = net.sources <= EXHAUSTIVE
    rng = np.random.default_rng(0)
    words = cases(net.sources) if exact else rng.integers(0, 2**64, (net.sources, DRAWN), np.uint64)
    wires, takers = values(net, words), _takers(net)
    ends = set(map(int, net.outputs))
    counts = np.zeros(net.wires, bool)
    while True:
        for wire in np.flatnonzero(~counts):
            counts[wire] = _matters(net, wires, takers, int(wire), ends)
        more = ends | {int(net.next[place]) for place in range(net.registers) if counts[net.inputs + place]}
        if more == ends:
            return Idle(~counts, f"all {1 << net.sources} cases" if exact else f"{64 * DRAWN} random cases")
        ends = more


def _takers(net: Netlist) -> list[list[int]]:
    takers: list[list[int]] = [[] for _ in range(net.wires)]
    for gate in range(net.gates):
        for wire in dict.fromkeys(net.takes(gate)):
            takers[wire].append(gate)
    return takers


def _matters(net: Netlist, wires: Words, takers: list[list[int]], wire: int, ends: set[int]) -> bool:
    """Whether an end changes with the wire: gates after it again, those only that take something changed."""
    if wire in ends:
        return True
    changed = {wire: ~wires[wire]}
    waiting = set(takers[wire])
    like = np.zeros_like(wires[wire])
    while waiting:
        gate = min(waiting)
        waiting.remove(gate)
        out = net.sources + gate
        value = apply(int(net.table[gate]), [changed.get(w, wires[w]) for w in net.takes(gate)], like)
        if np.array_equal(value, wires[out]):
            continue
        if out in ends:
            return True
        changed[out] = value
        waiting.update(takers[out])
    return False
