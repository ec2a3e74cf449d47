"""How exactly a captured step is plain PyTorch's, and how few operations it takes to say it.

Twenty steps with `torch.optim.AdamW` on changing batches, then every bit of every parameter and buffer is compared.
Capture writes attention as matrix products, so the plain side attends by them too (SDPBackend.MATH); what differs from
torch's own choice of kernel, which on a CPU is a flash kernel, is reported beside it and has no target.
Portable mode: whether the whole state after as many steps with one thread, with two and with three has the hash of
exact mode with one. Whether exact mode's hash is the same with one and two is beside it, which need not be; where it
is, the model proves nothing about threads.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from common import Figures, Targets, arguments, close, interleaved, one_thread, peers, ratio, show_times
from models import EVERY, Task, captured_step, eager_step, tensors
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

import ontogeny as og
from ontogeny.isa.macros import expand_routine
from ontogeny.isa.op import Op
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.record.hashing import StateHasher, shown

STEPS = 20
ATTENDING = {"modular", "gpt", "gpt2", "llama"}


def captured(task: Task, learner: og.Learner, **options: Any) -> CompiledMachine:
    """The machine after the steps."""
    machine = CompiledMachine(learner.program, **options)
    machine.load(learner.values)
    for batch in task.batches(STEPS):
        machine.call("learn", batch, {})
    return machine


def plain(task: Task, math: bool) -> nn.Module:
    """The model after the steps in plain PyTorch."""
    model = task.model()
    optimizer = torch.optim.AdamW(model.parameters(), **task.rule)
    with sdpa_kernel(SDPBackend.MATH) if math else nullcontext():
        for batch in task.batches(STEPS):
            optimizer.zero_grad()
            task.loss(model, tensors(batch))["loss"].backward()
            optimizer.step()
    return model


def differing(machine: CompiledMachine, model: nn.Module) -> int:
    """How many bits of the model's parameters and buffers differ."""
    names = {decl.name for decl in machine.program.decls}
    held = dict([*model.named_parameters(), *model.named_buffers()])
    return sum(_bits(_register(machine, n if n in names else f"model.{n}"), t.detach()) for n, t in held.items())


def _register(machine: CompiledMachine, name: str) -> torch.Tensor:
    decl, state = machine.program.decl(name), machine.view()
    if not decl.arena:
        return torch.from_numpy(state[name])
    part = state[decl.arena].reshape(-1)[decl.offset : decl.offset + decl.type.size]
    return torch.from_numpy(part.reshape(decl.type.shape))


def _bits(ours: torch.Tensor, theirs: torch.Tensor) -> int:
    one, two = (t.contiguous().reshape(-1).view(torch.uint8).numpy() for t in (ours, theirs))
    return int(np.bitwise_count(one ^ two).sum())


def hashes(task: Task, learner: og.Learner, mode: str, threads: tuple[int, ...]) -> set[str]:
    """The hashes of the whole state after the steps, with each thread count."""
    hasher = StateHasher(learner.program)
    return {shown(hasher.row(captured(task, learner, mode=mode, threads=n).view())) for n in threads}


def base_operations(learner: og.Learner) -> set[Op]:
    """The operations of all routines once every macro is expanded."""
    program = learner.program
    return {instr.op for routine in program.routines for instr in expand_routine(program, routine).body}


def main() -> None:
    """Measures every model."""
    options = arguments(__doc__ or "")
    one_thread()
    versions = peers("torch", "transformers")
    figures: Figures = {}
    targets: Targets = {}
    used: set[Op] = set()
    for task in EVERY:
        learner = task.capture()
        measure(task, learner, figures, targets, 15 if options.full else 7)
        used |= base_operations(learner)
    if any(op.is_macro for op in used):
        raise SystemExit(f"macros are left: {', '.join(op.text for op in used if op.is_macro)}")
    figures["base_operations"] = len(used)
    targets["base_operations"] = ("<=", 60)
    print(f"  {len(used)} base operations: {', '.join(sorted(op.text for op in used))}")
    close("exact", figures, targets, versions)


def measure(task: Task, learner: og.Learner, figures: Figures, targets: Targets, rounds: int) -> None:
    """The figures of one model."""
    name = task.name
    machine = captured(task, learner, threads=1)
    figures[f"differing_bits.{name}"] = differing(machine, plain(task, math=True))
    targets[f"differing_bits.{name}"] = ("<=", 0)
    if name in ATTENDING:
        figures[f"differing_bits_default_kernel.{name}"] = differing(machine, plain(task, math=False))
    alone, beside = (hashes(task, learner, "exact", (n,)) for n in (1, 2))
    figures[f"portable_same_hash.{name}"] = int(hashes(task, learner, "portable", (1, 2, 3)) == alone)
    figures[f"exact_same_hash.{name}"] = int(alone == beside)
    targets[f"portable_same_hash.{name}"] = (">=", 1)
    one_thread()
    contenders = {"portable": captured_step(task, learner, mode="portable"), "eager": eager_step(task)}
    times = interleaved(contenders, rounds)
    figures[f"portable_over_eager.{name}"] = ratio(times, "portable", ("eager",))
    targets[f"portable_over_eager.{name}"] = ("<=", 1.25)
    kept = {key.split(".")[0]: value for key, value in figures.items() if key.endswith(f".{name}")}
    print(f"  {name}: {kept}")
    show_times(name, times)


if __name__ == "__main__":
    main()
