"""The joint norm of all gradients bounded by the dial `clip` (Pascanu et al. 2013), as `Rule.with_clip` does it.

Gradients of frozen tensors count in the norm.
"""

from __future__ import annotations

from ontogeny.front.author import Value
from ontogeny.front.edits.edit import Edit, Kind, Parameter
from ontogeny.front.edits.gradients import change_gradients
from ontogeny.front.edits.notes import Standing
from ontogeny.front.edits.rewrite import Rewrite
from ontogeny.front.update import CLIP, clipped
from ontogeny.isa.build import Builder
from ontogeny.isa.errors import EditError
from ontogeny.isa.program import Decl


def make(rewrite: Rewrite, norm: float) -> str:
    """The bound set, or with 0 taken away."""
    there = any(found.name == CLIP for found in rewrite.standing)
    if norm < 0 or (not norm and not there):
        raise EditError("gradients are not clipped; give the norm to clip them to, as more than 0")
    if not norm:
        rewrite.strip(CLIP)
        return "gradients are no longer clipped"
    rewrite.dial(CLIP, norm)
    if not there:
        change_gradients(rewrite, CLIP, _clipped)
    return f"gradients are clipped to a joint norm of {norm:g}"


def _clipped(builder: Builder, given: list[tuple[Decl, Value]]) -> list[Value]:
    return clipped(builder, [value for _, value in given])


def again(rewrite: Rewrite, _: Standing) -> None:
    """The bound as it was, by the dial as it is."""
    change_gradients(rewrite, CLIP, _clipped)


EDIT = Edit(
    CLIP,
    "gradients scaled so that their joint norm is at most the dial clip",
    (Parameter("norm", Kind.NUMBER, "the largest norm; 0 takes the bound away"),),
    make,
    again,
)
