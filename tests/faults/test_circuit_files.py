"""Malformed circuits: each is told its line and what was expected there."""

from __future__ import annotations

import pytest

from ontogeny.evolve.circuits.aiger_ascii import from_aag
from ontogeny.evolve.circuits.aiger_binary import from_aig
from ontogeny.evolve.circuits.blif import from_blif
from ontogeny.evolve.circuits.draft import CircuitFileError
from ontogeny.evolve.circuits.verilog_read import from_verilog

HEAD = ".model m\n.inputs a b\n.outputs y\n"
BLIF = [
    ("", 0, "the file has no .model"),
    (".inputs a\n", 1, "expected .model first"),
    (HEAD + ".names a x y\n11 1\n", 4, "wire 'x' is taken by 'y', but nothing drives it"),
    (HEAD + ".end\n", 3, "wire 'y' is taken as an output, but nothing drives it"),
    (HEAD + ".names a y y\n11 1\n", 4, "a loop without a register: 'y' takes 'y'"),
    (HEAD + ".names a x y\n11 1\n.names y x\n1 1\n", 4, "a loop without a register"),
    (HEAD + ".names a b y\n11 1\n.names a y\n1 1\n", 6, "wire 'y' is driven twice, by a gate in line 4"),
    (HEAD + ".names a b a\n11 1\n", 4, "wire 'a' is driven twice, by an input in line 2"),
    (HEAD + ".names a b y\n1 1\n", 5, "expected 2 of 0, 1 or -"),
    (HEAD + ".names a b y\n12 1\n", 5, "expected 2 of 0, 1 or -"),
    (HEAD + ".names a b y\n11 1\n00 0\n", 6, "expected all of one kind"),
    (HEAD + ".subckt adder x=a\n", 4, "expected a flat model"),
    (HEAD + ".frobnicate\n", 4, "'.frobnicate' means nothing here"),
    (HEAD + ".latch a\n", 4, ".latch with 1 words"),
    (HEAD + ".latch a y 7\n", 4, "begins at '7'; expected 0, 1, 2 or 3"),
    (HEAD + ".names\n", 4, ".names without a wire"),
    (HEAD + ".outputs y\n", 4, "output 'y' is declared twice, first in line 3"),
    (HEAD + ".names a \\", 4, "ends in a backslash"),
]
VERILOG = [
    ("", 1, "the end of the file; expected 'module' first"),
    (
        "module m(input a, output y);\n  nand (y, a, x);\nendmodule",
        2,
        "wire 'x' is taken by 'y', but nothing drives it",
    ),
    ("module m(input a, output y);\n  nand (y, a, y);\nendmodule", 2, "a loop without a register: 'y' takes 'y'"),
    ("module m(input a, output y);\n  nand (y, a)\nendmodule", 2, "nand of 1 inputs; expected two or more"),
    ("module m(input a, output y);\n  nand (y, a, a)\nendmodule", 3, "'endmodule'; expected ';'"),
    ("module m(input a, output y);\n  other u(y, a);\nendmodule", 2, "instances are not read"),
    ("module m(input a, output y);\n  assign y = a +\n a;", 2, "'+'; expected ';'"),
    ("module m(input a, output y);\n  assign y = 1'bx;\nendmodule", 2, "no x or z"),
    ("module m(input a, output y);\n  assign y = b[1];\nendmodule", 2, "expected a bit of a declared vector"),
    ("module m(input [1:0] a, output y);\n  assign y = a;\nendmodule", 2, "2 bits for the 1 of 'y'"),
    (
        "module m(input c, output reg y);\n  always @(negedge c) y <= c;\nendmodule",
        2,
        "expected 'posedge' of the clock",
    ),
    (
        "module m(input c, output reg y);\n  always @(posedge c) if (c) y <= 1;\n",
        2,
        "'if'; expected the name of a wire",
    ),
    (
        "module m(input c, d, output reg y, z);\nalways @(posedge c) y <= d;\nalways @(posedge d) z <= y;\n",
        3,
        "second clock",
    ),
    ("module m(input c, output y);\n  assign y = c; assign y = c;\nendmodule", 2, "wire 'y' is driven twice"),
    ("module m(input a, output y);\n  assign y = a;\nendmodule\nmodule", 4, "after one module"),
    ("module m(a, y);\n  input a;\n  assign y = a;\nendmodule", 0, "port 'y' is declared neither input nor output"),
    ("module m(input a, output y);\n  assign y = " + "(" * 200 + "a", 2, "no more than 40 brackets"),
    ("module m(input a, output y); /* no end", 1, "'/* no end' is no word of Verilog"),
]
AAG = [
    ("", 1, "expected 'aag M I L O A'"),
    ("aag 1 1 0", 1, "expected 'aag M I L O A'"),
    ("aag 1 1 0 0 1\n2\n", 1, "1 variables for 1 inputs, 0 latches, 1 ands"),
    ("aag 1 1 0 1 0\n2\n", 3, "expected an output's literal"),
    ("aag 1 1 0 1 0\n2", 3, "the file ends; expected an output's literal"),
    ("aag 1 1 0 1 0\n3\n2\n", 2, "3 is defined; expected an even literal"),
    ("aag 1 1 0 1 0\n2\n9\n", 3, "literal 9, but the header has 1 variables"),
    ("aag 2 1 0 1 1\n2\n4\n4 2\n", 4, "expected an and: its literal and the two it takes"),
    ("aag 2 1 0 1 1\n2\n4\n4 2 4\n", 4, "a loop without a register"),
    ("aag 3 1 0 1 1\n2\n4\n4 2 6\n", 4, "wire 'literal 6' is taken by 'literal 4', but nothing drives it"),
    ("aag 2 1 0 1 1\n2\n4\n2 2 2\n", 4, "driven twice"),
    ("aag 1 0 1 0 0\n2 2 5\n", 2, "latch 2 is reset to 5"),
    ("aag 1 1 0 1 0\n2\n2\ni7 a\n", 4, "a symbol for i7, but there are 1 of i"),
    ("aag 1 1 0 1 0\n2\n2\nnonsense\n", 4, "expected a symbol"),
    ("aag 1 1 0 0 0 0 1\n2\n", 1, "constraints"),
]
AIG = [
    (b"aig 2 1 0 1 0\n2\n", 1, "expected their sum"),
    (b"aig 2 1 0 1 1\n4\n", 0, "byte 16: the file ends among the ands"),
    (b"aig 2 1 0 1 1\n4\n\x00\x02", 0, "byte 16: the and 4 takes 4 and 2"),
    (b"aig 2 1 0 1 1\n4\n" + b"\xff" * 9, 0, "byte 16: a difference of more than 6 bytes"),
    (b"aig 1 1 0 1 0\nx\n", 2, "expected an output's literal"),
]


def refused(read: object, given: object, line: int, told: str) -> None:
    assert callable(read)
    with pytest.raises(CircuitFileError) as error:
        read(given)
    assert error.value.line == line and told in str(error.value), str(error.value)
    assert not line or str(error.value).startswith(f"line {line}: ")


@pytest.mark.parametrize(("text", "line", "told"), BLIF)
def test_blif(text: str, line: int, told: str) -> None:
    refused(from_blif, text, line, told)


@pytest.mark.parametrize(("text", "line", "told"), VERILOG)
def test_verilog(text: str, line: int, told: str) -> None:
    refused(from_verilog, text, line, told)


@pytest.mark.parametrize(("text", "line", "told"), AAG)
def test_ascii_aiger(text: str, line: int, told: str) -> None:
    refused(from_aag, text, line, told)


@pytest.mark.parametrize(("data", "line", "told"), AIG)
def test_binary_aiger(data: bytes, line: int, told: str) -> None:
    refused(from_aig, data, line, told)
