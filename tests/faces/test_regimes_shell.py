"""`ontogeny regimes`: regimes beside the learner as it is, from a file or a run, and what is said of others."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from ontogeny.faces.cli import app
from ontogeny.isa.cost import routine_cost
from ontogeny.record.run import open_run
from ontogeny.train.regimes.table import TABLE, Regime

FILE = str(Path(__file__).parent / "captured.py")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("regimes")


@pytest.fixture(autouse=True)
def there(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONTOGENY_RUNS", str(place))
    monkeypatch.setenv("COLUMNS", "200")


def shell(*words: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["regimes", *words])
    assert result.exit_code == exit_code, result.output
    return result


def tried(*words: str) -> dict[str, Any]:
    return {one["regime"]: one for one in json.loads(shell(*words, "--json").stdout)["tried"]}


def test_every_regime_of_the_table_is_compared_with_the_learner_as_it_is(place: Path) -> None:
    found = tried(FILE, "--steps", "3")
    assert set(found) == set(TABLE) and all(one["steps"] == 3 for one in found.values())
    assert found["sam"]["operations"] > 1.8 * found["plain"]["operations"] == 1.8 * found["sleep"]["operations"]
    plain, cycled = (open_run(place / found[name]["run"]) for name in ("plain", "cycles"))
    assert plain.metrics()["loss"][0] == cycled.metrics()["loss"][0], "the same values, the same batch"
    assert plain.parent == cycled.parent and plain.hash() != cycled.hash()
    again = shell(plain.folder.name, "--try", "sleep:every=2,scale=0.5", "--steps", "3")
    assert "One seed" in again.stdout
    asleep = open_run(place / f"{plain.folder.name}-sleep-every=2-scale=0.5")
    assert (asleep.dials()["sleep_every"], asleep.dials()["sleep_scale"]) == (2.0, 0.5)
    before, after = (np.linalg.norm(asleep.state(step)["params"]) for step in (2, 3))
    assert after < 0.95 * before < 1.05 * np.linalg.norm(asleep.state(1)["params"])


SEEDED = """
from dataclasses import replace
import ontogeny as og
from tests.faces import captured

def experiment(predict: bool = True, seed: int = 0) -> og.Experiment:
    made = captured.experiment(predict)
    return replace(made, data=og.Arrays(made.data.arrays, batch_size=16, seed=seed))
"""


def test_seeds_goals_and_options_of_the_file(place: Path, tmp_path: Path) -> None:
    (tmp_path / "seeded.py").write_text(SEEDED, encoding="utf-8")
    words = ["--try", "lr=0.5", "--try", "predict=no+grokfast", "--seeds", "0,1", "--steps", "40"]
    file = str(tmp_path / "seeded.py")
    told = json.loads(shell(file, *words, "--until", "loss < 1.0", "-o", str(tmp_path / "a.png"), "--json").stdout)
    assert [one["seed"] for one in told["tried"]] == [0, 0, 0, 1, 1, 1]
    assert [one["regime"] for one in told["regimes"]] == ["plain", "lr=0.5", "predict=no+grokfast"]
    for one in told["tried"]:
        reached = open_run(place / one["run"]).metrics()["loss"] < 1.0
        assert one["reached"] == (int(np.argmax(reached)) + 1 if reached.any() else None)
    named = [open_run(place / one["run"]).program.has("predict") for one in told["tried"][:3]]
    assert named == [True, True, False]
    assert (tmp_path / "a.png").stat().st_size > 1000


JUDGED = """
from dataclasses import replace
import ontogeny as og
from tests.faces import captured

def experiment() -> og.Experiment:
    made = captured.experiment()
    held_out = made.data.arrays
    example = {name: values[:16] for name, values in held_out.items()}
    learner = og.capture(captured.Net(), captured.loss, og.adamw(lr=1e-2), example, valid=held_out)
    valid = {f"valid.{name}": values for name, values in held_out.items()}
    return replace(made, learner=learner, valid=valid, evaluate_every=10)
"""


def test_what_is_measured_is_of_the_last_state_and_work_is_all_of_it(place: Path, tmp_path: Path) -> None:
    (tmp_path / "judged.py").write_text(JUDGED, encoding="utf-8")
    file = str(tmp_path / "judged.py")
    found = tried(file, "--steps", "5", "--try", "sleep:every=2,replays=1", "--try", "lr=1e35")
    run, asleep = (open_run(place / found[name]["run"]) for name in ("plain", "sleep:every=2,replays=1"))
    for one, name in ((run, "plain"), (asleep, "sleep:every=2,replays=1")):
        machine = one._seat.another()
        machine.load(one.state(5))
        (loss,) = machine.call("evaluate", one.valid or {}, one.dials()).values()
        assert one.latest()["valid.loss"] != found[name]["metrics"]["valid.loss"] == float(loss)
    calls = 2 * routine_cost(asleep.program, "sleep").total.operations  # before the steps from 2 and 4
    assert found["sleep:every=2,replays=1"]["operations"] == found["plain"]["operations"] + calls / 5
    assert all(math.isfinite(value) for value in found["lr=1e35"]["metrics"].values())
    run.advance(1)
    run.close()
    assert "valid.* as of step 0" in CliRunner().invoke(app, ["resume", run.folder.name, "--steps", "1"]).stdout
    compared = CliRunner().invoke(app, ["compare", run.folder.name, asleep.folder.name]).stdout
    assert compared.split("valid.* as of step")[1].split()[:2] == ["0", "0"]


def test_what_ends_in_no_numbers_is_told_and_the_others_go_on() -> None:
    found = tried(FILE, "--try", "lr=1e35", "--try", "muon", "--steps", "9")
    assert found["lr=1e35"]["steps"] < 9 and "non-finite" in found["lr=1e35"]["broken"]
    assert found["muon"]["steps"] == 9 and math.isfinite(found["muon"]["metrics"]["loss"])


def test_a_seed_that_is_given_twice_is_one_and_a_goal_that_nothing_measures_is_told() -> None:
    said = shell(FILE, "--try", "plain", "--seeds", "7,7", "--steps", "2", "--until", "speed > 3", "--json")
    assert len(json.loads(said.stdout)["tried"]) == 1
    assert "speed > 3 is never met in 2 steps: measured are loss" in said.stderr


def test_seeds_that_change_nothing_are_told_and_make_no_interval() -> None:
    said = shell(FILE, "--try", "sleep", "--seeds", "3,4,5", "--steps", "2")
    assert "seed 4 is no other beginning" in said.stderr and "One seed: no interval" in said.stdout


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--try", "slep"), "did you mean sleep?"),
        (("--try", "sleep:often"), "'often' is not NAME=VALUE"),
        (("--try", "sleep:every=-1"), "every=-1"),
        (("--try", "lr=much"), "lr=much: a dial is turned to a number"),
        (("--try", "speed=3"), "there is no dial 'speed'"),
        (("--try", "plain:lr=1"), "plain takes no arguments"),
        (("--try", "catapult:momentum=1"), "adamw has no dial 'momentum'"),
        (("--seeds", "a"), "--seeds 'a'"),
        (("--until", "soon"), "is not a goal"),
        (("-o", "."), "is a folder; name a file in it, such as regimes.png"),
    ],
)
def test_what_is_no_regime_is_said_before_anything_runs(words: tuple[str, ...], why: str, place: Path) -> None:
    before = set(place.iterdir())
    assert why in shell(FILE, *words, exit_code=1).stderr
    assert all(open_run(one).step == 0 for one in set(place.iterdir()) - before)


def test_several_edits_are_one_regime() -> None:
    found = Regime.parse("muon+sleep:every=3+lr=0.1")
    assert [name for name, _ in found.edits] == ["rule", "sleep"] and found.dials() == {"lr": 0.1}
    assert found.edits[1][1] == {"every": 3, "scale": 0.97}
