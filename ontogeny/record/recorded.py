"""What can be asked of a run without changing it: its steps, dials, metrics, evaluations, and the state at any step.

Reading needs no lock, and never changes the folder. The machine is made when a state is first computed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.data.arrays import Arrays
from ontogeny.data.base import Array, Data
from ontogeny.isa.errors import RecordError
from ontogeny.isa.program import Program
from ontogeny.machine.base import Machine
from ontogeny.machine.learner import Learner
from ontogeny.record import changing, materials, replay
from ontogeny.record.creating import metric_names
from ontogeny.record.disk import RecordWarning
from ontogeny.record.environment import differences, environment
from ontogeny.record.ground import Ground
from ontogeny.record.hashing import shown
from ontogeny.record.history import History
from ontogeny.record.journal import Entry, Journal
from ontogeny.record.kept import Kept, kept
from ontogeny.record.lineage import forked_from, parent_of, trace
from ontogeny.record.machines import Factory, build
from ontogeny.record.program import read_program
from ontogeny.record.seat import Seat
from ontogeny.record.shown import Shown
from ontogeny.record.stepper import Stepper
from ontogeny.record.trace.view import Trajectory
from ontogeny.record.trajectories import Replayed
from ontogeny.record.verify import Report, verify

SESSION = "session"
Metrics = dict[str, float]


class Recorded(Shown):
    """A run as it is recorded.

    Where its program changed, at a fork, `program`, `history` and the machine are those since then, and `before` is the
    run that it was until then; whatever is asked of a step is asked of the run that it went by.
    """

    def __init__(
        self,
        folder: Path,
        *,
        data: Data | None = None,
        valid: Arrays | Mapping[str, Array] | None = None,
        machine: str | Factory | None = None,
        options: Mapping[str, Any] | None = None,
        seat: Seat | None = None,
        program: Program | None = None,
        upto: tuple[int, int] | None = None,
        before: Recorded | None = None,
    ) -> None:
        """`upto` cuts it: a step, and how many lines of its journal count. `before` may be given where it is known."""
        self.folder = Path(folder)
        self._upto = upto
        self._known = before
        self.parked: dict[str, Array] | None = None
        self._given = (data, valid)
        self._warned = False
        self._load(program)
        start = self.start
        self._seat = seat or Seat(
            lambda program: build(machine or start["machine"], program, {**start["options"], **(options or {})}),
            self.program,
        )
        if data is not None:
            _ = self.data

    @property
    def step(self) -> int:
        """The number of the present state: how many steps have been taken since the root began."""
        return self.history.last

    @property
    def base(self) -> int:
        """The step at which this run was forked, 0 for a root."""
        return self.history.own.first

    @property
    def start(self) -> Entry:
        """The first entry of the root: seed, machine, environment and the rest."""
        return self._lineage.start

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every journal entry that counts for this run, inherited ones first."""
        return self._lineage.entries

    @property
    def root(self) -> Path:
        """The folder of the run that this one comes from, over all forks."""
        return self._lineage.root

    @property
    def parent(self) -> Path | None:
        """The folder of the run that this one was forked from; None for a root."""
        return forked_from(self.folder, self._journal.entries)

    @property
    def own_entries(self) -> tuple[Entry, ...]:
        """The entries of this run's own journal alone; `lines` of a fork counts them."""
        return tuple(self._journal.entries)

    @property
    def changed(self) -> int | None:
        """The step at which its program changed last; None where it has been the same since the root began."""
        return self.history.first if self._lineage.before else None

    @cached_property
    def before(self) -> Recorded | None:
        """The run that this was before its program changed last, up to there; None where it never did."""
        lineage = self._lineage
        if lineage.before is None:
            return None
        if self._known is not None:
            return self._known
        folder, upto = parent_of(lineage.home, lineage.origin), (lineage.origin.at, lineage.origin["lines"])
        program = read_program(lineage.before.home, lineage.before.origin["program"])
        data, valid = self._materials()
        return Recorded(folder, data=data, valid=valid, seat=self._seat.beside(program), program=program, upto=upto)

    def as_of(self, step: int) -> Recorded:
        """The run by whose program the step from state `step` goes: this one, or what it was before."""
        return self if step >= self.history.first or self.before is None else self.before.as_of(step)

    def over(self, first: int, last: int) -> Recorded:
        """The run by whose program all steps between two states go. RecordError where the program changed between."""
        if first >= self.history.first or self.before is None:
            return self
        if last > self.history.first:
            raise RecordError(self.history.elsewhere(first))
        return self.before.over(first, last)

    @cached_property
    def data(self) -> Data:
        """What the run learns from. Raises DataError where it is neither saved nor given, or is not the same."""
        return materials.find_data(self._lineage.root, self.start["data"], self._given[0])

    @cached_property
    def valid(self) -> dict[str, Array] | None:
        """The inputs of `evaluate`, or None."""
        return materials.find_valid(self._lineage.root, self.start["valid"], self._given[1])

    @property
    def learner(self) -> Learner:
        """The program, and the values of its registers at the present step."""
        return Learner(self.program, self.state(self.step))

    @property
    def first_learner(self) -> Learner:
        """The program that it began with, and the values of its registers before the first step."""
        return Learner(self.as_of(0).program, self.state(0))

    def metrics(self, first: int = 1, last: int | None = None) -> dict[str, npt.NDArray[np.float64]]:
        """The scalar results of `learn`, by name, and `step`, for the recorded steps `first` to `last`."""
        return self.history.metrics(first, self.step if last is None else min(last, self.step))

    def evaluations(self) -> list[Metrics]:
        """The results of `evaluate`, each with its `step`, in order."""
        return self.history.evaluations()

    def latest(self) -> Metrics:
        """The metrics of the last step by name, and those of the last evaluation as `valid.*`."""
        columns = self.metrics(self.step) if self.step else {}
        found = {name: float(values[-1]) for name, values in columns.items() if len(values)}
        measured = {f"valid.{name}": value for name, value in self.history.last_evaluation().items()}
        return {name: value for name, value in (found | measured).items() if name not in ("step", "valid.step")}

    def keyframes(self) -> Kept:
        """What the keyframes take, how far apart they stand, and how long the worst rewind takes."""
        return kept(self.history, self.step)

    def dials(self, step: int | None = None) -> Metrics:
        """The dials that the step from state `step` (default: the present one) goes by."""
        step = self.step if step is None else step
        return self.as_of(step)._schedule.dials(step)

    def hash(self, step: int | None = None) -> str:
        """The 64-bit hash of a state (default: the present one) as sixteen digits, empty where it is not recorded."""
        return shown(self.history.hash_row(self.step if step is None else step) or b"")

    def state(self, step: int | None = None) -> dict[str, Array]:
        """All registers at a step (default: the present one), computed from the keyframe before it. Changes nothing."""
        step = self.step if step is None else step
        self._check_step(step)
        if step < self.history.first:
            return self.as_of(step).state(step)
        with self._seat.lock:
            if step == self.step and self._seat.holder is self:
                return self._machine().state()
            if step == self.step and self.parked is not None:
                return {name: array.copy() for name, array in self.parked.items()}
            self._machine()
            machine = self._seat.clear()
            replay.to_step(machine, self.history, self._stepper, step)
            return machine.state()

    @cached_property
    def traces(self) -> Replayed:
        """The trajectories of all parameters over all steps, computed by replay and kept as a cache."""
        return Replayed(self)

    def trajectory(self, name: str) -> Trajectory:
        """One parameter over time, read when indexed: `run.trajectory("embed.weight")[3, 7, 100:200]`."""
        return Trajectory(self.traces, name)

    def verify(self, on_progress: Callable[[int], object] | None = None) -> Report:
        """Replays every step since `base` and compares its hash; says at which step and register the first differs.

        Where the program changed at `base`, the first state is made again from the run before, too.
        """
        with self._seat.lock:
            self._machine()
            return verify(self._seat.clear(), self.history, self._stepper, on_progress)

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r}, step {self.step}, hash {self.hash()})"

    def _load(self, program: Program | None = None) -> None:
        """Reads the folder again, from the journal on."""
        self._journal = Journal(self.folder)
        step, lines = self._upto or (None, None)
        lineage = trace(self.folder, self._journal, lines)
        self._lineage = lineage if step is None else lineage.upto(step)
        self.program = program or read_program(self._lineage.home, self._lineage.origin["program"])
        names = metric_names(self.program)
        self.history = History(self._lineage, self.program, names, self._earlier, self._begun)
        self._schedule = self._lineage.schedule()
        if self._journal.damaged is not None:
            warnings.warn(
                f"line {self._journal.damaged} of {self._journal.path} is damaged; what stands before it is read, "
                f"and the run cannot go on, but it can be forked",
                RecordWarning,
                stacklevel=4,
            )

    @cached_property
    def ground(self) -> Ground:
        """What its steps are computed from beside its journal."""
        return Ground(self.data, self.program, self._lineage.folders, self.start)

    def _materials(self) -> tuple[Data | None, Arrays | Mapping[str, Array] | None]:
        """Data and validation data, as far as they were given or read."""
        return self.__dict__.get("data", self._given[0]), self.__dict__.get("valid", self._given[1])

    def _earlier(self) -> History:
        assert self.before is not None
        return self.before.history

    def _begun(self) -> dict[str, Array]:
        """The first state by its program, made from what the run was before."""
        assert self.before is not None
        fresh = changing.read_values(self._lineage.home, self._lineage.origin["values"])
        state = self.before._left(self.before.state())
        return changing.carried(self.before.program, state, self.program, fresh)

    def _left(self, state: dict[str, Array]) -> dict[str, Array]:
        """The present state once what the journal says at it has happened."""
        if self.step not in self._schedule.events:
            return state
        with self._seat.lock:
            self._machine()
            machine = self._seat.clear()
            machine.load(state)
            self._stepper.begin(machine, self.step)
            return machine.state()

    @cached_property
    def _stepper(self) -> Stepper:
        return Stepper(self.ground, self._schedule)

    def _machine(self) -> Machine:
        """The machine, made if need be. The first time, says where it differs from the one of the record."""
        machine = self._seat.machine
        if not self._warned:
            self._warned = True
            if different := differences(self._environment(), environment(machine)):
                warnings.warn(
                    f"the record of {self.folder} was computed elsewhere: {different}. A replay may differ in bits; "
                    f"every step is compared with its hash",
                    RecordWarning,
                    stacklevel=3,
                )
        return machine

    def _environment(self) -> Mapping[str, Any]:
        """Where the record's last session was computed."""
        sessions = [entry for entry in self.entries if entry.kind == SESSION]
        found: Mapping[str, Any] = (sessions[-1] if sessions else self.start)["environment"]
        return found

    def _check_step(self, step: int) -> None:
        if not 0 <= step <= self.step:
            raise RecordError(f"step {step} is not recorded; there are steps 0 to {self.step}")
