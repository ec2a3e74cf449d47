"""A small learner for tests of runs: linear regression with momentum and noisy gradients, in text form."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from ontogeny.data.arrays import Arrays
from ontogeny.isa.text import from_text
from ontogeny.machine.learner import Learner
from ontogeny.record.run import Run, create

TEXT = """
program regression
param w: f32[3,1]
state m: f32[3,1]
state naps: i64[]
state seed: i64[]
state step: i64[]
dial lr: f64[] = 0.05
dial momentum: f64[] = 0.9
dial noise: f64[] = 0.1
input x: f32[4,3]
input y: f32[4,1]
input valid.x: f32[6,3]
input valid.y: f32[6,1]

routine learn() -> loss, largest, gradient:
  %w = read {name=w}
  %m = read {name=m}
  %x = read {name=x}
  %y = read {name=y}
  %lr = read {name=lr}
  %momentum = read {name=momentum}
  %noise = read {name=noise}
  %seed = read {name=seed}
  %step = read {name=step}
  %p = dot %x %w
  %e = sub %p %y
  %square = mul %e %e
  %loss = mean %square {dims=[0, 1], keep=false}
  %xt = permute %x {dims=[1, 0]}
  %g = dot %xt %e
  %u = uniform %seed %step {shape=[3, 1], site=1}
  %n = scale %u %noise
  %gn = add %g %n
  %mm = scale %m %momentum
  %m2 = add %mm %gn
  %rate = neg %lr
  %w2 = axpy %w %m2 %rate
  %one = const {value=1, dtype=i64, shape=[]}
  %next = add %step %one
  %size = abs %w2
  %largest = reduce_max %size {dims=[0, 1], keep=false}
  commit %w2 {name=w}
  commit %m2 {name=m}
  commit %next {name=step}
  return loss=%loss, largest=%largest, gradient=%g

routine evaluate() -> loss:
  %w = read {name=w}
  %x = read {name=valid.x}
  %y = read {name=valid.y}
  %p = dot %x %w
  %e = sub %p %y
  %square = mul %e %e
  %loss = mean %square {dims=[0, 1], keep=false}
  return loss=%loss

routine sleep():
  %m = read {name=m}
  %naps = read {name=naps}
  %half = const {value=0.5, dtype=f32, shape=[]}
  %m2 = mul %m %half
  %one = const {value=1, dtype=i64, shape=[]}
  %more = add %naps %one
  commit %m2 {name=m}
  commit %more {name=naps}
  return
"""

SPEEDY = (
    TEXT.replace("state m: f32[3,1]\n", "state speed: f32[3,1]\n")
    .replace("dial momentum: f64[] = 0.9\n", "dial friction: f64[] = 0.8\n")
    .replace("{name=m}", "{name=speed}")
    .replace("{name=momentum}", "{name=friction}")
    .replace("gradient:", "slope:")
    .replace("gradient=%g", "slope=%g")
    .replace("-> loss, largest,", "-> loss, biggest,")
    .replace("largest=%largest", "biggest=%largest")
)
"""The same rule with its momentum in another register, under another dial, with other names for two metrics."""
PLAIN = (
    TEXT.replace("  %mm = scale %m %momentum\n", "")
    .replace("  %m2 = add %mm %gn\n", "")
    .replace("  %w2 = axpy %w %m2 %rate\n", "  %w2 = axpy %w %gn %rate\n")
    .replace("  commit %m2 {name=m}\n  commit %next", "  commit %next")
    .replace("  %m = read {name=m}\n  %x = read", "  %x = read")
    .replace("  %momentum = read {name=momentum}\n", "")
)
"""The same registers and dials, and gradient descent without momentum."""


def learner() -> Learner:
    """The learner at its initial values."""
    zero = np.zeros((), np.int64)
    values = {"w": np.ones((3, 1), np.float32), "m": np.zeros((3, 1), np.float32)}
    return Learner(from_text(TEXT), {**values, "naps": zero, "seed": zero, "step": zero})


def data(seed: int = 0) -> Arrays:
    """Fourteen examples in batches of four."""
    random = np.random.default_rng(7)
    x = random.standard_normal((14, 3)).astype(np.float32)
    return Arrays({"x": x, "y": x @ np.array([[1], [-2], [0.5]], np.float32)}, 4, seed)


def valid() -> dict[str, np.ndarray]:
    """Six examples to evaluate on."""
    x = np.random.default_rng(8).standard_normal((6, 3)).astype(np.float32)
    return {"x": x, "y": x @ np.array([[1], [-2], [0.5]], np.float32)}


def begin(folder: Path, **settings: object) -> Run:
    """A new run of it on the reference machine, a keyframe every 8 steps and an evaluation every 5."""
    given = {"machine": "reference", "keyframe_every": 8, "evaluate_every": 5, "valid": valid(), "seed": 3}
    return create(folder, learner(), data(), **{**given, **settings})


def main(folder: str, steps: int) -> None:
    """As a process to be killed: creates the run, or opens it, and goes on to `steps`, turning the rate at 20."""
    from ontogeny.record.run import open_run

    path = Path(folder)
    run = open_run(path) if (path / "journal.jsonl").exists() else begin(path)

    def steer(step: int, _: object) -> None:
        if step == 20:
            run.set_dial("lr", 0.02)

    print("ready", flush=True)
    while run.step < steps:
        run.advance(1 if run.step < 20 else steps - run.step, on_step=steer)
    print(run.hash(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
