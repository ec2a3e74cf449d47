"""A run for the tests of the debugger: linear regression whose line 4 overflows when an example is too large."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ontogeny.data.arrays import Arrays
from ontogeny.isa.errors import RecordError
from ontogeny.isa.text import from_text
from ontogeny.machine.learner import Learner
from ontogeny.record.machines import Factory
from ontogeny.record.run import Run, create

TEXT = """
program line
param theta: f32[3]
param w: f32[2] = theta[0]
param b: f32[] = theta[2]
dial lr: f64[] = 0.1
state step: i64[]
input x: f32[4,2]
input y: f32[4]

routine forward(%x: f32[4,2]) -> y:
  %w = read {name=w}
  %b = read {name=b}
  %0 = mul %x %w                                ; forward | model.py:3 x * w
  %grown = exp %0                               ; forward | model.py:4 exp(x * w)
  %1 = sum %grown {dims=[1], keep=false}
  %2 = add %1 %b
  return y=%2

routine twice(%i: i64[], %c: f32[4]) -> c:
  %two = const {value=2.0, dtype=f32, shape=[]}
  %d = mul %c %two
  return c=%d

routine learn() -> loss:
  %x = read {name=x}
  %y = read {name=y}
  %guess = call %x {body=forward}               ; forward | model.py:9 guess = forward(x)
  %error = sub %guess %y                        ; forward | model.py:10 error = guess - y
  %n = const {value=3, dtype=i64, shape=[]}
  %eight = loop %n %error {body=twice}
  %square = mul %error %error
  %loss = mean %square {dims=[0], keep=false}   ; forward | model.py:11 loss = (error ** 2).mean()
  %change = const {value=-0.25, dtype=f32, shape=[3]}
  %theta = read {name=theta}
  %lr = read {name=lr}
  %new = axpy %theta %change %lr                ; update
  commit %new {name=theta}                      ; update
  %step = read {name=step}
  %one = const {value=1, dtype=i64, shape=[]}
  %after = add %step %one
  commit %after {name=step}
  return loss=%loss
"""
LENGTH = 17
"""Instructions of `learn`."""


def line_run(
    folder: Path, steps: int = 6, huge: int | None = None, theta: float = 1.0, machine: str | Factory = "reference"
) -> Run:
    """An open run of some steps, in which example number `huge` makes `exp` overflow."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(16, 2)).astype(np.float32)
    if huge is not None:
        x[huge, 1] = 500.0
    values = {"theta": np.full(3, theta, np.float32), "step": np.zeros((), np.int64)}
    data = Arrays({"x": x, "y": x.sum(axis=1)}, batch_size=4, seed=3)
    run = create(folder, Learner(from_text(TEXT), values), data, machine=machine, keyframe_every=4)
    try:
        run.advance(steps)
    except RecordError:
        run.close()
        raise
    return run
