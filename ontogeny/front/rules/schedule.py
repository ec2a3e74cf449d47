"""Schedules: a factor on the learning rate, computed by the program from its step count."""

from __future__ import annotations

from math import pi

from ontogeny.front.author import Value, maximum, minimum
from ontogeny.front.rules.rule import Schedule


def constant() -> Schedule:
    """Always one."""
    return lambda step: step * 0.0 + 1.0


def warmup(steps: int, then: Schedule | None = None) -> Schedule:
    """Rises from 1/steps to one over `steps`, and multiplies what comes `then`."""

    def factor(step: Value) -> Value:
        rise = minimum((step + 1.0) / float(steps), 1.0)
        return rise * then(step) if then else rise

    return factor


def cosine(steps: int, floor: float = 0.0, start: int = 0) -> Schedule:
    """Falls from one to `floor` along half a cosine from step `start` to step `steps` (Loshchilov and Hutter 2017)."""

    def factor(step: Value) -> Value:
        done = maximum(minimum((step - float(start)) / float(max(1, steps - start)), 1.0), 0.0)
        return ((done * pi).cos() + 1.0) * ((1.0 - floor) / 2.0) + floor

    return factor
