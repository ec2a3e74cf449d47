"""Type rules of contraction, windows, reduction, scan, indexing, sorting and random numbers."""

from __future__ import annotations

from ontogeny.isa.op import Op
from ontogeny.isa.rules.site import ANY, INTS, NUMBERS, SCALAR_I64, Rule, Shape, Site, Types
from ontogeny.isa.types import DType, Type

MAX_SITE = (1 << 32) - 1
MAX_RANDOM = 1 << 33  # a counter of 32 bits, two words each


def dot(site: Site) -> Types:
    """[..., m, k] x [..., k, n] -> [..., m, n]."""
    site.expect(2)
    a, b = site.operands
    dtype = site.allow(NUMBERS, a, b)
    if a.rank < 2 or b.rank < 2:
        raise site.error("needs matrices, rank 2 or more; reshape the operand")
    if a.shape[:-2] != b.shape[:-2] or a.shape[-1] != b.shape[-2]:
        raise site.error("needs [..., m, k] and [..., k, n] with equal leading dimensions; broadcast first")
    return (Type(dtype, (*a.shape[:-1], b.shape[-1])),)


def places(site: Site, sizes: Shape, window: Shape, stride: Shape, dilation: Shape) -> Shape:
    """How many places a sliding window has in each dimension. Raises where it does not fit once."""
    spans = [step * (width - 1) + 1 for width, step in zip(window, dilation, strict=True)]
    if any(span > size for span, size in zip(spans, sizes, strict=True)):
        raise site.error(f"windows that span {tuple(spans)} do not fit in {sizes}")
    return tuple((size - span) // step + 1 for size, span, step in zip(sizes, spans, stride, strict=True))


def window(site: Site) -> Types:
    """The last dimensions become numbers of places; the window's own dimensions are appended."""
    site.expect(1)
    a, size = site.operands[0], site.ints("size")
    count = len(size)
    if count > a.rank:
        raise site.error(f"size names {count} dimensions, the operand has {a.rank}")
    site.per_dim("size", count, 1)
    kept = a.rank - count
    found = places(site, a.shape[kept:], size, site.per_dim("stride", count, 1), site.per_dim("dilation", count, 1))
    return (a.with_shape(a.shape[:kept] + found + size),)


def reduced(operand: Type, dims: Shape, keep: bool) -> Type:
    """The operand's type without the dimensions, or with size one there."""
    if keep:
        return operand.with_shape(tuple(1 if dim in dims else size for dim, size in enumerate(operand.shape)))
    return operand.with_shape(tuple(size for dim, size in enumerate(operand.shape) if dim not in dims))


def reduction(family: frozenset[DType], of_none: bool) -> Rule:
    """The rule of a reduction over {dims}; over none it changes nothing. `of_none`: no elements at all have a value."""

    def rule(site: Site) -> Types:
        site.expect(1)
        a = site.operands[0]
        site.allow(family, a)
        dims = site.dims(a)
        if not of_none and any(a.shape[dim] == 0 for dim in dims):
            raise site.error("is not defined over a dimension of size 0")
        return (reduced(a, dims, site.flag("keep")),)

    return rule


def argmax(site: Site) -> Types:
    """An i64 index."""
    site.expect(1)
    a = site.operands[0]
    site.allow(NUMBERS, a)
    dim = site.dim(a)
    if a.shape[dim] == 0:
        raise site.error("is not defined over a dimension of size 0")
    return (reduced(a, (dim,), site.flag("keep")).with_dtype(DType.I64),)


def scan(site: Site) -> Types:
    """The type stays."""
    site.expect(1)
    site.allow(NUMBERS, site.operands[0])
    site.dim(site.operands[0])
    site.one_of("kind", "add", "mul", "max")
    return site.operands


def indexed(site: Site, a: Type, indices: Types) -> Type:
    """The type of a[i, j, ...]."""
    if not 1 <= len(indices) <= a.rank:
        raise site.error(f"takes from 1 to {a.rank} index operands for {a}, {len(indices)} given")
    for index in indices:
        site.allow(INTS, index)
    return a.with_shape(site.common(*indices) + a.shape[len(indices) :])


def gather(site: Site) -> Types:
    """The indices' common shape, then the dimensions not indexed."""
    if len(site.operands) < 2:
        raise site.error("takes an operand and one index or more")
    return (indexed(site, site.operands[0], site.operands[1:]),)


def scatter(family: frozenset[DType]) -> Rule:
    """The rule of writing b, of exactly the type of a[i, j, ...], into a."""

    def rule(site: Site) -> Types:
        if len(site.operands) < 3:
            raise site.error("takes two operands and one index or more")
        a, b, *indices = site.operands
        site.allow(family, a)
        site.same("what is put there", b, indexed(site, a, tuple(indices)))
        return (a,)

    return rule


def sort(site: Site) -> Types:
    """The type stays; the places are i64."""
    site.expect(1)
    a = site.operands[0]
    site.allow(NUMBERS, a)
    site.dim(a)
    return (a, a.with_dtype(DType.I64))


def random(dtype: DType) -> Rule:
    """The rule of numbers drawn by (seed, step) and {site}."""

    def rule(site: Site) -> Types:
        site.expect(2)
        for what, operand in zip(("seed", "step"), site.operands, strict=True):
            site.same(what, operand, SCALAR_I64)
        if not 0 <= site.integer("site") <= MAX_SITE:
            raise site.error(f"site must be from 0 to {MAX_SITE}, not {site.integer('site')}")
        result = Type(dtype, site.ints("shape"))
        if result.size > MAX_RANDOM:
            raise site.error(f"draws {MAX_RANDOM} numbers at most; split {result} over sites")
        return (result,)

    return rule


RULES: dict[Op, Rule] = {
    Op.DOT: dot,
    Op.WINDOW: window,
    Op.SUM: reduction(NUMBERS, of_none=True),
    Op.REDUCE_MAX: reduction(NUMBERS, of_none=False),
    Op.ARGMAX: argmax,
    Op.SCAN: scan,
    Op.GATHER: gather,
    Op.SCATTER_SET: scatter(ANY),
    Op.SCATTER_ADD: scatter(NUMBERS),
    Op.SORT: sort,
    Op.RAND_BITS: random(DType.U32),
    Op.UNIFORM: random(DType.F32),
}
