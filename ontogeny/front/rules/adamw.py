"""AdamW: Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv 1711.05101).

The order and kind of the roundings are those of `torch.optim.AdamW` without fusing, so that the bits can agree.
"""

from __future__ import annotations

from collections.abc import Mapping

from ontogeny.front.author import Value
from ontogeny.front.rules.rule import Rule, Slots


def adamw(
    lr: float = 1e-3, *, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 1e-2
) -> Rule:
    """AdamW; dials `lr`, `weight_decay`, `beta1`, `beta2`, `eps`; defaults as in PyTorch."""
    dials = {"lr": lr, "weight_decay": weight_decay, "beta1": betas[0], "beta2": betas[1], "eps": eps}
    return Rule("adamw", dials, ("exp_avg", "exp_avg_sq"), _update)


def _update(g: Value, p: Value, state: Slots, dials: Mapping[str, Value]) -> tuple[Value, Slots]:
    lr, beta1, beta2, step = dials["lr"], dials["beta1"], dials["beta2"], dials["step"]
    p = p.scale(1.0 - lr * dials["weight_decay"])
    mean = state["exp_avg"].lerp(g, 1.0 - beta1)
    square = state["exp_avg_sq"].scale(beta2).addcmul(g, g, 1.0 - beta2)
    size = lr / (1.0 - beta1**step)
    denominator = square.sqrt() / (1.0 - beta2**step).sqrt() + dials["eps"]
    return p.addcdiv(mean, denominator, -size), {"exp_avg": mean, "exp_avg_sq": square}
