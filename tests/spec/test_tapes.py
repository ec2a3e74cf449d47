"""Learners searched for: every change of a tape is a tape, and a compiled leg goes where asking and telling go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ontogeny.evolve import Ageing, open_search, record
from ontogeny.evolve.recording.lineage import lineage
from ontogeny.evolve.search import Search, search
from ontogeny.evolve.tapes.ageing import Bred, TapeAgeing
from ontogeny.evolve.tapes.candidates import Instructions, Learners, Learning, learning, linear
from ontogeny.evolve.tapes.explained import ablated, simplified
from ontogeny.evolve.tapes.learner import recorded_learner
from ontogeny.isa.errors import SearchError
from ontogeny.machine.reference import ReferenceMachine
from ontogeny.machine.swarm.learners import predictions
from ontogeny.machine.swarm.learners_operations import OPERATIONS
from ontogeny.machine.swarm.learners_tape import Banks, tape

SPACE = Learners()
DESCENT = tape(
    Banks(),
    [(56, 2, 0, 0, 0.2), (56, 3, 0, 0, 0.9)],
    [(27, 1, 1, 0)],
    [(2, 3, 0, 1), (1, 1, 1, 2), (3, 3, 3, 2), (18, 2, 3, 0), (23, 1, 1, 2)],
)


def test_every_change_of_a_tape_is_a_tape() -> None:
    rng, space = np.random.default_rng(0), Learners(4, 3, 2, 3)
    genome = Instructions(4, 3, 5, tuple(OPERATIONS), empty=False)
    genes = genome.draw(space, 40, rng)
    assert (genome.sizes(space, genes) == 12).all()
    sizes = set()
    for _ in range(60):
        before = genes.copy()
        genes = genome.mutated(space, genes, rng)
        assert (genes != before).any()
        for one in genome.candidates(space, genes):
            assert (one.lengths <= genome.room).all()
        sizes |= set(genome.sizes(space, genes).tolist())
    assert min(sizes) <= 3 and max(sizes) == 12
    crossed = genome.crossed(space, genes[:20], genes[20:], rng)
    assert all(len(one) <= 12 for one in genome.candidates(space, crossed))
    fitness = Learning(linear(2, 5, 5, 3), space)
    together = fitness.errors(genome.candidates(space, genes))
    assert together.tolist() == fitness.errors(list(genome.candidates(space, genes))).tolist()


def same(one: Bred, other: Bred) -> bool:
    fields = ("genes", "errors", "numbers", "rng", "best", "least", "oldest", "evaluations")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in fields)


@pytest.mark.parametrize("offspring", [1, 7])
@pytest.mark.parametrize("memory", [0, 1 << 12])
def test_a_leg_goes_where_asking_and_telling_go_and_can_be_cut(offspring: int, memory: int) -> None:
    fitness = Learning(linear(3, 20, 10, seed=1))
    genome = Instructions(4, 2, 5)
    method = TapeAgeing(genome, population=30, tournament=4, offspring=offspring, memory=memory, restart=0)
    going = Search(method, fitness, evaluations=600)
    start = going.further(going.begin(3)).state
    asked = start
    while asked.evaluations < 30 + 560:
        generation = method.ask(asked)
        asked = method.tell(asked, generation, going.judged(generation))
    whole = method.leg(start, fitness, 560, until=True)
    cut = start
    for most in (70, 210, 280):
        cut = method.leg(cut, fitness, most, until=True) or cut
    assert whole is not None and same(whole, asked) and same(cut, asked)
    assert (cut.keys == whole.keys).all() and (cut.counts == whole.counts).all()
    assert whole.counts[0] + whole.counts[1] + whole.counts[2] == 560
    assert bool(whole.counts[1]) == bool(memory) and start.evaluations == 30


def test_a_population_that_is_given_up_begins_anew_in_legs_and_generations_alike() -> None:
    fitness = Learning(linear(3, 20, 10, seed=1))
    method = TapeAgeing(Instructions(4, 2, 5), population=30, offspring=10, restart=200)
    going = Search(method, fitness, evaluations=900)
    fast = slow = going.begin(5)
    seen = []
    while not going.over(fast):
        fast = going.further(fast)
        seen.append(fast.state.began)
    while slow.state.evaluations < fast.state.evaluations:
        asked = method.ask(slow.state)
        slow = replace(slow, state=method.tell(slow.state, asked, going.judged(asked)))
    assert same(fast.state, slow.state) and sorted(set(seen)) == [0, 200, 400, 600, 800]
    assert fast.state.least[0] <= min(slow.state.errors)


def test_regularised_evolution_of_any_genome_takes_tapes_too() -> None:
    fitness = Learning(linear(3, 20, 10))
    found = search(Ageing(Instructions(), population=20, offspring=10), fitness, evaluations=200, seed=1)
    assert 0 < found.error < 1 and found.evaluations == 200
    again = search(Ageing(Instructions(), population=20, offspring=10), fitness, evaluations=200, seed=1)
    assert again.best.rows.tolist() == found.best.rows.tolist()


def test_what_is_turned_is_judged_again_and_what_makes_no_sense_refused() -> None:
    method, fitness = TapeAgeing(population=10, memory=64), Learning(linear(2, 5, 5))
    state = Search(method, fitness).further(Search(method, fitness).begin(0)).state
    assert np.isnan(method.doubted(state).errors).all() and not method.doubted(state).keys.any()
    assert len(method.ask(method.doubted(state)).candidates) == 10
    for bad in ({"population": 0}, {"offspring": 2000}, {"memory": 3}, {"kept": 1.5}):
        with pytest.raises(SearchError, match="expected"):
            replace(method, **bad)
    with pytest.raises(SearchError, match="a tape has"):
        Instructions(operations=(10,))
    with pytest.raises(SearchError, match="needs a register of m"):
        Instructions(operations=(37,)).making(Learners(matrices=0))


def test_simplified_by_proof_and_explained_by_ablation() -> None:
    tasks = linear(4, 100, 100, seed=9)
    short, gone = simplified(DESCENT, tasks)
    assert [str(removal).split(" (")[0] for removal in gone] == ["setup: s3 = 0.9", "learn: s1 = add s1 s2"]
    assert (predictions(short, tasks)[0] == predictions(DESCENT, tasks)[0]).all()
    worths = ablated(short, tasks)
    assert len(worths) == len(short) == 6
    assert all(worth.without > 0.3 > 1e-3 > worth.error for worth in worths)
    same_bits = tape(Banks(), [(56, 2, 0, 0, 0.5), (3, 2, 2, 2), (56, 2, 0, 0, 0.25)], [(27, 1, 1, 0), (3, 1, 1, 2)])
    assert len(simplified(same_bits, tasks)[0]) < 3


def test_a_learner_that_was_found_is_a_learner_of_its_own() -> None:
    tasks = linear(1, 32, 8, seed=4)
    learner = recorded_learner(DESCENT, batch=4, valid=8)
    machine = ReferenceMachine(learner.program)
    machine.load(learner.values)
    expected, _ = predictions(DESCENT, tasks)
    off = tasks.labels[0] - expected[0]
    for step in range(8):
        rows = slice(4 * step, 4 * step + 4)
        given = {"x": tasks.features[0, rows], "y": tasks.labels[0, rows]}
        told = machine.call("learn", given, {})
        assert told["loss"] == pytest.approx((off[rows] ** 2).mean(), rel=1e-12)
    held = {"valid.x": tasks.features[0, 32:], "valid.y": tasks.labels[0, 32:]}
    assert machine.call("evaluate", held, {})["loss"] == pytest.approx((off[32:] ** 2).mean(), rel=1e-12)
    assert machine.call("predict", {"x": tasks.features[0, 32:36]}, {})["y"] == pytest.approx(expected[0, 32:36])


def test_a_search_of_learners_is_written_down_and_goes_on_alike(tmp_path: Path) -> None:
    tasks = linear(3, 20, 10, seed=2)
    fitness = learning(tasks.features, tasks.labels, 20, enough=0.01)
    method = TapeAgeing(Instructions(4, 2, 5), population=30, offspring=5, memory=1 << 10)
    whole = search(method, fitness, seed=4, evaluations=3000)
    began = record(tmp_path / "learners", method, fitness, seed=4, evaluations=3000)
    assert began.go_on(seconds=0).evaluations < 3000
    again = open_search(tmp_path / "learners")
    found = again.go_on()
    assert again.verify()[-1] == 3000
    steps = lineage(again)
    assert len(steps) > 1 and steps[-1].error == whole.error
    assert found.evaluations == whole.evaluations == 3000 and found.error == whole.error
    assert found.best.rows.tolist() == whole.best.rows.tolist()
    assert found.best.constants.tolist() == whole.best.constants.tolist()
