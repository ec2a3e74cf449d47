"""Covariance matrix adaptation (Hansen and Ostermeier 2001), by the library `cma`, which the extra `cma` installs.

The library keeps what it has learned in objects that no plain arrays give again. So the state is all that it was told,
the errors of every generation, and where it stands is found by telling it again; the candidates are drawn from the same
seeds, and none is judged twice. What was told last is kept ready, and only makes the next generation come sooner.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.method import Asked, Best, Errors, Method, Numbers, chance, single
from ontogeny.evolve.methods.population import Population, alone
from ontogeny.evolve.spaces import Space, Vectors, expected
from ontogeny.evolve.weights.candidates import Flat, Vector, bounds, initial, number
from ontogeny.isa.errors import SearchError

INSTALLED = find_spec("cma") is not None
READY = 16
"""How many searches' objects are kept."""


@dataclass(frozen=True, eq=False)
class Adapted:
    """Where it stands: where it began, what it was told since, f64[generations, population], and the best.

    `before` int64[generations]: the evaluations before each, by which its candidates were drawn. `guests` f64[n, size]
    came from elsewhere, when so many generations as `arrived` int64[n] says had been told.
    """

    start: NDArray[np.float64]
    told: Errors
    before: Numbers
    best: Vector
    space: Vectors
    seed: int
    error: float = np.nan
    evaluations: int = 0
    guests: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    arrived: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass(frozen=True)
class CMAES(Method[Vector, Adapted]):
    """Standard deviation at first; candidates in a generation, as many as the library thinks right where 0.

    `diagonal` adapts variances alone, for more than some hundred numbers. A dial that is turned begins it anew at the
    best.
    """

    DIALS: ClassVar[tuple[str, ...]] = ("sigma", "population", "diagonal")

    sigma: float = 0.3
    population: int = 0
    diagonal: bool = False

    def __post_init__(self) -> None:
        if not INSTALLED:
            raise SearchError("CMA-ES is the library cma's; install it by `pip install 'ontogeny[cma]'`")
        if not self.sigma > 0 or self.population < 0 or self.population == 1:
            raise SearchError(f"sigma {self.sigma:g}, population {self.population}; expected above 0, and 0 or 2 up")

    def begin(self, space: Space, seed: int) -> Adapted:
        """The first vector, not judged yet."""
        of = expected(space, Vectors, "CMAES")
        best = initial(of, seed)
        return self._anew(Adapted(np.zeros(0), np.zeros((0, 0)), np.zeros(0, np.int64), best, of, seed))

    def ask(self, state: Adapted) -> Asked[Vector]:
        """The library's candidates; first the best alone, if it is not judged."""
        if np.isnan(state.error):
            return Asked(state.best[None], Flat(state.best[None]))
        vectors = np.array(_ready(self, state).vectors, number(state.space))
        return Asked(vectors, Flat(vectors))

    def tell(self, state: Adapted, asked: Asked[Vector], errors: Errors, goal: float = 0.0) -> Adapted:
        """What was told is added to."""
        errors = single(errors, "CMAES")
        at, judged = int(errors.argmin()), state.evaluations + len(errors)
        if np.isnan(state.error):
            return replace(state, error=float(errors[0]), evaluations=judged)
        told = np.concatenate([state.told, errors[None]]) if len(state.told) else errors[None]
        before = np.append(state.before, state.evaluations)
        if errors[at] < state.error:
            state = replace(state, best=np.array(asked.candidates[at]), error=float(errors[at]))
        return replace(state, told=told, before=before, evaluations=judged)

    def best(self, state: Adapted) -> Best[Vector]:
        """The best ever judged."""
        return Best(state.best, (np.inf if np.isnan(state.error) else state.error,))

    def doubted(self, state: Adapted) -> Adapted:
        """The best is judged again; what was learned of where to look stays."""
        return replace(state, error=np.nan)

    def sent(self, state: Adapted) -> Population | None:
        """The best ever judged."""
        return None if np.isnan(state.error) else alone(state.best, state.error)

    def visited(self, state: Adapted, guests: Population) -> Adapted:
        """A guest that is better than all that was found here joins the next generation (Hansen 2011, injection)."""
        guest, error = guests.genes[0], float(guests.errors[0, 0])
        if np.isnan(state.error) or state.error <= error:
            return state
        rows = np.concatenate([state.guests.reshape(-1, len(guest)), np.asarray(guest, np.float64)[None]])
        arrived = np.append(state.arrived, len(state.told))
        return replace(state, best=guest, error=error, guests=rows, arrived=arrived)

    def turned(self, state: Adapted) -> Adapted:
        """Begun anew at the best."""
        return self._anew(state)

    def _anew(self, state: Adapted) -> Adapted:
        start = np.asarray(state.best, np.float64)
        none = np.zeros((0, 0)), np.zeros(0, np.int64)
        return replace(state, start=start, told=none[0], before=none[1], guests=none[0], arrived=none[1])


@dataclass(slots=True)
class _Library:
    """The library's object, which draws from a generator that is put under it for each generation.

    It is asked once for each time that it is told: what it hands out, it may not hand out again.
    """

    strategy: Any = None
    draws: list[np.random.Generator] = field(default_factory=list)
    vectors: Sequence[NDArray[np.float64]] = ()

    def ask(self, state: Adapted, evaluations: int, generation: int) -> None:
        """The candidates of a generation, the guests of then among them."""
        self.draws[:] = [chance(state.seed, evaluations)]
        if (now := state.arrived == generation).any():
            self.strategy.inject(list(state.guests[now]))
        self.vectors = self.strategy.ask()

    def tell(self, errors: Errors) -> None:
        """Their errors; what failed is worse than all that did not."""
        finite = errors[np.isfinite(errors)]
        worst = finite.max() + 1 if len(finite) else 1.0
        self.strategy.tell(self.vectors, np.where(np.isfinite(errors), errors, worst).tolist())


_kept: OrderedDict[bytes, _Library] = OrderedDict()


def _ready(method: CMAES, state: Adapted) -> _Library:
    """The library's object, asked where a state stands: kept, brought on from the one before, or told all again."""
    name, before = _name(method, state, len(state.told)), (*state.before.tolist(), state.evaluations)
    library, after = _kept.pop(name, None), len(state.told)
    if library is None and after:
        after -= 1
        library = _kept.pop(_name(method, state, after), None)
    if library is None:
        library, after = _begun(method, state), 0
        library.ask(state, before[0], 0)
    for told in range(after, len(state.told)):
        library.tell(state.told[told])
        library.ask(state, before[told + 1], told + 1)
    _kept[name] = library
    while len(_kept) > READY:
        _kept.popitem(last=False)
    return library


def _name(method: CMAES, state: Adapted, generations: int) -> bytes:
    """All that the library's object is a function of, when so many generations were told and the next one is asked."""
    before = np.append(state.before, state.evaluations)[: generations + 1]
    there = state.arrived <= generations
    parts = (state.start, state.told[:generations], before, state.guests[there], state.arrived[there])
    told = (np.ascontiguousarray(part).tobytes() for part in parts)
    return hashlib.sha256(b"".join([f"{method!r} {state.seed} {generations}".encode(), *told])).digest()


def _begun(method: CMAES, state: Adapted) -> _Library:
    import cma

    library = _Library()
    options: dict[str, Any] = {
        "randn": lambda *shape: library.draws[0].standard_normal(shape), "seed": np.nan, "verbose": -9,
        "CMA_diagonal": method.diagonal, **({"popsize": method.population} if method.population else {}),
    }  # fmt: skip
    if (limits := bounds(state.space)) is not None:
        options["bounds"] = [limit.tolist() for limit in limits]
    library.strategy = cma.CMAEvolutionStrategy(state.start, method.sigma, options)
    return library
