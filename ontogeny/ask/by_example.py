"""Which training examples made a parameter what it is: the fresh gradient of each step, example by example.

A step is replayed with each of its examples alone, and their gradients go through the same account of the update as
the batch's, with the same coefficients. Their shares are those of a mean over the batch, or of a sum, whichever leaves
less. What is left is said: examples that meet in batch norm, losses that weigh them unequally, random numbers that are
drawn by place in the batch, and rounding.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ontogeny.ask.account import Account, Split, at
from ontogeny.ask.carry import wide
from ontogeny.ask.demand import Places, Wanted
from ontogeny.ask.explain import native, span
from ontogeny.ask.ledger import Numbers, exact
from ontogeny.ask.members import Members, members
from ontogeny.ask.parts import EXAMPLE, GRADIENT, Parts, Source
from ontogeny.ask.update import update_of
from ontogeny.data.base import Array
from ontogeny.isa.errors import RecordError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Program
from ontogeny.isa.sizes import Size
from ontogeny.record.attach import Attached
from ontogeny.record.recorded import Recorded
from ontogeny.record.stepper import LEARN
from ontogeny.record.trace.traces import ALL, Window
from ontogeny.record.watching import Alone, Seen, watched

HELD = 1 << 22
"""How many numbers of examples' gradients are held at a time."""
MEETINGS = {
    Op.BATCH_NORM: "batch norm, in which examples meet",
    Op.UNIFORM: "random numbers, which an example alone draws as the first of a batch",
    Op.RAND_BITS: "random numbers, which an example alone draws as the first of a batch",
}


@dataclass(frozen=True, slots=True)
class Example:
    """An example by its number in the data: its part of the change, and how many of the steps learned from it."""

    number: int
    part: float
    times: int


@dataclass(frozen=True)
class ByExample:
    """The fresh gradient's part of a `change`, `gradient`, by example.

    The parts of all `examples`, in the order of their numbers, and the `remainder` sum to it exactly. `mean` says that
    an example weighs one over the batch. `reasons` are what in the program makes a remainder, `failed` the times that
    an example alone gave no finite gradient.
    """

    first: int
    last: int
    change: float
    gradient: float
    examples: tuple[Example, ...]
    remainder: float
    mean: bool
    reasons: tuple[str, ...]
    failed: int

    def most(self, count: int, *, against: bool = False) -> list[Example]:
        """The examples that pushed most in the direction of the change, or against it, the strongest first."""
        sign = (-1 if self.change < 0 else 1) * (-1 if against else 1)
        pushing = [one for one in self.examples if one.part * sign > 0]
        return sorted(pushing, key=lambda one: -abs(one.part))[:count]

    def as_json(self, count: int) -> dict[str, Any]:
        """The strongest examples each way, and the rest in sum."""
        pro, con = ([_plain(one) for one in self.most(count, against=against)] for against in (False, True))
        about = {
            "change": self.change,
            "gradient": self.gradient,
            "examples": len(self.examples),
            "remainder": self.remainder,
        }
        why = {"mean": self.mean, "reasons": list(self.reasons), "failed": self.failed}
        return {**about, **why, "for": pro, "against": con}


def _plain(one: Example) -> dict[str, Any]:
    return {"example": one.number, "part": one.part, "times": one.times}


def by_example(run: Recorded | Attached, names: str | Iterable[str], steps: str | Window = ALL) -> ByExample:
    """The parts of training examples in the change of the elements `names` over the steps to a window's states.

    It takes a call for each example of each step. Raises RecordError as `explain`, and for a program that works with
    batches of one size alone, or data that does not say which examples a step learned from.
    """
    return _asked(run, names, steps, apart=False)[0]


def by_example_apart(
    run: Recorded | Attached, names: str | Iterable[str], steps: str | Window = ALL
) -> dict[str, ByExample]:
    """The same for each of the elements by name, with the calls that all of them together take, and one weighing."""
    found = _asked(run, names, steps, apart=True)
    chosen = members(native(run).traces, names)
    return dict(zip((name for each in chosen for name in each.names), found, strict=True))


def _asked(run: Recorded | Attached, names: str | Iterable[str], steps: str | Window, apart: bool) -> list[ByExample]:
    run = native(run)
    first, last = span(run, steps)
    run = run.over(first - 1, last)
    chosen = members(run.traces, names)
    carriers = _carriers(run.program)
    groups, columns = _groups(run.program, chosen, apart)
    values = dict.fromkeys(value for group in groups for value in group.account.entering)
    found = _Found(np.zeros(columns))
    if values:
        alone = Alone(run, values)
        reasons = dict.fromkeys(MEETINGS[i.op] for i in alone.routine.body if i.op in MEETINGS)
        found.reasons = tuple(reasons)
        for seen in watched(run, values, [decl.name for decl in run.program.kept()], first, last):
            alone.load(seen.entry)
            _step(seen, groups, _Singles(alone, seen, carriers), _numbers(run, seen), found)
    return found.closed(first, last)


def _carriers(program: Program) -> frozenset[str]:
    """The inputs with a row for each example. Raises RecordError where the program is made for one size of batch."""
    found = frozenset(
        decl.name for decl in program.of("input") if decl.type.shape and isinstance(decl.type.shape[0], Size)
    )
    if not found:
        raise RecordError(
            f"program {program.name!r} is made for batches of one size, so an example cannot be taken alone; "
            "capture the model again, and its program follows the size of the batch"
        )
    return found


def _numbers(run: Recorded, seen: Seen) -> tuple[int, ...]:
    """Which examples a step learned from."""
    if seen.examples is None:
        raise RecordError(
            f"{type(run.data).__name__} does not say which examples a step learns from; give it a method indices(step)"
        )
    return seen.examples


@dataclass(frozen=True)
class _Group:
    """The account of some elements of one tensor; `columns` of the answer are theirs, or the first is that of all."""

    account: Account
    register: str
    places: Places
    columns: slice | None

    def add(self, parts: Numbers, total: Numbers) -> None:
        """Adds parts [places] to a total [columns]."""
        if self.columns is None:
            total[0] += parts.sum()
        else:
            total[self.columns] += parts

    def change(self, seen: Seen) -> Numbers:
        """How much each changed in a step."""
        before, after = (wide(state[self.register].reshape(-1)[self.places]) for state in (seen.before, seen.after))
        return after - before


def _groups(program: Program, chosen: Iterable[Members], apart: bool) -> tuple[list[_Group], int]:
    """The groups, and how many columns the answer has: one for all elements, or one for each if they stand `apart`."""
    groups, count = list[_Group](), 0
    for each in chosen:
        decl = program.decl(each.tensor.name)
        register, places = decl.arena or decl.name, each.places + decl.offset
        columns = slice(count, count + len(places)) if apart else None
        count += len(places)
        if update := update_of(program, program.routine(LEARN), register):
            groups.append(_Group(Account(program, update, places), register, places, columns))
    return groups, count if apart else 1


@dataclass(frozen=True)
class _Singles:
    """A step's values with one example at a time."""

    alone: Alone
    seen: Seen
    carriers: frozenset[str]

    def values(self, row: int) -> dict[str, Array]:
        """The values with the example in one row of the batch."""
        inputs: dict[str, Array] = {}
        dials: dict[str, float] = {}
        for name, value in self.seen.given.items():
            if not isinstance(value, np.ndarray):
                dials[name] = float(value)
            else:
                inputs[name] = value[row : row + 1] if name in self.carriers else value
        return self.alone.values(inputs, dials)


@dataclass
class _Found:
    """What is known so far, by example and by step. Two weights are tried for an example: one, and one over the batch.

    `parts` are [columns, its part by either weight] at each of its steps, `left` what either leaves of the step's
    `gradients` [columns]; `change` is [columns].
    """

    change: Numbers
    parts: dict[int, list[Numbers]] = field(default_factory=dict)
    gradients: list[Numbers] = field(default_factory=list)
    left: list[Numbers] = field(default_factory=list)
    reasons: tuple[str, ...] = ()
    failed: int = 0

    def closed(self, first: int, last: int) -> list[ByExample]:
        """Weighed, and with what is left, for each column."""
        whole, shared = (np.array(self.left).reshape(-1, 2) ** 2).sum(axis=0)
        mean = bool(shared <= whole)
        return [self._column(column, first, last, mean) for column in range(len(self.change))]

    def _column(self, column: int, first: int, last: int, mean: bool) -> ByExample:
        weighed = {n: math.fsum(each[column, int(mean)] for each in at) for n, at in sorted(self.parts.items())}
        total = math.fsum(gradient[column] for gradient in self.gradients)
        *kept, remainder = exact(np.array([[*weighed.values()]]), np.array([total]))[0].tolist()
        examples = tuple(Example(n, part, len(self.parts[n])) for n, part in zip(weighed, kept, strict=True))
        change = float(self.change[column])
        return ByExample(first, last, change, total, examples, remainder, mean, self.reasons, self.failed)


def _step(seen: Seen, groups: list[_Group], singles: _Singles, numbers: tuple[int, ...], found: _Found) -> None:
    """One step: its examples some at a time, as many as can be held."""
    wanted = {name: want for group in groups for name, want in group.account.entering.items()}
    size = sum(seen.values[n].size if w.places is None else len(w.places) for n, w in wanted.items())
    held, weights = max(1, HELD // max(1, size)), np.array([1.0, 1.0 / len(numbers)])
    gradient, total = np.zeros_like(found.change), np.zeros_like(found.change)
    for group in groups:
        group.add(group.change(seen), found.change)
    for start in range(0, len(numbers), held):
        rows = range(start, min(start + held, len(numbers)))
        values = [singles.values(row) for row in rows]
        raw, gradient = _raw(seen, groups, values, found)
        for row, part in zip(rows, raw, strict=True):
            found.parts.setdefault(numbers[row], []).append(part[:, None] * weights)
        total += raw.sum(axis=0)
    found.gradients.append(gradient)
    found.left.append(gradient[:, None] - total[:, None] * weights)


def _raw(seen: Seen, groups: list[_Group], values: list[dict[str, Array]], found: _Found) -> tuple[Numbers, Numbers]:
    """What each of some examples would give if its gradient counted whole [examples, columns], and the batch's."""
    raw, gradient = np.zeros((len(values), len(found.change))), np.zeros_like(found.change)
    for group in groups:
        splits = {name: _split(name, want, values, found) for name, want in group.account.entering.items()}
        _, parts = group.account(seen.entry, seen.given, seen.values, splits)
        for source, part in parts.items():
            if source.kind in (GRADIENT, EXAMPLE):
                group.add(part, gradient)
            if source.kind == EXAMPLE:
                group.add(part, raw[int(source.name)])
    return raw, gradient


def _split(name: str, want: Wanted, values: list[dict[str, Array]], found: _Found) -> Split:
    """A gradient by example; one that is not finite is left out."""
    parts: Parts = {}
    for place, each in enumerate(values):
        gradient = at(each[name], want)
        if np.isfinite(gradient).all():
            parts[Source(EXAMPLE, str(place))] = gradient
        else:
            found.failed += 1
    return Split(want, parts)
