"""Lion: the sign of an interpolated momentum (Chen et al. 2023, arXiv 2302.06675, algorithm 2)."""

from __future__ import annotations

from collections.abc import Mapping

from ontogeny.front.author import Value
from ontogeny.front.rules.rule import Rule, Slots


def lion(lr: float = 1e-4, *, betas: tuple[float, float] = (0.9, 0.99), weight_decay: float = 0.0) -> Rule:
    """Lion; dials `lr`, `weight_decay`, `beta1`, `beta2`."""
    dials = {"lr": lr, "weight_decay": weight_decay, "beta1": betas[0], "beta2": betas[1]}
    return Rule("lion", dials, ("momentum_buffer",), _update)


def _update(g: Value, p: Value, state: Slots, dials: Mapping[str, Value]) -> tuple[Value, Slots]:
    momentum = state["momentum_buffer"]
    direction = momentum.lerp(g, 1.0 - dials["beta1"]).sign()
    p = p.scale(1.0 - dials["lr"] * dials["weight_decay"]).axpy(direction, -dials["lr"])
    return p, {"momentum_buffer": momentum.lerp(g, 1.0 - dials["beta2"])}
