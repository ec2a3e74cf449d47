"""The kinds of instructions that are timed, each over a grid of sizes, and one small instruction for each point.

A kind has axes; seconds between the points of its grid are interpolated, so that any size can be foretold from about a
thousand measurements. None of them is an instruction of the network that is asked about: the grids are the same
whatever is predicted later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

from ontogeny.isa.op import Op
from ontogeny.isa.program import Attribute
from ontogeny.isa.types import DType, Type

Point = tuple[int, ...]
Attrs = tuple[tuple[str, Attribute], ...]
F32, F64, I64, BOOL = DType.F32, DType.F64, DType.I64, DType.BOOL
LARGEST_WORK = 1 << 24
"""Of a point, in multiply-adds or elements; larger points follow from smaller ones in proportion."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One instruction to be timed: operand types, attributes, and `turned`, operands that are transposed before.

    `moved` (dimensions) permutes the first operand before, so that a reshape of it has to copy.
    """

    op: Op
    operands: tuple[Type, ...]
    attrs: Attrs = ()
    turned: tuple[int, ...] = ()
    moved: tuple[int, ...] = ()
    results: int = 1


@dataclass(frozen=True, slots=True)
class Kind:
    """A name, its grid by axis, its sample at a point, and its work there, which seconds follow beyond the grid.

    Points of more than `most` work are not measured. What is `proportional` follows its work below the grid too.
    """

    name: str
    axes: tuple[tuple[int, ...], ...]
    sample: Callable[..., Sample]
    work: Callable[..., int] = lambda *point: prod(point)
    most: int = LARGEST_WORK
    proportional: bool = False

    def points(self) -> Iterator[Point]:
        """All that are measured."""
        return (point for point in product(*self.axes) if self.work(*point) <= self.most)


def f32(*shape: int) -> Type:
    """f32 of a shape."""
    return Type(F32, shape)


NUMBER = Type(F64)
LENGTHS = tuple(4**power for power in range(12))
SIDES = (8, 32, 64, 128, 256, 512, 1024, 4096)
DEEP, SHALLOW = (8, 64, 512, 4096), (1, 4, 16, 64)
DOWN, ACROSS = (1, 8, 64, 512, 4096, 32768), (4, 16, 64, 256, 1024, 4096)
IMAGES, CHANNELS, PLANES = (1, 8, 64), (1, 4, 16, 64), (4, 8, 16, 32)


def _each(op: Op, *extra: Type, count: int = 1, attrs: Attrs = ()) -> Kind:
    """An operation element by element, of `count` whole operands and then others."""
    return Kind(op.text, (LENGTHS,), lambda n: Sample(op, (*[f32(n)] * count, *extra), attrs))


def _rows(op: Op, count: int, *attrs: tuple[str, Attribute], name: str = "") -> Kind:
    """An operation along rows of a matrix."""
    return Kind(name or op.text, (DOWN, ACROSS), lambda r, c: Sample(op, (f32(r, c),) * count, attrs))


def _where(n: int) -> Sample:
    return Sample(Op.WHERE, (Type(BOOL, (n,)), f32(n), f32(n)))


def _product(name: str, turned: tuple[int, ...]) -> Kind:
    def sample(m: int, k: int, n: int) -> Sample:
        left, right = (k, m) if 0 in turned else (m, k), (n, k) if 1 in turned else (k, n)
        return Sample(Op.DOT, (f32(*left), f32(*right)), turned=turned)

    return Kind(name, (SIDES, SIDES, SIDES), sample)


def _products(b: int, m: int, k: int, n: int) -> Sample:
    return Sample(Op.DOT, (f32(b, m, k), f32(b, k, n)))


def _copy(n: int, run: int) -> Sample:
    """A reshape of n elements that lie in runs."""
    first = max(1, min(64, n // run))
    shape = (first, max(1, n // run // first), run)
    return Sample(Op.RESHAPE, (f32(*shape),), (("shape", (prod(shape),)),), moved=(1, 0, 2))


def _layer_norm(r: int, c: int) -> Sample:
    return Sample(Op.LAYER_NORM, (f32(r, c), f32(c), f32(c)), (("rank", 1), ("eps", 1e-5)), results=3)


def _layer_norm_backward(r: int, c: int) -> Sample:
    given = (f32(r, c), f32(r, c), f32(r, 1), f32(r, 1), f32(c))
    return Sample(Op.LAYER_NORM_BACKWARD, given, (("rank", 1),), results=3)


def _nll(r: int, c: int) -> Sample:
    return Sample(Op.NLL_LOSS, (f32(r, c), Type(I64, (r,))), (("ignore", -100),), results=2)


def _nll_backward(r: int, c: int) -> Sample:
    return Sample(Op.NLL_LOSS_BACKWARD, (f32(), f32(r, c), Type(I64, (r,)), f32()), (("ignore", -100),))


def _gather(r: int, c: int) -> Sample:
    return Sample(Op.GATHER, (f32(64, c), Type(I64, (r,))))


def _embedding_backward(r: int, c: int) -> Sample:
    return Sample(Op.EMBEDDING_BACKWARD, (f32(r, c), Type(I64, (r,))), (("rows", 64), ("padding", -1)))


def _stretched(r: int, c: int) -> Sample:
    return Sample(Op.ADD, (f32(r, c), f32(c)))


SQUARE: Attrs = (
    ("stride", (1, 1)),
    ("padding", (1, 1)),
    ("dilation", (1, 1)),
    ("groups", 1),
)
HALVED: Attrs = (("size", (2, 2)), ("stride", (2, 2)), ("padding", (0, 0)))


def _conv(images: int, taken: int, given: int, side: int) -> Sample:
    types = (f32(images, taken, side, side), f32(given, taken, 3, 3), f32(given))
    return Sample(Op.CONV, types, SQUARE)


def _conv_backward(images: int, taken: int, given: int, side: int) -> Sample:
    types = (f32(images, given, side, side), f32(images, taken, side, side), f32(given, taken, 3, 3))
    return Sample(Op.CONV_BACKWARD, types, SQUARE, results=3)


def _conv_work(images: int, taken: int, given: int, side: int) -> int:
    return images * taken * given * side * side * 9


def _batch_norm(images: int, channels: int, side: int) -> Sample:
    own = (f32(channels),) * 4
    about: Attrs = (("train", True), ("momentum", 0.1), ("eps", 1e-5))
    return Sample(Op.BATCH_NORM, (f32(images, channels, side, side), *own), about, results=5)


def _batch_norm_backward(images: int, channels: int, side: int) -> Sample:
    own, plane = (f32(channels),) * 5, f32(images, channels, side, side)
    return Sample(Op.BATCH_NORM_BACKWARD, (plane, plane, *own), (("train", True), ("eps", 1e-5)), results=3)


def _max_pool(images: int, channels: int, side: int) -> Sample:
    return Sample(Op.MAX_POOL, (f32(images, channels, side, side),), HALVED, results=2)


def _max_pool_backward(images: int, channels: int, side: int) -> Sample:
    half = (images, channels, side // 2, side // 2)
    types = (f32(*half), f32(images, channels, side, side), Type(I64, half))
    return Sample(Op.MAX_POOL_BACKWARD, types, HALVED)


def _plane_work(images: int, channels: int, side: int) -> int:
    return images * channels * side * side


def _in_planes(op: Op, sample: Callable[..., Sample]) -> Kind:
    return Kind(op.text, (IMAGES, CHANNELS, PLANES), sample, _plane_work)


def _pooled(op: Op, sample: Callable[..., Sample]) -> Kind:
    """Of many images alone: a processor learns by heart which is the largest of each window where there are few."""
    return Kind(op.text, (IMAGES[-1:], CHANNELS[1:], PLANES), sample, _plane_work, proportional=True)


def _of_products() -> Iterator[Kind]:
    for name, turned in (("product", ()), ("product, right turned", (1,)), ("product, left turned", (0,))):
        yield _product(name, turned)
    yield Kind("products", (DEEP, SHALLOW, SHALLOW, SHALLOW), _products)


def _of_elements() -> Iterator[Kind]:
    for op in (Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.MAX, Op.MIN, Op.LT, Op.EQ, Op.SILU_BACKWARD, Op.SIGMOID_BACKWARD):
        yield _each(op, count=2)
    for op in (Op.NEG, Op.ABS, Op.SQRT, Op.EXP, Op.LOG, Op.SIN, Op.TANH, Op.ERF, Op.RSQRT, Op.RELU, Op.SILU):
        yield _each(op)
    yield from (_each(Op.SIGMOID), _each(Op.TANH_BACKWARD, count=2), _each(Op.SCALE, NUMBER))
    yield _each(Op.RELU_BACKWARD, count=2, attrs=(("threshold", 0.0),))
    yield _each(Op.GELU, attrs=(("approximate", "none"),))
    yield _each(Op.GELU_BACKWARD, count=2, attrs=(("approximate", "none"),))
    yield from (_each(Op.AXPY, NUMBER, count=2), _each(Op.LERP, NUMBER, count=2))
    yield from (_each(Op.ADDCMUL, NUMBER, count=3), _each(Op.ADDCDIV, NUMBER, count=3))
    yield Kind("where", (LENGTHS,), _where)
    yield Kind("cast", (LENGTHS,), lambda n: Sample(Op.CAST, (Type(I64, (n,)),), (("dtype", F32),)))
    yield Kind("add of a number", (LENGTHS,), lambda n: Sample(Op.ADD, (f32(n), f32())))
    yield Kind("iota", (LENGTHS,), lambda n: Sample(Op.IOTA, (), (("shape", (n,)), ("dim", 0), ("dtype", I64))))
    yield Kind("cat", (LENGTHS[1:],), lambda n: Sample(Op.CAT, (f32(n // 2), f32(n // 2)), (("dim", 0),)))
    yield Kind("cat of a piece", ((4, 64),), lambda n: Sample(Op.CAT, (f32(8),) * n, (("dim", 0),)))
    yield Kind("pad", (LENGTHS,), lambda n: Sample(Op.PAD, (f32(n),), (("low", (n,)), ("high", (0,)), ("value", 0.0))))
    yield Kind("copy", (LENGTHS, (1, 4, 16, 64, 256)), _copy, lambda n, run: n)


def _of_rows() -> Iterator[Kind]:
    yield Kind("add, stretched", (DOWN, ACROSS), _stretched)
    along: tuple[str, Attribute] = ("dim", 1)
    yield from (_rows(Op.SOFTMAX, 1, along), _rows(Op.SOFTMAX_BACKWARD, 2, along))
    yield from (_rows(Op.LOG_SOFTMAX, 1, along), _rows(Op.LOG_SOFTMAX_BACKWARD, 2, along))
    yield _rows(Op.ARGMAX, 1, along, ("keep", False))
    yield _rows(Op.REDUCE_MAX, 1, ("dims", (1,)), ("keep", True))
    yield _rows(Op.SUM, 1, ("dims", (1,)), ("keep", True), name="sum along rows")
    yield _rows(Op.SUM, 1, ("dims", (0,)), ("keep", True), name="sum of rows")
    yield _rows(Op.MEAN, 1, ("dims", (1,)), ("keep", True))
    yield _rows(Op.VARIANCE, 1, ("dims", (1,)), ("correction", 1), ("keep", True))
    for name, sample in (("layer_norm", _layer_norm), ("layer_norm_backward", _layer_norm_backward)):
        yield Kind(name, (DOWN, ACROSS), sample)
    yield from (Kind("nll_loss", (DOWN, ACROSS), _nll), Kind("nll_loss_backward", (DOWN, ACROSS), _nll_backward))
    yield Kind("gather", (DOWN, ACROSS), _gather)
    yield Kind("embedding_backward", (DOWN, ACROSS), _embedding_backward)


def _of_planes() -> Iterator[Kind]:
    deep = (IMAGES, CHANNELS, CHANNELS, PLANES)
    yield Kind("conv", deep, _conv, _conv_work, 4 * LARGEST_WORK)
    yield Kind("conv_backward", deep, _conv_backward, lambda *point: 2 * _conv_work(*point), 8 * LARGEST_WORK)
    yield from (_in_planes(Op.BATCH_NORM, _batch_norm), _in_planes(Op.BATCH_NORM_BACKWARD, _batch_norm_backward))
    yield from (_pooled(Op.MAX_POOL, _max_pool), _in_planes(Op.MAX_POOL_BACKWARD, _max_pool_backward))


def _views() -> Iterator[Kind]:
    yield Kind("permute", (), lambda: Sample(Op.PERMUTE, (f32(4, 4),), (("dims", (1, 0)),)))
    yield Kind("reshape", (), lambda: Sample(Op.RESHAPE, (f32(4, 4),), (("shape", (16,)),)))
    yield Kind("broadcast", (), lambda: Sample(Op.BROADCAST, (f32(4),), (("shape", (4, 4)),)))
    cut: Attrs = (("starts", (0, 0)), ("stops", (4, 2)), ("steps", (1, 1)))
    yield Kind("slice", (), lambda: Sample(Op.SLICE, (f32(4, 4),), cut))


KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (*_of_products(), *_of_elements(), *_of_rows(), *_of_planes(), *_views())
}
CALL, READ, HOST = "call", "read of a piece", "number"
"""Measured by themselves: a call of nothing, a piece of an arena, an operation on numbers that stay on the host."""
