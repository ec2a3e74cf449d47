"""Perpendicular gradients: no step along the parameters themselves (Prieto et al. 2025, arXiv 2501.04697).

Once everything is right, a loss can still be lowered by growing all logits; the gradient then points along the
parameters (naive loss minimisation). Each parameter's own gradient loses its part in that direction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ontogeny.front.author import Value
from ontogeny.front.rules.rule import Rule, Slots

TINY = 1e-30


def perpendicular(rule: Rule) -> Rule:
    """The same rule on gradients without their part along each parameter tensor, in that tensor's own format."""

    def update(g: Value, p: Value, state: Slots, dials: Mapping[str, Value]) -> tuple[Value, Slots]:
        return rule.update(across(g, p), p, state, dials)

    return replace(rule, name=f"perpendicular_{rule.name}", update=update, elementwise=False)


def across(g: Value, p: Value) -> Value:
    """A gradient without its part along its parameter, both of one shape."""
    along = (g * p).sum() / ((p * p).sum() + TINY)
    return g - along * p
