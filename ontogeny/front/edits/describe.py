"""What rule a program learns by, in words, and how it was edited."""

from __future__ import annotations

from ontogeny.front.edits.edited import LEARN
from ontogeny.front.edits.notes import ROUTINES, all_standing, kind, since
from ontogeny.front.edits.rewrite import Rewrite
from ontogeny.front.update import UPDATE
from ontogeny.isa.op import Op
from ontogeny.isa.program import Program


def describe(program: Program, dials: bool = True) -> str:
    """The rule by its name or as one of its own, its edits, and its dials with the values that the program begins with.

    Those are not the values in force in a run, which turns its dials; who says these leaves those out.
    """
    if not program.has(LEARN):
        return f"no rule: the program has no routine {LEARN!r}"
    body = Rewrite.of(program).body
    edits = "; ".join(dict.fromkeys([*(found.where for found in all_standing(body)), *_added(program)]))
    begins = since(body)
    count = f", counting its steps from {begins}" if begins else ""
    return f"{_rule(program)}{count}{_dials(program) if dials else ''}{f'; edited: {edits}' if edits else ''}"


def _added(program: Program) -> list[str]:
    """The routines that edits added; what one is made with, where that is the same for all tensors."""
    found = [all_standing(r.body) for r in program.routines if r.name in ROUTINES]
    return [said[0].where if len(said) == 1 else said[0].name for said in found if said]


def _rule(program: Program) -> str:
    body = program.routine(LEARN).body
    own = [i.note.where for i in body if i.note.phase == UPDATE and i.op is Op.COMMIT and not kind(i)]
    if not own:
        return "a rule of its own, whose instructions are not marked as update"
    name = next(filter(None, own), "")
    return name if name.isidentifier() else f"a rule of its own{f' ({name})' if name else ''}"


def _dials(program: Program) -> str:
    dials = [f"{d.name} {d.default:g}" if d.default is not None else d.name for d in program.of("dial")]
    return f" with {', '.join(dials)}" if dials else ""
