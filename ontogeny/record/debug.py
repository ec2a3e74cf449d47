"""Debugging a run: any instruction of any recorded step, forwards and back over steps too.

Steps start from the recorded states, which the run's own machine computes from keyframes. What the record tells is not
executed again: steps in which no breakpoint can stop are passed over, and a condition on a result is decided by the
recorded results. Nothing is written to the run. Once a dial is set the session is a diversion: from that step on,
states are its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ontogeny.data.base import Array
from ontogeny.isa.errors import RecordError
from ontogeny.machine.breakpoints import Breakpoint, When, brief, parse_break, parse_condition
from ontogeny.machine.debugger import START, Debugger, Stop, Why
from ontogeny.record.recorded import Recorded
from ontogeny.record.stepper import LEARN
from ontogeny.record.steps import Steps


class RunDebugger:
    """A debugger that stands somewhere in a run; every move gives the reason why it stopped."""

    def __init__(self, run: Recorded, step: int | None = None) -> None:
        """At the beginning of a step: `step` names the state it starts from (default: the last step taken).

        Where the run's program changed later than that, it is gone through as the run was before.
        """
        self.run = run = run if step is None else run.as_of(step)
        self.steps = Steps(run)
        self.breakpoints: dict[int, Breakpoint] = {}
        self._numbered = 0
        self.visit(max(run.history.first, run.step - 1) if step is None else step)

    def visit(self, step: int) -> Stop:
        """To the beginning of a step, which may be the one after the last recorded."""
        if step < 0:
            raise RecordError(f"there is no step {step}; steps count from 0")
        return self._stand(step, self.steps.state(step))

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
        stop = self._through()
        while stop.why is Why.END and self.step_number + 1 < self.run.step:
            following = self._likely(self.step_number + 1, self.run.step - 1)
            if not len(following):
                self.visit(self.run.step - 1)
                self.debugger.to_end()
                return stop
            stop = self._begun(following[0])
            if stop.why is not Why.HIT:
                stop = self._through()
        return stop

    def back(self) -> Stop:
        """The state one instruction earlier; from the beginning of a step, the end of the one before."""
        stop = self.debugger.back()
        if stop.why is not Why.BEGINNING or self.step_number == self.run.history.first:
            return stop
        self.visit(self.step_number - 1)
        self.debugger.to_end()
        return Stop(Why.MOVED)

    def reverse(self) -> Stop:
        """Back to the last breakpoint before here, over earlier steps too, or to where the run's program began."""
        first = self.run.history.first
        stop = self.debugger.reverse()
        while stop.why is Why.BEGINNING and self.step_number > first:
            earlier = self._likely(first, self.step_number - 1)
            self.visit(earlier[-1] if len(earlier) else first)
            stop = self.debugger.last_hit()
            if stop.why is Why.BEGINNING and (text := self._recorded()):
                self.debugger.to_end()
                return Stop(Why.HIT, text)
        return stop

    def restore(self) -> None:
        """After an interruption: to the last instruction that was completed."""
        self.debugger.restart(self.debugger.point)

    def set_dial(self, name: str, value: float) -> None:
        """Another value from the present step on, in this session alone; the step is executed anew as far as here."""
        point = self.debugger.point
        self.steps.turn(self.step_number, name, value)
        self.debugger.restart(point)

    def dials(self) -> dict[str, float]:
        """The dials of the present step."""
        return {**self.run.dials(self.step_number), **self.steps.dials(self.step_number)}

    def _next_step(self) -> Stop:
        return self._begun(self.step_number + 1)

    def _begun(self, step: int) -> Stop:
        """At the beginning of a step, which may be where a breakpoint is."""
        follows = self.debugger.finished and step == self.step_number + 1
        self._stand(step, self.steps.after(self.step_number) if follows else self.steps.state(step))
        text = self.debugger.hits()
        return Stop(Why.HIT, text) if text else Stop(Why.MOVED)

    def _stand(self, step: int, state: Mapping[str, Array]) -> Stop:
        self.debugger = Debugger(lambda: self.steps.begin(step, state), self.breakpoints, step)
        return Stop(Why.MOVED)

    def _through(self) -> Stop:
        """On to a breakpoint in this step, or to its end, where the record alone may have a reason to stop."""
        fresh = self.debugger.point == START
        stop = self.debugger.go()
        if stop.why is Why.END and fresh and (text := self._recorded()):
            return Stop(Why.HIT, text)
        return stop

    def _likely(self, first: int, last: int) -> list[int]:
        """The steps from `first` to `last` in which a breakpoint may stop, as far as the record can tell."""
        taken = self.steps.taken(first, last)
        masks = [point.steps(taken) for point in self.breakpoints.values()]
        return [int(step) for step in taken.numbers[np.logical_or.reduce(masks)]] if masks else []

    def _recorded(self) -> str:
        """The conditions that hold by this step's recorded results, which are right where the session's differ."""
        if self.step_number >= self.run.step:
            return ""
        taken = self.steps.taken(self.step_number, self.step_number)
        found = [
            f"{number}: {point.compare}: {brief(taken.results[point.compare.place.name][0])} by the record"
            for number, point in sorted(self.breakpoints.items())
            if isinstance(point, When) and point.recorded(taken).any()
        ]
        return "; ".join(found)
