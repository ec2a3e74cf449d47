"""The check of one case, and how far a machine may be from the reference.

A tolerance is a number of units: multiples of the format's epsilon times the larger of the expected magnitude and 1 (8
for what accumulates). Integers, bools, movement, comparison, sums, differences and products of two are exact. NaN
equals NaN whatever its bits; the sign of a zero counts where elements are only moved.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ontogeny.isa.errors import MachineError
from ontogeny.isa.op import Group, Op
from ontogeny.isa.rules import routine_results
from ontogeny.isa.types import DType, Type
from ontogeny.machine.base import Machine, checked
from ontogeny.machine.conformance.case import MAIN, Case
from ontogeny.machine.learner import Array
from ontogeny.machine.reference import ReferenceMachine

ROUNDED = {Op.DIV: 2.0, Op.SQRT: 2.0, Op.REM: 4.0}
FUNCTIONS = frozenset({Op.EXP, Op.LOG, Op.SIN, Op.COS, Op.TANH, Op.ERF, Op.POW})
ACCUMULATING = frozenset({Op.DOT, Op.SUM, Op.SCAN, Op.SCATTER_ADD})
EXACT_MACROS = frozenset({Op.NAND, Op.SIGN, Op.RELU, Op.RELU_BACKWARD, Op.MAX_POOL, Op.UNIFORM})
EPSILON = {DType.F16: 2.0**-10, DType.BF16: 2.0**-7, DType.F32: 2.0**-23, DType.F64: 2.0**-52}
MOVING = frozenset({Op.READ, Op.COMMIT, Op.WHERE, Op.GATHER, Op.SCATTER_SET, Op.PROBE})


class NonConforming(AssertionError):
    """A machine that differs from the reference."""


def tolerance(op: Op, dtype: DType) -> tuple[float, float]:
    """Units allowed in results of a format, and the least magnitude that they are multiplied with."""
    if not dtype.is_float:
        return 0.0, 1.0
    half = dtype in (DType.F16, DType.BF16)
    if op in FUNCTIONS:
        return (1.0 if half else 8.0), 1.0
    if op in ACCUMULATING:
        return (2.0 if half else 8.0), 8.0
    if op.is_macro and op not in EXACT_MACROS:
        return (4.0 if half else 64.0), 8.0
    return ROUNDED.get(op, 0.0), 1.0


def check(machine_class: type[Machine], case: Case, **options: Any) -> None:
    """Run the case on a machine and on the reference. Raises NonConforming where they differ."""
    program = case.program
    reference, machine = ReferenceMachine(program), machine_class(program, **options)
    reference.load(case.state)
    machine.load(case.state)
    for _ in range(case.calls):
        expected, found = _called(reference, case), _called(machine, case)
        if isinstance(expected, MachineError) or isinstance(found, MachineError):
            if type(expected) is not type(found):
                raise NonConforming(f"{case.name}: the reference gives {_told(expected)}, the machine {_told(found)}")
        else:
            types = routine_results(program, program.routine(MAIN))
            names = (name for name, _ in program.routine(MAIN).returns)
            _compare(case, "result", expected, found, dict(zip(names, types, strict=True)))
        registers = {decl.name: decl.type for decl in program.kept()}
        _compare(case, "register", reference.state(), machine.state(), registers)


def _called(machine: Machine, case: Case) -> dict[str, Array] | MachineError:
    try:
        return machine.call(MAIN, case.inputs, case.dials)
    except MachineError as error:
        return error


def _told(outcome: dict[str, Array] | MachineError) -> str:
    return f"the error {str(outcome)!r}" if isinstance(outcome, MachineError) else f"results {outcome}"


def _compare(
    case: Case, what: str, expected: dict[str, Array], found: dict[str, Array], types: dict[str, Type]
) -> None:
    if list(found) != list(expected):
        raise NonConforming(f"{case.name}: {what}s are {list(found)}, not {list(expected)}")
    for name, type_ in types.items():
        try:
            checked(f"{what} {name!r}", found[name], type_)
        except MachineError as error:
            raise NonConforming(f"{case.name}: {error}") from error
        wrong = _differs(case.op, type_.dtype, expected[name], found[name])
        if wrong.any():
            place = tuple(int(index) for index in np.argwhere(wrong)[0])
            raise NonConforming(
                f"{case.name}: {what} {name!r} differs in {int(wrong.sum())} of {wrong.size} elements; "
                f"element {list(place)} is {found[name][place]!r}, the reference has {expected[name][place]!r}"
            )


def _differs(op: Op, dtype: DType, expected: Array, found: Array) -> Array:
    """Where the difference is beyond the tolerance."""
    if not dtype.is_float:
        return np.asarray(expected != found)
    units, least = tolerance(op, dtype)
    step = units * EPSILON[dtype]
    a, b = expected.astype(np.float64), found.astype(np.float64)
    with np.errstate(all="ignore"):
        near = (a == b) | (np.isfinite(a) & (np.abs(a - b) <= step * np.maximum(np.abs(a), least)))
    wrong = ~(near | (np.isnan(a) & np.isnan(b)))
    if op in MOVING or op.group is Group.SHAPE:
        wrong |= (np.signbit(a) != np.signbit(b)) & ~np.isnan(a)
    return np.asarray(wrong)
