"""Whatever is done to runs, in whatever order, every step has the bits of a straight evaluation of the journal."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from ontogeny.machine.reference import ReferenceMachine
from ontogeny.record.run import Run, open_run
from tests.regression import begin, data, learner

Event = tuple[int, str, str, float]


class Straight:
    """The same run without any of its machinery: events by step, and states computed from the first one."""

    def __init__(self, first: Run) -> None:
        self.hasher, self.initial, self.data = first.history.hasher, first.state(0), data()
        self.dials = first.dials(0)
        self.known: dict[tuple[Event, ...], list[bytes]] = {}

    def rows(self, events: list[Event], steps: int) -> list[bytes]:
        """Hash rows of steps 0 to `steps`."""
        machine = ReferenceMachine(learner().program)
        machine.load(self.initial)
        dials, rows = dict(self.dials), [self.hasher.row(self.initial)]
        for step in range(steps):
            now = [event for event in events if event[0] == step]
            dials.update({name: value for _, kind, name, value in now if kind == "dial"})
            for _, kind, name, value in now:
                if kind == "call":
                    machine.call(name, {}, {})
                elif kind == "edit":
                    state = machine.state()
                    state[name][0] = value
                    machine.load(state)
            machine.call("learn", self.data.batch(step), dials)
            rows.append(self.hasher.row(machine.state()))
        return rows


class Tree(RuleBasedStateMachine):
    """Runs, and beside each of them the list of its events."""

    runs = Bundle("runs")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="ontogeny-"))
        self.open: dict[str, Run] = {}
        self.events: dict[str, list[Event]] = {}
        self.steps: dict[str, int] = {}

    @initialize(target=runs, every=st.integers(1, 5))
    def create(self, every: int) -> str:
        run = begin(self.folder / "0", keyframe_every=every, evaluate_every=3)
        self.straight = Straight(run)
        self.open["0"], self.events["0"], self.steps["0"] = run, [], 0
        return "0"

    @rule(name=runs, steps=st.integers(0, 9))
    def advance(self, name: str, steps: int) -> None:
        self.open[name].advance(steps)
        self.steps[name] += steps

    @rule(name=runs, dial=st.sampled_from(["lr", "momentum", "noise"]), value=st.sampled_from([0.0, 0.02, 0.1]))
    def set_dial(self, name: str, dial: str, value: float) -> None:
        self.open[name].set_dial(dial, value)
        self.events[name].append((self.steps[name], "dial", dial, value))

    @rule(name=runs)
    def sleep(self, name: str) -> None:
        self.open[name].call("sleep")
        self.events[name].append((self.steps[name], "call", "sleep", 0.0))

    @rule(name=runs, value=st.sampled_from([-1.5, 0.25]))
    def edit(self, name: str, value: float) -> None:
        self.open[name].edit("w", [0], [value])
        self.events[name].append((self.steps[name], "edit", "w", value))

    @rule(target=runs, name=runs, part=st.floats(0, 1), rate=st.sampled_from([None, 0.04]))
    def fork(self, name: str, part: float, rate: float | None) -> object:
        if len(self.open) >= 6:
            return multiple()
        child, step = str(len(self.open)), round(part * self.steps[name])
        dials = {} if rate is None else {"lr": rate}
        self.open[child] = self.open[name].fork(step, self.folder / child, dials)
        inherited = [event for event in self.events[name] if event[0] <= step]
        self.events[child] = inherited + [(step, "dial", "lr", value) for value in dials.values()]
        self.steps[child] = step
        return child

    @rule(name=runs, part=st.floats(0, 1))
    def rewind(self, name: str, part: float) -> None:
        step = round(part * self.steps[name])
        found = self.straight.hasher.row(self.open[name].state(step))
        assert found == self.straight.rows(self.events[name], step)[step]

    @rule(name=runs)
    def reopen(self, name: str) -> None:
        self.open[name].close()
        self.open[name] = open_run(self.folder / name)

    @rule(name=runs)
    def verify(self, name: str) -> None:
        assert self.open[name].verify().ok

    @invariant()
    def every_run_has_its_steps_and_hash(self) -> None:
        for name, run in self.open.items():
            assert run.step == self.steps[name]

    def teardown(self) -> None:
        for name, run in self.open.items():
            rows = self.straight.rows(self.events[name], run.step)
            assert [run.history.hash_row(step) for step in range(run.step + 1)] == rows
            assert run.metrics()["step"].tolist() == list(range(1, run.step + 1))
            assert [e["step"] for e in run.evaluations()] == list(range(0, run.step + 1, 3))
            run.close()
        shutil.rmtree(self.folder)


Tree.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestTree = Tree.TestCase
