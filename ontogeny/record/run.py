"""A run: a pure function of (program, data, seed, journal), kept in a folder, and the one loop that extends it.

The first thing that writes takes the lock, cuts what a crash tore, and holds the lock until `close`. Steps are numbered
by the states between them: state 0 is the initial one, and an entry `at` k takes part in the step from state k on.
Only the journal is synced at every write: rows of steps that a crash loses are computed again, to the same bits.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any

from ontogeny.data.arrays import Arrays
from ontogeny.data.base import Array, Data
from ontogeny.isa.errors import RecordError
from ontogeny.isa.program import Program
from ontogeny.machine.base import Machine
from ontogeny.machine.learner import Learner
from ontogeny.record import blame, forking, replay
from ontogeny.record.creating import EVALUATE, Plan, check_dial, valid_inputs, write_run
from ontogeny.record.disk import RecordWarning
from ontogeny.record.environment import differences, environment
from ontogeny.record.interrupts import Interrupts
from ontogeny.record.journal import Entry, stamped
from ontogeny.record.keeper import Keeper
from ontogeny.record.lock import Lock
from ontogeny.record.machines import Factory, build, called, pinned
from ontogeny.record.recorded import SESSION, Metrics
from ontogeny.record.schedule import EFFECTIVE
from ontogeny.record.seat import Seat
from ontogeny.record.spacing import SECONDS, SHARE, Budget
from ontogeny.record.steered import Steered
from ontogeny.record.stepper import view

FLUSH_SECONDS = 1.0
Until = Callable[[Mapping[str, float]], bool]
OnStep = Callable[[int, Mapping[str, float]], object]


class Stop(Enum):
    """Why `advance` came back."""

    STEPS = "took all the steps asked for"
    CONDITION = "the condition held"


def create(
    folder: Path | str,
    learner: Learner,
    data: Data,
    *,
    valid: Arrays | Mapping[str, Array] | None = None,
    seed: int = 0,
    dials: Mapping[str, float] | None = None,
    machine: str | Factory = "compiled",
    options: Mapping[str, Any] | None = None,
    keyframe_every: int | None = None,
    keyframe_bytes: int | None = None,
    recording_share: float = SHARE,
    rewind_seconds: float = SECONDS,
    evaluate_every: int = 0,
    author: str = "you",
) -> Run:
    """A new run in `folder`, at step 0, open for writing. Raises an OntogenyError for what does not fit together.

    Where `keyframe_every` does not give the spacing of keyframes, it is the one at which a rewind takes
    `rewind_seconds`, or more where hashing and keyframes would take more than `recording_share` of a step. Past
    `keyframe_bytes` (by default 2 GiB, unbounded where the spacing is given) they are thinned; no step is lost by that.
    """
    folder = Path(folder)
    filled = pinned(machine, options)
    seat = Seat(lambda program: build(machine, program, filled), learner.program)
    inputs = valid_inputs(valid)
    budget = Budget.asked(keyframe_every, keyframe_bytes, recording_share, rewind_seconds)
    plan = Plan(inputs, seed, dials or {}, called(machine), filled, budget, evaluate_every, author)
    write_run(folder, learner, data, plan, seat.machine)
    run = Run(folder, data=data, valid=inputs, seat=seat, program=learner.program)
    run._write()
    return run


def open_run(
    folder: Path | str,
    data: Data | None = None,
    *,
    valid: Arrays | Mapping[str, Array] | None = None,
    machine: str | Factory | None = None,
    options: Mapping[str, Any] | None = None,
) -> Run:
    """The run in `folder`, as far as it is recorded. `data` is needed where it was too large to be saved with the run.

    `machine` is needed where the run was made by a factory. Raises RecordError for a folder that holds no readable run.
    """
    return Run(Path(folder), data=data, valid=valid, machine=machine, options=options)


class Run(Steered):
    """A run that can go on. Made by `create`, `open_run` and `fork`."""

    _lock: Lock | None = None

    def advance(self, steps: int, *, until: Until | None = None, on_step: OnStep | None = None) -> Stop:
        """Takes `steps` steps, fewer where `until` (given the metrics, and the last `valid.*`) holds.

        `on_step(step, metrics)` may turn dials, fork and read. Ctrl-C stops after the step that it falls into and
        raises KeyboardInterrupt; the run can go on, here or in another process. RecordError where the disk fails;
        its NonfiniteError where a metric turned non-finite, with the instruction, the user's line and the example.
        """
        owed = self._write()
        with self._seat.lock, Interrupts() as interrupts:
            try:
                for _ in range(steps - owed):
                    metrics = self._take_step()
                    if on_step is not None:
                        on_step(self.step, metrics)
                    if not all(math.isfinite(metrics[name]) for name in self._names):
                        blame.turned(self)
                    if until is not None and until(metrics):
                        return Stop.CONDITION
                    interrupts.check()
            finally:
                self._flush(sync=True)
        return Stop.STEPS

    def note(self, kind: str, *, author: str = "you", step: int | None = None, **content: Any) -> Entry:
        """Writes an entry that changes nothing about the steps, such as a command and what it led to.

        It stands at `step`, by default the present one; forks from that step on have it too.
        """
        if kind in (*EFFECTIVE, SESSION, "start", "fork"):
            raise RecordError(f"entries of kind {kind!r} have a meaning of their own; choose another kind")
        if step is not None:
            self._check_step(step)
        return self._append(kind, author, step, **content)

    def refresh(self) -> None:
        """Reads again what another process may have written since; a run that is being written here is up to date."""
        if self._lock is None:
            known = self.step, self.hash()
            self._load(self.program)
            self._stepper.reschedule(self._schedule)
            if known != (self.step, self.hash()):
                self._seat.leave(self)

    def fork(
        self,
        step: int,
        folder: Path | str,
        dials: Mapping[str, float] | None = None,
        *,
        program: Program | None = None,
        values: Mapping[str, Array] | None = None,
        author: str = "you",
        lines: int | None = None,
    ) -> Run:
        """A new run in `folder` that shares this one's first `step` steps and copies nothing.

        It inherits the entries up to and at `step`. With `lines`, only so many lines of this run's own journal count,
        which undoes later entries that stand at `step` itself.

        With `program` it goes by that one from `step` on: registers of the same name and type are carried over, new
        ones begin at `values`, or else at zero; dials of the same name stay where they are. Without, it goes by the
        program that this run went by at that step. Raises an OntogenyError for what does not fit together.
        """
        self._check_step(step)
        source, folder = self.as_of(step), Path(folder)
        lines = lines if source is self else None
        goes_by = program or source.program
        turned = {name: check_dial(goes_by, name, value) for name, value in (dials or {}).items()}
        if values and program is None:
            raise RecordError("values= are for the registers of another program; pass program=, or edit() the fork")
        if self._lock is not None:
            self._flush(sync=True)
        before, change, seat = source.__dict__.get("before"), None, source._seat
        if program is not None:
            before, change = forking.change_of(source, step, program, turned, values or {}, lines)
            seat = seat.beside(program)
        forking.write_fork(source, step, folder, turned, author, lines, change)
        data, valid = source._materials()
        child = Run(folder, data=data, valid=valid, seat=seat, program=goes_by, before=before)
        child.parked = dict(change.state) if change else None
        return child

    def close(self) -> None:
        """Writes what waits in memory and lets go of the folder; the run can still be read, and written to again."""
        if self._lock is not None:
            try:
                if self._seat.holder is self and self._keeper.wanted(self.step):
                    self._keyframe(self._seat.machine, self.step)
                self._flush(sync=True)
            finally:
                self._release()

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take_step(self) -> Metrics:
        """One step, its hash and its metrics; keyframe, evaluation and flush where they are due."""
        machine = self._sit()
        started = time.perf_counter()
        try:
            results = self._stepper.take(machine, self.step)
            stepped = time.perf_counter()
            values = tuple([float(results[name]) for name in self._names])
            self._rows.append(self.history.hasher.row(view(machine)), values)
        except BaseException:  # Ctrl-C inside a step: half of it is taken back
            self._rows.repair()
            self._seat.leave(self)
            raise
        step, now = self.step, time.perf_counter()
        self._keeper.took(stepped - started, now - stepped)
        if self._evaluate_every and step % self._evaluate_every == 0:
            self._evaluate(machine)
        if step >= self._keeper.due and self._keeper.wanted(step):
            self._keyframe(machine, step)
        elif now - self._flushed > FLUSH_SECONDS:
            self._flush(sync=False)
        return {**dict(zip(self._names, values, strict=True)), **self._evaluated}

    def _sit(self) -> Machine:
        """The machine with the present state on it."""
        if self._seat.holder is self:
            return self._seat.machine
        self._machine()
        machine = self._seat.clear()
        if self.parked is not None:
            machine.load(self.parked)
            self.parked = None
        else:
            replay.to_step(machine, self.history, self._stepper, self.step)
        self._seat.holder = self
        return machine

    def _evaluate(self, machine: Machine) -> None:
        results = machine.call(EVALUATE, self.valid or {}, self.dials())
        values = {name: float(value) for name, value in results.items() if not value.shape}
        self.history.own.evaluations.add(self.step, values)
        self._evaluated = {f"valid.{name}": value for name, value in values.items()}

    def _keyframe(self, machine: Machine, step: int) -> None:
        self._flush(sync=False)
        hash_row = self.history.hash_row(step) or b""
        self._keeper.keep(step, view(machine), hash_row, self._entry_steps())

    def _entry_steps(self) -> list[int]:
        return [entry.at for entry in self.entries]

    def _flush(self, sync: bool) -> None:
        own = self.history.own
        own.evaluations.flush(sync)
        own.rows.flush(sync)
        if sync:
            own.keyframes.sync()
        self._flushed = time.perf_counter()

    def _append(self, kind: str, author: str, at: int | None = None, **content: Any) -> Entry:
        """An entry at the present step, or at an earlier one, after the rows of all steps before it."""
        self._write()
        self._flush(sync=True)
        entry = stamped(kind, self.step if at is None else at, author, **content)
        self._journal.append(entry)
        self._lineage = replace(self._lineage, entries=(*self.entries, entry))
        if kind in EFFECTIVE:
            self._schedule = self._lineage.schedule()
            self._stepper.reschedule(self._schedule)
        return entry

    def _write(self) -> int:
        """Takes the lock, cuts what a crash tore, and takes the lost steps that the journal speaks of: how many."""
        if self._lock is not None:
            return 0
        self._lock = Lock(self.folder)
        known = self.step, self.hash()
        try:
            self._load(self.program)
            if known != (self.step, self.hash()):
                self._seat.leave(self)
            self._mend()
            self._begin_session()
            owed = max(0, max(entry.at for entry in self.entries) - self.step)
            while (left := max(entry.at for entry in self.entries) - self.step) > 0:
                with suppress(blame.NonfiniteError):
                    self.advance(left)
            return owed
        except BaseException:  # nobody is left who would release it
            self._release()
            raise

    def _mend(self) -> None:
        """Opens the files for writing, cut after the last sound step, and says what was cut."""
        own = self.history.own
        self._stepper.reschedule(self._schedule)
        self._rows, self._names = own.rows, own.rows.names
        said = []
        if self._journal.torn:
            said.append(f"the last line of its journal was torn off ({self._journal.torn} bytes) and has been cut")
        if own.rows.lost:
            said.append(f"the record of {own.rows.lost} steps after step {self.step} was incomplete and has been cut")
        self._journal.open_for_writing()
        own.rows.open_for_writing()
        own.evaluations.open_for_writing(self.step)
        own.keyframes.drop_after(self.step)
        forking.hold_first(self.history)
        if said:
            warnings.warn(f"{self.folder}: {'; '.join(said)}", RecordWarning, stacklevel=4)

    def _begin_session(self) -> None:
        """Settings of the loop, and an entry where the environment is not that of the session before."""
        self._keeper = Keeper(self.history.own, Budget.of(self.start.content), self.step)
        self._keeper.thin(self._entry_steps())
        self._evaluate_every = self.start["evaluate_every"]
        present = environment(self._machine())
        if differences(self._environment(), present):
            entry = stamped(SESSION, self.step, "ontogeny", environment=present)
            self._journal.append(entry)
            self._lineage = replace(self._lineage, entries=(*self.entries, entry))
        self._flushed = time.perf_counter()
        found = self.evaluations()
        last = found[-1] if found else {}
        self._evaluated = {f"valid.{name}": v for name, v in last.items() if name != "step" and not math.isnan(v)}
        if self._evaluate_every and not found and self.step == 0 and len(self.history.parts) == 1:
            self._evaluate(self._sit())

    def _release(self) -> None:
        own = self.history.own
        self._journal.close()
        own.rows.close()
        own.evaluations.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None
