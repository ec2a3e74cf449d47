"""Recall on real trajectories: of a hundred thousand charts of the modular example, none that matches is missed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from ontogeny.ask.alike import alike
from ontogeny.ask.series import VALUES, best, shapes
from ontogeny.record.run import create
from ontogeny.record.trace import Window
from ontogeny.record.trace.arrays import ArrayTraces

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))


@pytest.mark.slow
def test_no_chart_of_a_real_run_is_missed(tmp_path: Path) -> None:
    from modular import experiment

    made = experiment()
    with create(tmp_path / "run", made.learner, made.data, seed=1) as run:
        run.advance(64)
        rows = np.concatenate([piece.values for piece in run.traces.pieces(Window(0, 65))], axis=1)
    charts = np.concatenate([rows[1:].astype(np.float64), np.diff(rows.astype(np.float64), axis=0)], axis=1)
    assert charts.shape[1] > 100_000
    traces = ArrayTraces({"charts": charts})
    centred = shapes(charts)[0]
    rng = np.random.default_rng(0)
    for query in rng.choice(np.flatnonzero(centred.any(0)), 24, replace=False).tolist():
        for either_sign in (False, True):
            scores, _ = best(centred, centred[:, query], [0], either_sign)
            with np.errstate(invalid="ignore"):
                wanted = np.flatnonzero((np.abs(scores) if either_sign else scores) >= 0.95)
            found = alike(traces, f"charts[{query}]", 0.95, over=VALUES, either_sign=either_sign)
            assert sorted(found.elements.tolist()) == [number for number in wanted.tolist() if number != query]
            assert found.proof.whole
