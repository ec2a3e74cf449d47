"""A large network that learned from few examples, distilled into a small one, against the small one alone: digits."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ontogeny.claims.claim import Claim, Expectation, Form, Measured, Series
from ontogeny.claims.tasks.digits import digits
from ontogeny.claims.tasks.trained import run_of
from ontogeny.front.capture import capture
from ontogeny.front.rules import adamw
from ontogeny.machine.learner import Learner
from ontogeny.train.small.distil import Teaching
from ontogeny.train.small.lost import quality
from ontogeny.train.small.sizes import PARAMETERS, Budget, parameters
from ontogeny.train.small.task import Task, task_of
from ontogeny.train.small.teacher import Named, outputs
from ontogeny.train.small.ways import DISTIL, Chosen, Plan, carry_out

BATCH, RATE, DECAY = 50, 3e-3, 1.0
DECAYS = (0.01, 0.3, 1.0)
"""Both small networks are given these and have the best of them, by the held-out images themselves."""
HARD = {"distilled": 0.0, "direct": 1.0}
"""The share of the small network's loss that is the true class; the rest is what the large one says."""


def network(hidden: int) -> nn.Module:
    """One hidden layer between 64 pixels and ten digits."""
    return nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))


def loss(model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Cross entropy in nats."""
    return {"loss": F.cross_entropy(model(batch["x"]), batch["y"])}


def measure(
    seed: int, *, examples: Sequence[int], at: int, large: int, small: int, learned: int, taught: int
) -> Measured:
    """Held-out accuracy of the three by number of examples; the figures are those with `at` of them."""
    found = [with_examples(seed, count, large, small, learned, taught) for count in examples]
    lines = {name: [one[name] for one in found] for name in ("large", *HARD)}
    figures = {name: values[list(examples).index(at)] for name, values in lines.items()}
    figures["large_over_direct"] = figures["large"] - figures["direct"]
    figures["gain"] = figures["distilled"] - figures["direct"]
    figures["times_smaller"] = found[0]["times_smaller"]
    return Measured(figures, tuple(Series(name, list(examples), values) for name, values in lines.items()))


def with_examples(seed: int, count: int, large: int, small: int, learned: int, taught: int) -> dict[str, float]:
    """Both small networks from the same first values on the same batches, each at its best decay, and the large one."""
    train, valid = digits(seed, count)
    torch.manual_seed(seed)
    with run_of(
        network(large), loss, adamw(RATE, weight_decay=DECAY), train, valid, seed=seed, batch_size=BATCH
    ) as run:
        run.advance(learned)
        task, start = task_of(run), beginning(seed, small, train)
        plans = [Plan(taught, weight_decay=decay, seed=seed) for decay in DECAYS]
        found = {
            name: max(accuracy(task, start, replace(plan, teaching=Teaching(hard=hard))) for plan in plans)
            for name, hard in HARD.items()
        }
    sizes = parameters(task.teacher.program), parameters(start.program)
    return {**found, "large": right(task, task.teacher), "times_smaller": sizes[0] / sizes[1]}


def beginning(seed: int, hidden: int, train: Named) -> Learner:
    """A small network that has learned nothing yet."""
    torch.manual_seed(seed)
    example = {name: values[:BATCH] for name, values in train.items()}
    return capture(network(hidden), loss, adamw(), example, predict=lambda model, batch: model(batch["x"]))


def accuracy(task: Task, start: Learner, plan: Plan) -> float:
    """Held-out accuracy of a small network after a plan."""
    size = parameters(start.program)
    chosen = Chosen(DISTIL, Budget(PARAMETERS, size), start, size, "as it begins")
    with tempfile.TemporaryDirectory() as folder, carry_out(task, chosen, plan, lambda: Path(folder) / "run") as run:
        return right(task, run.learner)


def right(task: Task, learner: Learner) -> float:
    """The share of held-out images that a network reads."""
    return quality(outputs(learner, task.valid), task.truth, task.classes).accuracy or 0.0


CLAIM = Claim(
    name="distilled-beats-direct",
    sentence="A large network trained on little data and distilled into a small one beats the small one trained "
    "directly.",
    how="Digits of 8x8 pixels. A network of 512 hidden units learns from few images with strong decay. Two networks of "
    "8 hidden units begin at the same values and see the same batches of the same images for as many steps: one "
    "learns what the large one says of them (temperature 4), the other their true classes; each of the two with the "
    "decay, of 0.01, 0.3 and 1, at which it reads most of the held-out images.",
    measure=measure,
    expects=(
        Expectation("large_over_direct", ">=", 0.01, "the large network reads a point more than the small one"),
        Expectation("gain", ">=", 0.005, "and distilled into it, half a point more than it learns directly"),
    ),
    quick=Form((0,), 2.0, {"examples": [100], "at": 100, "large": 64, "small": 8, "learned": 30, "taught": 30}),
    full=Form(
        tuple(range(6)),
        20.0,
        {"examples": [100, 200, 400], "at": 200, "large": 512, "small": 8, "learned": 400, "taught": 1000},
    ),
    limits="One small task and one shape of network; no pictures but those that both learned from are shown to the "
    "student. What labelling more data by the large network would add is not in it.",
    axes=("examples", "accuracy on held-out images"),
    logarithmic="x",
    source="the one who asked for this project",
)
