"""The walkthrough's commands run in order, as they stand (slow), and at a twentieth of their steps."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ontogeny.faces.cli import app

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
RUN = "examples/modular.py"


def commands() -> str:
    return "".join(BLOCK.findall((ROOT / "docs/walkthrough.md").read_text(encoding="utf-8")))


def shortened(script: str) -> str:
    """The same with smaller batches, and steps divided by twenty."""
    return re.sub(r"\b\d{3}\b", lambda number: str(int(number[0]) // 20), script).replace(RUN, f"{RUN} batch_size=64")


def follow(script: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """All that the commands print, one after another in one process."""
    (folder / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("ONTOGENY_RUNS", "runs")
    said = []
    for line in script.splitlines():
        words, _, target = line.partition(" > ")
        done = CliRunner().invoke(app, shlex.split(words)[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}"
        if target:
            Path(target).write_text(done.stdout, encoding="utf-8")
        said.append(done.stdout)
    assert {"group.txt", "both.png", "both.html"} <= {path.name for path in folder.iterdir()}
    return "".join(said)


def test_every_command_runs_at_a_twentieth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = shortened(commands())
    assert script.count("\nontogeny ") > 8
    said = follow(script, tmp_path, monkeypatch)
    assert "modular and no-decay are the same up to step 10, and part at 11" in said


@pytest.mark.slow
def test_what_it_tells_is_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = follow(commands(), tmp_path, monkeypatch)
    assert "modular and no-decay are the same up to step 200, and part at 201" in said
    reached = re.search(r"^valid\.accuracy +(\S+) +(\S+)$", said, re.MULTILINE)
    assert reached and float(reached[1]) > 0.95 and float(reached[2]) < 0.6
    decays = [float(sum_) for sum_ in re.findall(r"^decay +(\S+)", said, re.MULTILINE)]
    pushes = [float(sum_) for sum_ in re.findall(r"^carried momentum \(exp_avg\) +(\S+)", said, re.MULTILINE)]
    assert decays[0] * pushes[0] < 0 and abs(pushes[-1]) < abs(pushes[0]) / 3
