"""Addition modulo 97, learnt under one regime or another: run several, then `ontogeny compare` them.

    ontogeny run examples/regimes.py regime=sleep --name sleep --steps 300

`plain` is AdamW. The others change one thing about it; `muon` is another rule, so is `muon_catapult`, at its own rate.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from modular import Transformer, loss, pairs

import ontogeny as og
from ontogeny.front.rules import Rule
from ontogeny.machine.learner import Learner
from ontogeny.train.losses import stablemax_cross_entropy
from ontogeny.train.regimes.ensemble import Ensemble, ensemble_loss

RULES: dict[str, Callable[[Rule], Rule]] = {
    "sam": og.sam,
    "grokfast": og.grokfast,
    "perpendicular": og.perpendicular,
    "bursts": lambda rule: rule.with_schedule(og.bursts(height=3.0, length=5, every=50)),
    "cycles": lambda rule: rule.with_schedule(og.cycles(50)),
    "muon": lambda rule: og.muon(rule.dials["lr"], weight_decay=rule.dials["weight_decay"]),
    "muon_catapult": lambda rule: og.muon_catapult(adam_lr=rule.dials["lr"]).grouped({"position": {"lr": 0.01}}),
}
ROUTINES: dict[str, Callable[[Learner], Learner]] = {
    "sleep": lambda learner: og.with_sleep(learner, every=10, scale=0.97),
    "proportional": lambda learner: og.with_sleep(learner, every=10, scale=0.97, kind="proportional"),
    "replay": lambda learner: og.with_sleep(learner, every=10, scale=0.97, replays=2, rate=0.02),
    "perturb": lambda learner: og.with_shrink_perturb(learner, every=50, shrink=0.9, sigma=0.01),
}
REGIMES = ("plain", *RULES, *ROUTINES, "stablemax", "ensemble")


def stable(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """StableMax in the place of softmax, and beside it the cross entropy that the others have."""
    scores = model(batch["x"])
    accuracy = (scores.argmax(-1) == batch["y"]).float().mean()
    entropy = F.cross_entropy(scores, batch["y"])
    return {"loss": stablemax_cross_entropy(scores, batch["y"]), "accuracy": accuracy, "entropy": entropy}


def experiment(
    regime: str = "plain",
    lr: float = 1.5e-2,
    weight_decay: float = 1.0,
    members: int = 3,
    batch_size: int = 1024,
    seed: int = 0,
) -> og.Experiment:
    """The task under a regime, ready to run."""
    if regime not in REGIMES:
        raise og.OntogenyError(f"there is no regime {regime!r}; there are {', '.join(REGIMES)}")
    torch.manual_seed(seed)
    train, valid = pairs(0.4, seed)
    model = Ensemble.of(Transformer, members, seed) if regime == "ensemble" else Transformer()
    judged = {"stablemax": stable, "ensemble": ensemble_loss}.get(regime, loss)
    rule = og.adamw(lr=lr, weight_decay=weight_decay, betas=(0.9, 0.98))
    rule = RULES[regime](rule) if regime in RULES else rule
    example = {name: values[:batch_size] for name, values in train.items()}
    learner = og.capture(model, judged, rule, example, valid=valid, predict=lambda m, b: m(b["x"]), name="modular")
    learner = ROUTINES[regime](learner) if regime in ROUTINES else learner
    data = og.Arrays(train, batch_size=batch_size, seed=seed)
    held_out = {f"valid.{name}": values for name, values in valid.items()}
    goal = og.Goal.parse("valid.accuracy >= 0.99")
    return og.Experiment(learner, data, held_out, seed=seed, evaluate_every=5, until=goal, name=regime)
