"""The first files of a run: program, data, the state at step 0, and last the journal's first line."""

from __future__ import annotations

import math
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ontogeny.data.arrays import Arrays
from ontogeny.data.base import Array, Data, content_hash
from ontogeny.data.canaries import Planted
from ontogeny.data.store import save, save_tensors
from ontogeny.isa.errors import DataError, RecordError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Program
from ontogeny.isa.rules import routine_results
from ontogeny.machine.base import Machine, checked_inputs, checked_state
from ontogeny.machine.learner import Learner
from ontogeny.record import journal as journals
from ontogeny.record.disk import disk
from ontogeny.record.environment import environment
from ontogeny.record.hashing import StateHasher
from ontogeny.record.journal import Journal, stamped
from ontogeny.record.keyframes import FOLDER as KEYFRAMES
from ontogeny.record.keyframes import Keyframes
from ontogeny.record.lineage import START
from ontogeny.record.lock import NAME as LOCK
from ontogeny.record.lock import Lock
from ontogeny.record.program import PROGRAM, write_program
from ontogeny.record.spacing import Budget
from ontogeny.record.stepper import LEARN

EVALUATE = "evaluate"
SEED = "seed"
DATA = "data"
VALID = "valid.safetensors"
MOST_SAVED = 256 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is created from, beside learner and data."""

    valid: dict[str, Array] | None = None
    seed: int = 0
    dials: Mapping[str, float] = field(default_factory=dict)
    machine: str = "compiled"
    options: Mapping[str, Any] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    evaluate_every: int = 0
    author: str = "you"


def write_run(folder: Path, learner: Learner, data: Data, plan: Plan, machine: Machine) -> None:
    """Checks everything, then writes the folder. Killed midway it leaves a folder that `create` may take again."""
    program = learner.program
    state = first_state(learner, plan.seed)
    check_inputs(program, data, plan)
    dials = first_dials(program, plan.dials)
    _claim(folder)
    lock = Lock(folder)
    try:
        hash_row = StateHasher(program).row(state)
        Keyframes(folder, program).write(0, state, hash_row, sync=True)
        content = {
            "id": uuid.uuid4().hex,
            "program": write_program(folder, program),
            "hash": hash_row.hex(),
            "data": _keep_data(folder, data),
            "valid": _keep_valid(folder, plan.valid),
            "seed": plan.seed,
            "dials": dials,
            "machine": plan.machine,
            "options": dict(plan.options),
            "keyframes": plan.budget.as_content(),
            "evaluate_every": plan.evaluate_every,
            "environment": environment(machine),
        }
        journal = Journal(folder)
        journal.open_for_writing()
        journal.append(stamped(START, 0, plan.author, **content))
        journal.close()
    finally:
        lock.release()


def first_state(learner: Learner, seed: int) -> dict[str, Array]:
    """The learner's initial values, checked, with the register `seed`, where it has one, set."""
    values = dict(learner.values)
    if any(decl.name == SEED for decl in learner.program.of("state")):
        if not -(1 << 63) <= seed < 1 << 63:
            raise RecordError(f"the seed {seed} does not fit in 64 bits; choose a smaller one")
        values[SEED] = np.array(seed, np.int64)
    return checked_state(learner.program, values)


def first_dials(program: Program, given: Mapping[str, float]) -> dict[str, float]:
    """Every dial of a program: its default, or the value given. RecordError for unknown, unset and non-finite ones."""
    dials = {decl.name: decl.default for decl in program.of("dial")}
    known = {**dials, **{name: check_dial(program, name, value) for name, value in given.items()}}
    if unset := [name for name, value in known.items() if value is None]:
        raise RecordError(f"the program gives no default for {', '.join(unset)}; pass dials={{{unset[0]!r}: ...}}")
    return {name: value for name, value in known.items() if value is not None}


def check_dial(program: Program, name: str, value: float) -> float:
    """The value as a float. RecordError for an unknown dial, or a value that is not a finite number."""
    names = [decl.name for decl in program.of("dial")]
    if name not in names:
        raise RecordError(f"there is no dial {name!r}; the program has {', '.join(names) or 'none'}")
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not math.isfinite(value):
        raise RecordError(f"dial {name!r} cannot be {value!r}; give a finite number")
    return float(value)


def check_inputs(program: Program, data: Data, plan: Plan) -> None:
    """Raises where batches do not fit `learn`, or validation data does not fit `evaluate`."""
    if not isinstance(data, Data):
        raise DataError(f"a {type(data).__name__} is not data; wrap arrays in Arrays({{...}}, batch_size=...)")
    if not program.has(LEARN):
        raise RecordError(f"the program has no routine {LEARN!r}; there are {[r.name for r in program.routines]}")
    plan.budget.check()
    if plan.evaluate_every < 0:
        raise RecordError(f"evaluate_every must be at least 0 (never); not {plan.evaluate_every}")
    checked_inputs(program, program.routine(LEARN), data.batch(0))
    if plan.evaluate_every:
        if not program.has(EVALUATE):
            raise RecordError(f"the program has no routine {EVALUATE!r}, so evaluate_every must be 0")
        if any(instr.op is Op.COMMIT for instr in program.routine(EVALUATE).body):
            raise RecordError(f"routine {EVALUATE!r} commits; evaluating must leave the state as it was")
        checked_inputs(program, program.routine(EVALUATE), plan.valid or {})


def metric_names(program: Program) -> tuple[str, ...]:
    """The scalar results of `learn`, in order."""
    routine = program.routine(LEARN)
    types = routine_results(program, routine)
    return tuple(name for (name, _), type_ in zip(routine.returns, types, strict=True) if not type_.shape)


def valid_inputs(valid: Arrays | Mapping[str, Array] | None) -> dict[str, Array] | None:
    """Validation arrays under the names of `evaluate`'s inputs: `x` and `valid.x` both become `valid.x`."""
    if valid is None:
        return None
    arrays = valid.arrays if isinstance(valid, Arrays) else valid
    return {name if name.startswith("valid.") else f"valid.{name}": np.asarray(a) for name, a in arrays.items()}


def _claim(folder: Path) -> None:
    with disk("making", folder):
        folder.mkdir(parents=True, exist_ok=True)
        present = set(os.listdir(folder))
    journal = Journal(folder)
    if journal.ends or journal.damaged:
        raise RecordError(f"{folder} already holds a run; open it, or choose another folder")
    ours = {LOCK, PROGRAM, DATA, KEYFRAMES, journals.NAME}
    if strange := sorted(name for name in present - ours if not name.endswith(".tmp")):
        raise RecordError(f"{folder} is not empty ({strange[0]}); choose a new folder for the run")


def _keep_data(folder: Path, data: Data) -> dict[str, Any]:
    saved = isinstance(data, Arrays) and data.nbytes <= MOST_SAVED
    if isinstance(data, Arrays) and saved:
        with disk("saving the data in", folder / DATA):
            save(data, folder / DATA)
    canaries = {"canaries": data.canaries.as_content()} if isinstance(data, Planted) else {}
    return {"fingerprint": data.fingerprint, "saved": saved, **canaries}


def _keep_valid(folder: Path, valid: dict[str, Array] | None) -> dict[str, Any] | None:
    if valid is None:
        return None
    saved = sum(array.nbytes for array in valid.values()) <= MOST_SAVED
    if saved:
        with disk("saving the validation data in", folder / DATA):
            (folder / DATA).mkdir(exist_ok=True)
            save_tensors(valid, folder / DATA / VALID)
    bf16 = [name for name, array in valid.items() if array.dtype.name == "bfloat16"]
    return {"fingerprint": content_hash(valid), "saved": saved, "bf16": bf16}
