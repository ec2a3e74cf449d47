"""Normal noise added to the gradients, from the language's own random bits: the same at every replay.

By Box and Muller's method (1958); the dial `noise` is its standard deviation.
"""

from __future__ import annotations

from functools import partial
from math import tau

from ontogeny.front.author import Value, concatenate, constant
from ontogeny.front.edits.edit import Edit, Kind, Parameter
from ontogeny.front.edits.gradients import arena, change_gradients
from ontogeny.front.edits.notes import NOISE, Standing
from ontogeny.front.edits.rewrite import COUNTERS, Rewrite
from ontogeny.front.layout import gaps
from ontogeny.isa.build import Builder
from ontogeny.isa.errors import EditError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Decl
from ontogeny.isa.types import DType, Type


def make(rewrite: Rewrite, scale: float) -> str:
    """The noise, or where there is some its scale; with 0 it goes."""
    there = [found.where for found in rewrite.standing if found.name == NOISE]
    if scale < 0 or (not scale and not there):
        raise EditError("gradients have no added noise; give its standard deviation, as more than 0")
    if not scale:
        rewrite.strip(there[0])
        return "no more noise is added to the gradients"
    rewrite.dial(NOISE, scale)
    if not there:
        again(rewrite, Standing(NOISE))
    return f"normal noise of standard deviation {scale:g} is added to the gradients"


def again(rewrite: Rewrite, standing: Standing) -> None:
    """Draws of their own, after the edits of the gradient that there are. Raises EditError without a seed."""
    for name in COUNTERS:
        decl = rewrite.decl(name)
        if decl is None or decl.kind != "state" or decl.type != Type(DType.I64):
            raise EditError(
                f"noise is drawn by the registers seed and step, and the program has no state {name}: i64[]"
            )
    change_gradients(rewrite, standing.where, partial(_noisy, rewrite))


def _noisy(rewrite: Rewrite, builder: Builder, given: list[tuple[Decl, Value]]) -> list[Value]:
    drawn = (Op.RAND_BITS, Op.UNIFORM)
    bodies = [i for r in rewrite.program.routines for i in r.body] + rewrite.body
    site = max((int(str(i.attr("site"))) for i in bodies if i.op in drawn), default=-1) + 1
    scale = Value(builder, builder.read(NOISE))
    return [
        value.axpy(_normal(rewrite, builder, decl, site + 2 * at).cast(value.dtype), scale)
        for at, (decl, value) in enumerate(given)
    ]


def _normal(rewrite: Rewrite, builder: Builder, decl: Decl, site: int) -> Value:
    """Normal numbers for a register's elements; the gaps of an arena stay zero."""
    of = arena(rewrite, decl)
    free = gaps(of.pieces, decl.type.size) if of.pieces else []
    numbers = _normals(builder, decl.type.size - sum(free), site)
    return _spread(of.pieces, free, numbers) if any(free) else numbers.reshape(*decl.type.shape)


def _normals(builder: Builder, count: int, site: int) -> Value:
    """Normal numbers: a radius and an angle give two."""
    half = (count + 1) // 2
    key = [builder.read(name) for name in COUNTERS]
    one, two = (Value(builder, builder.one(Op.UNIFORM, *key, shape=(half,), site=site + more)) for more in (0, 1))
    radius, angle = ((1.0 - one).log() * -2.0).sqrt(), two * tau
    return concatenate([radius * angle.cos(), radius * angle.op(Op.SIN)]).narrow(0, 0, count)


def _spread(pieces: tuple[Decl, ...], free: list[int], numbers: Value) -> Value:
    """The numbers laid out over an arena's pieces."""
    parts, at = [], 0
    for piece, gap in zip(pieces, free, strict=True):
        parts.append(numbers.narrow(0, at, at + piece.type.size))
        parts += [constant(numbers.builder, 0.0, numbers.dtype).expand(gap)] if gap else []
        at += piece.type.size
    return concatenate(parts)


EDIT = Edit(
    NOISE,
    "normal noise added to the gradients",
    (Parameter("scale", Kind.NUMBER, "its standard deviation, for the dial noise; 0 takes it away"),),
    make,
    again,
)
