"""Attributes of an instruction as the types that they have once `isa.rules` has checked them."""

from __future__ import annotations

from typing import cast

from ontogeny.isa.program import Attribute, Instr, Number
from ontogeny.isa.types import DType


def ints(instr: Instr, name: str) -> tuple[int, ...]:
    """An attribute that is a tuple of integers."""
    return cast(tuple[int, ...], instr.attr(name))


def integer(instr: Instr, name: str) -> int:
    """An attribute that is an integer."""
    return cast(int, instr.attr(name))


def number(instr: Instr, name: str) -> Number:
    """An attribute that is a number."""
    return cast(Number, instr.attr(name))


def numbers(instr: Instr, name: str) -> Number | tuple[Number, ...]:
    """An attribute that is one number or a tuple of them."""
    return cast("Number | tuple[Number, ...]", instr.attr(name))


def flag(instr: Instr, name: str) -> bool:
    """An attribute that is a bool."""
    return cast(bool, instr.attr(name))


def text(instr: Instr, name: str) -> str:
    """An attribute that is a string."""
    return cast(str, instr.attr(name))


def dtype(instr: Instr, name: str = "dtype") -> DType:
    """An attribute that is a number format."""
    return cast(DType, instr.attr(name))


def attributes(instr: Instr) -> dict[str, Attribute]:
    """All attributes by name."""
    return dict(instr.attrs)
