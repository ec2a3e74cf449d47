"""A routine becomes two lists of steps: scalars for the host, tensors for torch.

Every value has a slot. A step is (function, operand slots, result slots, instruction); a constant operand is already in
its slot. `source` writes the tensor steps as one straight-line Python function, with every value dropped after its last
use, in which only generated names occur.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import torch

from ontogeny.isa.errors import MachineError
from ontogeny.isa.macros import expand, expand_routine
from ontogeny.isa.op import Op
from ontogeny.isa.program import Decl, Instr, Program, Routine
from ontogeny.isa.types import DType, Type
from ontogeny.isa.verify import value_types
from ontogeny.machine.compiled.base_kernels import (
    BASE,
    FIRST_IS_TENSOR,
    NUMBERS,
    Function,
    Site,
    by_reference,
    needs_reference,
)
from ontogeny.machine.compiled.control_kernels import control
from ontogeny.machine.compiled.convert import TORCH
from ontogeny.machine.compiled.macro_kernels import MACROS, SCALAR_LAST, fused
from ontogeny.machine.compiled.scalars import HOST, SCALAR, cast_scalar, is_host
from ontogeny.machine.compiled.threads import Choice, alone

UNFUSED = frozenset(op for op in Op if op.is_macro and op not in MACROS)


@dataclass(frozen=True, slots=True)
class Step:
    """One function applied to slots."""

    function: Function
    args: tuple[str, ...]
    out: tuple[str, ...]
    instr: Instr


@dataclass(slots=True)
class Plan:
    """A lowered routine. `constants` fill slots once; `reads` are (slot, declaration) filled at every call."""

    routine: Routine
    constants: dict[str, Any] = field(default_factory=dict)
    reads: list[tuple[str, Decl]] = field(default_factory=list)
    host: list[Step] = field(default_factory=list)
    tensor: list[Step] = field(default_factory=list)
    commits: list[tuple[str, str]] = field(default_factory=list)
    scalars: set[str] = field(default_factory=set)


class Lowering:
    """Lowers one routine: decides what stays on the host and which kernel each instruction runs."""

    def __init__(
        self, program: Program, routine: Routine, device: str, alone: Choice, sub: Any, nested: bool = False
    ) -> None:
        self.program = program
        self.alone = alone
        self.nested = nested
        self.device = device
        self.sub = sub
        self.routine = (
            expand_routine(program, routine, UNFUSED) if any(i.op in UNFUSED for i in routine.body) else routine
        )
        self.types = value_types(program, self.routine)
        self.plan = Plan(self.routine)
        self.literals: set[str] = set()
        self.made: dict[str, str] = {}

    def run(self) -> Plan:
        """The finished plan."""
        for instr in self.routine.body:
            self._lower(instr)
        if self.nested:
            returns = tuple((n, self._tensor(v) if self._number(v) else v) for n, v in self.routine.returns)
            self.plan.routine = replace(self.routine, returns=returns)
        return self.plan

    def _number(self, name: str) -> bool:
        """Whether a slot holds a Python number."""
        return name in self.literals or name in self.plan.scalars

    def _lower(self, instr: Instr) -> None:
        if instr.op is Op.CONST:
            self._constant(instr)
        elif instr.op is Op.READ:
            self._read(instr)
        elif instr.op is Op.COMMIT:
            self._commit(instr)
        elif self._all_scalar(instr):
            self._scalar(instr)
        else:
            self._kernel(instr)

    def _constant(self, instr: Instr) -> None:
        (name,), type = instr.out, self.types[instr.out[0]]
        value: Any = instr.attr("value")
        dtype = TORCH[type.dtype]
        flat = value if isinstance(value, tuple) else (value,)
        if type.dtype.is_int:
            array = torch.tensor([int(v) for v in flat], dtype=torch.uint64 if type.dtype is DType.U64 else torch.int64)
            tensor = array.to(dtype) if type.dtype is not DType.U64 else array
        else:
            tensor = torch.tensor(flat, dtype=torch.float64).to(dtype)
        tensor = (tensor if tensor.numel() == type.size else tensor.expand(type.size)).reshape(type.shape)
        if type.shape == ():
            self.literals.add(name)
            self.plan.constants[name] = tensor.item()
        else:
            self.plan.constants[name] = tensor.contiguous().to(self.device)

    def _read(self, instr: Instr) -> None:
        decl, (name,) = self.program.decl(str(instr.attr("name"))), instr.out
        if on_host(decl):
            self.plan.scalars.add(name)
        elif decl.arena:
            self.plan.tensor.append(Step(_piece(decl), (self._arena(decl.arena),), (name,), instr))
            return
        self.plan.reads.append((name, decl))

    def _arena(self, name: str) -> str:
        """The slot of a whole arena, read once however many of its pieces are."""
        slot = f"{name}.arena"
        if all(known != slot for known, _ in self.plan.reads):
            self.plan.reads.append((slot, self.program.decl(name)))
        return slot

    def _commit(self, instr: Instr) -> None:
        name, value = str(instr.attr("name")), instr.args[0]
        keeps_number = on_host(self.program.decl(name))
        if self._number(value) and not keeps_number:
            value = self._tensor(value)
        elif keeps_number and not self._number(value):
            made = f"{value}.number"
            self.plan.tensor.append(Step(torch.Tensor.item, (value,), (made,), instr))
            value = made
        self.plan.commits.append((name, value))

    def _all_scalar(self, instr: Instr) -> bool:
        if self.nested or not instr.args or not all(self._number(a) for a in instr.args):
            return False
        types = tuple(self.types[a] for a in instr.args)
        result = self.types[instr.out[0]] if instr.out else Type(DType.F32)
        if instr.op is Op.CAST:
            return types[0].dtype in HOST and result.dtype in HOST
        return is_host(instr.op, result, types)

    def _scalar(self, instr: Instr) -> None:
        if instr.op is Op.CAST:
            dtype = self.types[instr.out[0]].dtype
            function: Function = lambda value: cast_scalar(value, dtype)  # noqa: E731
        else:
            function = SCALAR[instr.op]
        self.plan.scalars.update(instr.out)
        self.plan.host.append(Step(function, instr.args, instr.out, instr))

    def _kernel(self, instr: Instr) -> None:
        site = Site(instr, self._types(instr.args), self._types(instr.out), self.device)
        if instr.op.group.name in ("CONTROL", "DEBUG"):
            function = control(site, self.sub)
        elif instr.op.is_macro:
            function = MACROS[instr.op](site) if fused(site) else self._expanded(instr, site)
        else:
            function = by_reference(site) if needs_reference(site) else BASE[instr.op](site)
        if instr.op.group.name not in ("CONTROL", "DEBUG") and self.alone(site):
            function = alone(function)
        args = tuple(self._operand(site, place) for place in range(len(instr.args)))
        self.plan.tensor.append(Step(function, args, instr.out, instr))

    def _expanded(self, instr: Instr, site: Site) -> Function:
        """A macro that has no fused kernel for these operands, as the function of its definition."""
        names = tuple(f"operand{i}" for i in range(len(instr.args)))
        body = expand(replace(instr, args=names), site.operands)
        returns = tuple((str(i), name) for i, name in enumerate(instr.out))
        routine = Routine(instr.op.text, tuple(zip(names, site.operands, strict=True)), body, returns)
        plan = Lowering(self.program, routine, self.device, self.alone, self.sub, nested=True).run()
        function = build(plan, list(names), [slot for _, slot in plan.routine.returns])
        return (lambda *args: function(*args)[0]) if len(returns) == 1 else function

    def _types(self, names: tuple[str, ...]) -> tuple[Type, ...]:
        return tuple(self.types[name] for name in names)

    def _operand(self, site: Site, place: int) -> str:
        """The slot of an operand: a number where the kernel takes one, else a tensor made of it."""
        instr, name = site.instr, site.instr.args[place]
        if not self._number(name):
            return name
        op, last = instr.op, place == len(instr.args) - 1
        by_hand = op.is_macro and fused(site) and (op is Op.UNIFORM or (op in SCALAR_LAST and last))
        beside = any(not self._number(a) for a in instr.args) and not needs_reference(site)
        takes = op in NUMBERS or (op in FIRST_IS_TENSOR and place > 0)
        if by_hand or (takes and beside and not (op is Op.WHERE and self._both_numbers(instr))):
            return (
                name if not (op is Op.WHERE and place == 0) and not (op is Op.EQ and place == 0) else self._tensor(name)
            )
        return self._tensor(name)

    def _both_numbers(self, instr: Instr) -> bool:
        return all(self._number(a) for a in instr.args[1:])

    def _tensor(self, name: str) -> str:
        """A slot with the number of `name` as a scalar tensor."""
        if name not in self.made:
            self.made[name] = made = f"{name}.tensor"
            dtype, device = TORCH[self.types[name].dtype], self.device
            if name in self.literals:
                self.plan.constants[made] = torch.tensor(self.plan.constants[name], dtype=dtype, device=device)
            else:
                function = _scalar_tensor(dtype, device)
                self.plan.tensor.append(Step(function, (name,), (made,), Instr((made,), Op.CONST)))
        return self.made[name]


def _piece(decl: Decl) -> Function:
    """A piece of an arena as a view."""
    offset, size, shape = decl.offset, decl.type.size, decl.type.shape
    return lambda arena: arena.narrow(0, offset, size).view(shape)


def _scalar_tensor(dtype: torch.dtype, device: str) -> Function:
    """A number, or the scalar tensor that the fast mode makes of one, as a scalar tensor of `dtype`."""

    def run(value: Any) -> torch.Tensor:
        if isinstance(value, torch.Tensor):
            return value.to(dtype)
        return torch.full((), value, dtype=dtype, device=device)

    return run


def on_host(decl: Decl) -> bool:
    """Whether a declared scalar lives on the host: dials, and registers such as the step count."""
    return decl.type.shape == () and decl.type.dtype in HOST and decl.kind != "input"


def source(plan: Plan, inputs: list[str], outputs: list[str]) -> str:
    """The tensor steps as Python text: a function `body` of the slots `inputs` that returns the slots `outputs`."""
    names: dict[str, str] = {}
    last: dict[str, int] = {}
    for position, step in enumerate(plan.tensor):
        last.update(dict.fromkeys((*step.args, *step.out), position))
    keep = {*outputs, *plan.constants}

    def name(slot: str) -> str:
        return names.setdefault(slot, f"v{len(names)}")

    lines = [f"def body({', '.join(name(slot) for slot in inputs)}):"]
    for position, step in enumerate(plan.tensor):
        call = f"f{position}({', '.join(_slot(plan, name, a) for a in step.args)})"
        lines.append(f"    {', '.join(name(o) for o in step.out)} = {call}" if step.out else f"    {call}")
        dead = [s for s in dict.fromkeys((*step.args, *step.out)) if last[s] == position and s not in keep]
        if dead:
            lines.append(f"    {' = '.join(name(s) for s in dead)} = None")
    lines.append(f"    return ({''.join(_slot(plan, name, o) + ', ' for o in outputs)})")
    return "\n".join(lines)


def _slot(plan: Plan, name: Any, slot: str) -> str:
    return f"c[{slot!r}]" if slot in plan.constants else str(name(slot))


def build(plan: Plan, inputs: list[str], outputs: list[str]) -> Function:
    """The compiled Python function of `source`. Raises MachineError when Python refuses the text."""
    scope: dict[str, Any] = {f"f{i}": step.function for i, step in enumerate(plan.tensor)}
    scope["c"] = plan.constants
    try:
        exec(compile(source(plan, inputs, outputs), f"<{plan.routine.name}>", "exec"), scope)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise MachineError(f"routine {plan.routine.name!r} could not be compiled: {error}") from error
    body: Function = scope["body"]
    return body
