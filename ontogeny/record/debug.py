"""Debugging a run: any instruction of any recorded step, forwards and back over steps too.

Steps start from the recorded states, which the run's own machine computes from keyframes; inside a step the reference
machine goes one instruction at a time. Nothing is written to the run. Once a dial is set the session is a diversion:
from that step on, states are the reference machine's own.
"""

from __future__ import annotations

from collections.abc import Mapping

from ontogeny.data.base import Array
from ontogeny.isa.errors import RecordError
from ontogeny.machine.base import Machine
from ontogeny.machine.breakpoints import Breakpoint, parse_break, parse_condition
from ontogeny.machine.debugger import Debugger, Stop, Why
from ontogeny.machine.reference import Execution, ReferenceMachine
from ontogeny.record.creating import check_dial
from ontogeny.record.recorded import Recorded
from ontogeny.record.replay import to_step
from ontogeny.record.stepper import LEARN

KEPT = 8
"""States of neighbouring steps that are kept, so that going back over steps does not begin at a keyframe each time."""


class States:
    """The recorded states, one after another on the run's machine, the last few remembered."""

    def __init__(self, run: Recorded) -> None:
        self.run = run
        self.parked: dict[str, Array] | None = None
        self._at = -1
        self._kept: dict[int, dict[str, Array]] = {}

    def at(self, step: int) -> dict[str, Array]:
        """The state of a step. Raises RecordError where it is not recorded or does not replay."""
        if not 0 <= step <= self.run.step:
            raise RecordError(f"step {step} is not recorded; there are steps 0 to {self.run.step}")
        if step not in self._kept:
            self._walk(step)
        return self._kept[step]

    def _walk(self, step: int) -> None:
        seat = self.run._seat
        with seat.lock:
            machine = self.run._machine()
            if seat.holder is not self or not self._at < step <= self._at + KEPT:
                seat.clear()
                self._at = max(0, step - KEPT + 1)
                to_step(machine, self.run.history, self.run._stepper, self._at)
                seat.holder = self
                self._keep(machine)
            while self._at < step:
                self.run._stepper.take(machine, self._at)
                self._at += 1
                self._keep(machine)

    def _keep(self, machine: Machine) -> None:
        self._kept[self._at] = machine.state()
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]


class Steps:
    """Executions of `learn` from the state of any step, on a reference machine of their own."""

    def __init__(self, run: Recorded) -> None:
        self.run = run
        self.states = States(run)
        self.machine = ReferenceMachine(run.program)
        self.turned: dict[int, dict[str, float]] = {}
        self._own: tuple[int, dict[str, Array]] | None = None

    @property
    def diverted(self) -> int | None:
        """The first step with a dial set here, None where there is none."""
        return min(self.turned, default=None)

    def begin(self, step: int, state: Mapping[str, Array]) -> Execution:
        """The step's `learn`, about to begin; its edits and calls have happened."""
        self.machine.load(state)
        batch, dials = self.run._stepper.prepare(self.machine, step)
        return self.machine.begin(LEARN, batch, {**dials, **self.dials(step)})

    def state(self, step: int) -> dict[str, Array]:
        """The state that a step starts from: the recorded one, or after a diversion what it has led to."""
        first = self.run.step if self.diverted is None else min(self.diverted, self.run.step)
        if step <= first:
            return self.states.at(step)
        if self._own is None or not first < self._own[0] <= step:
            self._own = first, self.states.at(first)
        at, state = self._own
        while at < step:
            execution = self.begin(at, state)
            while not execution.finished:
                execution.step()
            at, state = at + 1, self.machine.state()
        self._own = at, state
        return state

    def turn(self, step: int, name: str, value: float) -> None:
        """A dial has another value from a step on, in this session alone."""
        self.turned.setdefault(step, {})[name] = check_dial(self.run.program, name, value)
        self._own = None

    def dials(self, step: int) -> dict[str, float]:
        """The dials set here that are in force at a step."""
        found: dict[str, float] = {}
        for first in sorted(self.turned):
            if first <= step:
                found.update(self.turned[first])
        return found


class RunDebugger:
    """A debugger that stands somewhere in a run; every move gives the reason why it stopped."""

    def __init__(self, run: Recorded, step: int | None = None) -> None:
        """At the beginning of a step: `step` names the state it starts from (default: the last step taken)."""
        self.run = run
        self.steps = Steps(run)
        self.breakpoints: dict[int, Breakpoint] = {}
        self._numbered = 0
        self.visit(max(0, run.step - 1) if step is None else step)

    def visit(self, step: int) -> Stop:
        """To the beginning of a step, which may be the one after the last recorded."""
        if step < 0:
            raise RecordError(f"there is no step {step}; steps count from 0")
        state = self.steps.state(step)
        self.debugger = Debugger(lambda: self.steps.begin(step, state), self.breakpoints, step)
        return Stop(Why.MOVED)

    @property
    def step_number(self) -> int:
        """The number of the state that the present step starts from."""
        return self.debugger.number

    def add(self, text: str, *, watch: bool = False) -> tuple[int, Breakpoint]:
        """A breakpoint, or with `watch` a value to watch, in words; and its number. MachineError where it says none."""
        frame = self.debugger.execution.stack[-1:]
        routine = frame[0].routine.name if frame else LEARN
        program = self.run.program
        made = parse_condition(f"changed {text}", program) if watch else parse_break(text, program, routine)
        self._numbered += 1
        self.breakpoints[self._numbered] = made
        return self._numbered, made

    def remove(self, number: int) -> None:
        """Forgets a breakpoint. Raises RecordError where there is none of that number."""
        if number not in self.breakpoints:
            raise RecordError(f"there is no breakpoint {number}; there are {list(self.breakpoints) or 'none'}")
        del self.breakpoints[number]

    def step(self) -> Stop:
        """One instruction, into calls and definitions; at the end of a step, to the beginning of the next one."""
        return self._next_step() if self.debugger.finished else self.debugger.step()

    def next(self) -> Stop:
        """One instruction of this routine; at the end of a step, to the beginning of the next one."""
        return self._next_step() if self.debugger.finished else self.debugger.next()

    def out(self) -> Stop:
        """To where this routine returns to."""
        return self.debugger.out()

    def go(self) -> Stop:
        """On to the next breakpoint, over steps too, or to the end of the last recorded step."""
        while True:
            stop = self.debugger.go()
            if stop.why is not Why.END or self.step_number + 1 >= self.run.step:
                return stop
            stop = self._next_step()
            if stop.why is Why.HIT:
                return stop

    def back(self) -> Stop:
        """The state one instruction earlier; from the beginning of a step, the end of the one before."""
        stop = self.debugger.back()
        if stop.why is not Why.BEGINNING or self.step_number == 0:
            return stop
        self.visit(self.step_number - 1)
        self.debugger.to_end()
        return Stop(Why.MOVED)

    def reverse(self) -> Stop:
        """Back to the last breakpoint before here, over earlier steps too, or to the beginning of the run."""
        stop = self.debugger.reverse()
        while stop.why is Why.BEGINNING and self.step_number > 0:
            self.visit(self.step_number - 1)
            stop = self.debugger.last_hit()
        return stop

    def restore(self) -> None:
        """After an interruption: to the last instruction that was completed."""
        self.debugger.restart(self.debugger.done)

    def set_dial(self, name: str, value: float) -> None:
        """Another value from the present step on, in this session alone; the step is executed anew as far as here."""
        done = self.debugger.done
        self.steps.turn(self.step_number, name, value)
        self.debugger.restart(done)

    def dials(self) -> dict[str, float]:
        """The dials of the present step."""
        return {**self.run.dials(self.step_number), **self.steps.dials(self.step_number)}

    def _next_step(self) -> Stop:
        self.visit(self.step_number + 1)
        text = self.debugger.hits()
        return Stop(Why.HIT, text) if text else Stop(Why.MOVED)
