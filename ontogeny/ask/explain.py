"""Which term of the rule made a parameter what it is: its ledger, step by step and over a window.

Each step is replayed on the run's own kind of machine; the update is then worked out in f64 on the very registers,
gradients and dials of the step, its parts told apart by where they come from. They are read off the program, whatever
rule it holds. What the update's own number format rounded is a line of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from ontogeny.ask.account import Account
from ontogeny.ask.carry import wide
from ontogeny.ask.common import common
from ontogeny.ask.explain_recorded import explain_recorded
from ontogeny.ask.explanation import KEPT_APART, Explanation, Member
from ontogeny.ask.ledger import ALTERED, CALLED, EDIT, Ledger, Line, Numbers, closed, exact
from ontogeny.ask.members import Members, members
from ontogeny.ask.parts import GRADIENT, SELF, Source
from ontogeny.ask.update import Update, update_of
from ontogeny.data.base import Array
from ontogeny.isa.errors import RecordError
from ontogeny.isa.program import Decl, Program
from ontogeny.record.attach import Attached
from ontogeny.record.journal import Entry
from ontogeny.record.recorded import Recorded
from ontogeny.record.schedule import ALTER, CALL
from ontogeny.record.schedule import EDIT as EDITED
from ontogeny.record.stepper import LEARN
from ontogeny.record.trace.traces import ALL, Window
from ontogeny.record.watching import Seen, watched

LINES: dict[str, Callable[[Entry], Line]] = {
    CALL: lambda event: Line(CALLED, event["routine"]),
    EDITED: lambda event: Line(EDIT),
    ALTER: lambda event: Line(ALTERED, event["how"]),
}
"""The line of a ledger in which an event before a step has its part."""


def explain(run: Recorded | Attached, names: str | Iterable[str], steps: str | Window = ALL) -> Explanation:
    """The ledger of the elements `names` over the steps that led to the states of a window.

    `names` are elements, rows, tensors, or patterns of tensors. The parts of each step, and of the sum, add up to the
    change exactly. Of a recorded loop, which has no program, decay alone is told apart, where its record tells it.
    Raises RecordError for names and windows that there are not.
    """
    if isinstance(run, Attached):
        return explain_recorded(run, names, steps)
    asked = (names,) if isinstance(names, str) else tuple(names)
    first, last = span(run, steps)
    run = run.over(first - 1, last)
    chosen = members(run.traces, asked)
    tallies = [Tally(run.program, each) for each in chosen]
    values = dict.fromkeys(value for tally in tallies for value in tally.values)
    registers = dict.fromkeys(name for tally in tallies for name in tally.registers)
    apart = sum(len(each.places) for each in chosen) <= KEPT_APART
    for seen in watched(run, values, registers, first, last):
        for tally in tallies:
            tally.add(seen, apart)
    return _explained(run.program, asked, tallies, (first, last), apart)


def native(run: Recorded | Attached) -> Recorded:
    """The run. Raises RecordError for one that holds values alone, the record of a loop that is not ours."""
    if isinstance(run, Attached):
        raise RecordError(
            "this run is the record of a loop that is not ours: there is no program to replay, so which example moved "
            "a parameter is not known; og.capture makes a run that can be asked"
        )
    return run


def span(run: Recorded, steps: str | Window) -> tuple[int, int]:
    """The first and last state whose steps a window holds. Raises RecordError for a window outside of the run.

    One without a beginning begins with the program that the last step went by.
    """
    window = Window.parse(steps) if isinstance(steps, str) else steps
    if not run.step:
        raise RecordError(f"{run.folder.name} has taken no step yet, so nothing has changed; let it go on first")
    first = max(1, run.over(run.step - 1, run.step).history.first + 1 if window.start is None else window.start)
    last = run.step if window.stop is None else window.stop - 1
    if last > run.step or first > run.step:
        raise RecordError(f"the window {window} goes beyond the run, which has the states 0 to {run.step}")
    if first > last:
        raise RecordError(f"the window {window} holds no step; state s is what step s led to, and 0 the beginning")
    return first, last


class Tally:
    """The account of some elements of one tensor, step after step."""

    def __init__(self, program: Program, chosen: Members) -> None:
        decl: Decl = program.decl(chosen.tensor.name)
        self.members = chosen
        self.register = decl.arena or decl.name
        self.places = chosen.places + decl.offset
        update: Update | None = update_of(program, program.routine(LEARN), self.register)
        self.account = Account(program, update, self.places) if update else None
        self.values = update.gradients if update else ()
        self.registers = tuple(dict.fromkeys([self.register, *(self.account.registers if self.account else ())]))
        self.rows: list[tuple[int, dict[Line, float], float]] = []
        self.sums: dict[Line, Numbers] = {}
        self.gradients: dict[str, None] = {}
        self.before = np.zeros(0)
        self.after = np.zeros(0)

    def add(self, seen: Seen, apart: bool) -> None:
        """One step."""
        parts = self._parts(seen)
        before, self.after = self._own(seen.before), self._own(seen.after)
        if not self.rows:
            self.before = before
        row = {line: float(np.sum(part)) for line, part in parts.items()}
        self.rows.append((seen.step, row, float(np.sum(self.after - before))))
        for line, part in parts.items() if apart else ():
            self.sums[line] = self.sums[line] + part if line in self.sums else part

    def _parts(self, seen: Seen) -> dict[Line, Numbers]:
        """The parts of one step, each [elements]."""
        parts: dict[Line, Numbers] = {}
        last = self._own(seen.before)
        for event, registers in seen.events:
            own = self._own(registers)
            line = LINES[event.kind](event)
            parts[line] = parts.get(line, 0.0) + (own - last)
            last = own
        if self.account is not None:
            _, found = self.account(seen.entry, seen.given, seen.values)
            for source, part in found.items():
                line = self._line(source)
                parts[line] = parts.get(line, 0.0) + part
            parts[Line(SELF)] = parts.get(Line(SELF), 0.0) - last
        return parts

    def _line(self, source: Source) -> Line:
        if source.kind != GRADIENT:
            return Line(source.kind, source.name)
        self.gradients[source.name] = None
        return Line(GRADIENT)

    def _own(self, registers: Mapping[str, Array]) -> Numbers:
        return wide(registers[self.register].reshape(-1)[self.places])


def _explained(
    program: Program, asked: tuple[str, ...], tallies: list[Tally], states: tuple[int, int], apart: bool
) -> Explanation:
    ledger = closed(_merged(tallies), sum(float(np.sum(tally.after - tally.before)) for tally in tallies))
    told = tuple(member for tally in tallies for member in _told(tally, ledger)) if apart else ()
    shared = dict.fromkeys(remark for tally in tallies if tally.account for remark in tally.account.remarks)
    groups = [(tally.members, tuple(tally.gradients)) for tally in tallies]
    count = sum(len(tally.places) for tally in tallies)
    return Explanation(asked, *states, count, ledger, told, common(program, groups), tuple(shared))


def _merged(tallies: list[Tally]) -> list[tuple[int, Mapping[Line, float], float]]:
    """The rows of all tensors together."""
    rows: list[tuple[int, Mapping[Line, float], float]] = []
    for together in zip(*(tally.rows for tally in tallies), strict=True):
        parts: dict[Line, float] = {}
        for _, own, _ in together:
            for line, value in own.items():
                parts[line] = parts.get(line, 0.0) + value
        rows.append((together[0][0], parts, sum(change for _, _, change in together)))
    return rows


def _told(tally: Tally, ledger: Ledger) -> list[Member]:
    """Each element's sums over the window, in the lines of the ledger, the last of them the rounding."""
    before, nothing = tally.before, np.zeros(len(tally.places))
    table = np.column_stack([nothing, *(tally.sums.get(line, nothing) for line in ledger.lines[:-1])])[:, 1:]
    sums = exact(table, tally.after - before)
    rows = zip(tally.members.names, before.tolist(), tally.after.tolist(), map(tuple, sums.tolist()), strict=True)
    return [Member(*row) for row in rows]
