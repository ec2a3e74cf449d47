"""Portable mode: the bits of exact mode at one thread with any number of threads, for every operation and for learners.

Every case is large enough for torch to divide its work, and of a size that leaves each thread an odd end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import ontogeny as og
from ontogeny.isa.op import Group, Op
from ontogeny.isa.program import Attribute
from ontogeny.isa.types import DType
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.machine.conformance import CASES, check
from ontogeny.machine.conformance.case import MAIN, Case, edges, positive, sample, single, small
from ontogeny.machine.learner import Array
from ontogeny.record.hashing import StateHasher, shown

F32, I64 = DType.F32, DType.I64
LONG = (70_003,)
FLOATING = (DType.F32, DType.F64, DType.BF16)
Attributes = dict[str, Attribute]

ONE = (Op.NEG, Op.ABS, Op.SQRT, Op.EXP, Op.LOG, Op.SIN, Op.COS, Op.TANH, Op.ERF, Op.FLOOR, Op.SIGN, Op.RSQRT)
ONE += (Op.RECIPROCAL, Op.RELU, Op.SIGMOID, Op.SILU, Op.GELU, Op.CAST)
TWO = (Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.REM, Op.POW, Op.MAX, Op.MIN, Op.LT, Op.LE, Op.EQ, Op.RELU_BACKWARD)
TWO += (Op.SIGMOID_BACKWARD, Op.TANH_BACKWARD, Op.SILU_BACKWARD, Op.GELU_BACKWARD)
STEERED = {Op.SCALE: 1, Op.LERP: 2, Op.AXPY: 2, Op.ADDCMUL: 3, Op.ADDCDIV: 3}
BITS = {Op.NOT: 1, Op.POPCOUNT: 1, Op.AND: 2, Op.OR: 2, Op.XOR: 2, Op.NAND: 2, Op.SHL: 2, Op.SHR: 2}
GIVEN: dict[Op, Attributes] = {
    Op.GELU: {"approximate": "tanh"},
    Op.GELU_BACKWARD: {"approximate": "none"},
    Op.RELU_BACKWARD: {"threshold": 1.0},
    Op.CAST: {"dtype": DType.F16},
}
CONV: Attributes = {"stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "groups": 1}
POOL: Attributes = {"size": (2, 2), "stride": (2, 2), "padding": (0, 0)}
DRAW: Attributes = {"shape": LONG, "site": 3}


def at(*shape: int, to: int) -> Array:
    """Indices below `to`."""
    return small(I64, shape, "index", 0, to)


def real(*shape: int, name: str = "a") -> Array:
    """Ordinary f32 values."""
    return sample(F32, shape, name)


def above(*shape: int) -> Array:
    """Positive f32 values."""
    return positive(F32, shape, "above")


def edged(dtype: DType, name: str) -> Array:
    """Positive values, every seventh of them at an edge: zeros, what is not finite, the largest."""
    values, ends = positive(dtype, LONG, name), edges(dtype)
    values[::7] = np.resize(np.roll(ends, len(name)), len(values[::7]))
    return values


WIDE, PICTURES = (333, 301), (9, 13, 15, 17)
KERNELS = (13, 13, 3, 3)
SHAPED: dict[Op, Callable[[], tuple[list[Array], Attributes]]] = {
    Op.RESHAPE: lambda: ([real(*WIDE)], {"shape": (301, 333)}),
    Op.PERMUTE: lambda: ([real(*WIDE)], {"dims": (1, 0)}),
    Op.BROADCAST: lambda: ([real(301)], {"shape": WIDE}),
    Op.SLICE: lambda: ([real(*WIDE)], {"starts": (1, 0), "stops": (333, 301), "steps": (1, 2)}),
    Op.PAD: lambda: ([real(*WIDE)], {"low": (1, 0), "high": (0, 2), "value": 0.5}),
    Op.CAT: lambda: ([real(*WIDE), real(*WIDE, name="b")], {"dim": 1}),
    Op.FLIP: lambda: ([real(*WIDE)], {"dims": (0, 1)}),
    Op.IOTA: lambda: ([], {"shape": WIDE, "dim": 1, "dtype": F32}),
    Op.WHERE: lambda: ([sample(DType.BOOL, LONG, "w"), real(*LONG), above(*LONG)], {}),
    Op.BITCAST: lambda: ([real(*LONG)], {"dtype": DType.I32}),
    Op.DOT: lambda: ([real(5, 329), real(329, 275)], {}),
    Op.LINEAR: lambda: ([real(275), real(61, 329), real(329, 275)], {}),
    Op.WINDOW: lambda: ([real(*WIDE)], {"size": (5,), "stride": (2,), "dilation": (1,)}),
    Op.SUM: lambda: ([real(*WIDE)], {"dims": (0, 1), "keep": False}),
    Op.MEAN: lambda: ([real(*WIDE)], {"dims": (0, 1), "keep": False}),
    Op.VARIANCE: lambda: ([real(*WIDE)], {"dims": (0, 1), "keep": False, "correction": 0}),
    Op.REDUCE_MAX: lambda: ([real(*WIDE)], {"dims": (0, 1), "keep": False}),
    Op.ARGMAX: lambda: ([real(*WIDE)], {"dim": 0, "keep": False}),
    Op.SCAN: lambda: ([real(*WIDE)], {"dim": 0, "kind": "add"}),
    Op.SORT: lambda: ([real(*WIDE)], {"dim": 1, "descending": False}),
    Op.GATHER: lambda: ([real(*WIDE), at(501, to=333)], {}),
    Op.SCATTER_SET: lambda: ([real(*WIDE), real(501, 301, name="b"), at(501, to=333)], {}),
    Op.SCATTER_ADD: lambda: ([real(9, 185), real(501, 185, name="b"), at(501, to=9)], {}),
    Op.RAND_BITS: lambda: ([np.array(2), np.array(3)], DRAW),
    Op.UNIFORM: lambda: ([np.array(2), np.array(3)], DRAW),
    Op.SOFTMAX: lambda: ([real(52, 33, 62)], {"dim": 0}),
    Op.LOG_SOFTMAX: lambda: ([real(52, 33, 62)], {"dim": 0}),
    Op.SOFTMAX_BACKWARD: lambda: ([real(52, 33, 62), above(52, 33, 62)], {"dim": 0}),
    Op.LOG_SOFTMAX_BACKWARD: lambda: ([real(52, 33, 62), -above(52, 33, 62)], {"dim": 0}),
    Op.LAYER_NORM: lambda: ([real(*WIDE), above(301), real(301)], {"rank": 1, "eps": 1e-5}),
    Op.LAYER_NORM_BACKWARD: lambda: (
        [real(*WIDE), real(*WIDE, name="b"), real(333, 1), above(333, 1), above(301)],
        {"rank": 1},
    ),
    Op.BATCH_NORM: lambda: (
        [real(*PICTURES), above(13), real(13), real(13, name="mean"), above(13)],
        {"train": True, "momentum": 0.1, "eps": 1e-5},
    ),
    Op.BATCH_NORM_BACKWARD: lambda: (
        [real(*PICTURES), real(*PICTURES, name="b"), above(13), real(13), above(13), real(13, name="mean"), above(13)],
        {"train": True, "eps": 1e-5},
    ),
    Op.CONV: lambda: ([real(*PICTURES), real(*KERNELS), real(13)], CONV),
    Op.CONV_BACKWARD: lambda: ([real(*PICTURES, name="g"), real(*PICTURES), real(*KERNELS)], CONV),
    Op.MAX_POOL: lambda: ([real(*PICTURES)], POOL),
    Op.MAX_POOL_BACKWARD: lambda: ([real(9, 13, 7, 8), real(*PICTURES), at(9, 13, 7, 8, to=255)], POOL),
    Op.AVG_POOL: lambda: ([real(*PICTURES)], POOL),
    Op.AVG_POOL_BACKWARD: lambda: ([real(9, 13, 7, 8), real(*PICTURES)], POOL),
    Op.NLL_LOSS: lambda: ([real(2001, 65), at(2001, to=65)], {"ignore": -100}),
    Op.NLL_LOSS_BACKWARD: lambda: (
        [np.array(1.5, np.float32), real(2001, 65), at(2001, to=65), np.array(2001, np.float32)],
        {"ignore": -100},
    ),
    Op.EMBEDDING_BACKWARD: lambda: ([real(2001, 64), at(2001, to=65)], {"rows": 65, "padding": -1}),
}
MET = [op for op in CASES if op.group not in (Group.MEMORY, Group.CONTROL, Group.DEBUG)]


def large(op: Op) -> Iterator[Case]:
    """Cases of one operation whose work torch divides."""
    attrs = GIVEN.get(op, {})
    if op in BITS:
        yield single(op, [small(DType.I32, LONG, str(place), 0, 30) for place in range(BITS[op])], "long")
    elif op in STEERED:
        for dtype in FLOATING:
            yield single(op, [*(positive(dtype, LONG, str(n)) for n in range(STEERED[op])), np.array(0.3)], f"{dtype}")
    elif op in (*ONE, *TWO):
        for dtype in FLOATING:
            count = 1 if op in ONE else 2
            yield single(op, [positive(dtype, LONG, str(place)) for place in range(count)], f"{dtype}", **attrs)
            yield single(op, [edged(dtype, "y" * place) for place in range(count)], f"{dtype} edges", **attrs)
    else:
        operands, attrs = SHAPED[op]()
        yield single(op, operands, "large", **attrs)


def bits(case: Case, mode: str, threads: int) -> list[bytes]:
    """Every result of a case."""
    machine = CompiledMachine(case.program, mode=mode, threads=threads)
    return [value.tobytes() for value in machine.call(MAIN, case.inputs, {}).values()]


@pytest.mark.parametrize("op", MET, ids=lambda op: op.text)
def test_every_operation_has_the_same_bits_with_any_number_of_threads(op: Op) -> None:
    for case in large(op):
        expected = bits(case, "exact", 1)
        assert all(bits(case, "portable", threads) == expected for threads in (1, 2, 3)), case.name


def test_the_cases_are_large_enough_to_tell() -> None:
    depends = (Op.LAYER_NORM_BACKWARD, Op.SUM, Op.GELU, Op.GELU_BACKWARD, Op.CONV_BACKWARD)
    cases = [case for op in depends for case in large(op)]
    assert any(bits(case, "exact", 1) != bits(case, "exact", threads) for case in cases for threads in (2, 3))


def test_the_thread_count_is_put_back() -> None:
    before = torch.get_num_threads()
    for op in (Op.SUM, Op.GATHER):
        for case in large(op):
            CompiledMachine(case.program, mode="portable", threads=2).call(MAIN, case.inputs, {})
            assert torch.get_num_threads() == before


class Pictures(nn.Module):
    """A convolution with batch norm, a pool and an output layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.out = nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.Linear(16 * 64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # [batch, 1, 16, 16]
        return self.out(F.max_pool2d(F.relu(self.norm(self.first(x))), 2).flatten(1))


class Perceptron(nn.Module):
    """Three layers over the same pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 80), nn.GELU(), nn.Linear(80, 10))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x.flatten(1))


def loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {"loss": F.cross_entropy(model(batch["x"]), batch["y"])}


def batches(count: int) -> list[dict[str, Array]]:
    rng = np.random.default_rng(0)
    draw = [(rng.standard_normal((64, 1, 16, 16), dtype=np.float32), rng.integers(0, 10, 64)) for _ in range(count)]
    return [{"x": x, "y": y} for x, y in draw]


def learned(learner: og.Learner, mode: str, threads: int) -> str:
    """The hash of the state after ten steps."""
    machine = CompiledMachine(learner.program, mode=mode, threads=threads)
    machine.load(learner.values)
    for batch in batches(10):
        machine.call("learn", batch, {})
    return shown(StateHasher(learner.program).row(machine.view()))


@pytest.mark.parametrize("model", [Perceptron, Pictures])
def test_a_learner_has_the_same_hash_with_any_number_of_threads(model: type[nn.Module]) -> None:
    torch.manual_seed(0)
    learner = og.capture(model(), loss, og.adamw(), batches(1)[0])
    assert {learned(learner, "portable", threads) for threads in (1, 2, 3)} == {learned(learner, "exact", 1)}


@pytest.mark.parametrize("op", [Op.SCATTER_SET, Op.SCATTER_ADD], ids=lambda op: op.text)
def test_no_threads_race_for_a_place_in_exact_mode(op: Op) -> None:
    (case,) = large(op)
    assert all(bits(case, "exact", 2) == bits(case, "exact", 1) for _ in range(5))
    check(CompiledMachine, case, threads=2)
