"""A tape as a program of the instruction set, and back: banks as state registers, renamed to single assignment.

`setup` takes nothing, `predict` the input `features` f64[n], `learn` also `label` f64[]; registers begin at 0. A value
is named after the register that it is in and counted, `s3_1`, `s3_2`: by that the tape is found again. On the reference
machine it gives the bits of the swarm, but for exp, log, sine, cosine and products of matrices, which round otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ontogeny.isa.build import Builder
from ontogeny.isa.errors import ProgramError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Decl, Instr, Program, Routine
from ontogeny.isa.types import DType, Type
from ontogeny.isa.verify import verify
from ontogeny.machine.learner import Learner
from ontogeny.machine.swarm.learners_operations import BANKS, OPERATIONS
from ontogeny.machine.swarm.learners_tape import ROUTINES, Banks, Row, Tape, tape

FEATURES, LABEL, PREDICTION = "features", "label", "prediction"
COUNTED = re.compile(r"([svm])(\d+)_\d+$")


def to_program(given: Tape, name: str = "tape") -> Program:
    """The tape as a program, verified."""
    banks = given.banks
    states = [
        Decl("state", f"{bank}{index}", Type(DType.F64, banks.shape(bank)))
        for bank in BANKS
        for index in range(banks.first(bank), banks.count(bank))
    ]
    inputs = [Decl("input", FEATURES, Type(DType.F64, (banks.features,))), Decl("input", LABEL, Type(DType.F64))]
    made = Program(name, (*states, *inputs), ())
    for routine in ROUTINES:
        made = made.with_routine(_Writer(made, given, routine).routine())
    verify(made)
    return made


def to_learner(given: Tape, name: str = "tape") -> Learner:
    """The program with all registers at 0."""
    made = to_program(given, name)
    return Learner(made, {decl.name: np.zeros(decl.type.shape) for decl in made.kept()})


class _Writer:
    """One routine in the making: the value that each register holds so far, and how many it has held."""

    def __init__(self, made: Program, given: Tape, routine: str) -> None:
        self.banks, self.name = given.banks, routine
        self.build = Builder(made, prefix="t")
        self.held: dict[str, str] = {}
        self.count: dict[str, int] = {}
        self.names: dict[str, str] = {}
        for row in given.instructions(routine):
            self.row(row)

    def row(self, row: Row) -> None:
        number, into, a, b, constant = row
        operation = OPERATIONS[number]
        places: tuple[int, ...] = ()
        target = f"{operation.gives}{into}"
        if operation.constant:
            places = tuple(place % self.banks.features for place in (a, b)[: operation.places])
            takes = [target] if places else []
        else:
            takes = [f"{bank}{index}" for bank, index in zip(operation.takes, (a, b), strict=False)]
        args = tuple(self.value(register) for register in takes)
        value = operation.emit(self.build, self.banks.features, args, constant, places)
        self.count[target] = self.count.get(target, 0) + 1
        self.names[value] = f"{target}_{self.count[target]}"
        self.held[target] = value

    def value(self, register: str) -> str:
        """What a register holds; read when it is first asked for."""
        if register not in self.held:
            self.held[register] = value = self.first(register)
            self.names[value] = register
        return self.held[register]

    def first(self, register: str) -> str:
        given = {"s0": LABEL, "v0": FEATURES}.get(register)
        if given is None or (register == "v0" and self.name != "setup") or self.name == "learn":
            return self.build.read(given or register)
        return self.build.one(Op.CONST, value=0.0, dtype=DType.F64, shape=self.banks.shape(register[0]))

    def routine(self) -> Routine:
        returns = [(PREDICTION, self.value("s1"))] if self.name == "predict" else []
        for register in sorted(self.count):
            self.build.commit(register, self.held[register])
        body = tuple(_renamed(instr, self.names) for instr in self.build.body)
        return Routine(self.name, (), body, tuple((name, self.names[value]) for name, value in returns))


def _renamed(instr: Instr, names: dict[str, str]) -> Instr:
    out, args = (tuple(names.get(name, name) for name in part) for part in (instr.out, instr.args))
    return replace(instr, out=out, args=args)


def from_program(made: Program) -> Tape:
    """The tape of such a program. Raises ProgramError for any other, naming routine and instruction."""
    states = [decl.name for decl in made.kept()]
    counts = [sum(name.startswith(bank) for name in states) for bank in BANKS]
    try:
        (features,) = made.decl(FEATURES).type.shape
        banks = Banks(counts[0] + 1, counts[1] + 1, counts[2], features)
        routines = [list(_rows(banks, made.routine(name))) for name in ROUTINES]
    except (KeyError, ValueError) as error:
        raise ProgramError(f"{made.name!r} is no tape: {error}; expected what to_program gives") from error
    found = tape(banks, *routines)
    if to_program(found, made.name) != made:
        raise ProgramError(f"{made.name!r} is not written as a tape is; expected what to_program gives")
    return found


def _rows(banks: Banks, routine: Routine) -> Iterator[Row]:
    """The rows of a routine: its instructions, cut after each value that is a register's."""
    group: list[Instr] = []
    for count, instr in enumerate(routine.body, 1):
        if not instr.out or re.fullmatch(r"[svm]\d+", instr.out[0]):
            continue
        group.append(instr)
        if match := COUNTED.match(instr.out[0]):
            row = _row(banks, match[1], int(match[2]), group)
            if row is None:
                raise ProgramError(
                    f"routine {routine.name!r}, instruction {count}: no operation of a tape is written so"
                )
            yield row
            group = []


def _row(banks: Banks, bank: str, into: int, group: list[Instr]) -> Row | None:
    """The row whose operation is written as these instructions."""
    made = {name for instr in group for name in instr.out}
    operands = list(dict.fromkeys(arg for instr in group for arg in instr.args if arg not in made))
    numbers = [instr.attr("value") for instr in group if instr.op is Op.CONST]
    for operation in OPERATIONS.values():
        for args in ((), operands, operands * 2, operands[::-1]):
            if operation.gives != bank or [arg[0] for arg in args] != list(operation.takes or (bank,) * len(args)):
                continue
            places = tuple(int(n) for n in numbers[1:] if isinstance(n, int)) if operation.constant else ()
            constant = float(numbers[0]) if operation.constant and isinstance(numbers[0], float) else 0.0
            if _written(banks, operation.number, tuple(args), constant, places) == _shape(group):
                at = places if operation.constant else tuple(int(arg[1:].split("_")[0]) for arg in args)
                a, b, *_ = *at, 0, 0
                return operation.number, into, a, b, constant
    return None


def _written(banks: Banks, number: int, args: tuple[str, ...], constant: float, places: tuple[int, ...]) -> object:
    """How an operation writes itself on values of these names; None where it cannot."""
    operation = OPERATIONS[number]
    if len(places) != operation.places or (operation.constant and bool(places) != bool(args)):
        return None
    build = Builder(Program("", (), ()), [(arg, Type(DType.F64, banks.shape(arg[0]))) for arg in args], prefix="t")
    operation.emit(build, banks.features, args, constant, places)
    return _shape(build.body)


def _shape(group: list[Instr]) -> object:
    """Instructions with results numbered, so that two ways to name them are equal."""
    names: dict[str, str] = {}
    shaped = []
    for instr in group:
        args = tuple(names.get(arg, arg) for arg in instr.args)
        names.update({name: f"t{len(names)}" for name in instr.out})
        shaped.append((instr.op, args, instr.attrs))
    return shaped
