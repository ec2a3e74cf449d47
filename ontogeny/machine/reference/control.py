"""What needs the execution: registers, calls, loops, branches, macros, probes and asserts.

A meaning that gives None has pushed a frame, or has bound its results itself.
"""

from __future__ import annotations

import numpy as np

from ontogeny.isa import attrs
from ontogeny.isa.errors import MachineError
from ontogeny.isa.macros import expand
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr, Routine
from ontogeny.isa.types import Type
from ontogeny.machine.formats import type_of
from ontogeny.machine.reference.execution import Execution, Meaning, Values


def read(execution: Execution, instr: Instr, _: Values) -> Values:
    """A declared value."""
    return (execution.read(attrs.text(instr, "name")),)


def commit(execution: Execution, instr: Instr, operands: Values) -> Values:
    """A register to be replaced at the end."""
    execution.commit(attrs.text(instr, "name"), operands[0])
    return ()


def call(execution: Execution, instr: Instr, operands: Values) -> None:
    """A routine once."""
    execution.enter(execution.routine(attrs.text(instr, "body")), operands, execution.bind)


def loop(execution: Execution, instr: Instr, operands: Values) -> None:
    """A routine n times."""
    body, count = execution.routine(attrs.text(instr, "body")), int(operands[0])

    def turn(number: int, carried: Values) -> None:
        if number >= count:
            return execution.bind(carried)
        place = np.asarray(number, dtype=np.int64)
        execution.enter(body, (place, *carried), lambda results: turn(number + 1, results), number)

    turn(0, operands[1:])


def repeat(execution: Execution, instr: Instr, operands: Values) -> None:
    """A routine while another gives true."""
    test, body = (execution.routine(attrs.text(instr, name)) for name in ("test", "body"))
    limit = attrs.integer(instr, "limit")

    def turn(number: int, carried: Values) -> None:
        if number >= limit:
            return execution.bind(carried)
        execution.enter(test, carried, lambda holds: decide(number, carried, bool(holds[0])), number)

    def decide(number: int, carried: Values, holds: bool) -> None:
        if not holds:
            return execution.bind(carried)
        execution.enter(body, carried, lambda results: turn(number + 1, results), number)

    turn(0, operands)


def cond(execution: Execution, instr: Instr, operands: Values) -> None:
    """One of two routines."""
    name = attrs.text(instr, "then" if operands[0] else "other")
    execution.enter(execution.routine(name), operands[1:], execution.bind)


def macro(execution: Execution, instr: Instr, operands: Values) -> None:
    """The routine that defines a macro, into which a debugger may step."""
    types = tuple(map(type_of, operands))
    routine = execution.expansions.get((instr, types))
    if routine is None:
        routine = execution.expansions[instr, types] = definition(instr, types)
    values = dict(zip(instr.args, operands, strict=True))
    execution.enter(routine, tuple(values.values()), execution.bind)


def definition(instr: Instr, types: tuple[Type, ...]) -> Routine:
    """A macro's definition in base operations as a routine of its own, named after it."""
    params = tuple(dict(zip(instr.args, types, strict=True)).items())
    return Routine(instr.op.text, params, expand(instr, types), tuple((name, name) for name in instr.out))


def probe(execution: Execution, instr: Instr, operands: Values) -> Values:
    """Shown to whoever watches."""
    if execution.watch is not None:
        execution.watch(attrs.text(instr, "name"), operands[0].copy())
    return operands


def check(_: Execution, instr: Instr, operands: Values) -> Values:
    """A reason to stop."""
    holds = operands[0]
    if not holds.all():
        count = f" ({holds.size - int(holds.sum())} of {holds.size} elements of %{instr.args[0]} do not hold)"
        raise MachineError(f"{attrs.text(instr, 'message')}{count if holds.ndim else ''}")
    return ()


MEANINGS: dict[Op, Meaning] = {
    Op.READ: read,
    Op.COMMIT: commit,
    Op.CALL: call,
    Op.LOOP: loop,
    Op.WHILE: repeat,
    Op.COND: cond,
    Op.PROBE: probe,
    Op.ASSERT: check,
}
