"""The same program at another size of its batch, and what follows which size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import cast

from ontogeny.isa.errors import ProgramError
from ontogeny.isa.program import Attribute, Decl, Instr, Program, Routine
from ontogeny.isa.sizes import Following, Size, following
from ontogeny.isa.types import Type
from ontogeny.isa.verify import verify

Change = Callable[[Following], int | float]


def sizes(program: Program) -> dict[str, int]:
    """The program's sizes by name, as they are now."""
    return {size.name: size.n for size in program.sizes}


def resized(program: Program, given: Mapping[str, int]) -> Program:
    """The program with sizes of other values: everything that follows them changes, nothing else.

    Raises ProgramError for a size that it does not have, a value that is no whole number of 1 or more, and where the
    program means nothing at that size.
    """
    known = sizes(program)
    for name, value in given.items():
        if name not in known:
            there = ", ".join(map(repr, known)) or "none: it is made for the sizes of its inputs"
            raise ProgramError(f"program {program.name!r} has no size {name!r}; there are {there}")
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ProgramError(f"size {name!r} cannot be {value!r}; give a whole number of 1 or more")
    changed = {name: int(value) for name, value in given.items() if value != known[name]}
    if not changed:
        return program
    new = _changed(program, _at(changed))
    try:
        verify(new)
    except ProgramError as error:
        at = ", ".join(f"{name}={value}" for name, value in changed.items())
        raise ProgramError(f"program {program.name!r} means nothing at {at}: {error}") from error
    return new


def unsized(program: Program) -> Program:
    """The program with plain numbers for its sizes: fixed to what they are now."""
    plain: Change = lambda number: int(number) if isinstance(number, Size) else float(number)  # noqa: E731
    return replace(_changed(program, plain), sizes=())


def _at(values: Mapping[str, int]) -> Change:
    def change(number: Following) -> Following:
        size = number if isinstance(number, Size) else number.size
        return number.at(values[size.name]) if size.name in values else number

    return change


def _changed(program: Program, change: Change) -> Program:
    return replace(
        program,
        decls=tuple(_decl(decl, change) for decl in program.decls),
        routines=tuple(_routine(routine, change) for routine in program.routines),
        sizes=tuple(size for size in map(change, program.sizes) if isinstance(size, Size)),
    )


def routine_at(routine: Routine, values: Mapping[str, int]) -> Routine:
    """One routine at other values of its sizes, not verified."""
    return _routine(routine, _at(values))


def _decl(decl: Decl, change: Change) -> Decl:
    new = _type(decl.type, change)
    return decl if new is decl.type else replace(decl, type=new)


def _type(type_: Type, change: Change) -> Type:
    if not any(isinstance(size, Size) for size in type_.shape):
        return type_
    return type_.with_shape(tuple(cast(int, change(size)) if isinstance(size, Size) else size for size in type_.shape))


def _routine(routine: Routine, change: Change) -> Routine:
    params = tuple((name, _type(type_, change)) for name, type_ in routine.params)
    return replace(routine, params=params, body=tuple(_instr(instr, change) for instr in routine.body))


def _instr(instr: Instr, change: Change) -> Instr:
    if not any(following(value) for _, value in instr.attrs):
        return instr
    return replace(instr, attrs=tuple((name, _attribute(value, change)) for name, value in instr.attrs))


def _attribute(value: Attribute, change: Change) -> Attribute:
    if isinstance(value, tuple):
        return tuple(change(number) if isinstance(number, Following) else number for number in value)
    return change(value) if isinstance(value, Following) else value
