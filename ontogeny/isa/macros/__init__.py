"""What every macro is in base operations: one table keyed by operation, and expansion by it.

Whatever a macro computes from f16 or bf16 operands it computes in f32, and rounds its results once at the end, as
torch's kernels do on a CPU.

maker.py        the builder in which definitions are written
elementwise.py  activations and weighted sums, and their gradients
norms.py        mean, variance, softmax, layer and batch norm
windows.py      convolution and pooling
losses.py       negative log-likelihood, embeddings, random numbers
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from ontogeny.isa.macros import elementwise, losses, norms, windows
from ontogeny.isa.macros.maker import Definition, Maker
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr, Program, Routine
from ontogeny.isa.rules import result_types, value_types
from ontogeny.isa.types import DType, Type

__all__ = ["DEFINITIONS", "MACROS", "expand", "expand_routine"]

DEFINITIONS: dict[Op, Definition] = {
    **elementwise.DEFINITIONS,
    **norms.DEFINITIONS,
    **windows.DEFINITIONS,
    **losses.DEFINITIONS,
}
MACROS = frozenset(DEFINITIONS)
HALVES = (DType.F16, DType.BF16)


def expand(instr: Instr, operands: tuple[Type, ...], prefix: str = "") -> tuple[Instr, ...]:
    """A macro as base instructions whose last values have the macro's result names.

    Inner values are called by `prefix` (left empty: the first result's name and a dot) and a number.
    Raises ProgramError where the macro does not take these operands, KeyError where the operation is no macro.
    """
    wanted = result_types(instr, operands)
    maker = Maker(tuple(zip(instr.args, operands, strict=True)), prefix or f"{instr.out[0]}.")
    maker.note = instr.note
    wide = {name: maker.cast(name, DType.F32) if maker.dtype(name) in HALVES else name for name in instr.args}
    results = DEFINITIONS[instr.op](maker, instr, tuple(wide[name] for name in instr.args))
    found = (results,) if isinstance(results, str) else results
    last = [maker.cast(name, type_.dtype) for name, type_ in zip(found, wanted, strict=True)]
    return _renamed(maker, last, instr)


def _renamed(maker: Maker, results: list[str], instr: Instr) -> tuple[Instr, ...]:
    """The body with its results under the names of the macro's; an operand, or a value given twice, is copied first."""
    names: dict[str, str] = {}
    for value, name in zip(results, instr.out, strict=True):
        taken = value in names or value in instr.args
        names[maker.one(Op.RESHAPE, value, shape=maker.shape(value)) if taken else value] = name
    return tuple(
        replace(
            each,
            out=tuple(names.get(value, value) for value in each.out),
            args=tuple(names.get(value, value) for value in each.args),
        )
        for each in maker.body
    )


def expand_routine(program: Program, routine: Routine, ops: Container[Op] = MACROS) -> Routine:
    """The routine with every macro of `ops` replaced by its definition; values keep their names."""
    types = value_types(program, routine)
    body: list[Instr] = []
    for instr in routine.body:
        if instr.op in MACROS and instr.op in ops:
            operands = tuple(types[name] for name in instr.args)
            body.extend(expand(instr, operands, _unused(f"{instr.out[0]}.", types)))
        else:
            body.append(instr)
    return replace(routine, body=tuple(body))


def _unused(prefix: str, types: dict[str, Type]) -> str:
    """The prefix, lengthened until no value of the routine is called by it and a number."""
    while f"{prefix}0" in types:
        prefix += "_"
    return prefix
