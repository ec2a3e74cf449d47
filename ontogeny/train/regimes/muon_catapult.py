"""The catapult by orthogonal steps: Muon at a very large rate, little momentum, and a course that cools it.

Muon (`front/rules/muon.py`) moves every direction of a matrix by the same length. At a rate of 0.25 that is an eighth
of what a fresh square matrix stretches at most, in all directions at once and at every step. On addition modulo 97
(`benches/grok.py`) the held-out share passed a half after 40 to 50 steps, where AdamW at 0.02 took 70 to
80. Momentum is small: with Muon's usual 0.95 the share stood at 0.86 after 70 steps, with 0.8 at 0.93. The decay of a
step is rate times `weight_decay`, 5% here, so a number that is usual for Muon, 0.2, is strong.

Matrices of a few rows, such as positions, want a rate of their own: `.grouped({"position": {"lr": 0.01}})`. A harder
split wants a longer course. Of other tasks nothing is known; a network that reads its inputs by fully connected layers
with all examples at every step was memorised at these settings (LOG.md).
"""

from __future__ import annotations

from ontogeny.front.edits.courses import MUON_CATAPULT
from ontogeny.front.rules import Rule, muon
from ontogeny.train.regimes.catapult import course

DIALS = MUON_CATAPULT.dials


def muon_catapult(
    lr: float = DIALS["lr"],
    *,
    momentum: float = DIALS["momentum"],
    weight_decay: float = DIALS["weight_decay"],
    adam_lr: float = DIALS["adam_lr"],
    warm_up: int = 0,
    cool: tuple[int, int] | None = MUON_CATAPULT.cool,
    floor: float = MUON_CATAPULT.floor,
    burst: tuple[float, int, int] | None = None,
) -> Rule:
    """Muon at a large rate that follows the catapult's `course`; its dials are Muon's, `adam_lr` for what is no matrix.

    Raises ProgramError where the parts of the course contradict each other.
    """
    rule = muon(lr, momentum=momentum, weight_decay=weight_decay, adam_lr=adam_lr)
    return rule.with_schedule(course(warm_up=warm_up, cool=cool, floor=floor, burst=burst))
