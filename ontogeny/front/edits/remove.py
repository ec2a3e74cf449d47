"""One of the edits that a program has, taken out again."""

from __future__ import annotations

from ontogeny.front.edits import routines, sam
from ontogeny.front.edits.edit import Edit, Kind, Parameter
from ontogeny.front.edits.rewrite import Rewrite
from ontogeny.front.rules.sam import ASCENT
from ontogeny.isa.errors import EditError


def make(rewrite: Rewrite, edit: str) -> str:
    """By its name where it is the only one so called, or by all that its note says."""
    if edit in routines.standing(rewrite):
        routines.drop(rewrite, edit)
        return f"without the routine {edit}"
    if edit == ASCENT and any(s.name == ASCENT for s in rewrite.standing):
        return sam.leave(rewrite)
    found = [s.where for s in rewrite.standing if edit in (s.where, s.name) and s.name != ASCENT]
    if len(found) != 1:
        there = "; ".join([*(s.where for s in rewrite.standing), *routines.standing(rewrite)]) or "none"
        raise EditError(f"{'no' if not found else 'more than one'} edit is called {edit!r}; there are: {there}")
    rewrite.strip(found[0])
    return f"without {found[0]}"


EDIT = Edit(
    "remove",
    "an edit that the program has, taken out again",
    (Parameter("edit", Kind.TEXT, "its name, or all that describe() says of it"),),
    make,
)
