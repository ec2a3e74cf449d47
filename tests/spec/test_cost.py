"""Operations, bytes and uses: against counts by hand, PyTorch's flop counter, and the macros' definitions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ontogeny.isa.build import Builder
from ontogeny.isa.cost import CALLS, FUSED, ONE_ROUND, OPERATIONS, Cost, definition, instruction_cost, routine_cost
from ontogeny.isa.op import Op
from ontogeny.isa.program import Attribute, Decl, Instr, Note, Program, Routine
from ontogeny.isa.rules import result_types
from ontogeny.isa.types import DType, Type
from ontogeny.isa.verify import verify
from tests.spec.test_rules import GOOD, types

F32, I64, BOOL = DType.F32, DType.I64, DType.BOOL
CONV = {"stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "groups": 1}


def cost(op: Op, operands: str, **attrs: Attribute) -> Cost:
    instr = Instr((), op, (), tuple(attrs.items()))
    return instruction_cost(instr, types(operands), result_types(instr, types(operands)))


def f32(*shape: int) -> Type:
    return Type(F32, shape)


def program(*decls: Decl) -> Builder:
    return Builder(Program("p", decls, ()))


def param(name: str, type_: Type, arena: str = "", offset: int = 0) -> Decl:
    return Decl("param", name, type_, arena=arena, offset=offset)


def finished(b: Builder, *others: Routine, result: str = "") -> Program:
    returns = (("y", result),) if result else ()
    done = replace(b.program, routines=(b.routine("predict", returns), *others))
    verify(done)
    return done


@pytest.mark.parametrize(
    ("op", "operands", "attrs", "operations", "read", "written"),
    [
        (Op.ADD, "f32[2,1] f32[3]", {}, 6, 20, 24),
        (Op.LT, "f32[5] f32[]", {}, 5, 24, 5),
        (Op.CAST, "bf16[5]", {"dtype": F32}, 0, 10, 20),
        (Op.CONST, "", {"value": 1, "dtype": F32, "shape": (3,)}, 0, 0, 12),
        (Op.RESHAPE, "f32[2,3]", {"shape": (6,)}, 0, 0, 0),
        (Op.PERMUTE, "f32[2,3]", {"dims": (1, 0)}, 0, 0, 0),
        (Op.SLICE, "f32[6]", {"starts": (1,), "stops": (3,), "steps": (1,)}, 0, 0, 0),
        (Op.BROADCAST, "f32[1,3]", {"shape": (2, 3)}, 0, 0, 0),
        (Op.CAT, "f32[2] f32[3]", {"dim": 0}, 0, 20, 20),
        (Op.DOT, "f32[5,2,3] f32[5,3,4]", {}, 2 * 5 * 2 * 3 * 4, 4 * (30 + 60), 4 * 40),
        (Op.SUM, "f32[2,3]", {"dims": (0,), "keep": False}, 6, 24, 12),
        (Op.GATHER, "f32[1000,8] i64[5]", {}, 0, 5 * 8 * 4 + 5 * 8, 5 * 8 * 4),
        (Op.SCATTER_ADD, "f32[7] f32[2] i64[2]", {}, 2, 28 + 8 + 16, 28),
        (Op.SORT, "f32[3,8]", {"dim": 1, "descending": False}, 3 * 8 * 3, 96, 96 + 192),
        (Op.LINEAR, "f32[4] f32[2,3] f32[3,4]", {}, 2 * 2 * 3 * 4 + 8, 4 * (4 + 6 + 12), 32),
        (Op.CONV, "f32[2,3,8,8] f32[5,3,3,3]", CONV, 2 * 2 * 5 * 64 * 27, 4 * (384 + 135), 4 * 640),
        (Op.MAX_POOL, "f32[1,4,4]", {"size": (2, 2), "stride": (2, 2), "padding": (0, 0)}, 16, 64, 16 + 32),
        (Op.RELU, "f32[5]", {}, 5, 20, 20),
        (Op.SIGMOID, "bf16[5]", {}, 20, 10, 10),
    ],
)
def test_counts_by_hand(
    op: Op, operands: str, attrs: dict[str, Attribute], operations: int, read: int, written: int
) -> None:
    assert cost(op, operands, **attrs) == Cost(operations, read, written)


def test_every_operation_has_a_cost() -> None:
    assert OPERATIONS.keys() | CALLS == set(Op)
    for op, operands, attrs, _ in GOOD:
        if op not in CALLS and op not in (Op.READ, Op.COMMIT):
            found = cost(op, operands, **attrs)
            assert min(found.operations, found.bytes_read, found.bytes_written) >= 0


@pytest.mark.parametrize("op", FUSED)
def test_a_fused_formula_is_below_its_definition(op: Op) -> None:
    for each, operands, attrs, _ in GOOD:
        if each is op:
            instr = Instr((), op, (), tuple(attrs.items()))
            found = result_types(instr, types(operands))
            assert 0 < OPERATIONS[op](instr, types(operands), found) < definition(instr, types(operands), found)


def test_contractions_are_counted_as_by_torch() -> None:
    torch = pytest.importorskip("torch")
    counter = pytest.importorskip("torch.utils.flop_counter").FlopCounterMode

    def flops(run: object) -> int:
        with counter(display=False) as mode:
            run()
        return mode.get_total_flops()

    x, w, a, b = torch.zeros(7, 3), torch.zeros(5, 3), torch.zeros(4, 2, 3), torch.zeros(4, 3, 5)
    assert cost(Op.DOT, "f32[7,3] f32[3,5]").operations == flops(lambda: x @ w.T)
    assert cost(Op.DOT, "f32[4,2,3] f32[4,3,5]").operations == flops(lambda: a @ b)
    linear = cost(Op.LINEAR, "f32[5] f32[7,3] f32[3,5]").operations
    assert linear - 7 * 5 == flops(lambda: torch.addmm(torch.zeros(5), x, w.T))  # torch leaves the bias out
    for groups in (1, 2):
        image = torch.zeros(2, 4, 8, 8, requires_grad=True)
        kernel = torch.zeros(6, 4 // groups, 3, 3, requires_grad=True)
        shapes = f"f32[2,4,8,8] f32[6,{4 // groups},3,3]"
        attrs = {**CONV, "groups": groups}
        y = torch.nn.functional.conv2d(image, kernel, padding=1, groups=groups)
        forward = cost(Op.CONV, shapes, **attrs).operations
        assert forward == flops(lambda: torch.nn.functional.conv2d(image, kernel, padding=1, groups=groups))  # noqa: B023
        if groups == 1:
            backward = cost(Op.CONV_BACKWARD, f"f32[2,6,8,8] {shapes}", **attrs).operations
            assert backward - y.numel() == flops(lambda: y.sum().backward())  # noqa: B023


def test_a_perceptrons_weight_is_used_once_per_example() -> None:
    b = program(
        Decl("param", "theta", f32(15 + 5)),
        param("w", f32(5, 3), "theta", 0),
        param("b", f32(5), "theta", 15),
        Decl("input", "x", f32(7, 3)),
    )
    turned = b.one(Op.PERMUTE, b.read("w"), dims=(1, 0))
    y = b.one(Op.LINEAR, b.read("b"), b.read("x"), turned)
    done = routine_cost(finished(b, result=y), "predict")
    assert done.batch == 7
    assert done.uses == {"w": 1.0, "b": 1.0}
    assert done.total.operations == 2 * 7 * 3 * 5 + 7 * 5
    assert routine_cost(finished(b, result=y), "predict", batch=1).uses == {"w": 7.0, "b": 7.0}
    assert done.remark == ""
    with pytest.raises(ValueError, match="batch must be 1 or more"):
        routine_cost(finished(b, result=y), "predict", batch=0)


def test_a_kernel_is_used_at_every_place() -> None:
    b = program(param("k", f32(5, 3, 3, 3)), param("b", f32(5)), Decl("input", "x", f32(2, 3, 8, 6)))
    b.one(Op.CONV, b.read("x"), b.read("k"), b.read("b"), **CONV)
    assert routine_cost(finished(b), "predict").uses == {"k": 48.0, "b": 48.0}


def test_an_embedding_is_used_tokens_over_rows() -> None:
    b = program(param("e", f32(100, 8)), param("unused", f32(3)), Decl("input", "x", Type(I64, (4, 25))))
    rows = b.one(Op.GATHER, b.read("e"), b.read("x"))
    b.one(Op.MUL, rows, b.const(2.0, F32))
    assert routine_cost(finished(b), "predict").uses == {"e": 25 / 100, "unused": 0.0}


def test_movement_hands_on_and_commits_and_results_do_not_count() -> None:
    b = program(param("w", f32(4)), param("v", f32(6)), Decl("input", "x", f32(10)))
    both = b.one(Op.CAT, b.read("w"), b.read("v"), dim=0)
    kept = b.one(Op.PAD, both, low=(3,), high=(0,), value=0.0)
    cut = b.one(Op.SLICE, kept, starts=(3,), stops=(13,), steps=(1,))
    wide = b.one(Op.BROADCAST, cut, shape=(2, 10))
    b.one(Op.ADD, wide, b.one(Op.CAST, b.read("x"), dtype=F32))
    b.commit("w", b.read("w"))
    uses = routine_cost(finished(b, result=both), "predict", batch=1).uses
    # The pad is known on average only: of 20 uses of 13 elements, 10/13 go to what is not padding.
    assert uses == pytest.approx({"w": 20 / 13, "v": 20 / 13})


def test_a_slice_of_an_arena_is_that_piece() -> None:
    b = program(
        Decl("param", "theta", f32(10)),
        param("w", f32(2, 2), "theta", 0),
        param("v", f32(6), "theta", 4),
        param("e", f32(0), "theta", 4),
    )
    flat = b.one(Op.SLICE, b.read("theta"), starts=(0,), stops=(4,), steps=(1,))
    b.one(Op.EXP, b.one(Op.RESHAPE, flat, shape=(2, 2)))
    b.one(Op.NEG, b.one(Op.SLICE, b.read("theta"), starts=(2,), stops=(7,), steps=(1,)))
    assert routine_cost(finished(b), "predict").uses == {"w": 1.5, "v": 0.5, "e": 0.0}


def test_backward_and_update_do_not_count() -> None:
    b = program(param("w", f32(4)), Decl("input", "x", f32(1, 4)))
    b.note = Note("forward")
    w = b.read("w")
    b.one(Op.MUL, w, b.read("x"))
    for phase in ("backward", "update"):
        b.note = Note(phase)
        b.one(Op.MUL, w, w)
    done = routine_cost(finished(b), "predict")
    assert done.uses == {"w": 1.0}
    assert done.total.operations == 12


LOOPED = Routine(
    "body",
    (("i", Type(I64)), ("w", f32(3, 3)), ("h", f32(2, 3))),
    (
        Instr(("y",), Op.DOT, ("h", "w")),
        Instr(("b",), Op.READ, (), (("name", "b"),)),
        Instr(("z",), Op.ADD, ("y", "b")),
    ),
    (("w", "w"), ("h", "z")),
)


@pytest.mark.parametrize("rounds", [0, 1, 5, 64, 65, 1000])
def test_a_loop_of_constant_rounds_multiplies(rounds: int) -> None:
    b = program(param("w", f32(3, 3)), param("b", f32(3)), Decl("input", "x", f32(2, 3)))
    b.program = replace(b.program, routines=(LOOPED,))
    b.emit(Op.LOOP, b.const(rounds, I64), b.read("w"), b.read("x"), body="body")
    done = routine_cost(finished(b, LOOPED), "predict")
    assert done.uses == {"w": rounds, "b": rounds}
    assert done.total.operations == rounds * (2 * 2 * 3 * 3 + 6)
    assert done.remark == ""


def test_a_loop_of_unknown_rounds_is_counted_once_and_says_so() -> None:
    b = program(param("w", f32(3, 3)), param("b", f32(3)), Decl("input", "n", Type(I64)), Decl("input", "x", f32(2, 3)))
    b.program = replace(b.program, routines=(LOOPED,))
    b.emit(Op.LOOP, b.read("n"), b.read("w"), b.read("x"), body="body")
    done = routine_cost(finished(b, LOOPED), "predict", batch=2)
    assert done.uses == {"w": 1.0, "b": 1.0}
    assert [row.number for row in done.rows if row.remark == ONE_ROUND] == [4]
    outer = Program(b.program.name, b.program.decls, ())
    caller = Routine("outer", (), (Instr(("a", "c"), Op.CALL, (), (("body", "predict"),)),), ())
    loop = replace(b.routine("predict", ()), returns=((("a", b.body[-1].out[0]), ("c", b.body[-1].out[1]))))
    called = routine_cost(replace(outer, routines=(LOOPED, loop, caller)), "outer", batch=2)
    assert called.remark == f"inside, loop: {ONE_ROUND}"
    assert called.total == done.total
    assert called.uses == done.uses


def test_a_condition_costs_its_larger_side() -> None:
    once = Routine("once", (("a", f32(4)),), (Instr(("y",), Op.NEG, ("a",)),), (("y", "y"),))
    body = (Instr(("z",), Op.NEG, ("a",)), Instr(("y",), Op.MUL, ("z", "a")))
    twice = Routine("twice", (("a", f32(4)),), body, (("y", "y"),))
    b = program(param("w", f32(4)))
    b.program = replace(b.program, routines=(once, twice))
    y = b.one(Op.COND, b.const(True, BOOL), b.read("w"), then="once", other="twice")
    b.one(Op.ABS, y)
    done = routine_cost(finished(b, once, twice), "predict")
    assert done.total.operations == 8 + 4
    assert done.uses == {"w": 2.0}


def test_uses_go_through_a_call_that_only_moves() -> None:
    turn = Routine("turn", (("a", f32(4)),), (Instr(("y",), Op.FLIP, ("a",), (("dims", (0,)),)),), (("y", "y"),))
    b = program(param("w", f32(4)))
    b.program = replace(b.program, routines=(turn,))
    flipped = b.one(Op.CALL, b.one(Op.CALL, b.read("w"), body="turn"), body="turn")
    b.one(Op.MUL, flipped, flipped)
    assert routine_cost(finished(b, turn), "predict").uses == {"w": 2.0}


def test_calls_that_fan_out_are_counted_without_being_walked() -> None:
    """Two to the thirtieth calls of one addition, each routine walked a few times."""
    last = Routine("r30", (("a", f32(1)),), (Instr(("y",), Op.ADD, ("a", "a")),), (("y", "y"),))
    others = tuple(
        Routine(
            f"r{n}",
            (("a", f32(1)),),
            tuple(
                Instr((out,), Op.CALL, (value,), (("body", f"r{n + 1}"),)) for out, value in (("x", "a"), ("y", "x"))
            ),
            (("y", "y"),),
        )
        for n in range(1, 30)
    )
    b = program(param("w", f32(1)))
    b.program = replace(b.program, routines=(*others, last))
    b.one(Op.CALL, b.read("w"), body="r1")
    assert routine_cost(finished(b, *others, last), "predict").total.operations == 1 << 29
