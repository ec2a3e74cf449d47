"""Each fault is found where it was planted, from when on, and not where it was not; and what a diagnosis is made of."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ontogeny as og
from ontogeny.ask.curve import Curve
from ontogeny.ask.diagnose import Watcher, diagnose
from ontogeny.ask.evidence import Evidence
from ontogeny.ask.finding import Finding
from ontogeny.ask.findings import KINDS
from ontogeny.ask.findings.gradients_not_zeroed import _grown
from ontogeny.ask.findings.learning_rate_too_high import begun, raised
from ontogeny.ask.jumps import jump
from ontogeny.ask.stretch import stretch
from ontogeny.ask.sureness import sureness
from ontogeny.isa.errors import RecordError
from ontogeny.record.run import Run, open_run
from ontogeny.record.trace.traces import Window
from ontogeny.steer.live.loop_commands import LOOP
from ontogeny.steer.registry import command
from ontogeny.steer.session import Session
from tests.spec.diagnosed import STEPS, captured, edited, examples, loop, run

HALF = STEPS // 2
NEAR = math.ceil(0.06 * STEPS)
"""A grid of 32 parts knows where something began to 3%."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(tmp_path_factory.mktemp("runs") / "sound")


@pytest.fixture(scope="module")
def sound_loop(tmp_path_factory: pytest.TempPathFactory) -> og.Attached:
    return loop(tmp_path_factory.mktemp("runs") / "loop")


def lower(run: Run, factor: float) -> None:
    run.set_dial("lr", factor * run.dials()["lr"])


def few(count: int = 24) -> dict[str, np.ndarray]:
    """A few examples, a third of them with wrong labels: nothing to generalise from."""
    found = examples(count, 5)
    found["x"] += 1.5 * np.random.default_rng(0).normal(size=found["x"].shape).astype(np.float32)
    return {name: np.tile(array, (16, *[1] * (array.ndim - 1)))[:384] for name, array in found.items()}


def relabelled(share: float) -> dict[str, np.ndarray]:
    found = examples(512, 1)
    chosen = np.random.default_rng(3).permutation(512)[: int(share * 512)]
    found["y"][chosen] = (found["y"][chosen] + 1) % 4
    return found


def without(label: int) -> dict[str, np.ndarray]:
    found = examples(640, 1)
    return {name: array[found["y"] != label][:448] for name, array in found.items()}


def shuffled() -> dict[str, np.ndarray]:
    found = examples(512, 1)
    return {**found, "y": np.random.default_rng(3).permutation(found["y"])}


def repeated() -> dict[str, np.ndarray]:
    return {name: np.concatenate([array[:480], array[:32]]) for name, array in examples(512, 1).items()}


def leaked() -> dict[str, np.ndarray]:
    train, held = examples(512, 1), examples(128, 2)
    return {name: np.concatenate([array[:500], held[name][:12]]) for name, array in train.items()}


PLANTED: dict[str, tuple[Callable[[Path], Run], int | None]] = {
    "diverging": (lambda at: run(at, at={HALF: lambda r: lower(r, 300)}), HALF),
    "stalled": (lambda at: run(at, dials={"lr": 1e-5}, steps=120), 0),
    "learning_rate_too_high": (lambda at: run(at, at={HALF: lambda r: lower(r, 40)}), HALF),
    "learning_rate_too_low": (lambda at: run(at, at={12: lambda r: lower(r, 0.01)}), 12),
    "memorising": (lambda at: run(at, train=few(), steps=200), None),
    "dead_units": (lambda at: run(at, at={HALF: lambda r: edited(r, "2.bias", lambda v: v - 50)}), HALF),
    "saturated_units": (
        lambda at: run(at, captured("tanh"), at={HALF: lambda r: edited(r, "2.weight", lambda v: v * 60)}),
        HALF,
    ),
    "vanishing_gradient": (lambda at: run(at, captured("sigmoid", 5, 0.5)), 0),
    "exploding_gradient": (lambda at: run(at, captured("relu", 5, 8.0), dials={"lr": 1e-4}), 0),
    "layer_not_moving": (
        lambda at: run(at, captured("tanh"), at={HALF: lambda r: edited(r, "0.weight", lambda v: v * 1e4)}),
        HALF,
    ),
    "lost_updates": (lambda at: run(at, captured("relu", 2, 1.0, True), dials={"lr": 2e-3}), 0),
    "leakage": (lambda at: run(at, train=leaked(), steps=8), 0),
    "duplicated_examples": (lambda at: run(at, train=repeated(), steps=8), 0),
    "shuffled_labels": (lambda at: run(at, train=shuffled(), steps=8), 0),
    "mislabelled_examples": (lambda at: run(at, train=relabelled(0.12)), 0),
    "failing_slice": (lambda at: run(at, train=without(2)), None),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_fault_is_found_from_where_it_was_planted_and_not_in_a_sound_run(
    name: str, tmp_path: Path, sound: Run
) -> None:
    plant, onset = PLANTED[name]
    found = diagnose(plant(tmp_path / "run"), kinds=[name]).of(name)
    assert found is not None and found.fault and found.sureness >= 0.5 and found.remedies and found.words
    assert onset is None or abs(found.since - onset) <= NEAR
    assert diagnose(sound, kinds=[name]).of(name) is None
    foretold(tmp_path, found)


def foretold(runs: Path, found: Finding) -> None:
    """Each remedy that is a command, as its data stands in a document, can be done to the run."""
    session = Session(runs)
    for one in json.loads(json.dumps(found.as_json()))["remedies"]:
        if one["command"]:
            asked = command(one["command"], one["arguments"])
            if one["arguments"].get("dial") != "weight_decay":  # plain descent has none
                assert session.foretell(asked).text


def test_a_sound_run_and_a_sound_loop_are_healthy(sound: Run, sound_loop: og.Attached) -> None:
    assert diagnose(sound).healthy and diagnose(sound_loop).healthy


LOOPS: dict[str, tuple[Callable[[Path], og.Attached], int]] = {
    "gradients_not_zeroed": (lambda at: loop(at, zero=lambda step: step < 24, lr=1.0), 24),
    "frozen_by_mistake": (lambda at: loop(at, frozen=lambda step: step >= 40), 40),
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_broken_loop_is_told_by_its_values(name: str, tmp_path: Path, sound_loop: og.Attached) -> None:
    plant, onset = LOOPS[name]
    found = diagnose(plant(tmp_path / "loop")).of(name)
    assert found is not None and abs(found.since - onset) <= NEAR
    assert diagnose(sound_loop, kinds=[name]).of(name) is None
    for remedy in found.remedies:
        assert not remedy.command or command(remedy.command, remedy.arguments).NAME in LOOP


def test_every_kind_is_planted_here_or_is_a_state() -> None:
    assert {name for name, kind in KINDS.items() if kind.fault} == PLANTED.keys() | LOOPS.keys()


def test_what_a_loop_cannot_tell_is_said(sound_loop: og.Attached) -> None:
    told = diagnose(sound_loop)
    assert "og.capture" in told.silent["dead_units"] and "data=" in told.silent["leakage"]
    data, held = examples(512, 1), examples(128, 1)
    found = diagnose(sound_loop, kinds=["leakage"], data=data, valid={f"valid.{k}": v for k, v in held.items()})
    assert found.silent == {} and (found.of("leakage") is None) == (not np.isin(held["x"], data["x"]).all())


def test_edge_of_stability_is_where_the_rate_meets_the_curvature(tmp_path: Path, sound: Run) -> None:
    slow, fast = (Evidence(run(tmp_path / str(lr), steps=4, dials={"lr": lr})).inside.curvature(0) for lr in (0.1, 0.2))
    assert slow > 0 and fast == pytest.approx(2 * slow, rel=0.02)  # lr times the sharpness of the same state
    state = diagnose(run(tmp_path / "edge", steps=48, dials={"lr": 3.0}), kinds=["edge_of_stability"]).of(
        "edge_of_stability"
    )
    assert state is not None and not state.fault
    foretold(tmp_path, state)
    assert diagnose(sound, kinds=["edge_of_stability"]).of("edge_of_stability") is None


def test_a_rate_whose_harm_comes_and_goes_is_too_high_since_it_was_raised(tmp_path: Path) -> None:
    made = run(tmp_path / "run", at={24: lambda r: lower(r, 8)}, steps=144)
    found = diagnose(made, kinds=["learning_rate_too_high"]).of("learning_rate_too_high")
    assert found is not None and found.since == 24
    assert found.words.startswith("64 steps from 24 ") or found.words.startswith("120 steps from 24 ")
    slow = run(tmp_path / "slow", at={24: lambda r: r.set_dial("lr", 0.4, over=40)}, steps=80)
    inside = Evidence(slow).inside
    assert [raised(inside, step) for step in (0, 20, 70)] == [0, 0, 25]


def test_what_a_rate_has_to_spare_goes_by_where_the_run_began_not_the_window(sound: Run) -> None:
    assert begun(Evidence(sound, Window(60, 97)).inside) == pytest.approx(sound.metrics(1, 1)["loss"][0])


def test_updates_that_grow_from_the_beginning_grew_from_there() -> None:
    step = np.arange(80)
    assert _grown(np.exp(0.15 * (np.minimum(step, 12) + np.maximum(step - 45, 0)))) == 0  # with a rest between
    assert abs(_grown(np.where(step < 40, 1.0, 3.0)) - 40) <= 4


def test_the_mislabelled_examples_are_named(tmp_path: Path) -> None:
    train = relabelled(0.1)
    wrong = set(np.flatnonzero(train["y"] != examples(512, 1)["y"]).tolist())
    found = diagnose(run(tmp_path / "run", train=train), kinds=["mislabelled_examples"]).of("mislabelled_examples")
    assert found is not None
    named = found.examples[: len(wrong)]
    assert len(wrong & set(named)) > 0.8 * len(named) > 0


def test_canaries_tell_what_is_known_by_heart(tmp_path: Path) -> None:
    train = {name: array[:64].copy() for name, array in examples(512, 1).items()}
    train["y"][:8] = (train["y"][:8] + 1) % 4
    note = {0: lambda r: r.note("canaries", examples=[[0, 8]])}
    made = run(tmp_path / "run", captured("tanh"), train=train, steps=400, dials={"lr": 0.4}, at=note)
    found = diagnose(made, kinds=["memorising"]).of("memorising")
    assert found is not None and found.figures["canaries"] > 0.5 and set(found.examples) == set(range(8))
    early = diagnose(made, Window(0, 40), kinds=["memorising"]).of("memorising")
    assert early is None or "canaries" not in early.figures


def test_looking_on_live_says_the_same_as_the_record(tmp_path: Path) -> None:
    watcher, said = Watcher(), []
    made = run(
        tmp_path / "run", at={HALF: lambda r: lower(r, 300)}, on_step=lambda s, m: said.extend(watcher.step(s, m))
    )
    later = diagnose(open_run(made.folder), deep=False)
    assert [one.name for one in said] == ["diverging"] and said[0].found <= HALF + 12
    assert {(one.name, one.since, one.found) for one in watcher.findings} == {
        (one.name, one.since, one.found) for one in later.findings
    }
    assert later.silent.keys() == {name for name, kind in KINDS.items() if kind.watch is None}


def test_nothing_is_changed_by_a_diagnosis(tmp_path: Path) -> None:
    made = run(tmp_path / "run", steps=24)
    before = made.hash(), made.entries
    diagnose(made)
    assert (made.hash(), made.entries) == before
    made.advance(2)
    assert made.verify().ok


def test_a_window_and_wrong_names(sound: Run) -> None:
    told = diagnose(sound, Window(10, 30), kinds=["dead_units"])
    assert min(told.sampled) == 10 and max(told.sampled) == 29 and told.looked_for == ("dead_units",)
    with pytest.raises(RecordError, match="did you mean 'dead_units'"):
        diagnose(sound, kinds=["dead unit"])
    assert "no step is recorded" in diagnose(sound, Window(1000, None), kinds=["dead_units"]).silent["dead_units"]


def test_a_finding_is_plain_data() -> None:
    found = Finding("stalled", 3, 0.8, "still", figures={"now": 1.0})
    assert json.loads(json.dumps(found.as_json()))["figures"] == {"now": 1.0}


# What it is made of


def test_a_watched_step_takes_microseconds() -> None:
    watcher, loss = Watcher(), Curve()
    for step in range(3000):
        watcher.step(step, {"loss": 2.0 / (1 + step) + 0.1, "valid.loss": 2.0 / (1 + step // 10) + 0.2})
        loss.add(step, float(step))
    assert len(loss.kept) < 600 and loss.level == 2995.5 and loss.best == 0.0
    assert not watcher.findings


def test_a_loss_that_turns_non_finite_is_surely_diverging() -> None:
    watcher = Watcher()
    said = [one for step in range(5) for one in watcher.step(step, {"loss": math.nan if step == 4 else 1.0})]
    assert [(one.name, one.since, one.sureness) for one in said] == [("diverging", 3, 1.0)]


def test_a_finding_that_is_over_says_until_when() -> None:
    watcher = Watcher()
    for step in range(400):
        watcher.step(step, {"loss": 5.0 if 100 <= step < 140 else 1.0 + 2.0 / (1 + step)})
    (found,) = watcher.findings
    assert (found.name, found.since, found.until) == ("diverging", 99, 140) and found.found < 110


@pytest.mark.parametrize(("trained", "rise", "told"), [(0.02, 1.06, True), (0.02, 1.03, False), (0.2, 1.06, False)])
def test_a_small_rise_tells_of_memorising_at_once_where_training_loss_is_far_below(
    trained: float, rise: float, told: bool
) -> None:
    watcher = Watcher(["memorising"])
    held = [*(0.5 + 0.5 * 0.7**turn for turn in range(16)), 0.5 * rise]
    for step in range(4 * len(held)):
        watcher.step(step, {"loss": max(trained, 2.0 - step / 5), "valid.loss": held[step // 4]})
    assert [found.found for found in watcher.findings] == [4 * len(held) - 4] * told


@pytest.mark.parametrize("first", [0, 5, 17, 31, 32])
def test_a_stretch_begins_where_it_begins(first: int) -> None:
    grid = tuple(range(33))
    found = stretch(grid, 8, lambda step: 1.0 if step >= first else -1.0, "sign")
    assert (found.since, found.before, found.until) == (first, max(0, first - 1), None)
    coarse = stretch(grid[::4], 2, lambda step: 1.0 if step >= first else -1.0, "sign")
    assert coarse.before <= max(0, first - 1) and coarse.before % 4 == coarse.since % 4 == 0
    assert stretch(grid[::4], 2, lambda step: 1.0 if step >= first else -1.0, "sign", within=grid) == replace(
        coarse, since=found.since, before=found.before
    )
    assert stretch(grid, 8, lambda step: -2.0 - step, "sign").score == -2.0
    assert stretch(grid, 8, lambda step: float(step == 16), "sign", lasting=2).score <= 0


def test_a_jump_is_where_the_loss_is_first_raised() -> None:
    losses = [1.0 - 0.01 * step for step in range(50)] + [4.0] * 20
    assert jump(range(1, 71), losses) == (47, 50)
    assert jump(range(1, 51), losses[:50]) == () and jump(range(3), [1.0, 2.0, 3.0]) == ()
    assert jump(range(1, 71), losses[:50] + [math.nan] * 20)[1] == 50


def test_sureness_rises_with_the_score_and_only_counting_is_certain() -> None:
    for name in KINDS:
        values = [sureness(name, score) for score in (-3.0, -1.0, 0.0, 1.0, 3.0)]
        assert values == sorted(values) and values[0] < 0.5 < values[-1] < 1.0
        assert sureness(name, math.inf) == 1.0
