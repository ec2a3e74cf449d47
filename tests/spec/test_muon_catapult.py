"""The catapult by orthogonal steps: its course beside Muon with dials turned by hand, and that it is sooner."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager

import numpy as np
import pytest
import torch

from ontogeny.claims.tasks.modular import Transformer, by_fan_in, loss, pairs
from ontogeny.claims.tasks.trained import run_of
from ontogeny.front.capture import capture
from ontogeny.front.edits.courses import COURSES
from ontogeny.front.rules import Rule, adamw, muon
from ontogeny.isa.errors import OntogenyError, ProgramError
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.record.run import Run
from ontogeny.steer.registry import command
from ontogeny.steer.session import Session
from ontogeny.train.regimes.catapult import catapult
from ontogeny.train.regimes.muon_catapult import muon_catapult
from ontogeny.train.regimes.table import Regime
from tests.spec.training import MLP, arrays, cross_entropy, drawn, learned

STEPS = 12


def factor(step: int) -> float:
    """Up over 2 steps, from step 4 to 10 down to a fifth."""
    done = min(1.0, max(0.0, (step - 4) / 6))
    return min(1.0, (step + 1) / 2) * (0.2 + 0.8 * (1 + math.cos(math.pi * done)) / 2)


def test_it_is_muon_whose_rates_are_turned_by_hand() -> None:
    torch.manual_seed(0)
    model, batches = MLP(), drawn(STEPS)
    given = {"momentum": 0.7, "weight_decay": 0.3, "adam_lr": 0.01}
    ours, _ = learned(
        capture(model, cross_entropy, muon_catapult(0.1, **given, warm_up=2, cool=(4, 10)), batches[0]), batches
    )
    plain = capture(model, cross_entropy, muon(0.1, **given), batches[0])
    machine = CompiledMachine(plain.program, threads=1)
    machine.load(plain.values)
    for step, batch in enumerate(batches):
        machine.call("learn", arrays(batch), {"lr": 0.1 * factor(step), "adam_lr": 0.01 * factor(step)})
    for name, value in machine.state().items():
        np.testing.assert_allclose(ours.state()[name], value, rtol=1e-5, atol=1e-6, err_msg=name)


def test_a_course_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ProgramError, match="from step 30 to step 10"):
        muon_catapult(cool=(30, 10))


def begun(rule: Rule) -> AbstractContextManager[Run]:
    """Addition modulo 23, the same first values and batches for any rule."""
    train, valid = pairs(23, 0.7, 1)
    torch.manual_seed(1)
    return run_of(by_fan_in(Transformer(23, 32)), loss, rule, train, valid, seed=1, batch_size=128, evaluate_every=50)


def test_it_is_replayed_and_generalises_sooner_than_by_adamw() -> None:
    with begun(muon_catapult().grouped({"position": {"lr": 0.01}})) as run, begun(catapult()) as other:
        run.advance(50)
        other.advance(50)
        assert run.evaluations()[-1]["accuracy"] > other.evaluations()[-1]["accuracy"] + 0.12
        assert run.verify().ok


def test_a_run_is_put_on_a_course_from_where_it_stands() -> None:
    with begun(muon_catapult()) as whole:
        whole.advance(2)
        wanted = whole.metrics()["loss"]
    with begun(adamw(1e-3)) as run:
        run.advance(1)
        session = Session(run.folder.parent, run.folder.name)
        session.do(command("back", {"to": "start"}))
        session.do(command("rule", {"edit": "muon_catapult"}))
        session.do(command("run", {"steps": 2}))
        assert session.native().metrics()["loss"] == pytest.approx(wanted)
        session.do(command("rule", {"edit": "catapult", "arguments": {"lr": 0.02}}))
        notes = {instr.note.where for instr in session.native().program.routine("learn").body}
        assert {"schedule shape=cosine steps=252 floor=0.2 start=102", "adamw"} <= notes and "muon" not in notes
        dials = session.native().dials()
        assert (dials["lr"], dials["weight_decay"], dials["beta2"]) == (0.02, 1.0, 0.95)
        with pytest.raises(OntogenyError, match="lr='fast' is no number"):
            session.do(command("rule", {"edit": "catapult", "arguments": {"lr": "fast"}}))


def test_a_course_is_a_regime_whose_dials_can_be_given() -> None:
    (rule, options), (schedule, curve) = Regime.parse("muon_catapult:lr=0.1").edits
    assert (rule, options["to"], schedule) == ("rule", "muon", "schedule")
    assert options["options"] == {**COURSES["muon_catapult"].dials, "lr": 0.1} and curve["start"] == 30
    assert Regime.parse("soap").edits == (("rule", {"to": "soap", "options": {}}),)
