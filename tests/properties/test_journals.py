"""Entries of all kinds in any order, on runs and forks: every step has the bits of a straight replay of the journal."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, rule

from ontogeny.ask.alternative import alternative, kept
from ontogeny.ask.what_if import followed
from ontogeny.isa.errors import OntogenyError
from ontogeny.machine.reference import ReferenceMachine
from ontogeny.record.run import Run, open_run
from ontogeny.record.stepper import Stepper
from tests.small import begin, examples

SHAPES = st.sampled_from(["linear", "cosine", "exponential"])
SOME = st.lists(st.integers(0, 19), min_size=1, max_size=5)
ALTERATIONS = st.sampled_from([("scale", 0.5), ("noise", 0.3), ("prune", 0.5), ("reset", None), ("zero", None)])


def straight(run: Run) -> list[bytes | None]:
    """Hash rows of all states, each step taken once from the first state on, by the journal as it is read again."""
    again = open_run(run.folder)
    machine, stepper = ReferenceMachine(again.program), Stepper(again.ground, again._lineage.schedule())
    machine.load(again.state(0))
    rows = [again.history.hasher.row(machine.state())]
    for step in range(again.step):
        stepper.take(machine, step)
        rows.append(again.history.hasher.row(machine.state()))
    return list(rows)


def recorded(run: Run) -> list[bytes | None]:
    return [run.history.hash_row(step) for step in range(run.step + 1)]


class Journals(RuleBasedStateMachine):
    """Runs to which anything may be said; what does not fit is refused, and then nothing was written."""

    runs = Bundle("runs")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="ontogeny-"))
        self.open: dict[str, Run] = {}

    def said(self, name: str, what: str, *asked: object, **how: object) -> None:
        run, before = self.open[name], len(self.open[name].entries)
        try:
            getattr(run, what)(*asked, **how)
        except OntogenyError:
            assert len(run.entries) == before

    @initialize(target=runs, every=st.integers(1, 6))
    def create(self, every: int) -> str:
        self.open["0"] = begin(self.folder / "0", keyframe_every=every, evaluate_every=0)
        return "0"

    @rule(name=runs, steps=st.integers(0, 7))
    def advance(self, name: str, steps: int) -> None:
        try:
            self.open[name].advance(steps)
        except OntogenyError as error:  # nothing is left of a batch: no step, and it can go on once some are taken back
            assert "learns from nothing" in str(error)
            self.said(name, "take_back", self.open[name]._schedule.composition(self.open[name].step).left_out)

    @rule(
        name=runs, dial=st.sampled_from(["lr", "momentum"]), to=st.floats(0, 0.05), over=st.integers(0, 9), shape=SHAPES
    )
    def turn(self, name: str, dial: str, to: float, over: int, shape: str) -> None:
        self.said(name, "set_dial", dial, to, over=over, shape=shape)

    @rule(name=runs, tensors=st.sampled_from(["*", "line.bias", "*.weight"]), how=ALTERATIONS, state=st.booleans())
    def alter(self, name: str, tensors: str, how: tuple[str, float | None], state: bool) -> None:
        self.said(name, "alter", tensors, *how, seed=len(self.open), and_state=state)

    @rule(name=runs, value=st.floats(-1, 1, width=32))
    def edit(self, name: str, value: float) -> None:
        self.said(name, "edit", "params", [1], [value])
        self.said(name, "call", "sleep")

    @rule(name=runs, numbers=SOME, back=st.booleans())
    def leave_out(self, name: str, numbers: list[int], back: bool) -> None:
        self.said(name, "take_back" if back else "leave_out", numbers)

    @rule(name=runs, numbers=SOME, rows=st.integers(1, 3), end=st.booleans())
    def learn_also(self, name: str, numbers: list[int], rows: int, end: bool) -> None:
        self.said(name, "learn_also", numbers, rows=rows)
        if end:
            self.said(name, "stop_also")

    @rule(name=runs, count=st.integers(1, 3), rows=st.integers(1, 2))
    def add(self, name: str, count: int, rows: int) -> None:
        self.said(name, "learn_also", examples(count, seed=50 + count), rows=rows)

    @rule(name=runs, numbers=SOME, share=st.sampled_from([0, 0.25, 0.3, 0.5, 1.0]))
    def mix(self, name: str, numbers: list[int], share: float) -> None:
        self.said(name, "mix", numbers, share)

    @rule(target=runs, name=runs, part=st.floats(0, 1))
    def fork(self, name: str, part: float) -> object:
        if len(self.open) >= 5:
            return multiple()
        child = str(len(self.open))
        self.open[child] = self.open[name].fork(round(part * self.open[name].step), self.folder / child)
        return child

    @rule(target=runs, name=runs, part=st.floats(0, 1))
    def without(self, name: str, part: float) -> object:
        run = self.open[name]
        if len(self.open) >= 5 or run.step < 2:
            return multiple()
        child, numbers = str(len(self.open)), [round(part * 13)]
        try:
            other = alternative(run, without=numbers)
            self.open[child] = kept(run, other, self.folder / child)
        except OntogenyError:  # never learned from, or the only one of some batch
            return multiple()
        assert self.open[child].hash() == followed(run, other).hash
        return child

    @rule(name=runs)
    def reopen(self, name: str) -> None:
        self.open[name].close()
        self.open[name] = open_run(self.folder / name)

    def teardown(self) -> None:
        for run in self.open.values():
            run.close()
            assert recorded(run) == straight(run)
            assert open_run(run.folder).verify().ok
        shutil.rmtree(self.folder)


Journals.TestCase.settings = settings(max_examples=20, stateful_step_count=16, deadline=None)
TestJournals = Journals.TestCase


def test_another_process_comes_to_the_same_bits(tmp_path: Path) -> None:
    draw = random.Random(3)
    with begin(tmp_path / "run") as run:
        for _ in range(4):
            run.advance(draw.randrange(1, 4))
            run.set_dial("lr", draw.uniform(0.001, 0.1), over=draw.randrange(1, 9), shape="exponential")
            run.alter("*.weight", "noise", draw.uniform(0, 0.5), seed=draw.randrange(99), and_state=True)
            run.learn_also(examples(2, seed=draw.randrange(99)), rows=2)
            run.mix([draw.randrange(14), 15], 0.25)
        run.advance(5)
        with run.fork(run.step - 2, tmp_path / "fork") as fork:
            fork.alter("*", "prune", 0.25)
            fork.advance(4)
            wanted = [fork.hash(step) for step in range(fork.step + 1)]
    found = subprocess.run(
        [sys.executable, "-c", READ, str(tmp_path / "fork")], capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == wanted and len(set(wanted)) == len(wanted)


READ = """
import sys
from pathlib import Path
from ontogeny.record.hashing import shown
from ontogeny.record.run import open_run
from tests.properties.test_journals import straight
print(*[shown(row) for row in straight(open_run(Path(sys.argv[1])))])
"""
