"""Programs as bytes: everything comes back, and nothing but a whole program is taken."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ontogeny.isa.encode import MAGIC, VERSION, decode, encode
from ontogeny.isa.errors import ProgramError
from ontogeny.isa.op import Op
from ontogeny.isa.program import KINDS, Decl, Instr, Note, Program, Routine
from ontogeny.isa.sizes import PerSize, Size
from ontogeny.isa.text import from_text
from ontogeny.isa.types import DType, Type
from tests.properties.programs import exact

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.onto"))
NAMES = st.text(max_size=8)
TYPES = st.builds(
    Type,
    st.sampled_from(DType),
    st.lists(st.integers(0, 9) | st.builds(Size, st.integers(0, 9), st.text(max_size=8)), max_size=4).map(tuple),
)
SIZES = st.builds(Size, st.integers(0, 9), NAMES, st.integers(-9, 9).filter(bool), st.integers(0, 9))
FRACTIONS = st.builds(PerSize, st.floats(-9, 9), SIZES.filter(bool), st.booleans())
NUMBERS = st.booleans() | st.integers(-(2**63), 2**64) | st.floats(allow_nan=False) | SIZES | FRACTIONS
ATTRIBUTES = NUMBERS | NAMES | st.sampled_from(DType) | st.lists(NUMBERS, max_size=4).map(tuple)
PAIRS = st.lists(st.tuples(NAMES, ATTRIBUTES), max_size=3).map(tuple)
WORDS = st.lists(NAMES, max_size=3).map(tuple)
INSTRS = st.builds(Instr, WORDS, st.sampled_from(Op), WORDS, PAIRS, st.builds(Note, NAMES, NAMES))
OPERANDS = st.lists(st.tuples(NAMES, TYPES), max_size=3).map(tuple)
RETURNS = st.lists(st.tuples(NAMES, NAMES), max_size=3).map(tuple)
ROUTINES = st.builds(Routine, NAMES, OPERANDS, st.lists(INSTRS, max_size=4).map(tuple), RETURNS)
DEFAULTS = st.none() | st.floats(allow_nan=False)
DECLS = st.builds(Decl, st.sampled_from(KINDS), NAMES, TYPES, DEFAULTS, NAMES, st.integers(0, 99))
DECLARED = st.lists(DECLS, max_size=4).map(tuple)
PROGRAMS = st.builds(Program, NAMES, DECLARED, st.lists(ROUTINES, max_size=3).map(tuple), st.lists(SIZES).map(tuple))


def exactly(program: Program) -> object:
    """The records in full: notes too, 1, 1.0 and True apart, and how a number follows a size."""
    return exact(program)


@given(PROGRAMS)
def test_everything_comes_back(program: Program) -> None:
    assert exactly(decode(encode(program))) == exactly(program)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_come_back(path: Path) -> None:
    program = from_text(path.read_text(encoding="utf-8"))
    assert decode(encode(program)) == program
    assert encode(decode(encode(program))) == encode(program)


@given(st.binary(max_size=200))
def test_rubbish_is_refused(data: bytes) -> None:
    for hostile in (data, MAGIC + data, packed(data)):
        with pytest.raises(ProgramError):
            decode(hostile)


@given(PROGRAMS, st.data())
def test_a_changed_byte_or_a_cut_gives_a_program_or_an_error_for_a_person(
    program: Program, data: st.DataObject
) -> None:
    whole = bytearray(encode(program))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    for hostile in (bytes(whole), bytes(whole)[: data.draw(st.integers(0, len(whole) - 1))]):
        with suppress(ProgramError):
            decode(hostile)


def packed(text: bytes, size: int | None = None) -> bytes:
    """Any bytes in the place of the JSON."""
    header = MAGIC + VERSION.to_bytes(2, "little") + (len(text) if size is None else size).to_bytes(8, "little")
    return header + zstandard.ZstdCompressor().compress(text)


def test_a_bomb_is_not_inflated() -> None:
    with pytest.raises(ProgramError, match="at most"):
        decode(packed(b"x", size=1 << 40))
    with pytest.raises(ProgramError, match="damaged"):
        decode(packed(b"\0" * (1 << 26), size=100))


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100_000,
        b'{"name":"p"}',
        b'{"name":1,"decls":[],"routines":[],"notes":[]}',
        b'{"name":"p","decls":[["param","w",["f32",[-1]],null,"",0]],"routines":[],"notes":[]}',
        b'{"name":"p","decls":[],"routines":[["r",[],[[["a"],"nothing",[],[],0]],[]]],"notes":[["",""]]}',
        b'{"name":"p","decls":[],"routines":[["r",[],[["ab","add",[],[],0]],[]]],"notes":[["",""]]}',
        b'{"name":"p","decls":[],"routines":[],"notes":[],"sizes":[{"size":[64,"batch",0,0]}]}',
        b'{"name":"p","decls":[],"routines":[],"notes":[],"sizes":[{"size":[64,"batch",1]}]}',
        b'{"name":"p","decls":[["input","x",["f32",[{"per":[1.0,{"size":[0,"b",1,0]},true]}]],null,"",0]],"routines":[],"notes":[]}',
        b'{"name":' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_program_is_refused(text: bytes) -> None:
    with pytest.raises(ProgramError):
        decode(packed(text))


def test_another_version_says_so() -> None:
    data = bytearray(packed(b"{}"))
    data[len(MAGIC)] = 77
    with pytest.raises(ProgramError, match="form 77"):
        decode(bytes(data))
