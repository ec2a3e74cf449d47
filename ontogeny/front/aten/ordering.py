"""ATen's sorting, searching, running extremes, and what picks or places elements in a pattern of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ontogeny.front.aten.table import Context, Handler, Meta, wrap
from ontogeny.front.author import Value, where
from ontogeny.isa.errors import CaptureError
from ontogeny.isa.op import Op
from ontogeny.isa.types import DType


def _iota(ctx: Context, shape: tuple[int, ...], dim: int) -> Value:
    return Value(ctx.builder, ctx.builder.one(Op.IOTA, shape=shape, dim=dim, dtype=DType.I64))


def _sort(ctx: Context, meta: Meta, a: Value, dim: int = -1, descending: bool = False, **_: Any) -> tuple[Value, ...]:
    if not a.shape:
        return a, ctx.full(0, meta.types[1])
    return a.ops(Op.SORT, dim=wrap(dim, len(a.shape)), descending=descending)


def _sort_stable(
    ctx: Context, meta: Meta, a: Value, stable: bool | None = None, dim: int = -1, descending: bool = False
) -> tuple[Value, ...]:
    return _sort(ctx, meta, a, dim, descending)


def _topk(
    ctx: Context, meta: Meta, a: Value, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> tuple[Value, ...]:
    dim = wrap(dim, len(a.shape))
    return tuple(v.narrow(dim, 0, k) for v in a.ops(Op.SORT, dim=dim, descending=largest))


def _kth(ctx: Context, meta: Meta, a: Value, k: int, dim: int = -1, keepdim: bool = False) -> tuple[Value, ...]:
    """The k-th smallest along a dimension, and its place."""
    dim = wrap(dim, len(a.shape))
    picked = [v.narrow(dim, k - 1, k) for v in a.ops(Op.SORT, dim=dim, descending=False)]
    return tuple(v.reshape(*meta.type.shape) for v in picked)


def _median(ctx: Context, meta: Meta, a: Value, dim: int, keepdim: bool = False) -> tuple[Value, ...]:
    return _kth(ctx, meta, a, (a.shape[wrap(dim, len(a.shape))] + 1) // 2, dim)


def _median_of_all(ctx: Context, meta: Meta, a: Value) -> Value:
    return _median(ctx, meta, a.reshape(a.type.size), 0)[0]


def _min_dim(ctx: Context, meta: Meta, a: Value, dim: int, keepdim: bool = False) -> tuple[Value, Value]:
    dim = wrap(dim, len(a.shape))
    return -(-a).op(Op.REDUCE_MAX, dims=(dim,), keep=keepdim), (-a).op(Op.ARGMAX, dim=dim, keep=keepdim)


def _argmin(ctx: Context, meta: Meta, a: Value, dim: int | None = None, keepdim: bool = False) -> Value:
    if dim is None:
        a, dim = a.reshape(a.type.size), 0
    return (-a).op(Op.ARGMAX, dim=wrap(dim, len(a.shape)), keep=keepdim).reshape(*meta.type.shape)


def _running(sign: int) -> Handler:
    """The largest so far (or the smallest), and the place of its last one."""

    def handler(ctx: Context, meta: Meta, a: Value, dim: int) -> tuple[Value, Value]:
        dim, signed = wrap(dim, len(a.shape)), a if sign > 0 else -a
        top = signed.op(Op.SCAN, dim=dim, kind="max")
        places = where(signed >= top, _iota(ctx, a.shape, dim), 0).op(Op.SCAN, dim=dim, kind="max")
        return (top if sign > 0 else -top), places

    return handler


def _logcumsumexp(ctx: Context, meta: Meta, a: Value, dim: int) -> Value:
    dim = wrap(dim, len(a.shape))
    top = a.op(Op.REDUCE_MAX, dims=(dim,), keep=True)
    return (a - top).exp().op(Op.SCAN, dim=dim, kind="add").log() + top


def _product(ctx: Context, meta: Meta, a: Value, dims: Any = None, keepdim: bool = False, **_: Any) -> Value:
    a, rank = a.cast(meta.type.dtype), len(a.shape)
    gone = range(rank) if dims is None else [wrap(d, rank) for d in ([dims] if isinstance(dims, int) else dims)]
    for dim in gone:
        size = a.shape[dim]
        a = a.op(Op.SCAN, dim=dim, kind="mul").narrow(dim, size - 1, size)
    return a.reshape(*meta.type.shape)


def _searchsorted(
    ctx: Context, meta: Meta, bounds: Value, a: Value, right: bool = False, side: str | None = None, **_: Any
) -> Value:
    if len(bounds.shape) != 1:
        raise CaptureError("searchsorted among bounds of more than one dimension is not captured; give it one row")
    rank = len(a.shape)
    wide = a.reshape(*a.shape, 1).expand(*a.shape, bounds.shape[0])
    row = bounds.cast(a.dtype).reshape(*([1] * rank), bounds.shape[0])
    below = row <= wide if right or side == "right" else row < wide
    return below.cast(meta.type.dtype).sum(rank)


def _roll(ctx: Context, meta: Meta, a: Value, shifts: Sequence[int], dims: Sequence[int] = ()) -> Value:
    flat = a if dims else a.reshape(a.type.size)
    for shift, dim in zip(shifts, dims or [0], strict=True):
        dim = wrap(dim, len(flat.shape))
        size = flat.shape[dim]
        at = (size - shift) % size
        if at:
            flat = flat.narrow(dim, at, size).op(Op.CAT, flat.narrow(dim, 0, at), dim=dim)
    return flat.reshape(*a.shape)


def _diagonal_places(
    ctx: Context, shape: Sequence[int], offset: int, first: int, second: int, count: int
) -> list[Value]:
    along = _iota(ctx, (count,), 0)
    return [along + max(-offset, 0), along + max(offset, 0)]


def _diagonal(ctx: Context, meta: Meta, a: Value, offset: int = 0, first: int = 0, second: int = 1) -> Value:
    rank, count = len(a.shape), meta.type.shape[-1]
    first, second = wrap(first, rank), wrap(second, rank)
    rest = [d for d in range(rank) if d not in (first, second)]
    places = _diagonal_places(ctx, a.shape, offset, first, second, count)
    found = a.permute(first, second, *rest).op(Op.GATHER, *places)
    return found.permute(*range(1, rank - 1), 0)


def _diagonal_backward(
    ctx: Context, meta: Meta, g: Value, shape: Sequence[int], offset: int, first: int, second: int
) -> Value:
    rank, count = len(shape), g.shape[-1]
    first, second = wrap(first, rank), wrap(second, rank)
    order = [first, second, *(d for d in range(rank) if d not in (first, second))]
    empty = ctx.full(0.0, g.type.with_shape(tuple(shape[d] for d in order)))
    places = _diagonal_places(ctx, shape, offset, first, second, count)
    whole = empty.op(Op.SCATTER_SET, g.permute(rank - 2, *range(rank - 2)), *places)
    return whole.permute(*(order.index(d) for d in range(rank)))


def _windows(ctx: Context, count: int, size: int, step: int) -> Value:
    """The places i64[count, size] of windows along one dimension."""
    return _iota(ctx, (count, size), 0) * step + _iota(ctx, (count, size), 1)


def _unfold(ctx: Context, meta: Meta, a: Value, dim: int, size: int, step: int) -> Value:
    rank, dim = len(a.shape), wrap(dim, len(a.shape))
    rest = [d for d in range(rank) if d != dim]
    found = a.permute(dim, *rest).op(Op.GATHER, _windows(ctx, meta.type.shape[dim], size, step))
    return found.permute(*(2 + rest.index(d) if d != dim else 0 for d in range(rank)), 1)


def _unfold_backward(ctx: Context, meta: Meta, g: Value, shape: Sequence[int], dim: int, size: int, step: int) -> Value:
    rank, dim = len(shape), wrap(dim, len(shape))
    rest = [d for d in range(rank) if d != dim]
    empty = ctx.full(0.0, g.type.with_shape((shape[dim], *(shape[d] for d in rest))))
    total = empty.op(Op.SCATTER_ADD, g.permute(dim, rank, *rest), _windows(ctx, g.shape[dim], size, step))
    return total.permute(*(1 + rest.index(d) if d != dim else 0 for d in range(rank)))


ORDERING: dict[str, Handler] = {
    "sort": _sort,
    "sort.stable": _sort_stable,
    "topk": _topk,
    "kthvalue": _kth,
    "median.dim": _median,
    "median": _median_of_all,
    "min.dim": _min_dim,
    "argmin": _argmin,
    "cummax": _running(1),
    "cummin": _running(-1),
    "logcumsumexp": _logcumsumexp,
    "prod": _product,
    "prod.dim_int": _product,
    "searchsorted.Tensor": _searchsorted,
    "roll": _roll,
    "diagonal": _diagonal,
    "diagonal_backward": _diagonal_backward,
    "unfold": _unfold,
    "unfold_backward": _unfold_backward,
}
