"""A student of another width, by the argument of the experiment's own file: the widest that stays within a budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ontogeny.front.names import piece
from ontogeny.isa.errors import OntogenyError, SmallError
from ontogeny.machine.base import value_of
from ontogeny.machine.learner import Array, Learner
from ontogeny.train.small.sizes import Budget

Build = Callable[[int], Learner]
"""A learner of a width."""
NAMES = ("width", "hidden", "units", "dim", "channels", "size", "neurons", "d_model", "features", "embed")
"""What an argument for a width is called where nobody says which it is."""
NEAR = 8
"""Widths that a model refuses, such as those that its heads do not divide, are passed over, so many at most."""


def argument_of(names: Mapping[str, object], asked: str = "") -> str:
    """The argument that is a width: the one asked for, or the first of the usual names whose default is whole.

    SmallError where there is none, with the arguments that there are.
    """
    whole = [name for name, value in names.items() if isinstance(value, int) and not isinstance(value, bool)]
    found = asked or next((name for name in NAMES if name in whole), "")
    if found not in whole:
        there = ", ".join(whole) or "none"
        what = f"the experiment has no whole argument {asked!r}" if asked else "nothing says which argument is a width"
        raise SmallError(f"{what}; its whole arguments are {there}: --argument NAME says which it is")
    return found


def fitting(
    build: Build, width: int, whole: Learner, budget: Budget, batch: Mapping[str, Array]
) -> tuple[int, Learner]:
    """The widest narrower than `whole`, of `width`, within a budget, and its learner. SmallError where none is.

    Each width is a capture, so the next one tried is by turns where a straight line puts the budget, and the middle.
    """
    measure = budget.of(batch)
    low, high, sizes = 0, width, [0.0, measure(whole)]
    best: tuple[int, Learner] | None = None
    straight = True
    while high - low > 1:
        share = (budget.most - sizes[0]) / (sizes[1] - sizes[0]) if straight and sizes[1] > sizes[0] else 0.5
        middle = min(high - 1, max(low + 1, low + round((high - low) * share)))
        straight = not straight
        found = _near(build, middle, low)
        if found is None:
            low = middle
        elif (size := measure(found[1])) <= budget.most:
            low, best, sizes[0] = middle, found, size
        else:
            high, sizes[1] = found[0], size
    if best is None:
        raise SmallError(f"no width from 1 to {width} gives {budget} or fewer; ask for less, or name another argument")
    return best


def _near(build: Build, width: int, low: int) -> tuple[int, Learner] | None:
    """The learner of a width, or of the next one below that the model takes."""
    for tried in range(width, max(low, width - NEAR), -1):
        try:
            return tried, build(tried)
        except (OntogenyError, RuntimeError, ValueError, AssertionError, ZeroDivisionError):
            continue
    return None


def begun(learner: Learner, start: Learner) -> Learner:
    """A learner that begins at the values of another wherever a parameter of its name and shape is there."""
    values = {name: value.copy() for name, value in learner.values.items()}
    theirs = {decl.name: decl for decl in start.program.named_params()}
    for decl in learner.program.named_params():
        if decl.name in theirs and theirs[decl.name].type == decl.type:
            value_of(decl, values)[...] = piece(start.program, start.values, decl.name)
    return Learner(learner.program, values, learner.check, learner.fixed)
