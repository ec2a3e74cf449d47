"""The ready-made fitness: over time, on data, in an environment, after learning, kept by behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ontogeny.evolve import CGP, Ageing, Gates, Genetic, each, open_search, record, search
from ontogeny.evolve.fitness.behaviour import by_behaviour
from ontogeny.evolve.fitness.classifying import accuracy
from ontogeny.evolve.fitness.of_runs import after_run
from ontogeny.evolve.fitness.over_time import follows, reward
from ontogeny.evolve.spaces import Netlists, Vectors
from ontogeny.evolve.weights.genes import Reals
from ontogeny.isa.errors import SearchError
from ontogeny.isa.netlist import Netlist, cases, clocked, netlist, truth
from ontogeny.record.experiment import Experiment
from ontogeny.record.run import Run
from tests.small import data, learner

RNG = np.random.default_rng(0)
BITS = RNG.integers(0, 2, (70, 12, 1))
PARITY = np.bitwise_xor.accumulate(BITS, axis=1)
DELAYED = np.concatenate([np.full_like(BITS[:, :1], -1), BITS[:, :-1]], axis=1)


def bits_of(net: Netlist, inputs: np.ndarray) -> np.ndarray:
    words = clocked(net, inputs.astype(np.uint64)[:, :, None])
    return words[:, net.outputs, 0] & np.uint64(1)


@pytest.mark.parametrize("wanted, registers", [(PARITY, 1), (DELAYED, 1)])
def test_a_trace_is_followed_tick_by_tick(tmp_path: Path, wanted: np.ndarray, registers: int) -> None:
    fitness = follows(BITS, wanted, registers)
    net = Gates(12).candidates(fitness.space, Gates(12).draw(fitness.space, 1, RNG))[0]
    counted = sum(int((bits_of(net, run) != goal)[goal >= 0].sum()) for run, goal in zip(BITS, wanted, strict=True))
    assert fitness.errors([net]) == [counted]
    found = record(tmp_path, Ageing(Gates(12), 40, 6, 20), fitness, seed=1, evaluations=3000).go_on()
    assert found.solved and found.best.registers == 1
    assert open_search(tmp_path).verify()
    later = RNG.integers(0, 2, (30, 1))
    assert found.best.gates >= 1 if wanted is PARITY else True
    expected = np.bitwise_xor.accumulate(later) if wanted is PARITY else np.roll(later, 1, axis=0)
    assert (bits_of(found.best, later)[1:] == expected[1:]).all()


def test_accuracy_is_the_share_of_rows_that_win_the_vote() -> None:
    features = np.array([[n >> i & 1 for i in range(4)] for n in range(16)] * 5)
    labels = features[:, 0] + features[:, 1] * features[:, 2]
    fitness = accuracy(features, labels, 6)
    net = netlist(4, np.empty(0), np.empty((0, 2)), [3, 3, 0, 0, 1, 2])
    votes = np.stack([2 * features[:, 3], 2 * features[:, 0], features[:, 1] + features[:, 2]])
    assert fitness.errors([net]) == [np.mean(votes.argmax(axis=0) != labels)]
    assert search(Genetic(Gates(40), 60), fitness, seed=1, evaluations=20_000).error < 0.1
    with pytest.raises(SearchError, match="4 outputs for 3 classes"):
        accuracy(features, labels, 4)


class Corridor:
    """To the left or to the right, as a sign said at the beginning; only who remembers it gets there."""

    def begin(self, episode: int) -> Sequence[int]:
        self.goal, self.at, self.ticks = (-2, 2)[episode % 2], 0, 0
        return (episode % 2, 1)

    def step(self, action: Sequence[int]) -> tuple[Sequence[int], float, bool]:
        self.at, self.ticks = self.at + (1 if action[0] else -1), self.ticks + 1
        return (0, 0), float(self.at == self.goal), abs(self.at) == 2


def test_reward_is_earned_by_who_remembers() -> None:
    with reward(Corridor, 2, 1, 1, ticks=6, episodes=8, seconds=None) as fitness:
        forgets = netlist(2, [0b1000], [[0, 0]], [0], next=[0])
        assert fitness.errors([forgets, forgets]) == [-0.5, -0.5]
        found = search(Ageing(Gates(10), 40, 6, 20), fitness, seed=0, evaluations=4000, goal=-1.0)
    assert found.solved and found.error == -1.0


def trained(vector: np.ndarray) -> Experiment:
    return Experiment(learner(), data(), dials={"lr": float(10.0 ** (vector[0] - 2)), "momentum": 0.5})


def last_losses(run: Run) -> float:
    return float(np.mean(run.metrics()["loss"][-3:]))


def test_a_run_is_judged_after_some_steps_of_learning(tmp_path: Path) -> None:
    method = Genetic(Reals(change=0.3), 6, 2, elites=1)
    fitness = after_run(trained, Vectors(1), 5, machine="reference", seconds=None)
    found = search(method, fitness, seed=1, evaluations=12)
    assert np.isfinite(found.error) and found.error == fitness.errors([found.best])[0]
    judged = after_run(trained, Vectors(1), 5, last_losses, machine="reference", seconds=None)
    recorded = record(tmp_path, method, judged, seed=1, evaluations=12)
    assert recorded.go_on().error != found.error and open_search(tmp_path).found().error == recorded.found().error
    missing = after_run(trained, Vectors(1), 1, "fun", machine="reference", seconds=None)
    assert missing.errors([np.zeros(1)]) == [np.inf] and "has no metric 'fun'" in missing.failures[0]


def test_what_does_the_same_is_asked_once() -> None:
    def wrong(net: Netlist) -> float:
        seen.append(net)
        return float((int(truth(net, cases(3))[0, 0]) & 255 ^ 0b10010110).bit_count())

    seen: list[Netlist] = []
    plain, kept = each(wrong, 3, 1, None), by_behaviour(each(wrong, 3, 1, None))
    one = search(CGP(25), plain, seed=4, evaluations=1500, goal=-1)
    asked, seen[:] = len(seen), []
    other = search(CGP(25), kept, seed=4, evaluations=1500, goal=-1)
    assert one.best == other.best and one.error == other.error
    assert len(seen) == kept.asked == len(kept.known) < asked / 5
    with pytest.raises(SearchError, match="at most 14"):
        by_behaviour(each(wrong, Netlists(20, 1)))


def test_traces_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(SearchError, match="expected \\[runs, ticks, inputs\\]"):
        follows(BITS, PARITY[:, :3], 1)
    with pytest.raises(SearchError, match="other values"):
        follows(BITS * 2, PARITY, 1)
    with pytest.raises(SearchError, match="expected spread and change"):
        Reals(change=0)


def test_an_experiment_may_have_none_held_out() -> None:
    found = Experiment(learner(), data(), valid=None, dials=None)  # type: ignore[arg-type]
    assert found.valid == found.dials == {}
