"""`ontogeny diagnose`: the table, the charts, JSON, following a run, and what is said when it cannot be answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import ontogeny as og
from ontogeny.ask.findings import KINDS
from ontogeny.faces.cli import app
from ontogeny.faces.plot import plot
from tests.spec.diagnosed import captured, examples, loop

ONE = {"threads": 1}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that diverges from step 24 on, and a loop that is sound."""
    folder = tmp_path_factory.mktemp("runs")
    held = examples(128, 2)
    run = og.create(
        folder / "broken", captured(), og.Arrays(examples(512, 1), 32), valid=held, evaluate_every=4, options=ONE
    )
    run.advance(24)
    run.set_dial("lr", 12.0)
    run.advance(16)
    run.close()
    loop(folder / "sound")
    return folder


def shell(runs: Path, monkeypatch: pytest.MonkeyPatch, *words: str, exit_code: int = 0) -> Result:
    monkeypatch.setenv("ONTOGENY_RUNS", str(runs))
    monkeypatch.setenv("COLUMNS", "160")
    result = CliRunner().invoke(app, ["diagnose", *words])
    assert result.exit_code == exit_code, result.output
    return result


def test_a_person_gets_a_table_the_evidence_and_remedies(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = shell(runs, monkeypatch, "broken", "--quick").stdout
    assert "diverging since step 2" in said and "a tenth of the learning rate" in said and "healthy" not in said
    assert any("\u2800" < sign < "\u28ff" for sign in said) and "looked for by replay only" in said


def test_a_sound_loop_is_called_healthy_and_what_it_cannot_tell_is_said(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = shell(runs, monkeypatch, "sound").stdout
    assert "healthy at step 96" in said and "not looked for: " in said and "og.capture" in said


def test_the_document_holds_findings_as_data(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = json.loads(shell(runs, monkeypatch, "broken", "--kind", "diverging", "--json").stdout)
    (one,) = found["findings"]
    lower = one["remedies"][1]
    assert one["name"] == "diverging" and (lower["command"], lower["arguments"]) == ("set", {"dial": "lr", "by": 0.1})
    assert found["healthy"] is False and found["looked_for"] == ["diverging"] and found["silent"] == {}
    assert len(one["evidence"][0]["steps"]) == len(one["evidence"][0]["values"]) > 20


def test_following_says_what_is_new_until_nothing_is_told(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = shell(runs, monkeypatch, "broken", "--follow", "--idle", "0.1").stdout
    assert said.count("diverging since") == 1
    assert shell(runs, monkeypatch, "sound", "--follow", "--idle", "0").stdout == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("broken", "--kind", "divergence"), "did you mean 'diverging'"),
        (("broken", "--steps", "ten"), "not a window"),
        (("nothing",), "there is no run"),
    ],
)
def test_what_cannot_be_answered_is_said_in_one_line(
    words: tuple[str, ...], told: str, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = shell(runs, monkeypatch, *words, exit_code=1)
    assert told in result.stderr and "Traceback" not in result.output and result.stdout == ""


def test_every_kind_has_a_name_of_the_field_and_a_meaning() -> None:
    assert all(name == kind.name and kind.meaning and (kind.watch or kind.look) for name, kind in KINDS.items())


def test_a_plot_joins_points_and_says_its_ends() -> None:
    rows = plot(range(100), [float(step) for step in range(100)], width=10, height=2)
    assert rows[0].startswith("99 ") and rows[1].lstrip().startswith("0 ") and rows[2].split() == ["0", "99"]
    assert plot([], []) == plot([1], [float("nan")]) == []
    assert len(plot([1, 2], [3.0, 3.0], height=3)) == 4
    assert "logarithmic" in plot([1, 2], [1.0, 1e4])[-1]
