"""A network made ten times smaller, and what that costs: digits and characters, distilled, pruned, and both.

Figures, on held-out examples: points of accuracy lost on digits (the mean over seeds, and the worst seed), and by how
many percent the loss in nats grows on characters. Beside them magnitude pruning alone to as many weights and by as many
steps: on digits at once and by the run's own rule, its rate falling once more; on characters gradually and by AdamW,
one seed. (The rest of characters learns by Muon, whose updates are orthogonal as whole matrices, held zeros included,
which may not suit a pruned network.) A pruned network keeps its shapes: only its weights that are not zero are as few.
Characters take some minutes and need --full.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from common import Figures, arguments, close, one_thread, peers
from torch import nn

from ontogeny.claims.tasks import text
from ontogeny.claims.tasks.digits import digits
from ontogeny.claims.tasks.trained import run_of
from ontogeny.front.capture import capture
from ontogeny.front.rules import Rule, adamw, muon
from ontogeny.front.rules.schedule import cosine, warmup
from ontogeny.train.small.distil import Teaching
from ontogeny.train.small.shrink import Network, shrink
from ontogeny.train.small.sizes import PARAMETERS, Budget, parameters
from ontogeny.train.small.task import task_of
from ontogeny.train.small.ways import DISTIL, GRADUAL, MAGNITUDE, SPARSE, Plan, choose, clipped

BY = 10
SEEDS, SEEDS_OF_CHARACTERS = range(5), range(3)
HIDDEN, LEARNT, TAUGHT = 256, 1000, 3000
WIDTH, CONTEXT, STRIDE, BATCH = 128, 64, 8, 16
TEACHING, TAUGHT_CHARACTERS = 600, 4000
PLAIN_RATE = 4e-3
SEEDS_PRUNED, ROUNDS, PRUNED_RATE, PRUNED_DECAY = (0,), 16, 6e-3, 0.1
TARGETS = {
    "digits.points_lost": ("<=", 1.0),
    "digits.points_lost_worst": ("<=", 1.0),
    "characters.loss_percent": ("<=", 2.0),
    "characters.loss_percent_worst": ("<=", 2.0),
}


def pixels_loss(model: nn.Module, batch: Any) -> dict[str, torch.Tensor]:
    """Cross entropy in nats, and accuracy."""
    scores = model(batch["x"])
    return {"loss": F.cross_entropy(scores, batch["y"]), "accuracy": (scores.argmax(-1) == batch["y"]).float().mean()}


def pixels(hidden: int) -> nn.Module:
    """The digits' model."""
    return nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))


def letters(width: int) -> nn.Module:
    """The characters' model."""
    return text.GPT(width, 2, CONTEXT, 4)


def orthogonal(lr: float, weight_decay: float) -> Rule:
    """Muon, by which characters are learned in a third of AdamW's steps."""
    return muon(lr, weight_decay=weight_decay, adam_lr=PLAIN_RATE)


def smaller(run: Any, make: Any, loss: Any, width: int, plans: dict[str, Plan], by: float, example: Any) -> Any:
    """Every way at one size."""
    task = task_of(run)
    budget = Budget(PARAMETERS, parameters(run.program) / by)

    def build(to: int) -> Any:
        torch.manual_seed(plans[DISTIL].seed)
        return capture(make(to), loss, adamw(), example, predict=lambda m, b: m(b["x"]))

    with tempfile.TemporaryDirectory() as folder:
        numbers, found = count(), {}
        for way, plan in plans.items():
            chosen = choose(task, way, budget, ("width", width, build))
            report = shrink(task, [chosen], plan, lambda way: Path(folder) / f"{way}-{next(numbers)}")
            found[way] = report.after[0]
            say(report.before, found[way])
    return report.before, found


def say(before: Network, after: Network) -> None:
    """A line for people."""
    (was, now), size = (before.quality, after.quality), f"{after.parameters:,} of {before.parameters:,}"
    print(f"  {after.way}: {size} ({after.words}), {after.seconds:.0f} CPU s", flush=True)
    print(f"    loss {now.loss:.4f} of {was.loss:.4f}, accuracy {now.accuracy:.4f} of {was.accuracy:.4f}", flush=True)


def digits_of(seed: int) -> tuple[Network, dict[str, Network]]:
    """A seed of digits: the network before, and what each way made of it."""
    torch.manual_seed(seed)
    train, valid = digits(seed)
    plan = Plan(TAUGHT, seed=seed)
    plans = dict.fromkeys((DISTIL, SPARSE, MAGNITUDE), plan)
    rule = adamw(lr=3e-3)
    with run_of(pixels(HIDDEN), pixels_loss, rule, train, valid, seed=seed, batch_size=64) as run:
        run.advance(LEARNT)
        example = {name: values[:64] for name, values in train.items()}
        return smaller(run, pixels, pixels_loss, HIDDEN, plans, BY, example)  # type: ignore[no-any-return]


def falling(steps: int) -> Rule:
    """What the characters' teacher learns by."""
    return orthogonal(4e-2, 0.25).with_schedule(warmup(50, cosine(steps, 0.02)))


def characters_of(seed: int) -> tuple[Network, dict[str, Network]]:
    """The same of characters."""
    torch.manual_seed(seed)
    learnt, held_out = text.codes()
    train, valid = text.windows(learnt, CONTEXT, STRIDE), text.windows(held_out, CONTEXT, CONTEXT)
    teaching = Teaching(temperature=1.0, hard=0.0)
    plan = Plan(TAUGHT_CHARACTERS, lr=2e-2, weight_decay=0.1, teaching=teaching, seed=seed, by=orthogonal)
    pruned = replace(plan, lr=PRUNED_RATE, weight_decay=PRUNED_DECAY, rounds=ROUNDS, by=clipped)
    plans = {DISTIL: plan, **({GRADUAL: pruned} if seed in SEEDS_PRUNED else {})}
    with run_of(letters(WIDTH), text.loss, falling(TEACHING), train, valid, seed=seed, batch_size=BATCH) as run:
        run.advance(TEACHING)
        example = {name: values[:BATCH] for name, values in train.items()}
        return smaller(run, letters, text.loss, WIDTH, plans, BY, example)  # type: ignore[no-any-return]


def characters(figures: Figures) -> None:
    """Every seed of characters."""
    rows = []
    for seed in SEEDS_OF_CHARACTERS:
        print(f"characters, seed {seed}", flush=True)
        rows.append(characters_of(seed))
    for way in (DISTIL, GRADUAL):
        grown = [100 * (after[way].quality.loss / before.quality.loss - 1) for before, after in rows if way in after]
        end = "" if way == DISTIL else f"_{way}"
        figures[f"characters.loss_percent{end}"] = round(statistics.mean(grown), 3)
        figures[f"characters.loss_percent_worst{end}"] = round(max(grown), 3)
    figures["characters.loss_before"] = round(statistics.mean(before.quality.loss for before, _ in rows), 4)
    before, after = rows[0]
    figures["characters.parameters"], figures["characters.parameters_before"] = (
        after[DISTIL].parameters,
        before.parameters,
    )


def main() -> None:
    """Digits, and where asked for characters."""
    options = arguments(__doc__ or "")
    one_thread()
    figures: Figures = dict.fromkeys(TARGETS)
    started = time.process_time()
    rows = []
    for seed in SEEDS:
        print(f"digits, seed {seed}", flush=True)
        rows.append(digits_of(seed))
    for way in (DISTIL, SPARSE, MAGNITUDE):
        points = [100 * ((b.quality.accuracy or 0) - (a[way].quality.accuracy or 0)) for b, a in rows]
        end = "" if way == DISTIL else f"_{way}"
        figures[f"digits.points_lost{end}"] = round(statistics.mean(points), 3)
        figures[f"digits.points_lost_worst{end}"] = round(max(points), 3)
    figures["digits.parameters"], figures["digits.parameters_before"] = (
        rows[0][1][DISTIL].parameters,
        rows[0][0].parameters,
    )
    if options.full:
        characters(figures)
    else:
        print("  characters: some minutes; --full measures them")
    figures["cpu_seconds"] = round(time.process_time() - started, 1)
    close("shrink", figures, TARGETS, peers("torch"))


if __name__ == "__main__":
    main()
