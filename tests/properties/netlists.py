"""Strategies for netlists: any gate set, combinational or clocked, with dead and constant gates among them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from ontogeny.isa.netlist import WIDEST, Names, Netlist, netlist


@st.composite
def netlists(
    draw: st.DrawFn, inputs: int = 5, gates: int = 14, registers: int = 3, widest: int = 4, named: bool = False
) -> Netlist:
    """A netlist of at most so many of each; its inputs may be none, its gates constants, its outputs inputs."""
    n, held = draw(st.integers(0, inputs)), draw(st.integers(0, registers))
    count = draw(st.integers(0 if n + held else 1, gates))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    width = draw(st.integers(0, min(widest, WIDEST)))
    fanin = np.full((count, width), -1, np.int32)
    table = np.zeros(count, np.uint64)
    for gate in range(count):
        takes = int(rng.integers(0, width + 1)) if n + held + gate else 0
        fanin[gate, :takes] = rng.integers(0, max(1, n + held + gate), takes)
        table[gate] = int.from_bytes(rng.bytes(8), "little") & (1 << (1 << takes)) - 1
    wires = n + held + count
    outputs = rng.integers(0, wires, draw(st.integers(1, 4)))
    names = draw(st.just(names_of(n, len(outputs), held)) if named else st.none())
    after, begins = rng.integers(0, wires, held), rng.integers(0, 2, held)
    return netlist(n, table, fanin, outputs, next=after, initial=begins, names=names)


def names_of(inputs: int, outputs: int, registers: int) -> Names:
    """Names as other tools give them, with brackets, dots and words that mean something elsewhere."""
    odd = ("a[0]", "module", "x.y", "_", "1", "n1", "clk", "\\e", "$d", "in put")
    left = [*odd, *(f"w{i}" for i in range(inputs + registers))]
    return Names(
        tuple(left[:inputs]), tuple(f"y[{i}]" for i in range(outputs)), tuple(left[inputs : inputs + registers])
    )
