"""`ontogeny waste`: the lines, their sums, what is chosen of them, and what is said when it cannot be answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ontogeny.ask.waste import REMEDIES
from ontogeny.faces.cli import app
from ontogeny.faces.commands.waste import WORDS

FILE = str(Path(__file__).parent / "perceptron.py")


@pytest.fixture(autouse=True)
def a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ONTOGENY_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("COLUMNS", "200")
    shell("run", FILE, "--machine", "reference", "--steps", "12")


def shell(*words: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == exit_code, result.output
    return result


def asked(*words: str) -> Any:
    return json.loads(shell("waste", "perceptron", *words, "--json").stdout)


def test_lines_add_up_by_kind_and_are_sorted() -> None:
    found = asked("--top", "0", "--samples", "3")
    assert found["steps"] == [0, 6, 11] and found["seconds"] > 0
    for kind in found["kinds"]:
        own = [line for line in found["lines"] if line["kind"] == kind["kind"]]
        assert len(own) == kind["lines"]
        assert sum(line["operations"] for line in own) == pytest.approx(kind["operations"])
    seconds = [line["seconds"] for line in found["lines"]]
    assert seconds == sorted(seconds, reverse=True)
    zero = [line for line in found["lines"] if line["kind"] == "zero"]
    assert any("%column %inputs" in line["what"] for line in zero)  # decisions that are right have no error


def test_some_kinds_and_a_window_of_steps() -> None:
    found = asked("--kind", "zero", "--steps", "3:5", "--top", "1")
    assert found["steps"] == [3, 4] and [line["kind"] for line in found["lines"]] == ["zero"]


def test_a_person_gets_tables_and_sentences() -> None:
    said = shell("waste", "perceptron").stdout
    assert "counted, not recoverable" in said and "what would remove it" in said and "a zero operand" in said
    assert WORDS.keys() == REMEDIES.keys()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--kind", "heat"), "no waste of the kind 'heat'"),
        (("--steps", "12:"), "no step is taken"),
        (("--steps", "twelve"), "not a window"),
    ],
)
def test_what_cannot_be_answered_is_said_in_one_line(words: tuple[str, ...], said: str) -> None:
    result = shell("waste", "perceptron", *words, exit_code=1)
    assert said in result.stderr and "Traceback" not in result.output and result.stdout == ""
