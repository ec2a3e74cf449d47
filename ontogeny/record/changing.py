"""A fork that goes by another program: what is carried over into its first state, and what is kept of the rest.

The first state is a function of the parent's state at the step, of both programs, and of the values that were given for
new registers, so it can be made again. What stands in the parent's journal at that step happens before the change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError

from ontogeny.data.base import Array, Data, content_hash
from ontogeny.data.store import bf16_names, load_tensors, save_tensors
from ontogeny.isa.errors import RecordError
from ontogeny.isa.program import Decl, Program
from ontogeny.isa.tables import declarations
from ontogeny.isa.verify import verify
from ontogeny.machine.base import checked, checked_inputs, checked_state, value_of
from ontogeny.machine.formats import NUMPY
from ontogeny.record.creating import EVALUATE, SEED, Plan, check_inputs, first_dials
from ontogeny.record.disk import disk, sync_file
from ontogeny.record.hashing import StateHasher
from ontogeny.record.journal import Entry
from ontogeny.record.keyframes import Keyframes
from ontogeny.record.program import write_program
from ontogeny.record.spacing import Budget

VALUES = "values.safetensors"
KEPT = ("param", "state")


@dataclass(frozen=True, slots=True)
class Change:
    """Another program, the dials that it begins with, `fresh` values of new registers, and its first state."""

    program: Program
    dials: Mapping[str, float]
    fresh: Mapping[str, Array]
    state: Mapping[str, Array]

    def write(self, folder: Path, step: int) -> dict[str, Any]:
        """Writes all of it durably, the state as a held keyframe; what the fork's first entry says of it."""
        keyframes = Keyframes(folder, self.program)
        keyframes.drop_after(-1)
        hash_row = StateHasher(self.program).row(self.state)
        keyframes.write(step, self.state, hash_row, sync=True)
        keyframes.hold(step)
        return {
            "hash": hash_row.hex(),
            "program": write_program(folder, self.program),
            "dials": dict(self.dials),
            "values": _keep(folder, self.fresh),
        }


def changed(
    old: Program,
    state: Mapping[str, Array],
    program: Program,
    dials: Mapping[str, float],
    values: Mapping[str, Array],
    seed: int,
) -> Change:
    """The change to `program` at a state of a run by `old`; `dials` are those that do not have the program's default.

    Raises an OntogenyError for a value of what it does not keep, a dial without a value, and a parameter that is of
    another type without one.
    """
    fresh = _fresh(old, program, values, seed)
    return Change(program, first_dials(program, dials), fresh, carried(old, state, program, fresh))


def carried(old: Program, state: Mapping[str, Array], program: Program, fresh: Mapping[str, Array]) -> dict[str, Array]:
    """The first state by `program`: registers of the same name and type, also pieces of arenas, are as they were.

    Others begin at `fresh`, or else at zero.
    """
    found: dict[str, Array] = {}
    before = _pieces(old)
    for name, pieces in _pieces(program).items():
        decl = declarations(program)[name]
        if name in state and declarations(old)[name].type == decl.type and before[name] == pieces:
            found[name] = state[name].copy(order="C")
            continue
        found[name] = np.array(fresh[name]) if name in fresh else np.zeros(decl.type.shape, NUMPY[decl.type.dtype])
        for leaf in pieces or (decl,):
            if _is_carried(old, leaf):
                value_of(leaf, found)[...] = value_of(declarations(old)[leaf.name], state)
    return checked_state(program, found)


def check_batches(program: Program, data: Data, valid: Mapping[str, Array] | None, start: Entry) -> None:
    """Raises for a program that means nothing, and where the data's batches do not fit its `learn` or `evaluate`."""
    verify(program)
    every = start["evaluate_every"]
    if every and not program.has(EVALUATE):
        raise RecordError(
            f"the run evaluates every {every} steps, and the program has no routine {EVALUATE!r}; keep it"
        )
    check_inputs(program, data, Plan(dict(valid or {}), budget=Budget.of(start.content), evaluate_every=every))
    if valid is not None and program.has(EVALUATE):
        checked_inputs(program, program.routine(EVALUATE), valid)


def read_values(folder: Path, kept: Mapping[str, Any] | None) -> dict[str, Array]:
    """The values of new registers that a fork's folder keeps. RecordError where they are lost or damaged."""
    if kept is None:
        return {}
    try:
        found = load_tensors(folder / VALUES, kept["bf16"])
    except (OSError, SafetensorError) as error:
        raise RecordError(f"the values of new registers, {folder / VALUES}, cannot be read ({error})") from error
    if content_hash(found) != kept["fingerprint"]:
        raise RecordError(f"{folder / VALUES} has been changed since the fork was made; put it back")
    return found


def _fresh(old: Program, program: Program, values: Mapping[str, Array], seed: int) -> dict[str, Array]:
    """Registers that are not carried over whole, as far as they begin at other values than zero."""
    given = {SEED: np.array(seed, np.int64), **values}
    kept = [decl.name for decl in program.decls if decl.kind in KEPT]
    if unknown := [name for name in values if name not in kept]:
        raise RecordError(f"the program keeps no {unknown[0]!r}; it keeps {', '.join(kept)}")
    found: dict[str, Array] = {}
    for name, pieces in _pieces(program).items():
        decl = declarations(program)[name]
        new = [leaf for leaf in pieces or (decl,) if not _is_carried(old, leaf)]
        begun = {name: _given(decl, given) if name in given else np.zeros(decl.type.shape, NUMPY[decl.type.dtype])}
        for leaf in new:
            if leaf.arena and leaf.name in given:
                value_of(leaf, begun)[...] = _given(leaf, given)
            elif name not in given:
                _check_new(old, leaf)
        if new and begun[name].any():
            found[name] = begun[name]
    return found


def _given(decl: Decl, given: Mapping[str, Array]) -> Array:
    return checked(f"the value of {decl.name!r}", given[decl.name], decl.type).copy(order="C")


def _check_new(old: Program, leaf: Decl) -> None:
    """Raises RecordError for a parameter that would silently begin at zero since its type is another one."""
    was = declarations(old).get(leaf.name)
    if leaf.kind == "param" and was is not None:
        raise RecordError(
            f"parameter {leaf.name!r} was {was.type} and is {leaf.type} in the new program, so its values cannot be "
            f"carried over; give them: values={{{leaf.name!r}: ...}}"
        )


def _pieces(program: Program) -> dict[str, tuple[Decl, ...]]:
    """The registers that are kept, and the pieces of each."""
    found = {decl.name: list[Decl]() for decl in program.kept()}
    for decl in program.decls:
        if decl.kind in KEPT and decl.arena:
            found[decl.arena].append(decl)
    return {name: tuple(pieces) for name, pieces in found.items()}


def _is_carried(old: Program, leaf: Decl) -> bool:
    was = declarations(old).get(leaf.name)
    return was is not None and was.kind in KEPT and was.type == leaf.type


def _keep(folder: Path, fresh: Mapping[str, Array]) -> dict[str, Any] | None:
    if not fresh:
        return None
    with disk("saving values in", folder / VALUES):
        save_tensors(fresh, folder / VALUES)
        sync_file(folder / VALUES)
    return {"fingerprint": content_hash(fresh), "bf16": bf16_names(fresh)}
