"""The state of a machine for another program: what both keep under one name, new registers from their start."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ontogeny.isa.program import Decl, Program
from ontogeny.isa.tables import declarations
from ontogeny.machine.base import piece
from ontogeny.machine.formats import NUMPY
from ontogeny.machine.learner import Array


def carried(
    before: Program, after: Program, state: Mapping[str, Array], values: Mapping[str, Array]
) -> dict[str, Array]:
    """The registers that `after` keeps: those of equal name and type from `state`, which is of `before`.

    A parameter may lie in an arena in one program and alone in the other. What is new is as in `values`, else zero.
    """
    found = {}
    for decl in after.kept():
        array = np.array(values.get(decl.name, np.zeros(decl.type.shape, NUMPY[decl.type.dtype])), order="C")
        found[decl.name] = _own(before, decl, state, array)
        for part in (d for d in after.decls if d.arena == decl.name):
            piece(part, found[decl.name])[...] = _own(before, part, state, piece(part, found[decl.name]))
    return found


def _own(before: Program, decl: Decl, state: Mapping[str, Array], otherwise: Array) -> Array:
    """The value of a register, or a copy of it, under its name; `otherwise` where there was none of its type."""
    old = declarations(before).get(decl.name)
    if old is None or (old.kind, old.type) != (decl.kind, decl.type):
        return otherwise
    return np.array(piece(old, np.asarray(state[old.arena])) if old.arena else state[old.name], order="C")
