"""What never changes an output of a netlist: wires that nothing depends on, by wiring or by any case.

A wire counts where its inverse would change an output, or what a register takes that itself counts. That is tried in
all cases up to 2^14, else in 2^12 drawn at random, where a wire that counts only rarely may be missed.

Many wires are tried side by side, each in words of its own. Most are seen to count in the first 64 cases already; the
others are tried in all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ontogeny.isa.netlist import Netlist, Words, apply, cases, values

EXHAUSTIVE = 14
DRAWN = 64
BLOCK = 1 << 21
"""Words that are worked on at a time: 16 MB."""
Marks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Idle:
    """Which wires never change an output, bool[wires], and in what cases that was looked for."""

    wires: Marks
    how: str


def idle(net: Netlist) -> Idle:
    """The wires of `net` that never change an output, or a register that counts."""
    exact = net.sources <= EXHAUSTIVE
    rng = np.random.default_rng(0)
    words = cases(net.sources) if exact else rng.integers(0, 2**64, (net.sources, DRAWN), np.uint64)
    wires = values(net, words)
    changed = _changed(net, wires[:, :1], np.arange(net.wires))
    counts = _counting(net, changed)
    left = np.flatnonzero(~counts)
    if wires.shape[1] > 1 and len(left):
        changed[left] = _changed(net, wires, left)
        counts = _counting(net, changed)
    return Idle(~counts, f"all {1 << net.sources} cases" if exact else f"{64 * DRAWN} random cases")


def _counting(net: Netlist, changed: Marks) -> Marks:
    """Which wires count, bool[wires], of which ends each changes, bool[wires, outputs + registers]."""
    outputs = len(net.outputs)
    seen = np.arange(changed.shape[1]) < outputs
    while True:
        counts = np.asarray(changed[:, seen].any(axis=1), np.bool_)
        more = seen.copy()
        more[outputs:] |= counts[net.inputs : net.sources]
        if np.array_equal(more, seen):
            return counts
        seen = more


def _changed(net: Netlist, wires: Words, tried: NDArray[np.int64]) -> Marks:
    """Which outputs, and values that registers take, change with the inverse of each wire that is tried."""
    found = np.zeros((len(tried), len(net.outputs) + net.registers), bool)
    at_once = max(1, BLOCK // (net.wires * wires.shape[1]))
    for first in range(0, len(tried), at_once):
        some = slice(first, first + at_once)
        found[some] = _inverted(net, wires, tried[some])
    return found


def _inverted(net: Netlist, wires: Words, tried: NDArray[np.int64]) -> Marks:
    """The same for a few: each wire as many times as are tried, from the first one tried on."""
    many = np.repeat(wires[:, None], len(tried), axis=1)
    at = {int(wire): place for place, wire in enumerate(tried)}
    touched = np.zeros(net.wires, bool)
    touched[tried] = True
    for wire in range(int(tried.min(initial=net.wires)), net.wires):
        if wire >= net.sources and touched[takes := list(net.takes(wire - net.sources))].any():
            operands = [many[taken] for taken in takes]
            many[wire] = apply(int(net.table[wire - net.sources]), operands, np.zeros_like(many[wire]))
            touched[wire] = True
        if wire in at:
            many[wire, at[wire]] = ~wires[wire]
    ends = np.concatenate([net.outputs, net.next])
    return np.asarray((many[ends] != wires[ends][:, None]).any(axis=2).T, bool)
