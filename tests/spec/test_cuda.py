"""The compiled machine on a GPU, which these tests need: near exact mode on the CPU; fast mode captures one graph."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ontogeny.isa.text import from_text
from ontogeny.machine.compiled import CompiledMachine, inductor
from ontogeny.machine.learner import Array

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this torch finds no GPU")

LINEAR = from_text("""
program linear
param w: f32[64,3]
state step: i64[]
dial lr: f64[] = 0.1
input x: f32[8,64]

routine learn() -> loss:
  %w = read {name=w}
  %x = read {name=x}
  %step = read {name=step}
  %lr = read {name=lr}
  %y = dot %x %w
  %xt = permute %x {dims=[1,0]}
  %g = dot %xt %y
  %minus = neg %lr
  %new = axpy %w %g %minus
  commit %new {name=w}
  %one = const {value=1, dtype=i64, shape=[]}
  %after = add %step %one
  commit %after {name=step}
  %yy = mul %y %y
  %loss = mean %yy {dims=[0,1], keep=false}
  return loss=%loss
""")


def trained(**options: str) -> list[dict[str, Array]]:
    """The state after each of five steps, each at another learning rate."""
    rng = np.random.default_rng(0)
    machine, states = CompiledMachine(LINEAR, **options), []
    machine.load({"w": rng.standard_normal((64, 3)).astype(np.float32), "step": np.array(0)})
    for step in range(5):
        machine.call("learn", {"x": rng.standard_normal((8, 64)).astype(np.float32)}, {"lr": 0.001 * step})
        states.append(machine.state())
    return states


@pytest.mark.parametrize("mode", ["exact", "fast"])
def test_every_state_is_near_the_cpus(mode: str) -> None:
    for found, expected in zip(trained(device="cuda", mode=mode), trained(), strict=True):
        assert found["step"] == expected["step"]
        np.testing.assert_allclose(found["w"], expected["w"], rtol=1e-4, atol=1e-5)


def test_a_turned_dial_captures_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    captures, captured = [], inductor.captured
    monkeypatch.setattr(inductor, "captured", lambda *args: captures.append(args) or captured(*args))
    trained(device="cuda", mode="fast")
    assert len(captures) == 1
