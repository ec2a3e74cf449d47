"""Alterations of tensors that are stated, not listed: scale, reset, zero, noise, prune.

What comes of one is a pure function of the state, the entry and the run's beginning. It is computed in f64, with sums
in an order of their own, and rounded once to the tensor's format, to nearest even, f16 and bf16 by way of f32: the same
bits wherever it is replayed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
import numpy.typing as npt
import xxhash

from ontogeny.data.base import Array
from ontogeny.isa import attrs
from ontogeny.isa.errors import RecordError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Decl, Program
from ontogeny.machine.formats import converted
from ontogeny.machine.normals import normals
from ontogeny.record.ground import Ground
from ontogeny.record.journal import Entry

Floats = npt.NDArray[np.float64]
LEARN = "learn"
SCALE, RESET, ZERO, NOISE, PRUNE = "scale", "reset", "zero", "noise", "prune"


@dataclass(frozen=True, slots=True)
class Asked:
    """An alteration of one tensor: how much, and what random numbers are keyed by."""

    decl: Decl
    amount: float
    seed: int
    step: int
    ground: Ground


Alteration = Callable[[Array, Asked], Array]


def scaled(values: Array, asked: Asked) -> Array:
    """Times the amount."""
    return wide(values) * asked.amount


def first(values: Array, asked: Asked) -> Array:
    """The values that the root began with."""
    return asked.ground.first(asked.decl).reshape(-1)


def zeros(values: Array, asked: Asked) -> Array:
    """Zero."""
    return np.zeros_like(values)


def noisy(values: Array, asked: Asked) -> Array:
    """Amount times the standard deviation times normal numbers on top, keyed by seed, step and the tensor's name."""
    numbers, site = wide(values), xxhash.xxh32_intdigest(asked.decl.name.encode())
    return numbers + asked.amount * deviation(numbers) * normals(asked.seed, asked.step, site, len(values))


def pruned(values: Array, asked: Asked) -> Array:
    """The share of the smallest magnitudes (its count rounded to nearest, half to even) to zero, ties by place."""
    count = round(asked.amount * len(values))
    return np.where(_smallest(np.abs(wide(values)), count), 0.0, wide(values))


KINDS: dict[str, Alteration] = {SCALE: scaled, RESET: first, ZERO: zeros, NOISE: noisy, PRUNE: pruned}
FOR_FLOATS = (SCALE, NOISE, PRUNE)


def altered(state: Mapping[str, Array], entry: Entry, ground: Ground) -> dict[str, Array]:
    """The registers that an entry alters, by name, as they then are; those of `state` stay as they were."""
    found: dict[str, Array] = {}
    kind = KINDS[entry["how"]]
    for decl in chosen(ground.program, entry["tensors"]):
        asked = Asked(decl, entry.content.get("amount", 0.0), entry.content.get("seed", 0), entry.at, ground)
        place = _place(found, state, decl.arena or decl.name, decl)
        with np.errstate(all="ignore"):
            place[:] = converted(kind(place, asked), decl.type.dtype)
        for name in slots(ground.program, decl) if entry.content.get("and_state") else ():
            _place(found, state, name, decl)[:] = 0
    return found


def _place(found: dict[str, Array], state: Mapping[str, Array], register: str, decl: Decl) -> Array:
    """The elements of a tensor in a register of its own shape or its arena's, flat, to be written to."""
    if register not in found:
        found[register] = state[register].copy(order="C")
    return found[register].reshape(-1)[decl.offset : decl.offset + decl.type.size]


def chosen(program: Program, tensors: Iterable[str]) -> list[Decl]:
    """The parameters that names and patterns (`*.weight`) mean, each once, in the model's order. Else RecordError."""
    decls = list(program.named_params())
    names = {decl.name for decl in decls}
    wanted: set[str] = set()
    for text in tensors:
        matching = {text} & names or {name for name in names if fnmatchcase(name, text)}
        if not matching:
            raise RecordError(f"no parameter is called {text!r}; there are {', '.join(decl.name for decl in decls)}")
        wanted |= matching
    return [decl for decl in decls if decl.name in wanted]


def slots(program: Program, decl: Decl) -> list[str]:
    """The states of a tensor's update: read on the way to its commit, with a place for each of its elements."""
    register = program.decl(decl.arena or decl.name)
    states = {one.name for one in program.kept() if one.kind == "state" and one.type.shape == register.type.shape}
    body = program.routine(LEARN).body
    makers = {out: instr for instr in body for out in instr.out if instr.note.phase not in ("forward", "backward")}
    waiting = [i.args[0] for i in body if i.op is Op.COMMIT and attrs.text(i, "name") == register.name]
    seen, found = set(waiting), dict[str, None]()
    while waiting:
        maker = makers.get(waiting.pop())
        if maker is not None and maker.op is Op.READ and attrs.text(maker, "name") in states:
            found[attrs.text(maker, "name")] = None
        new = [arg for arg in maker.args if arg not in seen] if maker is not None else []
        seen.update(new)
        waiting += new
    return sorted(found)


def deviation(values: Floats) -> float:
    """The standard deviation (of all, not of a sample): the root of the mean square distance from the mean."""
    if not len(values):
        return 0.0
    off = values - total(values) / len(values)
    return float(np.sqrt(total(off * off) / len(values)))


def total(values: Floats) -> float:
    """The sum, by adding the second half to the first until one number is left."""
    while len(values) > 1:
        half = (len(values) + 1) // 2
        folded = values[:half].copy()
        folded[: len(values) - half] += values[half:]
        values = folded
    return float(values[0]) if len(values) else 0.0


def wide(values: Array) -> Floats:
    """As f64, which holds every floating-point format exactly."""
    return values.astype(np.float64)


def _smallest(values: Floats, count: int) -> npt.NDArray[np.bool_]:
    """Which are the `count` smallest, the earlier of equal ones first."""
    found = np.zeros(len(values), np.bool_)
    found[np.argsort(values, kind="stable")[:count]] = True
    return found
