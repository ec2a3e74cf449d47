"""Schedules: a factor on the learning rate, computed by the program from its step count."""

from __future__ import annotations

from math import pi

from ontogeny.front.author import Value, maximum, minimum, where
from ontogeny.front.rules.rule import Schedule
from ontogeny.isa.errors import ProgramError
from ontogeny.isa.op import Op


def constant() -> Schedule:
    """Always one."""
    return lambda step: step * 0.0 + 1.0


def warmup(steps: int, then: Schedule | None = None) -> Schedule:
    """Rises from 1/steps to one over `steps`, and multiplies what comes `then`."""
    if steps < 0:
        raise ProgramError(f"warmup: {steps} steps; expected 0 or more")

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


def cycles(period: int, floor: float = 0.0, start: int = 0) -> Schedule:
    """Falls from one to `floor` along half a cosine over and over, `period` steps each (SGDR, arXiv 1608.03983)."""
    _whole("cycles", period=period)

    def factor(step: Value) -> Value:
        done = _within(maximum(step - float(start), 0.0), period) / float(period)
        return ((done * pi).cos() + 1.0) * ((1.0 - floor) / 2.0) + floor

    return factor


def bursts(height: float, length: int, every: int, start: int = 0) -> Schedule:
    """`height` times the rate for `length` steps, every so many steps from step `start` on; one between them.

    A burst past what the curvature bears lifts the loss and, where it does not diverge, leaves the network at a place
    of less curvature: the catapult (Lewkowycz et al. 2020, arXiv 2003.02218).
    """
    _whole("bursts", length=length, every=every)
    if length >= every:
        raise ProgramError(
            f"bursts: {length} steps long and {every} apart, so there is nothing between; make it longer"
        )

    def factor(step: Value) -> Value:
        since = step - float(start)
        on = (_within(since, every) < float(length)) & (since >= 0.0)
        return where(on, step * 0.0 + height, step * 0.0 + 1.0)

    return factor


def _within(step: Value, period: int) -> Value:
    """What is left of a step after whole periods."""
    return step - (step / float(period)).op(Op.FLOOR) * float(period)


def _whole(what: str, **counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise ProgramError(f"{what}: {name}={count} steps; expected 1 or more")
