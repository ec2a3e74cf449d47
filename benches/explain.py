"""What an explanation costs: the ledger of a window against the bare replay of the same steps, one step's gradient by
training example against plain PyTorch.

PyTorch gets each example's gradient of one tensor by one backward pass each, or all at once by `vmap`; neither goes
through an optimizer's update. That every sum is exact is counted here, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch
from common import Figures, interleaved, of_tasks, ratio, show_times
from models import GPT_TASK, MLP_TASK, MODULAR_TASK, Task, tensors
from replay import data_of
from torch.func import functional_call, grad, vmap

import ontogeny as og
from ontogeny.ask.by_example import by_example
from ontogeny.ask.explain import explain
from ontogeny.record import replay

STEPS, EVERY = 24, 8
TENSORS = {"modular": "embed.weight", "mlp": "second.weight", "gpt": "norm.weight"}


def main() -> None:
    """A short run of each model in a folder that is thrown away."""
    of_tasks("explain", __doc__ or "", (MODULAR_TASK, MLP_TASK), (GPT_TASK,), measure, 7, "inexact_sums")


def measure(task: Task, folder: Path, rounds: int, figures: Figures) -> None:
    """The figures of one model."""
    run = og.create(folder / "run", task.capture(), data_of(task), keyframe_every=EVERY)
    run.advance(STEPS)
    name, window = TENSORS[task.name], f"{EVERY + 1}:{STEPS + 1}"
    element = f"{name}[{','.join('1' * len(run.traces.tensors[name].shape))}]"
    asked = {"element": element, "tensor": name, "everything": "*"}
    ledgers = {what: explain(run, names, window).ledger for what, names in asked.items()}
    figures[f"inexact_sums.{task.name}"] = sum(
        bool(math.fsum(parts) != change)
        for ledger in ledgers.values()
        for parts, change in zip(ledger.parts, ledger.change, strict=True)
    )
    contenders = {what: lambda names=names: explain(run, names, window) for what, names in asked.items()}
    times = interleaved({"replay": replaying(run), **contenders}, rounds, warm=1)
    show_times(f"{task.name}, {STEPS - EVERY} steps", times)
    for what in asked:
        figures[f"explain_over_replay.{what}.{task.name}"] = ratio(times, what, ["replay"])
    times = interleaved(
        {"ours": lambda: by_example(run, element, f"{EVERY + 1}:{EVERY + 2}"), **plain(task, name)}, rounds, warm=1
    )
    show_times(f"{task.name}, one step by example", times)
    for peer in ("backward", "vmap"):
        figures[f"by_example_over_{peer}.{task.name}"] = ratio(times, "ours", [peer])
    run.close()


def replaying(run: og.Run) -> Callable[[], object]:
    """The bare replay of the window's steps, hashes compared."""
    machine, stepper = run._seat.clear(), run._stepper

    def work() -> None:
        machine.load(run.history.nearest(EVERY)[1])
        for _ in replay.walk(machine, run.history, stepper, EVERY, STEPS):
            pass

    return work


def plain(task: Task, name: str) -> dict[str, Callable[[], object]]:
    """Every example's gradient of one tensor in plain PyTorch."""
    model, batch = task.model(), tensors(task.batches(1)[0])
    params = {key: value.detach() for key, value in model.named_parameters()}
    count = len(next(iter(batch.values())))

    def loss(param: torch.Tensor, single: dict[str, torch.Tensor]) -> torch.Tensor:
        one = {key: value.unsqueeze(0) for key, value in single.items()}
        called = Called(model, {**params, name: param})
        return task.loss(called, one)["loss"]

    def backward() -> None:
        param = dict(model.named_parameters())[name]
        for row in range(count):
            single = {key: value[row : row + 1] for key, value in batch.items()}
            torch.autograd.grad(task.loss(model, single)["loss"], param)

    return {"backward": backward, "vmap": lambda: vmap(grad(loss), (None, 0))(params[name], batch)}


class Called(torch.nn.Module):
    """A model with other parameters, to be called by a loss."""

    def __init__(self, model: torch.nn.Module, params: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self.call = lambda *args: functional_call(model, params, args)

    def forward(self, *args: torch.Tensor) -> torch.Tensor:
        return self.call(*args)


if __name__ == "__main__":
    main()
