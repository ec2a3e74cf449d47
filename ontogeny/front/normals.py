"""Normal random numbers out of the language's own bits, by Box and Muller's method (1958): the same at every replay."""

from __future__ import annotations

from collections.abc import Sequence
from math import tau

from ontogeny.front.author import Value, concatenate, constant
from ontogeny.front.layout import Arena, gaps
from ontogeny.isa.op import Op

SITES = 2
"""How many random sites `normals` takes: its own and the next."""


def normals(key: Sequence[Value], count: int, site: int) -> Value:
    """f32[count] normal numbers of key (i64 seed, i64 step): a radius and an angle, at two sites, give two."""
    builder, half = key[0].builder, (count + 1) // 2
    names = [part.name for part in key]
    one, two = (Value(builder, builder.one(Op.UNIFORM, *names, shape=(half,), site=site + more)) for more in (0, 1))
    radius, angle = ((1.0 - one).log() * -2.0).sqrt(), two * tau
    return concatenate([radius * angle.cos(), radius * angle.op(Op.SIN)]).narrow(0, 0, count)


def joined(arena: Arena, parts: Sequence[Value]) -> Value:
    """An arena's register: what belongs to its pieces one after another, zeros between."""
    zero, flat = constant(parts[0].builder, 0.0, arena.decl.type.dtype), []
    for piece, part, gap in zip(arena.pieces, parts, gaps(arena.pieces, arena.decl.type.size), strict=True):
        flat.append(part.reshape(piece.type.size))
        if gap:
            flat.append(zero.expand(gap))
    return concatenate(flat)
