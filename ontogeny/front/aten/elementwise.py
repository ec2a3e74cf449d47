"""ATen's elementwise operations, comparisons, conversions and random draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ontogeny.front.aten.table import Context, Handler, Meta
from ontogeny.front.author import Value, where
from ontogeny.isa.op import Op
from ontogeny.isa.program import Number
from ontogeny.isa.types import DType


def _operand(ctx: Context, value: Value | Number, dtype: DType) -> Value:
    return value.cast(dtype) if isinstance(value, Value) else ctx.const(value, dtype)


def _common(left: Value | Number, right: Value | Number) -> DType:
    """The number format in which two operands meet, for comparisons, whose result does not tell it."""
    values = [v for v in (left, right) if isinstance(v, Value)]
    if len(values) == 2 and values[0].dtype != values[1].dtype:
        values.sort(key=lambda v: (v.dtype.is_float, bool(v.shape), v.dtype.is_int, v.dtype.bytes))
    return values[-1].dtype


def _arithmetic(op: Op) -> Handler:
    def handler(ctx: Context, meta: Meta, a: Any, b: Any, **_: Any) -> Value:
        dtype = meta.type.dtype
        meant = Op.AND if op is Op.MUL and dtype is DType.BOOL else op
        return _operand(ctx, a, dtype).op(meant, _operand(ctx, b, dtype))

    return handler


def _add(sign: int) -> Handler:
    def handler(ctx: Context, meta: Meta, a: Any, b: Any, alpha: Value | Number = 1) -> Value:
        dtype = meta.type.dtype
        left, right = _operand(ctx, a, dtype), _operand(ctx, b, dtype)
        if isinstance(alpha, Value):
            return left.axpy(right, (alpha if sign > 0 else -alpha).cast(DType.F64))
        if alpha == 1:
            return left.op(Op.ADD if sign > 0 else Op.SUB, right)
        if not dtype.is_float:
            return left.op(Op.ADD, right.op(Op.MUL, sign * alpha))
        return left.axpy(right, sign * float(alpha))

    return handler


def _compare(op: Op, swap: bool = False, invert: bool = False) -> Handler:
    def handler(ctx: Context, meta: Meta, a: Any, b: Any) -> Value:
        dtype = _common(a, b)
        left, right = _operand(ctx, a, dtype), _operand(ctx, b, dtype)
        result = right.op(op, left) if swap else left.op(op, right)
        return result.op(Op.NOT) if invert else result

    return handler


def _unary(op: Op, **attrs: Any) -> Handler:
    def handler(ctx: Context, meta: Meta, a: Value, **_: Any) -> Value:
        return a.cast(meta.type.dtype).op(op, **attrs)

    return handler


def _relu(ctx: Context, meta: Meta, a: Value) -> Value:
    return a.op(Op.RELU) if a.dtype.is_float else a.op(Op.MAX, 0)


def _divide(ctx: Context, meta: Meta, a: Any, b: Any, rounding_mode: str | None = None) -> Value:
    dtype = meta.type.dtype
    result = _operand(ctx, a, dtype).op(Op.DIV, _operand(ctx, b, dtype))
    return result.op(Op.FLOOR) if rounding_mode == "floor" and dtype.is_float else result


def _power(ctx: Context, meta: Meta, a: Any, b: Any) -> Value:
    base, dtype = _operand(ctx, a, meta.type.dtype), meta.type.dtype
    special: dict[Number, Callable[[], Value]] = {
        0.5: base.sqrt,
        1: lambda: base,
        2: lambda: base * base,
        3: lambda: base * base * base,
    }
    if not isinstance(b, Value) and b in special:
        return special[b]()
    if not isinstance(b, Value) and b == -0.5:
        return base.op(Op.RSQRT)
    return base.op(Op.POW, _operand(ctx, b, dtype))


def _where(ctx: Context, meta: Meta, condition: Value, a: Any, b: Any) -> Value:
    dtype = meta.type.dtype
    return where(condition, _operand(ctx, a, dtype), _operand(ctx, b, dtype))


def _masked_fill(ctx: Context, meta: Meta, a: Value, mask: Value, value: Any) -> Value:
    return where(mask, _operand(ctx, value, meta.type.dtype), a)


def _clamp(
    ctx: Context, meta: Meta, a: Value, low: Value | Number | None = None, high: Value | Number | None = None
) -> Value:
    a = a.cast(meta.type.dtype)
    if low is not None:
        a = a.op(Op.MAX, _operand(ctx, low, a.dtype))
    return a if high is None else a.op(Op.MIN, _operand(ctx, high, a.dtype))


def _cast(ctx: Context, meta: Meta, a: Value, *_: Any, **__: Any) -> Value:
    return a.cast(meta.type.dtype)


def _gelu(ctx: Context, meta: Meta, a: Value, approximate: str = "none") -> Value:
    return a.op(Op.GELU, approximate=approximate)


def _gelu_backward(ctx: Context, meta: Meta, g: Value, a: Value, approximate: str = "none") -> Value:
    return g.op(Op.GELU_BACKWARD, a, approximate=approximate)


def _relu_backward(ctx: Context, meta: Meta, g: Value, a: Value, threshold: Number) -> Value:
    return g.op(Op.RELU_BACKWARD, a, threshold=threshold)


def _backward(op: Op) -> Handler:
    def handler(ctx: Context, meta: Meta, g: Value, a: Value) -> Value:
        return g.op(op, a)

    return handler


def _uniform(ctx: Context, meta: Meta) -> Value:
    return ctx.read("seed").op(Op.UNIFORM, ctx.read("step"), shape=meta.type.shape, site=ctx.site())


def _bernoulli(ctx: Context, meta: Meta, a: Value, p: Number = 0.5, **_: Any) -> Value:
    return (_uniform(ctx, meta) < float(p)).cast(meta.type.dtype)


def _bernoulli_tensor(ctx: Context, meta: Meta, a: Value, **_: Any) -> Value:
    return (_uniform(ctx, meta) < a.cast(DType.F32)).cast(meta.type.dtype)


def _rand(ctx: Context, meta: Meta, *_: Any, **__: Any) -> Value:
    return _uniform(ctx, meta).cast(meta.type.dtype)


def _randn(ctx: Context, meta: Meta, *_: Any, **__: Any) -> Value:
    radius = ((1.0 - _uniform(ctx, meta)).log() * -2.0).sqrt()
    return (radius * (_uniform(ctx, meta) * 6.283185307179586).cos()).cast(meta.type.dtype)


def _native_dropout(ctx: Context, meta: Meta, a: Value, p: float, train: bool | None = True) -> tuple[Value, Value]:
    if not train or p == 0:
        return a, ctx.full(True, meta.types[1])
    mask = _uniform(ctx, meta) < 1.0 - p
    return a * mask.cast(a.dtype) * (1.0 / (1.0 - p)), mask


def _native_dropout_backward(ctx: Context, meta: Meta, g: Value, mask: Value, scale: float) -> Value:
    return g * mask.cast(g.dtype) * scale


def _softplus(ctx: Context, meta: Meta, a: Value, beta: Number = 1, threshold: Number = 20) -> Value:
    scaled = a * beta
    return where(scaled > threshold, a, (scaled.exp() + 1.0).log() / beta)


def _fused(op: Op) -> Handler:
    """a + value * b * c, or a + value * b / c."""

    def handler(ctx: Context, meta: Meta, a: Value, b: Value, c: Value, value: Value | Number = 1) -> Value:
        type = meta.type
        a, b, c = (v.cast(type.dtype).expand(*type.shape) for v in (a, b, c))
        return a.op(op, b, c, _scalar(ctx, value))

    return handler


def _lerp(ctx: Context, meta: Meta, a: Value, end: Value, weight: Value | Number) -> Value:
    return a.op(Op.LERP, end, _scalar(ctx, weight))


def _scalar(ctx: Context, value: Value | Number) -> Value:
    return _operand(ctx, value, DType.F64)


def _log1p(ctx: Context, meta: Meta, a: Value) -> Value:
    return (a + 1.0).log()


def _logaddexp(ctx: Context, meta: Meta, a: Value, b: Value) -> Value:
    top = a.op(Op.MAX, b)
    return top + ((a - top).exp() + (b - top).exp()).log()


_PLAIN = {
    "mul.Tensor": Op.MUL, "mul.Scalar": Op.MUL, "remainder.Scalar": Op.REM, "remainder.Tensor": Op.REM,
    "maximum": Op.MAX, "minimum": Op.MIN, "bitwise_and.Tensor": Op.AND, "bitwise_or.Tensor": Op.OR,
    "bitwise_xor.Tensor": Op.XOR, "logical_and": Op.AND, "logical_or": Op.OR, "__and__.Tensor": Op.AND,
    "__or__.Tensor": Op.OR, "bitwise_left_shift.Tensor_Scalar": Op.SHL, "bitwise_right_shift.Tensor_Scalar": Op.SHR,
    "bitwise_and.Scalar": Op.AND, "bitwise_or.Scalar": Op.OR, "bitwise_xor.Scalar": Op.XOR,
}  # fmt: skip
_UNARY = {
    "neg": Op.NEG, "abs": Op.ABS, "sqrt": Op.SQRT, "exp": Op.EXP, "log": Op.LOG, "sin": Op.SIN, "cos": Op.COS,
    "tanh": Op.TANH, "erf": Op.ERF, "floor": Op.FLOOR, "sign": Op.SIGN, "rsqrt": Op.RSQRT, "sgn": Op.SIGN,
    "reciprocal": Op.RECIPROCAL, "sigmoid": Op.SIGMOID, "silu": Op.SILU, "bitwise_not": Op.NOT,
    "logical_not": Op.NOT,
}  # fmt: skip
_COMPARE = {
    "lt": (Op.LT, False, False), "le": (Op.LE, False, False), "gt": (Op.LT, True, False), "ge": (Op.LE, True, False),
    "eq": (Op.EQ, False, False), "ne": (Op.EQ, False, True),
}  # fmt: skip

ELEMENTWISE: dict[str, Handler] = {
    **{name: _arithmetic(op) for name, op in _PLAIN.items()},
    **{name: _unary(op) for name, op in _UNARY.items()},
    **{f"{name}.{kind}": _compare(*how) for name, how in _COMPARE.items() for kind in ("Tensor", "Scalar")},
    "ne": _compare(Op.EQ, False, True),
    "add.Tensor": _add(1),
    "add.Scalar": _add(1),
    "sub.Tensor": _add(-1),
    "sub.Scalar": _add(-1),
    "rsub.Scalar": lambda ctx, meta, a, b: _add(-1)(ctx, meta, b, a),
    "div.Tensor": _divide,
    "div.Scalar": _divide,
    "div.Tensor_mode": _divide,
    "floor_divide": _divide,
    "pow.Tensor_Scalar": _power,
    "pow.Tensor_Tensor": _power,
    "pow.Scalar": _power,
    "addcmul": _fused(Op.ADDCMUL),
    "addcdiv": _fused(Op.ADDCDIV),
    "lerp.Scalar": _lerp,
    "relu": _relu,
    "square": lambda ctx, meta, a: a * a,
    "log1p": _log1p,
    "softplus": _softplus,
    "logaddexp": _logaddexp,
    "where": _where,
    "where.self": _where,
    "where.ScalarSelf": _where,
    "where.ScalarOther": _where,
    "masked_fill.Scalar": _masked_fill,
    "masked_fill.Tensor": _masked_fill,
    "clamp": _clamp,
    "clamp.Tensor": _clamp,
    "clamp_min": _clamp,
    "clamp_min.Tensor": _clamp,
    **dict.fromkeys(("clamp_max", "clamp_max.Tensor"), lambda ctx, meta, a, high: _clamp(ctx, meta, a, None, high)),
    "_to_copy": _cast,
    "to.dtype": _cast,
    "gelu": _gelu,
    "gelu_backward": _gelu_backward,
    "threshold_backward": _relu_backward,
    "tanh_backward": _backward(Op.TANH_BACKWARD),
    "sigmoid_backward": _backward(Op.SIGMOID_BACKWARD),
    "silu_backward": _backward(Op.SILU_BACKWARD),
    "bernoulli.p": _bernoulli,
    "bernoulli": _bernoulli_tensor,
    "rand_like": _rand,
    "rand": _rand,
    "randn_like": _randn,
    "randn": _randn,
    "native_dropout": _native_dropout,
    "native_dropout_backward": _native_dropout_backward,
}
