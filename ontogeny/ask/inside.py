"""What happens inside a run's steps, by replay: gradients, updates and activations by layer, and other learning rates.

States on a grid are replayed once, in the order in which they are asked for, and the last ones kept; what is measured
at a state is kept for good. Nothing of the run is changed: each kind of question has a machine of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ontogeny.ask.carry import wide
from ontogeny.ask.layers import Nonlinearity, gradients, nonlinearities
from ontogeny.data.base import Array
from ontogeny.isa.errors import DataError
from ontogeny.isa.program import Decl
from ontogeny.machine.base import Machine
from ontogeny.record import replay
from ontogeny.record.counterfactual import schedule
from ontogeny.record.journal import Entry
from ontogeny.record.recorded import Recorded
from ontogeny.record.schedule import DIAL
from ontogeny.record.stepper import LEARN, Stepper
from ontogeny.record.watching import Alone

HELD_BYTES = 256 << 20
"""Bytes of states that are kept at a time."""
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
    """The units of a hidden nonlinearity at a state: which are `dead` for every example, which `saturated` for nearly
    every one; bool[units]."""

    layer: Nonlinearity
    dead: npt.NDArray[np.bool_]
    saturated: npt.NDArray[np.bool_]


@dataclass
class Inside:
    """The insides of a run; `steps` is the fine grid of states that it is looked at from."""

    run: Recorded
    steps: tuple[int, ...]
    _states: dict[int, State] = field(default_factory=dict)
    _moments: dict[int, Moment] = field(default_factory=dict)
    _active: dict[int, tuple[Activity, ...]] = field(default_factory=dict)
    _trials: dict[tuple[int, str, float, int], npt.NDArray[np.float64]] = field(default_factory=dict)
    _at: int | None = None

    def coarse(self, every: int) -> tuple[int, ...]:
        """Every so many of the grid, the last one always."""
        return tuple(dict.fromkeys((*self.steps[::every], self.steps[-1])))

    def onset(self, bad: Callable[[int], bool], every: int) -> int | None:
        """The first state of the grid from which on `bad` holds to the end; None where it does not hold at the end.

        Looked for backwards over every so many states, and by halving between them.
        """
        coarse = self.coarse(every)
        if not bad(coarse[-1]):
            return None
        first = len(coarse) - 1
        while first and bad(coarse[first - 1]):
            first -= 1
        if not first:
            return coarse[0]
        low, high = self.steps.index(coarse[first - 1]), self.steps.index(coarse[first])
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if bad(self.steps[middle]) else (middle, high)
        return self.steps[high]

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
        machine = self._tester
        machine.load(self.state(step))
        inputs, dials = self._stepper.prepare(machine, step)
        entry = machine.state()
        machine.call(LEARN, inputs, dials)
        after = machine.state()
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
        machine.load(self.state(step))
        first = Entry(DIAL, step, {"name": dial, "value": factor * run.dials(step)[dial]})
        later = [_scaled(entry, dial, factor) if entry.at > step else entry for entry in run.entries]
        at = sum(entry.at <= step for entry in run.entries)
        stepper = Stepper(run.ground, Schedule(run.start["dials"], [*later[:at], first, *later[at:]]))
        returns = run.program.routine(LEARN).returns
        name = next((n for n, value in returns if value == self.loss_value), "")
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
        return Activity(self.layer, dead, self.flat >= NEARLY_ALL * self.count if bounded else none)


SATURATED = 0.99
"""Of its range, where a bounded unit counts as flat: its slope there is 2% of the steepest (tanh)."""
NEARLY_ALL = 0.95
NEARLY = 1e-3
"""What a unit that is smooth (GELU, SiLU) gives at most when it is dead."""


def _piece(array: Array, decl: Decl) -> Array:
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat[decl.offset : decl.offset + decl.type.size] if decl.arena else flat


def _rms(values: npt.NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.square(values)))) if values.size else 0.0
