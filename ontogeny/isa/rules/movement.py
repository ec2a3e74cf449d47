"""Type rules of memory and state, and of data movement."""

from __future__ import annotations

from ontogeny.isa.op import Op
from ontogeny.isa.program import Decl
from ontogeny.isa.rules.site import ANY, Rule, Site, Types, int_range
from ontogeny.isa.tables import declarations
from ontogeny.isa.types import DType, Type, broadcast


def declared(site: Site) -> Decl:
    """The declaration that {name} means."""
    if site.program is None:
        raise site.error("needs the program it stands in")
    name = site.text("name")
    decl = declarations(site.program).get(name)
    if decl is None:
        raise site.error(f"nothing called {name!r:.80} is declared; declare it as param, state, dial or input")
    return decl


def read(site: Site) -> Types:
    """The declared type."""
    site.expect(0)
    return (declared(site).type,)


def commit(site: Site) -> Types:
    """No result; the operand has the declared type of a register that is kept whole."""
    site.expect(1)
    decl = declared(site)
    if decl.kind not in ("param", "state"):
        raise site.error(f"{decl.name!r} is declared {decl.kind}; only a param or a state is kept")
    if decl.arena:
        raise site.error(f"{decl.name!r} is a piece of {decl.arena!r}; commit that whole")
    site.same(f"what {decl.name!r} becomes", site.operands[0], decl.type)
    return ()


def const(site: Site) -> Types:
    """One number for every element, or one number each."""
    site.expect(0)
    result, value = Type(site.dtype(), site.ints("shape")), site.attrs["value"]
    numbers = value if isinstance(value, tuple) else (site.number("value"),)
    if isinstance(value, tuple) and len(value) != result.size:
        raise site.error(f"{result} holds {result.size} numbers, {len(value)} given")
    for number in numbers:
        site.fits("value", number, result.dtype)
    return (result,)


def reshape(site: Site) -> Types:
    """As many elements as before."""
    site.expect(1)
    result = site.operands[0].with_shape(site.ints("shape"))
    if result.size != site.operands[0].size or any(size < 0 for size in result.shape):
        raise site.error(f"{result.shape} does not hold as many elements")
    return (result,)


def permute(site: Site) -> Types:
    """Every dimension once."""
    site.expect(1)
    a = site.operands[0]
    dims = site.dims(a)
    if len(dims) != a.rank:
        raise site.error(f"dims must name all {a.rank} dimensions, not {dims}")
    return (a.with_shape(tuple(a.shape[dim] for dim in dims)),)


def stretch(site: Site) -> Types:
    """The operand's shape broadcasts to the shape given without changing it."""
    site.expect(1)
    a, shape = site.operands[0], site.ints("shape")
    try:
        fits = broadcast(a.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise site.error(f"cannot be stretched to {shape}")
    return (a.with_shape(shape),)


def cut(site: Site) -> Types:
    """A part of every dimension: 0 <= start <= stop <= size, step of one or more."""
    site.expect(1)
    a = site.operands[0]
    starts, stops = site.per_dim("starts", a.rank, 0), site.per_dim("stops", a.rank, 0)
    steps = site.per_dim("steps", a.rank, 1)
    for start, stop, size in zip(starts, stops, a.shape, strict=True):
        if not start <= stop <= size:
            raise site.error(f"needs 0 <= start <= stop <= size in every dimension, not starts {starts}, stops {stops}")
    lengths = ((stop - start + step - 1) // step for start, stop, step in zip(starts, stops, steps, strict=True))
    return (a.with_shape(tuple(lengths)),)


def pad(site: Site) -> Types:
    """Every dimension grows."""
    site.expect(1)
    a = site.operands[0]
    low, high = site.per_dim("low", a.rank, 0), site.per_dim("high", a.rank, 0)
    site.fits("value", site.number("value"), a.dtype)
    return (a.with_shape(tuple(map(sum, zip(low, a.shape, high, strict=True)))),)


def cat(site: Site) -> Types:
    """One dimension adds up, the others are equal."""
    if not site.operands:
        raise site.error("takes one operand or more, 0 given")
    site.allow(ANY, *site.operands)
    first = site.operands[0]
    dim = site.dim(first)
    for operand in site.operands:
        if operand.rank != first.rank or _without(operand, dim) != _without(first, dim):
            raise site.error(f"operands must agree in every dimension but {dim}")
    total = sum(operand.shape[dim] for operand in site.operands)
    return (first.with_shape((*first.shape[:dim], total, *first.shape[dim + 1 :])),)


def _without(operand: Type, dim: int) -> tuple[int, ...]:
    return operand.shape[:dim] + operand.shape[dim + 1 :]


def flip(site: Site) -> Types:
    """The type stays."""
    site.expect(1)
    site.dims(site.operands[0])
    return site.operands


def iota(site: Site) -> Types:
    """Numbers that the format can hold."""
    site.expect(0)
    result = Type(site.dtype(), site.ints("shape"))
    if result.dtype is DType.BOOL:
        raise site.error("counts in numbers, not bool")
    last = max(0, result.shape[site.dim(result)] - 1)
    if result.dtype.is_int and last > int_range(result.dtype)[1]:
        raise site.error(f"{last} is too large for {result.dtype}")
    return (result,)


RULES: dict[Op, Rule] = {
    Op.READ: read,
    Op.COMMIT: commit,
    Op.CONST: const,
    Op.RESHAPE: reshape,
    Op.PERMUTE: permute,
    Op.BROADCAST: stretch,
    Op.SLICE: cut,
    Op.PAD: pad,
    Op.CAT: cat,
    Op.FLIP: flip,
    Op.IOTA: iota,
}
