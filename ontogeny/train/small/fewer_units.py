"""Whole hidden units, channels and heads taken out of a network, the least important first, until it fits a budget."""

from __future__ import annotations

from collections.abc import Mapping

from ontogeny.isa.errors import SmallError
from ontogeny.isa.program import Program
from ontogeny.machine.learner import Array, Learner
from ontogeny.train.small.activations import importance
from ontogeny.train.small.narrowed import Family, families, narrowed
from ontogeny.train.small.sizes import Budget
from ontogeny.train.small.units import labelled

HALVINGS = 12


def with_counts(learner: Learner, counts: Mapping[Family, int], weights: Mapping[int, float]) -> Learner:
    """The learner with so many units of each family, those that weigh most."""
    gone: set[int] = set()
    for family, count in counts.items():
        ranked = sorted(family.units, key=lambda unit: (-weights[unit], unit))
        gone.update(ranked[count:])
    return narrowed(learner, frozenset(gone))


def with_share(learner: Learner, share: float, weights: Mapping[int, float]) -> Learner:
    """The learner with this share of every family of units, at least one of each."""
    counts = {family: max(1, round(share * len(family.units))) for family in families(learner.program)}
    return with_counts(learner, counts, weights)


def towards(learner: Learner, program: Program, examples: Mapping[str, Array]) -> Learner:
    """The learner with as many units as another program has where it has fewer, so that this one can begin there."""
    there = {decl.name: decl for decl in program.named_params()}
    counts = {}
    for family in families(learner.program):
        name, axis = next(one for one in family.axes if learner.program.decl(one[0]).kind == "param")
        was, now = learner.program.decl(name).type, there[name].type if name in there else None
        if now is not None and now.rank == was.rank and now.shape[axis] < was.shape[axis]:
            counts[family] = max(1, now.shape[axis] * len(family.units) // was.shape[axis])
    return with_counts(learner, counts, weights_of(learner, examples))


def weights_of(learner: Learner, examples: Mapping[str, Array]) -> dict[int, float]:
    """How much each unit gives to what comes after it, over a batch."""
    return importance(learner, examples, labelled(learner.program).units())


def fitting(learner: Learner, budget: Budget, examples: Mapping[str, Array]) -> Learner:
    """The most units that stay within a budget, the same share of every family. `examples` are a batch of `predict`.

    SmallError where the program has no units that can go, or where one of each is too many.
    """
    found, measure = families(learner.program), budget.of(examples)
    if not found:
        raise SmallError(
            "no hidden unit of this network can be taken out by itself: all its widths meet inputs, results or a "
            "norm; give its file with an argument for its width (--file FILE.py --argument width)"
        )
    weights = weights_of(learner, examples)
    low, high = 0.0, 1.0
    best = with_share(learner, low, weights)
    if (least := measure(best)) > budget.most:
        each = "; ".join(str(family) for family in found)
        raise SmallError(
            f"with one hidden unit of each layer left the network still has {least:g} {budget.measure}, and {budget} "
            f"were asked for ({each}); give its file with an argument for its width (--file FILE.py --argument width)"
        )
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        candidate = with_share(learner, middle, weights)
        if measure(candidate) <= budget.most:
            low, best = middle, candidate
        else:
            high = middle
    return best
