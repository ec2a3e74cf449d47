"""Weights searched without gradients: what a candidate is, how networks are judged, and that each strategy is right."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ontogeny.evolve import batch, open_search, record, search
from ontogeny.evolve.method import chance
from ontogeny.evolve.methods import cma_es
from ontogeny.evolve.methods.centred import shaped
from ontogeny.evolve.methods.cma_es import CMAES
from ontogeny.evolve.methods.low_rank_es import LowRankES
from ontogeny.evolve.methods.openai_es import OpenAIES
from ontogeny.evolve.search import Search
from ontogeny.evolve.spaces import Vectors
from ontogeny.evolve.weights.candidates import LowRank, Vector, Weights, taken_apart
from ontogeny.evolve.weights.network import BLOCK, Network, network
from ontogeny.isa.errors import SearchError

with_cma = pytest.mark.skipif(not cma_es.INSTALLED, reason="cma is not installed")
STRATEGIES: dict[str, Any] = {
    "openai": lambda: OpenAIES(pairs=24, sigma=0.1, rate=0.05),
    "low rank": lambda: LowRankES(pairs=24, sigma=0.1, rate=0.05, rank=2),
    "cma": lambda: CMAES(sigma=0.3, population=12, diagonal=True),
}
strategies = pytest.mark.parametrize(
    "made", [pytest.param(made, id=name, marks=with_cma if name == "cma" else ()) for name, made in STRATEGIES.items()]
)


def blobs(count: int = 90, features: int = 5, classes: int = 3) -> tuple[Any, Any]:
    """Examples about a centre for each class."""
    rng = np.random.default_rng(1)
    labels = np.arange(count) % classes
    return rng.standard_normal((classes, features))[labels] * 2 + rng.standard_normal((count, features)) * 0.5, labels


def task(**named: Any) -> Network:
    return network(*blobs(), **{"hidden": (8,), **named})


def plainly(fitness: Network, vector: Vector, error: str) -> float:
    """The error of one network in f64, as the textbook has it."""
    of, h = taken_apart(fitness.space, vector.astype(np.float64)), fitness.x.astype(np.float64)
    for n in range(len(fitness.hidden) + 1):
        h = h @ of[f"matrix{n}"] + of[f"bias{n}"]
        if n < len(fitness.hidden):
            h = np.where(h > 0, 1.0, -1.0) if fitness.activation == "hard" else np.maximum(h, 0)
    own = h[np.arange(len(h)), fitness.labels]
    if error == "mistakes":
        return float((h.argmax(1) != fitness.labels).mean())
    return float((np.log(np.exp(h).sum(1)) - own).mean())


def gone(method: Any, fitness: Any, seed: int, generations: int) -> Any:
    going, state = Search(method, fitness), method.begin(fitness.space, seed)
    for _ in range(generations):
        asked = method.ask(state)
        state = method.tell(state, asked, going.judged(asked, state.evaluations))
    return state


@pytest.mark.parametrize("hidden", [(), (8,), (16, 7)])
@pytest.mark.parametrize("activation, error", [("relu", "loss"), ("hard", "loss"), ("relu", "mistakes")])
@pytest.mark.parametrize("rank", [1, 3])
def test_a_network_is_judged_as_the_textbook_has_it(
    hidden: tuple[int, ...], activation: str, error: str, rank: int
) -> None:
    fitness = task(hidden=hidden, activation=activation, error=error)
    method = LowRankES(pairs=6, sigma=0.3, rank=rank)
    many = method.ask(gone(method, fitness, 2, 2)).candidates
    assert isinstance(many, LowRank) and len(many) == 13
    wanted = [plainly(fitness, vector, error) for vector in many]
    tolerance: dict[str, float] = {"rel": 1e-5, "abs": 1e-6}
    assert fitness.errors(many).tolist() == pytest.approx(wanted, **tolerance)
    assert fitness.errors(list(many)).tolist() == pytest.approx(wanted, **tolerance)
    assert len(set(np.round(wanted, 12))) > 3
    right = fitness.accuracy(many[3], fitness.x, fitness.labels)
    assert right == pytest.approx(1 - plainly(fitness, many[3], "mistakes"))


def test_blocks_of_examples_and_of_candidates_change_nothing() -> None:
    x, labels = blobs(1200)
    fitness = network(x, labels, hidden=(1024,))
    assert len(x) > BLOCK // 1024  # so that there are two blocks of examples, and a candidate at a time
    method = LowRankES(pairs=2, sigma=0.3)
    many = method.ask(gone(method, fitness, 0, 1)).candidates
    wanted = [plainly(fitness, vector, "loss") for vector in many]
    assert fitness.errors(many).tolist() == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("hidden", [(), (33,), (50, 30)])
def test_an_error_is_the_same_whoever_else_is_judged(hidden: tuple[int, ...]) -> None:
    fitness = network(*blobs(17, 40, 10), hidden=hidden)
    for method in (OpenAIES(pairs=20), LowRankES(pairs=20, rank=1), LowRankES(pairs=20, rank=3)):
        many = method.ask(gone(method, fitness, 0, 1)).candidates
        for part in (1, 3, 7, 13):
            parts = [fitness.errors(many[at : at + part]) for at in range(0, len(many), part)]
            assert np.concatenate(parts).tobytes() == fitness.errors(many).tobytes()


def test_a_loss_that_is_no_number_has_failed() -> None:
    fitness = task()
    vectors = np.zeros((2, fitness.space.size), np.float32)
    vectors[1, -1] = np.nan
    errors = Search(OpenAIES(), fitness).judged(replace(OpenAIES().ask(OpenAIES().begin(fitness.space, 0)),
                                                        candidates=list(vectors)))  # fmt: skip
    assert errors[0] == pytest.approx(np.log(3)) and np.isinf(errors[1])


def test_changes_come_in_opposite_pairs_as_large_as_sigma_at_any_rank() -> None:
    space = Weights((("matrix", (40, 50)), ("bias", (2000,))))
    for method in (OpenAIES(pairs=4, sigma=0.3), *(LowRankES(pairs=4, sigma=0.3, rank=rank) for rank in (1, 3, 999))):
        state = replace(method.begin(space, 0), error=1.0)
        rows = np.stack([*method.ask(state).candidates]) - state.centre
        assert (rows[0] == 0).all() and rows.dtype == np.float32
        assert rows[1:5] == pytest.approx(-rows[5:], abs=1e-6)
        assert rows[1:5, 2000:].std() == pytest.approx(0.3, rel=0.05)
        assert rows[1:5, :2000].std() == pytest.approx(0.3, rel=0.3)
        ranks = [np.linalg.matrix_rank(row[:2000].reshape(40, 50), tol=1e-3) for row in rows[1:5]]
        assert ranks == [min(getattr(method, "rank", 40), 40)] * 4


def test_the_gradient_is_the_sum_of_the_changes_by_their_shares() -> None:
    space = Weights((("matrix", (4, 6)), ("bias", (6,))))
    shares = shaped(np.random.default_rng(0).standard_normal(10), 0.2)
    for method in (OpenAIES(pairs=5, sigma=0.2), LowRankES(pairs=5, sigma=0.2, rank=2)):
        state = replace(method.begin(space, 3), error=1.0)
        asked = method.ask(state)
        changes = (np.stack([*asked.candidates])[1:6] - state.centre) / np.float32(0.2)
        found = method.gradient(state, asked.genes, shares.astype(np.float32))
        assert found == pytest.approx(shares @ changes, abs=1e-5)


def test_shares_go_by_rank_and_are_the_same_for_equals() -> None:
    assert shaped(np.array([1.0, 5.0, 2.0, np.inf]), 0.5) == pytest.approx([-1 / 6, -1 / 6])
    assert shaped(np.array([1.0, 5.0, 1.0, 5.0]), 0.5) == pytest.approx([0.0, 0.0])
    assert shaped(np.array([1e9, 0.0]), 1.0) == pytest.approx([0.5])


def test_adam_steps_as_torch_does() -> None:
    torch = pytest.importorskip("torch")
    method = OpenAIES(rate=0.05, decay=0.1)
    state = method.begin(Weights((("matrix", (3, 4)),)), 0)
    weight = torch.tensor(state.centre.copy(), requires_grad=True)
    adam = torch.optim.AdamW([weight], lr=0.05, weight_decay=0.1)
    for n in range(5):
        gradient = chance(7, n).standard_normal(12, np.float32)
        state = method.stepped(state, gradient)
        weight.grad = torch.from_numpy(gradient)
        adam.step()
    assert state.centre == pytest.approx(weight.detach().numpy(), rel=1e-4)


@strategies
def test_a_strategy_learns_and_repeats(made: Any) -> None:
    fitness = task(activation="hard")
    found, again = (search(made(), fitness, seed=1, evaluations=2500) for _ in range(2))
    assert found.error < 0.15 < 0.5 < fitness.errors([made().begin(fitness.space, 1).best])[0]
    assert found.best.tobytes() == again.best.tobytes() and found.error == again.error
    assert found.error == pytest.approx(fitness.errors([found.best])[0], rel=1e-5)
    assert search(made(), fitness, seed=2, evaluations=2500).best.tobytes() != found.best.tobytes()


@strategies
def test_a_plain_vector_is_searched_by_any_function(made: Any) -> None:
    with batch(lambda many: [float(((v - 1) ** 2).sum()) for v in many], Vectors(4), seconds=None) as fitness:
        found = search(made(), fitness, seed=1, evaluations=3000)
        assert found.best.dtype == np.float64 and found.best == pytest.approx(1, abs=0.05)
    with batch(lambda many: [1 / 0 for _ in many], Vectors(4), seconds=None) as fitness:
        assert np.isinf(search(made(), fitness, evaluations=200).error) and "ZeroDivision" in fitness.failures[0]


@strategies
def test_a_turned_fitness_judges_the_best_again_and_goes_on(made: Any) -> None:
    method, fitness, other = made(), task(), task(error="mistakes")
    state = method.doubted(gone(method, fitness, 1, 30))
    assert np.isinf(method.best(state).error)
    asked = method.ask(state)
    assert len(asked.candidates) == 1
    state = method.tell(state, asked, Search(method, other).judged(asked))
    assert method.best(state).error == other.errors([method.best(state).candidate])[0]
    assert len(method.ask(state).candidates) > 1


@strategies
def test_recorded_it_is_resumed_turned_and_goes_through_again_to_the_same_bits(made: Any, tmp_path: Path) -> None:
    record(tmp_path, made(), task(), seed=3, evaluations=3000).go_on(seconds=0)
    cma_es._kept.clear()  # as in another process
    cut = open_search(tmp_path)
    assert 0 < cut.found().evaluations < 3000
    entry = cut.turn("sigma", 0.2)
    assert entry is not None and entry.at > 0
    found = cut.go_on()
    cma_es._kept.clear()
    assert open_search(tmp_path).verify()
    with closing(open_search(tmp_path).replayed()) as again:
        again.to(found.evaluations)
        assert again.standing.state.best.tobytes() == found.best.tobytes()


@with_cma
def test_cma_goes_exactly_where_the_library_goes_by_itself() -> None:
    import cma

    method, space = CMAES(0.4, 10), Vectors(5)
    with batch(lambda many: [float((np.arange(1, 6) * (v - 2) ** 2).sum()) for v in many], space, seconds=None) as task:
        state, ours, at = gone(method, task, 4, 1), [], [1]
        draws = [np.random.default_rng()]
        options = {
            "randn": lambda *shape: draws[0].standard_normal(shape),
            "seed": np.nan,
            "verbose": -9,
            "popsize": 10,
        }
        library = cma.CMAEvolutionStrategy(np.zeros(5), 0.4, options)
        for n in range(25):
            if n % 7 == 3:
                cma_es._kept.clear()
            asked = method.ask(state)
            ours.append(asked.genes)
            state = method.tell(state, asked, Search(method, task).judged(asked))
            draws[0] = chance(4, at[0])
            vectors = library.ask()
            library.tell(vectors, task.errors(vectors))
            at[0] += 10
            assert (np.array(vectors) == ours[-1]).all()
    assert method.best(state).error < 0.5


def test_without_the_library_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cma_es, "INSTALLED", False)
    with pytest.raises(SearchError, match=r"ontogeny\[cma\]"):
        CMAES()


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda: OpenAIES(pairs=0), "0 pairs"),
        (lambda: LowRankES(sigma=0), "sigma 0"),
        (lambda: LowRankES(rank=0), "rank of 0"),
        (lambda: OpenAIES(rate=1, decay=1), "decay 1"),
        (lambda: Weights(()), "one or more"),
        (lambda: Weights((("a", (2,)), ("a", (3,)))), "name of its own"),
        (lambda: network(np.zeros((3, 2)), np.zeros(2, int)), r"labels \(2,\)"),
        (lambda: network(np.zeros((3, 2)), np.array([0, 1, -1])), "numbers from 0"),
        (lambda: task(activation="tanh"), "relu or hard"),
        (lambda: task(error="reward"), "loss or mistakes"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: Any, message: str) -> None:
    with pytest.raises(SearchError, match=message):
        wrong()
