"""The type rules: one table keyed by operation, and the typing of whole routines by it.

`result_types` types one instruction; `value_types` a routine, once for each program and routine. A routine that calls
another is typed through it, so typing an instruction and typing a routine are one recursion and stand in one file.
"""

from __future__ import annotations

from ontogeny.isa.errors import ProgramError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr, Program, Routine
from ontogeny.isa.rules import control, elementwise, movement, neural, reduce
from ontogeny.isa.rules.site import Rule, Site, Types, checked_attrs
from ontogeny.isa.sizes import Size
from ontogeny.isa.tables import ByIdentity, routines
from ontogeny.isa.types import MAX_ELEMENTS, MAX_RANK, Type

RULES: dict[Op, Rule] = {
    **movement.RULES,
    **elementwise.RULES,
    **reduce.RULES,
    **control.RULES,
    **neural.RULES,
}
MAX_CALLS = 32

_typed: ByIdentity[dict[str, Type]] = ByIdentity()


def result_types(instr: Instr, operands: Types, program: Program | None = None) -> Types:
    """The types of the instruction's results, whatever names it gives them.

    Raises ProgramError where the operation does not take these operands and attributes. Reading, committing and calling
    need the program.
    """
    return _result_types(instr, operands, program, ())


def value_types(program: Program, routine: Routine) -> dict[str, Type]:
    """The type of every value in the routine by name, operands included. Kept for the next time: not to be modified.

    Raises ProgramError naming the routine and the instruction, counted from one.
    """
    return _value_types(program, routine, ())


def routine_results(program: Program, routine: Routine) -> Types:
    """The types of what the routine returns, in order. Raises ProgramError as `value_types`."""
    return _routine_results(program, routine, ())


def check_type(what: str, type_: Type) -> None:
    """Refuse a shape that is malformed or out of bounds."""
    if not (type(type_.shape) is tuple and all(type(size) in (int, Size) and size >= 0 for size in type_.shape)):
        raise ProgramError(f"{what}: sizes must be whole numbers of 0 or more, not {type_.shape}")
    if type_.rank > MAX_RANK:
        raise ProgramError(f"{what}: at most {MAX_RANK} dimensions, not {type_.rank}")
    if type_.size > MAX_ELEMENTS:
        raise ProgramError(f"{what}: at most {MAX_ELEMENTS} elements, {type_} has {type_.size}")


def instruction_text(instr: Instr) -> str:
    """The instruction in short, for messages: results, operation and operands."""
    results = f"{', '.join('%' + name for name in instr.out)} = " if instr.out else ""
    return f"{results}{' '.join([instr.op.text, *('%' + name for name in instr.args)])}"[:120]


def _result_types(instr: Instr, operands: Types, program: Program | None, inside: tuple[str, ...]) -> Types:
    def signature(name: str) -> tuple[Types, Types]:
        if program is None:
            raise site.error("needs the program it stands in")
        routine = routines(program).get(name)
        if routine is None:
            raise site.error(f"there is no routine {name!r:.80}")
        return tuple(type_ for _, type_ in routine.params), _routine_results(program, routine, inside)

    site = Site(instr, operands, checked_attrs(instr), program, signature)
    results = RULES[instr.op](site)
    for result in results:
        check_type(instr.op.text, result)
    return results


def at(routine: Routine, number: int, instr: Instr, problem: ProgramError | str) -> ProgramError:
    """A problem at an instruction, counted from one; its place is the innermost, where a called routine has it."""
    place = (routine.name, number)
    if isinstance(problem, ProgramError) and problem.instruction:
        place = (problem.routine, problem.instruction)
    return ProgramError(
        f"routine {routine.name!r}, instruction {number} ({instruction_text(instr)}): {problem}", *place
    )


def _routine_results(program: Program, routine: Routine, inside: tuple[str, ...]) -> Types:
    types = _value_types(program, routine, inside)
    try:
        return tuple(types[value] for _, value in routine.returns)
    except KeyError as missing:
        raise ProgramError(
            f"routine {routine.name!r} returns %{missing.args[0]}, which it never defines", routine.name
        ) from None


def _value_types(program: Program, routine: Routine, inside: tuple[str, ...]) -> dict[str, Type]:
    if routine.name in inside:
        raise ProgramError(f"routines call each other in a circle: {' -> '.join((*inside, routine.name))}")
    if len(inside) >= MAX_CALLS:
        raise ProgramError(
            f"routine {routine.name!r} is called {MAX_CALLS} routines deep; flatten some calls", routine.name
        )
    return _typed.get((program, routine), lambda: _type_values(program, routine, (*inside, routine.name)))


def _type_values(program: Program, routine: Routine, inside: tuple[str, ...]) -> dict[str, Type]:
    types: dict[str, Type] = {}
    for name, type_ in routine.params:
        check_type(f"routine {routine.name!r}, operand %{name}", type_)
        _define(types, (name,), (type_,))
    for number, instr in enumerate(routine.body, 1):
        try:
            operands = tuple(types[name] for name in instr.args)
            _define(types, instr.out, _result_types(instr, operands, program, inside))
        except KeyError as missing:
            raise at(routine, number, instr, f"%{missing.args[0]} is read before it is defined") from None
        except ProgramError as problem:
            raise at(routine, number, instr, problem) from None
    return types


def _define(types: dict[str, Type], names: tuple[str, ...], found: Types) -> None:
    if len(names) != len(found):
        raise ProgramError(f"gives {len(found)} results ({', '.join(map(str, found))}), {len(names)} are named")
    for name, type_ in zip(names, found, strict=True):
        if name in types:
            raise ProgramError(f"%{name} is defined a second time; give every value its own name")
        types[name] = type_
