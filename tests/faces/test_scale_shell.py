"""`ontogeny scale`: rates are measured on a run that it trains, kept, and read again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ontogeny.ask import calibration
from ontogeny.faces import specimen
from ontogeny.faces.cli import app

STORED = str(Path(__file__).parents[2] / "docs" / "scale.json")


def shell(*words: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == exit_code, result.output
    return result


def test_rates_are_measured_kept_and_give_the_same_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a smaller model and fewer repetitions, so that it is quick."""
    for name, value in {"WIDTH": 16, "LAYERS": 1, "HEADS": 2, "LENGTH": 8, "STEPS": 8}.items():
        monkeypatch.setattr(specimen, name, value)
    for name, value in {"REPEATS": 2, "FEWER": 1, "QUERIES": 2, "WRITTEN": 1 << 20}.items():
        monkeypatch.setattr(calibration, name, value)
    kept = str(tmp_path / "rates.json")
    found = json.loads(shell("scale", "--save", kept, "--json").stdout)
    assert found["rates"]["states"] == 9 and found["rates"]["parameters"] > 5000
    measured = found["rates"]["measured"]
    assert all(rate > 0 for one in measured.values() for rate in one["repeats"])
    assert [size for size, _ in measured["moments"]["grown"]] == sorted(size for size, _ in measured["chart"]["grown"])
    assert measured["ratio.4"]["repeats"][0] > 1 and measured["explain"]["repeats"][0] > 0
    again = json.loads(shell("scale", "--rates", kept, "--json").stdout)
    assert again == found


def test_a_plan_follows_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    words = ("scale", "--rates", STORED)
    small = json.loads(shell(*words, "--parameters", "7e9", "--machines", "3", "--json").stdout)["plan"]
    assert small["raw"] == 7e9 * 41 * 4 and small["stages"][0]["machines"] == 3
    said = shell(*words, "--parameters", "7e9", "--bytes-per-value", "2").stdout
    assert "7 billion parameters x 40 iterations" in said and "assumed: " in said and "alike, 100 queries" in said
    assert shell(*words, "--markdown").stdout == Path(STORED).with_suffix(".md").read_text(encoding="utf-8")


def test_what_is_no_rates_and_no_size_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rates.json").write_text("{}")
    assert "holds no rates" in shell("scale", "--rates", str(tmp_path / "rates.json"), exit_code=1).stderr
    assert "choose one of" in shell("scale", "--rates", STORED, "--machine", "abacus", exit_code=1).stderr
    assert "2 and 4" in shell("scale", "--rates", STORED, "--bytes-per-value", "3", exit_code=1).stderr
