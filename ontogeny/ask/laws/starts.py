"""Where the descents of a fit begin: a grid over what a law may be, in the units of the points at hand.

Hoffmann's grid is one of factors and exponents, most of which are absurd for any given points. Here a start says what
share of the least loss is floor, how the rest is shared among the terms where the points' middle is, and the exponents.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from ontogeny.ask.laws.descent import Minima, Task, descend
from ontogeny.ask.laws.forms import EXPONENT, FACTOR, REPEATS, Floats, Form
from ontogeny.ask.laws.points import Points

FLOORS = (0.3, 0.6, 0.9)
SHARES: dict[int, tuple[tuple[float, ...], ...]] = {1: ((1.0,),), 2: ((0.2, 0.8), (0.5, 0.5), (0.8, 0.2))}
MANY, FEW = (0.1, 0.3, 0.6, 1.0, 1.5), (0.25, 0.7)
AFTER = (2.0, 10.0, 40.0)
FIRST_ROUNDS = 25
KEPT = 48
"""Of all starts, so many are followed to the end: those that are lowest after some rounds of least squares."""
SAME = 1e-6
"""Minima whose values differ by less than this share are one."""


def starts(form: Form, points: Points) -> Floats:
    """Numbers f64[B, P] to begin at."""
    kinds = [number.kind for number in form.numbers]
    exponents = MANY if len(kinds) <= 5 else FEW
    choices = {EXPONENT: exponents, REPEATS: tuple(np.log(AFTER))}
    free = [place for place, kind in enumerate(kinds) if kind in choices]
    factors = [place for place, kind in enumerate(kinds) if kind == FACTOR][1:]
    least, middle = points.loss.min(), np.median(points.loss)
    found = []
    for floor, shares, *rest in product(FLOORS, SHARES[len(factors)], *(choices[kinds[place]] for place in free)):
        one = np.zeros(len(kinds))
        one[0] = np.log(floor * least)
        one[factors] = np.log(np.array(shares) * (middle - floor * least))
        one[free] = rest
        found.append(one)
    return np.array(found) @ form.scales(points).T


def lowest(form: Form, points: Points) -> tuple[Floats, float, tuple[int, int]]:
    """The numbers of the lowest minimum, Huber's loss there, and how many of how many followed starts led to it."""
    task = Task(form, points, np.ones((1, len(points))))
    first = descend(task, starts(form, points), (1.0,), FIRST_ROUNDS)
    order = np.argsort(np.where(np.isfinite(first.value), first.value, np.inf), kind="stable")[:KEPT]
    found: Minima = descend(task, first.kept[order])
    best = found.best()
    value = float(found.value[best])
    same = int((found.value <= value * (1 + SAME) + 1e-15).sum())
    return found.kept[best], value, (same, len(order))
