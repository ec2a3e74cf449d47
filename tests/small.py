"""A small learner for tests of steering: a line with momentum and dropout, parameters in an arena, any batch size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ontogeny.data.arrays import Arrays
from ontogeny.data.base import Array
from ontogeny.isa.text import from_text
from ontogeny.machine.learner import Learner
from ontogeny.record.run import Run, create

TEXT = """
program small
size batch = 4
param params: f32[32]
param line.weight: f32[3,1] = params[0]
param line.bias: f32[1] = params[16]
state m: f32[32]
state seed: i64[]
state step: i64[]
dial lr: f64[] = 0.05
dial momentum: f64[] = 0.9
input x: f32[batch,3]
input y: f32[batch,1]
input valid.x: f32[6,3]
input valid.y: f32[6,1]

routine learn() -> loss:
  %w = read {name=line.weight}
  %b = read {name=line.bias}
  %x = read {name=x}
  %y = read {name=y}
  %seed = read {name=seed}
  %step = read {name=step}
  %u = uniform %seed %step {shape=[batch, 3], site=1}
  %part = const {value=0.2, dtype=f32, shape=[]}
  %kept = lt %part %u
  %mask = cast %kept {dtype=f32}
  %dropped = mul %x %mask
  %p = linear %b %dropped %w
  %e = sub %p %y
  %square = mul %e %e
  %loss = mean %square {dims=[0, 1], keep=false}
  %xt = permute %dropped {dims=[1, 0]}
  %gw = dot %xt %e
  %gb = sum %e {dims=[0], keep=false}
  %flat = reshape %gw {shape=[3]}
  %zero = const {value=0.0, dtype=f32, shape=[]}
  %gap = broadcast %zero {shape=[13]}
  %rest = broadcast %zero {shape=[15]}
  %g = cat %flat %gap %gb %rest {dim=0}
  %m = read {name=m}
  %params = read {name=params}
  %lr = read {name=lr}
  %momentum = read {name=momentum}
  %mm = scale %m %momentum
  %m2 = add %mm %g
  %rate = neg %lr
  %next = axpy %params %m2 %rate
  %one = const {value=1, dtype=i64, shape=[]}
  %later = add %step %one
  commit %next {name=params}
  commit %m2 {name=m}
  commit %later {name=step}
  return loss=%loss

routine evaluate() -> loss:
  %w = read {name=line.weight}
  %b = read {name=line.bias}
  %x = read {name=valid.x}
  %y = read {name=valid.y}
  %p = linear %b %x %w
  %e = sub %p %y
  %square = mul %e %e
  %loss = mean %square {dims=[0, 1], keep=false}
  return loss=%loss

routine sleep():
  %m = read {name=m}
  %half = const {value=0.5, dtype=f32, shape=[]}
  %m2 = mul %m %half
  commit %m2 {name=m}
  return
"""
WEIGHT, BIAS = slice(0, 3), slice(16, 17)


def learner() -> Learner:
    """The learner at its initial values."""
    params, zero = np.zeros(32, np.float32), np.zeros((), np.int64)
    params[WEIGHT], params[BIAS] = [0.5, -0.25, 1.5], 0.125
    return Learner(from_text(TEXT), {"params": params, "m": np.zeros(32, np.float32), "seed": zero, "step": zero})


def examples(count: int, seed: int = 7) -> dict[str, Array]:
    """So many examples."""
    x = np.random.default_rng(seed).standard_normal((count, 3)).astype(np.float32)
    return {"x": x, "y": x @ np.array([[1], [-2], [0.5]], np.float32)}


def data() -> Arrays:
    """Fourteen examples in batches of four, the last of an epoch dropped."""
    return Arrays(examples(14), 4, seed=1)


def begin(folder: Path, **settings: Any) -> Run:
    """A new run of it on the reference machine, a keyframe every 4 steps."""
    given = {"machine": "reference", "keyframe_every": 4, "evaluate_every": 5, "valid": examples(6, 8), "seed": 3}
    return create(folder, learner(), settings.pop("data", data()), **{**given, **settings})


def weight(run: Run, step: int | None = None) -> Array:
    """The weight at a step, and the bias after it."""
    return np.concatenate([run.state(step)["params"][place] for place in (WEIGHT, BIAS)])
