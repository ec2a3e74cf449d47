"""The compiled machine and its modes.

exact     torch's own kernels in the program's order: bits equal to plain PyTorch at the same thread count.
portable  the bits that exact gives with one thread, with any number of threads: a kernel whose bits depend on the
          thread count runs on one (threads.py).
step      as exact, one instruction at a time, so that a debugger can stop at any.
fast      the tensor part compiled by inductor; within a tolerance of exact, and the same bits again on the same build.

What is not known here: whether a mode's bits agree between two builds of torch or two kinds of processor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from ontogeny.isa.errors import MachineError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Decl, Program, Routine
from ontogeny.isa.types import DType
from ontogeny.machine.base import checked_dials, checked_inputs, checked_state, outermost
from ontogeny.machine.compiled.convert import to_numpy, to_torch
from ontogeny.machine.compiled.heap import keep_heap
from ontogeny.machine.compiled.inductor import compiled
from ontogeny.machine.compiled.lower import Lowering, Plan, Step, build, on_host
from ontogeny.machine.compiled.threads import Choice, contested, dependent, nowhere
from ontogeny.machine.formats import NUMPY
from ontogeny.machine.learner import Array
from ontogeny.machine.reads import reads
from ontogeny.machine.sizes import KEPT, fitted

MODES = ("exact", "portable", "step", "fast")
ALONE: dict[str, Choice] = {"portable": dependent, "fast": nowhere}

Watch = Callable[[Step, Mapping[str, Any]], None]
"""Called after each instruction in step mode with the values so far."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A routine that can be called: its plan, the functions of its host and tensor parts, their slots, its inputs."""

    plan: Plan
    numbers: Callable[..., tuple[Any, ...]]
    given: tuple[str, ...]
    hosted: tuple[str, ...]
    body: Callable[..., tuple[Any, ...]]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    formats: tuple[tuple[str, Any, tuple[int, ...]], ...]

    def fits(self, inputs: Mapping[str, Array]) -> bool:
        """Whether every input is an array of the declared format and shape, told as quickly as can be."""
        for name, dtype, shape in self.formats:
            array = inputs.get(name)
            if type(array) is not np.ndarray or array.dtype != dtype or array.shape != shape:
                return False
        return True


class CompiledMachine:
    """Evaluates a program with torch. `threads` pins torch's intra-operation threads while a routine runs."""

    def __init__(self, program: Program, *, mode: str = "exact", device: str = "cpu", threads: int = 0) -> None:
        if mode not in MODES:
            raise MachineError(f"the compiled machine has no mode {mode!r}; it has {', '.join(MODES)}")
        keep_heap()
        self.program = program
        self._kept = tuple(program.kept())
        self._numbers = frozenset(decl.name for decl in program.decls if on_host(decl))
        self.mode = mode
        self.device = device
        self.threads = threads
        self.watch: Watch | None = None
        self.registers: dict[str, Any] = {}
        self._ready: dict[str, Ready] = {}
        self._given: Mapping[str, Array] = {}
        self._asked: dict[str, float] | None = None
        self._turned: Mapping[str, Array] = {}
        self._committed: dict[str, Any] = {}
        self._fast: dict[str, Callable[..., tuple[Any, ...]]] = {}
        self._sized: dict[tuple[int, ...], CompiledMachine] = {}

    @property
    def any_threads(self) -> bool:
        """Whether the bits are the same with any number of threads."""
        return self.mode == "portable"

    def load(self, state: Mapping[str, Array]) -> None:
        """Take copies of one array for each register of `program.kept()`."""
        arrays = checked_state(self.program, state)
        for decl in self.program.kept():
            self.registers[decl.name] = self._put(decl, arrays[decl.name])

    def state(self) -> dict[str, Array]:
        """Copies of all registers, by name."""
        return {name: array.copy() for name, array in self.view().items()}

    def view(self) -> dict[str, Array]:
        """All registers by name, sharing memory where they can: to be read at once, before the next call."""
        return {decl.name: self._get(decl) for decl in self._kept}

    def call(self, routine: str, inputs: Mapping[str, Array], dials: Mapping[str, float]) -> dict[str, Array]:
        """Run an outermost routine; its results by name."""
        ready = self.prepare(routine)
        if not ready.fits(inputs):
            program = fitted(self.program, ready.plan.routine, inputs)
            if program is not self.program:
                return self._at(program).call(routine, inputs, dials)
            inputs = checked_inputs(self.program, ready.plan.routine, inputs)
        values = self._values(ready.plan, inputs, self._dials(dials))
        self._committed = {}
        before = torch.get_num_threads()
        pinned = self.threads not in (0, before)
        if pinned:
            torch.set_num_threads(self.threads)
        try:
            with torch.no_grad():
                outputs = self._run(ready, values)
        except (RuntimeError, IndexError) as error:
            raise MachineError(f"routine {routine!r} could not go on: {error}") from error
        finally:
            if pinned:
                torch.set_num_threads(before)
        values.update(zip(ready.outputs, outputs, strict=True))
        self._commit({**self._committed, **{name: values[slot] for name, slot in ready.plan.commits}})
        return {name: self._result(ready.plan, slot, values[slot]) for name, slot in ready.plan.routine.returns}

    def _at(self, program: Program) -> CompiledMachine:
        """A machine of the program at other sizes, which shares the registers."""
        key = tuple(size.n for size in program.sizes)
        if key not in self._sized:
            while len(self._sized) >= KEPT:
                del self._sized[next(iter(self._sized))]
            other = CompiledMachine(program, mode=self.mode, device=self.device, threads=self.threads)
            other.registers = self.registers
            self._sized[key] = other
        self._sized[key].watch = self.watch
        return self._sized[key]

    def _dials(self, dials: Mapping[str, float]) -> Mapping[str, Array]:
        """The dials as arrays; the same again while nobody turns one."""
        if self._asked is None or self._asked != dials:
            self._asked, self._turned = dict(dials), checked_dials(self.program, dials)
        return self._turned

    def _commit(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            scalar = name in self._numbers and isinstance(value, torch.Tensor)
            self.registers[name] = value.item() if scalar else value

    def _run(self, ready: Ready, values: dict[str, Any]) -> tuple[Any, ...]:
        values.update(zip(ready.hosted, ready.numbers(*[values[slot] for slot in ready.given]), strict=True))
        if self.mode == "step":
            return self._stepped(ready, values)
        given = [values[slot] for slot in ready.inputs]
        if self.mode == "fast":
            if ready.plan.routine.name not in self._fast:
                self._fast[ready.plan.routine.name] = compiled(ready.body, given, ready.plan.routine.name, self.device)
            return self._fast[ready.plan.routine.name](*given)
        return ready.body(*given)

    def _stepped(self, ready: Ready, values: dict[str, Any]) -> tuple[Any, ...]:
        for step in ready.plan.tensor:
            out = step.function(*(values[a] for a in step.args))
            values.update(zip(step.out, (out,) if len(step.out) == 1 else out or (), strict=True))
            if self.watch:
                self.watch(step, values)
        return tuple(values[slot] for slot in ready.outputs)

    def _values(self, plan: Plan, inputs: Mapping[str, Array], dials: Mapping[str, Array]) -> dict[str, Any]:
        self._given, self._turned = inputs, dials
        return {**plan.constants, **{slot: self._read(decl) for slot, decl in plan.reads}}

    def _read(self, decl: Decl) -> Any:
        """A declared value as the outermost call found it."""
        if decl.kind == "input":
            return to_torch(self._given[decl.name], decl.type.dtype, self.device)
        if decl.kind == "dial":
            return self._put(decl, self._turned[decl.name])
        return self._register(decl)

    def _register(self, decl: Decl) -> Any:
        home = decl.arena or decl.name
        if home not in self.registers:
            raise MachineError(f"no value for {decl.name!r}; load the machine's state before calling a routine")
        if not decl.arena:
            return self.registers[home]
        part = self.registers[home].narrow(0, decl.offset, decl.type.size).view(decl.type.shape)
        return part.item() if decl.name in self._numbers else part

    def prepare(self, name: str) -> Ready:
        """The outermost routine called `name`, lowered; once for each."""
        if name not in self._ready:
            plan = self._lower(outermost(self.program, name))
            self._ready[name] = self._compile(plan)
        return self._ready[name]

    def _lower(self, routine: Routine, nested: bool = False) -> Plan:
        alone = ALONE.get(self.mode, contested)
        return Lowering(self.program, routine, self.device, alone, self._sub, nested).run()

    def _compile(self, plan: Plan) -> Ready:
        known, hosted = [slot for slot, _ in plan.reads], [slot for step in plan.host for slot in step.out]
        asked = {a for step in plan.host for a in step.args}
        given = [slot for slot in known if slot in asked]
        needed = {a for step in plan.tensor for a in step.args}
        wanted = dict.fromkeys([slot for _, slot in (*plan.routine.returns, *plan.commits)])
        outputs = [slot for slot in wanted if slot not in plan.scalars and slot not in plan.constants]
        inputs = [slot for slot in dict.fromkeys([*known, *hosted]) if slot in needed or slot in outputs]
        numbers, body = build(replace(plan, tensor=plan.host), given, hosted), build(plan, inputs, outputs)
        formats = tuple((d.name, np.dtype(NUMPY[d.type.dtype]), d.type.shape) for d in self._wanted(plan.routine))
        return Ready(plan, numbers, tuple(given), tuple(hosted), body, tuple(inputs), tuple(outputs), formats)

    def _wanted(self, routine: Routine) -> list[Decl]:
        """The inputs that a routine may read."""
        decls = [self.program.decl(name) for name in reads(self.program, routine)]
        return [decl for decl in decls if decl.kind == "input"]

    def _sub(self, name: str) -> Callable[..., tuple[Any, ...]]:
        """A called routine as a function of tensors. What it reads is as the outermost call found it."""
        plan = self._lower(self.program.routine(name), nested=True)
        reads, returns = [slot for slot, _ in plan.reads], [slot for _, slot in plan.routine.returns]
        commits = [slot for _, slot in plan.commits]
        body = build(plan, [*(param for param, _ in plan.routine.params), *reads], [*returns, *commits])
        if self.mode == "fast" and (reads or commits):
            raise MachineError(f"routine {name!r} is called and reads or commits registers; use mode='exact'")

        def run(*args: Any) -> tuple[Any, ...]:
            found = body(*args, *(self._read(decl) for _, decl in plan.reads))
            self._committed.update(zip((n for n, _ in plan.commits), found[len(returns) :], strict=True))
            return tuple(found[: len(returns)])

        return run

    def _put(self, decl: Decl, array: Array) -> Any:
        return array.item() if decl.name in self._numbers else to_torch(array.copy(), decl.type.dtype, self.device)

    def _get(self, decl: Decl) -> Array:
        if decl.name not in self.registers:
            raise MachineError(f"no value for {decl.name!r}; load the machine's state first")
        value = self.registers[decl.name]
        if decl.name in self._numbers:
            return np.array(value, dtype=NUMPY[decl.type.dtype])
        return np.ascontiguousarray(to_numpy(value)).reshape(decl.type.shape)

    def _result(self, plan: Plan, slot: str, value: Any) -> Array:
        if isinstance(value, torch.Tensor):
            return np.array(to_numpy(value))
        for instr in plan.routine.body:
            if slot in instr.out and instr.op is Op.CONST:
                dtype = instr.attr("dtype")
                assert isinstance(dtype, DType)
                return np.array(value, dtype=NUMPY[dtype])
        kind = np.bool_ if isinstance(value, bool) else np.int64 if isinstance(value, int) else np.float64
        return np.array(value, dtype=kind)
