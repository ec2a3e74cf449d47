"""Every example for `ontogeny run` learns: after a few steps its loss has fallen, and the run replays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from ontogeny.faces.cli import app
from ontogeny.faces.experiments import load_experiment
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.run import create

EXAMPLES = Path(__file__).parents[2] / "examples"
NEEDS = {"huggingface.py": "transformers", "digits.py": "sklearn", "cnn.py": "sklearn"}
CASES = [
    ("digits.py", {}, 60),
    ("cnn.py", {}, 15),
    ("modular.py", {"batch_size": "256"}, 60),
    ("gpt_text.py", {}, 12),
    ("huggingface.py", {"model": "gpt2"}, 15),
    ("huggingface.py", {"model": "llama"}, 15),
]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("file", "options", "steps"), CASES, ids=lambda value: str(value))
def test_learns_and_replays(file: str, options: dict[str, str], steps: int, tmp_path: Path) -> None:
    if file in NEEDS:
        pytest.importorskip(NEEDS[file], reason=f"{file} needs {NEEDS[file]}")
    made = load_experiment(str(EXAMPLES / file), options)
    with create(tmp_path / "run", made.learner, made.data, valid=made.valid, seed=made.seed, keyframe_every=8) as run:
        run.advance(steps)
        losses = run.metrics()["loss"]
        assert np.mean(losses[-3:]) < losses[0]
        assert run.verify().ok


@pytest.mark.slow
def test_every_regime_learns_and_is_compared_by_one_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    regimes = EXAMPLES / "regimes.py"
    names = ("plain", "sam", "grokfast", "perpendicular", "bursts", "cycles", "muon", "sleep", "proportional", "replay")
    names = (*names, "perturb", "stablemax", "ensemble")
    for name in names:
        made = load_experiment(str(regimes), {"regime": name, "batch_size": "256"})
        run = create(tmp_path / "runs" / name, made.learner, made.data, valid=made.valid, seed=made.seed)
        run.advance(30)
        assert np.mean(run.metrics()["loss"][-3:]) < run.metrics()["loss"][0], name
        assert run.verify().ok, name
        run.close()
    found = CliRunner().invoke(app, ["compare", *names, "--json"])
    assert [run["run"] for run in json.loads(found.output)["runs"]] == list(names)
    with pytest.raises(OntogenyError, match="no regime 'slumber'; there are plain, sam"):
        load_experiment(str(regimes), {"regime": "slumber"})
