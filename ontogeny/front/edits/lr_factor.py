"""Another learning rate for some tensors: their update, decay included, times a dial, like a parameter group's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from ontogeny.front.author import Value
from ontogeny.front.edits.edit import Edit, Kind, Parameter
from ontogeny.front.edits.notes import LR_FACTOR, Standing
from ontogeny.front.edits.places import Part, matching, parts
from ontogeny.front.edits.rewrite import Rewrite
from ontogeny.isa.build import Builder


def make(rewrite: Rewrite, tensors: Sequence[str], factor: float, dial: str | None) -> str:
    """The factor, by a dial of its own; where these tensors have one already, that is set."""
    there = next((s for s in rewrite.standing if s.name == LR_FACTOR and s.patterns == tuple(tensors)), None)
    name = there.options["dial"] if there else dial or _free(rewrite, tensors)
    rewrite.dial(name, factor)
    if there is None:
        again(rewrite, Standing(LR_FACTOR, tuple(tensors), {"dial": name}))
    return f"the learning rate of {', '.join(tensors)} is {factor:g} times the rest's, by the dial {name}"


def again(rewrite: Rewrite, standing: Standing) -> None:
    """The same tensors, by the same dial."""
    name = standing.options["dial"]
    if rewrite.decl(name) is None:
        rewrite.dial(name, 1.0)
    for part in parts(rewrite, matching(rewrite.program, standing.patterns)):
        rewrite.wrap(part.register.name, standing.where, partial(_scaled, part, name))


def _scaled(part: Part, dial: str, builder: Builder, new: Value) -> Value:
    """New elements as far from the old as the factor says."""
    old, target = part.of(Value(builder, builder.read(part.register.name))), part.of(new)
    return part.put(builder, new, (target - old).scale(Value(builder, builder.read(dial))) + old)


def _free(rewrite: Rewrite, tensors: Sequence[str]) -> str:
    """A name for the dial that says what it is of, not yet in use."""
    name = f"{LR_FACTOR}.{re.sub(r'[^A-Za-z0-9]+', '_', tensors[0]).strip('_') or 'all'}"
    more = (f"{name}_{number}" for number in range(2, 1000))
    return name if rewrite.decl(name) is None else next(each for each in more if rewrite.decl(each) is None)


EDIT = Edit(
    LR_FACTOR,
    "another learning rate for some tensors, by a dial of its own",
    (
        Parameter("tensors", Kind.NAMES, "parameters by name, or patterns such as embed.*"),
        Parameter("factor", Kind.NUMBER, "what their update is multiplied by"),
        Parameter("dial", Kind.WORD, "the dial's name; left out, one is made of the first pattern", None),
    ),
    make,
    again,
)
