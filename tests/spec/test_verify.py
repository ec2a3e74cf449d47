"""What the verifier accepts and refuses, in which words, and how fast."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ontogeny.isa.errors import ProgramError, TextError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Attribute, Decl, Instr, Program, Routine
from ontogeny.isa.text import from_text
from ontogeny.isa.types import DType, Type
from ontogeny.isa.verify import MAX_INSTRUCTIONS, routine_results, value_types, verify
from tests.pace import paced

F32, F64, I64 = DType.F32, DType.F64, DType.I64


def instr(out: str, op: Op, args: str = "", **attrs: Attribute) -> Instr:
    return Instr(tuple(out.split()), op, tuple(args.split()), tuple(attrs.items()))


def read(out: str, name: str) -> Instr:
    return instr(out, Op.READ, name=name)


def commit(value: str, name: str) -> Instr:
    return instr("", Op.COMMIT, value, name=name)


BODY = (read("w", "w"), read("x", "x"), instr("y", Op.MUL, "w x"), commit("y", "w"))
HALVE = Routine("halve", (("a", Type(F32, (2,))),), (instr("b", Op.ADD, "a a"),), (("b", "b"),))
PERCEPTRON = Program(
    "perceptron",
    (
        Decl("param", "w", Type(F32, (2,))),
        Decl("param", "theta", Type(F32, (10,))),
        Decl("param", "layer.w", Type(F32, (2, 3)), arena="theta", offset=4),
        Decl("param", "layer.b", Type(F32, (4,)), arena="theta"),
        Decl("dial", "lr", Type(F64), default=0.1),
        Decl("input", "x", Type(F32, (2,))),
        Decl("state", "step", Type(I64)),
    ),
    (Routine("learn", (), BODY, (("y", "y"),)), HALVE),
)


def learning(*body: Instr, routines: tuple[Routine, ...] = (HALVE,), returns: str = "") -> Program:
    """The perceptron with another body of `learn`, and other routines beside it."""
    results = tuple((name, name) for name in returns.split())
    return replace(PERCEPTRON, routines=(Routine("learn", (), body, results), *routines))


def declaring(*decls: Decl) -> Program:
    return Program("p", decls, ())


def refused(program: Program, message: str) -> str:
    with pytest.raises(ProgramError, match=re.escape(message)) as caught:
        verify(program)
    return str(caught.value)


def test_accepts_a_perceptron() -> None:
    verify(PERCEPTRON)
    learn = PERCEPTRON.routine("learn")
    assert value_types(PERCEPTRON, learn) == dict.fromkeys("wxy", Type(F32, (2,)))
    assert value_types(PERCEPTRON, learn) is value_types(PERCEPTRON, learn)
    assert routine_results(PERCEPTRON, learn) == (Type(F32, (2,)),)
    assert value_types(PERCEPTRON, HALVE)["a"] == Type(F32, (2,))


def test_types_do_not_outlive_the_program_they_were_made_for() -> None:
    learn = PERCEPTRON.routine("learn")
    for size in range(1, 600):
        decls = (replace(decl, type=Type(F32, (size,))) for decl in PERCEPTRON.decls if decl.name in "wx")
        program = replace(PERCEPTRON, decls=tuple(decls))
        assert value_types(program, learn)["y"] == Type(F32, (size,))


def test_a_type_error_names_routine_and_instruction() -> None:
    message = refused(learning(*BODY[:2], instr("y", Op.SHL, "w x")), "takes integers, not f32")
    assert message.startswith("routine 'learn', instruction 3 (%y = shl %w %x): shl:")


@pytest.mark.parametrize(
    ("body", "returns", "message"),
    [
        ((instr("y", Op.NEG, "x"), read("x", "x")), "", "instruction 1 (%y = neg %x): %x is read before"),
        ((read("x", "x"), read("x", "x")), "", "value 'x' stands twice"),
        ((read("x y", "x"),), "", "gives 1 results (f32[2]), 2 are named"),
        ((read("", "x"),), "", "gives 1 results (f32[2]), 0 are named"),
        ((read("x", "x"),), "y", "returns %y, which it never defines"),
        ((read("x", "x"),), "x x", "result 'x' stands twice"),
        ((read("x\0", "x"),), "", "printable"),
        ((read("", "x"),), "", "instruction 1"),
        ((*BODY, commit("x", "w")), "", "instruction 5 (commit %x): 'w' is committed a second time"),
        ((read("b", "layer.b"), commit("b", "layer.b")), "", "a piece of 'theta'; commit that whole"),
        ((read("x", "x"), commit("x", "x")), "", "only a param or a state is kept"),
        ((read("x", "x"), commit("x", "step")), "", "must be i64[], not f32[2]"),
    ],
)
def test_refuses_a_body(body: tuple[Instr, ...], returns: str, message: str) -> None:
    refused(learning(*body, returns=returns), message)


def test_a_value_cannot_bear_the_name_of_an_operand() -> None:
    refused(learning(routines=(replace(HALVE, body=(instr("a", Op.ADD, "a a"),)),)), "%a is defined a second time")


@pytest.mark.parametrize(
    ("decls", "message"),
    [
        ((Decl("weight", "w", Type(F32)),), "must be one of param, state, dial, input"),
        ((Decl("param", "w", Type(F32)), Decl("state", "w", Type(F32))), "declaration 'w' stands twice"),
        ((Decl("param", "", Type(F32)),), "printable"),
        ((Decl("dial", "lr", Type(F32)),), "must be f64[]"),
        ((Decl("dial", "lr", Type(F64), default=float("nan")),), "cannot have the default nan"),
        ((Decl("param", "w", Type(F32), default=1.0),), "only a dial has one"),
        ((Decl("param", "w", Type(F32), offset=1),), "an offset and no arena"),
        ((Decl("param", "w", Type(F32, (-1,))),), "0 or more"),
        ((Decl("param", "w", Type(F32, (1 << 41,))),), "elements"),
        ((Decl("param", "w", Type(F32, (1,) * 17)),), "16 dimensions"),
        ((Decl("param", "w", Type(F32, (2,)), arena="t"),), "piece of a whole param or state"),
    ],
)
def test_refuses_declarations(decls: tuple[Decl, ...], message: str) -> None:
    refused(declaring(*decls), message)


@pytest.mark.parametrize(
    ("arena", "pieces", "message"),
    [
        (Type(F32, (10,)), ((Type(F32, (5,)), 0), (Type(F32, (5,)), 5)), ""),
        (Type(F32, (10,)), ((Type(F32, (0,)), 3), (Type(F32, (10,)), 0)), ""),
        (Type(F32, (10,)), ((Type(F32, (5,)), 0), (Type(F32, (5,)), 4)), "begins at element 4 of 't', inside 'p0'"),
        (Type(F32, (10,)), ((Type(F32, (9,)), 0), (Type(F32, (1,)), 2), (Type(F32, (1,)), 5)), "inside 'p0'"),
        (Type(F32, (10,)), ((Type(F32, (5,)), 6),), "takes elements 6 to 11 of 't', which has 10"),
        (Type(F32, (10,)), ((Type(F32, (5,)), -1),), "takes elements -1"),
        (Type(F32, (10,)), ((Type(F64, (5,)), 0),), "must be f64[n], not f32[10]"),
        (Type(F32, (2, 5)), ((Type(F32, (5,)), 0),), "must be f32[n], not f32[2,5]"),
    ],
)
def test_arenas(arena: Type, pieces: tuple[tuple[Type, int], ...], message: str) -> None:
    made = (Decl("param", f"p{n}", type_, arena="t", offset=offset) for n, (type_, offset) in enumerate(pieces))
    program = declaring(Decl("param", "t", arena), *made)
    refused(program, message) if message else verify(program)


def test_an_arena_is_whole_and_of_the_same_kind() -> None:
    t = Decl("param", "t", Type(F32, (4,)))
    refused(declaring(t, Decl("state", "m", Type(F32), arena="t")), "piece of a whole")
    piece = Decl("param", "p", Type(F32, (2,)), arena="t")
    refused(declaring(t, piece, Decl("param", "q", Type(F32), arena="p")), "piece of a whole")


def test_inputs_and_commits_belong_to_the_outermost_routine() -> None:
    for inner, what in ((read("b", "x"), "reads an input"), (commit("a", "w"), "commits")):
        body = (inner, instr("c", Op.ADD, "a a"))
        message = refused(learning(routines=(replace(HALVE, body=body, returns=(("c", "c"),)),)), what)
        assert message.startswith("routine 'halve', instruction 1")
    verify(learning(routines=(replace(HALVE, body=(read("b", "w"),)),)))


def test_commits_of_called_routines_count() -> None:
    sleep = Routine("sleep", (), (read("w", "w"), commit("w", "w")), ())
    call = instr("", Op.CALL, body="sleep")
    verify(learning(call, routines=(sleep,)))
    message = refused(learning(*BODY, call, routines=(sleep,)), "'w' is committed a second time")
    assert "instruction 5 (call)" in message
    refused(learning(call, call, routines=(sleep,)), "committed a second time")


def test_either_side_of_a_condition_may_commit() -> None:
    sleep = Routine("sleep", (), (read("w", "w"), commit("w", "w")), ())
    wake = Routine("wake", (), (read("x", "x"), commit("x", "w")), ())
    yes = instr("yes", Op.CONST, value=True, dtype=DType.BOOL, shape=())
    either = instr("", Op.COND, "yes", then="sleep", other="wake")
    verify(learning(yes, either, routines=(sleep, wake)))
    refused(learning(yes, either, *BODY, routines=(sleep, wake)), "committed a second time")


def test_calls_in_a_circle_are_refused() -> None:
    a = Routine("a", (), (instr("", Op.CALL, body="b"),), ())
    b = Routine("b", (), (instr("", Op.CALL, body="a"),), ())
    refused(replace(PERCEPTRON, routines=(a, b)), "in a circle: a -> b -> a")
    refused(replace(PERCEPTRON, routines=(replace(a, body=(instr("", Op.CALL, body="a"),)),)), "in a circle: a -> a")


def test_deep_calls_are_refused_in_any_order_and_wide_ones_are_quick() -> None:
    def chain(length: int) -> tuple[Routine, ...]:
        inner = (
            Routine(f"r{n}", (), (instr("", Op.CALL, body=f"r{n + 1}"), instr("", Op.CALL, body=f"r{n + 1}")), ())
            for n in range(length)
        )
        return (*inner, Routine(f"r{length}", (), (), ()))

    verify(replace(PERCEPTRON, routines=chain(30)))
    verify(replace(PERCEPTRON, routines=chain(30)[::-1]))
    for routines in (chain(32), chain(5000)):
        refused(replace(PERCEPTRON, routines=routines), "routines deep")
        refused(replace(PERCEPTRON, routines=routines[::-1]), "routines deep")


def test_names_and_routines_are_single() -> None:
    refused(replace(PERCEPTRON, routines=(HALVE, HALVE)), "routine 'halve' stands twice")
    refused(replace(PERCEPTRON, name="x" * 201), "1 to 200 printable")


def large(count: int) -> Program:
    """Reads, elementwise, products, sums and views in equal numbers over as many parameters."""
    each, type_ = count // 5, Type(F32, (64, 128))
    body: list[Instr] = []
    for n in range(each):
        body += (
            read(f"r{n}", f"w{n}"),
            instr(f"a{n}", Op.ADD, f"r{n} r{max(0, n - 1)}"),
            instr(f"t{n}", Op.PERMUTE, f"a{n}", dims=(1, 0)),
            instr(f"d{n}", Op.DOT, f"a{n} t{n}"),
            instr(f"s{n}", Op.SUM, f"d{n}", dims=(0, 1), keep=False),
        )
    decls = tuple(Decl("param", f"w{n}", type_) for n in range(each))
    return Program("large", decls, (Routine("learn", (), tuple(body), ()),))


def test_five_thousand_instructions_verify_in_well_under_a_tenth_of_a_second() -> None:
    programs = iter([large(5000) for _ in range(5)])
    assert paced(lambda: verify(next(programs)), times=5) < 0.1


def test_size_is_bounded_before_work_is_done() -> None:
    body = (read("x", "x"),) * (MAX_INSTRUCTIONS + 1)
    refused(learning(*body), f"at most {MAX_INSTRUCTIONS}")


NESTED = """program p
param w: f32[2]
routine inner(%a: f32[2]) -> y:
  %n = neg %a
  %y = dot %n %missing
  return y=%y
routine learn() -> y:
  %w = read {name=w}
  %y = call %w {body=inner}
  return y=%y
"""


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (NESTED, ("inner", 2, 5)),
        (NESTED.replace("dot %n %missing", "neg %n").replace("call %w", "call %u"), ("learn", 2, 9)),
        (NESTED.replace("dot %n %missing", "neg %n").replace("y=%y\nroutine", "y=%gone\nroutine"), ("inner", 0, 6)),
        ("program p\nparam w: f32[2]\nparam w: f32[2]", ("", 0, 3)),
    ],
)
def test_an_error_has_its_place_as_fields(text: str, place: tuple[str, int, int]) -> None:
    with pytest.raises(ProgramError) as plain:
        verify(from_text(text, check=False))
    with pytest.raises(TextError) as read:
        from_text(text)
    for error in (plain.value, read.value):
        assert (error.routine, error.instruction) == place[:2]
    assert read.value.line == place[2] and f"line {place[2]}, column {read.value.column}: " in str(read.value)
