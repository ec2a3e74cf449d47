"""Strategies for arbitrary program objects: every record, name and attribute that the text form must carry.

They are well formed, not verified: names are any text, operands need not be defined.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from ontogeny.isa.op import ATTRIBUTES, Op
from ontogeny.isa.program import Attribute, Decl, Instr, Note, Program, Routine
from ontogeny.isa.sizes import PerSize, Size
from ontogeny.isa.types import DType, Type

ODD_NAMES = (
    *(
        "",
        "0",
        "0.weight",
        "blocks.0.attn.weight",
        "true",
        "nan",
        "-nan",
        "inf",
        "f32",
        "1e-05",
        "1.",
        "a-b",
        "a b",
        "a\nb",
    ),
    *('a"b', "%x", "a\\", "nan_7ff8000000000001", "program", "return", "param", "mul", "#", ";", "x;y", "{", "\u00e9"),
    *("\u2028", "\ud800", "\U0001f600", "\x00", "\r", "a|b", " a ", "->", ".", ".a", "_"),
)
ODD_NUMBERS = (
    1e-05,
    0.1,
    1 / 3,
    -0.0,
    0.0,
    1e16,
    1e22,
    5e-324,
    1.7976931348623157e308,
    float("inf"),
    float("-inf"),
    float("nan"),
)

names = st.one_of(
    st.sampled_from(ODD_NAMES), st.from_regex(r"[a-z_][a-z0-9_.]{0,8}", fullmatch=True), st.text(max_size=8)
)
SIZES = (Size(64, "batch"), Size(7, "true"), Size(1, "a-b"), Size(2, "8"))
times = st.integers(-9, 9).filter(bool)
sizes = st.builds(
    lambda size, times, plus: Size(size.n, size.name, times, plus), st.sampled_from(SIZES), times, st.integers(-9, 9)
)
fractions = st.one_of(
    st.builds(PerSize, st.floats(-9, 9), sizes.filter(bool)),
    st.builds(PerSize, st.floats(-9, 9), sizes, st.just(False)),
)
ints = st.one_of(st.integers(-9, 9), st.integers(-(2**63), 2**64 - 1))
floats = st.one_of(st.sampled_from(ODD_NUMBERS), st.floats())
following_ints = st.one_of(ints, sizes)
numbers = st.one_of(ints, floats, st.booleans(), sizes, fractions)
kinds: dict[str, st.SearchStrategy[Any]] = {
    "str": names,
    "int": following_ints,
    "ints": st.lists(following_ints, max_size=4).map(tuple),
    "number": numbers,
    "numbers": st.one_of(numbers, st.lists(numbers, max_size=4).map(tuple)),
    "bool": st.booleans(),
    "dtype": st.sampled_from(DType),
}
plain_types = st.builds(Type, st.sampled_from(DType), st.lists(st.integers(0, 64), max_size=4).map(tuple))
dimensions = st.one_of(st.integers(0, 64), sizes.filter(lambda size: size >= 0))
types = st.builds(Type, st.sampled_from(DType), st.lists(dimensions, max_size=4).map(tuple))
notes = st.builds(Note, st.one_of(st.sampled_from(("", "forward", "backward", "update")), names), names)
declared = st.one_of(
    st.builds(Decl, st.sampled_from(("param", "state")), names, plain_types),
    st.builds(Decl, st.just("input"), names, types),
    st.builds(Decl, st.just("dial"), names, plain_types, default=st.one_of(st.none(), floats)),
    st.builds(
        Decl,
        st.sampled_from(("param", "state")),
        names,
        plain_types,
        arena=names.filter(bool),
        offset=st.integers(0, 2**40),
    ),
)


@st.composite
def instructions(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Instr:
    """One instruction of any operation, with some of its attributes in any order."""
    op = draw(st.sampled_from(Op))
    keys = draw(st.lists(st.sampled_from(sorted(ATTRIBUTES[op])), unique=True)) if op in ATTRIBUTES else []
    attrs = tuple((key, draw(kinds[ATTRIBUTES[op][key]])) for key in keys)
    out, args = draw(st.lists(names, max_size=3)), draw(st.lists(names, max_size=3))
    return Instr(tuple(out), op, tuple(args), attrs, draw(notes))


routines = st.builds(
    Routine,
    names,
    st.lists(st.tuples(names, types), max_size=3).map(tuple),
    st.lists(instructions(), max_size=5).map(tuple),
    st.lists(st.tuples(names, names), max_size=3).map(tuple),
)
programs = st.builds(
    Program,
    names,
    st.lists(declared, max_size=5).map(tuple),
    st.lists(routines, max_size=3).map(tuple),
    st.permutations(SIZES).map(tuple),
)


def exact(value: Any) -> Any:
    """The value in a form whose `==` means the same kind and the same bits: notes, NaN and the sign of zero count."""
    if isinstance(value, PerSize):
        return PerSize, exact(value.factor), exact(value.size), value.divides
    if isinstance(value, Size):
        return Size, value.n, value.name, value.times, value.plus
    if isinstance(value, Type):
        return value.dtype, exact(value.shape)
    if isinstance(value, float):
        return "float", struct.pack(">d", value)
    if isinstance(value, tuple):
        return tuple(map(exact, value))
    if isinstance(value, (Program, Routine, Instr, Decl, Note)):
        return type(value), tuple(exact(getattr(value, field)) for field in type(value).__slots__)
    return type(value), value


def any_attribute() -> st.SearchStrategy[Attribute]:
    """An attribute of any kind."""
    return st.one_of(*kinds.values())
