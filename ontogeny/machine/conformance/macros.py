"""Cases of the macros, which a machine may run by kernels of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ontogeny.isa.op import Op
from ontogeny.isa.program import Attribute
from ontogeny.isa.rules.site import BITS, NUMBERS
from ontogeny.isa.types import FLOATS, DType
from ontogeny.machine.conformance.case import (
    Case,
    Shape,
    edges,
    label,
    ordered,
    positive,
    sample,
    single,
    small,
    with_constant,
)
from ontogeny.machine.conformance.elementwise import binary, unary
from ontogeny.machine.conformance.reduce import rand_bits
from ontogeny.machine.formats import converted
from ontogeny.machine.learner import Array

Cases = Callable[[Op], Iterator[Case]]
Attributes = dict[str, Attribute]
FULL = (DType.F32, DType.F64)
POOLS: tuple[Attributes, ...] = (
    {"size": (2, 2), "stride": (2, 2), "padding": (0, 0)},
    {"size": (3, 2), "stride": (1, 2), "padding": (1, 1)},
    {"size": (3,), "stride": (2,), "padding": (1,)},
)
CONVOLUTIONS: tuple[tuple[Shape, Shape, Shape, Shape, Shape, int], ...] = (
    ((2, 3, 7), (4, 3, 3), (1,), (0,), (1,), 1),
    ((2, 4, 9), (6, 2, 3), (2,), (1,), (2,), 2),
    ((2, 3, 6, 7), (4, 3, 3, 2), (1, 1), (1, 1), (1, 1), 1),
    ((1, 4, 8, 9), (4, 1, 3, 3), (2, 1), (0, 2), (1, 2), 4),
    ((1, 2, 4, 5, 4), (2, 1, 2, 3, 2), (1, 2, 1), (1, 0, 1), (1, 1, 2), 2),
    ((0, 2, 5), (3, 2, 2), (1,), (0,), (1,), 1),
)


def plain(count: int, *choices: Attributes) -> Cases:
    """`count` float operands of one shape, and of shapes that broadcast."""

    def found(op: Op) -> Iterator[Case]:
        for dtype in ordered(FLOATS):
            for attrs in choices or ({},):
                for shape in ((), (5,), (0, 2), (4, 40)):
                    operands = [sample(dtype, shape, str(place)) for place in range(count)]
                    yield single(op, operands, f"{label(dtype, shape)} {_words(attrs)}", **attrs)
                spread = [sample(dtype, ((3, 1), (4,))[place % 2], str(place)) for place in range(count)]
                yield single(op, spread, f"{dtype} that broadcast {_words(attrs)}", **attrs)

    return found


def _words(attrs: Attributes) -> str:
    return " ".join(f"{name}={value}" for name, value in attrs.items())


def steered(count: int) -> Cases:
    """`count` float operands and an f64 scalar, which is an input or stands in the program."""

    def found(op: Op) -> Iterator[Case]:
        for dtype in ordered(FLOATS):
            for value in (0.0, 0.1, 0.5, -0.9, 3.0):
                scalar = np.array(value)
                for shape in ((), (7,), (2, 0), (4, 9)):
                    operands = [
                        *(sample(dtype, shape, str(place)) for place in range(count - 1)),
                        positive(dtype, shape, "last"),
                    ]
                    name = f"{label(dtype, shape)} {value}"
                    yield single(op, [*operands, scalar], name)
                    yield with_constant(op, [*operands, scalar], f"{name} in the program", count)
                spread = [positive(dtype, ((3, 1), (4,), ())[place], str(place)) for place in range(count)]
                yield single(op, [*spread, scalar], f"{dtype} that broadcast {value}")

    return found


def relu(op: Op) -> Iterator[Case]:
    """Also of what is not finite."""
    yield from plain(1)(op)
    for dtype in ordered(FLOATS):
        yield single(op, [edges(dtype)], f"{dtype} edges")


def relu_backward(op: Op) -> Iterator[Case]:
    """At the threshold, and NaN, which lets the gradient pass."""
    yield from plain(2, {"threshold": 0.0}, {"threshold": 0.5})(op)
    for dtype in ordered(FLOATS):
        for threshold in (0.0, 0.5):
            values = edges(dtype)
            yield single(op, [np.ones_like(values), values], f"{dtype} edges at {threshold}", threshold=threshold)


def reciprocals(op: Op) -> Iterator[Case]:
    """Positive numbers."""
    for dtype in ordered(FLOATS):
        for shape in ((), (0,), (4, 9)):
            yield single(op, [positive(dtype, shape, op.text)], label(dtype, shape))


def linear(op: Op) -> Iterator[Case]:
    """A bias for rows, for all, and in full; nothing to add up."""
    for dtype in ordered(FLOATS):
        for bias, rows, inner, columns in (
            ((4,), 3, 6, 4),
            ((), 2, 2, 2),
            ((3, 4), 3, 5, 4),
            ((4,), 3, 0, 4),
            ((4,), 0, 3, 4),
        ):
            shapes = (bias, (rows, inner), (inner, columns))
            yield single(op, [sample(dtype, shape, "linear") for shape in shapes], label(dtype, *shapes))


def averages(op: Op) -> Iterator[Case]:
    """Over sets of dimensions."""
    for dtype in ordered(FLOATS):
        for dims in ((0,), (2, 0), (0, 1, 2)):
            for keep in (False, True):
                attrs: Attributes = {"dims": dims, "keep": keep}
                if op is Op.VARIANCE:
                    attrs["correction"] = 1 if keep else 0
                yield single(op, [sample(dtype, (4, 2, 5), op.text)], f"{dtype} {_words(attrs)}", **attrs)


def along(op: Op) -> Iterator[Case]:
    """Along every dimension, of one, of none; large numbers."""
    count = 2 if "BACKWARD" in op.name else 1
    for dtype in ordered(FLOATS):
        for shape, dim in (((4, 5), 0), ((4, 5), 1), ((3,), 0), ((2, 1), 1), ((2, 0), 1), ((0, 3), 1)):
            operands = [sample(dtype, shape, "g"), -positive(dtype, shape, "y")][-count:]
            yield single(op, operands, f"{label(dtype, shape)} along {dim}", dim=dim)
        large = [converted(np.array([[30.0, -30.0, 31.0], [1000.0, 1000.0, 0.0]]), dtype)] * count
        if count == 1:
            yield single(op, large, f"{dtype} large", dim=1)


def layer_norm(op: Op) -> Iterator[Case]:
    """Over one dimension or more, with and without a weight."""
    for dtype in ordered(FLOATS):
        for shape, rank in (((4, 8), 1), ((2, 3, 5), 2), ((6,), 1), ((0, 3), 1)):
            weight = shape[len(shape) - rank :]
            a, w, b = sample(dtype, shape, "a"), positive(dtype, weight, "w"), sample(dtype, weight, "b")
            name = f"{label(dtype, shape)} of {rank}"
            yield single(op, [a, w, b], name, rank=rank, eps=1e-5)
            yield single(op, [a], f"{name} alone", rank=rank, eps=1e-5)


def layer_norm_backward(op: Op) -> Iterator[Case]:
    """As forward."""
    for dtype in ordered(FLOATS):
        for shape, rank in (((4, 8), 1), ((2, 3, 5), 2), ((6,), 1), ((0, 3), 1)):
            kept = (*shape[: len(shape) - rank], *(1,) * rank)
            given = [
                sample(dtype, shape, "g"),
                sample(dtype, shape, "a"),
                sample(dtype, kept, "m"),
                positive(dtype, kept, "r"),
            ]
            weight = positive(dtype, shape[len(shape) - rank :], "w")
            yield single(op, [*given, weight], f"{label(dtype, shape)} of {rank}", rank=rank)
            yield single(op, given, f"{label(dtype, shape)} of {rank} alone", rank=rank)


def batch_norm(op: Op) -> Iterator[Case]:
    """In training or not, in up to two dimensions of place; backward too. f16 and bf16 are not sampled."""
    backward = op is Op.BATCH_NORM_BACKWARD
    for dtype in FULL:
        for shape in ((6, 3), (4, 3, 5), (2, 3, 4, 5)):
            a, w, b, mean = sample(dtype, shape, "a"), *(sample(dtype, (3,), name) for name in ("w", "b", "mean"))
            variance, rstd = positive(dtype, (3,), "variance"), positive(dtype, (3,), "rstd")
            for train in (True, False):
                name = f"{label(dtype, shape)}{' in training' if train else ''}"
                if backward:
                    operands = [sample(dtype, shape, "g"), a, w, mean, variance, b, rstd]
                    yield single(op, operands, name, train=train, eps=1e-5)
                else:
                    yield single(op, [a, w, b, mean, variance], name, train=train, momentum=0.1, eps=1e-5)


def conv(op: Op) -> Iterator[Case]:
    """One to three dimensions, strides, padding, dilation, groups, with and without bias, an empty batch."""
    for dtype in (*FULL, DType.BF16):
        for number, (shape, kernel, stride, padding, dilation, groups) in enumerate(CONVOLUTIONS):
            attrs: Attributes = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
            a, w, bias = sample(dtype, shape, "a"), sample(dtype, kernel, "w"), sample(dtype, kernel[:1], "bias")
            name = f"{label(dtype, shape, kernel)} {number}"
            if op is Op.CONV:
                yield single(op, [a, w, bias], name, **attrs)
                yield single(op, [a, w], f"{name} without bias", **attrs)
            else:
                yield single(op, [sample(dtype, _convolved(shape, kernel, attrs), "g"), a, w], name, **attrs)


def _convolved(shape: Shape, kernel: Shape, attrs: Attributes) -> Shape:
    """The shape of a convolution or, with a kernel that ends as the window does, of a pool."""
    count = len(kernel) - 2
    stride, padding = (np.asarray(attrs[name]) for name in ("stride", "padding"))
    span = (np.asarray(kernel[2:]) - 1) * np.asarray(attrs.get("dilation", 1)) + 1
    places = (np.asarray(shape[-count:]) + 2 * padding - span) // stride + 1
    lead = (shape[0], kernel[0]) if "groups" in attrs else shape[: len(shape) - count]
    return (*lead, *(int(place) for place in places))


def pool(op: Op) -> Iterator[Case]:
    """Ties, padding, one and two dimensions; backward with places that repeat."""
    for dtype in (*FULL, DType.BF16):
        for attrs in POOLS:
            shape = (2, 3, 7, 6)
            size = np.asarray(attrs["size"])
            results = _convolved(shape, (0, 0, *(int(each) for each in size)), attrs)
            a, name = small(dtype, shape, "a", -3, 4), f"{dtype} {_words(attrs)}"
            plane = 42 if len(size) == 2 else 6
            operands: dict[Op, list[Array]] = {
                Op.MAX_POOL: [a],
                Op.AVG_POOL: [a],
                Op.AVG_POOL_BACKWARD: [sample(dtype, results, "g"), a],
                Op.MAX_POOL_BACKWARD: [sample(dtype, results, "g"), a, small(DType.I64, results, "i", 0, plane)],
            }
            yield single(op, operands[op], name, **attrs)


def nll(op: Op) -> Iterator[Case]:
    """Some targets ignored, all of them, and one out of range."""
    for dtype in FULL:
        a, target = -positive(dtype, (6, 4), "a"), np.array([0, 3, 2, 1, 1, 0])
        count, g = converted(np.array(4.0), dtype), converted(np.array(1.5), dtype)
        for ignore, labels in ((-100, target), (1, target), (-100, np.full(6, -100)), (-100, target + 1)):
            operands = [a, labels] if op is Op.NLL_LOSS else [g, a, labels, count]
            yield single(op, operands, f"{dtype} {labels.tolist()} but {ignore}", ignore=ignore)


def embedding_backward(op: Op) -> Iterator[Case]:
    """Rows named twice and never; a row left out; scalars and nothing as index."""
    for dtype in ordered(FLOATS):
        indices = ((3, 4), (5,), (), (0,), (2, 0))
        for shape in indices:
            for padding in (-1, 2):
                operands = [sample(dtype, (*shape, 3), "g"), small(DType.I64, shape, "i", 0, 5)]
                yield single(op, operands, f"{label(dtype, shape)} but {padding}", rows=5, padding=padding)


GELU: tuple[Attributes, ...] = ({"approximate": "none"}, {"approximate": "tanh"})
CASES: dict[Op, Cases] = {
    Op.NAND: binary(BITS),
    Op.SIGN: unary(NUMBERS),
    **dict.fromkeys((Op.RSQRT, Op.RECIPROCAL), reciprocals),
    Op.RELU: relu,
    Op.RELU_BACKWARD: relu_backward,
    **dict.fromkeys((Op.SIGMOID, Op.SILU), plain(1)),
    **dict.fromkeys((Op.SIGMOID_BACKWARD, Op.TANH_BACKWARD, Op.SILU_BACKWARD), plain(2)),
    Op.GELU: plain(1, *GELU),
    Op.GELU_BACKWARD: plain(2, *GELU),
    **dict.fromkeys((Op.LERP, Op.AXPY), steered(2)),
    **dict.fromkeys((Op.ADDCMUL, Op.ADDCDIV), steered(3)),
    Op.SCALE: steered(1),
    Op.LINEAR: linear,
    **dict.fromkeys((Op.MEAN, Op.VARIANCE), averages),
    **dict.fromkeys((Op.SOFTMAX, Op.LOG_SOFTMAX, Op.SOFTMAX_BACKWARD, Op.LOG_SOFTMAX_BACKWARD), along),
    Op.LAYER_NORM: layer_norm,
    Op.LAYER_NORM_BACKWARD: layer_norm_backward,
    **dict.fromkeys((Op.BATCH_NORM, Op.BATCH_NORM_BACKWARD), batch_norm),
    **dict.fromkeys((Op.CONV, Op.CONV_BACKWARD), conv),
    **dict.fromkeys((Op.MAX_POOL, Op.MAX_POOL_BACKWARD, Op.AVG_POOL, Op.AVG_POOL_BACKWARD), pool),
    Op.NLL_LOSS: nll,
    Op.NLL_LOSS_BACKWARD: nll,
    Op.EMBEDDING_BACKWARD: embedding_backward,
    Op.UNIFORM: rand_bits,
}
