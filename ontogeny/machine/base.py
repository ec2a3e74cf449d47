"""What every machine offers, and what all of them check at their boundary.

A machine holds the registers of one learner. `call` runs an outermost routine: it reads the registers, inputs and dials
as they were when it began, and what it commits takes effect together after it has succeeded; a call that raises has
changed nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

import numpy as np

from ontogeny.isa.errors import MachineError
from ontogeny.isa.program import Decl, Program, Routine
from ontogeny.isa.tables import declarations
from ontogeny.isa.types import Type
from ontogeny.machine.formats import DTYPES, NUMPY
from ontogeny.machine.learner import Array
from ontogeny.machine.reads import reads
from ontogeny.machine.sizes import expected, fitted


class Machine(Protocol):
    """Evaluates the routines of one program. bf16 arrays are NumPy arrays of `ml_dtypes.bfloat16`."""

    def __init__(self, program: Program, **options: Any) -> None: ...

    def load(self, state: Mapping[str, Array]) -> None:
        """Take copies of `state`: one array for each register of `program.kept()`, by name."""

    def state(self) -> dict[str, Array]:
        """Copies of all registers of `program.kept()`, by name."""

    def call(self, routine: str, inputs: Mapping[str, Array], dials: Mapping[str, float]) -> dict[str, Array]:
        """Run an outermost routine; its results by name. Dials that are not given have their declared default."""


def checked(what: str, array: object, expected: Type, words: Callable[[], str] | None = None) -> Array:
    """`array` as it is, or MachineError where its format or shape is not the expected one, told in its `words`."""
    if not isinstance(array, np.ndarray | np.generic):
        wanted = words() if words else expected
        raise MachineError(f"{what} is a {type(array).__name__}; a NumPy array of {wanted} was expected")
    found = DTYPES.get(array.dtype)
    if array.dtype != NUMPY[expected.dtype] or array.shape != expected.shape:
        given, wanted = f"{found or array.dtype}[{','.join(map(str, array.shape))}]", words() if words else expected
        raise MachineError(f"{what} is {given}, but the program declares {wanted}; convert or reshape it first")
    return np.asarray(array)


def checked_state(program: Program, state: Mapping[str, Array]) -> dict[str, Array]:
    """Contiguous copies of the registers of `program.kept()`; MachineError for missing, unknown or misshapen ones."""
    kept = {decl.name: decl for decl in program.kept()}
    if missing := [name for name in kept if name not in state]:
        raise MachineError(f"no value for {_names(missing)}; load one array for each register of the program")
    if unknown := [name for name in state if name not in kept]:
        raise MachineError(f"the program keeps no {_names(unknown)}; it keeps {_names(kept)}")
    return {
        name: checked(f"{decl.kind} {name!r}", state[name], decl.type).copy(order="C") for name, decl in kept.items()
    }


def checked_inputs(program: Program, routine: Routine, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """The inputs that `routine` may read, checked; where the program has sizes, they may be of any.

    Entries that it does not read are left out, whatever they are.
    """
    declared = declarations(program)
    wanted = [name for name in reads(program, routine) if declared[name].kind == "input"]
    if missing := [name for name in wanted if name not in inputs]:
        raise MachineError(
            f"routine {routine.name!r} needs input {_names(missing)} of type "
            f"{', '.join(expected(program, name) for name in missing)}; given were {_names(inputs)}"
        )
    now = declarations(fitted(program, routine, inputs))
    return {
        name: checked(f"input {name!r}", inputs[name], now[name].type, partial(expected, program, name))
        for name in wanted
    }


def checked_dials(program: Program, dials: Mapping[str, float]) -> dict[str, Array]:
    """A scalar array for every dial: the value given, or its default. MachineError for an unknown or unset one."""
    declared = {decl.name: decl for decl in program.of("dial")}
    if unknown := [name for name in dials if name not in declared]:
        raise MachineError(f"the program has no dial {_names(unknown)}; it has {_names(declared)}")
    return {name: _dial(decl, dials.get(name, decl.default)) for name, decl in declared.items()}


def outermost(program: Program, name: str) -> Routine:
    """The routine called `name`, which a person may call. Raises MachineError where there is none."""
    callable_names = [routine.name for routine in program.routines if not routine.params]
    if name not in callable_names:
        raise MachineError(f"no routine {name!r} can be called; there are {_names(callable_names)}")
    return program.routine(name)


def piece(decl: Decl, arena: Array) -> Array:
    """The part of its arena that a declared piece is: a view in the piece's shape."""
    return arena.reshape(-1)[decl.offset : decl.offset + decl.type.size].reshape(decl.type.shape)


def value_of(decl: Decl, registers: Mapping[str, Array]) -> Array:
    """A declared register among others by name, or the piece of one, in its own shape; it shares their memory."""
    return piece(decl, registers[decl.arena]) if decl.arena else registers[decl.name]


def _dial(decl: Decl, value: float | None) -> Array:
    if value is None:
        raise MachineError(f"dial {decl.name!r} has no default and was not given")
    try:
        return np.asarray(float(value)).astype(NUMPY[decl.type.dtype])
    except (TypeError, ValueError) as error:
        raise MachineError(f"dial {decl.name!r} is {value!r}; a number was expected") from error


def _names(names: Any) -> str:
    return ", ".join(repr(name) for name in names) or "none"
