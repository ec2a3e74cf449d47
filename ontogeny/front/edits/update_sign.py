"""The update replaced by its sign: every element moves by the learning rate, the way that the rule would move it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ontogeny.front.author import Value
from ontogeny.front.edits.edit import Edit, Kind, Parameter
from ontogeny.front.edits.notes import UPDATE_SIGN, Standing
from ontogeny.front.edits.places import updated
from ontogeny.front.edits.rewrite import Rewrite
from ontogeny.isa.build import Builder
from ontogeny.isa.errors import EditError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Decl

RATE = "lr"


def make(rewrite: Rewrite, lr: float | None) -> str:
    """Every parameter plus the dial `lr` times the sign of its update, decay included."""
    if any(found.name == UPDATE_SIGN for found in rewrite.standing):
        raise EditError("the update is its sign already")
    if lr is None and rewrite.decl(RATE) is None:
        raise EditError(f"the program has no dial {RATE!r} to say how far a step goes; give lr")
    rewrite.dial(RATE, lr)
    again(rewrite, Standing(UPDATE_SIGN))
    return "every element moves by lr, in the direction of the rule's update"


def again(rewrite: Rewrite, standing: Standing) -> None:
    """For every parameter that `learn` commits."""
    registers: Sequence[Decl] = updated(rewrite)
    if not registers:
        raise EditError("'learn' itself commits no parameter, so there is no update of it to edit")
    read = next((i for i in rewrite.body if i.op is Op.READ and i.attr("name") == RATE), None)
    rate = rewrite.staged(read.out[0]) if read else ""
    for decl in registers:
        rewrite.wrap(decl.name, standing.where, partial(_signed, decl, rate))


def _signed(decl: Decl, rate: str, builder: Builder, new: Value) -> Value:
    old = Value(builder, builder.read(decl.name))
    size = Value(builder, rate or builder.read(RATE))
    return (new - old).sign().scale(size) + old


EDIT = Edit(
    UPDATE_SIGN,
    "the update replaced by its sign: parameter + lr * sign(update)",
    (Parameter("lr", Kind.NUMBER, "how far a step goes, for the dial lr; left out, it keeps its value", None),),
    make,
    again,
)
