"""Routines that a regime adds: sleep, and shrink and perturb; called by a dial of theirs, or when somebody says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import ontogeny as og
from ontogeny.ask.explain import explain
from ontogeny.data.arrays import Arrays
from ontogeny.data.without import ranges
from ontogeny.front.edits import apply, describe
from ontogeny.isa.errors import EditError
from ontogeny.isa.periodic import is_due, periodic
from ontogeny.isa.program import Program
from ontogeny.isa.text import from_text, to_text
from ontogeny.machine.base import value_of
from ontogeny.machine.formats import NUMPY
from ontogeny.machine.learner import Array, Learner
from ontogeny.machine.reference import ReferenceMachine
from ontogeny.record.counterfactual import Lenient, schedule
from ontogeny.record.journal import Entry
from ontogeny.record.run import Run, create
from tests import small
from tests.spec.training import MLP, cross_entropy, points

NAMES = ("up.weight", "up.bias", "down.weight", "down.bias")


@pytest.fixture(scope="module")
def learner() -> Learner:
    torch.manual_seed(1)
    batch = {name: torch.as_tensor(array) for name, array in data().batch(0).items()}
    return og.capture(MLP(), cross_entropy, og.adamw(1e-2, weight_decay=0.1), batch)


def data() -> Arrays:
    return points(64, 16, seed=1)


def after(program: Program, learner: Learner, routine: str, **dials: float) -> dict[str, Array]:
    """The parameters after one call of a routine, from the learner's values, on a batch of another size."""
    machine = ReferenceMachine(program)
    machine.load(learner.values)
    batch = {name: array[:12] for name, array in data().batch(0).items()}
    machine.call(routine, batch, dials)
    return named(program, machine.state())


def named(program: Program, state: Any) -> dict[str, Array]:
    return {name: value_of(program.decl(name), state).copy() for name in NAMES}


def test_matrices_are_scaled_and_the_rest_stays(learner: Learner) -> None:
    before = named(learner.program, learner.values)
    asleep = og.with_sleep(learner, scale=0.5)
    found = after(asleep.program, learner, "sleep")
    for name in NAMES:
        factor = 0.5 if name.endswith("weight") else 1.0
        assert np.array_equal(found[name], before[name] * np.float32(factor)), name
    quarter = after(asleep.program, learner, "sleep", sleep_scale=0.25)
    assert np.array_equal(quarter["up.weight"], before["up.weight"] * np.float32(0.25))
    one = og.with_sleep(learner, scale=0.5, tensors=["down.*"])
    found = after(one.program, learner, "sleep")
    assert np.array_equal(found["up.weight"], before["up.weight"])
    assert np.array_equal(found["down.bias"], before["down.bias"] * np.float32(0.5))


def test_in_proportion_larger_weights_lose_a_larger_share(learner: Learner) -> None:
    before = named(learner.program, learner.values)["up.weight"].astype(np.float64)
    asleep = og.with_sleep(learner, scale=0.6, kind="proportional")
    found = after(asleep.program, learner, "sleep")["up.weight"]
    size = np.abs(before) / np.sqrt((before**2).mean())
    assert np.allclose(found, before * 0.6 / (0.6 + 0.4 * size), rtol=1e-5)
    share = (found / before).reshape(-1)[np.argsort(np.abs(before).reshape(-1))]
    assert (np.diff(share) <= 1e-6).all() and share[0] > 0.9 > share[-1]


def test_replays_are_gradient_descent_on_the_batch_from_the_weights_scaled_down(learner: Learner) -> None:
    asleep = og.with_sleep(learner, scale=0.5, replays=3, rate=0.2)
    found = after(asleep.program, learner, "sleep")
    torch.manual_seed(1)
    plain = MLP()
    batch = {name: torch.as_tensor(array[:12]) for name, array in data().batch(0).items()}
    with torch.no_grad():
        for p in plain.parameters():
            p.mul_(0.5 if p.dim() > 1 else 1.0)
    rule = torch.optim.SGD(plain.parameters(), lr=0.2)
    for _ in range(3):
        rule.zero_grad()
        cross_entropy(plain, batch)["loss"].backward()
        rule.step()
    for name, p in plain.named_parameters():
        assert np.allclose(found[name], p.detach().numpy(), atol=1e-6), name


def test_perturbing_shrinks_and_adds_the_spread_of_the_beginning(learner: Learner) -> None:
    before = named(learner.program, learner.values)
    program = og.with_shrink_perturb(learner, shrink=0.25, sigma=0.5).program
    found = after(program, learner, "perturb")
    assert np.array_equal(found["up.weight"], after(program, learner, "perturb")["up.weight"])
    none = after(program, learner, "perturb", perturb_sigma=0.0)
    for name in NAMES:
        assert np.array_equal(none[name], before[name] * np.float32(0.25)), name
    noise = (found["up.weight"] - none["up.weight"]) / (0.5 * before["up.weight"].std())
    assert noise.size == 128 and abs(noise.mean()) < 0.3 and 0.8 < noise.std() < 1.2
    edited = apply(learner.program, "perturb", shrink=1.0, sigma=1.0)
    assert "stays as it is" in edited.description and "exp_avg" in edited.description
    usual = after(edited.program, learner, "perturb")
    assert np.array_equal(usual["up.bias"], before["up.bias"])  # a vector, whose beginning is not known
    assert 0.8 < (usual["up.weight"] - before["up.weight"]).std() * np.sqrt(3 * 8) < 1.2


def test_a_dial_has_it_called_and_replay_gives_the_same_bits(learner: Learner, tmp_path: Path) -> None:
    asleep = og.with_shrink_perturb(og.with_sleep(learner, every=4, scale=0.5, replays=1), every=6)
    assert periodic(asleep.program) == {"sleep": "sleep_every", "perturb": "perturb_every"}
    with create(tmp_path / "run", asleep, data(), seed=1, keyframe_every=5) as run:
        run.advance(10)
        run.set_dial("sleep_every", 0)
        run.set_dial("perturb_every", 0)
        run.advance(5)
        run.call("sleep")
        run.advance(1)
        assert run.verify()
        lines = explain(run, "up.weight[0,0]", "3:6").ledger.lines
        assert any("sleep" in str(line) for line in lines)
        assert not any("sleep" in str(line) for line in explain(run, "up.weight[0,0]", "11:15").ledger.lines)
        fork = run.fork(8, tmp_path / "fork", dials={"sleep_scale": 1.0, "sleep_lr": 0.0, "perturb_every": 0})
    by_hand = by_journal(learner, tmp_path / "by hand")
    with Run(tmp_path / "run") as run:
        assert np.array_equal(run.state(4)["params"], by_hand.state(4)["params"])
        assert np.array_equal(run.state(6)["params"], by_hand.state(6)["params"])
    fork.advance(2)
    assert fork.verify() and not np.array_equal(fork.state(9)["params"], run.state(9)["params"])
    fork.close()
    by_hand.close()


def by_journal(learner: Learner, folder: Path) -> Run:
    """The same, where a journal's entry calls the routine."""
    run = create(folder, og.with_sleep(learner, scale=0.5, replays=1), data(), seed=1)
    run.advance(4)
    run.call("sleep")
    run.advance(4)
    return run


def test_it_is_due_every_so_many_steps_but_not_before_the_first() -> None:
    assert [step for step in range(13) if is_due(5.0, step)] == [5, 10]
    assert [step for step in range(8) if is_due(2.9, step)] == [2, 4, 6]
    assert not any(is_due(every, step) for every in (0.0, -3.0, 0.5, float("inf"), float("nan")) for step in range(5))


@pytest.mark.parametrize("replays", [0, 1])
def test_with_no_example_left_it_sleeps_where_that_needs_none(learner: Learner, tmp_path: Path, replays: int) -> None:
    asleep = og.with_sleep(learner, every=3, scale=0.5, replays=replays)
    with create(tmp_path / "run", asleep, points(64, 1, seed=1)) as run:
        run.advance(4)
        left_out = Entry("without", 3, {"examples": ranges(run.data.indices(3))})  # type: ignore[attr-defined]
        machine = run._seat.another()
        machine.load(run.state(3))
        assert not Lenient(run.ground, schedule(run, (*run.entries, left_out))).take(machine, 3)
        before, found = named(run.program, run.state(3)), named(run.program, machine.state())
    scale = 1.0 if replays else 0.5
    for name, value in found.items():
        assert np.array_equal(value, before[name] * (scale if value.ndim == 2 else 1.0))


def test_a_run_that_goes_on_is_told_to_sleep(learner: Learner, tmp_path: Path) -> None:
    with create(tmp_path / "run", learner, data(), seed=1) as run:
        run.advance(6)
    steering = og.steering(tmp_path / "run")
    given = {"every": "3", "scale": "0.5", "replays": 1}
    assert "new routine sleep" in steering.foretell("rule", edit="sleep", arguments=given).remarks
    steering.rule(edit="sleep", arguments=given)
    steering.run(steps=6)
    steering.set(dial="sleep_every", to=0)
    steering.call(routine="sleep")
    steering.run(steps=1)
    with Run(next(p for p in tmp_path.iterdir() if p.name != "run")) as fork:
        assert fork.step == 13 and fork.verify() and "sleep kind=uniform" in describe(fork.program)
        # the step from state 6 is the fork's own first, and 6 is a multiple of 3
        moved = [np.abs(value_of(fork.program.decl("up.weight"), fork.state(s))).sum() for s in range(6, 10)]
        assert moved[1] < 0.7 * moved[0] and moved[2] > 0.9 * moved[1]


def test_other_edits_leave_it_in_force(learner: Learner) -> None:
    asleep = og.with_shrink_perturb(og.with_sleep(learner, every=7, scale=0.5, replays=1)).program
    assert from_text(to_text(asleep)) == asleep
    before = named(learner.program, learner.values)
    frozen = apply(asleep, "freeze", tensors=["up.*"]).program
    for routine in ("sleep", "perturb"):
        found = after(frozen, learner, routine)
        assert np.array_equal(found["up.weight"], before["up.weight"])
        assert not np.array_equal(found["down.weight"], before["down.weight"])
    free = apply(frozen, "unfreeze", tensors=["up.*"]).program
    assert np.array_equal(after(free, learner, "perturb")["up.weight"], after(asleep, learner, "perturb")["up.weight"])
    apart = apply(asleep, "rule", to="muon").program  # no arena any more
    assert [d.default for d in apart.of("dial") if d.name == "sleep_every"] == [7]
    machine = ReferenceMachine(apart)
    machine.load({**{d.name: np.zeros(d.type.shape, NUMPY[d.type.dtype]) for d in apart.kept()}, **before})
    machine.call("sleep", {name: array[:12] for name, array in data().batch(0).items()}, {})
    assert np.allclose(machine.state()["up.weight"], after(asleep, learner, "sleep")["up.weight"], atol=1e-6)
    gone = apply(asleep, "remove", edit="sleep")
    assert not gone.program.has("sleep") and not gone.program.has("sleep.replay")
    assert "routine sleep is gone" in gone.changes and "dial sleep_every is gone" in gone.changes


def test_what_is_pruned_stays_so_through_a_replay_and_noise(learner: Learner) -> None:
    routines = og.with_shrink_perturb(og.with_sleep(learner, scale=0.5, replays=1))
    masked = apply(routines.program, "mask").program
    machine = ReferenceMachine(masked)
    state = {d.name: np.zeros(d.type.shape, NUMPY[d.type.dtype]) for d in masked.kept()} | dict(learner.values)
    value_of(masked.decl("pruned.up.weight"), state)[:, :3] = True
    for routine in ("sleep", "perturb"):
        machine.load(state)
        machine.call(routine, {name: array[:12] for name, array in data().batch(0).items()}, {})
        found = named(masked, machine.state())["up.weight"]
        assert not found[:, :3].any() and found[:, 3:].all(), routine


def test_what_cannot_sleep_is_refused(learner: Learner) -> None:
    with pytest.raises(EditError, match="above 0 up to 1"):
        og.with_sleep(learner, scale=1.5)
    with pytest.raises(EditError, match="one of uniform, proportional"):
        og.with_sleep(learner, kind="deep")
    with pytest.raises(EditError, match="no parameter matches"):
        og.with_sleep(learner, tensors=["head.*"])
    with pytest.raises(EditError, match="routine 'sleep' of its own"):
        og.with_sleep(small.learner())
    with pytest.raises(EditError, match="from 0 to 1"):
        og.with_shrink_perturb(learner, shrink=2.0)
