"""Catapult: a learning rate far above the usual and a strong decoupled decay, so that a network generalises early.

A rate past what the curvature bears throws the network out of the minimum where it would have memorised (Lewkowycz et
al. 2020, arXiv 2003.02218); the decay, rate times decay a step, wears off what the data does not hold up. Both together
replace hundreds of steps of waiting on tasks that are known for late generalisation (Power et al. 2022, arXiv
2201.02177). At such a rate each step's noise stays in the weights, so the rate falls at the end; where it fell too
early (from step 70) some seeds stopped short.

The default numbers are those found on addition modulo 97 (`benches/grok.py`); on other tasks they are only a beginning.
"""

from __future__ import annotations

from ontogeny.front.author import Value
from ontogeny.front.edits.courses import CATAPULT
from ontogeny.front.rules import Rule, adamw, bursts, constant, cosine, warmup
from ontogeny.front.rules.rule import Schedule
from ontogeny.isa.errors import ProgramError

DIALS = CATAPULT.dials


def catapult(
    lr: float = DIALS["lr"],
    *,
    weight_decay: float = DIALS["weight_decay"],
    betas: tuple[float, float] = (DIALS["beta1"], DIALS["beta2"]),
    eps: float = 1e-8,
    warm_up: int = 0,
    cool: tuple[int, int] | None = CATAPULT.cool,
    floor: float = CATAPULT.floor,
    burst: tuple[float, int, int] | None = None,
) -> Rule:
    """AdamW at a large rate that follows `course`; its dials are AdamW's, so that all can be turned while it runs.

    Raises ProgramError where the parts of the course contradict each other.
    """
    rule = adamw(lr, betas=betas, eps=eps, weight_decay=weight_decay)
    return rule.with_schedule(course(warm_up=warm_up, cool=cool, floor=floor, burst=burst))


def course(
    *,
    warm_up: int = 0,
    cool: tuple[int, int] | None = None,
    floor: float = 0.0,
    burst: tuple[float, int, int] | None = None,
) -> Schedule:
    """The factor on the rate, for any rule's `with_schedule`: up over `warm_up` steps, large, then cooled.

    `cool` is the first and the last step of half a cosine from one to `floor`; without it the rate stays. `burst` is
    (height, length, every): so many times the rate for `length` steps, every so many.
    """
    if cool and not 0 <= cool[0] < cool[1]:
        raise ProgramError(f"catapult: it cools from step {cool[0]} to step {cool[1]}; give the earlier one first")
    if cool and warm_up > cool[0]:
        raise ProgramError(
            f"catapult: {warm_up} steps to warm up, but it cools from step {cool[0]}; shorten the warm-up"
        )
    cooled = cosine(cool[1], floor, cool[0]) if cool else constant()
    after = warmup(warm_up, cooled) if warm_up else cooled
    if burst is None:
        return after
    height, length, every = burst
    above = bursts(height, length, every, warm_up)

    def factor(step: Value) -> Value:
        return after(step) * above(step)

    return factor
