"""Entries about examples, checked against a run and not yet written, as `record/entries.py` makes the others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sized

from ontogeny.data.base import Array
from ontogeny.data.pool import by_number
from ontogeny.data.without import Ranges, numbered, parsed, ranges, written
from ontogeny.isa import attrs
from ontogeny.isa.errors import DataError, RecordError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Program
from ontogeny.isa.sizes import Size
from ontogeny.isa.tables import declarations
from ontogeny.record.added import described
from ontogeny.record.composition import LEARN_ALSO, MIX, STOP_ALSO, TAKE_BACK, WITHOUT, Composition
from ontogeny.record.journal import Entry
from ontogeny.record.recorded import Recorded
from ontogeny.record.stepper import LEARN

Asked = str | Iterable[int]
UNKNOWN = 1 << 62
"""The count of examples of data that does not tell it."""


def leave_out(run: Recorded, examples: Asked, at: int | None = None) -> Entry:
    """Examples left out of every batch."""
    check_varies(run.program, "no example can be left out of a batch")
    at, found = _some(run, examples, at)
    return Entry(WITHOUT, at, {"examples": found})


def take_back(run: Recorded, examples: Asked, at: int | None = None) -> Entry:
    """Examples learned from again that were left out."""
    at, found = _some(run, examples, at)
    gone = run._schedule.composition(at).left_out
    if there := [number for run_ in found for number in range(*run_) if number not in gone]:
        among = written(ranges(gone)) or "none"
        raise DataError(
            f"example {there[0]} is not left out at step {at}, so it cannot be taken back; there is {among}"
        )
    return Entry(TAKE_BACK, at, {"examples": found})


def learn_also(run: Recorded, examples: Asked, rows: int = 1, at: int | None = None) -> Entry:
    """Examples that there are, learned also."""
    check_varies(run.program, "no rows can be put behind a batch")
    at, found = _drawn(run, examples, at)
    return Entry(LEARN_ALSO, at, {"examples": found, "rows": _rows(rows)})


def added(run: Recorded, arrays: Mapping[str, Array], rows: int = 1, at: int | None = None) -> Entry:
    """New examples, learned also; their arrays are not kept yet."""
    check_varies(run.program, "no rows can be put behind a batch")
    at = run.step if at is None else at
    numbered(run.data)
    if not isinstance(run.data, Sized):
        raise DataError(f"a {type(run.data).__name__} does not say how many examples it has; give it a method __len__")
    first, count = known(run, at), _count(run.data.batch(0), arrays)
    return Entry(LEARN_ALSO, at, {"examples": ((first, first + count),), "rows": _rows(rows), **described(arrays)})


def stop_also(run: Recorded, examples: Asked | None = None, at: int | None = None) -> Entry:
    """What was learned also no longer is."""
    at = run.step if at is None else at
    groups = [one.examples for one in run._schedule.composition(at).also]
    found = None if examples is None else _some(run, examples, at)[1]
    if not groups or (found is not None and found not in groups):
        there = "; ".join(map(written, groups)) or "none"
        asked = "nothing" if found is None else written(found)
        raise DataError(f"{asked} is learned also at step {at} that could be stopped; there are {there}")
    return Entry(STOP_ALSO, at, {} if found is None else {"examples": found})


def mix(run: Recorded, examples: Asked, share: float, at: int | None = None) -> Entry:
    """A share of every batch's own rows drawn from a group; a share of 0 ends that, and draws nothing more from it."""
    at, found = _drawn(run, examples, at) if share else _some(run, examples, at)
    if isinstance(share, bool) or not math.isfinite(share) or not 0 <= share <= 1:
        raise DataError(f"a share is a number from 0 to 1; not {share!r}")
    others = [one for one in run._schedule.composition(at).mixed if one.examples != found]
    taken, rows = sum(one.share for one in others), len(numbered(run.data).indices(0))
    if share and round((taken + share) * rows) == round(taken * rows):
        raise DataError(f"a share of {share:g} of a batch of {rows} rows is none of them; choose {1 / rows:g} or more")
    if taken + share > 1 + 1e-9:
        raise DataError(f"{taken:g} of every batch is mixed already, so {share:g} more do not fit; end another first")
    if not share and len(others) == len(run._schedule.composition(at).mixed):
        raise DataError(f"{written(found)} is not mixed in at step {at}, so it cannot be ended")
    return Entry(MIX, at, {"examples": found, "share": float(share)})


def known(run: Recorded, at: int | None = None) -> int:
    """How many examples have a number at a step: those of the data, and those that were added until then."""
    own = len(run.data) if isinstance(run.data, Sized) else UNKNOWN
    return run._schedule.composition(run.step if at is None else at).count(own)


def numbers(run: Recorded, examples: Asked, at: int | None = None) -> Ranges:
    """Examples by number or in words, as runs. DataError for those that there are not, or where none has a number."""
    numbered(run.data)
    count = known(run, at)
    found = parsed(examples, count) if isinstance(examples, str) else frozenset(map(int, examples))
    if wrong := [number for number in found if not 0 <= number < count]:
        raise DataError(f"there is no example {wrong[0]}; the data has the numbers 0 to {count - 1}")
    return ranges(found)


def check_varies(program: Program, so: str) -> None:
    """Raises RecordError where the program is made for batches of one size, and says what cannot be done for that."""
    read = (attrs.text(instr, "name") for instr in program.routine(LEARN).body if instr.op is Op.READ)
    for name in read:
        decl = declarations(program)[name]
        if decl.kind == "input" and not (decl.type.shape and isinstance(decl.type.shape[0], Size)):
            raise RecordError(
                f"program {program.name!r} takes {name!r} as {decl.type} alone, so {so}; declare its first dimension "
                "as a size (size batch = 8), as captured programs have it"
            )


def _some(run: Recorded, examples: Asked, at: int | None) -> tuple[int, Ranges]:
    """Where an entry stands, and the examples that it names, at least one."""
    at = run.step if at is None else at
    if not (found := numbers(run, examples, at)):
        raise DataError("no example was named; give numbers, such as 3,17,40:60")
    return at, found


def _drawn(run: Recorded, examples: Asked, at: int | None) -> tuple[int, Ranges]:
    """The same for examples to be drawn from: they can be had by number, and none is left out."""
    at, found = _some(run, examples, at)
    composition: Composition = run._schedule.composition(at)
    if isinstance(run.data, Sized) and found[0][0] < len(run.data):
        by_number(run.data)
    if gone := sorted(composition.left_out.intersection(number for run_ in found for number in range(*run_))):
        raise DataError(f"example {gone[0]} is left out at step {at}, so it would be in no batch; take it back first")
    return at, found


def _rows(rows: int) -> int:
    if isinstance(rows, bool) or not isinstance(rows, int) or rows < 1:
        raise DataError(f"rows={rows!r}: so many rows behind every batch; give a whole number from 1")
    return rows


def _count(batch: Mapping[str, Array], arrays: Mapping[str, Array]) -> int:
    """How many examples arrays hold, which are like a batch's."""
    if arrays.keys() != batch.keys():
        raise DataError(f"added examples need the arrays {', '.join(batch)}; given were {', '.join(arrays) or 'none'}")
    for name, array in arrays.items():
        if (array.dtype, array.shape[1:]) != (batch[name].dtype, batch[name].shape[1:]) or not array.ndim:
            wanted = f"{batch[name].dtype}[examples, {', '.join(map(str, batch[name].shape[1:]))}]"
            raise DataError(f"{name!r} is {array.dtype}{list(array.shape)}; {wanted} is what a batch has")
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) != 1 or not min(lengths.values()):
        raise DataError(f"every array needs one entry per example, of at least one; the lengths are {lengths}")
    return next(iter(lengths.values()))
