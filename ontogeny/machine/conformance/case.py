"""Cases, and how their operands are sampled: by a generator seeded with the case's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import numpy as np

from ontogeny.isa.op import ATTRIBUTES, Op
from ontogeny.isa.program import Attribute, Decl, Instr, Program, Routine
from ontogeny.isa.rules import result_types
from ontogeny.isa.types import DType
from ontogeny.machine.formats import NUMPY, converted, type_of
from ontogeny.machine.learner import Array

Shape = tuple[int, ...]
MAIN = "main"


@dataclass(frozen=True, slots=True)
class Case:
    """A program whose routine `main` is called `calls` times with the same inputs and dials, from the state given.

    `op` is the operation that the case is about; its tolerance holds for every result.
    """

    name: str
    op: Op
    program: Program
    inputs: Mapping[str, Array]
    state: Mapping[str, Array] = field(default_factory=dict)
    dials: Mapping[str, float] = field(default_factory=dict)
    calls: int = 1


def single(op: Op, operands: Sequence[Array], name: str, /, **attrs: Attribute) -> Case:
    """A case of one instruction on inputs."""
    return _case(op, operands, name, -1, attrs)


def with_constant(op: Op, operands: Sequence[Array], name: str, constant: int) -> Case:
    """A case of one instruction on inputs, but for the scalar numbered `constant`, which stands in the program."""
    return _case(op, operands, name, constant, {})


def _case(op: Op, operands: Sequence[Array], name: str, constant: int, attrs: dict[str, Attribute]) -> Case:
    ordered = tuple((key, attrs[key]) for key in ATTRIBUTES.get(op, {}))
    args = tuple(f"x{place}" for place in range(len(operands)))
    types = tuple(map(type_of, operands))
    out = tuple(f"y{place}" for place in range(len(result_types(Instr((), op, args, ordered), types))))
    given = {arg: array for place, (arg, array) in enumerate(zip(args, operands, strict=True)) if place != constant}
    decls = tuple(Decl("input", arg, type_of(array)) for arg, array in given.items())
    body = [Instr((arg,), Op.READ, (), (("name", arg),)) for arg in given]
    if constant >= 0:
        body.append(_constant(args[constant], operands[constant]))
    body.append(Instr(out, op, args, ordered))
    program = Program("case", decls, (Routine(MAIN, (), tuple(body), tuple((value, value) for value in out)),))
    return Case(f"{op.text} {name}", op, program, given)


def _constant(name: str, value: Array) -> Instr:
    attrs: tuple[tuple[str, Attribute], ...] = (
        ("value", value.item() if type_of(value).dtype.is_int or value.dtype == np.bool_ else float(value)),
        ("dtype", type_of(value).dtype),
        ("shape", ()),
    )
    return Instr((name,), Op.CONST, (), attrs)


def generator(name: str) -> np.random.Generator:
    """The generator of a case."""
    return np.random.default_rng(crc32(name.encode()))


def sample(dtype: DType, shape: Shape, name: str) -> Array:
    """Ordinary values: floats around 0, integers over their whole range, bools."""
    draw = generator(f"{dtype} {shape} {name}")
    if dtype is DType.BOOL:
        return np.asarray(draw.integers(0, 2, shape), dtype=np.bool_)
    if dtype.is_float:
        return converted(np.asarray(draw.standard_normal(shape)) * 2, dtype)
    info = np.iinfo(NUMPY[dtype])
    return np.asarray(draw.integers(info.min, info.max, shape, dtype=NUMPY[dtype], endpoint=True), dtype=NUMPY[dtype])


def positive(dtype: DType, shape: Shape, name: str) -> Array:
    """Floats from 0.5 to 2.5."""
    return converted(np.asarray(generator(name).random(shape)) * 2 + 0.5, dtype)


def small(dtype: DType, shape: Shape, name: str, low: int = 0, high: int = 5) -> Array:
    """Whole numbers from low up to, not including, high."""
    return converted(np.asarray(generator(f"{shape} {name}").integers(low, high, shape)), dtype)


def edges(dtype: DType) -> Array:
    """The values at which things go wrong: zeros, ones, the largest and smallest, and what is not finite."""
    if dtype is DType.BOOL:
        return np.array([False, True])
    if dtype.is_float:
        return converted(np.array([0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 60000.0, np.inf, -np.inf, np.nan]), dtype)
    info = np.iinfo(NUMPY[dtype])
    values = [0, 1, 2, 3, 7, info.max, info.max - 1]
    return np.array(values + ([-1, -2, info.min, info.min + 1] if info.min else []), dtype=NUMPY[dtype])


def label(dtype: DType, *shapes: Shape) -> str:
    """Format and shapes, for the name of a case."""
    return " ".join([str(dtype), *(f"[{','.join(map(str, shape))}]" for shape in shapes)])


def ordered(dtypes: Any) -> list[DType]:
    """Formats in the order of their enumeration, so that cases come in a fixed order."""
    return [dtype for dtype in DType if dtype in dtypes]
