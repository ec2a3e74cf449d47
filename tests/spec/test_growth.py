"""Growth, the method by which classifiers are grown vote by vote: the plain function, recorded, killed, turned."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from ontogeny.evolve import Growth, Islands, accuracy, equals, open_search, record, search
from ontogeny.evolve.circuits.simplify import simplified
from ontogeny.evolve.gates.voting import grown
from ontogeny.evolve.methods.growth import Grown
from ontogeny.evolve.recording import kept, states
from ontogeny.evolve.recording.course import Course
from ontogeny.isa.errors import SearchError

CHANCE = np.random.default_rng(0)
BITS = (CHANCE.random((300, 40)) < 0.5).astype(np.uint8)
LABELS = np.where(BITS[:, 0] & BITS[:, 1], 2, BITS[:, 2] ^ BITS[:, 3]) * (CHANCE.random(300) < 0.9)
VOTES = 4
FITNESS = accuracy(BITS, LABELS, 3 * VOTES)
METHOD = Growth(gates=2, drawn=12, temperature=2.0)


def after(method: Growth, votes: int, seed: int = 5) -> Grown:
    """The state after so many votes."""
    return method.leg(method.begin(FITNESS.space, seed), FITNESS, votes, False)


def cross_entropy(state: Grown) -> float:
    """Of the votes' softmax."""
    logits = state.counts / METHOD.temperature
    return float((np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(logits)), LABELS]).mean())


def test_the_function_is_one_round_of_the_method_however_it_is_cut_into_legs() -> None:
    whole, state = after(METHOD, 3 * VOTES), METHOD.begin(FITNESS.space, 5)
    for votes in (1, 4, 2, 5):
        state = METHOD.leg(state, FITNESS, votes, False)
    assert states.digest(state) == states.digest(whole)
    net = grown(BITS, LABELS, VOTES, gates=2, drawn=12, temperature=2.0, seed=5)
    assert simplified(METHOD.net(whole)) == net != grown(BITS, LABELS, VOTES, gates=2, drawn=12, seed=5)
    found = search(METHOD, FITNESS, seed=5, evaluations=3 * VOTES)
    assert simplified(found.best) == net and found.evaluations == 3 * VOTES


@pytest.mark.parametrize("votes", [0, 5, 40])
def test_its_error_is_what_accuracy_says_of_its_netlist(votes: int) -> None:
    state = METHOD.begin(FITNESS.space, 1) if not votes else after(METHOD, votes, 1)
    (error,) = FITNESS.errors([METHOD.best(state).candidate])
    assert METHOD.best(state).error == (error if votes else np.inf)
    assert METHOD.best(state).size == state.lengths.sum()


def test_further_rounds_never_make_the_loss_larger_and_do_make_it_smaller() -> None:
    losses = [cross_entropy(after(METHOD, 3 * VOTES * rounds)) for rounds in (1, 2, 4)]
    assert losses[0] > losses[1] >= losses[2]


def test_rows_can_be_counted_again() -> None:
    state = after(METHOD, 20)
    again = METHOD.leg(METHOD.doubted(state), FITNESS, 3, False)
    assert states.digest(again) == states.digest(METHOD.leg(state, FITNESS, 3, False))


def killed_once_a_state_is_kept(folder: Path) -> None:
    """What a process of its own does, which changes its own memory."""
    plain = kept.Kept.keep

    def keep(self: kept.Kept, course: Course) -> None:
        plain(self, course)
        os.kill(os.getpid(), signal.SIGKILL)

    kept.Kept.keep = keep  # type: ignore[method-assign]
    open_search(folder).go_on()


def test_it_is_killed_and_goes_on_and_its_dials_are_turned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "EVERY", 0.01)
    monkeypatch.setattr(kept, "SHARE", 1.0)
    straight = record(tmp_path / "straight", METHOD, FITNESS, seed=2, evaluations=1500)
    straight.go_on()
    record(tmp_path / "killed", METHOD, FITNESS, seed=2, evaluations=1500)
    process = multiprocessing.get_context("fork").Process(
        target=killed_once_a_state_is_kept, args=(tmp_path / "killed",)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL and 0 < open_search(tmp_path / "killed").course.evaluations < 1500
    open_search(tmp_path / "killed").go_on()
    killed = open_search(tmp_path / "killed")
    assert states.digest(killed.course.standing) == states.digest(open_search(tmp_path / "straight").course.standing)
    killed.turn("gates", 3)
    killed.turn("drawn", 20)
    killed.turn("evaluations", 1600)
    assert killed.go_on().evaluations == 1600
    assert open_search(tmp_path / "killed").course.standing.state.gates.shape == (12, 3, 3)
    assert open_search(tmp_path / "killed").verify()[-1] == 1600


def test_what_it_cannot_do_is_told() -> None:
    with pytest.raises(SearchError, match="a Table has none: give accuracy"):
        search(METHOD, equals(int.bit_count, 3, 2))
    with pytest.raises(SearchError, match="with a goal of 0"):
        search(METHOD, FITNESS, goal=0.1)
    with pytest.raises(SearchError, match="Growth keeps no candidates"):
        Islands(METHOD)
    with pytest.raises(SearchError, match=r"drawn 1, .*; expected gates from 1"):
        Growth(drawn=1)
