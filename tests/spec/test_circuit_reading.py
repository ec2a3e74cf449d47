"""What files of people and of other tools mean: vectors, expressions, wide gates, latches, literals in any order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ontogeny.evolve.circuits.aiger_ascii import from_aag
from ontogeny.evolve.circuits.blif import from_blif
from ontogeny.evolve.circuits.verilog_read import from_verilog
from ontogeny.isa.netlist import Netlist, cases, clocked, numbers_of, truth


def outputs(net: Netlist) -> list[int]:
    """The outputs as a number, lowest first, for every case."""
    return numbers_of(truth(net, cases(net.sources))[: len(net.outputs)], 1 << net.sources).tolist()


EXPRESSIONS: list[tuple[str, Callable[[int, int, int], int]]] = [
    ("a & b", lambda a, b, s: a & b),
    ("~(a ^ b)", lambda a, b, s: ~(a ^ b) & 7),
    ("a ~^ b", lambda a, b, s: ~(a ^ b) & 7),
    ("s ? a : b", lambda a, b, s: a if s else b),
    ("a | b & ~a", lambda a, b, s: a | b & ~a),
    ("{a[0], b[2:1]}", lambda a, b, s: (a & 1) << 2 | b >> 1),
    ("{2'b10, a == b}", lambda a, b, s: 4 | (a == b)),
    ("{^a, &b, |a}", lambda a, b, s: (a.bit_count() & 1) << 2 | (b == 7) << 1 | (a > 0)),
    ("{!a, a && b, a != 3'd5}", lambda a, b, s: (a == 0) << 2 | (a > 0 and b > 0) << 1 | (a != 5)),
    ("s ? 3'h5 : 3'o2", lambda a, b, s: 5 if s else 2),
    ("{a || b, a[1] ? b[0] : s, 1'b1}", lambda a, b, s: (a | b > 0) << 2 | (b & 1 if a & 2 else s) << 1 | 1),
]


@pytest.mark.parametrize(("expression", "means"), EXPRESSIONS)
def test_verilog_expressions(expression: str, means: Callable[[int, int, int], int]) -> None:
    text = (
        f"module m(a, b, s, y); // old style\n input [2:0] a, b; input s; output [2:0] y;\n assign y = {expression};\n"
    )
    net = from_verilog(text + "endmodule\n")
    assert net.named.inputs == (*(f"a[{i}]" for i in range(3)), *(f"b[{i}]" for i in range(3)), "s")
    assert outputs(net) == [int(means(case & 7, case >> 3 & 7, case >> 6)) for case in range(128)]


def test_wide_gates_are_cut() -> None:
    ports = ", ".join(f"a{i}" for i in range(9))
    for kind, means in (
        ("nand", lambda n: n != 511),
        ("nor", lambda n: n == 0),
        ("xnor", lambda n: n.bit_count() % 2 == 0),
    ):
        net = from_verilog(f"module m(input {ports}, output y); {kind} g(y, {ports}); endmodule")
        assert outputs(net) == [int(means(case)) for case in range(512)]
    for value in "01":
        text = ".model m\n.inputs a b c d e f g \\\n h\n.outputs y\n.names a b c d e f g h y\n"
        net = from_blif(f"{text}11------ {value}\n--0----1 {value} # comment\n.end\n")
        expected = [int((case & 3 == 3 or (not case & 4 and case >> 7)) == (value == "1")) for case in range(256)]
        assert outputs(net) == expected


def test_registers_begin_and_tick() -> None:
    verilog = """module m(input clk, input en, output reg [1:0] q);
      initial q = 2'b10;
      wire [1:0] d = {q[1] ^ (q[0] & en), q[0] ^ en};
      always @(posedge clk) begin q <= d; end
    endmodule"""
    blif = """.model m\n.inputs en clk\n.outputs q1 q0\n.latch d0 q0 re clk 0\n.latch d1 q1 re clk 1\n.clock clk
.names q0 en d0\n10 1\n01 1\n.names q1 q0 en d1\n1-0 1\n10- 1\n011 1\n.end"""
    for text, read, places in ((verilog, from_verilog, (0, 1)), (blif, from_blif, (1, 0))):
        net = read(text)
        ticks = clocked(net, np.full((6, net.inputs, 1), 2**64 - 1, np.uint64))[:, net.outputs, 0] & np.uint64(1)
        assert [int(row[places[0]]) + 2 * int(row[places[1]]) for row in ticks] == [2, 3, 0, 1, 2, 3]


def test_aiger_literals_come_in_any_order() -> None:
    net = from_aag("aag 7 2 0 2 3\n2\n4\n6\n12\n6 13 15\n12 2 4\n14 3 5\ni0 x\ni1 y\no0 s\no1 c\nc\nhalf adder\n")
    assert outputs(net) == [0, 1, 1, 2] and net.named.outputs == ("s", "c")
    constant = from_aag("aag 0 0 0 2 0\n0\n1\n")
    assert outputs(constant) == [2]
