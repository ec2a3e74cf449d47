"""The whole way to a small netlist: searched until it is right, made smaller by a walk, over again from other seeds."""

from __future__ import annotations

from dataclasses import dataclass

from ontogeny.evolve.fitness.tables import Table
from ontogeny.evolve.gates.resynthesis import WALK, Walk, resynthesised
from ontogeny.evolve.methods.cgp import CGP
from ontogeny.evolve.search import search
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import Netlist


@dataclass(frozen=True)
class Smallest:
    """The smallest netlist of several tries that is right; evaluations and steps of all of them."""

    net: Netlist
    evaluations: int
    steps: int

    def __str__(self) -> str:
        return f"{self.net.gates} gates after {self.evaluations:,} evaluations and {self.steps:,} steps of resynthesis"


def smallest(
    method: CGP, fitness: Table, *, seed: int = 0, tries: int = 3, steps: int = 20_000, evaluations: int = 10_000_000,
    walk: Walk = WALK, enough: int = 0,
) -> Smallest:  # fmt: skip
    """Searched and resynthesised from `tries` seeds that no other seed has, each with these steps and evaluations.

    A netlist of no more than `enough` gates ends it: where a start is bad, its walk soon stands still, so another start
    is worth more than more steps. The fitness is of all cases, each bit with a weight. Raises NetlistError where no try
    is right.
    """
    nets, spent, nearest = [], 0, float("inf")
    for own in range(seed * tries, (seed + 1) * tries):
        found = search(method, fitness, seed=own, evaluations=evaluations)
        spent, nearest = spent + found.evaluations, min(nearest, found.error)
        if found.solved:
            nets.append(resynthesised(found.net, gates=method.gates, seed=own, steps=steps, walk=walk))
            if nets[-1].gates <= enough:
                break
    if not nets:
        raise NetlistError(
            f"none of {tries} tries is right after {evaluations:,} evaluations, the nearest has an error of "
            f"{nearest:g}; give more of them, or cut the function into parts"
        )
    return Smallest(min(nets, key=lambda net: net.gates), spent, steps * len(nets))
