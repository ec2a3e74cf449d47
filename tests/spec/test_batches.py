"""Weights judged on batches: a batch is a function of (seed, generation), what was found is judged on all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ontogeny.evolve import Islands, LowRankES, OpenAIES, batched, each, network, open_search, record, search, weighed
from ontogeny.evolve.recording import states
from ontogeny.evolve.search import Search
from ontogeny.evolve.weights.candidates import Flat
from ontogeny.evolve.workers import working
from ontogeny.isa.errors import SearchError

CHANCE = np.random.default_rng(0)
X = CHANCE.standard_normal((400, 6)).astype(np.float32)
LABELS = (X[:, 0] * X[:, 1] > 0).astype(np.int64) + (X[:, 2] > 0)
WHOLE = network(X, LABELS, (8,))
FITNESS = batched(WHOLE, 40, seed=7)
METHODS: dict[str, Any] = {
    "low-rank-es": LowRankES(8), "openai-es": OpenAIES(8), "islands": Islands(OpenAIES(4), 2, 60),
}  # fmt: skip


def test_a_generation_is_judged_on_its_batch_alone() -> None:
    vectors = Flat(CHANCE.standard_normal((5, FITNESS.space.size)).astype(np.float32))
    rows = FITNESS.rows(170)
    assert len(set(rows.tolist())) == 40 and rows.tolist() == batched(WHOLE, 40, seed=7).rows(170).tolist()
    assert all(rows.tolist() != other.tolist() for other in (FITNESS.rows(187), batched(WHOLE, 40, 8).rows(170)))
    alone = network(X[rows], LABELS[rows], (8,)).errors(vectors)
    assert (FITNESS.at(170).errors(vectors) == alone).all()
    assert (FITNESS.errors(vectors) == WHOLE.errors(vectors)).all() and (alone != WHOLE.errors(vectors)).all()
    drawn = np.concatenate([FITNESS.rows(17 * number) for number in range(200)])
    assert set(drawn.tolist()) == set(range(400))


def test_every_generation_has_the_batch_of_the_evaluations_before_it() -> None:
    method, asked, first = OpenAIES(4), [], []

    class Watched(Search[Any, Any]):
        def judged(self, generation: Any, number: int = 0) -> Any:
            errors = super().judged(generation, number)
            asked.append((errors == FITNESS.at(number).errors(generation.candidates)).all())
            first.append(number)
            return errors

    going = Watched(method, FITNESS, 60)
    standing = going.begin(0)
    while not going.over(standing):
        standing = going.further(standing)
    assert all(asked) and first == [0, 1, 10, 19, 28, 37, 46, 55]


@pytest.mark.parametrize("name", METHODS)
def test_whoever_works_and_wherever_it_was_cut_off_it_is_the_same(tmp_path: Path, name: str) -> None:
    alone = record(tmp_path / "alone", METHODS[name], FITNESS, seed=3, evaluations=400)
    alone.go_on(seconds=0)
    found = open_search(tmp_path / "alone").go_on()
    shared = record(tmp_path / "shared", METHODS[name], FITNESS, seed=3, evaluations=400)
    with working(2) as workers:
        assert shared.go_on(workers=workers).errors == found.errors
    one, other = (open_search(tmp_path / name) for name in ("alone", "shared"))
    assert states.digest(one.course.standing) == states.digest(other.course.standing) and one.verify()


def test_what_was_found_is_judged_on_all_and_it_learns() -> None:
    method = LowRankES(32, sigma=0.1, rate=0.05)
    found = search(method, FITNESS, seed=1, evaluations=15_000)
    (error,) = WHOLE.errors([found.best])
    assert found.errors == (error,) == found.front[0].errors
    before = WHOLE.errors([method.begin(FITNESS.space, 1).centre])[0]
    as_dear = search(method, WHOLE, seed=1, evaluations=15_000 * 40 // 400).error
    assert error < 0.4 * before and error < as_dear


def test_one_that_is_right_on_its_batch_alone_has_solved_nothing() -> None:
    few = batched(network(X, LABELS, (8,), error="mistakes"), 2)
    found = search(OpenAIES(8), few, seed=1, evaluations=400)
    assert not found.solved and found.error > 0 and found.evaluations == 409


def test_the_size_is_a_dial(tmp_path: Path) -> None:
    going = record(tmp_path, OpenAIES(4), FITNESS, seed=3, evaluations=100)
    going.go_on()
    going.turn("size", 80)
    going.turn("evaluations", 200)
    going.go_on()
    again = open_search(tmp_path)
    assert len(again.course.search.fitness.rows(0)) == 80 and again.verify()[-1] >= 200
    with pytest.raises(SearchError, match="batches of 500 of 400 examples"):
        again.turn("size", 500)


def test_bad_input_is_told() -> None:
    with pytest.raises(SearchError, match="batches of 0 of 400 examples; expected 1 up to all"):
        batched(WHOLE, 0)
    with pytest.raises(SearchError, match="judged on batches; give the whole network"):
        weighed(WHOLE, [FITNESS], [1.0, 1.0])
    with pytest.raises(SearchError, match="of the examples of a Judged; expected a fitness by network"):
        batched(each(float, WHOLE.space), 3)  # type: ignore[arg-type]
