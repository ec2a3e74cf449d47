"""A program's registers under the names that they have in the model it was captured from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ontogeny.isa.op import Op
from ontogeny.isa.program import Decl, Program
from ontogeny.machine.base import value_of
from ontogeny.machine.learner import Array

OURS = ("seed", "step")
CONSTANT = "constant."


def piece(program: Program, state: Mapping[str, Array], name: str) -> Array:
    """The array of a declared register in a machine's state, also where it lies in an arena."""
    return np.asarray(value_of(program.decl(name), state))


def plain_name(program: Program, name: str) -> str:
    """The name in the original model: without the `model.` that kept it apart from a register of the program."""
    short = name.removeprefix("model.")
    return short if any(decl.name == short for decl in program.decls) else name


def model_tensors(program: Program, state: Mapping[str, Array]) -> dict[str, Array]:
    """What `model.load_state_dict` takes: parameters and buffers by the model's own names, without a rule's state.

    A weight that was tied to another appears once, under the name that the capture kept.
    """
    kept = [*program.named_params(), *(decl for decl in program.of("state") if _is_buffer(program, decl))]
    return {plain_name(program, d.name): np.array(piece(program, state, d.name), order="C") for d in kept}


def _is_buffer(program: Program, decl: Decl) -> bool:
    """Whether a register belongs to the model: not to the update alone, and not one that every program has."""
    if decl.name in OURS or decl.name.startswith(CONSTANT):
        return False
    phases = {
        instr.note.phase
        for routine in program.routines
        for instr in routine.body
        if instr.op is Op.READ and instr.attr("name") == decl.name
    }
    return phases != {"update"}
