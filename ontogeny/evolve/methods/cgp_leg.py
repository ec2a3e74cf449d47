"""Generations of Cartesian genetic programming against a truth table, for numba."""

from __future__ import annotations

from typing import Any

import numpy as np

from ontogeny.evolve.methods.cgp_kernels import make_again, mark, mutate, take_back
from ontogeny.evolve.methods.cgp_values import cost, evaluate, follow, forget, settle, wanted, wires
from ontogeny.machine.swarm.kernels import loop
from ontogeny.machine.swarm.pointers import pointer


@loop
def leg(
    genes: Any, functions: Any, rng: Any, offspring: int, hits: int, room: Any, target: Any, planes: Any, weights: Any,
    most: int, until: bool, told: Any,
) -> None:  # fmt: skip
    """Generations, in place, until `most` evaluations or, if `until`, the first that is solved.

    told int64[3] is then: error of the parent, its gates, evaluations. Whoever is no worse than the parent replaces
    it, the last among the best; once solved, who is correct and takes no more gates. `room` as `cgp_values.room` makes.
    """
    at, goal = wires(genes, functions.size, target.shape[0], room), wanted(target, planes, weights)
    own, tables, state, trial = pointer(genes), pointer(functions), pointer(rng), pointer(room.trial)
    log, best, done = pointer(room.log), pointer(room.best), 0
    gates = settle(at)
    evaluate(at, gates)
    error = cost(at, goal, np.int64(1) << 62)
    while done < most and not (until and error == 0):
        replaced_by, kept = 0, False
        for child in range(offspring):
            changed = mutate(own, at.shape, tables, at.known, hits, state, log)
            moved, met = follow(at, log, changed)
            found = cost(at, goal, error)
            taken = gates if found else mark(own, at.shape, trial, at.order)
            better = found < error or (found == error and (found != 0 or taken <= gates))
            kept = better and child == offspring - 1
            if not kept:
                take_back(own, log, changed)
                forget(at, moved, met)
            if better:
                error, gates, replaced_by, log, best = found, taken, changed, best, log
        done += offspring
        if replaced_by:
            if not kept:
                make_again(own, best, replaced_by)
                follow(at, best, replaced_by)
            gates = settle(at)
    told[0], told[1], told[2] = error, gates, done
