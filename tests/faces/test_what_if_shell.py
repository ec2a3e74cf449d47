"""`ontogeny what-if`: the answer, its cost beforehand, what is kept, and what is said when it cannot be answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ontogeny.faces.cli import app

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ONTOGENY_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("COLUMNS", "200")
    shell("run", str(HERE / "captured.py"), "--steps", "8", "--name", "net")


def shell(*words: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == exit_code, result.output
    return result


def asked(*words: str) -> Any:
    return json.loads(shell("what-if", *words, "--json").stdout)


def test_a_dial_turned_says_what_the_fork_comes_to() -> None:
    found = asked("net", "--dial", "lr=0.1", "--from", "3")
    fork = json.loads(shell("fork", "net", "3", "--dial", "lr=0.1", "--name", "f", "--steps", "5", "--json").stdout)
    assert found["hash"] == fork["hash"] and found["metrics"]["loss"]["other"][-1] == fork["metrics"]["loss"]
    assert found["steps"] == [4, 5, 6, 7, 8] and all(len(one["distance"]) == 5 for one in found["tensors"])


def test_examples_left_out_can_be_kept() -> None:
    found = asked("net", "--without", "3,17,40:44", "--name", "other", "--steps", "4")
    assert found["without"] == "3,17,40:44" and found["kept"] == "other" and found["steps_touched"] == 4
    shown = json.loads(shell("show", "other", "--json").stdout)
    assert shown["hash"] == found["hash"] and shown["journal"][-1]["kind"] == "without"
    assert json.loads(shell("verify", "other", "--json").stdout)["ok"] is True


def test_the_cost_comes_first_and_alone_on_request() -> None:
    dry = asked("net", "--without", "3", "--dry-run")
    assert dry["cost"]["seconds"] > 0 and "metrics" not in dry
    result = shell("what-if", "net", "--without", "3")
    assert "replays" in result.stderr and "about" in result.stderr and "replays" not in result.stdout
    assert "how far the parameters are" in result.stdout and "unembed" not in result.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing is changed"),
        (("--without", "64"), "the numbers 0 to 63"),
        (("--without", "some"), "names no example"),
        (("--dial", "lr=0.1", "--from", "8"), "no step is taken from state 8"),
        (("--dial", "rate=1"), "no dial 'rate'"),
        (("--dial", "lr=0.1", "--estimate"), "estimates are made for examples left out"),
        (("--without", "3", "--estimate"), "this run has none"),
    ],
)
def test_what_cannot_be_answered_is_said_in_one_line(words: tuple[str, ...], said: str) -> None:
    result = shell("what-if", "net", *words, exit_code=1)
    assert said in result.stderr and "Traceback" not in result.output and result.stdout == ""
