"""`ontogeny alike` and `ontogeny groups` as a person uses them: tables, one JSON document, and clear refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ontogeny.ask.alike import alike
from ontogeny.faces.cli import app
from ontogeny.record.run import open_run
from ontogeny.record.trace import Window
from tests.regression import begin


@pytest.fixture(autouse=True)
def a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONTOGENY_RUNS", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    with begin(tmp_path / "small") as run:
        run.advance(60)


def shell(*words: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == exit_code, result.output
    return result


def asked(*words: str) -> Any:
    return json.loads(shell(*words, "--json").stdout)


def test_alike_answers_with_the_matches_and_the_proof(tmp_path: Path) -> None:
    found = asked("alike", "small", "w[0,0]", "--at-least", "0.1", "--window", "5:50")
    expected = alike(open_run(tmp_path / "small"), "w[0,0]", 0.1, window=Window(5, 50))
    assert [m["score"] for m in found["matches"]] == expected.scores.tolist()
    assert found["count"] == len(expected) and (found["first"], found["last"]) == (5, 49)
    proof = found["proof"]
    assert sum(count for name, count in proof.items() if name != "elements") == proof["elements"] == 3
    said = shell("alike", "small", "w[0,0]", "--at-least", "0.1", "--window", "5:50").stdout
    assert "none is missed" in said and f"{len(expected)} of 3 correlate with w[0,0]" in said


def test_where_nothing_is_alike_it_says_how_to_ask_for_less() -> None:
    words = ("alike", "small", "w[0,0]", "--at-least", "0.999999")
    assert asked(*words)["count"] == 0
    assert "--top 10 gives the nearest" in shell(*words).stdout
    assert "--top 10" not in shell(*words[:3], "--at-least", "0.1").stdout


def test_alike_takes_every_option() -> None:
    words = ("--over", "values", "--either-sign", "--lag", "2", "--without-shared-modes", "--modes", "1", "--top", "2")
    found = asked("alike", "small", "w[1,0]", *words)
    assert len(found["matches"]) == 2 and found["over"] == "values"
    assert all(abs(match["lag"]) <= 2 for match in found["matches"])
    assert "w[" in shell("alike", "small", "w[1,0]", *words).stdout


def test_groups_show_their_charts_and_the_shared_modes() -> None:
    found = asked("groups", "small", "--at-least", "0.1", "--over", "values", "--either-sign")
    assert found["elements"] == 3 and found["grouped"] == sum(group["size"] for group in found["groups"]) >= 2
    assert len(found["groups"][0]["chart"]) == len(found["steps"]) == 61
    assert abs(sum(mode["energy"] for mode in found["modes"]) - 1) < 1e-6
    said = shell("groups", "small", "--at-least", "0.1", "--over", "values", "--either-sign").stdout
    assert "shared modes hold" in said and found["groups"][0]["leader"] in said


def test_alike_by_moments_names_the_nearest() -> None:
    found = asked("alike", "small", "w[0,0]", "--by-moments", "--top", "1")
    assert len(found["nearest"]) == 1 and found["compared"] == found["elements"] == 3
    assert len(found["moments"]) == 8
    assert found["nearest"][0]["element"] in shell("alike", "small", "w[0,0]", "--by-moments").stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("alike", "small", "v[0,0]"), "did you mean 'w'"),
        (("alike", "small", "w[9,0]"), "lies outside"),
        (("alike", "small", "w[0,0]", "--window", "5"), "not a window"),
        (("alike", "small", "w[0,0]", "--window", "90:99"), "recorded steps: 0 to 60"),
        (("alike", "small", "w[0,0]", "--at-least", "2"), "above 0 and up to 1"),
        (("groups", "small", "--over", "losses"), "choose updates or values"),
        (("groups", "small", "--top", "0"), "one group or more"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(words: tuple[str, ...], expected: str) -> None:
    said = shell(*words, exit_code=1).stderr
    assert expected in said and said.count("\n") == 1 and "Traceback" not in said
