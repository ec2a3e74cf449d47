"""What the type rules accept, what they give, what they refuse; NumPy and PyTorch are asked for the shapes."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontogeny.isa.errors import ProgramError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Attribute, Decl, Instr, Program, Routine
from ontogeny.isa.rules import RULES, result_types
from ontogeny.isa.types import DType, Type

F32, I64, U8, BOOL = DType.F32, DType.I64, DType.U8, DType.BOOL


def typed(text: str) -> Type:
    dtype, shape = re.fullmatch(r"(\w+)\[([\d,]*)\]", text).groups()
    return Type(DType(dtype), tuple(map(int, filter(None, shape.split(",")))))


def types(text: str) -> tuple[Type, ...]:
    return tuple(map(typed, text.split()))


def routine(name: str, takes: str, gives: str) -> Routine:
    """A routine of these types: it returns constants."""
    params = tuple((f"p{n}", type_) for n, type_ in enumerate(types(takes)))
    body = tuple(
        Instr((f"r{n}",), Op.CONST, (), (("value", 0), ("dtype", type_.dtype), ("shape", type_.shape)))
        for n, type_ in enumerate(types(gives))
    )
    return Routine(name, params, body, tuple((f"y{n}", f"r{n}") for n in range(len(body))))


PROGRAM = Program(
    "p",
    (
        Decl("param", "arena", typed("f32[10]")),
        Decl("param", "w", typed("f32[2,3]"), arena="arena", offset=4),
        Decl("state", "step", typed("i64[]")),
        Decl("dial", "lr", typed("f64[]"), default=0.1),
        Decl("input", "x", typed("f32[5]")),
    ),
    (
        routine("two", "f32[2] f32[3]", "f32[4] i64[]"),
        routine("again", "i64[] f32[2]", "f32[2]"),
        routine("go", "f32[2]", "bool[]"),
        routine("same", "f32[2]", "f32[2]"),
        routine("other", "f32[2]", "f32[3]"),
        routine("none", "", "f32[]"),
    ),
)


def results(op: Op, operands: str, attrs: dict[str, Attribute]) -> str:
    return " ".join(map(str, result_types(Instr((), op, (), tuple(attrs.items())), types(operands), PROGRAM)))


conv = {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 2), "groups": 1}
pool = {"size": (3, 2), "stride": (2, 2), "padding": (1, 0)}
norm = {"train": True, "momentum": 0.1, "eps": 1e-5}
draw = {"shape": (4, 5), "site": 3}

GOOD: list[tuple[Op, str, dict[str, Attribute], str]] = [
    (Op.READ, "", {"name": "w"}, "f32[2,3]"),
    (Op.READ, "", {"name": "x"}, "f32[5]"),
    (Op.COMMIT, "i64[]", {"name": "step"}, ""),
    (Op.CONST, "", {"value": 1, "dtype": F32, "shape": ()}, "f32[]"),
    (Op.CONST, "", {"value": 255, "dtype": U8, "shape": (2,)}, "u8[2]"),
    (Op.CONST, "", {"value": (1, 0), "dtype": BOOL, "shape": (2,)}, "bool[2]"),
    (Op.CONST, "", {"value": (), "dtype": I64, "shape": (0, 3)}, "i64[0,3]"),
    (Op.RESHAPE, "f32[2,3]", {"shape": (6,)}, "f32[6]"),
    (Op.PERMUTE, "f32[2,3,4]", {"dims": (2, 0, 1)}, "f32[4,2,3]"),
    (Op.BROADCAST, "f32[2,1]", {"shape": (4, 2, 3)}, "f32[4,2,3]"),
    (Op.SLICE, "f32[7,3]", {"starts": (1, 3), "stops": (7, 3), "steps": (4, 1)}, "f32[2,0]"),
    (Op.PAD, "i64[2,3]", {"low": (1, 0), "high": (0, 2), "value": 7}, "i64[3,5]"),
    (Op.CAT, "f32[2,3] f32[2,4] f32[2,0]", {"dim": 1}, "f32[2,7]"),
    (Op.FLIP, "bool[2,3]", {"dims": (1,)}, "bool[2,3]"),
    (Op.IOTA, "", {"shape": (2, 256), "dim": 1, "dtype": U8}, "u8[2,256]"),
    *[(op, "f32[2,1] f32[3]", {}, "f32[2,3]") for op in (Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.REM, Op.POW)],
    *[(op, "i64[2,1] i64[3]", {}, "i64[2,3]") for op in (Op.MAX, Op.MIN)],
    *[(op, "i8[2]", {}, "i8[2]") for op in (Op.NEG, Op.ABS, Op.NOT, Op.SIGN)],
    *[(op, "bf16[2]", {}, "bf16[2]") for op in (Op.SQRT, Op.EXP, Op.LOG, Op.SIN, Op.COS, Op.TANH, Op.ERF, Op.FLOOR)],
    *[(op, "bool[2,1] bool[3]", {}, "bool[2,3]") for op in (Op.EQ, Op.LT, Op.LE, Op.AND, Op.OR, Op.XOR, Op.NAND)],
    (Op.LT, "f32[2] f32[]", {}, "bool[2]"),
    (Op.WHERE, "bool[4,1] f32[3] f32[]", {}, "f32[4,3]"),
    (Op.CAST, "f32[2]", {"dtype": BOOL}, "bool[2]"),
    (Op.BITCAST, "f32[2]", {"dtype": DType.U32}, "u32[2]"),
    (Op.SHL, "u32[2] u32[]", {}, "u32[2]"),
    (Op.SHR, "i8[2] i8[2]", {}, "i8[2]"),
    (Op.POPCOUNT, "u64[2]", {}, "u64[2]"),
    (Op.DOT, "f32[5,2,3] f32[5,3,4]", {}, "f32[5,2,4]"),
    (Op.WINDOW, "f32[2,7,6]", {"size": (3, 2), "stride": (2, 1), "dilation": (1, 3)}, "f32[2,3,3,3,2]"),
    (Op.SUM, "i64[2,3]", {"dims": (0,), "keep": False}, "i64[3]"),
    (Op.SUM, "f32[2,0]", {"dims": (1, 0), "keep": True}, "f32[1,1]"),
    (Op.SUM, "f32[2]", {"dims": (), "keep": False}, "f32[2]"),
    (Op.REDUCE_MAX, "f32[2,3]", {"dims": (1,), "keep": True}, "f32[2,1]"),
    (Op.ARGMAX, "f32[2,3]", {"dim": 1, "keep": False}, "i64[2]"),
    (Op.SCAN, "f32[2,3]", {"dim": 1, "kind": "max"}, "f32[2,3]"),
    (Op.GATHER, "f32[7,8,9] i64[2,1] u8[3]", {}, "f32[2,3,9]"),
    (Op.GATHER, "f32[7] i64[]", {}, "f32[]"),
    (Op.SCATTER_SET, "bool[7,8] bool[2,8] i64[2]", {}, "bool[7,8]"),
    (Op.SCATTER_ADD, "f32[7,8] f32[2] i64[2] i64[2]", {}, "f32[7,8]"),
    (Op.SORT, "f32[2,3]", {"dim": 1, "descending": True}, "f32[2,3] i64[2,3]"),
    (Op.RAND_BITS, "i64[] i64[]", draw, "u32[4,5]"),
    (Op.UNIFORM, "i64[] i64[]", draw, "f32[4,5]"),
    (Op.CALL, "f32[2] f32[3]", {"body": "two"}, "f32[4] i64[]"),
    (Op.LOOP, "i64[] f32[2]", {"body": "again"}, "f32[2]"),
    (Op.WHILE, "f32[2]", {"test": "go", "body": "same", "limit": 9}, "f32[2]"),
    (Op.COND, "bool[] f32[2]", {"then": "same", "other": "same"}, "f32[2]"),
    (Op.COND, "bool[]", {"then": "none", "other": "none"}, "f32[]"),
    (Op.PROBE, "u8[3]", {"name": "here"}, "u8[3]"),
    (Op.ASSERT, "bool[3]", {"message": "no"}, ""),
    *[(op, "f32[2]", {}, "f32[2]") for op in (Op.RSQRT, Op.RECIPROCAL, Op.RELU, Op.SIGMOID, Op.SILU)],
    *[(op, "f32[2] f32[2]", {}, "f32[2]") for op in (Op.SIGMOID_BACKWARD, Op.TANH_BACKWARD, Op.SILU_BACKWARD)],
    (Op.RELU_BACKWARD, "f32[2] f32[2]", {"threshold": 0}, "f32[2]"),
    (Op.GELU, "f32[2]", {"approximate": "tanh"}, "f32[2]"),
    (Op.GELU_BACKWARD, "f32[2] f32[2]", {"approximate": "none"}, "f32[2]"),
    (Op.LERP, "f32[2] f32[2] f64[]", {}, "f32[2]"),
    (Op.ADDCMUL, "bf16[2] bf16[3,1] bf16[] f64[]", {}, "bf16[3,2]"),
    (Op.ADDCDIV, "f32[2] f32[2] f32[2] f64[]", {}, "f32[2]"),
    (Op.AXPY, "f32[2] f32[2] f64[]", {}, "f32[2]"),
    (Op.SCALE, "f64[2] f64[]", {}, "f64[2]"),
    (Op.LINEAR, "f32[4] f32[2,3] f32[3,4]", {}, "f32[2,4]"),
    (Op.MEAN, "f32[2,3]", {"dims": (0, 1), "keep": False}, "f32[]"),
    (Op.VARIANCE, "f32[2,3]", {"dims": (1,), "correction": 1, "keep": True}, "f32[2,1]"),
    *[(op, "f32[2,3]", {"dim": 1}, "f32[2,3]") for op in (Op.SOFTMAX, Op.LOG_SOFTMAX)],
    *[(op, "f32[2,3] f32[2,3]", {"dim": 0}, "f32[2,3]") for op in (Op.SOFTMAX_BACKWARD, Op.LOG_SOFTMAX_BACKWARD)],
    (Op.LAYER_NORM, "f32[2,3,4]", {"rank": 2, "eps": 1e-5}, "f32[2,3,4] f32[2,1,1] f32[2,1,1]"),
    (Op.LAYER_NORM, "f32[2,4] f32[4] f32[4]", {"rank": 1, "eps": 1e-5}, "f32[2,4] f32[2,1] f32[2,1]"),
    (Op.LAYER_NORM_BACKWARD, "f32[2,4] f32[2,4] f32[2,1] f32[2,1] f32[4]", {"rank": 1}, "f32[2,4] f32[4] f32[4]"),
    (Op.LAYER_NORM_BACKWARD, "f32[2,4] f32[2,4] f32[2,1] f32[2,1]", {"rank": 1}, "f32[2,4]"),
    (Op.BATCH_NORM, "f32[2,3,4] f32[3] f32[3] f32[3] f32[3]", norm, "f32[2,3,4] f32[3] f32[3] f32[3] f32[3]"),
    (
        Op.BATCH_NORM_BACKWARD,
        "f32[2,3] f32[2,3] f32[3] f32[3] f32[3] f32[3] f32[3]",
        {"train": True, "eps": 1e-5},
        "f32[2,3] f32[3] f32[3]",
    ),
    (Op.CONV, "f32[2,3,8,9] f32[4,3,3,3] f32[4]", conv, "f32[2,4,4,5]"),
    (Op.CONV, "f32[2,4,8,9] f32[6,2,3,3]", {**conv, "groups": 2}, "f32[2,6,4,5]"),
    (Op.CONV_BACKWARD, "f32[2,4,4,5] f32[2,3,8,9] f32[4,3,3,3]", conv, "f32[2,3,8,9] f32[4,3,3,3] f32[4]"),
    (Op.MAX_POOL, "f32[2,3,8,9]", pool, "f32[2,3,4,4] i64[2,3,4,4]"),
    (Op.MAX_POOL_BACKWARD, "f32[2,3,4,4] f32[2,3,8,9] i64[2,3,4,4]", pool, "f32[2,3,8,9]"),
    (Op.AVG_POOL, "f32[8,9]", pool, "f32[4,4]"),
    (Op.AVG_POOL_BACKWARD, "f32[4,4] f32[8,9]", pool, "f32[8,9]"),
    (Op.NLL_LOSS, "f32[5,3] i64[5]", {"ignore": -100}, "f32[] f32[]"),
    (Op.NLL_LOSS_BACKWARD, "f32[] f32[5,3] i64[5] f32[]", {"ignore": -100}, "f32[5,3]"),
    (Op.EMBEDDING_BACKWARD, "f32[2,3,8] i64[2,3]", {"rows": 10, "padding": -1}, "f32[10,8]"),
]

BAD: list[tuple[Op, str, dict[str, Attribute], str]] = [
    (Op.READ, "", {"name": "y"}, "nothing called 'y' is declared"),
    (Op.COMMIT, "f32[2,3]", {"name": "w"}, "a piece of 'arena'"),
    (Op.COMMIT, "f32[5]", {"name": "x"}, "only a param or a state"),
    (Op.COMMIT, "i32[]", {"name": "step"}, "must be i64[], not i32[]"),
    (Op.CONST, "", {"value": 0.5, "dtype": I64, "shape": ()}, "a whole number"),
    (Op.CONST, "", {"value": 256, "dtype": U8, "shape": ()}, "from 0 to 255"),
    (Op.CONST, "", {"value": -129, "dtype": DType.I8, "shape": ()}, "from -128 to 127"),
    (Op.CONST, "", {"value": (1, 2), "dtype": F32, "shape": (3,)}, "holds 3 numbers, 2 given"),
    (Op.CONST, "", {"value": 1, "dtype": F32, "shape": (-1,)}, "0 or more"),
    (Op.CONST, "", {"value": 1, "dtype": F32, "shape": (1 << 20, 1 << 21)}, "elements"),
    (Op.CONST, "", {"value": 1, "dtype": F32, "shape": (1,) * 17}, "at most 16 dimensions"),
    (Op.CONST, "", {"value": 1, "dtype": F32}, "attributes must be value, dtype, shape"),
    (Op.CONST, "", {"value": "1", "dtype": F32, "shape": ()}, "must be of kind numbers"),
    (Op.CONST, "", {"value": 1 << 70, "dtype": F32, "shape": ()}, "must be of kind numbers"),
    (Op.CONST, "", {"value": 1, "dtype": F32, "shape": (True,)}, "must be of kind ints"),
    (Op.ADD, "f32[] f32[]", {"dim": 1}, "attributes must be none"),
    (Op.RESHAPE, "f32[2,3]", {"shape": (5,)}, "does not hold as many"),
    (Op.RESHAPE, "f32[2,3]", {"shape": (-2, -3)}, "does not hold as many"),
    (Op.PERMUTE, "f32[2,3]", {"dims": (0,)}, "must name all 2"),
    (Op.PERMUTE, "f32[2,3]", {"dims": (0, 0)}, "different numbers from 0 to 1"),
    (Op.PERMUTE, "f32[2,3]", {"dims": (0, -1)}, "different numbers from 0 to 1"),
    (Op.BROADCAST, "f32[2]", {"shape": (3,)}, "cannot be stretched"),
    (Op.BROADCAST, "f32[2]", {"shape": (1,)}, "cannot be stretched"),
    (Op.SLICE, "f32[4]", {"starts": (0,), "stops": (5,), "steps": (1,)}, "start <= stop <= size"),
    (Op.SLICE, "f32[4]", {"starts": (0,), "stops": (4,), "steps": (0,)}, "steps must be 1 integers of 1 or more"),
    (Op.SLICE, "f32[4]", {"starts": (), "stops": (4,), "steps": (1,)}, "starts must be 1"),
    (Op.PAD, "f32[4]", {"low": (-1,), "high": (0,), "value": 0}, "low must be"),
    (Op.PAD, "i64[4]", {"low": (1,), "high": (0,), "value": 0.5}, "a whole number"),
    (Op.CAT, "f32[2,3] f32[3,3]", {"dim": 1}, "agree in every dimension but 1"),
    (Op.CAT, "f32[2] f64[2]", {"dim": 0}, "one number format"),
    (Op.CAT, "", {"dim": 0}, "one operand or more"),
    (Op.CAT, "f32[] f32[]", {"dim": 0}, "dim must be"),
    (Op.IOTA, "", {"shape": (257,), "dim": 0, "dtype": U8}, "too large"),
    (Op.IOTA, "", {"shape": (2,), "dim": 0, "dtype": BOOL}, "not bool"),
    (Op.ADD, "f32[2] f32[3]", {}, "do not broadcast"),
    (Op.ADD, "f32[2] f64[2]", {}, "one number format"),
    (Op.ADD, "bool[2] bool[2]", {}, "takes numbers, not bool"),
    (Op.ADD, "f32[2]", {}, "takes 2 operands, 1 given"),
    *[(op, "i32[2]", {}, "takes floats, not i32") for op in (Op.SQRT, Op.EXP, Op.LOG, Op.SIN, Op.ERF, Op.FLOOR)],
    (Op.POW, "i32[2] i32[2]", {}, "takes floats"),
    *[(op, "f32[2] f32[2]", {}, "takes integers or bools") for op in (Op.AND, Op.OR, Op.XOR, Op.NAND)],
    (Op.NOT, "f32[2]", {}, "takes integers or bools"),
    *[(op, "bool[2] bool[2]", {}, "takes integers, not bool") for op in (Op.SHL, Op.SHR)],
    (Op.POPCOUNT, "bool[2]", {}, "takes integers, not bool"),
    (Op.WHERE, "i64[2] f32[2] f32[2]", {}, "must be bool"),
    (Op.WHERE, "bool[2] f32[2] f64[2]", {}, "one number format"),
    (Op.BITCAST, "f32[2]", {"dtype": I64}, "has not the width"),
    (Op.BITCAST, "u8[2]", {"dtype": BOOL}, "has not the width"),
    (Op.DOT, "f32[3] f32[3,4]", {}, "rank 2 or more"),
    (Op.DOT, "f32[2,3] f32[4,3]", {}, "[..., k, n]"),
    (Op.DOT, "f32[1,2,3] f32[5,3,4]", {}, "equal leading dimensions"),
    (Op.DOT, "bool[2,3] bool[3,4]", {}, "takes numbers"),
    (Op.WINDOW, "f32[4]", {"size": (3,), "stride": (1,), "dilation": (2,)}, "do not fit"),
    (Op.WINDOW, "f32[4]", {"size": (3, 1), "stride": (1, 1), "dilation": (1, 1)}, "size names 2 dimensions"),
    (Op.WINDOW, "f32[4]", {"size": (0,), "stride": (1,), "dilation": (1,)}, "size must be"),
    (Op.SUM, "bool[2]", {"dims": (0,), "keep": False}, "takes numbers"),
    (Op.SUM, "f32[2]", {"dims": (0, 0), "keep": False}, "different numbers"),
    (Op.REDUCE_MAX, "f32[2,0]", {"dims": (1,), "keep": False}, "size 0"),
    (Op.ARGMAX, "f32[0]", {"dim": 0, "keep": False}, "size 0"),
    (Op.MEAN, "i64[2]", {"dims": (0,), "keep": False}, "takes floats"),
    (Op.SCAN, "f32[2]", {"dim": 0, "kind": "min"}, "kind must be add or mul or max"),
    (Op.GATHER, "f32[2] f32[2]", {}, "takes integers, not f32"),
    (Op.GATHER, "f32[2] i64[] i64[]", {}, "from 1 to 1 index operands"),
    (Op.GATHER, "f32[2]", {}, "one index or more"),
    (Op.SCATTER_SET, "f32[7,8] f32[8] i64[2]", {}, "must be f32[2,8]"),
    (Op.SCATTER_ADD, "bool[7] bool[2] i64[2]", {}, "takes numbers"),
    (Op.RAND_BITS, "i64[] i32[]", draw, "step must be i64[]"),
    (Op.RAND_BITS, "i64[] i64[]", {"shape": (), "site": -1}, "site must be"),
    (Op.UNIFORM, "i64[] i64[]", {"shape": (1 << 34,), "site": 1}, "split"),
    (Op.CALL, "f32[2]", {"body": "two"}, "takes (f32[2], f32[3])"),
    (Op.CALL, "f32[2]", {"body": "absent"}, "no routine 'absent'"),
    (Op.LOOP, "i32[] f32[2]", {"body": "again"}, "first operand must be i64[]"),
    (Op.LOOP, "i64[] f32[3]", {"body": "again"}, "takes (i64[], f32[2])"),
    (Op.WHILE, "f32[2]", {"test": "same", "body": "same", "limit": 9}, "must return bool[]"),
    (Op.WHILE, "f32[2]", {"test": "go", "body": "other", "limit": 9}, "must return (f32[2])"),
    (Op.WHILE, "f32[2]", {"test": "go", "body": "same", "limit": -1}, "limit"),
    (Op.COND, "bool[] f32[2]", {"then": "same", "other": "other"}, "same types"),
    (Op.COND, "bool[1] f32[2]", {"then": "same", "other": "same"}, "must be bool[]"),
    (Op.ASSERT, "i64[]", {"message": "no"}, "must be bool"),
    (Op.GELU, "f32[2]", {"approximate": "erf"}, "none or tanh"),
    (Op.LERP, "f32[2] f32[2] f32[]", {}, "must be f64[]"),
    (Op.SCALE, "i64[2] f64[]", {}, "takes floats"),
    (Op.LINEAR, "f32[5] f32[2,3] f32[3,4]", {}, "do not broadcast"),
    (Op.LINEAR, "f32[7,2,4] f32[2,3] f32[3,4]", {}, "does not broadcast to f32[2,4]"),
    (Op.LINEAR, "i64[4] i64[2,3] i64[3,4]", {}, "takes floats"),
    (Op.SOFTMAX, "f32[]", {"dim": 0}, "dim must be"),
    (Op.SOFTMAX_BACKWARD, "f32[2] f32[1]", {"dim": 0}, "must be f32[2]"),
    (Op.LAYER_NORM, "f32[2,4] f32[4]", {"rank": 1, "eps": 1e-5}, "takes 1 or 3 operands"),
    (Op.LAYER_NORM, "f32[2,4]", {"rank": 3, "eps": 1e-5}, "rank must be from 1 to 2"),
    (Op.LAYER_NORM, "f32[2,4] f32[2] f32[4]", {"rank": 1, "eps": 1e-5}, "weight and bias"),
    (Op.BATCH_NORM, "f32[2,3] f32[3] f32[3] f32[3] f32[2]", norm, "running variance must be f32[3]"),
    (Op.BATCH_NORM, "f32[3] f32[3] f32[3] f32[3] f32[3]", norm, "rank 2 or more"),
    (Op.CONV, "f32[2,4,8,9] f32[6,2,3,3]", conv, "do not share"),
    (Op.CONV, "f32[2,3,1,1] f32[4,3,3,3]", conv, "do not fit"),
    (Op.CONV, "f32[2,3,8,9] f32[4,3,3,3] f32[3]", conv, "bias must be f32[4]"),
    (Op.CONV, "f32[2,3] f32[4,3]", conv, "3 or more"),
    (Op.CONV_BACKWARD, "f32[2,4,4,4] f32[2,3,8,9] f32[4,3,3,3]", conv, "gradient must be f32[2,4,4,5]"),
    (Op.MAX_POOL, "f32[8,9]", {**pool, "padding": (2, 0)}, "at most half"),
    (Op.NLL_LOSS, "f32[5,3] i64[4]", {"ignore": -100}, "target must be i64[5]"),
    (Op.NLL_LOSS, "f32[5] i64[5]", {"ignore": -100}, "rows [n, c]"),
    (Op.EMBEDDING_BACKWARD, "f32[2,3,8] i64[2]", {"rows": 10, "padding": 10}, "padding must be"),
    (Op.EMBEDDING_BACKWARD, "f32[2,3,8] i64[3]", {"rows": 10, "padding": -1}, "the index's shape"),
]


def test_every_operation_has_a_rule_and_an_example() -> None:
    assert set(RULES) == set(Op) == {case[0] for case in GOOD}


@pytest.mark.parametrize(("op", "operands", "attrs", "wanted"), GOOD)
def test_accepts(op: Op, operands: str, attrs: dict[str, Attribute], wanted: str) -> None:
    assert results(op, operands, attrs) == wanted


@pytest.mark.parametrize(("op", "operands", "attrs", "message"), BAD)
def test_refuses(op: Op, operands: str, attrs: dict[str, Attribute], message: str) -> None:
    with pytest.raises(ProgramError, match=re.escape(message)) as caught:
        results(op, operands, attrs)
    assert op.text in str(caught.value)


@pytest.mark.parametrize(("op", "operands", "attrs", "wanted"), GOOD)
def test_refuses_any_other_operand_first(op: Op, operands: str, attrs: dict[str, Attribute], wanted: str) -> None:
    """A needless operand, and an absent or strange attribute, are refused."""
    if op not in (Op.CAT,):
        with pytest.raises(ProgramError):
            results(op, f"bool[7,7,7] {operands}", attrs)
    with pytest.raises(ProgramError, match="attributes must be"):
        results(op, operands, {**attrs, "strange": 1})
    for name in attrs:
        with pytest.raises(ProgramError, match="attributes must be"):
            results(op, operands, {key: value for key, value in attrs.items() if key != name})


def test_an_attribute_given_twice_is_refused() -> None:
    attrs: tuple[tuple[str, Attribute], ...] = (("dtype", F32), ("dtype", F32))
    with pytest.raises(ProgramError, match="each once"):
        result_types(Instr((), Op.CAST, (), attrs), (Type(F32),))


def test_what_names_something_needs_the_program() -> None:
    for op, attr in ((Op.READ, "name"), (Op.CALL, "body")):
        with pytest.raises(ProgramError, match="needs the program"):
            result_types(Instr((), op, (), ((attr, "w"),)), ())


sizes = st.integers(1, 5)
shapes = st.lists(sizes, max_size=4).map(tuple)


def outcome(op: Op, operands: list[tuple[int, ...]], attrs: dict[str, Attribute], dtype: DType = F32) -> object:
    instr = Instr((), op, (), tuple(attrs.items()))
    try:
        return result_types(instr, tuple(Type(dtype, shape) for shape in operands))[0].shape
    except ProgramError:
        return None


@given(shapes, shapes)
def test_broadcasting_is_numpys(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    try:
        wanted = np.broadcast_shapes(a, b)
    except ValueError:
        wanted = None
    assert outcome(Op.ADD, [a, b], {}) == wanted
    assert (outcome(Op.BROADCAST, [a], {"shape": b}) is not None) == (wanted == b)


@given(shapes, st.lists(sizes, min_size=2, max_size=2), st.lists(sizes, min_size=2, max_size=2))
def test_dot_is_numpys(lead: tuple[int, ...], left: list[int], right: list[int]) -> None:
    a, b = (*lead, *left), (*lead, *right)
    try:
        wanted = (np.zeros(a) @ np.zeros(b)).shape
    except ValueError:
        wanted = None
    assert outcome(Op.DOT, [a, b], {}) == wanted


@given(st.data())
def test_slice_and_window_are_numpys(data: st.DataObject) -> None:
    size = data.draw(st.integers(0, 12))
    start, stop, step = data.draw(st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 4)))
    wanted = np.zeros(size)[start:stop:step].shape if start <= stop <= size else None
    assert outcome(Op.SLICE, [(size,)], {"starts": (start,), "stops": (stop,), "steps": (step,)}) == wanted
    width, dilation = data.draw(st.tuples(st.integers(1, 5), st.integers(1, 3)))
    span = (width - 1) * dilation + 1
    found = outcome(Op.WINDOW, [(2, size)], {"size": (width,), "stride": (step,), "dilation": (dilation,)})
    if span > size:
        assert found is None
    else:
        view = np.lib.stride_tricks.sliding_window_view(np.zeros((2, size)), span, 1)[:, ::step, ::dilation]
        assert found == view.shape


@given(shapes, shapes, shapes)
def test_gather_is_numpys(a: tuple[int, ...], i: tuple[int, ...], j: tuple[int, ...]) -> None:
    instr = Instr((), Op.GATHER)
    for indices in ([i], [i, j]):
        try:
            wanted = np.zeros(a)[tuple(np.zeros(index, int) for index in indices)].shape
        except IndexError:
            wanted = None
        try:
            found = result_types(instr, (Type(F32, a), *(Type(I64, index) for index in indices)))[0].shape
        except ProgramError:
            found = None
        assert found == wanted


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_conv_and_pooling_are_torchs(data: st.DataObject) -> None:
    torch = pytest.importorskip("torch")
    groups = data.draw(st.integers(1, 2))
    a = (2, groups * data.draw(st.integers(1, 2)), *data.draw(st.tuples(st.integers(1, 9), st.integers(1, 9))))
    w = (groups * data.draw(st.integers(1, 3)), a[1] // groups, *data.draw(st.tuples(sizes, sizes)))
    stride, padding, dilation = data.draw(st.tuples(*[st.tuples(st.integers(1, 3), st.integers(1, 3))] * 3))
    attrs = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    call = torch.nn.functional
    try:
        wanted = tuple(call.conv2d(torch.zeros(a), torch.zeros(w), None, stride, padding, dilation, groups).shape)
    except RuntimeError:
        wanted = None
    assert outcome(Op.CONV, [a, w], attrs) == wanted
    try:
        wanted = tuple(call.max_pool2d(torch.zeros(a), w[2:], stride, padding).shape)
    except RuntimeError:
        wanted = None
    assert outcome(Op.MAX_POOL, [a], {"size": w[2:], "stride": stride, "padding": padding}) == wanted
