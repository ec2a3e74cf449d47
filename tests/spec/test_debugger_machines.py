"""Debugging on a run's own machine: the bits are the record's, and what the record tells is not executed again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ontogeny.data.arrays import Arrays
from ontogeny.front.capture import capture
from ontogeny.front.rules import adamw
from ontogeny.isa.op import Op
from ontogeny.isa.program import Program
from ontogeny.isa.text import from_text
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.machine.compiled.stepping import SteppingMachine
from ontogeny.machine.conformance import CASES, check
from ontogeny.machine.debugger import START, Debugger, Why
from ontogeny.machine.learner import Array
from ontogeny.machine.reference import ReferenceMachine
from ontogeny.record.debug import RunDebugger
from ontogeny.record.machines import stepping
from ontogeny.record.run import Run, create
from ontogeny.record.steps import Steps
from tests.spec.debugged import line_run
from tests.spec.training import CNN, cross_entropy

TAKEN = 12


class ByInstruction(SteppingMachine):
    """Calls everything instruction by instruction."""

    def call(self, routine: str, inputs: Mapping[str, Array], dials: Mapping[str, float]) -> dict[str, Array]:
        execution = self.begin(routine, inputs, dials)
        while not execution.finished:
            execution.over()
        return execution.results or {}


class Higher(ReferenceMachine):
    """A machine whose loss at steps 3 and 5 is higher than the reference machine's."""

    def call(self, routine: str, inputs: Mapping[str, Array], dials: Mapping[str, float]) -> dict[str, Array]:
        more = 1000 * (int(self.state()["step"]) in (3, 5))
        results = super().call(routine, inputs, dials)
        return {**results, "loss": results["loss"] + np.float32(more)}


@pytest.mark.parametrize("op", CASES, ids=lambda op: op.text)
def test_instruction_by_instruction_the_compiled_machine_conforms(op: Op) -> None:
    for case in CASES[op](op):
        check(ByInstruction, case)


@pytest.fixture(scope="module", params=["exact", "portable"])
def run(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Run]:
    torch.manual_seed(0)
    x, y = torch.randn(32, 1, 8, 8), torch.randint(0, 10, (32,))
    learner = capture(CNN(), cross_entropy, adamw(), {"x": x[:8], "y": y[:8]})
    data = Arrays({"x": x.numpy(), "y": y.numpy()}, batch_size=8, seed=1)
    folder = tmp_path_factory.mktemp("cnn") / "run"
    with create(folder, learner, data, options={"mode": request.param, "threads": 1}, keyframe_every=8) as made:
        made.advance(TAKEN)
        yield made


def test_values_in_a_step_are_those_of_the_run(run: Run) -> None:
    debugger = RunDebugger(run, 3)
    program, seen = run.program, dict[str, Any]()
    machine = CompiledMachine(program, mode="step", threads=1)
    machine.watch = lambda _, values: seen.update(values)
    machine.load(run.state(3))
    machine.call("learn", run.data.batch(3), run.dials(3))
    assert "are the run's own" in debugger.steps.says
    debugger.debugger.to_end()
    values = debugger.debugger.outermost.values
    for instr in program.routine("learn").body:
        for out in instr.out:
            if isinstance(seen.get(out), torch.Tensor) and options(run) != "portable":
                np.testing.assert_array_equal(values[out], seen[out].numpy(), out)
    assert float(debugger.debugger.value("loss")) == run.metrics(4, 4)["loss"][0]
    for name, value in run.state(4).items():
        np.testing.assert_array_equal(debugger.steps.machine.state()[name], value, name)


def options(run: Run) -> str:
    return str(run.start["options"]["mode"])


def test_going_into_everything_leads_to_the_recorded_state(run: Run) -> None:
    debugger, deepest = RunDebugger(run, 2), 0
    while not debugger.debugger.finished:
        debugger.step()
        deepest = max(deepest, debugger.debugger.depth)
    assert deepest == 2
    for name, value in run.state(3).items():
        np.testing.assert_array_equal(debugger.steps.machine.state()[name], value, name)


def test_back_from_anywhere_is_one_instruction_earlier(run: Run) -> None:
    debugger = RunDebugger(run, 2)
    debugger.add("op exp")
    debugger.go()
    inside = debugger.debugger.point
    assert inside[1] > 0
    points = [inside]
    while debugger.debugger.point != START:
        debugger.back()
        points.append(debugger.debugger.point)
    assert points == sorted(set(points), reverse=True)
    for point in points[-2::-1]:
        debugger.step()
        assert debugger.debugger.point == point


def test_continue_takes_the_state_of_a_step_from_the_one_before(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    debugger = RunDebugger(run, 1)
    debugger.add("if step >= 9")
    monkeypatch.setattr(debugger.steps.states, "at", None)
    assert debugger.go().why is Why.HIT and debugger.step_number == 8


def test_what_the_record_tells_is_not_executed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = run.metrics()["loss"]
    least = int(losses.argmin())
    begun = []
    begin = Steps.begin
    monkeypatch.setattr(Steps, "begin", lambda self, step, state: begun.append(step) or begin(self, step, state))
    forwards, backwards = RunDebugger(run, 0), RunDebugger(run, TAKEN - 1)
    backwards.debugger.to_end()
    for debugger, move in ((forwards, forwards.go), (backwards, backwards.reverse)):
        debugger.add(f"loss <= {float(losses[least])!r}")
        assert move().why is Why.HIT and debugger.step_number == least
        debugger.add(f"step {least // 2}")
    assert backwards.reverse().why is Why.HIT and backwards.step_number == least // 2
    assert forwards.go().why is Why.END and forwards.step_number == TAKEN - 1
    assert set(begun) == {0, least, TAKEN - 1, least // 2}


def test_where_the_machines_differ_the_record_is_right(tmp_path: Path) -> None:
    with line_run(tmp_path / "line", machine=Higher) as run:
        debugger = RunDebugger(run, 0)
        assert "may be rounded otherwise than in Higher" in debugger.steps.says
        debugger.add("loss > 1000")
        for step in (3, 5):
            stop = debugger.go()
            assert stop.why is Why.HIT and stop.text.endswith("by the record") and "10" in stop.text
            assert debugger.step_number == step and debugger.debugger.finished
        assert float(debugger.debugger.value("loss")) < 1000
        assert debugger.go().why is Why.END
        stop = debugger.reverse()
        assert stop.text.endswith("by the record") and debugger.step_number == 3 and debugger.debugger.finished
        assert debugger.reverse().why is Why.BEGINNING and debugger.step_number == 0


def test_a_run_of_the_fast_mode_is_gone_through_in_exact_mode(run: Run) -> None:
    machine, says = stepping(CompiledMachine(run.program, mode="fast", threads=2), run.program)
    assert isinstance(machine, SteppingMachine) and (machine.mode, machine.threads) == ("exact", 2)
    assert "may be rounded otherwise than in the run's fast mode" in says


def test_a_diversion_is_of_this_sessions_own(run: Run) -> None:
    debugger = RunDebugger(run, 2)
    debugger.set_dial("lr", 0.5)
    debugger.add("step 4")
    assert debugger.go().why is Why.HIT
    machine = CompiledMachine(run.program, mode=options(run), threads=1)
    machine.load(run.state(2))
    for step in (2, 3):
        machine.call("learn", run.data.batch(step), {**run.dials(step), "lr": 0.5})
    np.testing.assert_array_equal(debugger.debugger.value("params"), machine.state()["params"])


SIZED = """
program sized
size batch = 4
param w: f32[3]
input x: f32[batch,3]

routine learn() -> loss:
  %w = read {name=w}
  %x = read {name=x}
  %0 = mul %x %w
  %1 = gelu %0 {approximate=tanh}
  %grown = sum %1 {dims=[0], keep=false}
  commit %grown {name=w}
  %loss = sum %grown {dims=[0], keep=false}
  return loss=%loss
"""


def test_a_batch_of_another_size_is_gone_through_too() -> None:
    program, draw = from_text(SIZED), np.random.default_rng(0)
    machines = [ByInstruction(program), CompiledMachine(program)]
    for machine in machines:
        machine.load({"w": np.arange(3, dtype=np.float32)})
    for count in (4, 7, 4, 1, 7):
        x = draw.normal(size=(count, 3)).astype(np.float32)
        ours, plain = (machine.call("learn", {"x": x}, {})["loss"] for machine in machines)
        assert ours == plain
    np.testing.assert_array_equal(machines[0].state()["w"], machines[1].state()["w"])


def test_an_error_says_where(run: Run) -> None:
    program: Program = run.program
    machine = SteppingMachine(program)
    machine.load(run.state(0))
    batch = dict(run.data.batch(0))
    batch["y"] = np.full_like(batch["y"], 99)
    debugger = Debugger(lambda: machine.begin("learn", batch, {}))
    stop = debugger.go()
    assert stop.why is Why.ERROR and "routine 'learn', instruction" in stop.text
