"""The gradient of the worst point nearby (`rules/sam.py`) for a program that was captured without, and taken away.

It stands before all other edits of the gradients, which act on what comes of it.
"""

from __future__ import annotations

from dataclasses import replace

from ontogeny.front.author import Value
from ontogeny.front.edits.edit import Edit, Kind, Parameter
from ontogeny.front.edits.gradients import gradients
from ontogeny.front.edits.rewrite import Rewrite
from ontogeny.front.rules.sam import ASCENT, RHO, ascended, ascents
from ontogeny.front.update import UPDATE
from ontogeny.isa.build import Builder
from ontogeny.isa.errors import EditError
from ontogeny.isa.program import Instr, Note


def make(rewrite: Rewrite, rho: float) -> str:
    """The distance, or with 0 no ascent any more."""
    there = bool(ascents(rewrite.body))
    if rho < 0 or (not rho and not there):
        raise EditError("gradients are taken where the parameters are; give the distance to ascend, as more than 0")
    if not rho:
        return leave(rewrite)
    rewrite.dial(RHO, rho)
    if not there:
        _ascend(rewrite)
    return f"gradients are taken where the loss has risen, {rho:g} away; a step goes forward and backward twice"


def _ascend(rewrite: Rewrite) -> None:
    found = gradients(rewrite)
    places = {out: at for at, instr in enumerate(rewrite.body) for out in instr.out}
    at = 1 + max(places[value] for value in found.values())
    first, rest = rewrite.body[:at], rewrite.body[at:]
    if any(value in instr.args for value in found.values() for instr in first if instr.note.phase == UPDATE):
        raise EditError("the update uses a gradient before all of them are there; replace 'learn' as text")
    builder = Builder.continuing(rewrite.program, first, rewrite.types, rewrite.number)
    new = ascended(builder, first, {name: Value(builder, value) for name, value in found.items()})
    count = len(builder.body)
    rewrite.types, rewrite.number = builder.types, builder.count
    rewrite.become([*builder.body, *rest])
    _hand_on(rewrite, {found[name]: value.name for name, value in new.items()}, count)


def leave(rewrite: Rewrite) -> str:
    """The ascent taken out, the gradients where the parameters are."""
    before, after = ascents(rewrite.body), gradients(rewrite)
    _hand_on(rewrite, {after[name]: before[name] for name in before})
    kept = [i for i in rewrite.body if not _of_ascent(i)]
    needed = {arg for instr in kept for arg in instr.args}
    shared = [replace(i, note=Note(UPDATE)) for i in rewrite.body if _of_ascent(i) and needed.intersection(i.out)]
    rewrite.become([*shared, *kept])
    return "gradients are taken where the parameters are"


def _of_ascent(instr: Instr) -> bool:
    """Whether an instruction is of the ascent, or of the second pass."""
    return instr.note.phase != UPDATE and instr.note.where.partition(":")[0] == ASCENT


def _hand_on(rewrite: Rewrite, new: dict[str, str], first: int = 0) -> None:
    """The update takes other gradients."""
    for old, value in new.items():
        users = [at for at, i in enumerate(rewrite.body) if at >= first and i.note.phase == UPDATE and old in i.args]
        rewrite.substitute(users, old, value)


EDIT = Edit(
    ASCENT,
    "gradients of the worst point nearby (sharpness-aware minimisation): a second pass in every step",
    (Parameter("rho", Kind.NUMBER, "how far to ascend, for the dial sam_rho; 0 takes it away"),),
    make,
)
