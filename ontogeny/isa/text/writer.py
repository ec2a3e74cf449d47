"""A whole program -> its text."""

from __future__ import annotations

from collections.abc import Mapping

from ontogeny.isa.errors import ProgramError
from ontogeny.isa.program import Program, Routine
from ontogeny.isa.text.lines import InstrLine, ProgramLine, ReturnLine, RoutineLine, SizeLine, print_line
from ontogeny.isa.text.words import MAX_LINE, MAX_LINES, MAX_TEXT
from ontogeny.isa.types import Type
from ontogeny.isa.verify import check_sizes, value_types


def to_text(program: Program, types: bool = False) -> str:
    """The canonical text of a program; `from_text` gives an equal one back, notes included.

    With `types` every result's type stands beside it, for which the program must verify. Without, any program prints
    whose sizes are declared. Raises ProgramError for a program that does not fit into a text: an integer or a line that
    is too long.
    """
    check_sizes(program)
    sizes = (SizeLine(size) for size in program.sizes)
    lines = [print_line(ProgramLine(program.name)), *map(print_line, sizes), *map(print_line, program.decls)]
    for routine in program.routines:
        lines += ["", *_routine(routine, value_types(program, routine) if types else {})]
    longest = max(map(len, lines))
    if longest > MAX_LINE or len(lines) >= MAX_LINES or sum(map(len, lines)) + len(lines) > MAX_TEXT:
        raise ProgramError(
            f"the program is too large for a text of {MAX_TEXT} characters, {MAX_LINE} a line; keep data out of const"
        )
    return "\n".join(lines) + "\n"


def _routine(routine: Routine, types: Mapping[str, Type]) -> list[str]:
    head = RoutineLine(routine.name, routine.params, tuple(key for key, _ in routine.returns) or None)
    body = (print_line(InstrLine(instr, tuple(map(types.get, instr.out)))) for instr in routine.body)
    return [print_line(head), *body, print_line(ReturnLine(routine.returns))]
