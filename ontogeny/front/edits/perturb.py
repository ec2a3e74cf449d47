"""A routine `perturb`: shrink and perturb (Ash and Adams 2020, arXiv 1910.08475), p = shrink * p + sigma * noise.

The noise is that of a fresh beginning: normal numbers by seed, step and tensor, times the deviation that the tensor
began with where that is given, else that of `torch.nn.Linear`, 1 / sqrt(3 * inputs) for matrices and none for the rest.
What the rule keeps, such as momentum, stays as it is; the authors begin a new optimizer with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod, sqrt

from ontogeny.front.author import Value
from ontogeny.front.edits import routines
from ontogeny.front.edits.edit import Edit, Kind, Parameter
from ontogeny.front.edits.edited import listed
from ontogeny.front.edits.notes import Standing
from ontogeny.front.edits.places import matching
from ontogeny.front.edits.rewrite import COUNTERS, Rewrite
from ontogeny.front.normals import SITES, normals
from ontogeny.front.update import UPDATE
from ontogeny.isa.build import Builder
from ontogeny.isa.errors import EditError
from ontogeny.isa.program import Decl, Note, Routine
from ontogeny.isa.types import DType, Type

NAME, SHRINK, SIGMA = "perturb", "perturb_shrink", "perturb_sigma"
DEFAULTS = {SHRINK: 0.4, SIGMA: 0.1}
"""What the dials begin with."""


def make(
    rewrite: Rewrite,
    shrink: float | None,
    sigma: float | None,
    every: float | None,
    tensors: Sequence[str],
    deviations: Mapping[str, float],
) -> str:
    """The routine, or another in its place; dials that are there and not given keep their values."""
    if shrink is not None and not 0 <= shrink <= 1:
        raise EditError(f"perturb: shrink={shrink:g}: parameters are shrunk, by a factor from 0 to 1")
    if sigma is not None and sigma < 0:
        raise EditError(f"perturb: sigma={sigma:g}: noise is measured in deviations, 0 or more")
    decls = matching(rewrite.program, tensors or ["*"])
    if unknown := [name for name in deviations if name not in {decl.name for decl in decls}]:
        raise EditError(f"perturb: a deviation of {unknown[0]!r}, which is none of {', '.join(d.name for d in decls)}")
    for dial, value in ((SHRINK, shrink), (SIGMA, sigma)):
        rewrite.dial(dial, DEFAULTS[dial] if value is None and rewrite.decl(dial) is None else value)
    said = [
        Standing(NAME, (decl.name,), {"deviation": repr(float(deviations.get(decl.name, _usual(decl))))})
        for decl in decls
        if decl.type.dtype.is_float
    ]
    routines.put(rewrite, NAME, said, again, every)
    return f"a routine {NAME}: {', '.join(tensors) or 'all parameters'} shrunk, with fresh noise{_kept(rewrite)}"


def _kept(rewrite: Rewrite) -> str:
    """That the rule's own state outlives it, where there is some: its authors begin a new optimizer."""
    kept = [d.name for d in rewrite.program.decls if d.kind == "state" and rewrite.updates(d.name) and d.type.size > 1]
    return f"; what the rule keeps ({listed(kept)}) stays as it is, and is not begun anew" if kept else ""


def _usual(decl: Decl) -> float:
    """The standard deviation of the weights that a linear layer begins with: uniform up to 1 / sqrt(inputs)."""
    return 1.0 / sqrt(3.0 * max(1, prod(decl.type.shape[1:]))) if decl.type.rank >= 2 else 0.0


def again(rewrite: Rewrite, said: Sequence[Standing]) -> tuple[Routine, ...]:
    """The routine; of what is frozen only the notes. Raises EditError without seed and step, by which it draws."""
    for name in COUNTERS:
        decl = rewrite.decl(name)
        if decl is None or decl.kind != "state" or decl.type != Type(DType.I64):
            raise EditError(f"perturb draws by the registers seed and step, and the program has no state {name}: i64[]")
    builder = Builder(routines.without(rewrite, NAME))
    site, still = routines.next_site(rewrite, NAME), routines.frozen(rewrite)
    new: dict[str, Value] = {}
    for one in said:
        decl = rewrite.decl(one.patterns[0])
        builder.note = Note(UPDATE, one.where)
        if decl is not None:
            now = Value(builder, builder.read(decl.name))
            if decl.name not in still:
                new[decl.name] = _perturbed(now, float(one.options["deviation"]), site)
        site += SITES
    routines.commit(builder, new)
    return (builder.routine(NAME, []),)


def _perturbed(now: Value, deviation: float, site: int) -> Value:
    builder, type_ = now.builder, now.type
    shrunk = now.scale(Value(builder, builder.read(SHRINK)))
    if not deviation:
        return shrunk
    key = [Value(builder, builder.read(name)) for name in COUNTERS]
    noise = normals(key, type_.size, site).reshape(*type_.shape).cast(type_.dtype)
    return shrunk.axpy(noise, Value(builder, builder.read(SIGMA)) * deviation)


EDIT = Edit(
    NAME,
    "a routine perturb, which shrinks parameters and adds fresh noise, every so many steps or when called",
    (
        Parameter("shrink", Kind.NUMBER, "what parameters are scaled by, for the dial perturb_shrink (new: 0.4)", None),
        Parameter("sigma", Kind.NUMBER, "the noise in deviations, for the dial perturb_sigma (new: 0.1)", None),
        Parameter("every", Kind.NUMBER, "steps between two, for the dial perturb_every (new: 0, never)", None),
        Parameter("tensors", Kind.NAMES, "the parameters, by name or pattern; else all", ()),
        Parameter("deviations", Kind.NUMBERS, "how far parameters spread as they began, by name", {}),
    ),
    make,
)
