"""Non-finite values are followed back to the step, the instruction, the user's line and the example that made them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ontogeny.data.arrays import Arrays
from ontogeny.isa.errors import RecordError
from ontogeny.isa.text import from_text
from ontogeny.machine.learner import Learner
from ontogeny.record.blame import NonfiniteError, blame
from ontogeny.record.run import create, open_run
from tests.spec.debugged import line_run

MASKED = """
program masked
param w: f32[4]
state step: i64[]
input x: f32[4]

routine learn() -> loss:
  %w = read {name=w}
  %x = read {name=x}
  %far = const {value=-inf, dtype=f32, shape=[]}
  %zero = const {value=0.0, dtype=f32, shape=[]}
  %on = lt %zero %x
  %score = where %on %x %far
  %share = softmax %score {dim=0}
  %root = sqrt %w                               ; forward | model.py:5 w.sqrt()
  %0 = mul %share %root
  %loss = sum %0 {dims=[0], keep=false}
  %one = const {value=1.0, dtype=f32, shape=[]}
  %new = sub %w %one                            ; update
  commit %new {name=w}
  return loss=%loss
"""


def test_a_run_stops_where_values_turn_nonfinite(tmp_path: Path) -> None:
    with pytest.raises(NonfiniteError) as caught:
        line_run(tmp_path / "line", steps=8, huge=11)
    finding = caught.value.finding
    assert finding is not None and (finding.routine, finding.number, finding.example) == ("forward", 4, 11)
    assert finding.text == "%grown = exp %0" and finding.where == "model.py:4 exp(x * w)"
    run = open_run(tmp_path / "line")
    assert run.step == finding.step + 1 and 11 in run.data.indices(finding.step)  # type: ignore[attr-defined]
    for part in (f"step {finding.step}", "forward, instruction 4", "model.py:4", "example 11"):
        assert part in str(caught.value)


def test_a_run_that_stopped_can_go_on_deliberately(tmp_path: Path) -> None:
    with pytest.raises(NonfiniteError):
        line_run(tmp_path / "line", steps=8, huge=11)
    with open_run(tmp_path / "line") as run:
        before = run.step
        run.advance(1)
        assert run.step == before + 1


def test_a_mask_of_infinity_is_no_fault_and_an_earlier_step_is_found(tmp_path: Path) -> None:
    values = {"w": np.ones(4, np.float32), "step": np.zeros((), np.int64)}
    data = Arrays({"x": np.array([1, -1, 2, -2], np.float32)}, batch_size=4)
    with create(tmp_path / "masked", Learner(from_text(MASKED), values), data, machine="reference") as run:
        run.advance(2)
        with pytest.raises(RecordError, match="no non-finite"):
            blame(run, 1)
        with pytest.raises(NonfiniteError) as caught:
            run.advance(1)
    finding = caught.value.finding
    assert finding is not None and (finding.step, finding.number) == (2, 8)
    assert finding.where == "model.py:5 w.sqrt()"
