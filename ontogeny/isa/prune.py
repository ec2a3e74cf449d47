"""Removes instructions whose results nobody uses."""

from __future__ import annotations

from dataclasses import replace

from ontogeny.isa.op import Op
from ontogeny.isa.program import Routine

LASTING = frozenset({Op.COMMIT, Op.PROBE, Op.ASSERT, Op.CALL, Op.LOOP, Op.WHILE, Op.COND})


def pruned(routine: Routine) -> Routine:
    """The same routine without what neither its results nor its commits depend on."""
    needed = {value for _, value in routine.returns}
    kept = []
    for instr in reversed(routine.body):
        if instr.op in LASTING or needed.intersection(instr.out):
            kept.append(instr)
            needed.update(instr.args)
    return replace(routine, body=tuple(reversed(kept)))
