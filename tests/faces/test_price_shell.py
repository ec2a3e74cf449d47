"""`ontogeny price`: of a shape, of a learner, on this machine by rates that were kept; bad input is an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ontogeny.ask.hardware import with_accelerators
from ontogeny.ask.price import calibration
from ontogeny.ask.price.calibration import Calibration
from ontogeny.ask.price.kinds import CALL, HOST, KINDS, READ
from ontogeny.ask.price.surcharge import Surcharge
from ontogeny.faces.cli import app
from ontogeny.faces.commands import price as command
from ontogeny.faces.price_words import short

PROGRAM = """program line
param w: f32[4,4]
input x: f32[8,4]

routine learn():
  %0 = read {name=w}
  %1 = read {name=x}
  %2 = dot %1 %0
  commit %0 {name=w}
  return y=%2
"""


def shell(*words: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["price", *words])
    assert result.exit_code == exit_code, result.output
    return result


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "line.onto"
    path.write_text(PROGRAM)
    return str(path)


def test_a_shape_is_priced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    words = ("--parameters", "1e14", "--tokens", "130e6", "--epochs", "16", "--utilisation", "0.35")
    found = json.loads(shell(*words, "--json").stdout)
    assert found["terms"][0]["operations"] == pytest.approx(1.248e24)
    assert found["price"]["accelerators"] == 22223 and found["price"]["memory_decides"]
    said = shell(*words, "--dollars", "3", "--availability", "1", "--overhead", "1").stdout
    assert "1 million hours of H100 SXM 80 GB" in said and "3 million dollars, 1.28 GWh" in said
    assert "as many as the state of training needs" in said and "as asked" in said and "6ND" in said


def test_a_learner_is_priced_by_its_program(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    found = json.loads(shell(program, "--steps", "10", "--json").stdout)
    assert found["step"]["products"] == 2 * 8 * 4 * 4 and found["price"]["operations"] == 10 * 2 * 8 * 4 * 4
    said = shell(program).stdout
    assert "-66.7%" in said and "multiply-adds of learn" in said
    assert "1 step of learn: " in said and "--steps says how many" in said


def test_the_machines_are_listed_with_their_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    found = {one["machine"]: one for one in json.loads(shell("--machine", "list", "--json").stdout)["machines"]}
    assert set(found) == set(with_accelerators()) and found["8xH100"]["dollars"] == "3.99"
    assert all("as of 20" in one["sources"] or "end of 20" in one["sources"] for one in found.values())
    assert (
        "8xH100: price 3.99 a GPU, on demand; lambda.ai/instances as of 2026-09-20" in shell("--machine", "list").stdout
    )


def test_a_step_shorter_than_a_millisecond_is_no_0_ms() -> None:
    assert (short(1.6e-4), short(2e-3)) == ("160 us", "2 ms")


def test_this_machine_is_asked_by_rates(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {name: dict.fromkeys(kind.points(), 1e-06) for name, kind in KINDS.items()}
    kept = {**seconds, CALL: {(): 2e-3}, READ: {(): 0.0}, HOST: {(): 0.0}}
    known = Calibration("2026-01-01", "a machine", 1.0, kept, Surcharge())
    monkeypatch.setattr(command, "calibrated", lambda *_: known)
    place = str(tmp_path / "rates.json")
    measured = json.loads(shell(program, "--here", "--save", place, "--json").stdout)
    assert measured["here"]["seconds"] == pytest.approx(2.001e-3)
    again = json.loads(shell(program, "--rates", place, "--json").stdout)
    assert again == measured
    assert "here, in exact mode on one thread: 2 ms of CPU a step (call 100%" in shell(program, "--rates", place).stdout
    owned = ("--rates", place, "--steps", "3600000", "--here-watts", "60", "--here-dollars", "0.5")
    here = json.loads(shell(program, *owned, "--json").stdout)["here"]
    assert here["watt_hours"] == pytest.approx(2001 * 60 / 1000) and here["dollars"] == pytest.approx(2001 * 0.5 / 1000)
    assert "2 hours in all, 120 Wh at 60 W, 1.00 dollars; " in shell(program, *owned).stdout
    assert "and finite" in shell(program, "--rates", place, "--here-watts", "inf", exit_code=1).stderr


@pytest.mark.slow
def test_this_machine_is_measured(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "ROUNDS", 1)
    found = json.loads(shell(program, "--here", "--json").stdout)
    assert 1e-6 < found["here"]["seconds"] < 1e-2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "name a learner, or give a shape"),
        (("--parameters", "1e9", "--tokens", "1e9", "--layers", "3"), "give all three, or none"),
        (("--parameters", "1e9", "--tokens", "1e9", "--machine", "abacus"), "is not in the table; choose one of p4d"),
        (("--parameters", "1e300", "--tokens", "1e300"), "both must be finite"),
        (("--parameters", "1e9", "--tokens", "1e9", "--machine", "i4i.32xlarge"), "has no accelerators"),
        (("--parameters", "1e9", "--tokens", "1e9", "--precision", "f8"), "choose one of"),
        (("--parameters", "1e14", "--tokens", "1e9", "--accelerators", "3"), "it takes 22,223 or more"),
        (("--parameters", "nan", "--tokens", "1e9"), "must be more than 0"),
        (("--parameters", "1e9", "--tokens", "1e9", "--here"), "name a run, a program or a Python file"),
        (("nowhere.py",), "there is no file"),
    ],
)
def test_what_cannot_be_priced_is_told(words: tuple[str, ...], told: str) -> None:
    assert told in shell(*words, exit_code=1).stderr


def test_a_learner_with_a_wrong_word_is_told(program: str, tmp_path: Path) -> None:
    assert "but not both" in shell(program, "--tokens", "3", exit_code=1).stderr
    assert "no routine 'fly'" in shell(program, "--routine", "fly", exit_code=1).stderr
    assert "is a folder" in shell(program, "--here", "--save", str(tmp_path), exit_code=1).stderr
    (tmp_path / "rates.json").write_text("[]")
    assert "holds no rates" in shell(program, "--rates", str(tmp_path / "rates.json"), exit_code=1).stderr
    bare = tmp_path / "bare.onto"
    bare.write_text("program bare\ninput x: f32[2]\n\nroutine learn():\n  %0 = read {name=x}\n  return y=%0\n")
    assert "nothing to learn" in shell(str(bare), exit_code=1).stderr
