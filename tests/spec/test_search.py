"""Searching for netlists: what is found is right, the same from the same seed, and by whichever way it is evaluated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ontogeny.evolve import CGP, Table, batch, each, equals, outputs_of, search, table
from ontogeny.evolve.methods.cgp import Parent
from ontogeny.evolve.spaces import Netlists
from ontogeny.isa.errors import NetlistError, SearchError
from ontogeny.isa.netlist import NAND, Netlist, cases, netlist, truth
from tests.functions import add, multiply, parity


def computed(net: Netlist, number: int) -> int:
    bits = np.array([[number >> i & 1] for i in range(net.inputs)], np.uint64)
    return sum(int(word[0] & np.uint64(1)) << i for i, word in enumerate(truth(net, bits)))


@pytest.mark.parametrize(
    "function, inputs, outputs, gates, most",
    [(parity, 5, 1, "nand", 16), (add, 6, 4, "nand", 23), (multiply, 4, 4, "two-input", 9)],
)
def test_the_first_step_of_the_ladder(function: object, inputs: int, outputs: int, gates: str, most: int) -> None:
    assert callable(function)
    found = search(CGP(70, gates, 1), equals(function, inputs, outputs), seed=5, prune=800_000)
    assert found.solved and found.error == 0
    assert all(computed(found.net, number) == function(number) for number in range(1 << inputs))
    assert found.net.gates == most
    assert set(found.net.table.tolist()) <= set(CGP(gates=gates).functions.tolist())


def same(one: Parent, other: Parent) -> bool:
    plain = [replace(parent, genes=np.empty(0), rng=np.empty(0)) for parent in (one, other)]
    numbers = [(p.space, p.error, p.gates, p.evaluations) for p in plain]
    return numbers[0] == numbers[1] and (one.genes == other.genes).all() and bool((one.rng == other.rng).all())


@pytest.mark.parametrize("method", [CGP(40, "two-input", 4), CGP(30, "nand", 1, hits=3), CGP(25, "and-xor", 3, hits=2)])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_compiled_legs_go_the_way_of_ask_and_tell(method: CGP, seed: int) -> None:
    fitness = equals(multiply, 4, 4, weights=[1, 2, 0, 3])
    slow = method.begin(Netlists(4, 4), seed)
    fast = method.leg(slow, fitness, 3000, until=False)
    while slow.evaluations < fast.evaluations:
        asked = method.ask(slow)
        slow = method.tell(slow, asked, np.array(fitness.errors(asked.candidates)))
    assert same(slow, fast)
    assert fast.error == fitness.errors([method.net(fast)])[0]


def test_a_leg_follows_changes_through_several_words_of_cases_and_of_nodes() -> None:
    method, fitness = CGP(150, "two-input", 3, hits=2), equals(lambda number: number % 11, 8, 4)
    slow = fast = method.begin(Netlists(8, 4), 3)
    for _ in range(3):
        fast = method.leg(fast, fitness, 200, until=False)
        while slow.evaluations < fast.evaluations:
            asked = method.ask(slow)
            slow = method.tell(slow, asked, np.array([wrong(net, fitness) for net in asked.candidates]))
        assert same(slow, fast)


def wrong(net: Netlist, fitness: Table) -> float:
    """The bits that are wrong, by NumPy's plain evaluation."""
    differing = truth(net, fitness.words) ^ fitness.target
    return float(np.bitwise_count(differing & fitness.planes[0]).sum())


def test_legs_may_be_cut_anywhere() -> None:
    method, fitness = CGP(50, "nand", 1), equals(parity, 4, 1)
    whole = method.leg(method.begin(Netlists(4, 1), 5), fitness, 5000, until=False)
    parts = method.begin(Netlists(4, 1), 5)
    for most in (1, 7, 992, 4000):
        parts = method.leg(parts, fitness, most, until=False)
    assert same(whole, parts)


def test_the_same_seed_finds_the_same_and_another_something_else() -> None:
    fitness = equals(add, 6, 4)
    one, again, other = (search(CGP(80), fitness, seed=seed, prune=5000) for seed in (3, 3, 4))
    assert one.net == again.net and one.evaluations == again.evaluations
    assert one.net != other.net


def test_errors_are_the_wrong_bits_by_weight_among_the_cases_that_are_meant() -> None:
    wire = netlist(3, np.empty(0), np.empty((0, 2)), [0, 1])
    target = ~truth(wire, cases(3))
    assert equals(lambda number: number & 3, 3, 2).errors([wire]) == [0]
    assert table(cases(3), target, 8).errors([wire]) == [16]
    assert table(cases(3), target, 5, weights=[1, 10]).errors([wire]) == [55]
    sampled = equals(lambda number: number & 3, 40, 2, sampled=100, seed=1)
    two = netlist(40, np.empty(0), np.empty((0, 2)), [0, 39])
    assert sampled.errors([netlist(40, np.empty(0), np.empty((0, 2)), [0, 1])]) == [0]
    assert 30 < sampled.errors([two])[0] < 70


def test_pruning_keeps_what_is_right_and_takes_no_more_gates() -> None:
    fitness, method = equals(add, 6, 4), CGP(100, "nand")
    gates = [search(method, fitness, seed=2, prune=prune) for prune in (0, 20_000, 200_000)]
    assert all(found.solved and fitness.errors([found.net]) == [0] for found in gates)
    assert gates[0].net.gates >= gates[1].net.gates >= gates[2].net.gates
    assert gates[0].net.gates > gates[2].net.gates


def test_any_python_function_is_a_fitness() -> None:
    def wrong(net: Netlist) -> float:
        return sum(computed(net, number) != parity(number) for number in range(8))

    with each(wrong, 3, 1) as one, batch(lambda nets: [wrong(net) for net in nets], 3, 1, seconds=None) as many:
        found = [search(CGP(20, "two-input"), fitness, seed=1, evaluations=20_000) for fitness in (one, many)]
    assert found[0].solved and found[0].net == found[1].net and found[0].net.gates <= 3
    assert outputs_of(found[0].net, cases(3))[0, 0] & np.uint64(0xFF) == 0b10010110


def test_a_goal_above_zero_and_a_budget_that_is_too_small() -> None:
    with each(lambda net: float(net.gates), 2, 1, seconds=None) as size:
        assert search(CGP(30), size, goal=2.0, evaluations=5000).error <= 2
    hopeless = search(CGP(5, "nand"), equals(add, 6, 4), evaluations=3000)
    assert not hopeless.solved and hopeless.error > 0 and 3000 <= hopeless.evaluations < 3010


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(NetlistError, match="no gate set 'norn'"):
        CGP(gates="norn")
    with pytest.raises(NetlistError, match="truth tables of two inputs"):
        CGP(gates=(16,))
    with pytest.raises(NetlistError, match="1 or more of each"):
        CGP(nodes=0)
    with pytest.raises(NetlistError, match="gives 8 of 0"):
        equals(lambda number: 8, 2, 3)
    with pytest.raises(NetlistError, match="give sampled"):
        equals(parity, 21, 1)
    with pytest.raises(SearchError, match="expected 1 or more"):
        search(CGP(), equals(parity, 2, 1), evaluations=0)
    with pytest.raises(NetlistError, match="none below 0"):
        equals(parity, 2, 1, weights=[-1])
    assert isinstance(equals(parity, 2, 1), Table) and CGP(gates="nand").functions.tolist() == [NAND]
