"""One of the edits that a program has, taken out again."""

from __future__ import annotations

from ontogeny.front.edits.edit import Edit, Kind, Parameter
from ontogeny.front.edits.rewrite import Rewrite
from ontogeny.isa.errors import EditError


def make(rewrite: Rewrite, edit: str) -> str:
    """By its name where it is the only one so called, or by all that its note says."""
    found = [s.where for s in rewrite.standing if edit in (s.where, s.name)]
    if len(found) != 1:
        there = "; ".join(s.where for s in rewrite.standing) or "none"
        raise EditError(f"{'no' if not found else 'more than one'} edit is called {edit!r}; there are: {there}")
    rewrite.strip(found[0])
    return f"without {found[0]}"


EDIT = Edit(
    "remove",
    "an edit that the program has, taken out again",
    (Parameter("edit", Kind.TEXT, "its name, or all that describe() says of it"),),
    make,
)
