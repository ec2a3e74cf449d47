"""The text form: exact round trips of arbitrary programs, a stable layout, types that are checked."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontogeny.isa.errors import ProgramError, TextError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Attribute, Instr, Program, Routine
from ontogeny.isa.sizes import PerSize, Size
from ontogeny.isa.text import format_text, from_text, to_text
from ontogeny.isa.text.cursor import Cursor
from ontogeny.isa.text.lines import print_line
from ontogeny.isa.text.parser import parse_line
from ontogeny.isa.text.words import attribute, read_name, read_value, value_name
from tests.properties.programs import any_attribute, exact, names, programs

COMMENTS = st.text(max_size=12).map(lambda text: "#" + "".join(c for c in text if c.isprintable()).rstrip())


@settings(max_examples=150, deadline=None)
@given(programs)
def test_text_gives_the_same_program_back(program: Program) -> None:
    text = to_text(program)
    again = from_text(text, check=False)
    assert exact(again) == exact(program)
    assert to_text(again) == text


@settings(max_examples=100, deadline=None)
@given(programs)
def test_text_is_in_its_canonical_layout_and_encodes(program: Program) -> None:
    text = to_text(program)
    assert format_text(text) == text
    assert text.encode("utf-8").decode("utf-8") == text


@settings(max_examples=200, deadline=None)
@given(any_attribute())
def test_one_attribute(value: Attribute) -> None:
    if not isinstance(value, tuple | Size | PerSize):
        assert exact(read_value(attribute(value))) == exact(value)


@settings(max_examples=200, deadline=None)
@given(names)
def test_a_name_is_one_token(name: str) -> None:
    tokens = Cursor(value_name(name), 1).tokens
    assert len(tokens) == 2
    assert (read_name(tokens[0][1:]) if tokens[0][1] == '"' else tokens[0][1:]) == name


@settings(max_examples=100, deadline=None)
@given(programs, st.data())
def test_comments_and_loose_spacing_survive_formatting(program: Program, data: st.DataObject) -> None:
    loose, comments = [], []
    for line in to_text(program).split("\n")[:-1]:
        comment = data.draw(COMMENTS)
        comments.append(comment)
        loose += [comment, f"\t {line.strip(' ')}  \r", ""]
    text = format_text("\n".join(loose))
    assert format_text(text) == text
    assert exact(from_text(text, check=False)) == exact(program)
    assert [line.strip(" ") for line in text.split("\n") if line.strip(" ").startswith("#")] == comments


@settings(max_examples=100, deadline=None)
@given(programs)
def test_a_line_prints_as_it_was_read(program: Program) -> None:
    sizes: dict[str, int] = {}
    for number, text in enumerate(to_text(program).split("\n"), 1):
        line = parse_line(Cursor(text, number, sizes))
        assert (print_line(line) if line else "") == text


def test_a_trailing_comment_stays_on_its_line() -> None:
    text = "program p # why\nparam w:f32[ 2 ]   # weights\n"
    assert format_text(text) == "program p  # why\nparam w: f32[2]  # weights\n"


TYPED = """program p
input x: f32[2]

routine predict() -> y:
  %x: f32[2] = read {name=x}
  %0: f32[2] = add %x %x
  return y=%0
"""


def test_types_are_printed_and_read() -> None:
    program = from_text(TYPED)
    assert to_text(program, types=True) == TYPED
    assert from_text(to_text(program)) == program
    assert format_text(TYPED) == TYPED


def test_a_given_type_must_be_the_one_that_follows() -> None:
    with pytest.raises(TextError, match=r"line 6, column 3: %0 is f32\[2\], not f32\[3\]"):
        from_text(TYPED.replace("%0: f32[2]", "%0: f32[3]"))


def test_what_has_no_text_form_is_refused_when_printing() -> None:
    def program(value: object) -> Program:
        instr = Instr(("c",), Op.CONST, (), (("value", value),))  # type: ignore[arg-type]
        return Program("p", (), (Routine("r", (), (instr,), ()),))

    for value in (10**63, None, [1], (1,) * (3 << 20)):
        with pytest.raises(ProgramError, match="text"):
            to_text(program(value))
