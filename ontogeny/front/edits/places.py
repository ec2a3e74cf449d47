"""Tensors by name in the registers that they lie in: which elements of a register, and what else is kept for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ontogeny.front.author import Value, concatenate, constant, where
from ontogeny.front.edits.rewrite import COUNTERS, Rewrite
from ontogeny.isa.build import Builder
from ontogeny.isa.errors import EditError
from ontogeny.isa.program import Decl, Program
from ontogeny.isa.types import DType

Ranges = tuple[tuple[int, int], ...]


def matching(program: Program, patterns: Sequence[str]) -> list[Decl]:
    """The parameters that patterns such as `blocks.*.weight` name. Raises EditError for one that names none."""
    params = list(program.named_params())
    for pattern in patterns:
        if not any(fnmatchcase(decl.name, pattern) for decl in params):
            names = ", ".join(decl.name for decl in params[:12]) + (", ..." if len(params) > 12 else "")
            raise EditError(f"no parameter matches {pattern!r}; there are {names or 'none'}")
    return [decl for decl in params if any(fnmatchcase(decl.name, pattern) for pattern in patterns)]


@dataclass(frozen=True, slots=True)
class Part:
    """Some elements of a register: the flat `ranges` of them, or where it is `whole` all."""

    register: Decl
    ranges: Ranges
    whole: bool

    def of(self, value: Value) -> Value:
        """The elements of a value of the register's shape, one after another."""
        return value if self.whole else concatenate([value.narrow(0, *pair) for pair in self.ranges])

    def put(self, builder: Builder, value: Value, new: Value) -> Value:
        """The value with these elements new; `new` is of the form that `of` gives."""
        if self.whole:
            return where(constant(builder, True, DType.BOOL), new, value)
        new_pieces, taken = [], 0
        for start, stop in self.ranges:
            new_pieces.append(new.narrow(0, taken, taken + stop - start))
            taken += stop - start
        return self._among(value, new_pieces)

    def copied(self, builder: Builder, value: Value, source: Value) -> Value:
        """The value with these elements those of another of its shape, without copying them twice."""
        if self.whole:
            return self.put(builder, value, source)
        return self._among(value, [source.narrow(0, *pair) for pair in self.ranges])

    def _among(self, value: Value, chosen: Sequence[Value]) -> Value:
        """Pieces in the place of the ranges of a value."""
        pieces, at, size = [], 0, self.register.type.size
        for (start, stop), piece in zip(self.ranges, chosen, strict=True):
            pieces += [value.narrow(0, at, start)] if start > at else []
            pieces.append(piece)
            at = stop
        return concatenate([*pieces, *([value.narrow(0, at, size)] if at < size else [])])


def parts(rewrite: Rewrite, chosen: Sequence[Decl]) -> list[Part]:
    """Where tensors lie, register by register, of those that `learn` updates. Raises EditError where it does none."""
    found = [part for decl in updated(rewrite) if (part := _part(rewrite.program, decl, chosen))]
    if not found:
        names = ", ".join(decl.name for decl in chosen)
        raise EditError(f"'learn' itself does not commit {names}, so there is no update of it to edit")
    return found


def updated(rewrite: Rewrite) -> list[Decl]:
    """The parameters, whole arenas or single ones, that `learn` commits."""
    return [d for d in rewrite.program.kept() if d.kind == "param" and rewrite.commit(d.name) is not None]


def beside(rewrite: Rewrite, register: Decl) -> list[Decl]:
    """What the rule keeps for a parameter or an arena, element by element or otherwise: its slots."""
    alone = len(updated(rewrite)) == 1
    return [
        decl
        for decl in rewrite.program.kept()
        if decl.kind == "state" and decl.name not in COUNTERS
        if _belongs(decl, register, alone) and rewrite.updates(decl.name)
    ]


def _belongs(decl: Decl, register: Decl, alone: bool) -> bool:
    return decl.name.endswith(f".{register.name}") or (alone and decl.type.shape == register.type.shape)


def _part(program: Program, register: Decl, chosen: Sequence[Decl]) -> Part | None:
    if any(decl.name == register.name for decl in chosen):
        return Part(register, ((0, register.type.size),), True)
    pieces = sorted((d for d in program.decls if d.arena == register.name), key=lambda piece: piece.offset)
    names = {decl.name for decl in chosen}
    ranges: list[tuple[int, int]] = []
    gap = -1
    for piece in pieces:
        start, stop = piece.offset, piece.offset + piece.type.size
        if piece.name in names and piece.type.size:
            start = ranges.pop()[0] if ranges and gap == ranges[-1][1] else start
            ranges.append((start, stop))
            gap = stop
        elif piece.type.size:
            gap = -1
    if not ranges:
        return None
    every = all(piece.name in names for piece in pieces)
    return Part(register, tuple(ranges), every)
