"""Type rules of the macros. Their operands and results stand in the order of the meanings in `isa/op.py`."""

from __future__ import annotations

from ontogeny.isa.op import Op
from ontogeny.isa.rules.elementwise import elementwise
from ontogeny.isa.rules.reduce import places, reduction
from ontogeny.isa.rules.site import BITS, INTS, NUMBERS, SCALAR_F64, Rule, Shape, Site, Types
from ontogeny.isa.types import FLOATS, DType, Type


def steered(count: int) -> Rule:
    """The rule of `count` float operands of one format that broadcast, then an f64 scalar."""

    def rule(site: Site) -> Types:
        site.expect(count + 1)
        *operands, scalar = site.operands
        site.same("the last operand", scalar, SCALAR_F64)
        return (Type(site.allow(FLOATS, *operands), site.common(*operands)),)

    return rule


def gelu(count: int) -> Rule:
    """The rule of gelu and its backward."""
    plain = elementwise(count, FLOATS)

    def rule(site: Site) -> Types:
        site.one_of("approximate", "none", "tanh")
        return plain(site)

    return rule


def linear(site: Site) -> Types:
    """a that broadcasts to [n, m], b [n, k], c [k, m] -> [n, m]."""
    site.expect(3)
    a, b, c = site.operands
    dtype = site.allow(FLOATS, a, b, c)
    if b.rank != 2 or c.rank != 2 or b.shape[1] != c.shape[0]:
        raise site.error("needs matrices [n, k] and [k, m] as the last two operands")
    result = Type(dtype, (b.shape[0], c.shape[1]))
    if site.common(a, result) != result.shape:
        raise site.error(f"the first operand does not broadcast to {result}")
    return (result,)


def along(count: int) -> Rule:
    """The rule of softmax and the like: `count` float operands of one type, along {dim}."""

    def rule(site: Site) -> Types:
        site.expect(count)
        first = site.operands[0]
        site.allow(FLOATS, first)
        for operand in site.operands[1:]:
            site.same("the second operand", operand, first)
        site.dim(first)
        return (first,)

    return rule


def _normalised(site: Site, a: Type) -> tuple[Type, Type]:
    """The types of layer norm's weight and of its mean."""
    site.allow(FLOATS, a)
    rank = site.integer("rank")
    if not 1 <= rank <= a.rank:
        raise site.error(f"rank must be from 1 to {a.rank}, not {rank}")
    kept = a.rank - rank
    return a.with_shape(a.shape[kept:]), a.with_shape(a.shape[:kept] + (1,) * rank)


def layer_norm(site: Site) -> Types:
    """(a) or (a, w, b) -> (y, mean, rstd)."""
    site.expect(1, 3)
    a = site.operands[0]
    weight, mean = _normalised(site, a)
    for operand in site.operands[1:]:
        site.same("weight and bias", operand, weight)
    return a, mean, mean


def layer_norm_backward(site: Site) -> Types:
    """(g, a, mean, rstd) -> (da), or with a weight (g, a, mean, rstd, w) -> (da, dw, db)."""
    site.expect(4, 5)
    g, a, *found = site.operands
    weight, mean = _normalised(site, a)
    site.same("the gradient", g, a)
    site.same("mean", found[0], mean)
    site.same("rstd", found[1], mean)
    if len(found) == 2:
        return (a,)
    site.same("weight", found[2], weight)
    return a, weight, weight


def _channel(site: Site, a: Type) -> Type:
    """The type of what batch norm keeps for each channel."""
    site.allow(FLOATS, a)
    if a.rank < 2:
        raise site.error("needs [n, c, ...], rank 2 or more")
    return a.with_shape((a.shape[1],))


def batch_norm(site: Site) -> Types:
    """(a, w, b, running mean, running variance) -> (y, mean, rstd, new running mean, new running variance)."""
    site.expect(5)
    a = site.operands[0]
    channel = _channel(site, a)
    for what, operand in zip(("weight", "bias", "running mean", "running variance"), site.operands[1:], strict=True):
        site.same(what, operand, channel)
    return a, channel, channel, channel, channel


def batch_norm_backward(site: Site) -> Types:
    """(g, a, w, running mean, running variance, mean, rstd) -> (da, dw, db)."""
    site.expect(7)
    g, a, *rest = site.operands
    channel = _channel(site, a)
    site.same("the gradient", g, a)
    for what, operand in zip(("weight", "running mean", "running variance", "mean", "rstd"), rest, strict=True):
        site.same(what, operand, channel)
    return a, channel, channel


def _convolved(site: Site, a: Type, w: Type) -> Type:
    """The type of a convolved with w."""
    dtype, count = site.allow(FLOATS, a, w), a.rank - 2
    if count < 1 or w.rank != a.rank:
        raise site.error("needs [n, c, ...] and [o, c / groups, ...] of one rank, 3 or more")
    groups = site.integer("groups")
    if groups < 1 or w.shape[0] % groups or w.shape[1] * groups != a.shape[1]:
        raise site.error(f"{groups} groups do not share {a.shape[1]} channels and {w.shape[0]} results of {w}")
    if 0 in w.shape[2:]:
        raise site.error("the kernel must not be empty")
    padding = site.per_dim("padding", count, 0)
    stride, dilation = site.per_dim("stride", count, 1), site.per_dim("dilation", count, 1)
    sizes = tuple(size + 2 * more for size, more in zip(a.shape[2:], padding, strict=True))
    return Type(dtype, (a.shape[0], w.shape[0], *places(site, sizes, w.shape[2:], stride, dilation)))


def conv(site: Site) -> Types:
    """(a, w) or (a, w, bias) -> (y)."""
    site.expect(2, 3)
    a, w, *bias = site.operands
    result = _convolved(site, a, w)
    for operand in bias:
        site.same("bias", operand, w.with_shape((w.shape[0],)))
    return (result,)


def conv_backward(site: Site) -> Types:
    """(g, a, w) -> (da, dw, dbias)."""
    site.expect(3)
    g, a, w = site.operands
    site.same("the gradient", g, _convolved(site, a, w))
    return a, w, w.with_shape((w.shape[0],))


def _pooled(site: Site, a: Type) -> Type:
    """The type of a pooled over its last dimensions. Padding is at most half a window, so that none is all padding."""
    site.allow(FLOATS, a)
    size = site.ints("size")
    count = len(size)
    if not 1 <= count <= a.rank:
        raise site.error(f"size must name from 1 to {a.rank} dimensions, not {count}")
    site.per_dim("size", count, 1)
    padding = site.per_dim("padding", count, 0)
    if any(2 * more > width for more, width in zip(padding, size, strict=True)):
        raise site.error(f"padding {padding} must be at most half of size {size}")
    kept = a.rank - count
    sizes: Shape = tuple(length + 2 * more for length, more in zip(a.shape[kept:], padding, strict=True))
    return a.with_shape(a.shape[:kept] + places(site, sizes, size, site.per_dim("stride", count, 1), (1,) * count))


def max_pool(site: Site) -> Types:
    """(a) -> (y, places)."""
    site.expect(1)
    result = _pooled(site, site.operands[0])
    return result, result.with_dtype(DType.I64)


def max_pool_backward(site: Site) -> Types:
    """(g, a, places) -> (da)."""
    site.expect(3)
    g, a, found = site.operands
    result = _pooled(site, a)
    site.same("the gradient", g, result)
    site.same("the places", found, result.with_dtype(DType.I64))
    return (a,)


def avg_pool(site: Site) -> Types:
    """(a) -> (y)."""
    site.expect(1)
    return (_pooled(site, site.operands[0]),)


def avg_pool_backward(site: Site) -> Types:
    """(g, a) -> (da)."""
    site.expect(2)
    g, a = site.operands
    site.same("the gradient", g, _pooled(site, a))
    return (a,)


def _labelled(site: Site, a: Type, target: Type) -> Type:
    """The type of a loss over rows of a."""
    dtype = site.allow(FLOATS, a)
    if a.rank != 2:
        raise site.error("needs rows [n, c] of log-probabilities; reshape first")
    site.same("the target", target, Type(DType.I64, a.shape[:1]))
    return Type(dtype)


def nll_loss(site: Site) -> Types:
    """(a, target) -> (loss, count)."""
    site.expect(2)
    loss = _labelled(site, *site.operands)
    return loss, loss


def nll_loss_backward(site: Site) -> Types:
    """(g, a, target, count) -> (da)."""
    site.expect(4)
    g, a, target, count = site.operands
    loss = _labelled(site, a, target)
    site.same("the gradient", g, loss)
    site.same("the count", count, loss)
    return (a,)


def embedding_backward(site: Site) -> Types:
    """(g, index) -> (rows): g is as index, then the shape of a row. A {padding} of -1 means no such row."""
    site.expect(2)
    g, index = site.operands
    site.allow(FLOATS, g)
    site.allow(INTS, index)
    rows, padding = site.integer("rows"), site.integer("padding")
    if g.shape[: index.rank] != index.shape:
        raise site.error("the gradient must have the index's shape, then that of a row")
    if rows < 0 or not -1 <= padding < max(rows, 1):
        raise site.error(f"padding must be -1 for none or from 0 to rows - 1, not {padding} of {rows}")
    return (g.with_shape((rows, *g.shape[index.rank :])),)


RULES: dict[Op, Rule] = {
    Op.NAND: elementwise(2, BITS),
    Op.SIGN: elementwise(1, NUMBERS),
    **dict.fromkeys((Op.RSQRT, Op.RECIPROCAL, Op.RELU, Op.SIGMOID, Op.SILU), elementwise(1, FLOATS)),
    **dict.fromkeys(
        (Op.RELU_BACKWARD, Op.SIGMOID_BACKWARD, Op.TANH_BACKWARD, Op.SILU_BACKWARD),
        elementwise(2, FLOATS),
    ),
    Op.GELU: gelu(1),
    Op.GELU_BACKWARD: gelu(2),
    **dict.fromkeys((Op.ADDCMUL, Op.ADDCDIV), steered(3)),
    **dict.fromkeys((Op.LERP, Op.AXPY), steered(2)),
    Op.SCALE: steered(1),
    Op.LINEAR: linear,
    **dict.fromkeys((Op.MEAN, Op.VARIANCE), reduction(FLOATS, of_none=False)),
    **dict.fromkeys((Op.SOFTMAX, Op.LOG_SOFTMAX), along(1)),
    **dict.fromkeys((Op.SOFTMAX_BACKWARD, Op.LOG_SOFTMAX_BACKWARD), along(2)),
    Op.LAYER_NORM: layer_norm,
    Op.LAYER_NORM_BACKWARD: layer_norm_backward,
    Op.BATCH_NORM: batch_norm,
    Op.BATCH_NORM_BACKWARD: batch_norm_backward,
    Op.CONV: conv,
    Op.CONV_BACKWARD: conv_backward,
    Op.MAX_POOL: max_pool,
    Op.MAX_POOL_BACKWARD: max_pool_backward,
    Op.AVG_POOL: avg_pool,
    Op.AVG_POOL_BACKWARD: avg_pool_backward,
    Op.NLL_LOSS: nll_loss,
    Op.NLL_LOSS_BACKWARD: nll_loss_backward,
    Op.EMBEDDING_BACKWARD: embedding_backward,
}
