"""A learner back to an `nn.Module`: its parameters under their own names, its `predict` as the forward pass.

The forward pass runs the compiled machine's kernels, so autograd goes through it. It takes a batch of any size where
the program does. A weight that was tied to another appears once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils._python_dispatch import _disable_current_modes

from ontogeny.front.names import piece, plain_name
from ontogeny.isa.errors import MachineError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Decl, Program
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.machine.compiled.convert import TORCH, to_torch
from ontogeny.machine.compiled.lower import on_host
from ontogeny.machine.compiled.machine import Ready
from ontogeny.machine.learner import Array, Learner
from ontogeny.machine.sizes import KEPT, expected, fitted


def to_module(learner: Learner, state: Mapping[str, Array] | None = None, routine: str = "predict") -> nn.Module:
    """A module that does what the learner's routine does, with the registers of `state` (default: its initial ones).

    Its inputs are given by position, in the order in which they are declared, or by name. Raises MachineError when the
    program has no such routine.
    """
    if not learner.program.has(routine):
        raise MachineError(f"the program has no routine {routine!r}; capture with predict=lambda model, batch: ...")
    return LearnerModule(learner.program, state or learner.values, routine)


def _apart(program: Program) -> Program:
    """The program with each piece of an arena as a register of its own, for routines that read no whole arena."""
    arenas = {decl.arena for decl in program.decls}
    return replace(program, decls=tuple(replace(d, arena="", offset=0) for d in program.decls if d.name not in arenas))


class LearnerModule(nn.Module):
    """One routine of a program over parameters and buffers; one result is a tensor, several are a dict."""

    def __init__(self, program: Program, state: Mapping[str, Array], routine: str) -> None:
        super().__init__()
        self._program, self._routine = program, routine
        self._at: dict[tuple[int, ...], Ready] = {}
        self._ready = self._prepared(self._program)
        self._inputs = [decl.name for decl in program.of("input") if decl in [d for _, d in self._ready.plan.reads]]
        self._paths: dict[str, tuple[nn.Module, str]] = {}
        learned = _committed(program)
        shown = [*program.named_params(), *(d for _, d in self._ready.plan.reads if d.kind == "state")]
        for decl in dict.fromkeys(shown):
            value = to_torch(np.array(piece(program, state, decl.name)), decl.type.dtype)
            self._hold(decl, plain_name(program, decl.name), value, (decl.arena or decl.name) in learned)

    def _prepared(self, program: Program) -> Ready:
        """The routine lowered for the program's sizes, once for each."""
        key = tuple(size.n for size in program.sizes)
        if key not in self._at:
            while len(self._at) >= KEPT:
                del self._at[next(iter(self._at))]
            with _disable_current_modes():  # a trace that meets a new size has no part in how it is prepared
                self._at[key] = CompiledMachine(_apart(program)).prepare(self._routine)
        return self._at[key]

    def _hold(self, decl: Decl, name: str, value: torch.Tensor, learned: bool) -> None:
        *folders, last = name.split(".")
        place: nn.Module = self
        for folder in folders:
            if folder not in place._modules:
                place.add_module(folder, nn.Module())
            place = getattr(place, folder)
        if decl.kind == "param":
            place.register_parameter(last, nn.Parameter(value, requires_grad=learned and decl.type.dtype.is_float))
        else:
            place.register_buffer(last, value)
        self._paths[decl.name] = (place, last)

    def forward(self, *args: torch.Tensor, **named: torch.Tensor) -> Any:
        """The routine's result: a tensor, or a dict of several."""
        inputs = {**dict(zip(self._inputs, args, strict=False)), **named}
        if set(inputs) != set(self._inputs) or len(args) > len(self._inputs):
            raise MachineError(f"the inputs {', '.join(self._inputs)} were expected, not {', '.join(inputs) or 'none'}")
        ready = self._prepared(fitted(self._program, self._program.routine(self._routine), inputs))
        plan = ready.plan
        values = {**plan.constants, **{slot: self._read(decl, inputs) for slot, decl in plan.reads}}
        for step in plan.host:
            values[step.out[0]] = step.function(*(values[arg] for arg in step.args))
        outputs = ready.body(*(values[slot] for slot in ready.inputs))
        found = dict(zip(ready.outputs, outputs, strict=True))
        results = {name: found[slot] for name, slot in plan.routine.returns}
        return next(iter(results.values())) if len(results) == 1 else results

    def _read(self, decl: Decl, inputs: Mapping[str, torch.Tensor]) -> Any:
        if decl.kind == "input":
            given = inputs[decl.name]
            if tuple(given.shape) != decl.type.shape or given.dtype != TORCH[decl.type.dtype]:
                wanted = expected(self._program, decl.name)
                raise MachineError(f"input {decl.name!r} is {given.dtype}{list(given.shape)}; {wanted} was expected")
            return given
        if decl.kind == "dial":
            return decl.default
        place, last = self._paths[decl.name]
        value = getattr(place, last)
        return value.item() if on_host(decl) else value


def _committed(program: Program) -> set[str]:
    return {str(i.attr("name")) for routine in program.routines for i in routine.body if i.op is Op.COMMIT}
