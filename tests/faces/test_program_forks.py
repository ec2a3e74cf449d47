"""Another program from the shell: forking with it, and being told where a run's program changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ontogeny.faces.cli import app
from ontogeny.isa.text import from_text
from tests.regression import PLAIN, SPEEDY, begin


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ONTOGENY_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("COLUMNS", "200")
    Path("speedy.onto").write_text(SPEEDY)
    with begin(tmp_path / "runs" / "parent") as run:
        run.advance(20)
    shell("fork", "parent", "12", "friction=0.5", "--program", "speedy.onto", "--name", "child", "--steps", "6")


def shell(*words: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == exit_code, result.output
    return result


def asked(*words: str) -> Any:
    return json.loads(shell(*words, "--json").stdout)


def test_the_fork_goes_by_the_program_and_says_so() -> None:
    said = shell("fork", "parent", "12", "--program", "speedy.onto", "--name", "other").stdout
    assert "other branches from parent at step 12 and goes on by another program" in said
    assert asked("show", "other")["dials"] == {"lr": 0.05, "friction": 0.8, "noise": 0.1}
    assert asked("verify", "child")["ok"]


def test_where_the_program_changed_is_said() -> None:
    assert asked("show", "child")["program_changed_at"] == 12
    assert asked("show", "parent")["program_changed_at"] is None
    shown = shell("show", "child").stdout
    assert "program regression since step 12" in shown and "by another program" in shown
    listed = {row["run"]: row for row in asked("runs")["runs"]}
    assert listed["child"]["program_changed_at"] == 12 and "program_changed_at" not in listed["parent"]
    assert "from parent at 12, program since 12" in shell("runs").stdout
    assert asked("compare", "parent", "child")["parts_at"] == [12]
    assert "program since" in shell("compare", "parent", "child").stdout
    assert "program since" not in shell("compare", "parent", "parent").stdout
    disassembled = shell("disasm", "child")
    assert from_text(disassembled.stdout) == from_text(SPEEDY)
    assert "this is the program since step 12; before that, parent has it" in disassembled.stderr


def test_a_page_and_a_picture_show_both_sides_without_gaps() -> None:
    shell("page", "child", "parent", "-o", "both.html")
    page = Path("both.html").read_text(encoding="utf-8")
    assert "program since step" in page and "by another program" in page
    assert "biggest" in page and "largest" in page and "nan" not in page.split('<h2 id="program"')[0].lower()
    shell("picture", "child", "-o", "child.png")
    assert Path("child.png").stat().st_size > 1000


def test_looking_back_and_exporting_go_by_the_program_of_the_step() -> None:
    text = PLAIN.replace("state m: f32[3,1]", "state m: f32[3,1]\nparam more: f32[2]")
    Path("more.onto").write_text(text)
    shell("fork", "parent", "12", "--program", "more.onto", "--name", "wider", "--steps", "2")
    assert [row["name"] for row in asked("rewind", "wider", "5")["parameters"]] == ["w"]
    assert [row["name"] for row in asked("rewind", "wider", "12")["parameters"]] == ["w", "more"]
    assert asked("export", "wider", "--step", "5")["tensors"] == 1
    assert asked("export", "wider", "--step", "14")["tensors"] == 2


def test_what_is_wrong_with_a_program_is_one_line() -> None:
    assert (
        "there is no file missing.onto" in shell("fork", "parent", "3", "--program", "missing.onto", exit_code=1).stderr
    )
    Path("bad.onto").write_text(SPEEDY.replace("dot %x %w", "dot %x %nothing"))
    result = shell("fork", "parent", "3", "--program", "bad.onto", exit_code=1)
    assert "bad.onto" in result.stderr and "nothing" in result.stderr and "Traceback" not in result.output
    assert not Path("runs/parent-3").exists()
    asking = shell("explain", "child", "w[0,0]", "--steps", "5:15", exit_code=1)
    assert "ask parent" in " ".join(asking.stderr.split())
