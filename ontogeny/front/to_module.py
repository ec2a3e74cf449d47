"""A learner back to an `nn.Module`: its parameters under their own names, its `predict` as the forward pass.

The forward pass runs the compiled machine's kernels, so autograd goes through it. A program is made for the sizes of
its example batch, and so is the module. A weight that was tied to another appears once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from ontogeny.isa.errors import MachineError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Decl, Program
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.machine.compiled.convert import TORCH, to_torch
from ontogeny.machine.compiled.lower import on_host
from ontogeny.machine.learner import Array, Learner


def piece(program: Program, state: Mapping[str, Array], name: str) -> Array:
    """The array of a declared register in a machine's state, also where it lies in an arena."""
    decl = program.decl(name)
    if not decl.arena:
        return np.asarray(state[name])
    flat = np.asarray(state[decl.arena]).reshape(-1)
    return flat[decl.offset : decl.offset + decl.type.size].reshape(decl.type.shape)


def plain_name(program: Program, name: str) -> str:
    """The name in the original model: without the `model.` that kept it apart from a register of the program."""
    short = name.removeprefix("model.")
    return short if any(decl.name == short for decl in program.decls) else name


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
        self._ready = CompiledMachine(_apart(program)).prepare(routine)
        self._inputs = [decl.name for decl in program.of("input") if decl in [d for _, d in self._ready.plan.reads]]
        self._paths: dict[str, tuple[nn.Module, str]] = {}
        learned = _committed(program)
        shown = [*program.named_params(), *(d for _, d in self._ready.plan.reads if d.kind == "state")]
        for decl in dict.fromkeys(shown):
            value = to_torch(np.array(piece(program, state, decl.name)), decl.type.dtype)
            self._hold(decl, plain_name(program, decl.name), value, (decl.arena or decl.name) in learned)

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
        plan = self._ready.plan
        values = {**plan.constants, **{slot: self._read(decl, inputs) for slot, decl in plan.reads}}
        for step in plan.host:
            values[step.out[0]] = step.function(*(values[arg] for arg in step.args))
        outputs = self._ready.body(*(values[slot] for slot in self._ready.inputs))
        found = dict(zip(self._ready.outputs, outputs, strict=True))
        results = {name: found[slot] for name, slot in plan.routine.returns}
        return next(iter(results.values())) if len(results) == 1 else results

    def _read(self, decl: Decl, inputs: Mapping[str, torch.Tensor]) -> Any:
        if decl.kind == "input":
            given = inputs[decl.name]
            if tuple(given.shape) != decl.type.shape or given.dtype != TORCH[decl.type.dtype]:
                raise MachineError(f"input {decl.name!r} is {given.dtype}{list(given.shape)}; {decl.type} was expected")
            return given
        if decl.kind == "dial":
            return decl.default
        place, last = self._paths[decl.name]
        value = getattr(place, last)
        return value.item() if on_host(decl) else value


def _committed(program: Program) -> set[str]:
    return {str(i.attr("name")) for routine in program.routines for i in routine.body if i.op is Op.COMMIT}
