"""What a run computes for nothing: counted over sampled steps, with the seconds and operations of each line.

Counted, not recoverable: a line says what would remove it, and that may cost more than it saves. Lines overlap (what is
masked is a product with zeros later), so they do not add up. Seconds are those of the run's own kernels, one
instruction at a time; operations are those of `isa/cost.py`. Both are of one step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace

from ontogeny.ask.balance import Balance, balance
from ontogeny.ask.idle import Idle, Tensor
from ontogeny.ask.masked import Unasked, Unlooked, attention
from ontogeny.ask.observed import observed, sampled
from ontogeny.ask.redundant import repeated, unused
from ontogeny.ask.tally import Tallies, Tally
from ontogeny.isa.cost import Cost
from ontogeny.isa.op import Group, Op
from ontogeny.isa.program import Program, Routine
from ontogeny.isa.rules import instruction_text
from ontogeny.record.recorded import Recorded
from ontogeny.record.stepper import LEARN
from ontogeny.record.trace.traces import ALL, Window

SAMPLES = 5
ZERO, LOST, DEAD, UNUSED, TWICE, CONSTANT = "zero", "rounding", "no gradient", "unused", "made twice", "constant"
PADDING, IGNORED, MASKED, MEMORY = "padding", "ignored", "masked", "memory"
REMEDIES = {
    ZERO: "a product that passes over zeros, or leaving out what makes them (units that are off, one-hot rows)",
    LOST: "keeping the parameter in a wider format, or rounding at random",
    DEAD: "freezing or pruning these elements; or finding out why nothing reaches them",
    UNUSED: "leaving it out",
    TWICE: "using the first result again",
    CONSTANT: "computing it once",
    PADDING: "rows of like length together, or batches cut to their longest row",
    IGNORED: "batches without rows that nothing is asked about",
    MASKED: "a kernel that passes over masked blocks",
    MEMORY: "doing it together with its neighbours (mode fast), so that what lies between is not written",
}
"""The kinds of waste, and what would remove each."""


@dataclass(frozen=True, slots=True)
class Line:
    """So many of something (`count` of `of`, over all sampled steps), and what it takes of one step.

    `number` is the instruction's in `routine`, from 1, or 0 where the line is of a parameter or an input.
    """

    kind: str
    what: str
    where: str
    routine: str
    number: int
    count: int
    of: int
    operations: float
    seconds: float

    @property
    def share(self) -> float:
        """The count, of all."""
        return self.count / self.of

    @property
    def remedy(self) -> str:
        """What would remove it."""
        return REMEDIES[self.kind]


@dataclass(frozen=True)
class Waste:
    """The lines, those that take longest first, and what a step takes in all.

    `steps` are the states that the sampled steps start from. `multiply_adds` are of all sampled steps together, and
    `zero` of them have an operand that is zero. `tensors` say what became of the updates, step by step.
    """

    steps: tuple[int, ...]
    operations: float
    seconds: float
    multiply_adds: int
    zero: int
    balance: Balance | None
    tensors: tuple[Tensor, ...]
    lines: tuple[Line, ...]

    def of(self, kind: str) -> tuple[Line, ...]:
        """The lines of one kind."""
        return tuple(line for line in self.lines if line.kind == kind)


def waste(run: Recorded, window: Window = ALL, samples: int = SAMPLES) -> Waste:
    """What the run computes for nothing, over some steps that start from the states of a window, evenly spaced.

    Raises RecordError for a window without steps, a run that does not replay, and a record without a program.
    """
    steps = sampled(run, window, samples)
    run = run.over(steps[0], steps[-1] + 1)
    tallies, idle, unlooked = Tallies(), Idle(run.program), Unlooked()
    for step in observed(run, steps):
        tallies.begin()
        unlooked.begin(step)
        for made in step:
            tallies.add(made)
            if made.routine == LEARN:
                unlooked.add(made)
        idle.add(step)
    tensors, measured = tuple(idle.tensors()), balance(run)
    count = Count(run.program, tallies, idle)
    lines = [
        *count.zeros(),
        *count.parameters(tensors),
        *count.redundant(),
        *(line for found in unlooked.found() for line in count.unasked(found)),
        *(count.memory(measured) if measured else ()),
    ]
    added = [tally for tally in tallies if tally.added]
    return Waste(
        steps,
        sum(tally.cost.operations for tally in tallies) / len(steps),
        sum(tally.least_seconds for tally in tallies),
        sum(tally.products for tally in added),
        sum(tally.zero for tally in added),
        measured,
        tensors,
        tuple(sorted(lines, key=lambda line: (-line.seconds, -line.operations, line.number))),
    )


class Count:
    """Makes the lines from what was tallied."""

    def __init__(self, program: Program, tallies: Tallies, idle: Idle) -> None:
        self.learn: Routine = program.routine(LEARN)
        self.program = program
        self.tallies = tallies
        self.idle = idle

    def zeros(self) -> Iterator[Line]:
        """Multiplications with a zero operand."""
        for tally in self.tallies:
            if tally.zero:
                operations = (2 if tally.added else 1) * tally.zero / self.tallies.steps
                yield self._line(ZERO, tally, tally.zero, tally.products, operations)

    def parameters(self, tensors: tuple[Tensor, ...]) -> Iterator[Line]:
        """Updates that are lost, and elements that have no gradient; they stand for their share of the update."""
        for tensor in tensors:
            if sum(tensor.lost):
                share = sum(tensor.lost) / (tensor.elements * len(tensor.lost))
                yield self._of_tensor(LOST, tensor, sum(tensor.lost), sum(tensor.updates), share)
            if tensor.dead:
                yield self._of_tensor(DEAD, tensor, tensor.dead, tensor.elements, tensor.dead / tensor.elements)

    def redundant(self) -> Iterator[Line]:
        """Results that nobody uses, that were made before, and that were the same at every sampled step."""
        for routine in self.program.routines:
            twice, idle = repeated(routine), unused(routine)
            for number in range(1, len(routine.body) + 1):
                tally = self.tallies.get(routine.name, number)
                if tally is None or not _computes(tally):
                    continue
                if number in idle:
                    yield self._line(UNUSED, tally, 1, 1)
                elif number in twice:
                    yield self._line(TWICE, tally, 1, 1, beside=f", as instruction {twice[number]}")
                elif tally.constant and tally.calls > 1 and tally.elements > 1:
                    yield self._line(CONSTANT, tally, 1, 1)

    def unasked(self, found: Unasked) -> Iterator[Line]:
        """Places that are not asked about; they stand for their share of forward and backward, or of attention."""
        routine = self.learn
        if found.kind == MASKED:
            numbers = attention(routine, found.number)
            worked = [tally for tally in self.tallies if tally.routine == LEARN and tally.number in numbers]
        else:
            updating = frozenset[str]().union(*(self.idle.updating(name) for name, _ in self.idle.pieces.values()))
            worked = [tally for tally in self.tallies if not updating.intersection(tally.instr.out)]
        operations = found.share * sum(tally.cost.operations for tally in worked) / self.tallies.steps
        seconds = found.share * sum(tally.least_seconds for tally in worked)
        where = routine.body[found.number - 1].note.where if found.number else ""
        counted = found.places, found.of
        yield Line(found.kind, found.words, where, LEARN, found.number, *counted, operations, seconds)

    def memory(self, measured: Balance) -> Iterator[Line]:
        """Instructions whose bytes take longer than their operations; for so long as the bytes take, at most."""
        for tally in self.tallies:
            once = Cost(*(figure // tally.calls for figure in astuple(tally.cost)))
            waiting = measured.waiting(once) * tally.calls / self.tallies.steps
            if waiting:
                line = self._line(MEMORY, tally, 1, 1)
                yield replace(line, seconds=min(line.seconds, waiting))

    def _line(
        self, kind: str, tally: Tally, count: int, of: int, operations: float | None = None, beside: str = ""
    ) -> Line:
        """A line of one instruction: the share of its seconds, and of its operations unless they are given."""
        share = count / of
        own = share * tally.cost.operations / self.tallies.steps if operations is None else operations
        what, note = instruction_text(tally.instr) + beside, tally.instr.note
        return Line(kind, what, note.where, tally.routine, tally.number, count, of, own, share * tally.least_seconds)

    def _of_tensor(self, kind: str, tensor: Tensor, count: int, of: int, share: float) -> Line:
        """A line of a parameter: its share of what updates the register that it lies in."""
        register, size = self.idle.pieces[tensor.name]
        updating = self.idle.updating(register)
        worked = [t for t in self.tallies if t.routine == LEARN and updating.intersection(t.instr.out)]
        part = share * tensor.elements / size
        operations = part * sum(tally.cost.operations for tally in worked) / self.tallies.steps
        seconds = part * sum(tally.least_seconds for tally in worked)
        return Line(kind, tensor.name, "", LEARN, 0, count, of, operations, seconds)


def _computes(tally: Tally) -> bool:
    """Whether anything is saved where it is left out: it computes, or moves bytes."""
    cost = tally.cost
    plain = tally.instr.op.group in (Group.CONTROL, Group.DEBUG) or tally.instr.op in (Op.CONST, Op.IOTA)
    return not plain and bool(cost.operations or cost.bytes_read or cost.bytes_written)
