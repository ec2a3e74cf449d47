"""Tensors that stay as they are, with what the rule keeps for them: each commit takes their elements from before.

Their gradients are still computed. Buffers such as a running mean are no parameters, and go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ontogeny.front.author import Value
from ontogeny.front.edits.edit import Edit, Kind, Parameter
from ontogeny.front.edits.edited import listed
from ontogeny.front.edits.notes import FREEZE, Standing
from ontogeny.front.edits.places import Part, beside, matching, parts
from ontogeny.front.edits.rewrite import Rewrite
from ontogeny.isa.build import Builder
from ontogeny.isa.errors import EditError
from ontogeny.isa.program import Decl

TENSORS = Parameter("tensors", Kind.NAMES, "parameters by name, or patterns such as blocks.*.weight")


def make(rewrite: Rewrite, tensors: Sequence[str]) -> str:
    """These frozen, beside those that are."""
    chosen = matching(rewrite.program, tensors)
    before = _frozen(rewrite)
    _set(rewrite, tuple(dict.fromkeys((*before, *tensors))))
    one = len(chosen) == 1
    return f"{_listed(chosen)} {'stays as it is, with its' if one else 'stay as they are, with their'} optimizer state"


def release(rewrite: Rewrite, tensors: Sequence[str]) -> str:
    """These learn again; the rest of what is frozen stays so."""
    before = matching(rewrite.program, _frozen(rewrite)) if _frozen(rewrite) else []
    chosen = matching(rewrite.program, tensors)
    if strange := [decl.name for decl in chosen if decl not in before]:
        raise EditError(f"{strange[0]} is not frozen; frozen are {_listed(before) or 'none'}")
    left = [decl for decl in before if decl not in chosen]
    patterns = [p for p in _frozen(rewrite) if all(decl in left for decl in matching(rewrite.program, (p,)))]
    covered = matching(rewrite.program, patterns) if patterns else []
    _set(rewrite, (*patterns, *(decl.name for decl in left if decl not in covered)))
    one = len(chosen) == 1
    return f"{_listed(chosen)} {'learns' if one else 'learn'} again, from the optimizer state of before"


def again(rewrite: Rewrite, standing: Standing) -> None:
    """The same tensors, in whatever there is to be kept for them now."""
    _set(rewrite, standing.patterns)


def _frozen(rewrite: Rewrite) -> tuple[str, ...]:
    return next((found.patterns for found in rewrite.standing if found.name == FREEZE), ())


def _set(rewrite: Rewrite, patterns: tuple[str, ...]) -> None:
    for found in rewrite.standing:
        if found.name == FREEZE:
            rewrite.strip(found.where)
    if patterns:
        where = Standing(FREEZE, patterns).where
        for part in parts(rewrite, matching(rewrite.program, patterns)):
            _hold(rewrite, where, part)


def _hold(rewrite: Rewrite, where: str, part: Part) -> None:
    """A register's elements, and those of its slots, stay."""
    for decl in (part.register, *beside(rewrite, part.register)):
        if decl.type.shape == part.register.type.shape:
            own = Part(decl, part.ranges, part.whole)
        elif part.whole:
            own = Part(decl, ((0, decl.type.size),), True)
        else:
            rewrite.changes.append(f"{decl.name} is one for all of {part.register.name}, so it goes on")
            continue
        rewrite.wrap(decl.name, where, partial(_held, own))


def _held(part: Part, builder: Builder, new: Value) -> Value:
    return part.copied(builder, new, Value(builder, builder.read(part.register.name)))


def _listed(decls: Sequence[Decl]) -> str:
    return listed([decl.name for decl in decls])


EDIT = Edit(FREEZE, "tensors, and their optimizer state, stay bit for bit as they are", (TENSORS,), make, again)
RELEASE = Edit("unfreeze", "frozen tensors learn again", (TENSORS,), release)
