"""All kinds of methods, genomes, spaces and fitness by name, a line each: what a journal calls them.

A record is described by its kind and its fields, a fitness by its maker and what that was given; both are made again
from it. Functions are told by the file that they stand in and its hash, arrays by their hash (`store.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from ontogeny.evolve.fitness.behaviour import by_behaviour
from ontogeny.evolve.fitness.classifying import accuracy
from ontogeny.evolve.fitness.judged import batch, each
from ontogeny.evolve.fitness.of_runs import after_run
from ontogeny.evolve.fitness.over_time import follows, reward
from ontogeny.evolve.fitness.recipe import Recipe
from ontogeny.evolve.fitness.several import several, weighed
from ontogeny.evolve.fitness.tables import of_arrays
from ontogeny.evolve.gates.genes import Gates
from ontogeny.evolve.methods.ageing import Ageing
from ontogeny.evolve.methods.cgp import CGP
from ontogeny.evolve.methods.cma_es import CMAES
from ontogeny.evolve.methods.elites import Elites
from ontogeny.evolve.methods.genetic import Genetic
from ontogeny.evolve.methods.growth import Growth
from ontogeny.evolve.methods.islands import Islands
from ontogeny.evolve.methods.low_rank_es import LowRankES
from ontogeny.evolve.methods.openai_es import OpenAIES
from ontogeny.evolve.methods.pareto import Pareto
from ontogeny.evolve.recording.store import Store
from ontogeny.evolve.spaces import Bounded, Netlists, Vectors
from ontogeny.evolve.tapes.ageing import TapeAgeing
from ontogeny.evolve.tapes.candidates import Instructions, Learners, learning
from ontogeny.evolve.weights.batches import batched
from ontogeny.evolve.weights.candidates import Weights
from ontogeny.evolve.weights.genes import Reals
from ontogeny.evolve.weights.network import network
from ontogeny.isa.errors import SearchError

METHODS: dict[str, type[Any]] = {
    "cgp": CGP, "ageing": Ageing, "genetic": Genetic, "elites": Elites, "pareto": Pareto, "tape-ageing": TapeAgeing,
    "islands": Islands, "growth": Growth,
    "openai-es": OpenAIES, "low-rank-es": LowRankES, "cma-es": CMAES,
}  # fmt: skip
GENOMES: dict[str, type[Any]] = {"gates": Gates, "instructions": Instructions, "reals": Reals}
SPACES: dict[str, type[Any]] = {
    "netlists": Netlists,
    "vectors": Vectors,
    "bounded": Bounded,
    "learners": Learners,
    "weights": Weights,
}
FITNESSES: dict[str, Callable[..., Any]] = {
    "table": of_arrays, "each": each, "batch": batch, "several": several, "weighed": weighed,
    "learning": learning,
    "follows": follows, "accuracy": accuracy, "reward": reward, "after_run": after_run, "by_behaviour": by_behaviour,
    "network": network, "batched": batched,
}  # fmt: skip
KINDS: Mapping[str, Callable[..., Any]] = {**METHODS, **GENOMES, **SPACES, **FITNESSES}
NAMES = {kind: name for name, kind in {**METHODS, **GENOMES, **SPACES}.items()}


def described(value: Any, store: Store) -> Any:
    """A method, a recipe, or what these are given, as JSON has it. Raises SearchError for what has no name."""
    if isinstance(value, Recipe):
        return {"kind": value.name, **{name: described(one, store) for name, one in value.arguments.items()}}
    if is_dataclass(value) and type(value) in NAMES:
        told = {field.name: described(getattr(value, field.name), store) for field in fields(value) if field.init}
        return {"kind": NAMES[type(value)], **told}
    if isinstance(value, np.ndarray):
        return store.put_array(value)
    if isinstance(value, list | tuple):
        return [described(one, store) for one in value]
    if isinstance(value, bool | int | float | str | None):
        return value
    if isinstance(recipe := getattr(value, "recipe", None), Recipe):
        return described(recipe, store)
    if callable(value) and not isinstance(value, type):
        return store.put_function(value)
    raise SearchError(f"{value!r} has no name by which a journal could tell it; the kinds are {', '.join(KINDS)}")


def made(told: Any, store: Store) -> Any:
    """What `described` told, made again; lists are tuples then. Raises SearchError for what is no kind of ours."""
    if isinstance(told, list):
        return tuple(made(one, store) for one in told)
    if not isinstance(told, dict):
        return told
    if "kind" not in told:
        return store.array(told) if "array" in told else store.function(told)
    if told["kind"] not in KINDS:
        raise SearchError(f"there is no kind {told['kind']!r}; there are {', '.join(KINDS)}")
    return KINDS[told["kind"]](**{name: made(one, store) for name, one in told.items() if name != "kind"})
