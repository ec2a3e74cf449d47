"""ATen's products of more than two tensors, distances, and group normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ontogeny.front.aten.table import Context, Handler, Meta
from ontogeny.front.author import Value, where
from ontogeny.isa.errors import CaptureError


def _trilinear(
    ctx: Context, meta: Meta, a: Value, b: Value, c: Value, expand_a: Sequence[int], expand_b: Sequence[int],
    expand_c: Sequence[int], summed: Sequence[int], *_: Any,
) -> Value:  # fmt: skip
    """The product of three tensors with dimensions put in, summed over some (`nn.Bilinear`)."""

    def widened(value: Value, places: Sequence[int]) -> Value:
        shape = list(value.shape)
        for place in sorted(places):
            shape.insert(place, 1)
        return value.reshape(*shape)

    product = widened(a, expand_a) * widened(b, expand_b) * widened(c, expand_c)
    return product.sum(*summed) if summed else product


def _apart(a: Value, b: Value) -> Value:
    """Every row of a minus every row of b, [..., rows of a, rows of b, columns]."""
    lead = a.shape[:-2]
    return a.reshape(*lead, a.shape[-2], 1, a.shape[-1]) - b.reshape(*lead, 1, b.shape[-2], b.shape[-1])


def _distances(ctx: Context, meta: Meta, a: Value, b: Value, order: float, *_: Any) -> Value:
    if order != 2:
        raise CaptureError(f"cdist of order {order} is not captured; only order 2 is")
    apart = _apart(a, b)
    return (apart * apart).sum(len(apart.shape) - 1).sqrt()


def _distances_backward(ctx: Context, meta: Meta, g: Value, a: Value, b: Value, order: float, found: Value) -> Value:
    share = where(found.equals(0.0), ctx.full(0.0, g.type), g / where(found.equals(0.0), 1.0, found))
    return (share.reshape(*share.shape, 1) * _apart(a, b)).sum(len(share.shape) - 1)


def _grouped(value: Value, groups: int) -> Value:
    """[n, c, ...] or [c, ...] as [n, groups, c / groups, places]."""
    rows, channels = value.shape[:2]
    return value.reshape(rows, groups, channels // groups, value.type.size // (rows * channels))


def _group_norm(
    ctx: Context, meta: Meta, a: Value, w: Value | None, b: Value | None, n: int, c: int, places: int, groups: int,
    eps: float,
) -> tuple[Value, ...]:  # fmt: skip
    x = _grouped(a, groups)
    mean = x.mean(2, 3, keep=True)
    apart = x - mean
    rstd = 1.0 / ((apart * apart).mean(2, 3, keep=True) + eps).sqrt()
    y = apart * rstd
    if w is not None:
        y = y * w.reshape(1, groups, c // groups, 1)
    if b is not None:
        y = y + b.reshape(1, groups, c // groups, 1)
    return y.reshape(*a.shape), mean.reshape(n, groups), rstd.reshape(n, groups)


def _group_norm_backward(
    ctx: Context, meta: Meta, g: Value, a: Value, mean: Value, rstd: Value, w: Value | None, n: int, c: int,
    places: int, groups: int, mask: Any,
) -> tuple[Value, ...]:  # fmt: skip
    gradient = _grouped(g, groups)
    scale = rstd.reshape(n, groups, 1, 1)
    normal = (_grouped(a, groups) - mean.reshape(n, groups, 1, 1)) * scale
    inner = gradient if w is None else gradient * w.reshape(1, groups, c // groups, 1)
    common = inner.mean(2, 3, keep=True) + normal * (inner * normal).mean(2, 3, keep=True)
    back = ((inner - common) * scale).reshape(*a.shape)
    return back, (gradient * normal).sum(0, 3).reshape(c), gradient.sum(0, 3).reshape(c)


PRODUCTS: dict[str, Handler] = {
    "_trilinear": _trilinear,
    "_cdist_forward": _distances,
    "_cdist_backward": _distances_backward,
    "native_group_norm": _group_norm,
    "native_group_norm_backward": _group_norm_backward,
}
