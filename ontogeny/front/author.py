"""Writing programs by hand in Python: values with operators that append instructions.

A learning rule is written with these (`front/rules`), and the PyTorch capture translates into them (`front/aten`).
Operands of one number format broadcast by NumPy's rule. A Python number takes the format of the value beside it; an
`f64[]` scalar such as a dial, beside a tensor of another float format, multiplies by `scale` and is cast for the rest.
"""

from __future__ import annotations

from ontogeny.isa.build import Builder
from ontogeny.isa.errors import ProgramError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Attribute, Number
from ontogeny.isa.types import DType, Type

Operand = "Value | Number"


class Value:
    """A value of the routine under construction."""

    __slots__ = ("builder", "name")

    def __init__(self, builder: Builder, name: str) -> None:
        self.builder = builder
        self.name = name

    def __bool__(self) -> bool:
        raise ProgramError(
            f"the value {self.name}: {self.type} is not known until the program runs, so Python cannot branch on it; "
            "use where(condition, a, b)"
        )

    def __repr__(self) -> str:
        return f"<%{self.name}: {self.type}>"

    @property
    def type(self) -> Type:
        """Its type."""
        return self.builder.types[self.name]

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self.type.shape

    @property
    def dtype(self) -> DType:
        """Its number format."""
        return self.type.dtype

    def op(self, op: Op, *others: Value | Number, **attrs: Attribute) -> Value:
        """`op` of this value and others, for an operation with one result."""
        (result,) = self.ops(op, *others, **attrs)
        return result

    def ops(self, op: Op, *others: Value | Number, **attrs: Attribute) -> tuple[Value, ...]:
        """`op` of this value and others, all its results."""
        names = [self._lift(other).name for other in others]
        return tuple(Value(self.builder, name) for name in self.builder.emit(op, self.name, *names, **attrs))

    def _lift(self, other: Value | Number) -> Value:
        if isinstance(other, Value):
            return other
        return constant(self.builder, other, self.dtype)

    def _pair(self, other: Value | Number) -> tuple[Value, Value]:
        """Both operands in one number format: a scalar of another one is cast to the tensor's."""
        right = self._lift(other)
        if right.dtype == self.dtype:
            return self, right
        if not right.shape and self.shape:
            return self, right.cast(self.dtype)
        if not self.shape and right.shape:
            return self.cast(right.dtype), right
        raise ProgramError(f"{self!r} and {right!r} differ in number format; cast one of them")

    def _binary(self, op: Op, other: Value | Number, swap: bool = False) -> Value:
        left, right = self._pair(other)
        return right.op(op, left) if swap else left.op(op, right)

    def __add__(self, other: Value | Number) -> Value:
        return self._binary(Op.ADD, other)

    def __radd__(self, other: Number) -> Value:
        return self._binary(Op.ADD, other, swap=True)

    def __sub__(self, other: Value | Number) -> Value:
        return self._binary(Op.SUB, other)

    def __rsub__(self, other: Number) -> Value:
        return self._binary(Op.SUB, other, swap=True)

    def __mul__(self, other: Value | Number) -> Value:
        if isinstance(other, Value) and other.dtype != self.dtype:
            for tensor, scalar in ((self, other), (other, self)):
                if scalar.type == Type(DType.F64) and tensor.dtype.is_float:
                    return tensor.op(Op.SCALE, scalar)
        return self._binary(Op.MUL, other)

    def __rmul__(self, other: Number) -> Value:
        return self._binary(Op.MUL, other)

    def __truediv__(self, other: Value | Number) -> Value:
        return self._binary(Op.DIV, other)

    def __rtruediv__(self, other: Number) -> Value:
        return self._binary(Op.DIV, other, swap=True)

    def __pow__(self, other: Value | Number) -> Value:
        return self._binary(Op.POW, other)

    def __rpow__(self, other: Number) -> Value:
        return self._binary(Op.POW, other, swap=True)

    def __neg__(self) -> Value:
        return self.op(Op.NEG)

    def __abs__(self) -> Value:
        return self.op(Op.ABS)

    def __lt__(self, other: Value | Number) -> Value:
        return self._binary(Op.LT, other)

    def __le__(self, other: Value | Number) -> Value:
        return self._binary(Op.LE, other)

    def __gt__(self, other: Value | Number) -> Value:
        return self._binary(Op.LT, other, swap=True)

    def __ge__(self, other: Value | Number) -> Value:
        return self._binary(Op.LE, other, swap=True)

    def equals(self, other: Value | Number) -> Value:
        """Elementwise equality, as bool."""
        return self._binary(Op.EQ, other)

    def __matmul__(self, other: Value) -> Value:
        return self.op(Op.DOT, other)

    def __and__(self, other: Value) -> Value:
        return self.op(Op.AND, other)

    def __or__(self, other: Value) -> Value:
        return self.op(Op.OR, other)

    def __xor__(self, other: Value) -> Value:
        return self.op(Op.XOR, other)

    def __invert__(self) -> Value:
        return self.op(Op.NOT)

    def cast(self, dtype: DType) -> Value:
        """In another number format; itself where it already is."""
        return self if dtype == self.dtype else self.op(Op.CAST, dtype=dtype)

    def reshape(self, *shape: int) -> Value:
        """The same elements in another shape; itself where it already has it."""
        return self if shape == self.shape else self.op(Op.RESHAPE, shape=tuple(shape))

    def expand(self, *shape: int) -> Value:
        """Stretched to `shape`; itself where it already has it."""
        return self if shape == self.shape else self.op(Op.BROADCAST, shape=tuple(shape))

    def permute(self, *dims: int) -> Value:
        """Dimensions reordered; itself where the order stays."""
        return self if dims == tuple(range(len(self.shape))) else self.op(Op.PERMUTE, dims=tuple(dims))

    def narrow(self, dim: int, start: int, stop: int, step: int = 1) -> Value:
        """Elements start up to stop by step along one dimension; itself where that is everything."""
        if (start, stop, step) == (0, self.shape[dim], 1):
            return self
        starts, stops, steps = [0] * len(self.shape), list(self.shape), [1] * len(self.shape)
        starts[dim], stops[dim], steps[dim] = start, stop, step
        return self.op(Op.SLICE, starts=tuple(starts), stops=tuple(stops), steps=tuple(steps))

    def sum(self, *dims: int, keep: bool = False) -> Value:
        """Sum over `dims`, or over all."""
        return self.op(Op.SUM, dims=dims or tuple(range(len(self.shape))), keep=keep)

    def mean(self, *dims: int, keep: bool = False) -> Value:
        """Mean over `dims`, or over all."""
        return self.op(Op.MEAN, dims=dims or tuple(range(len(self.shape))), keep=keep)

    def sqrt(self) -> Value:
        """Square root."""
        return self.op(Op.SQRT)

    def exp(self) -> Value:
        """e to the power of it."""
        return self.op(Op.EXP)

    def log(self) -> Value:
        """Natural logarithm."""
        return self.op(Op.LOG)

    def cos(self) -> Value:
        """Cosine of radians."""
        return self.op(Op.COS)

    def sign(self) -> Value:
        """-1, 0 or 1."""
        return self.op(Op.SIGN)

    def lerp(self, end: Value, weight: Value | Number) -> Value:
        """Linear interpolation towards `end` by an f64 scalar."""
        return self.op(Op.LERP, end, self._scalar(weight))

    def addcmul(self, a: Value, b: Value, value: Value | Number = 1.0) -> Value:
        """self + value * a * b, for an f64 scalar value."""
        return self.op(Op.ADDCMUL, a, b, self._scalar(value))

    def addcdiv(self, a: Value, b: Value, value: Value | Number = 1.0) -> Value:
        """self + value * a / b, for an f64 scalar value."""
        return self.op(Op.ADDCDIV, a, b, self._scalar(value))

    def axpy(self, other: Value, value: Value | Number) -> Value:
        """self + value * other, for an f64 scalar value."""
        return self.op(Op.AXPY, other, self._scalar(value))

    def scale(self, value: Value | Number) -> Value:
        """self * value, for an f64 scalar value."""
        return self.op(Op.SCALE, self._scalar(value))

    def _scalar(self, value: Value | Number) -> Value:
        return value if isinstance(value, Value) else constant(self.builder, float(value), DType.F64)


def constant(builder: Builder, value: Number, dtype: DType) -> Value:
    """A scalar constant in `dtype`."""
    plain: Number = bool(value) if dtype is DType.BOOL else float(value) if dtype.is_float else int(value)
    return Value(builder, builder.const(plain, dtype))


def where(condition: Value, a: Value | Number, b: Value | Number) -> Value:
    """`a` where the condition holds, else `b`; at least one of them is a value."""
    model = a if isinstance(a, Value) else b
    if not isinstance(model, Value):
        raise ProgramError("where() needs a value in at least one branch")
    left, right = model._lift(a), model._lift(b)
    return condition.op(Op.WHERE, left, right)


def maximum(a: Value, b: Value | Number) -> Value:
    """The larger of two, elementwise."""
    return a._binary(Op.MAX, b)


def minimum(a: Value, b: Value | Number) -> Value:
    """The smaller of two, elementwise."""
    return a._binary(Op.MIN, b)


def concatenate(values: list[Value], dim: int = 0) -> Value:
    """Values one after another along `dim`."""
    return values[0] if len(values) == 1 else values[0].op(Op.CAT, *values[1:], dim=dim)
