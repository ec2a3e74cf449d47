"""A small experiment for the tests of the faces: the hand-written perceptron on points in the plane."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ontogeny.data.arrays import Arrays
from ontogeny.isa.text import from_text
from ontogeny.machine.learner import Learner
from ontogeny.record.experiment import Experiment

PROGRAM = Path(__file__).parents[2] / "examples" / "perceptron.onto"


def experiment(examples: int = 64, slope: float = 1.0, noisy: bool = False) -> Experiment:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(examples, 2)).astype(np.float32)
    y = (x[:, 0] * slope + x[:, 1] + noisy * draw.normal(size=examples) > 0.1).astype(np.float32)
    values = {"theta": np.zeros(3, np.float32), "seed": np.zeros((), np.int64), "step": np.zeros((), np.int64)}
    learner = Learner(from_text(PROGRAM.read_text(encoding="utf-8")), values)
    return Experiment(learner, Arrays({"x": x, "y": y}, batch_size=8), {"valid.x": x[:8], "valid.y": y[:8]})
