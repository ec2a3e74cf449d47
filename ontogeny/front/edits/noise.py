"""Normal noise added to the gradients, from the language's own random bits: the same at every replay.

The dial `noise` is its standard deviation.
"""

from __future__ import annotations

from functools import partial
from itertools import accumulate

from ontogeny.front.author import Value
from ontogeny.front.edits.edit import Edit, Kind, Parameter
from ontogeny.front.edits.gradients import arena, change_gradients
from ontogeny.front.edits.notes import NOISE, Standing
from ontogeny.front.edits.rewrite import COUNTERS, Rewrite
from ontogeny.front.layout import gaps
from ontogeny.front.normals import SITES, joined, normals
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
        value.axpy(_normal(rewrite, builder, decl, site + SITES * at).cast(value.dtype), scale)
        for at, (decl, value) in enumerate(given)
    ]


def _normal(rewrite: Rewrite, builder: Builder, decl: Decl, site: int) -> Value:
    """Normal numbers for a register's elements; the gaps of an arena stay zero."""
    key, of = [Value(builder, builder.read(name)) for name in COUNTERS], arena(rewrite, decl)
    free = sum(gaps(of.pieces, decl.type.size)) if of.pieces else 0
    numbers = normals(key, decl.type.size - free, site)
    return joined(of, _cut(of.pieces, numbers)) if free else numbers.reshape(*decl.type.shape)


def _cut(pieces: tuple[Decl, ...], numbers: Value) -> list[Value]:
    """The numbers one after another, as many to each piece as it has elements."""
    ends = list(accumulate(piece.type.size for piece in pieces))
    return [numbers.narrow(0, start, end) for start, end in zip([0, *ends], ends, strict=False)]


EDIT = Edit(
    NOISE,
    "normal noise added to the gradients",
    (Parameter("scale", Kind.NUMBER, "its standard deviation, for the dial noise; 0 takes it away"),),
    make,
    again,
)
