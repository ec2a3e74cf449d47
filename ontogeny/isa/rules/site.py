"""What a type rule is given, and the words in which it refuses.

A rule is a function from a `Site` (one instruction with the types of its operands and its attributes, already checked
against `ATTRIBUTES`) to the types of its results. A rule raises ProgramError by `site.error`, never anything else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from ontogeny.isa.errors import ProgramError
from ontogeny.isa.op import ATTRIBUTES
from ontogeny.isa.program import Attribute, Instr, Number, Program
from ontogeny.isa.sizes import PerSize, Size
from ontogeny.isa.types import FLOATS, SIGNED, UNSIGNED, DType, Type, broadcast

INTS = SIGNED | UNSIGNED
NUMBERS = FLOATS | INTS
BITS = INTS | {DType.BOOL}
ANY = frozenset(DType)
FAMILIES = {FLOATS: "floats", INTS: "integers", NUMBERS: "numbers", BITS: "integers or bools", ANY: "anything"}

SCALAR_F64 = Type(DType.F64)
SCALAR_I64 = Type(DType.I64)
SCALAR_BOOL = Type(DType.BOOL)

Types = tuple[Type, ...]
Shape = tuple[int, ...]
LOWEST, HIGHEST = -(1 << 63), (1 << 64) - 1


@dataclass(slots=True)
class Site:
    """One instruction about to be typed: its operand types, its attributes, and how to type a routine it names."""

    instr: Instr
    operands: Types
    attrs: dict[str, Attribute]
    program: Program | None
    signature: Callable[[str], tuple[Types, Types]]

    def error(self, message: str) -> ProgramError:
        """The error to raise: the operation, what is wrong, and the operands' types."""
        given = f"; operands are {', '.join(map(str, self.operands))}" if self.operands else ""
        return ProgramError(f"{self.instr.op.text}: {message}{given}")

    def expect(self, *counts: int) -> None:
        """Refuse any other number of operands."""
        if len(self.operands) not in counts:
            wanted = " or ".join(map(str, counts))
            raise self.error(f"takes {wanted} operand{'' if wanted == '1' else 's'}, {len(self.operands)} given")

    def allow(self, family: frozenset[DType], *operands: Type) -> DType:
        """The one number format of the operands given, which must be of the family."""
        dtype = operands[0].dtype
        for operand in operands:
            if operand.dtype is not dtype:
                raise self.error("operands must have one number format; cast one of them")
        if dtype not in family:
            raise self.error(f"takes {FAMILIES[family]}, not {dtype}; cast the operand")
        return dtype

    def common(self, *operands: Type) -> Shape:
        """The shape to which the operands given broadcast."""
        shape = operands[0].shape
        if all(operand.shape == shape for operand in operands):
            return shape
        try:
            return broadcast(*(operand.shape for operand in operands))
        except ValueError as problem:
            raise self.error(str(problem)) from None

    def same(self, what: str, found: Type, wanted: Type) -> None:
        """Refuse an operand whose type is not the one wanted."""
        if found != wanted:
            raise self.error(f"{what} must be {wanted}, not {found}")

    def ints(self, name: str) -> Shape:
        """An attribute that is a tuple of integers."""
        return cast(Shape, self.attrs[name])

    def integer(self, name: str) -> int:
        """An attribute that is an integer."""
        return cast(int, self.attrs[name])

    def number(self, name: str) -> Number:
        """An attribute that is a number."""
        return cast(Number, self.attrs[name])

    def flag(self, name: str) -> bool:
        """An attribute that is a bool."""
        return cast(bool, self.attrs[name])

    def text(self, name: str) -> str:
        """An attribute that is a string."""
        return cast(str, self.attrs[name])

    def dtype(self, name: str = "dtype") -> DType:
        """An attribute that is a number format."""
        return cast(DType, self.attrs[name])

    def one_of(self, name: str, *words: str) -> str:
        """An attribute that is one of a few words."""
        word = self.text(name)
        if word not in words:
            raise self.error(f"{name} must be {' or '.join(words)}, not {word!r}")
        return word

    def dim(self, operand: Type, name: str = "dim") -> int:
        """An attribute that numbers a dimension of the operand, from 0."""
        dim = self.integer(name)
        if not 0 <= dim < operand.rank:
            raise self.error(f"{name} must be from 0 to {operand.rank - 1}, not {dim}")
        return dim

    def dims(self, operand: Type, name: str = "dims") -> Shape:
        """An attribute that numbers dimensions of the operand, from 0, none twice."""
        dims = self.ints(name)
        if len(set(dims)) != len(dims) or not all(0 <= dim < operand.rank for dim in dims):
            raise self.error(f"{name} must be different numbers from 0 to {operand.rank - 1}, not {dims}")
        return dims

    def per_dim(self, name: str, count: int, least: int) -> Shape:
        """An attribute with one integer for each of `count` dimensions, none below `least`."""
        values = self.ints(name)
        if len(values) != count or any(value < least for value in values):
            raise self.error(f"{name} must be {count} integers of {least} or more, not {values}")
        return values

    def fits(self, name: str, value: Number, dtype: DType) -> None:
        """Refuse a number that the format cannot hold: a fraction as an integer, or one out of range."""
        if dtype in FLOATS:
            return
        low, high = int_range(dtype)
        if isinstance(value, float) or not low <= value <= high:
            raise self.error(f"{name} must be {dtype}, a whole number from {low} to {high}, not {value!r}")


Rule = Callable[[Site], Types]


def int_range(dtype: DType) -> tuple[int, int]:
    """The smallest and largest number of an integer format, or of bool."""
    if dtype is DType.BOOL:
        return 0, 1
    bits = dtype.bytes * 8
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if dtype in SIGNED else (0, (1 << bits) - 1)


def is_number(value: object) -> bool:
    """Whether the value is a Python number that some format holds, plain or following a size."""
    return type(value) in (bool, float, PerSize) or is_int(value)


def is_int(value: object) -> bool:
    """Whether the value is a Python integer of at most 64 bits, plain or following a size; a bool is not."""
    return type(value) in (int, Size) and LOWEST <= cast(int, value) <= HIGHEST


ATTRIBUTE_KINDS: dict[str, Callable[[object], bool]] = {
    "str": lambda value: type(value) is str,
    "bool": lambda value: type(value) is bool,
    "int": is_int,
    "ints": lambda value: type(value) is tuple and all(map(is_int, value)),
    "number": is_number,
    "numbers": lambda value: all(map(is_number, value)) if type(value) is tuple else is_number(value),
    "dtype": lambda value: isinstance(value, DType),
}


def checked_attrs(instr: Instr) -> dict[str, Attribute]:
    """The attributes by name. Raises ProgramError unless they are those of `ATTRIBUTES`, each once and of its kind."""
    attrs = dict(instr.attrs)
    wanted = ATTRIBUTES.get(instr.op, {})
    if attrs.keys() != wanted.keys() or len(attrs) != len(instr.attrs):
        given = ", ".join(str(name) for name, _ in instr.attrs) or "none"
        raise ProgramError(f"{instr.op.text}: attributes must be {', '.join(wanted) or 'none'}, each once, not {given}")
    for name, kind in wanted.items():
        if not ATTRIBUTE_KINDS[kind](attrs[name]):
            raise ProgramError(f"{instr.op.text}: attribute {name} must be of kind {kind}, not {attrs[name]!r:.80}")
    return attrs
