"""The same program in double precision, for questions that its own number format is too coarse to answer.

Values of floating-point formats all become f64; integers, bits and dials stay. What depends on the bits of a narrow
format, a bitcast or random numbers that are drawn in it, cannot be widened.
"""

from __future__ import annotations

from dataclasses import replace

from ontogeny.isa.program import Attribute, Decl, Instr, Program, Routine
from ontogeny.isa.types import DType, Type
from ontogeny.isa.verify import verify


def widened(program: Program) -> Program:
    """The program with every float as f64. Raises ProgramError where it does not type so."""
    wide = replace(program, decls=tuple(map(_decl, program.decls)), routines=tuple(map(_routine, program.routines)))
    verify(wide)
    return wide


def _decl(decl: Decl) -> Decl:
    return replace(decl, type=_type(decl.type))


def _routine(routine: Routine) -> Routine:
    params = tuple((name, _type(type_)) for name, type_ in routine.params)
    return replace(routine, params=params, body=tuple(map(_instr, routine.body)))


def _instr(instr: Instr) -> Instr:
    return replace(instr, attrs=tuple((name, _attribute(value)) for name, value in instr.attrs))


def _attribute(value: Attribute) -> Attribute:
    return DType.F64 if isinstance(value, DType) and value.is_float else value


def _type(type_: Type) -> Type:
    return replace(type_, dtype=DType.F64) if type_.dtype.is_float else type_
