"""The gradient replaced by its sign, before the rule (signSGD: Bernstein et al. 2018, arXiv 1802.04434)."""

from __future__ import annotations

from ontogeny.front.edits.edit import Edit
from ontogeny.front.edits.gradients import change_gradients
from ontogeny.front.edits.notes import GRADIENT_SIGN, Standing
from ontogeny.front.edits.rewrite import Rewrite
from ontogeny.isa.errors import EditError


def make(rewrite: Rewrite) -> str:
    """Once: a sign's sign is the same."""
    if any(found.name == GRADIENT_SIGN for found in rewrite.standing):
        raise EditError("the rule gets the gradient's sign already")
    again(rewrite, Standing(GRADIENT_SIGN))
    return "the rule gets the sign of each gradient"


def again(rewrite: Rewrite, standing: Standing) -> None:
    """After the edits of the gradient that there are."""
    change_gradients(rewrite, standing.where, lambda _, given: [value.sign() for _, value in given])


EDIT = Edit(GRADIENT_SIGN, "the rule gets the sign of each gradient", (), make, again)
