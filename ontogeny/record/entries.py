"""Entries that change a run, checked against it and not yet written: what a run appends, and what a preview asks about.

Each stands at the state `at`, by default the present one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.data.base import Array
from ontogeny.isa.errors import RecordError
from ontogeny.machine.base import outermost
from ontogeny.record.alterations import FOR_FLOATS, KINDS, NOISE, PRUNE, altered, chosen, slots
from ontogeny.record.creating import check_dial
from ontogeny.record.dials import LINEAR, course
from ontogeny.record.journal import Entry
from ontogeny.record.recorded import Recorded
from ontogeny.record.schedule import ALTER, CALL, DIAL, EDIT


def dial(run: Recorded, name: str, value: float, over: int = 0, shape: str = LINEAR, at: int | None = None) -> Entry:
    """A dial turned, at once, or over so many steps by a shape of `record/dials.py`."""
    at = run.step if at is None else at
    way = course(name, check_dial(run.program, name, value), run.dials(at)[name], at, over, shape)
    return Entry(DIAL, at, {"name": name, "value": way.value, **({"over": over, "shape": way.shape} if over else {})})


def call(run: Recorded, routine: str, at: int | None = None) -> Entry:
    """An outermost routine called."""
    outermost(run.program, routine)
    return Entry(CALL, run.step if at is None else at, {"routine": routine})


def edit(run: Recorded, register: str, places: Sequence[int], values: Sequence[float], at: int | None = None) -> Entry:
    """Elements of a register set, by their flat places."""
    if register not in run.history.hasher.names:
        raise RecordError(f"no register {register!r}; there are {', '.join(run.history.hasher.names)}")
    content = {"register": register, "places": list(map(int, places)), "values": [_plain(v) for v in values]}
    return Entry(EDIT, run.step if at is None else at, content)


def alteration(
    run: Recorded,
    tensors: str | Iterable[str],
    how: str,
    amount: float | None = None,
    seed: int = 0,
    and_state: bool = False,
    at: int | None = None,
) -> Entry:
    """Parameters, by names and patterns, altered by one of the KINDS of `record/alterations.py`."""
    named = [tensors] if isinstance(tensors, str) else list(tensors)
    if how not in KINDS:
        raise RecordError(f"there is no alteration {how!r}; there are {', '.join(KINDS)}")
    decls = chosen(run.program, named)
    if not decls:
        raise RecordError("no parameter was named; name one, or a pattern such as *.weight")
    if odd := [decl for decl in decls if how in FOR_FLOATS and not decl.type.dtype.is_float]:
        raise RecordError(f"{odd[0].name!r} is {odd[0].type}, and {how} is for floating point; reset or zero it")
    if and_state and (bare := [decl.name for decl in decls if not slots(run.program, decl)]):
        raise RecordError(f"the update of {bare[0]!r} keeps no state of its shape that could be zeroed with it")
    content: dict[str, Any] = {"tensors": named, "how": how, **amount_of(how, amount)}
    content |= {"seed": _seed(seed)} if how == NOISE else {}
    return Entry(ALTER, run.step if at is None else at, {**content, **({"and_state": True} if and_state else {})})


def check_finite(before: Mapping[str, Array], run: Recorded, entry: Entry) -> None:
    """Raises RecordError where an alteration would make numbers that are not finite of such that are."""
    for name, array in altered(before, entry, run.ground).items():
        if (nonfinite(array) & ~nonfinite(before[name])).any():
            raise RecordError(f"{entry['how']} would make {name!r} non-finite; choose a smaller amount, or reset it")


def nonfinite(array: Array) -> npt.NDArray[np.bool_]:
    """Which elements are not finite."""
    return ~np.isfinite(array.astype(np.float64))


def amount_of(how: str, amount: float | None) -> dict[str, float]:
    """The amount of an alteration as an entry keeps it. Raises RecordError for one that it cannot have, or lacks."""
    if how not in FOR_FLOATS:
        if amount is not None:
            raise RecordError(f"{how} takes no amount; leave it out")
        return {}
    if amount is None or isinstance(amount, bool) or not math.isfinite(amount):
        raise RecordError(f"{how} needs an amount, a finite number; not {amount!r}")
    if how == PRUNE and not 0 <= amount <= 1:
        raise RecordError(f"prune takes a share from 0 to 1; not {amount:g}")
    return {"amount": float(amount)}


def _seed(seed: int) -> int:
    if not -(1 << 63) <= seed < 1 << 63:
        raise RecordError(f"the seed {seed} does not fit in 64 bits; choose a smaller one")
    return int(seed)


def _plain(value: Any) -> int | float:
    return int(value) if isinstance(value, int | np.integer) else float(value)
