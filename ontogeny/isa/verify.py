"""The verifier: run at every boundary, it says whether a program means something before anything runs it.

It checks names, declarations, types, single assignment, that nothing is read before it is defined, that registers are
committed at most once, that calls form no circle, and that everything is of bounded size. It does not know values: an
index out of range or a failed assert is found by the machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from ontogeny.isa.errors import ProgramError
from ontogeny.isa.op import Op
from ontogeny.isa.program import KINDS, Decl, Program, Routine
from ontogeny.isa.rules import MAX_CALLS, at, check_type, routine_results, value_types
from ontogeny.isa.rules.site import SCALAR_F64
from ontogeny.isa.sizes import Size, following
from ontogeny.isa.tables import declarations, routines
from ontogeny.isa.types import MAX_ELEMENTS

__all__ = ["MAX_INSTRUCTIONS", "MAX_NAME", "check_sizes", "routine_results", "value_types", "verify"]

MAX_INSTRUCTIONS = 200_000
MAX_DECLARATIONS = 200_000
MAX_NAME = 200
CALLED = {Op.CALL: ("body",), Op.LOOP: ("body",), Op.WHILE: ("test", "body"), Op.COND: ("then", "other")}


def verify(program: Program) -> None:
    """Raise ProgramError, naming routine and instruction (counted from one), unless the program is well formed."""
    _bounds(program)
    _names(program)
    check_sizes(program)
    _declarations(program)
    _calls(program)
    for routine in program.routines:
        value_types(program, routine)
        routine_results(program, routine)
        _registers(program, routine)
    commits: dict[str, frozenset[str]] = {}
    for routine in program.routines:
        _commits(program, routine, commits)


def _bounds(program: Program) -> None:
    count = sum(len(routine.body) for routine in program.routines)
    if count > MAX_INSTRUCTIONS:
        raise ProgramError(f"program {program.name!r} has {count} instructions, at most {MAX_INSTRUCTIONS} are allowed")
    if len(program.decls) + len(program.routines) > MAX_DECLARATIONS:
        raise ProgramError(f"program {program.name!r} declares more than {MAX_DECLARATIONS} registers and routines")


def _names(program: Program) -> None:
    _distinct("the program", (program.name,))
    _distinct("size", (size.name for size in program.sizes))
    _distinct("declaration", (decl.name for decl in program.decls))
    _distinct("routine", (routine.name for routine in program.routines))
    for routine in program.routines:
        where = f"routine {routine.name!r}:"
        _distinct(f"{where} value", (name for name, _ in routine.params))
        _distinct(f"{where} result", (name for name, _ in routine.returns))
        _distinct(f"{where} value", (name for instr in routine.body for name in instr.out))


def _distinct(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if not (0 < len(name) <= MAX_NAME and name.isprintable()):
            raise ProgramError(f"{what} {name!r:.80} must be named by 1 to {MAX_NAME} printable characters")
        if name in seen:
            raise ProgramError(f"{what} {name!r} stands twice; give each its own name")
        seen.add(name)


def check_sizes(program: Program) -> None:
    """Raise ProgramError where something follows a size that is not declared, or not at its value, or may follow none.

    A register is kept while the size changes, so only inputs, operands and instructions follow one.
    """
    known = {size.name: size for size in program.sizes}
    for size in program.sizes:
        if not 1 <= size == size.n <= MAX_ELEMENTS:
            raise ProgramError(f"size {size.name!r} must be from 1 to {MAX_ELEMENTS}, not {int(size)}")
    for decl in program.decls:
        if decl.kind != "input" and following(decl.type.shape):
            raise ProgramError(f"{decl.kind} {decl.name!r} follows a size, but it is kept; only an input may")
        _follows(f"{decl.kind} {decl.name!r}", decl.type.shape, known)
    for routine in program.routines:
        for name, type_ in routine.params:
            _follows(f"routine {routine.name!r}: operand %{name}", type_.shape, known)
        for number, instr in enumerate(routine.body, 1):
            for key, value in instr.attrs:
                try:
                    _follows(f"attribute {key}", following(value), known)
                except ProgramError as problem:
                    raise at(routine, number, instr, problem) from None


def _follows(what: str, numbers: tuple[int | float, ...], known: Mapping[str, Size]) -> None:
    for number in following(numbers):
        size = number if isinstance(number, Size) else number.size
        if size.name not in known:
            raise ProgramError(f"{what} follows a size {size.name!r:.80} that is not declared; write 'size NAME = 64'")
        if size.n != known[size.name]:
            raise ProgramError(f"{what} takes {size.name!r} for {size.n}, but it is {int(known[size.name])}")


def _declarations(program: Program) -> None:
    pieces: dict[str, list[Decl]] = {}
    for decl in program.decls:
        _declaration(decl)
        if decl.arena:
            _piece(decl, declarations(program).get(decl.arena))
            pieces.setdefault(decl.arena, []).append(decl)
    for found in pieces.values():
        _apart(sorted(found, key=lambda decl: (decl.offset, decl.type.size)))


def _declaration(decl: Decl) -> None:
    if decl.kind not in KINDS:
        raise ProgramError(f"{decl.name!r} must be one of {', '.join(KINDS)}, not {decl.kind!r}")
    check_type(f"{decl.kind} {decl.name!r}", decl.type)
    if decl.kind == "dial" and decl.type != SCALAR_F64:
        raise ProgramError(f"dial {decl.name!r} must be {SCALAR_F64}, not {decl.type}; cast it where it is used")
    if decl.default is not None and (decl.kind != "dial" or math.isnan(decl.default)):
        raise ProgramError(
            f"{decl.kind} {decl.name!r} cannot have the default {decl.default}; only a dial has one, a number"
        )
    if decl.offset and not decl.arena:
        raise ProgramError(f"{decl.kind} {decl.name!r} has an offset and no arena; name the arena")


def _piece(decl: Decl, arena: Decl | None) -> None:
    if arena is None or decl.kind not in ("param", "state") or arena.kind != decl.kind or arena.arena:
        raise ProgramError(
            f"{decl.kind} {decl.name!r} must be a piece of a whole param or state of its kind, not of {decl.arena!r}"
        )
    if arena.type.rank != 1 or arena.type.dtype is not decl.type.dtype:
        raise ProgramError(f"the arena {arena.name!r} of {decl.name!r} must be {decl.type.dtype}[n], not {arena.type}")
    if decl.offset < 0 or decl.offset + decl.type.size > arena.type.size:
        raise ProgramError(
            f"{decl.name!r} takes elements {decl.offset} to {decl.offset + decl.type.size} of {arena.name!r}, "
            f"which has {arena.type.size}"
        )


def _apart(pieces: list[Decl]) -> None:
    end, last = 0, ""
    for piece in pieces:
        if piece.offset < end and piece.type.size:
            raise ProgramError(f"{piece.name!r} begins at element {piece.offset} of {piece.arena!r}, inside {last!r}")
        end, last = max(end, piece.offset + piece.type.size), piece.name


def _calls(program: Program) -> None:
    """Refuse routines that call each other in a circle or more than MAX_CALLS deep, in whatever order they stand."""
    known = routines(program)
    called = {routine.name: _called(routine) & known.keys() for routine in program.routines}
    depths: dict[str, int] = {}

    def depth(name: str, inside: tuple[str, ...]) -> int:
        if name in inside:
            raise ProgramError(f"routines call each other in a circle: {' -> '.join((*inside, name))}")
        if name not in depths and len(inside) < MAX_CALLS:
            depths[name] = 1 + max((depth(other, (*inside, name)) for other in sorted(called[name])), default=0)
        if depths.get(name, MAX_CALLS) + len(inside) > MAX_CALLS:
            raise ProgramError(
                f"routine {name!r} stands in calls more than {MAX_CALLS} routines deep; flatten some calls"
            )
        return depths[name]

    for name in known:
        depth(name, ())


def _called(routine: Routine) -> set[str]:
    """The routines that the routine names."""
    return {str(value) for instr in routine.body for key, value in instr.attrs if key in CALLED.get(instr.op, ())}


def _registers(program: Program, routine: Routine) -> None:
    """Refuse inputs and commits in a routine with operands: only the outermost are given and keep anything."""
    if not routine.params:
        return
    for number, instr in enumerate(routine.body, 1):
        read_input = instr.op is Op.READ and declarations(program)[str(instr.attr("name"))].kind == "input"
        if read_input or instr.op is Op.COMMIT:
            what = "reads an input" if read_input else "commits"
            raise at(
                routine,
                number,
                instr,
                f"{what} in a routine with operands; do it in the outermost and hand the value on",
            )


def _commits(program: Program, routine: Routine, known: dict[str, frozenset[str]]) -> frozenset[str]:
    """What the routine commits, those it calls counted; of the two sides of a condition, what either does."""
    if routine.name in known:
        return known[routine.name]
    done: set[str] = set()
    for number, instr in enumerate(routine.body, 1):
        more: set[str] = {str(instr.attr("name"))} if instr.op is Op.COMMIT else set()
        for attribute in CALLED.get(instr.op, ()):
            more |= _commits(program, routines(program)[str(instr.attr(attribute))], known)
        if more & done:
            raise at(
                routine, number, instr, f"{min(more & done)!r} is committed a second time; commit its last value once"
            )
        done |= more
    known[routine.name] = frozenset(done)
    return known[routine.name]
