"""The compiled machine is the reference machine, faster: the whole conformance suite, its modes, its atomicity."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from ontogeny.isa.errors import MachineError
from ontogeny.isa.op import Op
from ontogeny.isa.text import from_text
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.machine.conformance import CASES, check
from ontogeny.machine.reference import ReferenceMachine

MOMENTUM = from_text("""
program noisy
param w: f32[64,3]
state m: f32[64,3]
state step: i64[]
state seed: i64[]
dial lr: f64[] = 0.1
input x: f32[8,64]

routine learn() -> loss:
  %w = read {name=w}
  %m = read {name=m}
  %x = read {name=x}
  %seed = read {name=seed}
  %step = read {name=step}
  %lr = read {name=lr}
  %noise = uniform %seed %step {shape=[64,3], site=4}
  %y = dot %x %w
  %xt = permute %x {dims=[1,0]}
  %g = dot %xt %y
  %noisy = add %g %noise
  %half = const {value=0.5, dtype=f64, shape=[]}
  %next = lerp %m %noisy %half
  %minus = neg %lr
  %new = axpy %w %next %minus
  commit %new {name=w}
  commit %next {name=m}
  %one = const {value=1, dtype=i64, shape=[]}
  %after = add %step %one
  commit %after {name=step}
  %yy = mul %y %y
  %loss = mean %yy {dims=[0,1], keep=false}
  return loss=%loss
""")


Either = CompiledMachine | ReferenceMachine


def loaded(machine: type[Either], **options: str) -> Either:
    rng = np.random.default_rng(0)
    made = machine(MOMENTUM, **options)
    made.load(
        {
            "w": (0.1 * rng.standard_normal((64, 3))).astype(np.float32),
            "m": np.zeros((64, 3), np.float32),
            "step": np.array(0),
            "seed": np.array(7),
        }
    )
    return made


def batch(step: int) -> dict[str, np.ndarray]:
    return {"x": 0.1 * np.random.default_rng(step).standard_normal((8, 64)).astype(np.float32)}


@pytest.mark.parametrize("op", CASES, ids=lambda op: op.text)
def test_conforms(op: Op) -> None:
    for case in CASES[op](op):
        check(CompiledMachine, case)


@pytest.mark.parametrize("mode", ["exact", "portable", "step"])
def test_modes_agree_with_the_reference(mode: str) -> None:
    ours, reference = loaded(CompiledMachine, mode=mode), loaded(ReferenceMachine)
    for step in range(5):
        found = ours.call("learn", batch(step), {"lr": 0.01 * step})
        expected = reference.call("learn", batch(step), {"lr": 0.01 * step})
        np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-5)
    for name, value in reference.state().items():
        np.testing.assert_allclose(ours.state()[name], value, rtol=1e-4, atol=1e-6)


def test_step_mode_gives_the_bits_of_exact_and_can_be_watched() -> None:
    seen: list[Op] = []
    stepping, exact = loaded(CompiledMachine, mode="step"), loaded(CompiledMachine)
    assert isinstance(stepping, CompiledMachine)
    stepping.watch = lambda step, values: seen.append(step.instr.op)
    for step in range(3):
        stepping.call("learn", batch(step), {})
        exact.call("learn", batch(step), {})
    assert Op.DOT in seen and Op.UNIFORM in seen
    for name, value in exact.state().items():
        assert np.array_equal(stepping.state()[name], value)


def test_repeats_bit_for_bit_and_is_untouched_by_the_global_generator() -> None:
    first, second = loaded(CompiledMachine), loaded(CompiledMachine)
    for step in range(4):
        first.call("learn", batch(step), {})
        torch.rand(3)
        second.call("learn", batch(step), {})
    assert all(np.array_equal(value, second.state()[name]) for name, value in first.state().items())


def test_a_call_that_fails_changes_nothing() -> None:
    program = from_text("""
program halts
state a: i64[]
input x: bool[]

routine learn() -> done:
  %a = read {name=a}
  %x = read {name=x}
  %one = const {value=1, dtype=i64, shape=[]}
  %b = add %a %one
  commit %b {name=a}
  assert %x {message="x must hold"}
  return done=%b
""")
    machine = CompiledMachine(program)
    machine.load({"a": np.array(3)})
    with pytest.raises(MachineError, match="x must hold"):
        machine.call("learn", {"x": np.array(False)}, {})
    assert machine.state()["a"] == 3
    machine.call("learn", {"x": np.array(True)}, {})
    assert machine.state()["a"] == 4


def test_says_what_it_lacks() -> None:
    with pytest.raises(MachineError, match="exact, portable, step, fast"):
        CompiledMachine(MOMENTUM, mode="quick")
    with pytest.raises(MachineError, match="load the machine's state"):
        CompiledMachine(MOMENTUM).call("learn", batch(0), {})


@pytest.mark.slow
def test_fast_stays_near_exact_and_repeats() -> None:
    fast, again = loaded(CompiledMachine, mode="fast"), loaded(CompiledMachine, mode="fast")
    exact = loaded(CompiledMachine)
    for step in range(5):
        for machine in (fast, again, exact):
            machine.call("learn", batch(step), {"lr": 0.01 * step})
    for name, value in exact.state().items():
        np.testing.assert_allclose(fast.state()[name], value, rtol=1e-4, atol=1e-6)
        assert np.array_equal(fast.state()[name], again.state()[name])


ROUNDED = from_text("""
program rounded
param w: f32[64]
input x: f32[64]

routine learn() -> loss:
  %w = read {name=w}
  %x = read {name=x}
  %wx = mul %w %x
  %half = cast %wx {dtype=bf16}
  %back = cast %half {dtype=f32}
  commit %back {name=w}
  %loss = mean %back {dims=[0], keep=false}
  return loss=%loss
""")


@pytest.mark.slow
def test_fast_rounds_where_the_program_does() -> None:
    values = {name: np.random.default_rng(seed).normal(size=64).astype(np.float32) for seed, name in enumerate("wx")}
    machines = [CompiledMachine(ROUNDED, mode=mode) for mode in ("exact", "fast")]
    for machine in machines:
        machine.load({"w": values["w"]})
        machine.call("learn", {"x": values["x"]}, {})
    exact, fast = (machine.state()["w"] for machine in machines)
    assert np.array_equal(exact, fast) and not np.array_equal(exact, values["w"] * values["x"])


FAULTS = """
import resource, torch
from ontogeny.machine.compiled.heap import keep_heap
kept = keep_heap()
def use():
    parts = [torch.ones(1 << 20) for _ in range(8)]
for _ in range(3):
    use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    use()
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="these are settings of glibc")
def test_freed_memory_stays_between_steps_unless_told_otherwise() -> None:
    said = [
        subprocess.check_output([sys.executable, "-c", FAULTS], env={**os.environ, "ONTOGENY_KEEP_HEAP": keep})
        for keep in ("1", "0")
    ]
    (kept, faults), (left, _) = (words.split() for words in said)
    assert (kept, left) == (b"True", b"False")
    assert int(faults) < 1000  # five times 32 MiB asked for anew would be 40,000
