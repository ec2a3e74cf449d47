"""An ensemble as one run, and as runs of its members: the same members, the same judgement."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from torch import nn

import ontogeny as og
from ontogeny.ask.capacity import capacity
from ontogeny.ask.target_bits import BITS
from ontogeny.isa.errors import ProgramError
from ontogeny.machine.base import value_of
from ontogeny.record.run import create
from ontogeny.train.regimes.ensemble import Ensemble, ensemble_loss, members, reseeded, seeded, together
from tests.spec.training import MLP, cross_entropy, points

MEMBERS, STEPS, FIRST = 3, 25, 5


def test_one_run_of_all_members_is_a_run_of_each(tmp_path: Path) -> None:
    data, held_out = points(64, 16, seed=1), points(40, 40).batch(0)
    batch, valid = data.batch(0), {f"valid.{name}": array for name, array in held_out.items()}
    whole = Ensemble.of(MLP, MEMBERS, FIRST)
    rule = og.adamw(1e-2)
    learner = og.capture(whole, ensemble_loss, rule, batch, valid=held_out, predict=lambda m, b: m(b["x"]))
    with create(tmp_path / "whole", learner, data, valid=valid, evaluate_every=STEPS, seed=1) as run:
        run.advance(STEPS)
        state, found, losses = run.state(), run.evaluations()[-1], run.metrics()["loss"]
        assert run.verify()

    one = og.capture(seeded(MLP, FIRST), cross_entropy, rule, batch, predict=lambda m, b: m(b["x"]))
    runs = []
    for place in range(MEMBERS):
        run = create(tmp_path / f"{place}", reseeded(one, seeded(MLP, FIRST + place)), data, seed=1)
        run.advance(STEPS)
        runs.append(run)
        for decl in run.program.named_params():
            alone, inside = value_of(decl, run.state()), learner.program.decl(f"members.{place}.{decl.name}")
            assert np.allclose(value_of(inside, state), alone, atol=1e-6), decl.name
    assert np.allclose(losses, sum(run.metrics()["loss"] for run in runs), rtol=1e-5)
    assert not np.array_equal(runs[0].state(0)["params"], runs[1].state(0)["params"])

    single = Ensemble([MLP()])
    beginning = og.capture(single, ensemble_loss, rule, batch, predict=lambda m, b: m(b["x"]))
    every = members(beginning, replace(learner, values=state))
    assert len(every) == MEMBERS
    for member, run in zip(every, runs, strict=True):
        for decl in run.program.named_params():
            inside = member.program.decl(f"members.0.{decl.name}")
            assert np.allclose(value_of(inside, member.values), value_of(decl, run.state()), atol=1e-6), decl.name

    with pytest.raises(ProgramError, match="no member has a parameter"):
        members(one, learner)

    said = together(runs, {"x": held_out["x"]}, held_out["y"])
    assert {name: pytest.approx(found[name], abs=1e-5) for name in said} == said
    alone = [together([run], {"x": held_out["x"]}, held_out["y"]) for run in runs]
    assert said["member_accuracy"] == pytest.approx(np.mean([one["accuracy"] for one in alone]))
    assert said["ensemble_loss"] < np.mean([one["ensemble_loss"] for one in alone]) - 1e-3  # by Jensen's inequality
    for run in runs:
        run.close()


def test_an_ensemble_is_asked_for_all_of_it_and_charged_its_cross_entropy(tmp_path: Path) -> None:
    data = points(64, 16, seed=1)
    whole, predict = Ensemble.of(MLP, MEMBERS, FIRST), lambda m, b: m(b["x"])
    learner = og.capture(whole, ensemble_loss, og.adamw(1e-2), data.batch(0), predict=predict)
    with create(tmp_path / "whole", learner, data, seed=1) as run:
        run.advance(4)
        said = together([run], {"x": data.arrays["x"]}, data.arrays["y"])
        found = capacity(run)
        assert og.recall(run).items.loss.mean() == pytest.approx(said["ensemble_loss"], rel=1e-5)
        assert found.model == pytest.approx(64 * said["ensemble_loss"] * BITS, rel=1e-5)
        sent = {one.name: one.bits for one in found.descriptions}
        assert sent["prequential"] == pytest.approx(16 * run.metrics()["ensemble_loss"].sum() * BITS)

    penalised = lambda m, b: cross_entropy(m, b)["loss"] + 1e-3 * m.up.weight.square().sum()  # noqa: E731
    learner = og.capture(MLP(), penalised, og.sgd(), data.batch(0))
    with create(tmp_path / "penalised", learner, data) as run:
        run.advance(4)
        assert "prequential" not in {one.name for one in capacity(run).descriptions}


def test_what_is_no_ensemble_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="no members"):
        Ensemble.of(MLP, 0)
    with pytest.raises(ProgramError, match="no runs"):
        together([], {}, np.zeros(1, np.int64))
    learner = og.capture(MLP(), cross_entropy, og.sgd(), points(16, 16).batch(0))
    with pytest.raises(ProgramError, match="of no ensemble"):
        members(learner, learner)
    with pytest.raises(ProgramError, match=r"no parameter '0\.weight'"):
        reseeded(learner, nn.Sequential(nn.Linear(8, 16)))
    with create(tmp_path / "run", learner, points(64, 16)) as run, pytest.raises(ProgramError, match="'predict'"):
        together([run], points(16, 16).batch(0), np.zeros(16, np.int64))
