"""A dial goes to a value over some steps: exact at each of them by the formula, replayed, forked, replaced."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from ontogeny.ask.alternative import alternative, kept
from ontogeny.ask.what_if import followed
from ontogeny.isa.errors import RecordError
from ontogeny.machine.reference import ReferenceMachine
from ontogeny.record.debug import RunDebugger
from ontogeny.record.run import Run, open_run
from tests.small import begin, learner

FORMULAS = {
    "linear": lambda t: 0.05 + (0.002 - 0.05) * t,
    "cosine": lambda t: 0.05 + (0.002 - 0.05) * (1 - math.cos(math.pi * t)) / 2,
    "exponential": lambda t: 0.05 ** (1 - t) * 0.002**t,
}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = begin(tmp_path / "run")
    made.advance(3)
    return made


@pytest.mark.parametrize("shape", FORMULAS)
def test_a_dial_takes_the_formulas_value_at_every_step(run: Run, shape: str) -> None:
    run.set_dial("lr", 0.002, over=6, shape=shape)
    run.advance(9)
    assert [run.dials(step)["lr"] for step in range(4)] == [0.05] * 4
    assert [run.dials(3 + i)["lr"] for i in range(6)] == [FORMULAS[shape](i / 6) for i in range(6)]
    assert [run.dials(step)["lr"] for step in range(9, 30)] == [0.002] * 21
    values = [run.dials(step)["lr"] for step in range(3, 10)]
    assert values == sorted(values, reverse=True) and len(set(values)) == 7


def test_exponential_multiplies_by_one_factor(run: Run) -> None:
    run.set_dial("lr", 0.002, over=6, shape="exponential")
    ratios = [run.dials(step + 1)["lr"] / run.dials(step)["lr"] for step in range(3, 9)]
    assert ratios == pytest.approx([ratios[0]] * 6, rel=1e-12)


def test_the_steps_are_those_of_the_machine_by_these_dials(run: Run) -> None:
    run.set_dial("lr", 0.2, over=5, shape="cosine")
    run.set_dial("momentum", 0.5, over=2)
    run.advance(7)
    machine = ReferenceMachine(learner().program)
    machine.load(run.state(0))
    for step in range(10):
        machine.call("learn", run.data.batch(step), run.dials(step))
        assert run.history.hasher.row(machine.state()) == run.history.hash_row(step + 1)
    assert run.dials(4)["momentum"] == 0.9 + (0.5 - 0.9) * 0.5


def test_a_later_entry_replaces_it_from_where_it_has_come_to(run: Run, tmp_path: Path) -> None:
    run.set_dial("lr", 0.09, over=4)
    run.advance(2)
    half = run.dials()["lr"]
    assert half == 0.05 + (0.09 - 0.05) * 0.5
    with run.fork(5, tmp_path / "at") as held:
        held.set_dial("lr", half)
        assert [held.dials(step)["lr"] for step in range(5, 9)] == [half] * 4
    run.set_dial("lr", 0.0, over=2)
    assert [run.dials(step)["lr"] for step in range(3, 9)] == [
        0.05,
        0.05 + (0.09 - 0.05) * 0.25,
        half,
        half / 2,
        0.0,
        0.0,
    ]
    run.set_dial("lr", 1.0)
    assert run.dials()["lr"] == 1.0 and run.dials(4)["lr"] == 0.05 + (0.09 - 0.05) * 0.25


def test_forks_go_on_with_it_and_it_replays(run: Run, tmp_path: Path) -> None:
    run.set_dial("lr", 0.001, over=8, shape="cosine")
    run.advance(10)
    with run.fork(6, tmp_path / "fork") as fork, run.fork(6, tmp_path / "other", {"lr": 0.02}) as other:
        fork.advance(7)
        other.advance(7)
        assert fork.hash() == run.hash() != other.hash()
        assert other.dials() == {"lr": 0.02, "momentum": 0.9} and other.dials(5) == run.dials(5)
    run.close()
    again = open_run(run.folder)
    assert again.verify().ok and again.dials(7) == run.dials(7) and open_run(tmp_path / "fork").verify().ok
    assert RunDebugger(again, 7).dials() == run.dials(7)


def test_what_if_follows_it_and_keeps_it(run: Run, tmp_path: Path) -> None:
    run.set_dial("lr", 0.001, over=8, shape="exponential")
    run.advance(9)
    undone = alternative(run, undo=3)
    with begin(tmp_path / "plain") as plain:
        plain.advance(12)
        assert followed(run, undone).hash == plain.hash() != run.hash()
    earlier = alternative(run, {"lr": 0.2}, start=1)
    with kept(run, earlier, tmp_path / "kept") as child:
        assert child.hash() == followed(run, earlier).hash
        assert child.dials(7)["lr"] == math.copysign(0.2**0.5 * 0.001**0.5, 1)
        assert child.entries[-1].content == {"name": "lr", "value": 0.001, "over": 8, "shape": "exponential"}


def test_a_run_without_it_writes_the_entries_that_it_always_wrote(run: Run) -> None:
    assert run.set_dial("lr", 0.1).content == {"name": "lr", "value": 0.1}
    run.advance(1)
    assert np.isfinite(run.metrics()["loss"]).all()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"over": -1}, "cannot be turned over -1 steps"),
        ({"over": 2.5}, "cannot be turned over 2.5 steps"),
        ({"over": 3, "shape": "sine"}, "no shape|by shape 'sine'; there are linear, cosine, exponential"),
        ({"value": 0.0, "over": 3, "shape": "exponential"}, "0.05 to 0 exponentially"),
        ({"value": math.inf, "over": 3}, "finite"),
        ({"name": "rate"}, "there is no dial 'rate'"),
    ],
)
def test_what_cannot_be_is_refused_and_not_written(run: Run, asked: dict[str, object], said: str) -> None:
    with pytest.raises(RecordError, match=said):
        run.set_dial(**{"name": "lr", "value": 0.1, **asked})  # type: ignore[arg-type]
    assert len(run.entries) == 1
