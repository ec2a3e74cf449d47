"""Muon: momentum orthogonalised by a Newton-Schulz iteration (Jordan 2024), for matrices; AdamW for everything else.

As in `torch.optim.Muon` with Nesterov's momentum and the "original" adjustment of the learning rate,
sqrt(max(1, rows / columns)), except that the iteration runs in the parameter's own number format, not in bfloat16.
"""

from __future__ import annotations

from collections.abc import Mapping

from ontogeny.front.author import Value, maximum
from ontogeny.front.rules.adamw import adamw
from ontogeny.front.rules.rule import Rule, Slots

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
STEPS = 5


def muon(lr: float = 1e-3, *, momentum: float = 0.95, weight_decay: float = 0.1, adam_lr: float | None = None) -> Rule:
    """Muon; dials `lr`, `weight_decay`, `momentum`, and `adam_lr` for what is not a matrix (default: `lr`)."""
    vectors = adamw(adam_lr or lr)

    def update(g: Value, p: Value, state: Slots, dials: Mapping[str, Value]) -> tuple[Value, Slots]:
        if len(p.shape) != 2:
            plain = {**dials, "lr": dials["adam_lr"]}
            new, adam = vectors.update(g, p, state, plain)
            return new, {**state, **adam}
        velocity = state["momentum_buffer"].lerp(g, 1.0 - dials["momentum"])
        direction = orthogonal(g.lerp(velocity, dials["momentum"]))
        ratio = max(1.0, p.shape[0] / p.shape[1]) ** 0.5
        p = p.scale(1.0 - dials["lr"] * dials["weight_decay"])
        return p.axpy(direction, -(dials["lr"] * ratio)), {**state, "momentum_buffer": velocity}

    dials = {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "adam_lr": adam_lr or lr}
    adam_dials = {name: vectors.dials[name] for name in ("beta1", "beta2", "eps")}
    return Rule("muon", {**dials, **adam_dials}, ("momentum_buffer", *vectors.slots), update, elementwise=False)


def orthogonal(matrix: Value) -> Value:
    """The nearest half-orthogonal matrix, roughly: five steps of a quintic Newton-Schulz iteration."""
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.permute(1, 0) if tall else matrix
    x = x / maximum((x * x).sum().sqrt(), 1e-7)
    for _ in range(STEPS):
        gram = x @ x.permute(1, 0)
        x = x * a + (gram * b + (gram @ gram) * c) @ x
    return x.permute(1, 0) if tall else x
