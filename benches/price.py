"""What a price foretells against what is: operations of attention, seconds of a step, GPU hours of a published run.

1. Operations of a two-layer attention model's forward pass, by a formula written by hand, as `ontogeny price` counts
   them and as its peers do (torch's FlopCounterMode; fvcore, thop where they are installed). A peer's multiply-adds
   count as two operations. The formula is the truth: matrix products alone, no masks left out.
2. Seconds of a step on one thread, after a calibration of about a minute that has seen none of the models. Both are
   the least of many turns in CPU time, spread over the calibration, as on a machine that does nothing else.
3. GPU hours of Llama 3.1 405B from its published shape, tokens and utilisation (arXiv 2407.21783: 41% of the peak in
   bf16 on 16,384 H100 at a context of 8,192, table 4; more than 90% of the time effective), against its model card.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable
from datetime import date
from typing import Any

import torch
import torch.nn.functional as F
from common import Figures, Targets, arguments, close, one_thread, peers
from models import CNN_TASK, EVERY, GPT_TASK, MLP_TASK, MODULAR_TASK, Task, captured_step
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import ontogeny as og
from ontogeny.ask.price import calibration
from ontogeny.ask.price.brain import LLAMA, LLAMA_HOURS
from ontogeny.ask.price.estimate import Terms, price
from ontogeny.ask.price.operations import products
from ontogeny.ask.price.predict import predict

BATCH, LENGTH, WIDTH, HEADS, LAYERS, WORDS = 32, 64, 96, 4, 2, 47
MODELS = (MLP_TASK, CNN_TASK, MODULAR_TASK, GPT_TASK)
TURNS = 12


class Layer(nn.Module):
    """Causal attention, and a network of four times the width."""

    def __init__(self) -> None:
        super().__init__()
        self.taken, self.mixed = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, h: torch.Tensor) -> torch.Tensor:  # [batch, length, width]
        q, k, v = (part.unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in self.taken(h).chunk(3, -1))
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        h = h + self.mixed(seen.transpose(1, 2).flatten(2))
        return h + self.down(F.gelu(self.up(h)))


class Attention(nn.Module):
    """Two layers over words."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.out = nn.Embedding(WORDS, WIDTH), nn.Linear(WIDTH, WORDS, bias=False)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # [batch, length]
        h = self.embed(x)
        for layer in self.layers:
            h = layer(h)
        return self.out(h)


def by_hand() -> int:
    """Operations of the forward pass: 12 w^2 weights a layer and w a word for each token; scores, and their sums."""
    weights = LAYERS * 12 * WIDTH * WIDTH + WIDTH * WORDS
    pairs = LAYERS * 2 * LENGTH * WIDTH
    return 2 * BATCH * LENGTH * (weights + pairs)


def ours() -> int:
    """By the captured program."""
    batch = {"x": torch.zeros(BATCH, LENGTH, dtype=torch.long), "y": torch.zeros(BATCH, LENGTH, dtype=torch.long)}

    def loss(model: nn.Module, given: Any) -> torch.Tensor:
        return F.cross_entropy(model(given["x"]).flatten(0, 1), given["y"].flatten())

    program = og.capture(Attention(), loss, og.sgd(lr=0.1), batch, predict=lambda m, b: m(b["x"])).program
    return products(program, program.routine("predict"))


def by_torch() -> float:
    """By torch's own counter, which goes by the kernels that are called."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        Attention()(torch.zeros(BATCH, LENGTH, dtype=torch.long))
    return float(counter.get_total_flops())


def by_fvcore() -> float:
    """By fvcore, which counts a multiply-add as one."""
    from fvcore.nn import FlopCountAnalysis  # type: ignore[import-not-found]

    analysis = FlopCountAnalysis(Attention(), torch.zeros(BATCH, LENGTH, dtype=torch.long))
    return 2.0 * float(analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total())


def by_thop() -> float:
    """By thop, which counts a multiply-add as one."""
    from thop import profile  # type: ignore[import-not-found]

    return 2.0 * float(profile(Attention(), (torch.zeros(BATCH, LENGTH, dtype=torch.long),), verbose=False)[0])


def count_operations(figures: Figures) -> None:
    """Ours and the peers' against the formula."""
    truth = by_hand()
    contenders: dict[str, Callable[[], float]] = {
        "ours": ours, "flopcounter": by_torch, "fvcore": by_fvcore, "thop": by_thop
    }  # fmt: skip
    print(f"  operations of {LAYERS} layers of attention: {truth / 1e9:.4f} GFLOP by hand", flush=True)
    for name, contender in contenders.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = contender()
        except ImportError:
            figures[f"operations_error.{name}"] = None
            continue
        figures[f"operations_error.{name}"] = round(found / truth - 1, 6)
        print(f"  {name}: {found / 1e9:.4f} GFLOP, {found / truth - 1:+.2%}", flush=True)


class Timed:
    """A model's step, timed now and then."""

    def __init__(self, task: Task) -> None:
        self.task, learner = task, task.capture()
        self.program, self.turns = learner.program, list[float]()
        self._step = captured_step(task, learner, mode="exact")

    def measure(self) -> None:
        """Some turns of about five milliseconds or more each."""
        began = time.process_time()
        self._step()
        calls = max(1, round(5e-3 / max(time.process_time() - began, 1e-6)))
        for _ in range(TURNS):
            began = time.process_time()
            for _ in range(calls):
                self._step()
            self.turns.append((time.process_time() - began) / calls)


def foretell(figures: Figures, tasks: tuple[Task, ...]) -> None:
    """A calibration, the steps timed between its parts, then both beside one another."""
    timed, spent = [Timed(task) for task in tasks], [0.0]

    def told(what: str) -> None:
        if what == calibration.MEDLEYS:
            began = time.process_time()
            for one in timed:
                one.measure()
            spent[0] += time.process_time() - began

    found = calibration.calibrated(date.today().isoformat(), "here", told)
    figures["calibration_cpu_seconds"] = round(found.seconds - spent[0], 1)
    print(f"  calibrated in {found.seconds - spent[0]:.0f} s of CPU, models timed between; {found.surcharge}")
    worst = 0.0
    for one in timed:
        one.measure()
        said, least = predict(one.program, one.program.routine("learn"), found).seconds, min(one.turns)
        middle = statistics.median(one.turns)
        figures[f"step_error.{one.task.name}"] = round(said / least - 1, 4)
        figures[f"step_error_of_median.{one.task.name}"] = round(said / middle - 1, 4)
        print(f"  {one.task.name}: foretold {1e3 * said:.3f} ms, least {1e3 * least:.3f}, median {1e3 * middle:.3f}")
        if one.task in MODELS:
            worst = max(worst, abs(said / least - 1))
    figures["step_error_worst"] = round(worst, 4)


def published(figures: Figures) -> None:
    """GPU hours of the published run."""
    for name, utilisation, available in (("as_published", 0.41, 0.9), ("without_failures", 0.41, 1.0)):
        terms = Terms(utilisation=utilisation, availability=available, accelerators=16384)
        hours = price(LLAMA.operations, LLAMA.parameters, terms).accelerator_hours
        figures[f"llama_hours_error.{name}"] = round(hours / LLAMA_HOURS - 1, 4)
        print(f"  Llama 3.1 405B, {name}: {hours / 1e6:.2f} million H100 hours; {LLAMA_HOURS / 1e6} published")
    figures["llama_operations"] = LLAMA.operations


def main() -> None:
    """All three; --full also foretells the models of other libraries."""
    options = arguments(__doc__ or "")
    one_thread()
    versions = peers("torch", "fvcore", "thop")
    figures: Figures = {}
    count_operations(figures)
    published(figures)
    foretell(figures, tuple(EVERY) if options.full else MODELS)
    targets: Targets = {"operations_off.ours": ("<=", 0), "step_error_worst": ("<=", 0.10)}
    figures["llama_hours_off"] = abs(float(figures["llama_hours_error.as_published"] or 0))
    figures["operations_off.ours"] = abs(float(figures["operations_error.ours"] or 0))
    targets |= {
        "llama_hours_off": ("<=", 0.15),
        "operations_off.ours": ("<=", 0),
        "calibration_cpu_seconds": ("<=", 60),
    }
    close("price", figures, targets, versions)


if __name__ == "__main__":
    main()
