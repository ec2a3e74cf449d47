"""`ontogeny explain` as a person meets it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

import ontogeny as og
from ontogeny.faces.cli import app

LINES = ["decay", "carried", "gradient", "rounding"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one run of ten steps, and the record of a loop that is not ours."""
    folder = tmp_path_factory.mktemp("runs")
    torch.manual_seed(0)
    x = np.random.default_rng(0).normal(size=(64, 6)).astype(np.float32)
    data = og.Arrays({"x": x, "y": x[:, :1] * x[:, 1:2]}, batch_size=16)
    model = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1))
    learner = og.capture(model, loss, og.sgd(0.1, momentum=0.9, weight_decay=0.01), data.batch(0))
    with og.create(folder / "first", learner, data) as run:
        run.advance(10)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, weight_decay=0.01)
    attached = og.attach(model, optimizer, folder / "plain")
    for _ in range(3):
        optimizer.zero_grad()
        loss(model, {"x": torch.from_numpy(x), "y": torch.from_numpy(x[:, :1])}).backward()
        optimizer.step()
        attached.step()
    attached.close()
    return folder


def loss(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    return ((model(batch["x"]) - batch["y"]) ** 2).mean()


@pytest.fixture(autouse=True)
def from_the_folder(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONTOGENY_RUNS", str(runs))
    monkeypatch.setenv("COLUMNS", "200")


def run(*words: str, exit_code: int = 0, **settings: Any) -> Result:
    result = CliRunner().invoke(app, list(words), **settings)
    assert result.exit_code == exit_code, result.output
    return result


def shell(*words: str, exit_code: int = 0) -> Result:
    return run("explain", *words, exit_code=exit_code)


def asked(*words: str) -> Any:
    return json.loads(shell(*words, "--json").stdout)


def test_an_element_is_told_line_by_line_in_json() -> None:
    found = asked("first", "0.weight[2,3]", "--steps", "4:8")
    assert [line["kind"] for line in found["lines"]] == LINES
    assert [step["step"] for step in found["steps"]] == [4, 5, 6, 7]
    for step in found["steps"]:
        assert math.fsum(step["parts"]) == step["change"]
    assert math.fsum(line["sum"] for line in found["lines"]) == found["change"]
    (member,) = found["members"]
    assert member["after"] - member["before"] == found["change"]
    (origin,) = found["common"]["gradients"]
    assert "test_explain.py" in origin["where"]


def test_an_element_is_told_in_tables() -> None:
    said = shell("first", "0.weight[2,3]").output
    assert "0.weight[2,3] from state 0 to 10" in said
    for words in ("decay", "carried momentum (momentum_buffer)", "fresh gradient", "rounding", "change"):
        assert words in said
    assert "the 8 largest of 10 steps" in said
    assert "the gradient of test_explain.py" in said
    assert "largest" not in shell("first", "0.weight[2,3]", "--steps", "5:6").output


def test_a_group_comes_from_words_or_a_file(tmp_path: Path) -> None:
    row = asked("first", "0.weight[2,:]")
    assert (row["count"], row["common"]["axes"][0]["meaning"]) == (6, "unit")
    names = [f"0.weight[2,{i}]" for i in range(6)]
    (tmp_path / "names.txt").write_text("# the third unit\n" + "\n".join(names))
    (tmp_path / "names.json").write_text(json.dumps(names))
    for file in ("names.txt", "names.json"):
        assert asked("first", "--group", str(tmp_path / file))["lines"] == row["lines"]
    said = shell("first", "0.weight[2,:]", "--top", "3").output
    assert "the 3 of 6 elements that changed most" in said
    assert "in common: 0.weight, unit 2" in said


def test_a_group_is_that_of_groups_by_its_number_or_through_a_pipe() -> None:
    groups = json.loads(run("groups", "first", "--steps", "2:9", "--json").stdout)["groups"]
    assert [group["group"] for group in groups] == list(range(1, len(groups) + 1))
    for group in groups[:2]:
        number = str(group["group"])
        names = run("groups", "first", "--steps", "2:9", "--members", number).stdout
        assert len(names.splitlines()) == group["size"] and group["leader"] in names.splitlines()
        told = asked("first", "--group", number, "--steps", "2:9")
        assert told["asked"] == names.splitlines() and told["count"] == group["size"]
        piped = run("explain", "first", "--group", "-", "--steps", "2:9", "--json", input=names).stdout
        assert json.loads(piped) == told
    assert f"only {len(groups)}" in shell("first", "--group", "99", "--steps", "2:9", exit_code=1).stderr


def test_names_are_not_broken_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = shell("first", "0.weight[2,:]").output.splitlines()
    assert sum(line.startswith("0.weight[2,") and "]  " in line for line in lines) == 6
    assert max(len(line) for line in run("groups", "first", "--top", "3").output.splitlines()[:-3]) <= 80


def test_examples_are_named_by_their_number_in_the_data() -> None:
    found = asked("first", "0.weight[2,3]", "--steps", "5:7", "--examples", "--top", "4")["by_example"]
    fresh = next(
        line for line in asked("first", "0.weight[2,3]", "--steps", "5:7")["lines"] if line["kind"] == "gradient"
    )
    assert found["gradient"] == pytest.approx(fresh["sum"])
    assert found["examples"] == 32
    assert len(found["for"]) == len(found["against"]) == 4
    assert all(0 <= one["example"] < 64 for one in found["for"])
    assert abs(found["remainder"]) < 1e-6
    said = shell("first", "0.weight[2,3]", "--steps", "5:7", "--examples").output
    assert "32 training examples together" in said
    assert "left over" in said


def test_a_recorded_loop_tells_decay_and_why_not_more() -> None:
    found = asked("plain", "0.weight[2,3]")
    assert [line["kind"] for line in found["lines"]] == ["decay", "rest"]
    assert math.fsum(line["sum"] for line in found["lines"]) == found["change"]
    said = shell("plain", "0.weight[2,:]").output
    assert "all else, not divided" in said and "keeps no gradients" in said


def test_what_is_wrong_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "names.json").write_text("[1, 2]")
    (tmp_path / "latin.txt").write_bytes("0.weight[0,0] é".encode("latin-1"))
    for words, message in (
        (("first", "0.wieght[2,3]"), "did you mean '0.weight'?"),
        (("first", "0.weight[2,9]"), "lies outside of 0.weight"),
        (("first", "0.weight[2,3]", "--steps", "5:99"), "states 0 to 10"),
        (("first",), "name one as"),
        (("first", "--group", str(tmp_path / "names.json")), "list of strings"),
        (("first", "--group", str(tmp_path / "latin.txt")), "not text in UTF-8"),
        (("first", "--group", str(tmp_path / "none.txt")), "there is no file"),
        (("plain", "--group", "99"), "no group 99"),
        (("plain", "0.weight[2,3]", "--examples"), "no program to replay"),
    ):
        said = shell(*words, exit_code=1).output
        assert message in said.replace("\n", " ")
        assert "Traceback" not in said
