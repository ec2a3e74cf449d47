"""`ontogeny shrink`: small runs, ONNX files, a report and a picture come of a run; what is missing is said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ontogeny.faces.cli import app
from ontogeny.faces.shrink_picture import draw
from ontogeny.record.run import open_run
from ontogeny.train.small.lost import Quality
from ontogeny.train.small.shrink import Network, Report
from ontogeny.train.small.sizes import parameters
from ontogeny.train.small.ways import WAYS
from tests.faces.folder import stand_in

DIGITS = str(Path(__file__).parents[2] / "examples" / "digits.py")


def shell(*words: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == exit_code, result.output
    return result


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which digits were learned by 32 hidden units."""
    folder = tmp_path_factory.mktemp("shrink")
    with pytest.MonkeyPatch.context() as patch:
        stand_in(folder, patch)
        shell("run", DIGITS, "hidden=32", "--steps", "150", "--json")
    return folder


@pytest.fixture(autouse=True)
def stand(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(here, monkeypatch)


def test_a_run_is_made_smaller_by_one_command(here: Path) -> None:
    words = ("shrink", "digits", "hidden=32", "--file", DIGITS, "--by", "4", "--steps", "200", "-o", "small")
    result = shell(*words, "--json")
    found = json.loads(result.stdout)
    assert "hidden=7 instead of 32" in result.stderr and "200 steps" in result.stderr
    distilled, pruned = found["after"]
    assert distilled["parameters"] == 64 * 7 + 7 + 7 * 10 + 10 == parameters(open_run("runs/digits-distil").program)
    assert pruned["parameters"] == found["before"]["parameters"] // 4
    for one in found["after"]:
        assert one["quality"]["accuracy"] > 0.75
        lost = one["lost"]
        turned = lost["right"] - lost["wrong"]
        accuracies = one["quality"]["accuracy"] - found["before"]["quality"]["accuracy"]
        assert turned == pytest.approx(accuracies * 397) and len(lost["slices"]) == 10
        assert open_run(f"runs/{one['run']}").verify().ok
        whole, *eighths = one["forms"]
        assert whole["loss"] == pytest.approx(one["quality"]["loss"], rel=1e-4)
        for form in eighths:
            assert form["bytes"] < max(whole["bytes"], 8192) and abs(form["accuracy"] - whole["accuracy"]) < 0.02
    assert json.loads(Path("small/report.json").read_text())["front"] == found["front"]
    assert all(Path(file).stat().st_size for file in found["files"])


def test_every_way_looks_like_no_other_in_the_picture() -> None:
    one = Network("before", "digits", "", 5000, 10.0, Quality(0.2, 0.9), ())
    report = Report(one, tuple(replace(one, way=way, run=way, parameters=500) for way in WAYS))
    lines = draw(report).axes[0].get_legend_handles_labels()[0]
    assert len({(line.get_marker(), line.get_color()) for line in lines}) == 1 + len(WAYS)


def test_what_it_would_do_is_told_and_nothing_done(here: Path) -> None:
    before = sorted(path.name for path in (here / "runs").iterdir())
    told = shell("shrink", "digits", "--by", "2", "--by", "5", "--written", "7", "--dry-run").stdout
    assert "7 sequences that the teacher writes" in told
    assert told.count("distil: ") == 2 and "fewer units: 0.weight [32, 64] -> [15, 64]" in told
    assert sorted(path.name for path in (here / "runs").iterdir()) == before
    shell("fork", "digits", "0", "--name", "unlearned")
    told = shell("shrink", "digits", "--teacher", "unlearned", "--dry-run").stdout
    assert "taught by digits at step 150, unlearned at step 0" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--by", "1"), "makes nothing smaller"),
        (("--by", "1000"), "give its file with an argument for its width"),
        (("--file", DIGITS), "give the options that it was started with"),
        (("--file", DIGITS, "--argument", "depth"), "its whole arguments are batch_size, hidden, seed"),
        (("--way", "magic"), "there are distil, units, sparse, magnitude"),
        (("--way", "wanda", "--operations", "1k"), "saves no operations"),
        (("--temperature", "0"), "the temperature is above 0"),
        (("--lr", "-1"), "a learning rate of -1 is none"),
        (("--way", "lottery", "--rewind", "400"), "rewind to a step from 0"),
        (("hidden=32",), "name it with --file"),
        (("-o", DIGITS), "names a folder"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(words: tuple[str, ...], said: str) -> None:
    result = shell("shrink", "digits", *words, "--steps", "0", exit_code=1)
    assert said in " ".join(result.stderr.split()) and "Traceback" not in result.stderr
