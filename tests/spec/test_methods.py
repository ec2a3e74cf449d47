"""Every method of search: a pure function of its state, repeatable, and as good as it says."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest

from ontogeny.evolve import CGP, equals, search
from ontogeny.evolve.fitness.several import several, weighed
from ontogeny.evolve.gates.genes import Gates
from ontogeny.evolve.gates.rows import Rows
from ontogeny.evolve.method import Method
from ontogeny.evolve.methods.ageing import Ageing
from ontogeny.evolve.methods.elites import Elites
from ontogeny.evolve.methods.genetic import Genetic
from ontogeny.evolve.methods.pareto import Pareto, fronts
from ontogeny.evolve.search import Search
from ontogeny.evolve.spaces import Netlists, Vectors
from ontogeny.isa.errors import SearchError
from ontogeny.isa.netlist import Netlist, depth

GATES = Gates(40)
METHODS: dict[str, Method[Netlist, Any]] = {
    "cgp": CGP(40),
    "ageing": Ageing(GATES, population=60, tournament=8, offspring=20),
    "genetic": Genetic(GATES, population=60, tournament=4, crossing=0.3, elites=2),
    "elites": Elites(GATES, cells=(20, 8), low=(0, 0), high=(40, 16), initial=60, offspring=40),
    "pareto": Pareto(GATES, population=60),
}
SEVERAL = ("elites", "pareto")
TABLE = equals(lambda number: (number & 3) * (number >> 2), 4, 4)
FITNESSES = {name: several(TABLE, ["gates", "depth"]) if name in SEVERAL else TABLE for name in METHODS}
methods = pytest.mark.parametrize("method, fitness", [*zip(METHODS.values(), FITNESSES.values())], ids=METHODS)


def leaves(record: Any) -> list[bytes]:
    """All that a state holds, as bytes."""
    if is_dataclass(record):
        return [leaf for field in fields(record) for leaf in leaves(getattr(record, field.name))]
    return [record.tobytes() if isinstance(record, np.ndarray) else repr(record).encode()]


def slowly(method: Method[Netlist, Any], fitness: Any, seed: int, evaluations: int) -> Any:
    """The state after some generations by ask and tell."""
    going = Search(method, fitness)
    state = method.begin(fitness.space, seed)
    while state.evaluations < evaluations:
        asked = method.ask(state)
        state = method.tell(state, asked, going.judged(asked))
    return state


@methods
def test_the_same_seed_goes_the_same_way_and_another_elsewhere(method: Method[Netlist, Any], fitness: Any) -> None:
    one, again, other = (leaves(slowly(method, fitness, seed, 300)) for seed in (1, 1, 2))
    assert one == again
    assert one != other


@methods
def test_asking_and_telling_change_nothing_that_they_are_given(method: Method[Netlist, Any], fitness: Any) -> None:
    state = slowly(method, fitness, 3, 200)
    before, asked = leaves(state), method.ask(state)
    genes = asked.genes.copy()
    after = method.tell(state, asked, Search(method, fitness).judged(asked))
    assert leaves(state) == before and (asked.genes == genes).all()
    assert after.evaluations == state.evaluations + len(asked.candidates)
    assert (method.ask(state).genes == genes).all()


@methods
def test_what_is_called_best_is_as_good_as_it_is_called(method: Method[Netlist, Any], fitness: Any) -> None:
    state = slowly(method, fitness, 5, 600)
    best = method.best(state)
    assert best.error == TABLE.errors([best.candidate])[0] < 20
    assert best.size == best.candidate.gates


@methods
def test_after_the_fitness_was_turned_all_are_judged_again(method: Method[Netlist, Any], fitness: Any) -> None:
    heavy = equals(lambda number: (number & 3) * (number >> 2), 4, 4, weights=[1, 1, 1, 100])
    other = several(heavy, ["gates", "depth"]) if fitness is not TABLE else heavy
    state = method.doubted(slowly(method, fitness, 5, 600))
    assert np.isinf(method.best(state).error)
    asked = method.ask(state)
    state = method.tell(state, asked, Search(method, other).judged(asked))
    best = method.best(state)
    assert best.error == heavy.errors([best.candidate])[0]
    assert asked.parents is None or (asked.parents >= 0).all()


@methods
def test_a_small_task_is_solved_and_made_smaller(method: Method[Netlist, Any], fitness: Any) -> None:
    adder = equals(int.bit_count, 3, 2)
    goes_on = several(adder, ["gates", "depth"]) if fitness is not TABLE else adder
    found = search(method, goes_on, seed=1, evaluations=10_000, prune=9_000)
    assert found.solved_at and adder.errors([found.best]) == [0] and found.error == 0
    assert 5 <= found.size <= 12
    assert found.evaluations >= (10_000 if fitness is not TABLE else found.solved_at + 9_000)


@methods
def test_a_space_that_it_cannot_search_is_refused(method: Method[Netlist, Any], fitness: Any) -> None:
    with pytest.raises(SearchError, match="searches netlists"):
        method.begin(Vectors(3), 0)


def test_the_oldest_die_however_good_they_are_and_the_best_is_kept() -> None:
    method = Ageing(GATES, population=10, tournament=2, offspring=3)
    state = method.begin(TABLE.space, 0)
    asked = method.ask(state)
    state = method.tell(state, asked, np.array([0.0, *[9.0] * 9]))
    first = method.best(state).candidate
    for _ in range(4):
        asked = method.ask(state)
        assert asked.parents is not None and (asked.parents >= 0).all()
        state = method.tell(state, asked, np.full(3, 5.0))
    assert len(state.living) == 10 and state.living.numbers.tolist() == list(range(12, 22))
    assert method.best(state).candidate == first and method.best(state).error == 0


def test_a_population_grows_and_shrinks_as_it_is_turned() -> None:
    method = Ageing(GATES, population=20, tournament=3, offspring=5)
    state = slowly(method, TABLE, 0, 50)
    for population, expected in ((30, [25, 30, 30]), (7, [7, 7])):
        method = replace(method, population=population)
        for size in expected:
            asked = method.ask(state)
            state = method.tell(state, asked, Search(method, TABLE).judged(asked))
            assert len(state.living) == size


def test_genes_are_judged_as_their_netlists_are() -> None:
    weighed = equals(lambda number: number * 5 & 31, 7, 5, weights=[1, 2, 0, 3, 7])
    for gates in ("nand", "two-input"):
        genome = Gates(50, gates, hits=4)
        rng = np.random.default_rng(1)
        genes = genome.draw(weighed.space, 30, rng)
        changed = genome.mutated(weighed.space, genes, rng)
        crossed = genome.crossed(weighed.space, genes, changed[::-1], rng)
        assert (changed != genes).any(axis=1).all() and (crossed != genes).any(axis=1).mean() > 0.5
        for rows in (genes, changed, crossed):
            many = genome.candidates(weighed.space, rows)
            assert isinstance(many, Rows)
            assert weighed.errors(many) == weighed.errors(list(many))
            assert genome.sizes(weighed.space, rows).tolist() == [net.gates for net in many]


def test_a_clocked_space_has_registers_searched_like_outputs() -> None:
    space = Netlists(2, 1, 3)
    net = Gates(20).candidates(space, Gates(20).draw(space, 1, np.random.default_rng(0)))[0]
    assert (net.inputs, len(net.outputs), net.registers) == (2, 1, 3)
    assert CGP(20).best(CGP(20).begin(space, 0)).candidate.registers == 3


def test_a_front_has_all_that_nothing_judged_is_better_than() -> None:
    seen: list[tuple[float, ...]] = []

    class Watched(type(several(TABLE, ["gates", "depth"]))):  # type: ignore[misc]
        def errors(self, candidates: Any, /) -> Any:
            found = super().errors(candidates)
            seen.extend(map(tuple, found.tolist()))
            return found

    found = search(Pareto(GATES, population=80), Watched(TABLE, ("gates", "depth")), seed=2, evaluations=4000)
    front = [best.errors for best in found.front]
    assert len(set(front)) == len(front) >= 5 and front == sorted(front)
    for errors in front:
        assert not any(all(a <= b for a, b in zip(other, errors)) and other != errors for other in seen)
    for best in found.front:
        assert best.errors == (TABLE.errors([best.candidate])[0], best.candidate.gates, depth(best.candidate))


def test_fronts_are_those_of_the_definition() -> None:
    rng = np.random.default_rng(0)
    errors = rng.integers(0, 6, (60, 3)).astype(float)
    left, number, expected = set(range(60)), 0, np.full(60, -1)
    while left:
        first = {
            one for one in left
            if not any((errors[o] <= errors[one]).all() and (errors[o] < errors[one]).any() for o in left)
        }  # fmt: skip
        expected[list(first)] = number
        left, number = left - first, number + 1
    assert fronts(errors).tolist() == expected.tolist()


def test_every_elite_is_the_best_that_was_seen_in_its_cell() -> None:
    method = Elites(GATES, cells=(4, 4), low=(0, 0), high=(40, 16), initial=50, offspring=50)
    state = slowly(method, several(TABLE, ["gates", "depth"]), 1, 2000)
    cells = method.cells_of(state.population.errors)
    assert len(set(cells.tolist())) == len(cells) > 3
    better, worse = state.population, state.population.errors + np.array([1.0, 0, 0])
    kept = method.kept(better, replace(better, errors=worse, numbers=better.numbers + 9999), 0.0)
    assert sorted(kept.numbers.tolist()) == sorted(better.numbers.tolist())


def test_one_that_goes_by_one_error_refuses_several_and_takes_their_sum() -> None:
    both = several(TABLE, ["gates"])
    for method in (CGP(20), Ageing(GATES, 10), Genetic(GATES, 10)):
        with pytest.raises(SearchError, match="choose Pareto or Elites, or weigh them"):
            search(method, both, evaluations=100)
    with pytest.raises(SearchError, match="one objective for each side"):
        search(Elites(GATES), both, evaluations=100)
    found = search(CGP(40), weighed(TABLE, ["gates"], [1, 0.25]), evaluations=2000)
    assert found.error == TABLE.errors([found.best])[0] + 0.25 * found.best.gates
    with pytest.raises(SearchError, match="no measure 'width'"):
        several(TABLE, ["width"])
    with pytest.raises(SearchError, match="1 weights for 2"):
        weighed(TABLE, ["gates"], [1])
