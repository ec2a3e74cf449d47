"""Where the gradients enter the update of `learn`: the values that its marked part takes from forward and backward."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ontogeny.front.author import Value
from ontogeny.front.edits.places import updated
from ontogeny.front.edits.rewrite import INLINE, Rewrite
from ontogeny.front.layout import Arena, gaps
from ontogeny.front.update import UPDATE
from ontogeny.isa.build import Builder
from ontogeny.isa.errors import EditError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Decl, Instr


def arena(rewrite: Rewrite, register: Decl) -> Arena:
    """A register with its pieces, in the order in which they lie."""
    pieces = (decl for decl in rewrite.program.decls if decl.arena == register.name)
    return Arena(register, tuple(sorted(pieces, key=lambda piece: piece.offset)))


def entering(rewrite: Rewrite) -> list[tuple[Decl, str]]:
    """The registers that the update commits, each with the value that enters for it: its gradient, before any edit.

    Raises EditError where notes do not say what the update is, or more than one value could be it.
    """
    if not rewrite.marked:
        raise EditError(
            "no note says which instructions of 'learn' are its update, so what enters it is not known; write "
            "'; update' behind them, or replace 'learn' as text"
        )
    return [(decl, _enters(rewrite, decl)) for decl in updated(rewrite) if rewrite.updates(decl.name)]


def gradients(rewrite: Rewrite) -> dict[str, str]:
    """The gradient of each parameter, before any edit. Raises EditError as `entering` does."""
    found: dict[str, str] = {}
    makers = rewrite.makers
    for register, value in entering(rewrite):
        pieces = arena(rewrite, register).pieces
        cat = makers.get(value)
        if pieces and cat and _joins(rewrite, cat, register):
            sizes = _sizes(arena(rewrite, register))
            parts = [arg for arg, (of, _) in zip(cat.args, sizes, strict=True) if of]
            found.update(zip((piece.name for piece in pieces), parts, strict=True))
        elif len(pieces) > 1:
            names = ", ".join(piece.name for piece in pieces)
            raise EditError(f"%{value} enters the update for {names} in one; the gradient of each is not known")
        else:
            found[pieces[0].name if pieces else register.name] = value
    return {name: _source(value, makers) for name, value in found.items()}


def change_gradients(
    rewrite: Rewrite, where: str, change: Callable[[Builder, list[tuple[Decl, Value]]], list[Value]]
) -> None:
    """What the rule gets in the place of each gradient is `change` of it, after the edits that there are."""
    given = [(decl, rewrite.staged(value)) for decl, value in entering(rewrite)]
    makers = {out: at for at, instr in enumerate(rewrite.body) for out in instr.out}
    at = 1 + max(makers[value] for _, value in given)
    early = [v for _, v in given for i in rewrite.body[:at] if v in i.args and i.note.phase == UPDATE]
    if early:
        raise EditError(f"%{early[0]} is used by the update before all gradients are there; replace 'learn' as text")
    with rewrite.adding(where, at) as builder:
        new = change(builder, [(decl, Value(builder, value)) for decl, value in given])
        count = len(builder.body)
    for (_, old), value in zip(given, new, strict=True):
        users = [p for p, i in enumerate(rewrite.body) if p >= at + count and i.note.phase == UPDATE and old in i.args]
        rewrite.substitute(users, old, value.name)


def _enters(rewrite: Rewrite, register: Decl) -> str:
    """The one value that enters the update of a register in its shape."""
    undone = {new: old for old, new in rewrite.stages.items()}
    led, outside, constants = _led(rewrite.raw(register.name), rewrite.makers, undone)
    if joined := [instr for instr in led if _joins(rewrite, instr, register)]:
        return joined[0].out[0]
    fits = [value for value in outside or constants if rewrite.types[value].size == register.type.size]
    if len(fits) != 1:
        many = ", ".join(f"%{value}" for value in outside) or "nothing"
        raise EditError(f"{many} enters the update of {register.name!r}, so its gradient is not known; edit it as text")
    return next((i.out[0] for i in led if _shapes(rewrite, i, fits[0], register)), fits[0])


def _led(
    value: str, makers: Mapping[str, Instr], undone: Mapping[str, str]
) -> tuple[list[Instr], list[str], list[str]]:
    """The rule's instructions that lead to a value, and what they have from outside, constants apart."""
    waiting, seen, led, outside, constants = [value], set[str](), list[Instr](), list[str](), list[str]()
    while waiting:
        name = waiting.pop()
        while name in undone:
            name = undone[name]
        if name in seen or name not in makers:
            continue
        seen.add(name)
        instr = makers[name]
        if instr.note.phase == UPDATE:
            led.append(instr)
            waiting += instr.args
        elif instr.op not in INLINE:
            outside.append(name)
        elif instr.op is Op.CONST:
            constants.append(name)
    return led, outside, constants


def _shapes(rewrite: Rewrite, instr: Instr, value: str, register: Decl) -> bool:
    """Whether an instruction of the update gives a value the register's shape."""
    return instr.op is Op.RESHAPE and instr.args[0] == value and rewrite.types[instr.out[0]] == register.type


def _sizes(of: Arena) -> list[tuple[bool, int]]:
    """The sizes of an arena's pieces and of the gaps between, each with whether it is a piece's."""
    found: list[tuple[bool, int]] = []
    for piece, gap in zip(of.pieces, gaps(of.pieces, of.decl.type.size), strict=True):
        found += [(True, piece.type.size), *([(False, gap)] if gap else [])]
    return found


def _joins(rewrite: Rewrite, instr: Instr, register: Decl) -> bool:
    """Whether an instruction joins what belongs to an arena's pieces."""
    if instr.op is not Op.CAT or instr.note.phase != UPDATE or rewrite.types[instr.out[0]] != register.type:
        return False
    sizes: Sequence[int] = [size for _, size in _sizes(arena(rewrite, register))]
    return [rewrite.types[arg].size for arg in instr.args] == list(sizes)


def _source(value: str, makers: Mapping[str, Instr]) -> str:
    """A gradient as it was before the update laid it flat."""
    instr = makers.get(value)
    flat = instr is not None and instr.op is Op.RESHAPE and instr.note.phase == UPDATE
    return instr.args[0] if instr and flat else value
