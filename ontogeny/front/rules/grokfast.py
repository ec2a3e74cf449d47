"""Grokfast: the slow part of the gradient is amplified before any rule (Lee et al. 2024, arXiv 2405.20233).

The slow part is an exponential moving average of the gradients, added to them `lamb` times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ontogeny.front.author import Value
from ontogeny.front.rules.rule import Rule, Slots
from ontogeny.isa.errors import ProgramError

SLOT, RATE, STRENGTH = "slow_gradient", "grokfast_alpha", "grokfast_lamb"


def grokfast(rule: Rule, *, alpha: float = 0.98, lamb: float = 2.0) -> Rule:
    """The same rule on amplified gradients; dials `grokfast_alpha` (what of the average stays) and `grokfast_lamb`.

    As in the authors' code the average begins with the first gradient. Raises ProgramError where a rule has it already.
    """
    if SLOT in rule.slots:
        raise ProgramError(f"grokfast: the rule {rule.name} amplifies slow gradients already")

    def update(g: Value, p: Value, state: Slots, dials: Mapping[str, Value]) -> tuple[Value, Slots]:
        first = (dials["step"] <= 1.0).cast(dials["step"].dtype)
        kept = dials[RATE] * (1.0 - first)
        slow = state[SLOT].scale(kept).axpy(g, 1.0 - kept)
        p, rest = rule.update(g.axpy(slow, dials[STRENGTH]), p, {k: v for k, v in state.items() if k != SLOT}, dials)
        return p, {**rest, SLOT: slow}

    shapes = (lambda shape: {**rule.slot_shapes(shape), SLOT: shape}) if rule.shapes else None
    dials = {**rule.dials, RATE: alpha, STRENGTH: lamb}
    slots = (*rule.slots, SLOT)
    return replace(rule, name=f"grokfast_{rule.name}", dials=dials, slots=slots, update=update, shapes=shapes)
