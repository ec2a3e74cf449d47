"""ATen's indexing: gathering and scattering by tensors, assignments to parts, and the gradients of slices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ontogeny.front.aten.table import Context, Handler, Meta, wrap
from ontogeny.front.author import Value, where
from ontogeny.isa.errors import CaptureError
from ontogeny.isa.op import Op
from ontogeny.isa.types import DType, Type


def _embedding(ctx: Context, meta: Meta, weight: Value, index: Value, *_: Any, **__: Any) -> Value:
    return weight.op(Op.GATHER, index)


def _embedding_backward(
    ctx: Context, meta: Meta, g: Value, index: Value, rows: int, padding: int = -1, by_frequency: bool = False
) -> Any:
    if by_frequency:
        return NotImplemented
    return g.op(Op.EMBEDDING_BACKWARD, index, rows=rows, padding=padding)


def _renormalised(ctx: Context, meta: Meta, *_: Any) -> Value:
    raise CaptureError(
        "an embedding with max_norm changes its weight while it is read; leave max_norm out, or scale what is read"
    )


def _to_front(a: Value, indices: Sequence[Value | None]) -> tuple[Value, list[Value], int]:
    """The indexed dimensions first, booleans refused: value, indices, and where the result's indexed part belongs."""
    at = [i for i, index in enumerate(indices) if index is not None]
    picked = [index for index in indices if index is not None]
    if any(index.dtype is DType.BOOL for index in picked):
        raise CaptureError(
            "indexing by a boolean mask gives a result whose size depends on data; use torch.where instead"
        )
    rest = [d for d in range(len(a.shape)) if d not in at]
    adjacent = at == list(range(at[0], at[0] + len(at)))
    return a.permute(*at, *rest), picked, at[0] if adjacent else 0


def _index(ctx: Context, meta: Meta, a: Value, indices: Sequence[Value | None]) -> Value:
    moved, picked, place = _to_front(a, indices)
    result = moved.op(Op.GATHER, *picked)
    if place == 0:
        return result
    wide = len(result.shape) - (len(a.shape) - len(picked))
    order = [*range(wide, wide + place), *range(wide), *range(wide + place, len(result.shape))]
    return result.permute(*order)


def _index_put(
    ctx: Context, meta: Meta, a: Value, indices: Sequence[Value | None], values: Value, accumulate: bool = False
) -> Value:
    if picked := [index for index in indices if index is not None and index.dtype is DType.BOOL]:
        return _masked(a, picked[0], values, len(indices))
    moved, picked, place = _to_front(a, indices)
    at = [d for d, index in enumerate(indices) if index is not None]
    wide = len(moved.op(Op.GATHER, *picked).shape) - (len(a.shape) - len(picked))
    spread = moved.op(Op.GATHER, *picked).shape
    shown = (*spread[wide : wide + place], *spread[:wide], *spread[wide + place :])
    given = values.cast(a.dtype).expand(*shown)
    given = given.permute(*range(place, place + wide), *range(place), *range(place + wide, len(shown)))
    order = [*at, *(d for d in range(len(a.shape)) if d not in at)]
    result = moved.op(Op.SCATTER_ADD if accumulate else Op.SCATTER_SET, given, *picked)
    return result.permute(*(order.index(d) for d in range(len(order))))


def _masked(a: Value, mask: Value, values: Value, count: int) -> Value:
    """One number put wherever a mask holds."""
    if values.type.size != 1 or count != 1:
        raise CaptureError(
            "assigning a tensor through a boolean mask takes as many values as data decides; use torch.where instead"
        )
    wide = mask.reshape(*mask.shape, *([1] * (len(a.shape) - len(mask.shape)))).expand(*a.shape)
    return where(wide, values.cast(a.dtype).reshape().expand(*a.shape), a)


def _along(ctx: Context, index: Value, dim: int) -> list[Value]:
    """The index operands that pick `index` along one dimension and the same place in every other."""
    grid = []
    for other in range(len(index.shape)):
        if other == dim:
            grid.append(index)
        else:
            grid.append(Value(ctx.builder, ctx.builder.one(Op.IOTA, shape=index.shape, dim=other, dtype=DType.I64)))
    return grid


def _gather(ctx: Context, meta: Meta, a: Value, dim: int, index: Value, **_: Any) -> Value:
    return a.op(Op.GATHER, *_along(ctx, index, wrap(dim, len(a.shape))))


def _scatter(op: Op) -> Handler:
    def handler(ctx: Context, meta: Meta, a: Value, dim: int, index: Value, source: Any) -> Value:
        values = source if isinstance(source, Value) else ctx.full(source, Type(a.dtype, index.shape))
        return a.op(op, values, *_along(ctx, index, wrap(dim, len(a.shape))))

    return handler


def _index_select(ctx: Context, meta: Meta, a: Value, dim: int, index: Value) -> Value:
    return _index(ctx, meta, a, [None] * wrap(dim, len(a.shape)) + [index])


def _slice_backward(
    ctx: Context, meta: Meta, g: Value, shape: Sequence[int], dim: int, start: int, stop: int, step: int
) -> Value:
    dim, size = wrap(dim, len(shape)), shape[wrap(dim, len(shape))]
    first, last, _ = slice(start, stop, step).indices(size)
    if step != 1:
        return _strided(ctx, g, shape, dim, first, step)
    low, high = [0] * len(shape), [0] * len(shape)
    low[dim], high[dim] = first, size - max(first, last)
    return g.op(Op.PAD, low=tuple(low), high=tuple(high), value=0.0)


def _strided_places(ctx: Context, sizes: Sequence[int], strides: Sequence[int], offset: int | None) -> Value:
    """The flat places of a view by strides of what lies in order."""
    shape = tuple(sizes)
    places = ctx.full(offset or 0, Type(DType.I64, shape))
    for dim, stride in enumerate(strides):
        places = places + Value(ctx.builder, ctx.builder.one(Op.IOTA, shape=shape, dim=dim, dtype=DType.I64)) * stride
    return places


def _as_strided(
    ctx: Context, meta: Meta, a: Value, sizes: Sequence[int], strides: Sequence[int], offset: int | None = None
) -> Value:
    return a.reshape(a.type.size).op(Op.GATHER, _strided_places(ctx, sizes, strides, offset))


def _as_strided_scatter(
    ctx: Context, meta: Meta, a: Value, source: Value, sizes: Sequence[int], strides: Sequence[int],
    offset: int | None = None,
) -> Value:  # fmt: skip
    places = _strided_places(ctx, sizes, strides, offset)
    return a.reshape(a.type.size).op(Op.SCATTER_SET, source.cast(a.dtype), places).reshape(*a.shape)


def _slice_scatter(
    ctx: Context, meta: Meta, a: Value, source: Value, dim: int = 0, start: int | None = None, stop: int | None = None,
    step: int = 1,
) -> Value:  # fmt: skip
    """a with every `step`th slice from `start` on replaced."""
    dim = wrap(dim, len(a.shape))
    first, _, _ = slice(start, stop, step).indices(a.shape[dim])
    order = [dim, *(d for d in range(len(a.shape)) if d != dim)]
    count = Value(ctx.builder, ctx.builder.one(Op.IOTA, shape=(source.shape[dim],), dim=0, dtype=DType.I64))
    moved = a.permute(*order).op(Op.SCATTER_SET, source.cast(a.dtype).permute(*order), count * step + first)
    return moved.permute(*(order.index(d) for d in range(len(order))))


def _select_scatter(ctx: Context, meta: Meta, a: Value, source: Value, dim: int, index: int) -> Value:
    dim = wrap(dim, len(a.shape))
    index = wrap(index, a.shape[dim])
    wide = source.reshape(*a.shape[:dim], 1, *a.shape[dim + 1 :])
    return _slice_scatter(ctx, meta, a, wide, dim, index, index + 1)


def _strided(ctx: Context, g: Value, shape: Sequence[int], dim: int, first: int, step: int) -> Value:
    """g put at every `step`th place from `first` on, zeros between: each element widened by zeros, then trimmed."""
    count, after = g.shape[dim], (*g.shape[dim + 1 :],)
    rank = len(shape)
    spread = g.reshape(*g.shape[: dim + 1], 1, *after)
    wide = spread.op(Op.PAD, low=(0,) * (rank + 1), high=(*[0] * (dim + 1), step - 1, *[0] * len(after)), value=0.0)
    line = wide.reshape(*g.shape[:dim], count * step, *after)
    line = line.narrow(dim, 0, min(count * step, shape[dim] - first))
    low, high = [0] * rank, [0] * rank
    low[dim], high[dim] = first, shape[dim] - first - line.shape[dim]
    return line.op(Op.PAD, low=tuple(low), high=tuple(high), value=0.0)


def _scatter_reduce(
    ctx: Context, meta: Meta, a: Value, dim: int, index: Value, source: Value, reduce: str, include_self: bool = True
) -> Value:
    if reduce != "sum" or not include_self:
        raise CaptureError(f"scatter_reduce by {reduce!r} is not captured; only a 'sum' that includes what is there is")
    return a.op(Op.SCATTER_ADD, source, *_along(ctx, index, wrap(dim, len(a.shape))))


def _put(ctx: Context, meta: Meta, a: Value, index: Value, source: Value, accumulate: bool = False) -> Value:
    op = Op.SCATTER_ADD if accumulate else Op.SCATTER_SET
    at = index.reshape(index.type.size)
    return a.reshape(a.type.size).op(op, source.reshape(index.type.size), at).reshape(*a.shape)


def _select_backward(ctx: Context, meta: Meta, g: Value, shape: Sequence[int], dim: int, index: int) -> Value:
    dim = wrap(dim, len(shape))
    index = wrap(index, shape[dim])
    wide = g.reshape(*shape[:dim], 1, *shape[dim + 1 :])
    return _slice_backward(ctx, meta, wide, shape, dim, index, index + 1, 1)


INDEXING: dict[str, Handler] = {
    "embedding": _embedding,
    "embedding_renorm": _renormalised,
    "embedding_dense_backward": _embedding_backward,
    "index.Tensor": _index,
    "index_put": _index_put,
    "gather": _gather,
    "scatter.src": _scatter(Op.SCATTER_SET),
    "scatter.value": _scatter(Op.SCATTER_SET),
    "scatter_add": _scatter(Op.SCATTER_ADD),
    "scatter_reduce.two": _scatter_reduce,
    "put": _put,
    "as_strided": _as_strided,
    "as_strided_scatter": _as_strided_scatter,
    "slice_scatter": _slice_scatter,
    "select_scatter": _select_scatter,
    "index_select": _index_select,
    "slice_backward": _slice_backward,
    "select_backward": _select_backward,
}
