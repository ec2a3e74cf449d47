"""A tape that was found, as a learner of its own: a program that is recorded, forked, steered and debugged like any.

`learn` takes a batch x f64[batch, n], y f64[batch], goes through its examples one after another, predicts each and then
learns from it, and returns the mean squared error of those predictions; `evaluate` predicts `valid.x`, and keeps
nothing of it; `predict` likewise x. What `setup` does stands in the initial values.
"""

from __future__ import annotations

from dataclasses import replace

from ontogeny.isa.build import Builder
from ontogeny.isa.op import Op
from ontogeny.isa.program import Decl, Instr, Program, Routine
from ontogeny.isa.types import DType, Type
from ontogeny.isa.verify import verify
from ontogeny.machine.learner import Learner
from ontogeny.machine.reference import ReferenceMachine
from ontogeny.machine.swarm.learners_program import FEATURES, LABEL, to_learner
from ontogeny.machine.swarm.learners_tape import Tape

F64 = Type(DType.F64)
PREDICT = "predict"


def recorded_learner(given: Tape, batch: int = 1, valid: int = 0, name: str = "tape") -> Learner:
    """The learner, for batches of so many examples and, where there are any, so many held out."""
    alone = to_learner(given, name)
    machine = ReferenceMachine(alone.program)
    machine.load(alone.values)
    machine.call("setup", {}, {})
    n = given.banks.features
    sizes = {"": batch, "valid.": valid} if valid else {"": batch}
    inputs = [
        Decl("input", f"{prefix}{letter}", Type(DType.F64, (count, n) if letter == "x" else (count,)))
        for prefix, count in sizes.items()
        for letter in "xy"
    ]
    made = Program(name, (*alone.program.kept(), *inputs), ())
    for routine in (PREDICT, "learn"):
        made = made.with_routine(_as_function(alone.program, routine))
    for routine, count in (("learn", batch), (PREDICT, batch), ("evaluate", valid)):
        if count:
            made = made.with_routine(_turn(made, routine, count))
            made = made.with_routine(_outer(made, routine, count))
    verify(made)
    return Learner(made, machine.state())


def _states(made: Program) -> list[tuple[str, Type]]:
    return [(decl.name, decl.type) for decl in made.kept()]


def _as_function(alone: Program, name: str) -> Routine:
    """A routine on values: registers, features and label are operands, and the registers after it results."""
    routine, held = alone.routine(name), dict(_states(alone))
    body: list[Instr] = []
    last: dict[str, str] = {}
    known: dict[str, str] = {}
    for instr in routine.body:
        if instr.op is Op.READ:
            known[instr.out[0]] = f"r_{instr.attr('name')}"
        elif instr.op is Op.COMMIT:
            last[str(instr.attr("name"))] = instr.args[0]
        else:
            body.append(replace(instr, args=tuple(known.get(arg, arg) for arg in instr.args)))
    n = alone.decl(FEATURES).type
    params = [(f"r_{name}", kind) for name, kind in (*held.items(), (FEATURES, n), (LABEL, F64))]
    values = [(name, last.get(name, f"r_{name}")) for name in held]
    return Routine(f"{name}_one", tuple(params), tuple(body), tuple(values))


def _turn(made: Program, routine: str, count: int) -> Routine:
    """One round of a routine: an example predicted, its error added, in `learn` learnt from; all of it carried on."""
    n = made.decl("x").type.shape[1]
    states = _states(made)
    carried = [*states, ("sum", F64), ("found", Type(DType.F64, (count,)))]
    rows = [("xs", Type(DType.F64, (count, n))), ("ys", Type(DType.F64, (count,)))]
    build = Builder(made, [("i", Type(DType.I64)), *carried, *rows], prefix="t")
    example, label = build.one(Op.GATHER, "xs", "i"), build.one(Op.GATHER, "ys", "i")
    operands = [name for name, _ in states]
    values = list(build.emit(Op.CALL, *operands, example, label, body="predict_one"))
    prediction = values[operands.index("s1")]
    off = build.one(Op.SUB, label, prediction)
    total = build.one(Op.ADD, "sum", build.one(Op.MUL, off, off))
    found = build.one(Op.SCATTER_SET, "found", prediction, "i")
    if routine == "learn":
        values = list(build.emit(Op.CALL, *values, example, label, body="learn_one"))
    names = [name for name, _ in (*carried, *rows)]
    results = [*values, total, found, "xs", "ys"]
    return build.routine(f"{routine}_turn", list(zip(names, results, strict=True)))


def _outer(made: Program, name: str, count: int) -> Routine:
    """The routine that a run calls: all examples of its inputs, one after another."""
    prefix = "valid." if name == "evaluate" else ""
    build = Builder(made, prefix="t")
    states = [register for register, _ in _states(made)]
    registers = [build.read(register) for register in states]
    xs = build.read(f"{prefix}x")
    nothing = build.one(Op.CONST, value=0.0, dtype=DType.F64, shape=(count,))
    ys = nothing if name == PREDICT else build.read(f"{prefix}y")
    start = [build.const(0.0, DType.F64), nothing, xs, ys]
    *after, total, found, _, _ = build.emit(
        Op.LOOP, build.const(count, DType.I64), *registers, *start, body=f"{name}_turn"
    )
    if name == PREDICT:
        return build.routine(name, [("y", found)])
    if name == "learn":
        for register, value in zip(states, after, strict=True):
            build.commit(register, value)
    return build.routine(name, [("loss", build.one(Op.DIV, total, build.const(float(count), DType.F64)))])
