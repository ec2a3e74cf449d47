"""ATen's resampling: upsampling, adaptive and other average pools, padding by repetition or mirror.

Each is linear and takes one dimension at a time: a result element is a weighted sum of a few elements, its taps. Which
ones, and with what weights, PyTorch's own operation says, applied to the identity. The gradient adds back to the taps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from ontogeny.front.aten.table import Context, Handler, Meta, ints
from ontogeny.front.author import Value
from ontogeny.isa.op import Op
from ontogeny.isa.program import Number
from ontogeny.isa.types import DType

Matrix = npt.NDArray[np.float64]
"""[size in, size out]: how much of each element goes into each result."""
Line = Callable[[torch.Tensor], torch.Tensor]
"""An operation on rows f64[n, 1, size]."""


def matrix(line: Line, size: int) -> Matrix:
    """The matrix of an operation on rows of `size` elements."""
    with torch.utils._python_dispatch._disable_current_modes():
        return np.asarray(line(torch.eye(size, dtype=torch.float64)[:, None])[:, 0].numpy())


def _taps(found: Matrix) -> tuple[npt.NDArray[np.int64], Matrix]:
    """The places and the weights of each result, [size out, most taps]; places that are not needed weigh nothing."""
    most = max(1, int((found != 0).sum(0).max()))
    places = np.argsort(found == 0, axis=0, kind="stable")[:most].T
    return places, np.take_along_axis(found.T, places, 1)


def _constant(ctx: Context, array: npt.NDArray[Any], dtype: DType) -> Value:
    numbers: list[Number] = array.reshape(-1).tolist()
    return Value(ctx.builder, ctx.builder.one(Op.CONST, value=tuple(numbers), dtype=dtype, shape=array.shape))


def _fronted(a: Value, dim: int) -> tuple[Value, list[int]]:
    order = [dim, *(d for d in range(len(a.shape)) if d != dim)]
    return a.permute(*order), [order.index(d) for d in range(len(order))]


def _along(ctx: Context, a: Value, dim: int, found: Matrix) -> Value:
    if np.array_equal(found, np.eye(*found.shape)):
        return a
    places, weights = _taps(found)
    rows, back = _fronted(a, dim)
    if (weights == 1).all() and weights.shape[1] == 1:
        return rows.op(Op.GATHER, _constant(ctx, places[:, 0], DType.I64)).permute(*back)
    factor = _constant(ctx, weights, a.dtype).reshape(*weights.shape, *([1] * (len(a.shape) - 1)))
    picked = rows.op(Op.GATHER, _constant(ctx, places, DType.I64))
    return (picked * factor).sum(1).permute(*back)


def _along_backward(ctx: Context, g: Value, dim: int, found: Matrix) -> Value:
    if np.array_equal(found, np.eye(*found.shape)):
        return g
    places, weights = _taps(found)
    rows, back = _fronted(g, dim)
    size, most, rest = rows.shape[0], places.shape[1], rows.shape[1:]
    factor = _constant(ctx, weights, g.dtype).reshape(*weights.shape, *([1] * len(rest)))
    shares = rows.reshape(size, 1, *rest).expand(size, most, *rest) * factor
    empty = ctx.full(0.0, g.type.with_shape((found.shape[0], *rest)))
    return empty.op(Op.SCATTER_ADD, shares, _constant(ctx, places, DType.I64)).permute(*back)


def _forward(ctx: Context, a: Value, lines: Sequence[Line]) -> Value:
    first = len(a.shape) - len(lines)
    for place, line in enumerate(lines):
        a = _along(ctx, a, first + place, matrix(line, a.shape[first + place]))
    return a


def _backward(ctx: Context, g: Value, shape: Sequence[int], lines: Sequence[Line]) -> Value:
    first = len(shape) - len(lines)
    for place, line in enumerate(lines):
        g = _along_backward(ctx, g, first + place, matrix(line, shape[first + place]))
    return g


def _scaled(kind: str, size: int, options: Sequence[Any], scale: float | None) -> Line:
    """`upsample_{kind}` on rows; what is cubic is defined on pictures alone."""
    if kind == "cubic":
        operation = torch.ops.aten.upsample_bicubic2d.default
        return lambda rows: operation(rows[:, :, None], [1, size], *options, None, scale)[:, :, 0]
    operation = getattr(torch.ops.aten, f"upsample_{kind}1d").default
    return lambda rows: operation(rows, [size], *options, scale)


def _upsample(kind: str, rank: int, options: int, backward: bool) -> Handler:
    def lines(size: Sequence[int], rest: Sequence[Any]) -> list[Line]:
        scales = [*rest[options:], *([None] * rank)]
        return [_scaled(kind, size[d], rest[:options], scales[d]) for d in range(rank)]

    def forward(ctx: Context, meta: Meta, a: Value, size: Sequence[int], *rest: Any) -> Value:
        return _forward(ctx, a, lines(size, rest))

    def back(ctx: Context, meta: Meta, g: Value, size: Sequence[int], shape: Sequence[int], *rest: Any) -> Value:
        return _backward(ctx, g, shape, lines(size, rest))

    return back if backward else forward


def _adaptive(ctx: Context, meta: Meta, a: Value, size: Sequence[int]) -> Value:
    return _forward(ctx, a, _adaptive_lines(size))


def _adaptive_backward(ctx: Context, meta: Meta, g: Value, a: Value) -> Value:
    rank = len(a.shape) - 2 if len(a.shape) > 3 else 2
    return _backward(ctx, g, a.shape, _adaptive_lines(g.shape[-rank:]))


def _adaptive_lines(size: Sequence[int]) -> list[Line]:
    return [lambda rows, n=n: F.adaptive_avg_pool1d(rows, n) for n in size]  # type: ignore[misc]


def average_lines(size: Any, stride: Any, padding: Any, ceil: bool, include_pad: bool, rank: int) -> list[Line]:
    """An average pool of any options, as one operation on rows for each dimension."""
    sizes, paddings = ints(size, rank), ints(padding, rank)
    strides = ints(stride, rank) if stride else sizes

    def line(d: int) -> Line:
        return lambda rows: F.avg_pool1d(rows, sizes[d], strides[d], paddings[d], ceil, include_pad)

    return [line(d) for d in range(rank)]


def average(rank: int) -> Handler:
    """An average pool over the last `rank` dimensions."""

    def handler(
        ctx: Context, meta: Meta, a: Value, size: Any, stride: Any = (), padding: Any = 0, ceil: bool = False,
        include_pad: bool = True, divisor: int | None = None,
    ) -> Value:  # fmt: skip
        result = _forward(ctx, a, average_lines(size, stride, padding, ceil, include_pad or bool(divisor), rank))
        return result * (np.prod(ints(size, rank)).item() / divisor) if divisor else result

    return handler


def average_backward(rank: int) -> Handler:
    """The gradient of `average`."""

    def handler(
        ctx: Context, meta: Meta, g: Value, a: Value, size: Any, stride: Any, padding: Any, ceil: bool,
        include_pad: bool, divisor: int | None,
    ) -> Value:  # fmt: skip
        lines = average_lines(size, stride, padding, ceil, include_pad or bool(divisor), rank)
        result = _backward(ctx, g, a.shape, lines)
        return result * (np.prod(ints(size, rank)).item() / divisor) if divisor else result

    return handler


def _padding(mode: str, amounts: Sequence[int]) -> list[Line]:
    pairs = [list(amounts[at : at + 2]) for at in range(0, len(amounts), 2)][::-1]
    return [lambda rows, pair=pair: F.pad(rows, pair, mode) for pair in pairs]  # type: ignore[misc]


def _padded(mode: str) -> Handler:
    return lambda ctx, meta, a, amounts: _forward(ctx, a, _padding(mode, amounts))


def _padded_backward(mode: str) -> Handler:
    return lambda ctx, meta, g, a, amounts: _backward(ctx, g, a.shape, _padding(mode, amounts))


KINDS = {"nearest1d": ("nearest", 1, 0), "nearest2d": ("nearest", 2, 0), "nearest3d": ("nearest", 3, 0),
         "linear1d": ("linear", 1, 1), "bilinear2d": ("linear", 2, 1), "trilinear3d": ("linear", 3, 1),
         "bicubic2d": ("cubic", 2, 1)}  # fmt: skip
"""ATen's name: the kind of its operation on rows, how many dimensions, how many options before the scales."""

RESAMPLE: dict[str, Handler] = {
    **{f"upsample_{name}": _upsample(*how, backward=False) for name, how in KINDS.items()},
    **{f"upsample_{name}_backward": _upsample(*how, backward=True) for name, how in KINDS.items()},
    **{f"reflection_pad{n}d": _padded("reflect") for n in (1, 2, 3)},
    **{f"reflection_pad{n}d_backward": _padded_backward("reflect") for n in (1, 2, 3)},
    **{f"replication_pad{n}d": _padded("replicate") for n in (1, 2, 3)},
    **{f"replication_pad{n}d_backward": _padded_backward("replicate") for n in (1, 2, 3)},
    **{f"_adaptive_avg_pool{n}d": _adaptive for n in (2, 3)},
    **{f"_adaptive_avg_pool{n}d_backward": _adaptive_backward for n in (2, 3)},
    "avg_pool3d": average(3),
    "avg_pool3d_backward": average_backward(3),
}
