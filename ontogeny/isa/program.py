"""Programs as frozen data: declarations, routines and instructions.

Nothing here checks anything; `isa.verify` does, at every boundary.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ontogeny.isa.op import Op
from ontogeny.isa.sizes import Size
from ontogeny.isa.types import DType, Type

Number = bool | int | float
Attribute = Number | str | DType | tuple[Number, ...]
KINDS = ("param", "state", "dial", "input")


@dataclass(frozen=True, slots=True)
class Note:
    """Where an instruction came from: its phase (forward, backward, update or empty) and the user's own source line."""

    phase: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Instr:
    """One instruction: results = op(operands) {attributes}. Results and operands are names of values in the routine."""

    out: tuple[str, ...]
    op: Op
    args: tuple[str, ...] = ()
    attrs: tuple[tuple[str, Attribute], ...] = ()
    note: Note = field(default=Note(), compare=False)

    def attr(self, name: str) -> Attribute:
        """The attribute called `name`. Raises KeyError when the instruction has none."""
        for key, value in self.attrs:
            if key == name:
                return value
        raise KeyError(f"{self.op.text} has no attribute {name!r}")


@dataclass(frozen=True, slots=True)
class Decl:
    """A declared register. `kind` is one of KINDS.

    A `param` or `state` is kept between calls. With `arena` it is a piece of that other register of the same kind, from
    element `offset` on, so that an update rule can be written once for all of them. A `dial` is a scalar that a person
    steers, with a `default`; an `input` comes with every call.
    """

    kind: str
    name: str
    type: Type
    default: float | None = None
    arena: str = ""
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Routine:
    """A named list of instructions: operands with types in, named results out. The outermost ones take no operands."""

    name: str
    params: tuple[tuple[str, Type], ...]
    body: tuple[Instr, ...]
    returns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Program:
    """A learner: what it keeps, what it is given, and what it can do (`init`, `predict`, `learn`, any others).

    `sizes` are those that `isa.resize` can change, such as the batch, with their present values; types and attributes
    that follow one hold `Size`s and `PerSize`s of its name.
    """

    name: str
    decls: tuple[Decl, ...]
    routines: tuple[Routine, ...]
    sizes: tuple[Size, ...] = ()

    def decl(self, name: str) -> Decl:
        """The declaration called `name`. Raises KeyError with the names there are."""
        for decl in self.decls:
            if decl.name == name:
                return decl
        there = ", ".join(d.name for d in self.decls) or "none"
        raise KeyError(f"nothing called {name!r} is declared; there are {there}")

    def routine(self, name: str) -> Routine:
        """The routine called `name`. Raises KeyError with the names there are."""
        for routine in self.routines:
            if routine.name == name:
                return routine
        raise KeyError(f"no routine {name!r}; there are {', '.join(r.name for r in self.routines) or 'none'}")

    def has(self, name: str) -> bool:
        """Whether there is a routine called `name`."""
        return any(routine.name == name for routine in self.routines)

    def kept(self) -> Iterator[Decl]:
        """The registers that live between calls: params and states that are not pieces of an arena, in order."""
        return (d for d in self.decls if d.kind in ("param", "state") and not d.arena)

    def of(self, kind: str) -> Iterator[Decl]:
        """The declarations of one kind, in order."""
        return (d for d in self.decls if d.kind == kind)

    def named_params(self) -> Iterator[Decl]:
        """The parameters as a person knows them: pieces of arenas, and whole ones that no piece lies in."""
        arenas = {d.arena for d in self.decls if d.arena}
        return (d for d in self.decls if d.kind == "param" and d.name not in arenas)

    def with_routine(self, routine: Routine) -> Program:
        """The same program with one routine added, or replaced where the name exists."""
        others = tuple(r for r in self.routines if r.name != routine.name)
        return replace(self, routines=(*others, routine))
