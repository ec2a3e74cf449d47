"""ATen's products, reductions, normalisations, convolutions, pools and losses."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, cast

from ontogeny.front.aten.resample import average, average_backward
from ontogeny.front.aten.table import Context, Handler, Meta, ints, wrap
from ontogeny.front.author import Value, where
from ontogeny.isa.op import Op
from ontogeny.isa.program import Number
from ontogeny.isa.types import DType


def _dot(ctx: Context, meta: Meta, a: Value, b: Value) -> Value:
    return a.op(Op.DOT, b)


def _addmm(ctx: Context, meta: Meta, bias: Value, a: Value, b: Value, beta: Number = 1, alpha: Number = 1) -> Value:
    if (beta, alpha) != (1, 1):
        wide = DType.F32 if meta.type.dtype.bytes < 4 else meta.type.dtype  # rounded once, as PyTorch's kernel does
        product = (a.cast(wide) @ b.cast(wide)) * alpha
        return (bias.cast(wide) * beta + product).cast(meta.type.dtype)
    return bias.op(Op.LINEAR, a, b)


def _baddbmm(ctx: Context, meta: Meta, bias: Value, a: Value, b: Value, beta: Number = 1, alpha: Number = 1) -> Value:
    product = (a @ b) if alpha == 1 else (a @ b) * alpha
    return product if beta == 0 else (bias if beta == 1 else bias * beta) + product


def _mv(ctx: Context, meta: Meta, a: Value, b: Value) -> Value:
    return (a @ b.reshape(b.shape[0], 1)).reshape(a.shape[0])


def _inner(ctx: Context, meta: Meta, a: Value, b: Value) -> Value:
    return (a.reshape(1, -1 if not a.shape else a.shape[0]) @ b.reshape(b.shape[0], 1)).reshape()


def _dims(dims: int | Sequence[int] | None, rank: int) -> tuple[int, ...]:
    if dims is None or dims == [] or dims == ():
        return tuple(range(rank))
    return (wrap(dims, rank),) if isinstance(dims, int) else tuple(wrap(d, rank) for d in dims)


def _sum(ctx: Context, meta: Meta, a: Value, dims: Any = None, keepdim: bool = False, **_: Any) -> Value:
    return a.cast(meta.type.dtype).op(Op.SUM, dims=_dims(dims, len(a.shape)), keep=keepdim)


def _mean(ctx: Context, meta: Meta, a: Value, dims: Any = None, keepdim: bool = False, **_: Any) -> Value:
    return a.cast(meta.type.dtype).op(Op.MEAN, dims=_dims(dims, len(a.shape)), keep=keepdim)


def _largest(ctx: Context, meta: Meta, a: Value, dims: Any = None, keepdim: bool = False) -> Value:
    return a.op(Op.REDUCE_MAX, dims=_dims(dims, len(a.shape)), keep=keepdim)


def _smallest(ctx: Context, meta: Meta, a: Value, dims: Any = None, keepdim: bool = False) -> Value:
    return -_largest(ctx, meta, -a, dims, keepdim)


def _max_dim(ctx: Context, meta: Meta, a: Value, dim: int, keepdim: bool = False) -> tuple[Value, Value]:
    dim = wrap(dim, len(a.shape))
    if a.dtype is DType.BOOL:
        values, places = _max_dim(ctx, meta, a.cast(DType.I64), dim, keepdim)
        return values.cast(DType.BOOL), places
    return a.op(Op.REDUCE_MAX, dims=(dim,), keep=keepdim), a.op(Op.ARGMAX, dim=dim, keep=keepdim)


def _argmax(ctx: Context, meta: Meta, a: Value, dim: int | None = None, keepdim: bool = False) -> Value:
    if dim is None:
        a, dim = a.reshape(a.type.size), 0
    return a.op(Op.ARGMAX, dim=wrap(dim, len(a.shape)), keep=keepdim)


def _any(ctx: Context, meta: Meta, a: Value, dims: Any = None, keepdim: bool = False) -> Value:
    ones = a.cast(DType.BOOL).cast(DType.I64)
    return ones.op(Op.REDUCE_MAX, dims=_dims(dims, len(a.shape)), keep=keepdim).cast(DType.BOOL)


def _all(ctx: Context, meta: Meta, a: Value, dims: Any = None, keepdim: bool = False) -> Value:
    return _any(ctx, meta, a.cast(DType.BOOL).op(Op.NOT), dims, keepdim).op(Op.NOT)


def _variance(
    ctx: Context, meta: Meta, a: Value, dims: Any = None, correction: Number = 1, keepdim: bool = False
) -> Value:
    return a.op(Op.VARIANCE, dims=_dims(dims, len(a.shape)), correction=correction, keep=keepdim)


def _var_mean(ctx: Context, meta: Meta, a: Value, dims: Any = None, **kw: Any) -> tuple[Value, Value]:
    return _variance(ctx, meta, a, dims, **kw), _mean(ctx, meta, a, dims, kw.get("keepdim", False))


def _cumulative(kind: str) -> Handler:
    def handler(ctx: Context, meta: Meta, a: Value, dim: int, **_: Any) -> Value:
        return a.cast(meta.type.dtype).op(Op.SCAN, dim=wrap(dim, len(a.shape)), kind=kind)

    return handler


def _norm(
    ctx: Context, meta: Meta, a: Value, order: Number = 2, dims: Any = None, keepdim: bool = False, **_: Any
) -> Any:
    if order != 2:
        return NotImplemented
    return (a * a).op(Op.SUM, dims=_dims(dims, len(a.shape)), keep=keepdim).sqrt()


def _softmax(op: Op) -> Handler:
    def handler(ctx: Context, meta: Meta, a: Value, dim: int, *_: Any, **__: Any) -> Value:
        return a.cast(meta.type.dtype).op(op, dim=wrap(dim, len(a.shape)))

    return handler


def _safe_softmax(ctx: Context, meta: Meta, a: Value, dim: int, *_: Any, **__: Any) -> Value:
    """As PyTorch's attention wants it: a row of nothing but minus infinity gives zeros, not NaN."""
    dim = wrap(dim, len(a.shape))
    empty = a.op(Op.REDUCE_MAX, dims=(dim,), keep=True).equals(float("-inf"))
    soft = a.op(Op.SOFTMAX, dim=dim)
    return where(empty, ctx.const(0.0, a.dtype), soft)


def _softmax_backward(op: Op) -> Handler:
    def handler(ctx: Context, meta: Meta, g: Value, y: Value, dim: int, *_: Any) -> Value:
        return g.op(op, y, dim=wrap(dim, len(y.shape)))

    return handler


def _layer_norm(
    ctx: Context, meta: Meta, a: Value, shape: Sequence[int], w: Value | None, b: Value | None, eps: float
) -> tuple[Value, ...]:
    weight = w if w is not None else ctx.full(1.0, a.type.with_shape(tuple(shape)))
    bias = b if b is not None else ctx.full(0.0, a.type.with_shape(tuple(shape)))
    return a.ops(Op.LAYER_NORM, weight, bias, rank=len(shape), eps=eps)


def _layer_norm_backward(
    ctx: Context,
    meta: Meta,
    g: Value,
    a: Value,
    shape: Sequence[int],
    mean: Value,
    rstd: Value,
    w: Value | None,
    *_: Any,
) -> tuple[Value, ...]:
    weight = w if w is not None else ctx.full(1.0, a.type.with_shape(tuple(shape)))
    return g.ops(Op.LAYER_NORM_BACKWARD, a, mean, rstd, weight, rank=len(shape))


def _channels(ctx: Context, a: Value, value: Value | None, default: float) -> Value:
    return value if value is not None else ctx.full(default, a.type.with_shape((a.shape[1],)))


def _batch_norm(
    ctx: Context, meta: Meta, a: Value, w: Value | None, b: Value | None, running_mean: Value | None,
    running_var: Value | None, train: bool, momentum: float, eps: float,
) -> tuple[Value, ...]:  # fmt: skip
    running = [_current(ctx, _channels(ctx, a, v, d)) for v, d in ((running_mean, 0.0), (running_var, 1.0))]
    operands = [_channels(ctx, a, w, 1.0), _channels(ctx, a, b, 0.0), *running]
    results = a.ops(Op.BATCH_NORM, *operands, train=train, momentum=momentum, eps=eps)
    for old, new in zip((running_mean, running_var), results[3:], strict=True):
        if train and old is not None:
            ctx.replaced[old.name] = new.name
    return results[:3]


def _current(ctx: Context, value: Value) -> Value:
    """A register's value after the layers that have replaced it so far: ATen changes running statistics in place."""
    return Value(ctx.builder, ctx.replaced.get(value.name, value.name))


def _batch_norm_backward(
    ctx: Context, meta: Meta, g: Value, a: Value, w: Value | None, running_mean: Value | None,
    running_var: Value | None, mean: Value | None, rstd: Value | None, train: bool, eps: float, *_: Any,
) -> tuple[Value, ...]:  # fmt: skip
    given = ((w, 1.0), (running_mean, 0.0), (running_var, 1.0), (mean, 0.0), (rstd, 1.0))
    operands = [_channels(ctx, a, v, d) for v, d in given]
    return g.ops(Op.BATCH_NORM_BACKWARD, a, *operands, train=train, eps=eps)


def _conv_attrs(a: Value, stride: Any, padding: Any, dilation: Any, groups: int) -> dict[str, Any]:
    rank = len(a.shape) - 2
    window = {"stride": ints(stride, rank), "padding": ints(padding, rank), "dilation": ints(dilation, rank)}
    return {**window, "groups": groups}


def _conv(
    ctx: Context, meta: Meta, a: Value, w: Value, b: Value | None, stride: Any, padding: Any, dilation: Any,
    transposed: bool, output_padding: Any, groups: int,
) -> Value:  # fmt: skip
    how = _conv_attrs(a, stride, padding, dilation, groups)
    if not transposed:
        return a.op(Op.CONV, *([w] if b is None else [w, b]), **how)
    result = a.ops(Op.CONV_BACKWARD, ctx.full(0.0, meta.type), w, **how)[0]  # what a convolution of it would send back
    return result if b is None else result + b.reshape(b.shape[0], *([1] * (len(a.shape) - 2)))


def _conv_backward(
    ctx: Context, meta: Meta, g: Value, a: Value, w: Value, bias: Any, stride: Any, padding: Any, dilation: Any,
    transposed: bool, output_padding: Any, groups: int, mask: Any,
) -> tuple[Value, ...]:  # fmt: skip
    how = _conv_attrs(a, stride, padding, dilation, groups)
    if not transposed:
        return g.ops(Op.CONV_BACKWARD, a, w, **how)
    return g.op(Op.CONV, w, **how), a.ops(Op.CONV_BACKWARD, g, w, **how)[1], g.sum(0, *range(2, len(g.shape)))


def _pool(rank: int, size: Any, stride: Any, padding: Any) -> dict[str, tuple[int, ...]]:
    window = ints(size, rank)
    return {"size": window, "stride": ints(stride, rank) if stride else window, "padding": ints(padding, rank)}


def _max_pool(rank: int) -> Handler:
    def handler(
        ctx: Context, meta: Meta, a: Value, size: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1,
        ceil: bool = False,
    ) -> Any:  # fmt: skip
        if set(ints(dilation, rank)) != {1} or _rounds_up(a, meta, **_pool(rank, size, stride, padding)):
            return NotImplemented
        return a.ops(Op.MAX_POOL, **_pool(rank, size, stride, padding))

    return handler


def _rounds_up(a: Value, meta: Meta, *, size: Any, stride: Any, padding: Any) -> bool:
    """Whether a pool has more windows than fit, as ceil_mode=True may give it."""
    inside = a.shape[-len(size) :]
    fitting = [(n + 2 * p - k) // s + 1 for n, p, k, s in zip(inside, padding, size, stride, strict=True)]
    return tuple(fitting) != meta.type.shape[-len(size) :]


def _max_pool_backward(rank: int) -> Handler:
    """Each gradient put back to the place in its plane that was the largest, whatever the windows were."""

    def handler(ctx: Context, meta: Meta, g: Value, a: Value, *how: Any) -> Value:
        size, stride, padding, dilation, _, places = how
        if set(ints(dilation, rank)) == {1} and not _rounds_up(
            a, Meta((g.type,)), **_pool(rank, size, stride, padding)
        ):
            return g.op(Op.MAX_POOL_BACKWARD, a, places, **_pool(rank, size, stride, padding))
        return scattered(ctx, g, a, places, rank)

    return handler


def scattered(ctx: Context, g: Value, a: Value, places: Value, rank: int) -> Value:
    """g added into zeros like a at flat places in the last `rank` dimensions."""
    planes, plane = prod(a.shape[:-rank]), prod(a.shape[-rank:])
    empty = ctx.full(0.0, g.type.with_shape((planes, plane)))
    at = places.reshape(planes, prod(g.shape[-rank:]))
    row = Value(ctx.builder, ctx.builder.one(Op.IOTA, shape=at.shape, dim=0, dtype=DType.I64))
    return empty.op(Op.SCATTER_ADD, g.reshape(*at.shape), row, at).reshape(*a.shape)


def _avg_pool(
    ctx: Context, meta: Meta, a: Value, size: Any, stride: Any = (), padding: Any = 0, ceil: bool = False,
    include_pad: bool = True, divisor: Any = None,
) -> Value:  # fmt: skip
    how = _pool(2, size, stride, padding)
    if divisor or (not include_pad and any(how["padding"])) or _rounds_up(a, meta, **how):
        return cast(Value, average(2)(ctx, meta, a, size, stride, padding, ceil, include_pad, divisor))
    return a.op(Op.AVG_POOL, **how)


def _avg_pool_backward(
    ctx: Context, meta: Meta, g: Value, a: Value, size: Any, stride: Any, padding: Any, ceil: bool, include_pad: bool,
    divisor: Any,
) -> Value:  # fmt: skip
    how = _pool(2, size, stride, padding)
    if divisor or (not include_pad and any(how["padding"])) or _rounds_up(a, Meta((g.type,)), **how):
        handler = average_backward(2)
        return cast(Value, handler(ctx, meta, g, a, size, stride, padding, ceil, include_pad, divisor))
    return g.op(Op.AVG_POOL_BACKWARD, a, **how)


def _nll(ctx: Context, meta: Meta, a: Value, target: Value, weight: Any, reduction: int, ignore: int) -> Any:
    if weight is not None or reduction != 1 or len(a.shape) != 2:
        return NotImplemented
    return a.ops(Op.NLL_LOSS, target, ignore=ignore)


def _nll_backward(
    ctx: Context, meta: Meta, g: Value, a: Value, target: Value, weight: Any, reduction: int, ignore: int, count: Value
) -> Any:
    if weight is not None or reduction != 1 or len(a.shape) != 2:
        return NotImplemented
    return g.op(Op.NLL_LOSS_BACKWARD, a, target, count, ignore=ignore)


def _mse(ctx: Context, meta: Meta, a: Value, b: Value, reduction: int = 1) -> Value:
    squared = (a - b) * (a - b)
    return squared if reduction == 0 else squared.mean() if reduction == 1 else squared.sum()


def _mse_backward(ctx: Context, meta: Meta, g: Value, a: Value, b: Value, reduction: int = 1) -> Value:
    scale = 2.0 / a.type.size if reduction == 1 else 2.0
    return (a - b) * scale * g


LAYERS: dict[str, Handler] = {
    "mm": _dot,
    "bmm": _dot,
    "addmm": _addmm,
    "baddbmm": _baddbmm,
    "mv": _mv,
    "dot": _inner,
    "sum": _sum,
    "sum.dim_IntList": _sum,
    "mean": _mean,
    "mean.dim": _mean,
    "amax": _largest,
    "amin": _smallest,
    "max": _largest,
    "min": _smallest,
    "max.dim": _max_dim,
    "argmax": _argmax,
    "any": _any,
    "any.dim": _any,
    "all": _all,
    "all.dim": _all,
    "var.correction": _variance,
    "var_mean.correction": _var_mean,
    "cumsum": _cumulative("add"),
    "cumprod": _cumulative("mul"),
    "linalg_vector_norm": _norm,
    "_softmax": _softmax(Op.SOFTMAX),
    "_safe_softmax": _safe_softmax,
    "_log_softmax": _softmax(Op.LOG_SOFTMAX),
    "_softmax_backward_data": _softmax_backward(Op.SOFTMAX_BACKWARD),
    "_log_softmax_backward_data": _softmax_backward(Op.LOG_SOFTMAX_BACKWARD),
    "native_layer_norm": _layer_norm,
    "native_layer_norm_backward": _layer_norm_backward,
    "native_batch_norm": _batch_norm,
    "_native_batch_norm_legit": _batch_norm,
    "native_batch_norm_backward": _batch_norm_backward,
    "convolution": _conv,
    "convolution_backward": _conv_backward,
    "max_pool2d_with_indices": _max_pool(2),
    "max_pool2d_with_indices_backward": _max_pool_backward(2),
    "max_pool3d_with_indices": _max_pool(3),
    "max_pool3d_with_indices_backward": _max_pool_backward(3),
    "adaptive_max_pool2d_backward": lambda ctx, meta, g, a, places: scattered(ctx, g, a, places, 2),
    "adaptive_max_pool3d_backward": lambda ctx, meta, g, a, places: scattered(ctx, g, a, places, 3),
    "avg_pool2d": _avg_pool,
    "avg_pool2d_backward": _avg_pool_backward,
    "nll_loss_forward": _nll,
    "nll_loss_backward": _nll_backward,
    "mse_loss": _mse,
    "mse_loss_backward": _mse_backward,
}
