"""Instructions that a routine could do without, told from its text: results nobody uses, and results made twice."""

from __future__ import annotations

from ontogeny.isa.op import Group, Op
from ontogeny.isa.program import Routine
from ontogeny.isa.prune import pruned

APART = frozenset({Group.CONTROL, Group.DEBUG})


def unused(routine: Routine) -> frozenset[int]:
    """The numbers (from 1) of instructions that neither a result nor a commit depends on."""
    kept = set(map(id, pruned(routine).body))
    return frozenset(number for number, instr in enumerate(routine.body, 1) if id(instr) not in kept)


def repeated(routine: Routine) -> dict[int, int]:
    """Instructions whose results have been made before, by the same operation on the same values: number -> which.

    Values are numbered so that what is made of repeated values is found too. Calls and commits are left out.
    """
    first: dict[tuple[object, ...], tuple[int, tuple[str, ...]]] = {}
    same: dict[str, str] = {}
    found: dict[int, int] = {}
    for number, instr in enumerate(routine.body, 1):
        if instr.op.group in APART or instr.op is Op.COMMIT:
            continue
        key = (instr.op, instr.attrs, tuple(same.get(arg, arg) for arg in instr.args))
        if key in first:
            found[number] = first[key][0]
            same.update(zip(instr.out, first[key][1], strict=True))
        else:
            first[key] = number, instr.out
    return found
