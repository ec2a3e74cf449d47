"""How soon addition modulo a prime is understood: two catapults against the usual regime and against other remedies.

    reference      AdamW at 1e-3, decay 1, betas 0.9 and 0.98, the whole training set in each step
    muon_catapult  `ontogeny.train.regimes.muon_catapult` at batches of 1,024: ours
    catapult       `ontogeny.train.regimes.catapult`, the same by AdamW, at batches of 1,024
    others         AdamW with Grokfast, perpendicular gradients or StableMax, with the catapult's betas and course; Muon
                   as it is published. Each is tuned, as both catapults are, by 12 trials of rate x decay on a seed
                   that is not judged, in three rungs that keep a third

All begin from the same initial values (normal, 1 / sqrt(fan-in)), go by the compiled machine in fast mode and are
evaluated on every held-out pair each ten steps. CPU seconds are those of the steps: evaluation, capture and compilation
are left out for all alike. `eager_over` is the ratio of CPU time with steps timed in plain PyTorch, so that it is the
regime's and not the machine's. The reference is given 25 times the steps that ours took with that seed; one that has
not got there by then counts as if it had: its ratios are lower bounds, and `reached` says how many did. Modulo 113
from 30% has a course of its own, since it takes longer.

Then the MLP of "Grokking Baseline Revisited" (2025: 40% of pairs modulo 113, full batch, every held-out pair right).
The published 111 steps are the best run of its grid, one run a setting. Sizes, share, batch and goal are as there; ours
are AdamW's dials, its rate's course, a decay for each matrix, and small embeddings and a small unembedding to begin
with. It is evaluated at every step.

Quick: five seeds of ours, one of the reference. --full: five of each, and the others.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import torch
import torch.nn.functional as F
from common import Figures, Targets, arguments, close, interleaved, one_thread, peers
from torch import Tensor, nn

import ontogeny as og
from ontogeny.claims.tasks.modular import Embedded, Transformer, by_fan_in, loss, pairs
from ontogeny.front.rules import Rule
from ontogeny.machine.base import value_of
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.train.losses import stablemax_cross_entropy
from ontogeny.train.regimes.catapult import catapult
from ontogeny.train.regimes.muon_catapult import muon_catapult
from ontogeny.train.regimes.small_embeddings import small_embeddings

SEEDS, MLP_SEEDS, TUNED_ON = range(5), range(10), 100
EVERY, GOAL = 10, 0.99
RUNGS, KEPT = (80, 160, 240), 3
Dials = Mapping[str, float]
Reached = tuple[bool, int, float]
"""Whether the goal was reached, after how many steps, and the CPU seconds of these."""


def stable(model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """As the task's loss, by StableMax."""
    scores = model(batch["x"])
    found = stablemax_cross_entropy(scores, batch["y"])
    return {"loss": found, "accuracy": (scores.argmax(-1) == batch["y"]).float().mean()}


@dataclass(frozen=True)
class Contender:
    """A rule with a loss, what it is tuned over, and its batch size (0: all)."""

    rule: Rule
    loss: Callable[..., dict[str, Tensor]] = loss
    rates: Sequence[float] = (5e-3, 1e-2, 2e-2, 4e-2)
    decays: Sequence[float] = (0.5, 1.0, 2.0)
    batch: int = 1024

    def settings(self) -> Iterator[dict[str, float]]:
        """Everything that is tried when it is tuned."""
        for rate, decay in product(self.rates, self.decays):
            yield {"lr": rate, "weight_decay": decay}


@dataclass(frozen=True)
class Task:
    """Addition modulo a prime from a share of all pairs, and the model that learns it."""

    prime: int
    share: float
    make: Callable[[int], nn.Module]
    goal: float = GOAL
    every: int = EVERY

    @cache  # noqa: B019
    def pairs(self, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """What is learned from and what is held out."""
        return pairs(self.prime, self.share, seed)

    def model(self, seed: int) -> nn.Module:
        """With the initial values of a seed."""
        torch.manual_seed(seed)
        return self.make(self.prime)


class Learning:
    """One contender's program on a task, for any seed, setting and batch size."""

    def __init__(self, task: Task, contender: Contender) -> None:
        self.task, self.contender = task, contender
        train, valid = task.pairs(0)
        example = {name: values[: contender.batch or len(values)] for name, values in train.items()}
        self.learner = og.capture(task.model(0), contender.loss, contender.rule, example, valid=valid)
        self.machine = CompiledMachine(self.learner.program, threads=1, mode="fast")
        self._compiled: set[int] = set()

    def ready(self, examples: Mapping[str, Any]) -> None:
        """Compiles `learn` for a batch of this size, where that was not done yet: no run's time has it."""
        if len(examples["y"]) not in self._compiled:
            self.machine.load(self.learner.values)
            self.machine.call("learn", examples, {})
            self._compiled.add(len(examples["y"]))

    def values(self, seed: int) -> dict[str, Any]:
        """The registers at the start, the parameters being those of the seed's model."""
        values = {name: array.copy() for name, array in self.learner.values.items()}
        for name, parameter in self.task.model(seed).named_parameters():
            value_of(self.learner.program.decl(name), values)[...] = parameter.detach().numpy()
        return values

    def begin(self, seed: int, dials: Dials | None = None) -> Course:
        """A run of a seed from its first step, by the contender's own dials unless told otherwise."""
        return Course(self, seed, dials or {})


class Course:
    """One run: where it stands, and how well it does there."""

    def __init__(self, learning: Learning, seed: int, dials: Dials) -> None:
        self.learning, self.dials = learning, dict(dials)
        train, valid = learning.task.pairs(seed)
        self.data = og.Arrays(train, learning.contender.batch or len(train["y"]), seed)
        self.held_out = {f"valid.{name}": values for name, values in valid.items()}
        self.state, self.step, self.seconds, self.accuracy = learning.values(seed), 0, 0.0, 0.0

    def go(self, until: int) -> Reached:
        """Steps until the goal or a number of them; its state is kept, so that it can go on."""
        machine, task = self.learning.machine, self.learning.task
        self.learning.ready(self.data.batch(0))
        machine.load(self.state)
        while self.step < until and self.accuracy < task.goal:
            began = time.process_time()
            for _ in range(task.every):
                machine.call("learn", self.data.batch(self.step), self.dials)
                self.step += 1
            self.seconds += time.process_time() - began
            self.accuracy = float(machine.call("evaluate", self.held_out, {})["accuracy"])
        self.state = machine.state()
        return self.accuracy >= task.goal, self.step, self.seconds


def tuned(learning: Learning) -> dict[str, float]:
    """The best of 12 settings by held-out accuracy on a seed that is not judged; a third goes on after each rung."""
    arms = [(dials, learning.begin(TUNED_ON, dials)) for dials in learning.contender.settings()]
    for rung in RUNGS:
        for _, run in arms:
            run.go(rung)
        arms.sort(key=lambda arm: (-arm[1].accuracy, arm[1].step))
        arms = arms[: max(1, len(arms) // KEPT)]
    return arms[0][0]


def eager(task: Task, batch: int, by_muon: bool) -> Callable[[], object]:
    """A step of plain PyTorch with its fused AdamW, or with its Muon for what is a matrix."""
    model = task.model(0)
    train, _ = task.pairs(0)
    given = {name: torch.from_numpy(values[: batch or len(values)]) for name, values in train.items()}
    matrices = [parameter for parameter in model.parameters() if by_muon and parameter.dim() == 2]
    rest = [parameter for parameter in model.parameters() if not by_muon or parameter.dim() != 2]
    optimizers: list[torch.optim.Optimizer] = [torch.optim.AdamW(rest, lr=1e-3, fused=True)]
    optimizers += [torch.optim.Muon(matrices)] if matrices else []

    def step() -> None:
        model.zero_grad()
        F.cross_entropy(model(given["x"]), given["y"]).backward()
        for optimizer in optimizers:
            optimizer.step()

    return step


BASE = catapult()
REFERENCE = Contender(og.adamw(1e-3, betas=(0.9, 0.98), weight_decay=1.0), batch=0)
POSITION = {"position": {"lr": 0.01}}
OURS = {
    "97": Contender(muon_catapult(cool=(35, 70), floor=0.1).grouped(POSITION)),
    "113": Contender(muon_catapult().grouped(POSITION)),
}
MUON_RATES, MUON_DECAYS = (0.05, 0.1, 0.2, 0.4), (0.05, 0.1, 0.2)
OTHERS = {
    "muon_catapult": Contender(OURS["97"].rule, rates=MUON_RATES, decays=MUON_DECAYS),
    "catapult": Contender(BASE),
    "grokfast": Contender(og.grokfast(BASE)),
    "perpendicular": Contender(og.perpendicular(BASE)),
    "stablemax": Contender(BASE, stable),
    "muon": Contender(og.muon(0.2, adam_lr=2e-2).grouped(POSITION), rates=MUON_RATES, decays=MUON_DECAYS),
}


def transformer(prime: int) -> nn.Module:
    """The one-layer transformer, its matrices by fan-in."""
    return by_fan_in(Transformer(prime))


def embedded(prime: int) -> nn.Module:
    """The MLP, its embeddings of deviation 0.1 and its unembedding at a tenth of what PyTorch draws."""
    model = Embedded(prime)
    with torch.no_grad():
        model.unembed.weight.mul_(0.1)
    return small_embeddings(model, 0.1)


TASKS = {"97": Task(97, 0.4, transformer), "113": Task(113, 0.3, transformer)}
REVISITED = Task(113, 0.4, embedded, goal=1.0, every=1)
PATIENCE, BOUND = 300, 25
"""Steps that ours and the others are given, and how many times as many as ours took the reference is given."""


def allowed(seeds: Sequence[int], steps: int = PATIENCE) -> list[int]:
    """As many steps for each seed."""
    return [steps] * len(seeds)


def judged(
    name: str,
    learning: Learning,
    seeds: Sequence[int],
    most: Sequence[int],
    dials: Dials | None = None,
) -> list[Reached]:
    """Each seed's way to the goal, in at most so many steps, told on the screen."""
    found = [learning.begin(seed, dials).go(steps) for seed, steps in zip(seeds, most, strict=True)]
    cells = ", ".join(f"{'' if there else 'more than '}{steps} ({seconds:.2f} s)" for there, steps, seconds in found)
    print(f"  {name}: steps (CPU s): {cells}", flush=True)
    return found


def summed(figures: Figures, name: str, found: Sequence[Reached]) -> None:
    """Medians, and how many seeds got there."""
    figures[f"steps.{name}"] = statistics.median(steps for _, steps, _ in found)
    figures[f"seconds.{name}"] = round(statistics.median(seconds for *_, seconds in found), 3)
    figures[f"reached.{name}"] = round(sum(there for there, *_ in found) / len(found), 3)


def compared(figures: Figures, name: str, ours: Sequence[Reached], reference: Sequence[Reached]) -> None:
    """The least ratios of any seed that both have; none where one of ours did not get there."""
    both = list(zip(ours, reference, strict=False))
    got = all(there for (there, _, _), _ in both)
    figures[f"steps_over.{name}"] = round(min(r[1] / o[1] for o, r in both), 2) if got else None
    figures[f"cpu_over.{name}"] = round(min(r[2] / o[2] for o, r in both), 2) if got else None


def against_reference(name: str, task: Task, full: bool, figures: Figures) -> None:
    """Ours and the reference from the same values on the same pairs, and how long eager steps would take."""
    ours = judged(f"muon_catapult, mod {name}", Learning(task, OURS[name]), SEEDS, allowed(SEEDS))
    few = SEEDS if full else SEEDS[:1]
    most = [BOUND * steps for _, steps, _ in ours[: len(few)]]
    reference = judged(f"reference, mod {name}", Learning(task, REFERENCE), few, most)
    summed(figures, f"muon_catapult.{name}", ours)
    summed(figures, f"reference.{name}", reference)
    compared(figures, name, ours, reference)
    steps = {"reference": eager(task, 0, False), "ours": eager(task, OURS[name].batch, True)}
    times = interleaved(steps, 5, warm=2)
    ratio = statistics.median(a / b for a, b in zip(times["reference"], times["ours"], strict=True))
    fewer = figures[f"steps_over.{name}"]
    figures[f"eager_over.{name}"] = None if fewer is None else round(fewer * ratio, 2)


def beside_others(figures: Figures) -> None:
    """Each remedy at its best setting, over all seeds."""
    task = TASKS["97"]
    for name, contender in OTHERS.items():
        learning = Learning(task, contender)
        began = time.process_time()
        dials = tuned(learning)
        print(f"  {name}: {dials} (tuning {time.process_time() - began:.0f} CPU s)", flush=True)
        found = judged(name, learning, SEEDS, allowed(SEEDS), dials)
        summed(figures, f"tuned.{name}", found)


MLP_DECAYS = {"embed.*": {"weight_decay": 3.4}, "second.*": {"weight_decay": 1.2}, "unembed.*": {"weight_decay": 1.2}}
MLP_BASE = catapult(0.05, weight_decay=1.7, betas=(0.85, 0.98), eps=1e-25, warm_up=15, cool=(70, 120), floor=0.3)
MLP_RULE = MLP_BASE.grouped(MLP_DECAYS)
"""Chosen on seeds other than those judged (LOG.md)."""


def revisited(figures: Figures, targets: Targets) -> None:
    """The MLP, all of the training pairs in each step."""
    found = judged("MLP", Learning(REVISITED, Contender(MLP_RULE, batch=0)), MLP_SEEDS, allowed(MLP_SEEDS, 300))
    summed(figures, "mlp", found)
    targets["steps.mlp"], targets["reached.mlp"] = ("<=", 100), (">=", 1.0)


def main() -> None:
    """Measures ours and the reference on both primes, the others with --full, and the MLP."""
    options = arguments(__doc__ or "")
    one_thread()
    figures: Figures = {}
    targets: Targets = {}
    for name, task in TASKS.items():
        against_reference(name, task, options.full, figures)
        targets[f"steps_over.{name}"], targets[f"cpu_over.{name}"] = (">=", 15), (">=", 50)
    if options.full:
        beside_others(figures)
    revisited(figures, targets)
    close("grok", figures, targets, peers("torch"))


if __name__ == "__main__":
    main()
