"""What a debugger may be asked in words: a place in a value, a condition over values. Nothing is evaluated as Python.

place       NAME   NAME[3]   NAME[0, 2]        one element; slices such as NAME[0:3, 2] where a part is printed
condition   PLACE RELATION NUMBER              any element of a newly made value, or a register newly committed
            nonfinite                          a newly made value holds NaN or infinity that no operand held
            changed PLACE                      a commit changed the register, or the value was made
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.isa.errors import MachineError
from ontogeny.machine.learner import Array

RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "<=": operator.le, ">=": operator.ge, "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt,
}  # fmt: skip
_PLACE = r"%?([A-Za-z0-9_.]{1,200})\s*(?:\[([-0-9:,\s]{0,200})\])?"
PLACE = re.compile(_PLACE)
COMPARE = re.compile(rf"({_PLACE})\s*(<=|>=|==|!=|<|>)\s*([-+]?[0-9][-+0-9.eE]{{0,30}}|[-+]?inf)")
PART = re.compile(r"(-?\d{1,18})|(-?\d{1,18})?:(-?\d{1,18})?")
Index = tuple[int | slice, ...]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Place:
    """A value, register, input or dial by name, or the part of it that an index names."""

    name: str
    index: Index = ()

    def of(self, value: Array) -> Array:
        """The part of `value`. Raises MachineError where the index does not fit its shape."""
        try:
            return np.asarray(value[self.index])
        except IndexError as error:
            raise MachineError(f"{self} does not fit the shape {list(value.shape)} of {self.name}") from error

    def __str__(self) -> str:
        return f"{self.name}[{','.join(map(_part, self.index))}]" if self.index else self.name


@dataclass(frozen=True, slots=True)
class Compare:
    """Whether any element at a place stands in a relation to a number."""

    place: Place
    relation: str
    bound: float

    def each(self, values: Array) -> Mask:
        """Of many values of one scalar, which ones it holds for."""
        return np.asarray(RELATIONS[self.relation](values, self.bound), np.bool_)

    def holds(self, value: Array) -> bool:
        """Whether it does in `value`."""
        return bool(np.any(RELATIONS[self.relation](self.place.of(value), self.bound)))

    def __str__(self) -> str:
        return f"{self.place} {self.relation} {self.bound:g}"


def parse_place(text: str) -> Place:
    """The place that a text names. Raises MachineError for any other form."""
    match = PLACE.fullmatch(text.strip())
    if match is None:
        raise MachineError(f"{text!r} names no value; write NAME, NAME[3] or NAME[0:3, 2]")
    return _place(match[1], match[2])


def parse_compare(text: str) -> Compare | None:
    """The comparison that a text says, None where it says none."""
    match = COMPARE.fullmatch(text.strip())
    if match is None:
        return None
    try:
        return Compare(_place(match[2], match[3]), match[4], float(match[5]))
    except ValueError as error:
        raise MachineError(f"{match[5]!r} is not a number") from error


def nonfinite(value: Array) -> bool:
    """Whether a value of floats holds NaN or infinity."""
    if value.dtype.kind in "biu":
        return False
    return not bool(np.isfinite(value.astype(np.float32) if value.dtype.name == "bfloat16" else value).all())


def _place(name: str, index: str | None) -> Place:
    if index is None:
        return Place(name)
    return Place(name, tuple(_read_part(part.strip()) for part in index.split(",")))


def _read_part(text: str) -> int | slice:
    match = PART.fullmatch(text)
    if match is None:
        raise MachineError(f"{text!r} is no index; write a number such as 3, or a range such as 0:3")
    if match[1] is not None:
        return int(match[1])
    return slice(*(None if one is None else int(one) for one in (match[2], match[3])))


def _part(part: int | slice) -> str:
    if isinstance(part, int):
        return str(part)
    return ":".join("" if one is None else str(one) for one in (part.start, part.stop))
