"""Commands of steering on the shell: every one answers in words and in JSON, foretells, and refuses in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn
from typer.testing import CliRunner, Result

import ontogeny as og
from ontogeny.faces.cli import app
from ontogeny.faces.generated import given_as
from ontogeny.faces.registry import COMMANDS, Entry
from ontogeny.record.run import open_run
from tests.faces.folder import stand_in
from tests.regression import begin

STEERS = [entry for entry in COMMANDS if entry.steers]
WORDS: dict[str, list[str]] = {
    "back": ["3"],
    "mark": ["early"],
    "rule": ["clip", "--arguments", "norm=1"],
    "freeze": ["w"],
    "unfreeze": ["w"],
    "alter": ["scale", "w", "--amount", "0.5"],
    "leave-out": ["3"],
    "learn-again": ["3"],
    "learn": ["--examples", "3"],
    "mix": ["3", "0.5"],
    "forget": ["3"],
    "call": ["sleep"],
}
"""What stands behind the run's name."""
TAKEN = {"back", "again", "mark", "keep", "freeze", "alter", "mix", "call"}
TAKEN |= {"status", "curve", "events", "why", "history"}
"""Commands that a run of a program written by hand can be given when it is not live; the others say why not."""


@pytest.fixture(autouse=True)
def one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch)
    with begin(tmp_path / "runs" / "one") as run:
        run.advance(12)


def shell(*words: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == exit_code, result.output
    return result


def plain(text: str) -> Any:
    return json.loads(text)


@pytest.mark.parametrize("entry", STEERS, ids=lambda entry: entry.name)
def test_every_command_is_foretold_taken_and_refused(entry: Entry) -> None:
    words = [entry.name, "one", *WORDS.get(entry.name, [])]
    assert entry.name in shell(entry.name, "--help").output
    journal = Path("runs/one/journal.jsonl").read_bytes()
    code = 0 if entry.name in TAKEN else 1
    foretold = plain(shell(*words, "--dry-run", "--json", exit_code=code).output)
    assert foretold.get("text") or "\n" not in foretold["error"]
    assert Path("runs/one/journal.jsonl").read_bytes() == journal
    answer = plain(shell(*words, "--json", "--author", "eve", exit_code=code).output)
    assert answer.get("text") or answer["exit_code"] == 1
    if code == 0:
        assert answer["run"] in {folder.name for folder in Path("runs").iterdir()}
    said = shell(entry.name, "nobody", *words[2:], exit_code=1).output.strip()
    assert "nobody" in said and "\n" not in said


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    for entry in STEERS:
        said = shell(entry.name, "one", *WORDS.get(entry.name, []), exit_code=1).output
        assert "none" in said and len(said.strip().splitlines()) == 1


def test_what_leads_into_the_past_goes_on_as_a_fork() -> None:
    shell("mark", "one", "here")
    shell("call", "one", "sleep")
    assert "on a fork made there" in shell("undo", "one", "--dry-run").output
    answer = plain(shell("undo", "one", "--json").output)
    assert "one-12 goes on from there" in answer["text"]
    assert not any(entry.kind == "call" for entry in open_run("runs/one-12").entries)
    assert "one-12 hang on one" in shell("discard", "one", exit_code=1).output
    shell("discard", "one-12")
    shell("take-back", "one-12")
    assert Path("runs/one-12").exists()


def test_what_is_taken_back_in_words_on_the_command_line_goes_on_as_a_fork_too() -> None:
    shell("set", "one", "lr=0.2")
    assert "one-12 goes on from there" in " ".join(shell("chat", "one", "-c", "undo", "--yes").output.split())
    assert open_run("runs/one-12").dials()["lr"] == 0.05
    shell("chat", "one", "-c", "go back to 5", "--yes")
    assert not Path("runs/one-5").exists(), "going back only shows"


def test_hints_can_be_pasted_and_sentences_are_whole() -> None:
    shell("keep", "one")
    shell("again", "one")
    assert "`ontogeny keep one --off` ends that" in shell("discard", "one", exit_code=1).output
    assert "`run`" not in shell("pause", "one", exit_code=1).output
    happened = shell("events", "one").output
    assert "best: step" in happened and "nothing of it" not in happened, "what was best is best at that very step"


def test_steps_back_count_from_the_last() -> None:
    answer = plain(shell("back", "one", "-3", "--json").output)
    assert answer["step"] == 9 and "only shows that step; `ontogeny fork one 9`" in answer["text"]
    assert "has no step" in shell("back", "one", "-13", exit_code=1).output


def test_odd_arguments_are_refused_in_one_line() -> None:
    for words, code in (
        (["mark", "one", ""], 1),
        (["mark", "one", "x" * 81], 1),
        (["alter", "one", "shrink", "w"], 1),
        (["alter", "one", "prune", "w", "--amount", "7"], 1),
        (["alter", "one", "scale", "w", "--amount", "nan"], 1),
        (["mix", "one", "3", "1.5"], 1),
        (["mix", "one", "y=1.2.3", "0.5"], 1),
        (["back", "one", "before it rained"], 1),
        (["again", "one", "--dials", "lr"], 1),
        (["again", "one", "--dials", "lr=fast"], 1),
        (["again", "one", "--name", "../out"], 1),
        (["learn", "one", "--from-file", "nowhere"], 1),
        (["curve", "one", "--of", "w[9,9]"], 1),
        (["curve", "one", "--steps", "a:b"], 1),
        (["history", "one", "--last", "0"], 1),
        (["back", "one", "9" * 5000], 1),
        (["rule", "one", "clip", "--arguments", "norm=-1"], 1),
        (["rule", "one", "clip", "--arguments", "colour=1"], 1),
    ):
        said = plain(shell(*words, "--json", exit_code=code).output)
        assert said["error"] and "\n" not in said["error"] and "unexpected" not in said["error"], said


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("0.5", 0.5),
        ("[3, 4, 97]", [3, 4, 97]),
        ("3,4,97", [3, 4, 97]),
        ("true", True),
        ("up.*", "up.*"),
        ("12x", "12x"),
    ],
)
def test_a_value_is_given_to_the_shell_as_it_is_written(word: str, value: object) -> None:
    assert given_as(word) == value


def test_arguments_are_given_one_by_one_or_in_one_word_and_regimes_by_their_names(tmp_path: Path) -> None:
    x = np.ones((8, 2), np.float32)
    learner = og.capture(nn.Linear(2, 1), lambda model, batch: model(batch["x"]).mean(), og.sgd(lr=0.1), {"x": x})
    with og.create(tmp_path / "runs" / "two", learner, og.Arrays({"x": x}, batch_size=8)) as run:
        run.advance(1)
    for words in (["--arguments", "every=5,scale=0.8"], ["--arguments", "every=5", "--arguments", "scale=0.8"]):
        made = plain(shell("rule", "two", "sleep", *words, "--json").output)["run"]
        assert (dials := open_run(Path("runs") / made).dials())["sleep_every"] == 5 and dials["sleep_scale"] == 0.8
    for name in ("grokfast", "bursts", "cycles", "warmup"):
        assert plain(shell("rule", "two", name, "--json").output)["run"] == f"two-{name}"
    assert "2 times itself" in shell("rule", "two", "bursts", "--arguments", "height=2").output
    assert "did you mean 'grokfast'?" in shell("rule", "two", "grokfst", exit_code=1).output


def test_turning_a_dial_is_foretold() -> None:
    before = Path("runs/one/journal.jsonl").read_bytes()
    told = json.loads(shell("set", "one", "lr=0.2", "momentum=0.5", "--dry-run", "--json").output)
    assert "lr of one from 0.05 to 0.2" in told["text"] and "momentum of one from 0.9 to 0.5" in told["text"]
    assert "would turn lr" in shell("set", "one", "lr=0.2", "--dry-run").output
    assert Path("runs/one/journal.jsonl").read_bytes() == before
