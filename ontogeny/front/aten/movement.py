"""ATen's views, copies, constants, joins and indexing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ontogeny.front.aten.table import Context, Handler, Meta, wrap
from ontogeny.front.author import Value, concatenate, where
from ontogeny.isa.op import Op
from ontogeny.isa.program import Number
from ontogeny.isa.types import DType


def _same(ctx: Context, meta: Meta, a: Value, *_: Any, **__: Any) -> Value:
    return a


def _view(ctx: Context, meta: Meta, a: Value, *_: Any, **__: Any) -> Value:
    return a.reshape(*meta.type.shape)


def _expand(ctx: Context, meta: Meta, a: Value, *_: Any, **__: Any) -> Value:
    return a.expand(*meta.type.shape)


def _transpose(ctx: Context, meta: Meta, a: Value, first: int = 0, second: int = 1) -> Value:
    rank = len(a.shape)
    if rank < 2:
        return a
    dims = list(range(rank))
    first, second = wrap(first, rank), wrap(second, rank)
    dims[first], dims[second] = dims[second], dims[first]
    return a.permute(*dims)


def _permute(ctx: Context, meta: Meta, a: Value, dims: Sequence[int]) -> Value:
    return a.permute(*(wrap(d, len(a.shape)) for d in dims))


def _slice(
    ctx: Context, meta: Meta, a: Value, dim: int = 0, start: int | None = None, stop: int | None = None, step: int = 1
) -> Value:
    dim = wrap(dim, len(a.shape))
    first, last, _ = slice(start, stop, step).indices(a.shape[dim])
    return a.narrow(dim, first, max(first, last), step)


def _select(ctx: Context, meta: Meta, a: Value, dim: int, index: int) -> Value:
    dim = wrap(dim, len(a.shape))
    index = wrap(index, a.shape[dim])
    return a.narrow(dim, index, index + 1).reshape(*meta.type.shape)


def _split(ctx: Context, meta: Meta, a: Value, sizes: int | Sequence[int], dim: int = 0) -> tuple[Value, ...]:
    dim, total = wrap(dim, len(a.shape)), a.shape[wrap(dim, len(a.shape))]
    if isinstance(sizes, int):
        sizes = [min(sizes, total - at) for at in range(0, total, sizes)]
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    return tuple(a.narrow(dim, end - size, end) for size, end in zip(sizes, ends, strict=True))


def _unbind(ctx: Context, meta: Meta, a: Value, dim: int = 0) -> tuple[Value, ...]:
    dim = wrap(dim, len(a.shape))
    shape = a.shape[:dim] + a.shape[dim + 1 :]
    return tuple(a.narrow(dim, i, i + 1).reshape(*shape) for i in range(a.shape[dim]))


def _cat(ctx: Context, meta: Meta, values: Sequence[Value], dim: int = 0) -> Value:
    full = [v.cast(meta.type.dtype) for v in values if v.shape != (0,)]
    return concatenate(full, wrap(dim, len(meta.type.shape)))


def _stack(ctx: Context, meta: Meta, values: Sequence[Value], dim: int = 0) -> Value:
    dim = wrap(dim, len(meta.type.shape))
    shape = (*meta.type.shape[:dim], 1, *meta.type.shape[dim + 1 :])
    return concatenate([v.reshape(*shape) for v in values], dim)


def _flip(ctx: Context, meta: Meta, a: Value, dims: Sequence[int]) -> Value:
    return a.op(Op.FLIP, dims=tuple(wrap(d, len(a.shape)) for d in dims))


def _repeat(ctx: Context, meta: Meta, a: Value, times: Sequence[int]) -> Value:
    shape = (1,) * (len(times) - len(a.shape)) + a.shape
    spread = [n for pair in zip(times, shape, strict=True) for n in pair]
    ones = [n for size in shape for n in (1, size)]
    return a.reshape(*ones).expand(*spread).reshape(*meta.type.shape)


def _pad(ctx: Context, meta: Meta, a: Value, amounts: Sequence[int], value: Number = 0) -> Value:
    rank = len(a.shape)
    low, high = [0] * rank, [0] * rank
    for place in range(len(amounts) // 2):
        low[rank - 1 - place], high[rank - 1 - place] = amounts[2 * place], amounts[2 * place + 1]
    for dim in range(rank):
        a = a.narrow(dim, max(0, -low[dim]), a.shape[dim] - max(0, -high[dim]))
    low, high = [max(0, n) for n in low], [max(0, n) for n in high]
    return a.op(Op.PAD, low=tuple(low), high=tuple(high), value=float(value) if a.dtype.is_float else int(value))


def _filled(value: Number) -> Handler:
    def handler(ctx: Context, meta: Meta, *_: Any, **__: Any) -> Value:
        return ctx.full(value, meta.type)

    return handler


def _full(ctx: Context, meta: Meta, shape: Any, value: Any, **_: Any) -> Value:
    if isinstance(value, Value):
        return value.cast(meta.type.dtype).expand(*meta.type.shape)
    return ctx.full(value, meta.type)


def _scalar(ctx: Context, meta: Meta, value: Number, **_: Any) -> Value:
    return ctx.full(value, meta.type)


def _fill(ctx: Context, meta: Meta, a: Value, value: Any) -> Value:
    return _full(ctx, meta, None, value)


def _arange(ctx: Context, meta: Meta, *bounds: Number, **_: Any) -> Value:
    start, step = (bounds[0] if len(bounds) > 1 else 0), (bounds[2] if len(bounds) > 2 else 1)
    (name,) = ctx.builder.emit(Op.IOTA, shape=meta.type.shape, dim=0, dtype=meta.type.dtype)
    counted = Value(ctx.builder, name)
    counted = counted if step == 1 else counted * step
    return counted if start == 0 else counted + start


def _triangle(upper: bool) -> Handler:
    def handler(ctx: Context, meta: Meta, a: Value, diagonal: int = 0) -> Value:
        shape = a.shape[-2:]
        rows, columns = (
            Value(ctx.builder, ctx.builder.one(Op.IOTA, shape=shape, dim=d, dtype=DType.I64)) for d in (0, 1)
        )
        keep = columns >= rows + diagonal if upper else columns <= rows + diagonal
        return where(keep.expand(*a.shape), a, ctx.const(0, a.dtype).expand(*a.shape))

    return handler


_VIEWS = (
    "view",
    "_unsafe_view",
    "reshape",
    "unsqueeze",
    "squeeze.dim",
    "squeeze.dims",
    "squeeze",
    "flatten.using_ints",
)
_SAME = ("clone", "detach", "alias", "contiguous", "lift_fresh", "lift_fresh_copy", "copy", "positive")

MOVEMENT: dict[str, Handler] = {
    **dict.fromkeys(_VIEWS, _view),
    **dict.fromkeys(_SAME, _same),
    "copy": lambda ctx, meta, a, b, *_: b.cast(meta.type.dtype).expand(*meta.type.shape),
    "expand": _expand,
    "t": _transpose,
    "transpose.int": _transpose,
    "transpose": _transpose,
    "permute": _permute,
    "slice.Tensor": _slice,
    "select.int": _select,
    "narrow": lambda ctx, meta, a, dim, start, length: _slice(ctx, meta, a, dim, start, start + length),
    "split.Tensor": _split,
    "split_with_sizes": _split,
    "unsafe_split.Tensor": _split,
    "unbind.int": _unbind,
    "cat": _cat,
    "stack": _stack,
    "flip": _flip,
    "repeat": _repeat,
    "constant_pad_nd": _pad,
    "ones": _filled(1),
    "ones_like": _filled(1),
    "zeros": _filled(0),
    "zeros_like": _filled(0),
    "empty_like": _filled(0),
    "empty.memory_format": _filled(0),
    "new_zeros": _filled(0),
    "new_empty": _filled(0),
    "new_ones": _filled(1),
    "new_empty_strided": _filled(0),
    "full": _full,
    "full_like": _full,
    "new_full": lambda ctx, meta, a, shape, value, **_: _full(ctx, meta, shape, value),
    "scalar_tensor": _scalar,
    "fill.Scalar": _fill,
    "fill.Tensor": _fill,
    "arange": _arange,
    "arange.start": _arange,
    "arange.start_step": _arange,
    "tril": _triangle(upper=False),
    "triu": _triangle(upper=True),
}
