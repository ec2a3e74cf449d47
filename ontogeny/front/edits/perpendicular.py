"""Gradients without their part along the parameters (`rules/perpendicular.py`), for a program captured with them whole.

As there, each parameter tensor counts by itself: its own gradient loses what points along it.
"""

from __future__ import annotations

from functools import partial

from ontogeny.front.author import Value
from ontogeny.front.edits.edit import Edit
from ontogeny.front.edits.gradients import arena, change_gradients
from ontogeny.front.edits.notes import PERPENDICULAR, Standing
from ontogeny.front.edits.rewrite import Rewrite
from ontogeny.front.normals import joined
from ontogeny.front.rules.perpendicular import across
from ontogeny.isa.build import Builder
from ontogeny.isa.errors import EditError
from ontogeny.isa.program import Decl


def make(rewrite: Rewrite) -> str:
    """Once: what is across stays so."""
    if any(found.name == PERPENDICULAR for found in rewrite.standing):
        raise EditError("gradients have no part along the parameters already")
    again(rewrite, Standing(PERPENDICULAR))
    return "the rule gets each gradient without its part along the parameters"


def again(rewrite: Rewrite, standing: Standing) -> None:
    """After the edits of the gradient that there are."""
    change_gradients(rewrite, standing.where, partial(_across, rewrite))


def _across(rewrite: Rewrite, builder: Builder, given: list[tuple[Decl, Value]]) -> list[Value]:
    return [_of_register(rewrite, builder, decl, gradient) for decl, gradient in given]


def _of_register(rewrite: Rewrite, builder: Builder, decl: Decl, gradient: Value) -> Value:
    """The gradient of a register, each piece of an arena by itself."""
    of = arena(rewrite, decl)
    if not of.pieces:
        return across(gradient, Value(builder, builder.read(decl.name)))
    parts = []
    for piece in of.pieces:
        own = Value(builder, builder.read(piece.name)).reshape(piece.type.size)
        parts.append(across(gradient.narrow(0, piece.offset, piece.offset + piece.type.size), own))
    return joined(of, parts)


EDIT = Edit(PERPENDICULAR, "the rule gets each gradient without its part along the parameters", (), make, again)
