"""Structural Verilog, written: primitive gates where there is one, an `assign` of products for any other table.

Registers are `reg`s with their initial value that take their next one at the rising edge of one clock, the first port.
"""

from __future__ import annotations

import re

from ontogeny.evolve.circuits.naming import Named, named
from ontogeny.evolve.circuits.verilog_words import KEYWORDS
from ontogeny.isa.netlist import Netlist

PRIMITIVES: dict[tuple[int, int], str] = {
    (1, 0b01): "not",
    (1, 0b10): "buf",
    (2, 0b1000): "and",
    (2, 0b1110): "or",
    (2, 0b0111): "nand",
    (2, 0b0001): "nor",
    (2, 0b0110): "xor",
    (2, 0b1001): "xnor",
}
CLOCK = "clk"


def to_verilog(net: Netlist, name: str = "circuit") -> str:
    """The netlist as a Verilog module. Names that are no simple identifiers are escaped; blanks in them become `_`."""
    names = named(net, _legal, ports=True)
    clock = _id(names.apart(CLOCK))
    lines = [f"module {_id(_legal(name))}({', '.join(_ports(net, names, clock))});", *_registers(net, names)]
    lines += [f"  wire {_id(wire)};" for wire in names.wires[net.sources :] if wire not in names.outputs]
    lines += [_gate(net, gate, names) for gate in range(net.gates)]
    lines += [f"  assign {_id(output)} = {_id(wire)};" for output, wire in names.buffers]
    for register, wire in zip(names.registers(net), net.next, strict=True):
        lines.append(f"  always @(posedge {clock}) {_id(register)} <= {_id(names.wires[wire])};")
    return "\n".join([*lines, "endmodule", ""])


def _legal(name: str) -> str:
    return re.sub(r"[^!-~]", "_", name) or "_"


def _id(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_$]*", name) and name not in KEYWORDS else f"\\{name} "


def _ports(net: Netlist, names: Named, clock: str) -> list[str]:
    own = set(names.registers(net))
    clocks = [f"input wire {clock}"] if net.registers else []
    outputs = [f"output {'reg' if name in own else 'wire'} {_id(name)}" for name in names.outputs]
    return [*clocks, *(f"input wire {_id(name)}" for name in names.wires[: net.inputs]), *outputs]


def _registers(net: Netlist, names: Named) -> list[str]:
    ports = set(names.outputs)
    inner = [f"  reg {_id(name)};" for name in names.registers(net) if name not in ports]
    begins = zip(names.registers(net), net.initial, strict=True)
    return [*inner, *(f"  initial {_id(name)} = 1'b{bit};" for name, bit in begins)]


def _gate(net: Netlist, gate: int, names: Named) -> str:
    takes = [_id(names.wires[wire]) for wire in net.takes(gate)]
    table, out = int(net.table[gate]), _id(names.wires[net.sources + gate])
    primitive = PRIMITIVES.get((len(takes), table))
    if primitive:
        return f"  {primitive} ({', '.join([out, *takes])});"
    return f"  assign {out} = {_products(table, takes)};"


def _products(table: int, takes: list[str]) -> str:
    """A sum of products, or the inverse of one where its products are fewer."""
    rows = 1 << len(takes)
    ones = table.bit_count()
    if ones in (0, rows):
        return f"1'b{int(ones > 0)}"
    value = int(ones <= rows // 2)
    products = [
        "(" + " & ".join(wire if row >> place & 1 else f"~{wire}" for place, wire in enumerate(takes)) + ")"
        for row in range(rows)
        if table >> row & 1 == value
    ]
    return " | ".join(products) if value else f"~({' | '.join(products)})"
