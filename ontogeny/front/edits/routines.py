"""Edits that give a program a routine of its own, such as `sleep`: added, known again, made anew, taken out.

The routine's notes say what it was made with, so that it can be made anew where the registers, the passes or what is
frozen have changed beneath it. A dial of its name has it called every so many steps (`isa/periodic.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ontogeny.front.author import Value, constant, where
from ontogeny.front.edits.edited import LEARN
from ontogeny.front.edits.mask import PRUNED
from ontogeny.front.edits.notes import FREEZE, ROUTINES, Standing, all_standing
from ontogeny.front.edits.places import matching
from ontogeny.front.edits.rewrite import Rewrite
from ontogeny.front.layout import Arena
from ontogeny.front.normals import joined
from ontogeny.isa.build import Builder
from ontogeny.isa.errors import EditError
from ontogeny.isa.op import Op
from ontogeny.isa.periodic import EVERY
from ontogeny.isa.program import Decl, Program, Routine
from ontogeny.isa.tables import declarations

Again = Callable[[Rewrite, Sequence[Standing]], tuple[Routine, ...]]
"""Makes the routine, and what it calls, from what its notes say."""


def standing(rewrite: Rewrite) -> dict[str, list[Standing]]:
    """The routines that edits have added, each with what its notes say."""
    found: dict[str, list[Standing]] = {}
    for routine in rewrite.program.routines:
        own = [one for one in all_standing(routine.body) if one.name in ROUTINES]
        if own and routine.name == own[0].name:
            found[routine.name] = own
    return found


def put(rewrite: Rewrite, name: str, said: Sequence[Standing], again: Again, every: float | None) -> None:
    """The routine in the place of the one that there is, with its dial. Raises EditError where another is called so."""
    if rewrite.program.has(name) and name not in standing(rewrite):
        raise EditError(f"the program has a routine {name!r} of its own; edit it as text")
    if not rewrite.program.has(name):
        rewrite.changes.append(f"new routine {name}")
    rewrite.dial(f"{name}{EVERY}", 0 if every is None and rewrite.decl(f"{name}{EVERY}") is None else every)
    _replace(rewrite, name, again(rewrite, said))


def drop(rewrite: Rewrite, name: str) -> None:
    """Takes the routine out, and what only it called."""
    _replace(rewrite, name, ())
    rewrite.changes.append(f"routine {name} is gone")


def remade(rewrite: Rewrite, makers: Mapping[str, Again]) -> None:
    """Every such routine made anew; one that cannot be goes, and is told."""
    for name, said in standing(rewrite).items():
        try:
            made = makers[name](rewrite, said)
        except EditError as error:
            made = ()
            rewrite.changes.append(f"the routine {name} went: {error}")
        _replace(rewrite, name, made)


def _replace(rewrite: Rewrite, name: str, routines: Sequence[Routine]) -> None:
    kept = [r for r in rewrite.program.routines if r.name != name and not r.name.startswith(f"{name}.")]
    rewrite.program = replace(rewrite.program, routines=(*kept, *routines))


def chosen(rewrite: Rewrite, patterns: Sequence[str]) -> list[Decl]:
    """The parameters of a floating-point format that patterns name, or without any all matrices; none that is frozen.

    Raises EditError where that leaves none.
    """
    params = matching(rewrite.program, patterns) if patterns else list(rewrite.program.named_params())
    fits = [d for d in params if d.type.dtype.is_float and (patterns or d.type.rank >= 2)]
    still = frozen(rewrite)
    if not (found := [d for d in fits if d.name not in still]):
        raise EditError(f"no parameter among {', '.join(patterns) or 'matrices'} is left to scale: name others")
    return found


def frozen(rewrite: Rewrite) -> set[str]:
    """The parameters that stay as they are."""
    still = {pattern for one in rewrite.standing if one.name == FREEZE for pattern in one.patterns}
    return {decl.name for decl in matching(rewrite.program, sorted(still))} if still else set()


def without(rewrite: Rewrite, name: str, *more: Routine) -> Program:
    """The program without `learn`, the routine of a name and what that calls, and with more: what one is built for."""
    others = (r for r in rewrite.program.routines if r.name not in (LEARN, name) and not r.name.startswith(f"{name}."))
    return replace(rewrite.program, routines=(*others, *more))


def commit(builder: Builder, new: Mapping[str, Value]) -> None:
    """Commits the registers that parameters with new values lie in, the others as they are; what is pruned stays so."""
    program = builder.program
    new = {name: _pruned(name, value) for name, value in new.items()}
    for decl in (d for d in program.kept() if d.kind == "param"):
        pieces = sorted((d for d in program.decls if d.arena == decl.name), key=lambda piece: piece.offset)
        if decl.name in new:
            builder.commit(decl.name, new[decl.name].name)
        elif any(piece.name in new for piece in pieces):
            parts = [
                new[piece.name] if piece.name in new else Value(builder, builder.read(piece.name)) for piece in pieces
            ]
            builder.commit(decl.name, joined(Arena(decl, tuple(pieces)), parts).name)


def _pruned(name: str, value: Value) -> Value:
    """A parameter's new value, zero where the program says that it is pruned."""
    if PRUNED + name not in declarations(value.builder.program):
        return value
    held = Value(value.builder, value.builder.read(PRUNED + name))
    return where(held, constant(value.builder, 0.0, value.dtype), value)


def next_site(rewrite: Rewrite, name: str) -> int:
    """The first random site that no other routine draws from."""
    others = [i for r in rewrite.program.routines if r.name != name for i in r.body] + rewrite.body
    drawn = (Op.RAND_BITS, Op.UNIFORM)
    return max((int(str(i.attr("site"))) for i in others if i.op in drawn), default=-1) + 1
