"""What recording every parameter at every step, losslessly, adds to a training step on the loop's own thread.

A perceptron of a million parameters in f32 is trained with batches that make a step take about 50 ms of CPU time. Held
against `wandb.watch(model, log_freq=1)` with one `wandb.log` a step (offline; its default, histograms of the gradients,
and `log="parameters"`), and TensorBoard's `add_histogram` for each parameter at each step, which both keep 64 bars of
each tensor where we keep every bit. Each contender has a model of its own; they take turns step by step.

Held against others it is CPU time of the main thread, since wall time on a busy machine is mostly others' time: of
`run.step`, of the calls to TensorBoard, and of wandb, whose hooks work inside forward and backward, of the whole
step less that of the plain one (`ours_loop_cpu_ms` is that difference for us). `ours_ms` is the wall time of
`run.step`, and the share of a step is by wall time. `waited_ms` is what the loop waited for the disk in all.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from common import Figures, Targets, arguments, close, one_thread, peers
from torch import nn

import ontogeny as og

WIDTH = 576
STEP_SECONDS = 0.05
Clocked = tuple[float, float]
Told = Callable[[torch.Tensor], object]


class Contender:
    """A model, its optimizer, and what is told after each step."""

    def __init__(self, batch: torch.Tensor, told: Callable[[nn.Module, torch.optim.Optimizer], Told]) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(*(m for _ in range(3) for m in (nn.Linear(WIDTH, WIDTH), nn.GELU())))
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-3)
        self.batch, self.told = batch, told(self.model, self.optimizer)
        self.steps: list[Clocked] = []
        self.calls: list[Clocked] = []

    def step(self) -> None:
        """One step, clocked whole and after the optimizer: wall and main-thread CPU seconds."""
        begun = _now()
        self.optimizer.zero_grad()
        loss = (self.model(self.batch) - self.batch).square().mean()
        loss.backward()
        self.optimizer.step()
        between = _now()
        self.told(loss)
        ended = _now()
        self.steps.append((ended[0] - begun[0], ended[1] - begun[1]))
        self.calls.append((ended[0] - between[0], ended[1] - between[1]))


def _now() -> Clocked:
    return time.perf_counter(), time.thread_time()


def main() -> None:
    """All contenders in turn, in a folder that is thrown away."""
    options = arguments(__doc__ or "")
    one_thread()
    versions = peers("wandb", "tensorboard")
    batch = batch_of_a_step()
    with tempfile.TemporaryDirectory() as folder:
        contenders = {"plain": Contender(batch, lambda model, optimizer: lambda loss: None)}
        attached: list[Any] = []
        contenders["ours"] = Contender(batch, lambda *looked_at: ours(Path(folder), attached, *looked_at))
        if versions["wandb"]:
            contenders |= wandb_watch(folder, batch)
        if versions["tensorboard"]:
            contenders["tensorboard"] = Contender(batch, lambda model, _: tensorboard(folder, model))
        names = list(contenders)
        for number in range(200 if options.full else 50):
            for name in names[number % len(names) :] + names[: number % len(names)]:
                contenders[name].step()
        figures = measured(contenders)
        (run,) = attached
        run.close()
        figures["recorded_bytes_per_step"] = stored(Path(folder) / "run") // (run.step_number + 1)
        figures["waited_ms"] = round(1000 * run.waited, 1)
        figures["buffers"] = run.buffers
    targets: Targets = {"share_of_step": ("<=", 0.05)}
    targets |= {"over_wandb_watch": ("<=", 0.1)} if versions["wandb"] else {}
    targets |= {"over_tensorboard": ("<=", 0.05)} if versions["tensorboard"] else {}
    close("record_cost", figures, targets, {**versions, **peers("torch")})


def batch_of_a_step() -> torch.Tensor:
    """As many examples as make a step take `STEP_SECONDS` of CPU time."""
    few = Contender(torch.randn(128, WIDTH), lambda model, optimizer: lambda loss: None)
    many = Contender(torch.randn(512, WIDTH), lambda model, optimizer: lambda loss: None)
    for _ in range(8):
        few.step()
        many.step()
    low, high = (statistics.median(cpu for _, cpu in c.steps[2:]) for c in (few, many))
    return torch.randn(max(64, int(128 + 384 * (STEP_SECONDS - low) / (high - low))), WIDTH)


def ours(folder: Path, attached: list[Any], model: nn.Module, optimizer: torch.optim.Optimizer) -> Told:
    """Everything, at every step, exactly."""
    attached.append(og.attach(model, optimizer, folder / "run"))
    told: Told = attached[0].step
    return told


def wandb_watch(folder: str, batch: torch.Tensor) -> dict[str, Contender]:
    """Histograms of the gradients, and of the parameters, at every step."""
    import wandb

    run = wandb.init(mode="offline", dir=folder, settings=wandb.Settings(silent=True, console="off"))

    def watched(kind: str) -> Callable[[nn.Module, Any], Told]:
        def told(model: nn.Module, _: object) -> Told:
            run.watch(model, log=kind, log_freq=1)
            return lambda loss: run.log({"loss": loss.item()})

        return told

    return {f"wandb_{kind}": Contender(batch, watched(kind)) for kind in ("gradients", "parameters")}


def tensorboard(folder: str, model: nn.Module) -> Told:
    """A histogram of each parameter at every step."""
    from torch.utils.tensorboard import SummaryWriter

    writer, steps = SummaryWriter(f"{folder}/tensorboard"), iter(range(1 << 30))

    def told(loss: torch.Tensor) -> None:
        step = next(steps)
        writer.add_scalar("loss", loss.item(), step)
        for name, tensor in model.named_parameters():
            writer.add_histogram(name, tensor, step)

    return told


def measured(contenders: dict[str, Contender]) -> Figures:
    """Medians over the steps, the first few left out; differences from the plain step of the same round."""

    def median(values: list[Clocked], clock: int) -> float:
        return statistics.median(value[clock] for value in values[5:])

    def added(name: str, clock: int) -> float:
        rounds = zip(contenders[name].steps[5:], contenders["plain"].steps[5:], strict=True)
        return statistics.median(one[clock] - plain[clock] for one, plain in rounds)

    mine = median(contenders["ours"].calls, 1)
    figures: Figures = {
        "parameters": sum(p.numel() for p in contenders["plain"].model.parameters()),
        "step_ms": round(1000 * median(contenders["plain"].steps, 0), 2),
        "step_cpu_ms": round(1000 * median(contenders["plain"].steps, 1), 2),
        "ours_ms": round(1000 * median(contenders["ours"].calls, 0), 3),
        "ours_cpu_ms": round(1000 * mine, 3),
        "ours_loop_cpu_ms": round(1000 * added("ours", 1), 3),
        "share_of_step": round(median(contenders["ours"].calls, 0) / median(contenders["plain"].steps, 0), 4),
    }
    for name in contenders:
        if name.startswith("wandb"):
            figures[f"{name}_cpu_ms"] = round(1000 * added(name, 1), 3)
            over = "over_wandb_watch" if name == "wandb_gradients" else f"over_{name}"
            figures[over] = round(mine / added(name, 1), 4)
    if "tensorboard" in contenders:
        theirs = median(contenders["tensorboard"].calls, 1)
        figures["tensorboard_cpu_ms"] = round(1000 * theirs, 3)
        figures["over_tensorboard"] = round(mine / theirs, 4)
    print("  " + ", ".join(f"{name} {value}" for name, value in figures.items()), flush=True)
    return figures


def stored(folder: Path) -> int:
    """All bytes below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
