"""An experiment whose bits in exact mode depend on the thread count: a large layer, its sums shared by threads."""

from __future__ import annotations

import numpy as np

from ontogeny.data.arrays import Arrays
from ontogeny.isa.text import from_text
from ontogeny.machine.learner import Learner
from ontogeny.record.experiment import Experiment

PROGRAM = from_text("""
program layer
param w: f32[329,275]
dial lr: f64[] = 0.001
input x: f32[61,329]

routine learn() -> loss:
  %w = read {name=w}
  %x = read {name=x}
  %lr = read {name=lr}
  %y = dot %x %w
  %z = gelu %y {approximate=tanh}
  %xt = permute %x {dims=[1,0]}
  %g = dot %xt %z
  %minus = neg %lr
  %new = axpy %w %g %minus
  commit %new {name=w}
  %squares = mul %new %new
  %loss = mean %squares {dims=[0,1], keep=false}
  return loss=%loss
""")


def experiment() -> Experiment:
    draw = np.random.default_rng(0)
    values = {"w": 0.1 * draw.normal(size=(329, 275)).astype(np.float32)}
    return Experiment(Learner(PROGRAM, values), Arrays({"x": draw.normal(size=(183, 329)).astype(np.float32)}, 61))
