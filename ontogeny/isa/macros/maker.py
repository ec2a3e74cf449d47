"""Writes definitions: a builder that takes plain numbers as operands, and says the common operations as words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ontogeny.isa.build import Builder
from ontogeny.isa.op import Op
from ontogeny.isa.program import Attribute, Instr, Number, Program
from ontogeny.isa.types import DType, Type

Operand = str | Number
Results = str | tuple[str, ...]
NOWHERE = Program("macro", (), ())


class Maker(Builder):
    """A definition in the making, outside of any program."""

    def __init__(self, params: Sequence[tuple[str, Type]], prefix: str) -> None:
        super().__init__(NOWHERE, params, prefix)

    def __call__(self, op: Op, *operands: Operand, **attrs: Attribute) -> str:
        """One instruction with one result; a number stands for a constant in the format of the last named operand."""
        like = self.types[[operand for operand in operands if isinstance(operand, str)][-1]].dtype if operands else None
        return self.one(op, *(self._name(operand, like) for operand in operands), **attrs)

    def _name(self, operand: Operand, like: DType | None) -> str:
        if isinstance(operand, str):
            return operand
        assert like is not None
        return self.const(float(operand) if like.is_float else operand, like)

    def shape(self, value: str) -> tuple[int, ...]:
        """The shape of a value."""
        return self.types[value].shape

    def dtype(self, value: str) -> DType:
        """The format of a value."""
        return self.types[value].dtype

    def add(self, a: Operand, b: Operand) -> str:
        """a + b"""
        return self(Op.ADD, a, b)

    def sub(self, a: Operand, b: Operand) -> str:
        """a - b"""
        return self(Op.SUB, a, b)

    def mul(self, a: Operand, b: Operand) -> str:
        """a * b"""
        return self(Op.MUL, a, b)

    def div(self, a: Operand, b: Operand) -> str:
        """a / b"""
        return self(Op.DIV, a, b)

    def where(self, holds: str, b: Operand, c: Operand) -> str:
        """b where holds, else c; one of them may be a number."""
        like = self.dtype(b if isinstance(b, str) else str(c))
        return self.one(Op.WHERE, holds, self._name(b, like), self._name(c, like))

    def cast(self, a: str, dtype: DType) -> str:
        """a in another format; itself where it has it already."""
        return a if self.dtype(a) is dtype else self.one(Op.CAST, a, dtype=dtype)

    def sum(self, a: str, dims: Sequence[int], keep: bool = False) -> str:
        """The sum over dimensions."""
        return self.one(Op.SUM, a, dims=tuple(dims), keep=keep)

    def reshape(self, a: str, *shape: int) -> str:
        """The same elements in another shape; itself where it has it already."""
        return a if self.shape(a) == shape else self.one(Op.RESHAPE, a, shape=shape)

    def permute(self, a: str, *dims: int) -> str:
        """Dimensions reordered."""
        return self.one(Op.PERMUTE, a, dims=dims)

    def stretch(self, a: str, shape: tuple[int, ...]) -> str:
        """Broadcast to a shape; itself where it has it already."""
        return a if self.shape(a) == shape else self.one(Op.BROADCAST, a, shape=shape)

    def zeros(self, like: str, shape: tuple[int, ...]) -> str:
        """Zeros in the format of a value."""
        dtype = self.dtype(like)
        return self.one(Op.CONST, value=0.0 if dtype.is_float else 0, dtype=dtype, shape=shape)

    def iota(self, shape: tuple[int, ...], dim: int) -> str:
        """i64 places along one dimension."""
        return self.one(Op.IOTA, shape=shape, dim=dim, dtype=DType.I64)


Definition = Callable[[Maker, Instr, tuple[str, ...]], Results]
"""Appends a macro's base instructions to the maker, of the instruction and its operands, f16 and bf16 ones as f32."""
