"""Every macro, expanded and run by the reference machine, against torch's own operation of the same meaning."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch

from ontogeny.isa.macros import DEFINITIONS, expand, expand_routine
from ontogeny.isa.op import ATTRIBUTES, Op
from ontogeny.isa.program import Decl, Instr, Program, Routine
from ontogeny.isa.rules import result_types
from ontogeny.isa.types import DType
from ontogeny.isa.verify import verify
from ontogeny.machine.formats import type_of
from ontogeny.machine.learner import Array
from ontogeny.machine.reference import ReferenceMachine

aten = torch.ops.aten
Torch = Callable[..., Any]


@dataclass
class Case:
    """A macro on operands, and torch's answer to the same; None leaves a result unchecked."""

    op: Op
    operands: list[Array]
    torch: Torch
    attrs: dict[str, Any] = field(default_factory=dict)
    name: str = ""


def instruction(case: Case) -> Instr:
    ordered = tuple((key, case.attrs[key]) for key in ATTRIBUTES.get(case.op, {}))
    args = tuple(f"x{place}" for place in range(len(case.operands)))
    probe = Instr((), case.op, args, ordered)
    count = len(result_types(probe, tuple(map(type_of, case.operands))))
    return Instr(tuple(f"y{place}" for place in range(count)), case.op, args, ordered)


def program_of(case: Case) -> Program:
    instr = instruction(case)
    decls = tuple(Decl("input", name, type_of(array)) for name, array in zip(instr.args, case.operands, strict=True))
    reads = tuple(Instr((name,), Op.READ, (), (("name", name),)) for name in instr.args)
    returns = tuple((name, name) for name in instr.out)
    return Program("case", decls, (Routine("main", (), (*reads, instr), returns),))


def run(program: Program, case: Case) -> list[Array]:
    verify(program)
    inputs = {f"x{place}": array for place, array in enumerate(case.operands)}
    return list(ReferenceMachine(program).call("main", inputs, {}).values())


def f32(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(np.float32)


def f64(value: float) -> Array:
    return np.array(value, dtype=np.float64)


def elementwise() -> Iterator[Case]:
    a, b, c = f32(3, 5), f32(3, 5, seed=1), f32(5, seed=2)
    a[0, 0], a[1, 1] = 0.0, np.nan
    y = torch.sigmoid(torch.tensor(b)).numpy()
    flags = np.array([True, False, True, False]), np.array([True, True, False, False])
    ints = np.array([5, -3, 0], dtype=np.int32), np.array([6, 7, -1], dtype=np.int32)
    yield Case(Op.NAND, list(flags), lambda p, q: ~(p & q), name="bool")
    yield Case(Op.NAND, list(ints), lambda p, q: ~(p & q), name="i32")
    yield Case(Op.SIGN, [a], lambda p: torch.where(p.isnan(), p, p.sign()))
    yield Case(Op.SIGN, [ints[0]], torch.sign, name="i32")
    yield Case(Op.SIGN, [np.array([0, 3, 255], dtype=np.uint8)], torch.sign, name="u8")
    yield Case(Op.RSQRT, [np.abs(b)], torch.rsqrt)
    yield Case(Op.RECIPROCAL, [b], torch.reciprocal)
    yield Case(Op.RELU, [a], torch.relu)
    for threshold in (0.0, 0.5):
        yield Case(
            Op.RELU_BACKWARD,
            [b, a],
            lambda g, p, t=threshold: aten.threshold_backward(g, p, t),
            {"threshold": threshold},
        )
    yield Case(Op.SIGMOID, [a * 30], torch.sigmoid)
    yield Case(Op.SIGMOID_BACKWARD, [a, y], aten.sigmoid_backward)
    yield Case(Op.TANH_BACKWARD, [a, y], aten.tanh_backward)
    yield Case(Op.SILU, [a], torch.nn.functional.silu)
    yield Case(Op.SILU_BACKWARD, [b, a], aten.silu_backward)
    for how in ("none", "tanh"):
        yield Case(Op.GELU, [a], lambda p, how=how: aten.gelu(p, approximate=how), {"approximate": how})
        yield Case(
            Op.GELU_BACKWARD,
            [b, a],
            lambda g, p, how=how: aten.gelu_backward(g, p, approximate=how),
            {"approximate": how},
        )
    for weight in (0.0, 0.3, 0.5, 0.9, -0.7):
        yield Case(Op.LERP, [a, b, f64(weight)], lambda p, q, w: torch.lerp(p, q, float(w)))
    yield Case(Op.ADDCMUL, [a, b, c, f64(0.7)], lambda p, q, r, v: torch.addcmul(p, q, r, value=float(v)))
    yield Case(Op.ADDCDIV, [a, b, c, f64(-0.7)], lambda p, q, r, v: torch.addcdiv(p, q, r, value=float(v)))
    yield Case(Op.AXPY, [c, b, f64(0.1)], lambda p, q, v: torch.add(p, q, alpha=float(v)))
    yield Case(Op.SCALE, [b, f64(0.1)], lambda p, v: p * v)
    yield Case(Op.LINEAR, [f32(4), f32(3, 6), f32(6, 4)], torch.addmm)
    yield Case(Op.LINEAR, [f32(4), f32(3, 0), f32(0, 4)], torch.addmm, name="of nothing")


def halves() -> Iterator[Case]:
    half = f32(4, 6).astype(BF16)
    g = f32(4, 6, seed=1).astype(BF16)
    yield Case(Op.SILU, [half], torch.nn.functional.silu, name="bf16")
    yield Case(Op.GELU_BACKWARD, [g, half], lambda p, q: aten.gelu_backward(p, q), {"approximate": "none"}, name="bf16")
    yield Case(Op.SOFTMAX, [half], lambda p: p.softmax(1), {"dim": 1}, name="bf16")
    yield Case(Op.SCALE, [half, f64(0.1)], lambda p, v: p * float(v), name="bf16")
    yield Case(Op.MEAN, [half.astype(np.float16)], lambda p: p.mean(1), {"dims": (1,), "keep": False}, name="f16")


BF16 = np.dtype(ml_dtypes.bfloat16)


def norms() -> Iterator[Case]:
    a, g = f32(4, 3, 5), f32(4, 3, 5, seed=1)
    for dims, keep in (((1,), False), ((0, 2), True), ((0, 1, 2), False)):
        attrs = {"dims": dims, "keep": keep}
        yield Case(Op.MEAN, [a], lambda p, d=dims, k=keep: p.mean(d, keepdim=k), attrs)
        for correction in (0, 1):
            yield Case(
                Op.VARIANCE,
                [a],
                lambda p, d=dims, k=keep, c=correction: p.var(d, correction=c, keepdim=k),
                {**attrs, "correction": correction},
            )
    y = torch.tensor(a).softmax(1)
    yield Case(Op.SOFTMAX, [a * 40], lambda p: p.softmax(1), {"dim": 1})
    yield Case(Op.SOFTMAX, [f32(2, 0)], lambda p: p.softmax(1), {"dim": 1}, name="of nothing")
    yield Case(Op.LOG_SOFTMAX, [a * 40], lambda p: p.log_softmax(1), {"dim": 1})
    yield Case(Op.LOG_SOFTMAX, [f32(2, 0)], lambda p: p.log_softmax(1), {"dim": 1}, name="of nothing")
    yield Case(
        Op.SOFTMAX_BACKWARD,
        [g, y.numpy()],
        lambda p, q: aten._softmax_backward_data(p, q, 1, torch.float32),
        {"dim": 1},
    )
    yield Case(
        Op.LOG_SOFTMAX_BACKWARD,
        [g, y.log().numpy()],
        lambda p, q: aten._log_softmax_backward_data(p, q, 1, torch.float32),
        {"dim": 1},
    )
    for rank in (1, 2, 3):
        shape = list(a.shape[3 - rank :])
        w, b = f32(*shape, seed=2), f32(*shape, seed=3)
        mean, rstd = aten.native_layer_norm(torch.tensor(a), shape, None, None, 1e-5)[1:]
        attrs = {"rank": rank, "eps": 1e-5}
        yield Case(Op.LAYER_NORM, [a, w, b], lambda p, q, r, s=shape: aten.native_layer_norm(p, s, q, r, 1e-5), attrs)
        yield Case(
            Op.LAYER_NORM, [a], lambda p, s=shape: aten.native_layer_norm(p, s, None, None, 1e-5), attrs, "plain"
        )
        yield Case(
            Op.LAYER_NORM_BACKWARD,
            [g, a, mean.numpy(), rstd.numpy(), w],
            lambda g, p, m, r, q, s=shape: aten.native_layer_norm_backward(
                g, p, s, m, r, q, torch.zeros_like(q), [True] * 3
            ),
            {"rank": rank},
        )
        yield Case(
            Op.LAYER_NORM_BACKWARD,
            [g, a, mean.numpy(), rstd.numpy()],
            lambda g, p, m, r, s=shape: aten.native_layer_norm_backward(
                g, p, s, m, r, None, None, [True, False, False]
            )[:1],
            {"rank": rank},
            "plain",
        )


def batch_norms() -> Iterator[Case]:
    for shape in ((6, 3), (4, 3, 5), (2, 3, 4, 5)):
        a, g = f32(*shape), f32(*shape, seed=1)
        w, b, mean, variance = f32(3, seed=2), f32(3, seed=3), f32(3, seed=4), np.abs(f32(3, seed=5)) + 0.5
        for train in (True, False):
            attrs = {"train": train, "momentum": 0.1, "eps": 1e-5}
            yield Case(Op.BATCH_NORM, [a, w, b, mean, variance], lambda *x, t=train: torch_batch_norm(t, *x), attrs)
            _, saved, rstd, *_ = torch_batch_norm(train, *map(torch.tensor, (a, w, b, mean, variance)))
            yield Case(
                Op.BATCH_NORM_BACKWARD,
                [g, a, w, mean, variance, saved.numpy(), rstd.numpy()],
                lambda g, p, w, m, v, s, r, t=train: aten.native_batch_norm_backward(
                    g, p, w, m, v, s, r, t, 1e-5, [True] * 3
                ),
                {"train": train, "eps": 1e-5},
            )


def torch_batch_norm(train: bool, a: Any, w: Any, b: Any, mean: Any, variance: Any) -> tuple[Any, ...]:
    new_mean, new_variance = mean.clone(), variance.clone()
    y, saved, rstd = aten.native_batch_norm(a, w, b, new_mean, new_variance, train, 0.1, 1e-5)
    if not train:
        saved, rstd = mean, torch.rsqrt(variance + 1e-5)
    return y, saved, rstd, new_mean, new_variance


CONVOLUTIONS = [  # a, w, stride, padding, dilation, groups
    ((2, 3, 7), (4, 3, 3), (1,), (0,), (1,), 1),
    ((2, 4, 9), (6, 2, 3), (2,), (1,), (2,), 2),
    ((2, 3, 6, 7), (4, 3, 3, 2), (1, 1), (1, 1), (1, 1), 1),
    ((2, 4, 8, 9), (4, 1, 3, 3), (2, 1), (0, 2), (1, 2), 4),
    ((1, 2, 6, 6), (3, 2, 2, 2), (3, 3), (0, 0), (1, 1), 1),
    ((1, 2, 4, 5, 4), (2, 1, 2, 3, 2), (1, 2, 1), (1, 0, 1), (1, 1, 2), 2),
    ((0, 2, 5), (3, 2, 2), (1,), (0,), (1,), 1),
]


def convolutions() -> Iterator[Case]:
    for shape, kernel, stride, padding, dilation, groups in CONVOLUTIONS:
        a, w, bias = f32(*shape), f32(*kernel, seed=1), f32(kernel[0], seed=2)
        attrs = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        rest = (list(stride), list(padding), list(dilation), False, [0] * len(stride), groups)
        forward = lambda p, q, r=None, rest=rest: aten.convolution(p, q, r, *rest)  # noqa: E731
        yield Case(Op.CONV, [a, w, bias], forward, attrs)
        yield Case(Op.CONV, [a, w], forward, attrs, "no bias")
        g = f32(*forward(torch.tensor(a), torch.tensor(w)).shape, seed=3)
        yield Case(
            Op.CONV_BACKWARD,
            [g, a, w],
            lambda g, p, q, n=kernel[0], rest=rest: aten.convolution_backward(g, p, q, [n], *rest, [True] * 3),
            attrs,
        )


def pools() -> Iterator[Case]:
    for shape, size, stride, padding in (
        ((2, 3, 6, 7), (2, 2), (2, 2), (0, 0)),
        ((2, 3, 7, 7), (3, 3), (2, 1), (1, 1)),
        ((3, 5, 6), (3, 2), (1, 1), (0, 1)),
    ):
        a = np.round(f32(*shape), 0)  # with equal elements
        attrs = {"size": size, "stride": stride, "padding": padding}
        forward = lambda p, s=size, t=stride, d=padding: aten.max_pool2d_with_indices(p, s, t, d)  # noqa: E731
        y, places = forward(torch.tensor(a))
        g = f32(*y.shape, seed=1)
        yield Case(Op.MAX_POOL, [a], forward, attrs)
        yield Case(Op.MAX_POOL, [np.full_like(a, -np.inf)], forward, attrs, "of -inf")
        yield Case(
            Op.MAX_POOL_BACKWARD,
            [g, a, places.numpy()],
            lambda g, p, i, s=size, t=stride, d=padding: aten.max_pool2d_with_indices_backward(
                g, p, s, t, d, [1, 1], False, i
            ),
            attrs,
        )
        yield Case(Op.AVG_POOL, [a], lambda p, s=size, t=stride, d=padding: aten.avg_pool2d(p, s, t, d), attrs)
        yield Case(
            Op.AVG_POOL_BACKWARD,
            [g, a],
            lambda g, p, s=size, t=stride, d=padding: aten.avg_pool2d_backward(g, p, s, t, d, False, True, None),
            attrs,
        )
    attrs = {"size": (3,), "stride": (2,), "padding": (1,)}
    yield Case(
        Op.MAX_POOL,
        [f32(2, 3, 9)],
        lambda p: torch.nn.functional.max_pool1d(p, 3, 2, 1, return_indices=True),
        attrs,
        "1d",
    )
    yield Case(Op.AVG_POOL, [f32(2, 3, 9)], lambda p: torch.nn.functional.avg_pool1d(p, 3, 2, 1), attrs, "1d")


def losses() -> Iterator[Case]:
    a = torch.tensor(f32(6, 4)).log_softmax(1).numpy()
    g = np.array(1.7, dtype=np.float32)
    for ignore, labels in ((-100, [0, 3, 2, 1, 1, 0]), (2, [0, 2, 2, 1, 3, 0]), (-100, [-100] * 6)):
        target = np.array(labels)
        yield Case(
            Op.NLL_LOSS, [a, target], lambda p, t, i=ignore: aten.nll_loss_forward(p, t, None, 1, i), {"ignore": ignore}
        )
        count = np.array(float((target != ignore).sum()), dtype=np.float32)
        yield Case(
            Op.NLL_LOSS_BACKWARD,
            [g, a, target, count],
            lambda g, p, t, c, i=ignore: aten.nll_loss_backward(g, p, t, None, 1, i, c),
            {"ignore": ignore},
        )
    index = np.array([[0, 2, 2], [4, 1, 2]])
    for padding in (-1, 2):
        yield Case(
            Op.EMBEDDING_BACKWARD,
            [f32(2, 3, 5), index],
            lambda g, i, p=padding: aten.embedding_dense_backward(g, i, 6, p, False),
            {"rows": 6, "padding": padding},
        )


GENERATORS = (elementwise, halves, norms, batch_norms, convolutions, pools, losses)
CASES = [case for generator in GENERATORS for case in generator()]


def as_torch(array: Array) -> torch.Tensor:
    if array.dtype == BF16:
        return torch.tensor(array.view(np.int16)).view(torch.bfloat16)
    return torch.tensor(array)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.op.text} {case.name}".strip())
@pytest.mark.filterwarnings("ignore:var\\(\\)")
def test_a_macro_is_what_torch_computes(case: Case) -> None:
    found = run(program_of(case), case)
    answer = case.torch(*map(as_torch, case.operands))
    expected = answer if isinstance(answer, tuple | list) else [answer]
    assert len(found) == len(expected)
    for mine, theirs in zip(found, expected, strict=True):
        assert tuple(mine.shape) == tuple(theirs.shape)
        assert str(theirs.dtype).split(".")[1] == str(mine.dtype)
        halved = mine.dtype.itemsize == 2
        np.testing.assert_allclose(
            mine.astype(np.float64),
            theirs.double().numpy(),
            rtol=1e-2 if halved else 2e-5,
            atol=1e-3 if halved else 5e-6,
        )


def test_every_macro_has_a_definition_and_a_case() -> None:
    macros = {op for op in Op if op.is_macro}
    assert set(DEFINITIONS) == macros
    assert {case.op for case in CASES} == macros - {Op.UNIFORM}


def test_uniform_is_the_top_bits_of_rand_bits() -> None:
    key = [np.array(5), np.array(9)]
    drawn = run(program_of(Case(Op.UNIFORM, key, min, {"shape": (3, 1001), "site": 4})), Case(Op.UNIFORM, key, min))[0]
    bits = run(program_of(Case(Op.RAND_BITS, key, min, {"shape": (3, 1001), "site": 4})), Case(Op.UNIFORM, key, min))[0]
    assert drawn.dtype == np.float32 and drawn.min() >= 0 and drawn.max() < 1
    assert np.array_equal(drawn, (bits >> 8) / 2**24)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.op.text} {case.name}".strip())
def test_an_expanded_routine_verifies_and_gives_the_same_bits(case: Case) -> None:
    program = program_of(case)
    routine = expand_routine(program, program.routine("main"))
    assert not any(instr.op.is_macro for instr in routine.body)
    for mine, theirs in zip(run(program.with_routine(routine), case), run(program, case), strict=True):
        assert mine.tobytes() == theirs.tobytes() and mine.dtype == theirs.dtype


def test_expansion_keeps_clear_of_names_that_are_taken() -> None:
    case = Case(Op.SILU, [f32(3)], min)
    program = program_of(case)
    *body, last = program.routine("main").body
    taken = Instr(("y0.0",), Op.NEG, ("x0",))
    routine = Routine("main", (), (*body, taken, last), (("y0", "y0"), ("n", "y0.0")))
    verify(program.with_routine(expand_routine(program.with_routine(routine), routine)))


def test_an_operand_given_back_is_copied_under_the_result_name() -> None:
    case = Case(Op.SOFTMAX, [f32(2, 0)], min, {"dim": 1})
    (only,) = expand(instruction(case), (type_of(case.operands[0]),))
    assert only.op is Op.RESHAPE and only.out == ("y0",)


def test_f16_is_computed_in_f32_and_rounded_once() -> None:
    a = np.array([3.0, 1.0], dtype=np.float16)
    body = expand(instruction(Case(Op.SIGMOID, [a], min)), (type_of(a),))
    assert [instr.op for instr in body].count(Op.CAST) == 2
    assert body[-1].op is Op.CAST and body[-1].attr("dtype") is DType.F16
