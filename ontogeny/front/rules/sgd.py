"""Stochastic gradient descent, with momentum and Nesterov's variant (Sutskever et al. 2013), as in `torch.optim.SGD`.

Decay is added to the gradient, as PyTorch does it. Momentum starts from the first gradient: the buffer begins at zero
and dampening is zero, so the first step gives the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from ontogeny.front.author import Value
from ontogeny.front.rules.rule import Rule, Slots


def sgd(lr: float = 1e-2, *, momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0) -> Rule:
    """SGD; dials `lr`, `weight_decay`, and `momentum` when it is not zero."""

    def update(g: Value, p: Value, state: Slots, dials: Mapping[str, Value]) -> tuple[Value, Slots]:
        g = g.axpy(p, dials["weight_decay"])
        if not momentum:
            return p.axpy(g, -dials["lr"]), {}
        velocity = state["momentum_buffer"].scale(dials["momentum"]) + g
        direction = g.axpy(velocity, dials["momentum"]) if nesterov else velocity
        return p.axpy(direction, -dials["lr"]), {"momentum_buffer": velocity}

    dials = {"lr": lr, "weight_decay": weight_decay}
    if not momentum:
        return Rule("sgd", dials, (), update)
    return Rule("sgd", {**dials, "momentum": momentum}, ("momentum_buffer",), update)
