"""Which registers, dials and inputs a routine may read."""

from __future__ import annotations

from ontogeny.isa.op import Op
from ontogeny.isa.program import Program, Routine
from ontogeny.isa.tables import ByIdentity, routines
from ontogeny.isa.verify import CALLED

_reads: ByIdentity[tuple[str, ...]] = ByIdentity()


def reads(program: Program, routine: Routine) -> tuple[str, ...]:
    """The declared names that a routine may read, itself or in those that it calls, each once."""
    return _reads.get((program, routine), lambda: tuple(_collected(program, routine)))


def _collected(program: Program, routine: Routine) -> dict[str, None]:
    names: dict[str, None] = {}
    _collect(program, routine, names, set())
    return names


def _collect(program: Program, routine: Routine, names: dict[str, None], seen: set[str]) -> None:
    seen.add(routine.name)
    for instr in routine.body:
        if instr.op is Op.READ:
            names[str(instr.attr("name"))] = None
        for attribute in CALLED.get(instr.op, ()):
            called = routines(program)[str(instr.attr(attribute))]
            if called.name not in seen:
                _collect(program, called, names, seen)
