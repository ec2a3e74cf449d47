"""Lazy, catapult or diverging: what gradient descent on a squared error will do, foretold from the curvature it meets.

With l the largest eigenvalue of the loss's Hessian before training (Lewkowycz et al. 2020, arXiv 2003.02218): below
2/l the loss only falls and the network stays nearly linear in its parameters; from there to about 4/l (no hidden
nonlinearity) or 12/l (ReLU) the loss first rises until the curvature has fallen to what the rate bears, then falls;
above that it is lost. The first bound and 4/l follow from a solved model of large width, 12/l was measured. It is of
rules without momentum, on all examples at once; of cross entropy, attention and other nonlinearities it says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from ontogeny.ask.explain import native
from ontogeny.ask.layers import MOVES, PRODUCTS
from ontogeny.ask.sharpness import Floats, Sharpness, sharpness
from ontogeny.isa import attrs
from ontogeny.isa.errors import RecordError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr, Program
from ontogeny.record.attach import Attached
from ontogeny.record.recorded import Recorded
from ontogeny.record.stepper import LEARN

LOWER = 2.0
"""Over l: from here on the rate is no longer lazy."""
UPPER: Mapping[str, float] = {"linear": 4.0, "relu": 12.0}
"""Over l, by the hidden nonlinearity: from here on it is lost."""
RISEN = 1.01
"""So many times the lowest loss before, it has risen."""
RULE = "sgd"
SUMS = MOVES | {Op.ADD, Op.SUB, Op.NEG, Op.SUM, Op.MEAN, Op.SCALE, Op.AXPY, Op.LERP, Op.AVG_POOL, Op.READ, Op.FLIP}
"""What is linear in all that it is given."""
SQUARES = frozenset({Op.MUL, Op.POW})


class Phase(Enum):
    """What gradient descent does."""

    LAZY = "lazy"
    CATAPULT = "catapult"
    DIVERGING = "diverging"


@dataclass(frozen=True, slots=True)
class Foretold:
    """The phase of a learning rate, and what it goes by: the sharpness, the kind of network, and both bounds."""

    phase: Phase
    rate: float
    kind: str
    sharpness: Sharpness
    lower: float
    upper: float

    def at(self, rate: float) -> Foretold:
        """The same for another learning rate, from the same state."""
        return replace(self, rate=rate, phase=phase_of(rate, LOWER / self.lower, self.kind))

    @property
    def words(self) -> str:
        """The phase and its bounds, to a person."""
        between = f"from {self.lower:.4g} to about {self.upper:.4g} it is catapulted"
        return f"{self.phase.value} at a learning rate of {self.rate:.4g}: below {self.lower:.4g} it is lazy, {between}"


@dataclass(frozen=True, slots=True)
class Passed:
    """What a run did, None where it was none of the phases so far, and in which figures: the loss at first, the
    highest, and the last; the sharpness before and after."""

    phase: Phase | None
    first: float
    highest: float
    last: float
    before: Sharpness
    after: Sharpness


def phase_of(rate: float, eigenvalue: float, kind: str) -> Phase:
    """The phase of a learning rate, by the largest eigenvalue and the kind of network, a key of UPPER."""
    over = rate * eigenvalue
    return Phase.LAZY if over < LOWER else Phase.CATAPULT if over < UPPER[kind] else Phase.DIVERGING


def foretold(run: Recorded | Attached, step: int = 0, rate: float | None = None) -> Foretold:
    """What a learning rate will do from a state on, the first by default; `rate` is the step's own where not given.

    The decay of the rule counts as curvature, which it adds to. Raises RecordError for what the bounds are not known
    of: a rule other than plain gradient descent, a loss other than a squared error, a nonlinearity that is no ReLU.
    """
    asked = native(run)
    kind = kind_of(asked.as_of(step).program)
    dials = asked.dials(step)
    rate = dials["lr"] if rate is None else rate
    found = sharpness(asked, step)
    curved = found.value + dials.get("weight_decay", 0.0)
    if not curved > 0:
        raise RecordError(
            f"the loss is not curved upwards at step {step} ({curved:.3g}), so no rate is too large there"
        )
    return Foretold(phase_of(rate, curved, kind), rate, kind, found, LOWER / curved, UPPER[kind] / curved)


def passed(run: Recorded | Attached, before: Sharpness | None = None) -> Passed:
    """What a run did as far as it is recorded, from its losses and the sharpness at both ends.

    Lazy: the loss never rose to RISEN times the lowest before. Catapult: it did, ended below where it rose from, and
    the curvature is less than at first. Diverging: it is no finite number, or nothing has a gradient any more though
    there is a loss, since all units died. `before` is the sharpness at first, where it is known already. Raises
    RecordError where the sharpness cannot be told, or no step was taken.
    """
    asked = native(run)
    if not asked.step:
        raise RecordError(f"{asked.folder.name} has not taken a step; what it did is not known")
    losses = asked.metrics()["loss"]
    before, after = before or sharpness(asked, 0), sharpness(asked, asked.step)
    figures = float(losses[0]), float(np.max(losses)), float(losses[-1])
    return Passed(_phase(losses, before, after), *figures, before, after)


def _phase(losses: Floats, before: Sharpness, after: Sharpness) -> Phase | None:
    """The phase that losses and curvature show."""
    if not np.isfinite([*losses, after.value]).all() or (after.slope == 0 and losses[-1] > 0):
        return Phase.DIVERGING
    lowest = np.minimum.accumulate(losses)
    up = np.flatnonzero(losses[1:] > RISEN * lowest[:-1])
    if not len(up):
        return Phase.LAZY
    return Phase.CATAPULT if losses[-1] < lowest[up[0]] and after.value < before.value else None


def kind_of(program: Program) -> str:
    """The kind of network in a program, a key of UPPER. Raises RecordError where the bounds are not known of it."""
    learn = program.routine(LEARN)
    rules = {i.note.where for i in learn.body if i.note.phase == "update"}
    if rules != {RULE} or "momentum" in {decl.name for decl in program.of("dial")}:
        raise RecordError(
            f"the phases are known of plain gradient descent alone (og.sgd without momentum), and {program.name!r} "
            f"goes by {', '.join(sorted(rules)) or 'a rule that no note tells'}"
        )
    hidden, last = _bent(program)
    if strange := sorted({op.text for op in last} - {op.text for op in SQUARES}) or [] if last else ["no square"]:
        raise RecordError(
            f"the phases are known of a squared error alone; the loss of {program.name!r} is by {strange[0]}"
        )
    if strange := sorted({op.text for op in hidden} - {Op.RELU.text}):
        raise RecordError(
            f"from which rate on a network with {strange[0]} is lost is not known; the bounds are of {', '.join(UPPER)}"
        )
    return "relu" if hidden else "linear"


def _bent(program: Program) -> tuple[set[Op], set[Op]]:
    """The operations that are not linear in what depends on the parameters: those before a product, those after."""
    body = [i for i in program.routine(LEARN).body if i.note.phase == "forward"]
    learned = {decl.name for decl in program.of("param")}
    depends, bends = set[str](), list[Instr]()
    for instr in body:
        known = [arg for arg in instr.args if arg in depends]
        if known or (instr.op is Op.READ and attrs.text(instr, "name") in learned):
            depends.update(instr.out)
            if not _straight(instr, known):
                bends.append(instr)
    feeds = _feeding(body, depends)
    hidden = {instr.op for instr in bends if not feeds.isdisjoint(instr.out)}
    return hidden, {instr.op for instr in bends if feeds.isdisjoint(instr.out)}


def _straight(instr: Instr, known: list[str]) -> bool:
    """Whether a result is linear in each operand that depends on the parameters."""
    if instr.op in SUMS or instr.op in PRODUCTS:
        return True
    factor = instr.op is Op.MUL or (instr.op is Op.DIV and known == [instr.args[0]])
    return factor and len(known) == 1


def _feeding(body: list[Instr], depends: set[str]) -> set[str]:
    """The values that a product of two that depend on the parameters is made of."""
    wanted = set[str]()
    for instr in reversed(body):
        both = instr.op in PRODUCTS and sum(arg in depends for arg in instr.args) > 1
        if both or not wanted.isdisjoint(instr.out):
            wanted.update(instr.args)
    return wanted
