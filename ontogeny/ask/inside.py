"""What happens inside a run's steps, by replay: gradients, updates and activations by layer, and other learning rates.

States on a grid are replayed once, in the order in which they are asked for, and the last ones kept; what is measured
at a state is kept for good. Nothing of the run is changed: each kind of question has a machine of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ontogeny.ask.carry import wide
from ontogeny.ask.idle import Idle
from ontogeny.ask.layers import Nonlinearity, gradients, nonlinearities, scores
from ontogeny.ask.update import update_of
from ontogeny.data.arrays import Arrays
from ontogeny.data.base import Array
from ontogeny.isa.errors import DataError
from ontogeny.isa.program import Decl
from ontogeny.machine.base import Machine
from ontogeny.record import replay
from ontogeny.record.counterfactual import schedule
from ontogeny.record.creating import EVALUATE
from ontogeny.record.journal import Entry
from ontogeny.record.recorded import Recorded
from ontogeny.record.schedule import DIAL
from ontogeny.record.stepper import LEARN, Stepper
from ontogeny.record.watching import Alone

HELD_BYTES = 256 << 20
"""Bytes of states that are kept at a time."""
TURNS = 20
"""Power iterations."""
NUDGE = 1e-3
"""How far a step is tried from its state, of the parameters' length."""
MOST_EXAMPLES = 1 << 14
"""Of the training examples, the first so many are looked at one by one."""
ROWS = 256
"""Activations are looked at over so many examples, or over the data where it has fewer."""
State = dict[str, Array]


@dataclass(frozen=True)
class Moment:
    """One step, from the state `step` on: per parameter the root mean squares of its gradient, weight and update.

    `still` are the parameters of which no bit has changed.
    """

    step: int
    loss: float
    gradient: Mapping[str, float]
    weight: Mapping[str, float]
    update: Mapping[str, float]
    still: frozenset[str]


@dataclass(frozen=True)
class Activity:
    """The units of a hidden nonlinearity at a state: which are `dead` for every example, bool[units], and for which
    share of the examples each is `saturated`, f64[units]."""

    layer: Nonlinearity
    dead: npt.NDArray[np.bool_]
    saturated: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Lost:
    """The updates of one step that are not zero, and the share of them that rounding swallowed, also by parameter."""

    updates: int
    share: float
    tensors: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Taken:
    """One step as `Idle` counts it."""

    entry: State
    after: State
    given: Mapping[str, Array | float]
    values: Mapping[str, Array]


@dataclass
class Inside:
    """The insides of a run; `steps` is the fine grid of states that it is looked at from."""

    run: Recorded
    steps: tuple[int, ...]
    _states: dict[int, State] = field(default_factory=dict)
    _moments: dict[int, Moment] = field(default_factory=dict)
    _active: dict[int, tuple[Activity, ...]] = field(default_factory=dict)
    _lost: dict[int, Lost] = field(default_factory=dict)
    _trained: dict[int, npt.NDArray[np.float64]] = field(default_factory=dict)
    _held_out: dict[int, npt.NDArray[np.float64]] = field(default_factory=dict)
    _machines: dict[str, Alone] = field(default_factory=dict)
    _trials: dict[tuple[int, str, float, int], npt.NDArray[np.float64]] = field(default_factory=dict)
    _at: int | None = None

    def state(self, step: int) -> State:
        """All registers at a state, before the events that stand there."""
        if step not in self._states:
            self._walk(step)
        return self._states[step]

    def _walk(self, step: int) -> None:
        """Replays to a state: on from where the walk stands, unless a keyframe is nearer."""
        run, stepper = self.run, Stepper(self.run.ground, self.run._schedule)
        near = next(at for at, _ in run.history.keyframes(step))
        if self._at is None or not near <= self._at <= step:
            start = next((at for at in self.steps if near <= at <= step), step)
            replay.to_step(self._walker, run.history, stepper, start)
            self._at = start
        for at in replay.walk(self._walker, run.history, stepper, self._at, step):
            self._at = at
            if at == step or at in self._fine:
                self._keep(at)

    def _keep(self, step: int) -> None:
        state = self._walker.state()
        size = sum(array.nbytes for array in state.values())
        while self._states and (len(self._states) + 1) * size > HELD_BYTES:
            del self._states[next(iter(self._states))]
        self._states[step] = state

    @cached_property
    def _fine(self) -> frozenset[int]:
        return frozenset(self.steps)

    @cached_property
    def _walker(self) -> Machine:
        return self.run._seat.another()

    @cached_property
    def _tester(self) -> Machine:
        return self.run._seat.another()

    @cached_property
    def _stepper(self) -> Stepper:
        return Stepper(self.run.ground, self.run._schedule)

    @cached_property
    def parameters(self) -> tuple[Decl, ...]:
        """The parameters by name, as a person knows them."""
        return tuple(self.run.program.named_params())

    @cached_property
    def gradients(self) -> dict[str, str]:
        """For every register, the value in `learn` that is its gradient."""
        return gradients(self.run.program)

    @cached_property
    def _forward(self) -> Alone:
        wanted = [*self.gradients.values(), *(layer.value for layer in self.layers)]
        return Alone(self.run, [*wanted, self.loss_value])

    @cached_property
    def loss_value(self) -> str:
        """The value in `learn` that it returns as its loss, or as its first result."""
        returns = dict(self.run.program.routine(LEARN).returns)
        return returns.get("loss", next(iter(returns.values()), ""))

    @cached_property
    def layers(self) -> tuple[Nonlinearity, ...]:
        """The hidden nonlinearities."""
        return nonlinearities(self.run.program)

    def moment(self, step: int) -> Moment:
        """The step from a state on. Its journal's events come first, and do not count as update."""
        if step not in self._moments:
            self._moments[step] = self._measured(step)
        return self._moments[step]

    def _measured(self, step: int) -> Moment:
        entry, after, inputs, dials = self._taken(step)
        self._forward.load(entry)
        values = self._forward.values(inputs, dials)
        whole = {register: values[name] for register, name in self.gradients.items()}
        gradient, weight, update, still = dict[str, float](), dict[str, float](), dict[str, float](), set[str]()
        for decl in self.parameters:
            register = decl.arena or decl.name
            old, new = _piece(entry[register], decl), _piece(after[register], decl)
            weight[decl.name] = _rms(wide(old))
            update[decl.name] = _rms(wide(new) - wide(old))
            if register in whole:
                gradient[decl.name] = _rms(wide(_piece(whole[register], decl)))
            if np.array_equal(old.view(np.uint8), new.view(np.uint8)):
                still.add(decl.name)
        return Moment(step, float(values[self.loss_value].mean()), gradient, weight, update, frozenset(still))

    def activity(self, step: int) -> tuple[Activity, ...]:
        """The units of every hidden nonlinearity at a state, over some batches from its own on."""
        if step not in self._active:
            self._active[step] = self._looked(step)
        return self._active[step]

    def _looked(self, step: int) -> tuple[Activity, ...]:
        machine = self._tester
        machine.load(self.state(step))
        first, dials = self._stepper.prepare(machine, step)
        self._forward.load(machine.state())
        data, rows = self._stepper.examples(step), len(next(iter(first.values())))
        counted = [_Counted(layer) for layer in self.layers]
        for ahead in range(max(1, -(-ROWS // max(1, rows)))):
            try:
                values = self._forward.values(data.batch(step + ahead) if ahead else first, dials)
            except DataError:
                continue  # all of that batch is left out
            for one in counted:
                one.add(values[one.layer.value])
        return tuple(one.closed() for one in counted)

    def lost(self, step: int) -> Lost:
        """The updates of the step from a state on that its rounding swallowed."""
        if step not in self._lost:
            entry, after, inputs, dials = self._taken(step)
            self._updating.load(entry)
            idle = Idle(self.run.program)
            idle.add(_Taken(entry, after, {**inputs, **dials}, self._updating.values(inputs, dials)))
            tensors = tuple(idle.tensors())
            counts = {one.name: (sum(one.lost), sum(one.updates)) for one in tensors}
            lost, updates = (sum(count[place] for count in counts.values()) for place in (0, 1))
            shares = {name: own / max(1, of) for name, (own, of) in counts.items()}
            self._lost[step] = Lost(updates, lost / max(1, updates), shares)
        return self._lost[step]

    def trained(self, step: int) -> npt.NDArray[np.float64]:
        """Log-probabilities of training examples' classes at a state, f64[examples, classes]; none without."""
        told = scores(self.run.program.routine(LEARN))
        if told is None or not isinstance(self.run.data, Arrays):
            return np.zeros((0, 0))
        if step not in self._trained:
            alone = self._alone(LEARN, told.value)
            alone.load(self.state(step))
            dials, rows = self.run.dials(step), self.run.data.order.batch_size
            arrays = {name: array[:MOST_EXAMPLES] for name, array in self.run.data.arrays.items()}
            parts = []
            for first in range(0, min(len(self.run.data), MOST_EXAMPLES), rows):
                batch = {name: array[first : first + rows] for name, array in arrays.items()}
                if len(next(iter(batch.values()))) == rows or self.run.program.sizes:
                    parts.append(wide(alone.values(batch, dials)[told.value]))
            self._trained[step] = np.concatenate(parts)
        return self._trained[step]

    def held_out(self, step: int) -> npt.NDArray[np.float64]:
        """The same of the held-out examples, f64[examples, classes]; none without."""
        program = self.run.program
        told = scores(program.routine(EVALUATE)) if program.has(EVALUATE) and self.run.valid else None
        if told is None:
            return np.zeros((0, 0))
        if step not in self._held_out:
            alone = self._alone(EVALUATE, told.value)
            alone.load(self.state(step))
            self._held_out[step] = wide(alone.values(self.run.valid or {}, self.run.dials(step))[told.value])
        return self._held_out[step]

    def _alone(self, routine: str, value: str) -> Alone:
        if routine not in self._machines:
            self._machines[routine] = Alone(self.run, [value], routine)
        return self._machines[routine]

    def curvature(self, step: int) -> float:
        """How much of a perturbation along its steepest direction the step from a state on takes back.

        The largest eigenvalue in size of I - J, where J is the derivative of the parameters after the step by those
        before it, registers and batch held: the learning rate times the sharpness for gradient descent. By power
        iteration on finite differences of replayed steps, so that it needs no rule by name.
        """
        entry, after, inputs, dials = self._taken(step)
        names = [decl.name for decl in self.run.program.kept() if decl.kind == "param"]
        draw = np.random.default_rng(0)
        along = {name: draw.normal(size=entry[name].shape) for name in names}
        size = _length({name: wide(entry[name]) for name in names})
        found, nudge = 0.0, NUDGE * max(size, 1e-12)
        for _ in range(TURNS):
            length = _length(along)
            if not length > 0 or not np.isfinite(length):
                break
            along = {name: one / length for name, one in along.items()}
            moved = {n: (wide(entry[n]) + nudge * along[n]).astype(entry[n].dtype) for n in names}
            exact = {name: (wide(moved[name]) - wide(entry[name])) / nudge for name in names}
            self._tester.load({**entry, **moved})
            self._tester.call(LEARN, inputs, dials)
            then = self._tester.state()
            along = {n: exact[n] - (wide(then[n]) - wide(after[n])) / nudge for n in names}
            found = _length(along) / max(_length(exact), 1e-30)
        return found

    def _taken(self, step: int) -> tuple[State, State, dict[str, Array], dict[str, float]]:
        """One step: the registers once its events have happened, those after it, its inputs and dials."""
        machine = self._tester
        machine.load(self.state(step))
        inputs, dials = self._stepper.prepare(machine, step)
        entry = machine.state()
        machine.call(LEARN, inputs, dials)
        return entry, machine.state(), inputs, dials

    @cached_property
    def _updating(self) -> Alone:
        program = self.run.program
        updates = [update_of(program, program.routine(LEARN), d.name) for d in program.kept() if d.kind == "param"]
        return Alone(self.run, dict.fromkeys(name for one in updates if one for name in one.gradients))

    def trial(self, step: int, dial: str, factor: float, count: int) -> npt.NDArray[np.float64]:
        """The losses of so many steps from a state on with a dial times a factor, f64[count].

        The batches and everything else that the journal says are the same, so with the factor 1 it is the record.
        """
        key = step, dial, factor, count
        if key not in self._trials:
            self._trials[key] = self._tried(*key)
        return self._trials[key]

    def _tried(self, step: int, dial: str, factor: float, count: int) -> npt.NDArray[np.float64]:
        run, machine = self.run, self._tester
        returns = run.program.routine(LEARN).returns
        name = next((n for n, value in returns if value == self.loss_value), "")
        if factor == 1 and step + count <= run.step:
            return run.metrics(step + 1, step + count)[name]
        machine.load(self.state(step))
        first = Entry(DIAL, step, {"name": dial, "value": factor * run.dials(step)[dial]})
        later = [_scaled(entry, dial, factor) if entry.at > step else entry for entry in run.entries]
        at = sum(entry.at <= step for entry in run.entries)
        stepper = Stepper(run.ground, schedule(run, [*later[:at], first, *later[at:]]))
        with np.errstate(all="ignore"):
            return np.array([float(stepper.take(machine, at)[name]) for at in range(step, step + count)])


def _scaled(entry: Entry, dial: str, factor: float) -> Entry:
    """A journal entry with the dial that it turns scaled."""
    if entry.kind != DIAL or entry["name"] != dial:
        return entry
    return replace(entry, content={**entry.content, "value": factor * entry["value"]})


@dataclass
class _Counted:
    """The units of a nonlinearity over some batches."""

    layer: Nonlinearity
    largest: npt.NDArray[np.float64] | None = None
    flat: npt.NDArray[np.float64] | None = None
    count: int = 0

    def add(self, values: Array) -> None:
        """One batch of results."""
        dimension = self.layer.dimension % max(1, values.ndim)
        rows = np.moveaxis(np.abs(wide(values)), dimension, -1).reshape(-1, values.shape[dimension])
        high = np.abs(2 * rows - 1) if self.layer.op.text == "sigmoid" else rows
        flat = (high > SATURATED).sum(axis=0).astype(np.float64)
        largest = rows.max(axis=0, initial=0.0)
        self.largest = largest if self.largest is None else np.maximum(self.largest, largest)
        self.flat = flat if self.flat is None else self.flat + flat
        self.count += len(rows)

    def closed(self) -> Activity:
        """What holds over all of them."""
        assert self.largest is not None and self.flat is not None
        bounded = self.layer.op.text in ("tanh", "sigmoid")
        none = np.zeros(len(self.largest), np.bool_)
        dead = none if bounded else self.largest <= (0.0 if self.layer.op.text == "relu" else NEARLY)
        return Activity(self.layer, dead, self.flat / self.count if bounded else np.zeros(len(self.largest)))


SATURATED = 0.99
"""Of its range, where a bounded unit counts as flat: its slope there is 2% of the steepest (tanh)."""
NEARLY = 1e-3
"""What a unit that is smooth (GELU, SiLU) gives at most when it is dead."""


def _piece(array: Array, decl: Decl) -> Array:
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat[decl.offset : decl.offset + decl.type.size] if decl.arena else flat


def _length(arrays: Mapping[str, npt.NDArray[np.float64]]) -> float:
    return float(np.sqrt(sum(float(np.square(one).sum()) for one in arrays.values())))


def _rms(values: npt.NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.square(values)))) if values.size else 0.0
