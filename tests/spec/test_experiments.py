"""Every example for `ontogeny run` learns: after a few steps its loss has fallen, and the run replays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from ontogeny.faces.experiments import load_experiment
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
