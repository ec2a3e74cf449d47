"""How programs and errors read, to the character. `python -m tests.golden.test_text` writes the programs anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from ontogeny.isa.errors import TextError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Decl, Instr, Note, Program, Routine
from ontogeny.isa.text import format_text, from_text, to_text
from ontogeny.isa.types import DType, Type

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.onto"))


def golden(example: Path) -> Path:
    return Path(__file__).parent / f"{example.stem}.typed.onto"


def typed(example: Path) -> str:
    return to_text(from_text(example.read_text(encoding="utf-8")), types=True)


def test_there_are_examples() -> None:
    assert {path.stem for path in EXAMPLES} >= {"perceptron", "gru", "full_adder", "counter"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_with_its_types(example: Path) -> None:
    assert typed(example) == golden(example).read_text(encoding="utf-8")
    assert from_text(typed(example)) == from_text(example.read_text(encoding="utf-8"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_in_its_canonical_layout(example: Path) -> None:
    text = example.read_text(encoding="utf-8")
    assert format_text(text) == text


EVERYTHING = Program(
    "all of it",
    (
        Decl("param", "theta", Type(DType.F32, (10,))),
        Decl("param", "blocks.0.weight", Type(DType.F32, (2, 3)), arena="theta", offset=4),
        Decl("dial", "lr", Type(DType.F64), default=1e-05),
        Decl("dial", "0", Type(DType.F64)),
        Decl("input", "été", Type(DType.U64, ())),
        Decl("state", "f32", Type(DType.BOOL, (0,))),
    ),
    (
        Routine("empty", (), (), ()),
        Routine(
            "body",
            (("i", Type(DType.I64)), ("a b", Type(DType.F32, (3,)))),
            (
                Instr(("0",), Op.CONST, (), (("value", (1, -0.0, True, 1e16)), ("dtype", DType.F32), ("shape", ()))),
                Instr(("y", "m", "r"), Op.LAYER_NORM, ("0", "a b"), (("rank", 1), ("eps", 1e-05)), Note("forward")),
                Instr((), Op.ASSERT, ("y",), (("message", 'is it "NaN"?\n'),), Note("", "model.py:12 y = w | x # ;")),
                Instr(("z",), Op.ADD, ("y", "y"), (), Note("a|b", " padded")),
                Instr(("p",), Op.PROBE, ("z",), (("name", "1e5"),), Note("update", "s")),
            ),
            (("loss", "z"), ("bool", "a b")),
        ),
    ),
)
EVERYTHING_TEXT = r"""program "all of it"
param theta: f32[10]
param blocks.0.weight: f32[2,3] = theta[4]
dial lr: f64[] = 1e-05
dial "0": f64[]
input "été": u64[]
state "f32": bool[0]

routine empty():
  return

routine body(%i: i64[], %"a b": f32[3]) -> loss, "bool":
  %0 = const {value=[1,-0.0,true,1e+16], dtype=f32, shape=[]}
  %y, %m, %r = layer_norm %0 %"a b" {rank=1, eps=1e-05}           ; forward
  assert %y {message="is it \"NaN\"?\n"}                          ; | model.py:12 y = w | x # ;
  %z = add %y %y                                                  ; "a|b" | " padded"
  %p = probe %z {name="1e5"}                                      ; update | s
  return loss=%z, "bool"=%"a b"
"""


def test_every_form() -> None:
    assert to_text(EVERYTHING) == EVERYTHING_TEXT
    assert from_text(EVERYTHING_TEXT, check=False) == EVERYTHING


P = "program p\nparam w: f32[2]\nroutine r() -> y:\n  %w = read {name=w}\n"
ERRORS = {
    "": "line 1, column 1: expected a program; its first line is 'program NAME'",
    "param w: f32[2]": "line 1, column 1: the first line is 'program NAME', found \"param\"",
    "programm p": "line 1, column 1: a line cannot begin with \"programm\"; did you mean 'program'?",
    "program p\nparm w: f32[2]": "line 2, column 1: a line cannot begin with \"parm\"; did you mean 'param'?",
    "program p\nparam w f32[2]": "line 2, column 9: expected ':', found \"f32\"",
    "program p\nparam w: f31[2]": "line 2, column 10: unknown number format \"f31\"; did you mean 'f32'?",
    "program p\nparam w: f32[2": "line 2, column 15: expected ',', found the end of the line",
    "program p\nparam w: f32[-2]": (
        "line 2, column 14: expected a size, a whole number from 0 to 1099511627776, found \"-2\""
    ),
    "program p\ninput x: f32[] = 1": "line 2, column 16: an input has no default; a dial has",
    "program p\ndial lr: f64[] = fast": (
        "line 2, column 18: expected the dial's default, a number: expected a number, found \"fast\""
    ),
    "program p\nprogram q": "line 2, column 1: the text is already program \"p\"; one text holds one program",
    "program p\n  %0 = add %a %b": (
        "line 2, column 3: outside a routine; 'routine NAME():' begins one and its 'return' ends it"
    ),
    P: "line 5, column 1: the end of the text before routine \"r\" has ended; it ends with 'return name=%value, ...'",
    P + "  %y = mull %w %w": "line 5, column 8: unknown operation \"mull\"; did you mean 'mul'?",
    P + "  %y = softmax %w {dimm=0}": "line 5, column 20: softmax has no attribute \"dimm\"; did you mean 'dim'?",
    P + "  %y = add %w %w {dim=0}": "line 5, column 19: add has no attribute \"dim\"; there are none",
    P + "  %y = softmax %w {dim=0.5}": "line 5, column 24: expected dim to be a whole number, found \"0.5\"",
    P + "  %y = sum %w {dims=0}": "line 5, column 21: expected dims to be whole numbers in [ ], found \"0\"",
    P + "  %y = sum %w {dims=[0], dims=[0]}": "line 5, column 26: sum is given dims twice",
    P + "  %y = mul w %w": (
        "line 5, column 12: expected an operand, attributes in { }, or the end of the line, such as %x, found \"w\""
    ),
    P + "  %y = const {value=1e999}": (
        "line 5, column 21: expected value to be a number, or numbers in [ ]: "
        "1e999 is past the largest number of 64 bits; write inf for infinity, found \"1e999\""
    ),
    P + '  %y = probe %w {name="a': "line 5, column 23: quoted text must end on its line with \", found \"\\\"a\"",
    P + "  return z=%w": "line 5, column 3: line 3 announces the results \"y\"; here are \"z\"",
    P + "  return y=%w  ; why": (
        "line 5, column 16: only an instruction has a note after ';'; a comment begins with #"
    ),
    P + "  return y=%v": "line 5, column 3: routine 'r' returns %v, which it never defines",
    P + "\n  # a comment\n  %y = add %w %v\n  return y=%y": (
        "line 7, column 3: routine 'r', instruction 2 (%y = add %w %v): %v is read before it is defined"
    ),
    P + "  %y: f32[3] = add %w %w\n  return y=%y": "line 5, column 3: %y is f32[2], not f32[3]",
    P + "  return y=%w\nroutine r():\n  return": (
        "line 6, column 1: routine 'r' stands twice; give each its own name"
    ),
    "program p\nparam w: f32[2]\nparam w: f32[2]": (
        "line 3, column 1: declaration 'w' stands twice; give each its own name"
    ),
    "program p\nparam t: f32[4]\nparam w: f32[2] = t[3]": (
        "line 3, column 1: 'w' takes elements 3 to 5 of 't', which has 4"
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", ERRORS)
def test_an_error_says_where_and_what_was_expected(text: str) -> None:
    with pytest.raises(TextError) as caught:
        from_text(text)
    assert str(caught.value) == ERRORS[text]


if __name__ == "__main__":
    for path in EXAMPLES:
        golden(path).write_text(typed(path), encoding="utf-8")
