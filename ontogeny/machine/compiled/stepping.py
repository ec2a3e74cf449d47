"""Calls of the compiled machine that wait before every instruction: what a person sees are the bits of the run.

An instruction of the outermost routine is executed by the compiled machine's own kernels. Its inside, where one steps
into a call or a definition, is the reference machine's; once that has ended, the kernels' result counts. The fast mode
has no instructions left to wait at, so what was recorded in it is executed in exact mode, to within rounding.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from ontogeny.isa import attrs
from ontogeny.isa.errors import MachineError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr, Program, Routine
from ontogeny.isa.rules import value_types
from ontogeny.isa.tables import ByIdentity
from ontogeny.isa.types import Type
from ontogeny.machine.base import checked_dials, checked_inputs, outermost
from ontogeny.machine.compiled.convert import to_numpy
from ontogeny.machine.compiled.lower import Plan
from ontogeny.machine.compiled.machine import CompiledMachine
from ontogeny.machine.formats import NUMPY
from ontogeny.machine.learner import Array
from ontogeny.machine.reach import opens
from ontogeny.machine.reference import Execution
from ontogeny.machine.reference.execution import Values
from ontogeny.machine.reference.meaning import ALL
from ontogeny.machine.sizes import KEPT, fitted


class SteppingMachine(CompiledMachine):
    """A compiled machine whose calls may also be begun, and then go on instruction by instruction."""

    def __init__(self, program: Program, *, mode: str = "exact", **options: Any) -> None:
        super().__init__(program, mode="exact" if mode == "fast" else mode, **options)
        self.expansions: dict[tuple[Instr, tuple[Type, ...]], Routine] = {}
        self._others: ByIdentity[SteppingMachine] = ByIdentity(KEPT)

    def begin(self, routine: str, inputs: Mapping[str, Array], dials: Mapping[str, float]) -> Execution:
        """A call of an outermost routine that waits before its first instruction."""
        called = outermost(self.program, routine)
        program = fitted(self.program, called, inputs)
        if program is not self.program:
            return self._others.get((program,), lambda: self._other(program)).begin(routine, inputs, dials)
        plan = self.prepare(routine).plan
        given = checked_inputs(self.program, called, inputs)
        self.take()
        slots = self._values(plan, given, self._dials(dials))
        for step in plan.host:
            slots[step.out[0]] = step.function(*(slots[arg] for arg in step.args))
        return Stepped(self, called, plan, slots, {**given, **checked_dials(self.program, dials)})

    def _other(self, program: Program) -> SteppingMachine:
        """A machine of the program at other sizes, which shares the registers."""
        made = SteppingMachine(program, mode=self.mode, device=self.device, threads=self.threads)
        made.registers = self.registers
        return made

    @contextmanager
    def ready(self) -> Iterator[None]:
        """Kernels run without gradients and on the machine's number of threads."""
        before = torch.get_num_threads()
        pinned = self.threads not in (0, before)
        if pinned:
            torch.set_num_threads(self.threads)
        try:
            with torch.no_grad():
                yield
        finally:
            if pinned:
                torch.set_num_threads(before)

    def take(self) -> dict[str, Any]:
        """What called routines have committed since this was last asked."""
        taken, self._committed = self._committed, {}
        return taken

    def keep(self, values: Mapping[str, Any]) -> None:
        """Registers become what a call has committed."""
        self._commit(values)


class Stepped(Execution):
    """A call under way whose outermost instructions the compiled machine's kernels execute."""

    def __init__(
        self, machine: SteppingMachine, routine: Routine, plan: Plan, slots: dict[str, Any], given: dict[str, Array]
    ) -> None:
        """`slots` hold what the plan reads, and what it computes on the host."""
        self._machine, self._plan, self._slots = machine, plan, slots
        self._types = value_types(machine.program, routine)
        self._sources = dict(plan.commits)
        self._inner: dict[str, Any] = {}
        self._at = 0
        self.took = 0.0
        """Seconds that the kernels of the outermost routine's last instruction took."""
        super().__init__(machine.program, routine, machine.view(), given, ALL, None, machine.expansions)

    def step(self) -> None:
        """One instruction, into what it calls or is defined by."""
        instr = self.frame.instruction
        if len(self.stack) == 1 and instr is not None and not opens(instr):
            self.over()
        else:
            super().step()

    def over(self) -> None:
        """One instruction with all that it calls."""
        if len(self.stack) > 1:
            super().over()
            return
        try:
            self.bind(())
        except (MachineError, RuntimeError, IndexError) as error:
            raise MachineError(f"{self._whereabouts()}: {error}") from error
        self._settle()

    def bind(self, results: Values) -> None:
        """As the reference machine, but the outermost routine's results are the kernels'."""
        super().bind(self._computed() if len(self.stack) == 1 else results)

    def _computed(self) -> Values:
        instr = self.stack[0].routine.body[self.stack[0].position]
        with self._machine.ready():
            began = time.perf_counter()
            while not self._done(instr):
                self._kernel()
            if self._machine.device != "cpu":
                torch.cuda.synchronize(self._machine.device)
            self.took = time.perf_counter() - began
        if opens(instr):
            self._inner.update(self._machine.take())
            self.staged.update({name: self._register(name, value) for name, value in self._inner.items()})
        if instr.op is Op.COMMIT:
            name = attrs.text(instr, "name")
            self.staged[name] = self._register(name, self._slots[self._sources[name]])
        return tuple(shown(self._slots[out], self._types[out]) for out in instr.out)

    def _done(self, instr: Instr) -> bool:
        if self._at == len(self._plan.tensor):
            return True
        if instr.op is Op.COMMIT:
            return self._sources[attrs.text(instr, "name")] in self._slots
        if not instr.out:
            return self._at > 0 and self._plan.tensor[self._at - 1].instr is instr
        return all(out in self._slots for out in instr.out)

    def _kernel(self) -> None:
        step = self._plan.tensor[self._at]
        out = step.function(*(self._slots[arg] for arg in step.args))
        self._slots.update(zip(step.out, (out,) if len(step.out) == 1 else out or (), strict=True))
        self._at += 1

    def _register(self, name: str, value: Any) -> Array:
        return shown(value, self.program.decl(name).type)

    def _finish(self, results: Values) -> None:
        self._machine.keep({**self._inner, **{name: self._slots[slot] for name, slot in self._plan.commits}})
        super()._finish(results)


def shown(value: Any, type: Type) -> Array:
    """A slot's tensor or number as an array of the type, sharing memory where it can."""
    if isinstance(value, torch.Tensor):
        return to_numpy(value)
    return np.asarray(value).astype(NUMPY[type.dtype])
