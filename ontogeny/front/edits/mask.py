"""Weights that stay zero while the others learn on: a register says which, and holds at every commit.

What is pruned is data, `pruned.NAME`, and begins as nothing; whoever makes the edit gives it where the run forks. The
parameters are as they were until the routine `prune`, which is called once (`run.call("prune")`), has made those zero.
Their gradients are still computed, and what the rule keeps for them goes on; no forward pass depends on either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from ontogeny.front.author import Value, constant, where
from ontogeny.front.edits.edit import Edit
from ontogeny.front.edits.notes import MASK, Standing
from ontogeny.front.edits.places import updated
from ontogeny.front.edits.rewrite import Rewrite
from ontogeny.isa.build import Builder
from ontogeny.isa.errors import EditError
from ontogeny.isa.program import Decl, Note, Routine
from ontogeny.isa.types import DType, Type

PRUNED = "pruned."
ROUTINE = "prune"


def make(rewrite: Rewrite) -> str:
    """A mask for every parameter that `learn` commits, and the routine that puts it into force."""
    if any(found.name == MASK for found in rewrite.standing):
        raise EditError(f"the program has a mask already; `remove` it first, or change what {PRUNED}* holds")
    if rewrite.program.has(ROUTINE):
        raise EditError(f"the program has another routine {ROUTINE!r}; rename it")
    again(rewrite, Standing(MASK))
    return f"weights that {PRUNED}* names are zero once {ROUTINE!r} was called, and stay so"


def again(rewrite: Rewrite, standing: Standing) -> None:
    """The same on what `learn` commits now; what is pruned is carried over by name, however parameters lie now."""
    registers = _masked(rewrite)
    decls = (d for d in rewrite.program.decls if not d.name.startswith(PRUNED))
    routines = (r for r in rewrite.program.routines if r.name != ROUTINE)
    rewrite.program = replace(rewrite.program, decls=tuple(decls), routines=tuple(routines))
    for register in registers:
        pieces = [d for d in rewrite.program.decls if d.arena == register.name]
        for decl in (register, *pieces):
            type_ = Type(DType.BOOL, decl.type.shape)
            arena = PRUNED + decl.arena if decl.arena else ""
            rewrite.declare(Decl("state", PRUNED + decl.name, type_, arena=arena, offset=decl.offset))
            rewrite.declared |= {PRUNED + decl.name}
        rewrite.wrap(register.name, standing.where, partial(_kept, PRUNED + register.name))
    rewrite.program = replace(rewrite.program, routines=(*rewrite.program.routines, _routine(rewrite, registers)))


def _masked(rewrite: Rewrite) -> Sequence[Decl]:
    found = [decl for decl in updated(rewrite) if decl.type.dtype.is_float]
    if not found:
        raise EditError("'learn' itself commits no parameter, so there is nothing to prune")
    return found


def _kept(name: str, builder: Builder, new: Value) -> Value:
    zero = constant(builder, 0.0, builder.types[new.name].dtype)
    return where(Value(builder, builder.read(name)), zero, new)


def _routine(rewrite: Rewrite, registers: Sequence[Decl]) -> Routine:
    builder = Builder(rewrite.program)
    builder.note = Note("update", MASK)
    for decl in registers:
        builder.commit(decl.name, _kept(PRUNED + decl.name, builder, Value(builder, builder.read(decl.name))).name)
    return builder.routine(ROUTINE, [])


EDIT = Edit(MASK, "weights that a register names stay zero while the others learn", (), make, again)
