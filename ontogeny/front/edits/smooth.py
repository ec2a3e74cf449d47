"""Slow gradients amplified: gradient + lamb * ema(gradient) (Grokfast-EMA: Lee et al. 2024, arXiv 2405.20233).

As in the authors' code the average begins with the first gradient, here the first after the edit was made.
"""

from __future__ import annotations

from collections.abc import Mapping

from ontogeny.front.author import Value
from ontogeny.front.edits.edit import Edit, Kind, Parameter
from ontogeny.front.edits.gradients import change_gradients
from ontogeny.front.edits.notes import SMOOTH, Standing
from ontogeny.front.edits.rewrite import Rewrite
from ontogeny.isa.build import Builder
from ontogeny.isa.errors import EditError
from ontogeny.isa.program import Decl
from ontogeny.isa.types import DType, Type

SLOT, BEGUN = "gradient_ema", "gradient_ema_begun"
"""The average, and 1 once there is one."""
DIALS: Mapping[str, float] = {"ema_decay": 0.98, "ema_gain": 2.0}


def make(rewrite: Rewrite, decay: float | None, gain: float | None) -> str:
    """The average and its gain; where it is there, its dials; with a gain of 0 it goes."""
    there = [found.where for found in rewrite.standing if found.name == SMOOTH]
    if decay is not None and not 0 <= decay < 1:
        raise EditError(f"the average's decay is from 0 to below 1, not {decay:g}")
    if gain == 0 and there:
        rewrite.strip(there[0])
        return "gradients are no longer smoothed"
    for (name, default), given in zip(DIALS.items(), (decay, gain), strict=True):
        rewrite.dial(name, default if given is None and not there else given)
    if not there:
        again(rewrite, Standing(SMOOTH))
    return "the rule gets gradient + ema_gain * the gradient's running average"


def again(rewrite: Rewrite, standing: Standing) -> None:
    """An average of its own for each register that the rule updates."""
    change_gradients(
        rewrite, standing.where, lambda builder, given: [_smooth(rewrite, builder, given, one) for one in given]
    )


def _smooth(rewrite: Rewrite, builder: Builder, given: list[tuple[Decl, Value]], one: tuple[Decl, Value]) -> Value:
    decl, gradient = one
    name = f"{SLOT}.{decl.name}" if len(given) > 1 else SLOT
    begun = name.replace(SLOT, BEGUN, 1)
    for state, type_ in ((name, decl.type), (begun, Type(DType.F64))):
        if rewrite.decl(state) is None:
            rewrite.declare(Decl("state", state, type_))
    builder.program = rewrite.program
    decay, gain, was = (Value(builder, builder.read(one)) for one in (*DIALS, begun))
    average = Value(builder, builder.read(name)).lerp(gradient, 1.0 - decay * was)
    builder.commit(name, average.name)
    builder.commit(begun, (was * 0.0 + 1.0).name)
    return gradient.axpy(average, gain)


EDIT = Edit(
    SMOOTH,
    "slow gradients amplified: gradient + gain * its running average (Grokfast)",
    (
        Parameter("decay", Kind.NUMBER, "of the average, for the dial ema_decay (new: 0.98)", None),
        Parameter("gain", Kind.NUMBER, "of the average, for the dial ema_gain (new: 2); 0 takes it away", None),
    ),
    make,
    again,
)
