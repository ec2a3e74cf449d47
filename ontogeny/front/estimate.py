"""Gradients from losses alone, as instructions: two loops over pairs of opposite perturbations (`rules/es.py`).

The first computes the losses of all pairs, the second adds up the perturbations, drawn again, by what their losses say.
So no more than one perturbation is held at a time, and each is a pure function of seed, step and pair. Buffers such as
running statistics, and dropout, are for every pair as they are at the step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod

from ontogeny.front.author import Value, concatenate, constant, where
from ontogeny.front.layout import Arena
from ontogeny.front.normals import SITES, joined, normals
from ontogeny.front.rules.es import SIGMA
from ontogeny.front.rules.rule import Estimate
from ontogeny.isa.build import Builder
from ontogeny.isa.op import Op
from ontogeny.isa.program import Decl, Note, Program, Routine
from ontogeny.isa.types import DType, Type

LOSS, TRY, ADD = "loss", "try_pair", "add_pair"
"""Routines: the forward pass at given parameters, the losses of a pair, the pair's share of the gradient."""
BACKWARD = Note("backward", "evolution strategies")
LARGEST = 3.0e38
"""Stands for a loss that is no number, so that it ranks last."""


def operands(given: Sequence[Decl]) -> list[tuple[str, Type]]:
    """Registers and inputs as operands of a routine."""
    return [(f"given.{decl.name}", decl.type) for decl in given]


def within(builder: Builder, given: Sequence[Decl], arenas: Sequence[Arena]) -> dict[str, Value]:
    """The parameters and inputs that lie in what a routine is given, by name."""
    return pieces({decl.name: value for decl, value in zip(given, _operands(builder, given), strict=True)}, arenas)


def _operands(builder: Builder, given: Sequence[Decl]) -> list[Value]:
    return [Value(builder, name) for name, _ in operands(given)]


def pieces(values: dict[str, Value], arenas: Sequence[Arena]) -> dict[str, Value]:
    """Values of registers, taken apart into those of single parameters."""
    found = dict(values)
    for arena in arenas:
        if arena.decl.name in values:
            whole = found.pop(arena.decl.name)
            for piece in arena.pieces:
                part = whole.narrow(0, piece.offset, piece.offset + piece.type.size)
                found[piece.name] = part.reshape(*piece.type.shape)
    return found


@dataclass(slots=True)
class Estimator:
    """The routines of an estimate over the registers that the rule updates, and the inputs of the step.

    `sites` random sites are the forward pass's own. A routine with operands reads no input, so the loops carry them.
    """

    estimate: Estimate
    registers: Sequence[Decl]
    inputs: Sequence[Decl]
    arenas: Sequence[Arena]
    loss: Routine
    sites: int
    program: Callable[..., Program]
    routines: list[Routine] = field(default_factory=list)

    def opened(self, note: Note) -> tuple[Builder, list[Value]]:
        """A routine that begins with the forward pass at the parameters themselves, and what that returns."""
        self.routines.append(self.loss)
        self.routines += [self._try(), self._add()]
        builder = Builder(self.program(*self.routines))
        builder.note = note
        return builder, self._losses(self._read(builder, self.registers), self._read(builder, self.inputs))

    def gradients(self, builder: Builder) -> dict[str, Value]:
        """The gradient of each parameter, estimated."""
        builder.note = BACKWARD
        pairs = self.estimate.pairs
        count = constant(builder, pairs, DType.I64)
        losses = constant(builder, 0.0, DType.F32).expand(pairs, 2)
        losses, *_ = count.ops(Op.LOOP, losses, *self._read(builder, self.inputs), body=TRY)
        zeros = [constant(builder, 0.0, decl.type.dtype).expand(*decl.type.shape) for decl in self.registers]
        *sums, _ = count.ops(Op.LOOP, *zeros, self._shares(losses), body=ADD)
        return pieces({decl.name: value for decl, value in zip(self.registers, sums, strict=True)}, self.arenas)

    def _read(self, builder: Builder, decls: Sequence[Decl]) -> list[Value]:
        return [Value(builder, builder.read(decl.name)) for decl in decls]

    def _losses(self, params: Sequence[Value], inputs: Sequence[Value]) -> list[Value]:
        first, *rest = (*params, *inputs)
        return list(first.ops(Op.CALL, *rest, body=LOSS))

    def _try(self) -> Routine:
        """(pair, losses f32[pairs, 2], inputs) -> losses, with those of the pair, and the inputs."""
        table = ("losses", Type(DType.F32, (self.estimate.pairs, 2)))
        builder = Builder(self.program(self.loss), [("pair", Type(DType.I64)), table, *operands(self.inputs)])
        builder.note = BACKWARD
        sigma, inputs = Value(builder, builder.read(SIGMA)), _operands(builder, self.inputs)
        both = list(zip(self._read(builder, self.registers), self._drawn(builder), strict=True))
        found = [self._losses([p.axpy(e, by) for p, e in both], inputs)[0] for by in (sigma, -sigma)]
        row = concatenate([value.cast(DType.F32).reshape(1) for value in found])
        losses = Value(builder, "losses").op(Op.SCATTER_SET, row, Value(builder, "pair"))
        named = [(decl.name, value.name) for decl, value in zip(self.inputs, inputs, strict=True)]
        return builder.routine(TRY, [("losses", losses.name), *named])

    def _add(self) -> Routine:
        """(pair, sums, shares f64[pairs]) -> sums with the pair's perturbation by its share, and the shares."""
        shares = ("shares", Type(DType.F64, (self.estimate.pairs,)))
        sums = operands(self.registers)
        builder = Builder(self.program(self.loss), [("pair", Type(DType.I64)), *sums, shares])
        builder.note = BACKWARD
        share = Value(builder, "shares").op(Op.GATHER, Value(builder, "pair"))
        added = [Value(builder, name).axpy(e, share) for (name, _), e in zip(sums, self._drawn(builder), strict=True)]
        named = [(decl.name, value.name) for decl, value in zip(self.registers, added, strict=True)]
        return builder.routine(ADD, [*named, ("shares", "shares")])

    def _shares(self, losses: Value) -> Value:
        """Each pair's share of its perturbation in the gradient, f64[pairs]: by their losses or ranks."""
        worth = _ranks(losses) if self.estimate.shaped else losses.cast(DType.F64)
        difference = (worth.narrow(1, 0, 1) - worth.narrow(1, 1, 2)).reshape(self.estimate.pairs)
        sigma = Value(losses.builder, losses.builder.read(SIGMA))
        return difference / (sigma * (2.0 * self.estimate.pairs))

    def _drawn(self, builder: Builder) -> list[Value]:
        """The pair's perturbation of each register; gaps of an arena stay zero."""
        step = Value(builder, builder.read("step")) * self.estimate.pairs + Value(builder, "pair")
        draw = _Draw((Value(builder, builder.read("seed")), step), self.sites, self.estimate.rank)
        by_name = {arena.decl.name: arena for arena in self.arenas}
        return [
            joined(by_name[decl.name], [draw.of(piece.type) for piece in by_name[decl.name].pieces])
            if decl.name in by_name
            else draw.of(decl.type)
            for decl in self.registers
        ]


@dataclass(slots=True)
class _Draw:
    """Perturbations of one parameter after another, each from random sites of its own."""

    key: tuple[Value, Value]
    site: int
    rank: int

    def of(self, type: Type) -> Value:
        """Standard normal numbers of a shape; of a matrix whose sides are longer, a product of that rank."""
        rows, columns = type.shape[0] if type.shape else 1, prod(type.shape[1:])
        if not 0 < self.rank < min(rows, columns):
            return self._numbers(type.size).reshape(*type.shape).cast(type.dtype)
        left, right = self._numbers(rows * self.rank), self._numbers(columns * self.rank)
        product = left.reshape(rows, self.rank) @ right.reshape(self.rank, columns)
        return product.scale(self.rank**-0.5).reshape(*type.shape).cast(type.dtype)

    def _numbers(self, count: int) -> Value:
        site, self.site = self.site, self.site + SITES
        return normals(self.key, count, site)


def _ranks(losses: Value) -> Value:
    """The place of each loss among all, from -0.5 (the least) to 0.5, ties sharing theirs: f64 of the same shape."""
    flat = losses.reshape(losses.type.size)
    flat = where(flat.equals(flat), flat, LARGEST)
    rows, columns = flat.reshape(losses.type.size, 1), flat.reshape(1, losses.type.size)
    less, same = (rows > columns).cast(DType.F64).sum(1), rows.equals(columns).cast(DType.F64).sum(1)
    places = less + (same - 1.0) * 0.5
    return (places / (losses.type.size - 1.0) - 0.5).reshape(*losses.shape)
