"""Every edit of a program's learning, one line each, and how they are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ontogeny.front.edits import (
    clip,
    freeze,
    gradient_sign,
    lr_factor,
    mask,
    no_decay,
    noise,
    perpendicular,
    perturb,
    remove,
    routines,
    rule,
    sam,
    schedule,
    sleep,
    smooth,
    text,
    update_sign,
)
from ontogeny.front.edits.edit import Edit
from ontogeny.front.edits.edited import Edited
from ontogeny.front.edits.notes import FREEZE, Standing
from ontogeny.front.edits.rewrite import Rewrite
from ontogeny.front.update import CLIP, SCHEDULE
from ontogeny.isa.errors import EditError
from ontogeny.isa.program import Program

_ALL = (
    rule.RULE,
    rule.MOMENTUM,
    sam.EDIT,
    clip.EDIT,
    gradient_sign.EDIT,
    perpendicular.EDIT,
    noise.EDIT,
    smooth.EDIT,
    schedule.EDIT,
    no_decay.EDIT,
    update_sign.EDIT,
    lr_factor.EDIT,
    mask.EDIT,
    freeze.EDIT,
    freeze.RELEASE,
    sleep.EDIT,
    perturb.EDIT,
    remove.EDIT,
    text.EDIT,
)
SINGLE = (CLIP, SCHEDULE)
"""Edits that a rule may bring itself, so that the one before gives way."""
EDITS: Mapping[str, Edit] = {edit.name: edit for edit in _ALL}
ADDED = {sleep.NAME: sleep.again, perturb.NAME: perturb.again}
"""Edits that add a routine, each with what makes it anew."""


def apply(program: Program, edit: str, /, **given: Any) -> Edited:
    """The program after one edit, by its name in EDITS, verified.

    The edits that it had stay in force where the rule is replaced. Raises EditError for what cannot be done, and
    changes nothing.
    """
    if edit not in EDITS:
        raise EditError(f"there is no edit {edit!r}; there are {', '.join(EDITS)}")
    made, rewrite = EDITS[edit], Rewrite.of(program)
    before = rewrite.standing
    description = made.make(rewrite, **made.checked(given))
    if made in (rule.RULE, rule.MOMENTUM):
        _restore(rewrite, before)
    elif made not in (freeze.EDIT, freeze.RELEASE, remove.EDIT, text.EDIT):
        _restore(rewrite, [found for found in before if found.name == FREEZE])
    routines.remade(rewrite, ADDED)
    return rewrite.finished(description)


def apply_all(program: Program, edits: Iterable[tuple[str, Mapping[str, Any]]]) -> Edited:
    """Several edits, one after another, as one. Raises EditError as `apply` does."""
    found = Edited(program, program, {}, {}, "nothing", ())
    for name, given in edits:
        found = joined(found, apply(found.program, name, **given))
    return found


def joined(first: Edited, second: Edited) -> Edited:
    """Two edits, the second of what the first gave, as one."""
    there = {decl.name for decl in second.program.decls}
    said = f"{first.description}; {second.description}" if first.changes else second.description
    return replace(
        second,
        before=first.before,
        values={k: v for k, v in {**first.values, **second.values}.items() if k in there},
        dials={k: v for k, v in {**first.dials, **second.dials}.items() if k in there},
        description=said,
        changes=(*first.changes, *second.changes),
    )


def _restore(rewrite: Rewrite, before: Iterable[Standing]) -> None:
    """Edits that the rule's replacement took with it, or whose registers may have become more, are made anew."""
    for found in before:
        again = EDITS[found.name].again if found.name in EDITS else None
        there = [one.name if one.name in SINGLE else one.where for one in rewrite.standing]
        if found.name != FREEZE and (found.name in there or found.where in there):
            continue
        if again is None:
            rewrite.changes.append(f"{found.where} went with the rule that it was part of; make it anew")
            continue
        program, body = rewrite.program, tuple(rewrite.body)
        try:
            again(rewrite, found)
        except EditError as error:
            rewrite.program = program
            rewrite.become(body)
            rewrite.changes.append(f"{found.where} does not hold any more: {error}")
