"""What first-order estimates say of leaving examples out, and how wrong they are against the exact answer.

Both are of the loss that `learn` computes, on the validation inputs, at the last step; exact is its difference there.

- `gradients`: TracIn (Pruthi, Liu, Kale, Sundararajan 2020) at every step: minus the sum, over the steps whose batch is
  smaller, of lr * (gradient of the smaller batch - gradient of the whole) . gradient of the validation loss, all at the
  run's own states. It takes the rule for plain gradient descent by the dial `lr`.
- `steps`: the rule itself is asked. At each of these steps the run's own state takes the step with the smaller batch
  too; the differences in parameters are added up and put onto the last state. It takes later steps to carry a
  difference on unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ontogeny.ask.alternative import Alternative
from ontogeny.ask.update import update_of
from ontogeny.data.base import Array
from ontogeny.data.without import Without, members
from ontogeny.isa.errors import RecordError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Program
from ontogeny.isa.prune import pruned
from ontogeny.machine.base import Machine
from ontogeny.record.counterfactual import Lenient, beside, schedule
from ontogeny.record.machines import make
from ontogeny.record.recorded import Recorded
from ontogeny.record.stepper import LEARN, view

Floats = npt.NDArray[np.float64]
State = Mapping[str, Array]
INSIDE, LOSS, RATE, PREFIX = "inside", "loss", "lr", "gradient."


@dataclass(frozen=True, slots=True)
class Estimate:
    """By how much one formula says that the loss would differ, and by how much it does."""

    formula: str
    predicted: float
    exact: float

    @property
    def error(self) -> float:
        """How far off it is, of the exact difference; infinite where there is none."""
        off = abs(self.predicted - self.exact)
        return off / abs(self.exact) if self.exact else float("inf") if off else 0.0


def estimate(run: Recorded, other: Alternative) -> tuple[Estimate, ...]:
    """The two estimates of leaving examples out. Raises RecordError for a question or a program they do not fit.

    Takes three gradients and a step for each step that is touched, beside the replay of both sides.
    """
    inputs = _checked(run, other)
    probe, once = Probe(run), run._seat.another()
    changed = Lenient(run.ground, schedule(run, other.journal))
    by_gradients, moved, stepped = 0.0, dict[str, Floats](), False
    for pair in beside(run, other.journal, other.first, other.last):
        if stepped:
            moved = _added(moved, params(run.program, view(once)), params(run.program, view(pair.actual)))
        stepped = pair.step in other.touched
        if stepped:
            state = pair.actual.state()
            by_gradients += _traced(run, probe, state, pair.step, other, inputs)
            once.load(state)
            changed.take(once, pair.step)
    dials = run.dials(other.last - 1)
    own, exactly = pair.actual.state(), pair.other.state()
    put = {name: (own[name].astype(np.float64) + part).astype(own[name].dtype) for name, part in moved.items()}
    losses = [probe(state, inputs, dials)[1] for state in (own, exactly, {**own, **put})]
    exact = losses[1] - losses[0]
    return Estimate("gradients", by_gradients, exact), Estimate("steps", losses[2] - losses[0], exact)


class Probe:
    """The gradients of a batch at a state, and its loss, by the run's own `learn` without what it commits."""

    def __init__(self, run: Recorded) -> None:
        program = run.program
        learn = program.routine(LEARN)
        loss = dict(learn.returns).get(LOSS, learn.returns[0][1] if learn.returns else "")
        values = gradient_values(program)
        returns = ((LOSS, loss), *((f"{PREFIX}{name}", name) for name in values))
        quiet = tuple(instr for instr in learn.body if instr.op is not Op.COMMIT)
        inside = pruned(replace(learn, name=INSIDE, body=quiet, returns=returns))
        options = dict(run.start["options"])
        if options.get("mode") == "fast":
            options["mode"] = "exact"
        self._machine: Machine = make(run.start["machine"], program.with_routine(inside), options)

    def __call__(
        self, state: State, inputs: Mapping[str, Array], dials: Mapping[str, float]
    ) -> tuple[dict[str, Floats], float]:
        """The gradients by the value that they are, flat, and the loss."""
        self._machine.load(state)
        found = self._machine.call(INSIDE, inputs, dials)
        loss = float(found.pop(LOSS))
        return {name: np.asarray(value, np.float64).reshape(-1) for name, value in found.items()}, loss


def gradient_values(program: Program) -> tuple[str, ...]:
    """The values of `learn` that enter updates as gradients. RecordError where they are not one for each element."""
    found: dict[str, None] = {}
    for decl in program.kept():
        update = update_of(program, program.routine(LEARN), decl.name) if decl.kind == "param" else None
        if update is None:
            continue
        own = sum(one.type.size for one in program.named_params() if decl.name in (one.name, one.arena))
        if sum(update.types[name].size for name in update.gradients) != own:
            raise RecordError(f"the update of {decl.name!r} does not take one gradient for each element; not estimated")
        found.update(dict.fromkeys(update.gradients))
    return tuple(found)


def params(program: Program, registers: State) -> dict[str, Floats]:
    """The registers that hold parameters, in f64."""
    kept = [decl.name for decl in program.kept() if decl.kind == "param"]
    return {name: registers[name].astype(np.float64) for name in kept}


def _checked(run: Recorded, other: Alternative) -> dict[str, Array]:
    """The validation inputs under the names that `learn` reads."""
    if other.dials or other.undone is not None or not other.without:
        raise RecordError("estimates are made for examples left out, with no dial turned and nothing undone beside")
    if run.valid is None:
        raise RecordError("estimates are of the loss on validation inputs, and this run has none")
    if RATE not in run.dials():
        raise RecordError(f"estimates go by the dial {RATE!r}, and the program has none")
    return {name.removeprefix("valid."): array for name, array in run.valid.items()}


def _traced(
    run: Recorded, probe: Probe, state: State, step: int, other: Alternative, inputs: Mapping[str, Array]
) -> float:
    """The term of one step: -lr * (gradient of the smaller batch - gradient of the whole) . validation gradient."""
    data, dials = run._stepper.examples(step), run.dials(step)
    whole, valid = probe(state, data.batch(step), dials)[0], probe(state, inputs, dials)[0]
    if step in other.empty:
        smaller = {name: np.zeros_like(part) for name, part in whole.items()}
    else:
        smaller = probe(state, Without(data, members(other.without)).batch(step), dials)[0]
    return -dials[RATE] * sum(float((smaller[name] - whole[name]) @ valid[name]) for name in whole)


def _added(sums: dict[str, Floats], one: dict[str, Floats], other: dict[str, Floats]) -> dict[str, Floats]:
    return {name: sums.get(name, 0.0) + (part - other[name]) for name, part in one.items()}
