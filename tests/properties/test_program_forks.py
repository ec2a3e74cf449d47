"""Forks by other programs, in whatever order: every step has the bits of a straight evaluation."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, rule

from ontogeny.isa.text import from_text
from ontogeny.machine.formats import NUMPY
from ontogeny.machine.reference import ReferenceMachine
from ontogeny.record.hashing import StateHasher
from ontogeny.record.parting import parting
from ontogeny.record.run import Run, open_run
from tests.regression import PLAIN, SPEEDY, TEXT, begin, data

Event = tuple[int, str, str, float]
PROGRAMS = {name: from_text(text) for name, text in (("first", TEXT), ("speedy", SPEEDY), ("plain", PLAIN))}


class Straight:
    """The learner without any of a run's machinery: which program holds, its registers and its dials."""

    def __init__(self, state: dict[str, np.ndarray], dials: dict[str, float]) -> None:
        self.dials = dict(dials)
        self.become("first", state)

    def become(self, program: str, state: dict[str, np.ndarray]) -> None:
        self.program = PROGRAMS[program]
        self.machine = ReferenceMachine(self.program)
        kept = {decl.name: np.zeros(decl.type.shape, NUMPY[decl.type.dtype]) for decl in self.program.kept()}
        self.machine.load({name: state.get(name, zero) for name, zero in kept.items()})
        self.dials = {decl.name: self.dials.get(decl.name, decl.default) for decl in self.program.of("dial")}

    def happen(self, kind: str, name: str, value: float) -> None:
        if kind == "dial":
            self.dials[name] = value
        elif kind == "call":
            self.machine.call(name, {}, {})
        elif kind == "edit":
            state = self.machine.state()
            state[name][0] = value
            self.machine.load(state)
        else:
            self.become(name, self.machine.state())

    def row(self) -> bytes:
        return StateHasher(self.program).row(self.machine.state())


def rows(first: Run, events: list[Event], steps: int) -> list[bytes]:
    """Hash rows of the steps 0 to `steps`; where the program changes, of the state after that."""
    straight, found, batches = Straight(first.state(0), first.start["dials"]), [], data()
    for step in range(steps + 1):
        now = [event for event in events if event[0] == step]
        changes = [place for place, event in enumerate(now) if event[1] == "program"]
        before = changes[-1] + 1 if changes else 0
        for event in now[:before]:
            straight.happen(*event[1:])
        found.append(straight.row())
        for event in now[before:]:
            straight.happen(*event[1:])
        if step < steps:
            straight.machine.call("learn", batches.batch(step), straight.dials)
    return found


class Tree(RuleBasedStateMachine):
    """Runs, and beside each of them the list of its events."""

    runs = Bundle("runs")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="ontogeny-"))
        self.open: dict[str, Run] = {}
        self.events: dict[str, list[Event]] = {}

    @initialize(target=runs, every=st.integers(1, 5))
    def create(self, every: int) -> str:
        self.open["0"], self.events["0"] = begin(self.folder / "0", keyframe_every=every, evaluate_every=3), []
        return "0"

    @rule(name=runs, steps=st.integers(0, 9))
    def advance(self, name: str, steps: int) -> None:
        self.open[name].advance(steps)

    @rule(name=runs, dial=st.sampled_from(["lr", "momentum", "friction"]), value=st.sampled_from([0.0, 0.02, 0.1]))
    def set_dial(self, name: str, dial: str, value: float) -> None:
        if dial in self.open[name].dials():
            self.open[name].set_dial(dial, value)
            self.events[name].append((self.open[name].step, "dial", dial, value))

    @rule(name=runs)
    def sleep(self, name: str) -> None:
        self.open[name].call("sleep")
        self.events[name].append((self.open[name].step, "call", "sleep", 0.0))

    @rule(name=runs, value=st.sampled_from([-1.5, 0.25]))
    def edit(self, name: str, value: float) -> None:
        self.open[name].edit("w", [0], [value])
        self.events[name].append((self.open[name].step, "edit", "w", value))

    @rule(
        target=runs,
        name=runs,
        part=st.floats(0, 1),
        rate=st.sampled_from([None, 0.04]),
        program=st.sampled_from([None, *PROGRAMS]),
    )
    def fork(self, name: str, part: float, rate: float | None, program: str | None) -> object:
        if len(self.open) >= 6:
            return multiple()
        child, step = str(len(self.open)), round(part * self.open[name].step)
        dials = {} if rate is None else {"lr": rate}
        other = PROGRAMS[program] if program else None
        self.open[child] = self.open[name].fork(step, self.folder / child, dials, program=other)
        changed: list[Event] = [(step, "program", program, 0.0)] if program else []
        inherited = [event for event in self.events[name] if event[0] <= step]
        self.events[child] = inherited + changed + [(step, "dial", "lr", value) for value in dials.values()]
        return child

    @rule(name=runs, part=st.floats(0, 1))
    def rewind(self, name: str, part: float) -> None:
        run = self.open[name]
        step = round(part * run.step)
        found = StateHasher(run.as_of(step).program).row(run.state(step))
        assert found == rows(self.open["0"], self.events[name], step)[step]

    @rule(name=runs)
    def reopen(self, name: str) -> None:
        self.open[name].close()
        self.open[name] = open_run(self.folder / name)

    @rule(name=runs)
    def lose(self, name: str) -> None:
        """Of a fork all keyframes are lost."""
        self.open[name].close()
        for path in (self.folder / name / "keyframes").glob("*") if name != "0" else ():
            path.unlink()
        self.open[name] = open_run(self.folder / name)

    @rule(name=runs)
    def verify(self, name: str) -> None:
        assert self.open[name].verify().ok

    @rule(one=runs, other=runs)
    def compare(self, one: str, other: str) -> None:
        a, b = self.open[one], self.open[other]
        last = min(a.step, b.step)
        assert parting(a.history, b.history) == next((s for s in range(last + 1) if a.hash(s) != b.hash(s)), None)

    def teardown(self) -> None:
        for name, run in self.open.items():
            expected = rows(self.open["0"], self.events[name], run.step)
            assert [run.history.hash_row(step) for step in range(run.step + 1)] == expected
            assert run.metrics()["step"].tolist() == list(range(1, run.step + 1))
            assert np.isfinite(run.metrics()["loss"]).all()
            assert [e["step"] for e in run.evaluations()] == list(range(0, run.step + 1, 3))
            run.close()
        shutil.rmtree(self.folder)


Tree.TestCase.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
TestTree = Tree.TestCase
