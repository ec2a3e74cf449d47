"""A fork by another program: what it takes over, and that everything can be asked on both sides of the change."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import ontogeny as og
from ontogeny.ask.diagnose import diagnose
from ontogeny.ask.explain import explain
from ontogeny.ask.waste import waste
from ontogeny.ask.what_if import what_if
from ontogeny.front.edits import apply
from ontogeny.isa.errors import OntogenyError, ProgramError, RecordError
from ontogeny.isa.program import Program
from ontogeny.isa.text import from_text
from ontogeny.machine.reference import ReferenceMachine
from ontogeny.record.changing import carried, changed
from ontogeny.record.debug import RunDebugger
from ontogeny.record.disk import RecordWarning
from ontogeny.record.hashing import StateHasher
from ontogeny.record.parting import hashes, parting
from ontogeny.record.run import Run, open_run
from ontogeny.record.trace.traces import Window
from ontogeny.record.trajectories import Replayed
from tests.regression import PLAIN, SPEEDY, begin, data, valid
from tests.spec.training import MLP, cross_entropy


@pytest.fixture
def speedy() -> Program:
    return from_text(SPEEDY)


@pytest.fixture
def plain() -> Program:
    return from_text(PLAIN)


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Run]:
    with begin(tmp_path / "parent") as run:
        run.advance(20)
        run.set_dial("lr", 0.02)
        run.advance(10)
        yield run


def stepped(program: Program, state: dict[str, np.ndarray], dials: dict[str, float], first: int, count: int) -> bytes:
    """The hash row after so many steps by the bare machine."""
    machine = ReferenceMachine(program)
    machine.load(state)
    for step in range(first, first + count):
        machine.call("learn", data().batch(step), dials)
    return StateHasher(program).row(machine.state())


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def test_it_takes_over_what_is_called_alike_and_goes_on_by_its_own_rule(
    parent: Run, speedy: Program, tmp_path: Path
) -> None:
    before = parent.state(12)
    fork = parent.fork(
        12, tmp_path / "fork", {"lr": 0.01}, program=speedy, values={"speed": np.ones((3, 1), np.float32)}
    )
    assert fork.program == speedy and fork.changed == 12 and fork.base == 12
    first = fork.state(12)
    assert np.array_equal(first["w"], before["w"]) and first["step"] == before["step"] == 12
    assert np.array_equal(first["speed"], np.ones((3, 1))) and "m" not in first
    assert fork.dials() == {"lr": 0.01, "friction": 0.8, "noise": 0.1}
    fork.advance(9)
    assert fork.history.hash_row(21) == stepped(speedy, first, fork.dials(), 12, 9)
    assert parent.hash() != fork.hash() and parent.verify().ok and fork.verify().ok
    again = open_run(tmp_path / "fork")
    assert again.hash() == fork.hash() and again.program == speedy and again.dials() == fork.dials()
    assert same(again.state(12), first) and same(again.state(), fork.state())


def test_new_registers_begin_at_zero_and_a_same_state_keeps_its_hash(
    parent: Run, speedy: Program, plain: Program, tmp_path: Path
) -> None:
    fork = parent.fork(30, tmp_path / "speedy", program=speedy)
    assert not fork.state()["speed"].any() and fork.dials()["lr"] == 0.02
    other = parent.fork(30, tmp_path / "plain", program=plain)
    assert other.hash() == parent.hash(30) and same(other.state(), parent.state())
    other.advance(3)
    assert parting(parent.history, other.history) is None
    parent.advance(3)
    assert parting(parent.history, other.history) == 31


def test_everything_reads_across_the_boundary(parent: Run, speedy: Program, tmp_path: Path) -> None:
    child = parent.fork(12, tmp_path / "fork", program=speedy)
    child.advance(10)
    child.close()
    for fork in (child, open_run(tmp_path / "fork")):
        for step in (0, 3, 11):
            assert same(fork.state(step), parent.state(step)) and fork.hash(step) == parent.hash(step)
            assert fork.dials(step) == parent.dials(step)
        assert fork.hash(12) != parent.hash(12) and "friction" in fork.dials(12)
        columns = fork.metrics()
        assert list(columns["step"]) == list(range(1, 23))
        assert set(columns) == {"step", "loss", "largest", "biggest"}
        assert np.array_equal(columns["largest"][:12], parent.metrics(1, 12)["largest"])
        assert np.isnan(columns["largest"][12:]).all() and np.isnan(columns["biggest"][:12]).all()
        assert np.isfinite(columns["biggest"][12:]).all() and np.isfinite(columns["loss"]).all()
        assert set(fork.metrics(13)) == {"step", "loss", "biggest"}
        assert set(fork.metrics(2, 12)) == {"step", "loss", "largest"}
        assert [row["step"] for row in fork.evaluations()] == [0, 5, 10, 15, 20]
        assert fork.evaluations()[:3] == parent.evaluations()[:3]
        assert [f"{value:016x}" for value in hashes(fork.history, 1, 22)] == [fork.hash(step) for step in range(1, 23)]
        assert parting(parent.history, fork.history) == parting(fork.history, parent.history) == 12


def test_evaluations_by_other_names_are_a_union(parent: Run, tmp_path: Path) -> None:
    text = PLAIN.replace("routine evaluate() -> loss:", "routine evaluate() -> error:")
    at = text.rindex("return loss=%loss")
    fork = parent.fork(12, tmp_path / "fork", program=from_text(text[:at] + "return error=%loss" + text[at + 17 :]))
    fork.advance(10, on_step=lambda step, found: ("valid.error" in found) is (step >= 15) or 1 / 0)
    rows = fork.evaluations()
    assert [set(row) for row in rows] == [{"step", "loss", "error"}] * 5
    assert [math.isnan(row["error"]) for row in rows] == [True, True, True, False, False]
    assert [math.isnan(row["loss"]) for row in rows] == [False, False, False, True, True]


def test_the_latest_metrics_are_those_of_the_program_that_measured_them(parent: Run, tmp_path: Path) -> None:
    text = PLAIN.replace("routine evaluate() -> loss:", "routine evaluate() -> error:")
    at = text.rindex("return loss=%loss")
    never = text[:at] + "%minus = neg %loss\n  %none = log %minus\n  return error=%none" + text[at + 17 :]
    fork = parent.fork(12, tmp_path / "fork", program=from_text(never))
    fork.advance(1)
    assert set(fork.latest()) == {"loss", "largest", "valid.loss"}
    assert fork.latest()["valid.loss"] == parent.evaluations()[2]["loss"]
    fork.advance(9)
    assert set(fork.latest()) == {"loss", "largest", "valid.error"} and math.isnan(fork.latest()["valid.error"])
    assert fork.latest()["loss"] == fork.metrics()["loss"][-1]


def test_trajectories_go_over_the_boundary(parent: Run, speedy: Program, tmp_path: Path) -> None:
    fork = parent.fork(12, tmp_path / "fork", program=speedy)
    fork.advance(70)
    expected = np.array([fork.state(step)["w"] for step in range(83)])
    for run in (fork, open_run(tmp_path / "fork")):
        assert np.array_equal(run.trajectory("w")[:, :, :].transpose(2, 0, 1), expected)
        assert np.array_equal(run.traces.row(4)["w"], expected[4])
    late = Replayed(fork, ["speed"])
    assert late.steps.tolist() == list(range(12, 83))
    assert np.array_equal(late.row(20)["speed"], fork.state(20)["speed"])
    steps, values = late.lines("speed", [1])
    assert steps.tolist() == late.steps.tolist()
    assert values[:, 0].tolist() == [fork.state(step)["speed"][1, 0] for step in late.steps]


def test_forks_before_at_and_after_the_boundary(parent: Run, speedy: Program, plain: Program, tmp_path: Path) -> None:
    fork = parent.fork(12, tmp_path / "fork", program=speedy)
    fork.advance(10)
    early = fork.fork(7, tmp_path / "early", {"momentum": 0.5})
    assert early.program == parent.program and early.changed is None
    early.advance(3)
    straight = parent.fork(7, tmp_path / "straight", {"momentum": 0.5})
    straight.advance(3)
    assert early.hash() == straight.hash()
    at, after = fork.fork(12, tmp_path / "at"), fork.fork(15, tmp_path / "after", {"friction": 0.1})
    at.advance(10)
    assert at.hash() == fork.hash() and at.changed == 12 and at.verify().ok
    after.advance(2)
    assert parting(after.history, fork.history) == 16 and same(after.state(5), parent.state(5))
    third = after.fork(16, tmp_path / "third", program=plain)
    third.advance(20)
    assert third.dials() == {"lr": 0.05, "momentum": 0.9, "noise": 0.1} and not third.state(16)["m"].any()
    for run in (third, open_run(tmp_path / "third")):
        assert run.verify().ok and run.changed == 16
        assert same(run.state(14), fork.state(14)) and same(run.state(3), parent.state(3))
        assert set(run.metrics()) == {"step", "loss", "largest", "biggest"}
        assert list(run.metrics()["step"]) == list(range(1, 37))
        again = run.fork(14, tmp_path / f"again-{id(run)}")
        assert again.program == speedy
        again.advance(1)
        assert again.hash() == fork.hash(15)


def test_a_second_change_at_the_same_step(parent: Run, speedy: Program, plain: Program, tmp_path: Path) -> None:
    once = parent.fork(12, tmp_path / "once", program=speedy)
    twice = once.fork(12, tmp_path / "twice", program=plain)
    twice.advance(5)
    assert open_run(tmp_path / "twice").verify().ok
    assert same(open_run(tmp_path / "twice").state(4), parent.state(4))
    assert not twice.state(12)["m"].any() and twice.hash(11) == parent.hash(11)


def test_a_fork_at_the_very_beginning(parent: Run, speedy: Program, tmp_path: Path) -> None:
    fork = parent.fork(0, tmp_path / "fork", program=speedy)
    fork.advance(6)
    again = open_run(tmp_path / "fork")
    assert again.verify().ok and again.changed == 0
    assert [row["step"] for row in again.evaluations()] == [0, 5]
    assert again.metrics()["step"].tolist() == [1, 2, 3, 4, 5, 6]


def test_what_stood_at_the_step_happens_before_the_change(parent: Run, plain: Program, tmp_path: Path) -> None:
    parent.edit("w", [0], [7.0])
    parent.call("sleep")
    naps = int(parent.state()["naps"])
    fork = parent.fork(30, tmp_path / "fork", program=plain)
    assert fork.state()["w"][0, 0] == 7.0 and int(fork.state()["naps"]) == naps + 1
    fork.advance(2)
    assert fork.history.hash_row(32) == stepped(plain, fork.state(30), fork.dials(), 30, 2)
    undone = parent.fork(30, tmp_path / "undone", program=plain, lines=len(parent.own_entries) - 2)
    assert same(undone.state(), parent.state(30))
    shutil.rmtree(tmp_path / "fork" / "keyframes")
    assert same(open_run(tmp_path / "fork").state(30), fork.state(30))


def test_dials_on_their_way_go_on_and_vanished_ones_break_nothing(parent: Run, speedy: Program, tmp_path: Path) -> None:
    parent.set_dial("momentum", 0.3)
    parent.set_dial("lr", 0.2, over=20)
    parent.advance(10)
    fork = parent.fork(40, tmp_path / "fork", program=speedy)
    assert fork.dials(45)["lr"] == parent.dials(45)["lr"] and fork.dials(90)["lr"] == 0.2
    assert "momentum" not in fork.dials(45)
    fork.advance(5)
    assert open_run(tmp_path / "fork").verify().ok
    assert open_run(tmp_path / "fork").dials(50) == fork.dials(50)
    with pytest.raises(RecordError, match="no dial 'momentum'"):
        fork.set_dial("momentum", 0.5)


def test_a_lost_first_state_is_made_again_and_written_when_the_run_goes_on(
    parent: Run, speedy: Program, tmp_path: Path
) -> None:
    fork = parent.fork(12, tmp_path / "fork", program=speedy, values={"speed": np.full((3, 1), 0.5, np.float32)})
    fork.advance(10)
    fork.close()
    first, path = fork.state(12), fork.history.own.keyframes.path(12)
    assert fork.history.own.keyframes.held() >= {12}
    for keyframe in path.parent.glob("*"):
        keyframe.unlink()
    again = open_run(tmp_path / "fork")
    assert same(again.state(12), first) and again.verify().ok and not path.exists()
    again.advance(1)
    assert path.exists() and again.history.own.keyframes.held() >= {12}
    again.close()
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.warns(RecordWarning, match="damaged"):
        assert same(open_run(tmp_path / "fork").state(13), fork.state(13))
    assert not open_run(tmp_path / "fork").verify().ok


def test_values_that_were_tampered_with_are_found(parent: Run, speedy: Program, tmp_path: Path) -> None:
    parent.fork(12, tmp_path / "fork", program=speedy, values={"speed": np.ones((3, 1), np.float32)}).close()
    path = tmp_path / "fork" / "values.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    report = open_run(tmp_path / "fork").verify()
    assert not report.ok and "values.safetensors has been changed" in str(report)
    (tmp_path / "fork" / "program.onto").write_text(PLAIN)
    with pytest.raises(RecordError, match=r"program.onto has been changed"):
        open_run(tmp_path / "fork")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("%e = sub %p %y", "%e = sub %p %nothing", "nothing"),
        ("input y: f32[4,1]\n", "input z: f32[4,1]\n", "y"),
        ("routine evaluate()", "routine judge()", "no routine 'evaluate'"),
        ("%x = read {name=valid.x}", "%x = read {name=other.x}", "other.x"),
        ("routine learn()", "routine study()", "no routine 'learn'"),
        ("dial lr: f64[] = 0.05", "dial lr: f64[] = 0.05\ndial more: f64[]", "no default for more"),
    ],
)
def test_a_program_that_does_not_fit_is_refused_and_leaves_no_run(
    parent: Run, tmp_path: Path, old: str, new: str, says: str
) -> None:
    assert old in PLAIN
    text = PLAIN.replace(old, new).replace("input x:", "input other.x: f32[6,3]\ninput x:")
    with pytest.raises(OntogenyError, match=says):
        parent.fork(12, tmp_path / "fork", program=from_text(text))
    assert not (tmp_path / "fork" / "journal.jsonl").exists()


def test_values_and_parameters_that_do_not_fit_are_refused(parent: Run, speedy: Program, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="keeps no 'pace'"):
        parent.fork(12, tmp_path / "fork", program=speedy, values={"pace": np.zeros(3)})
    with pytest.raises(OntogenyError, match="speed"):
        parent.fork(12, tmp_path / "fork", program=speedy, values={"speed": np.zeros(3)})
    with pytest.raises(RecordError, match="pass program="):
        parent.fork(12, tmp_path / "fork", values={"w": np.zeros((3, 1), np.float32)})
    with pytest.raises(RecordError, match="no dial 'momentum'"):
        parent.fork(12, tmp_path / "fork", {"momentum": 0.1}, program=speedy)


def test_the_journal_names_the_program_once(parent: Run, speedy: Program, tmp_path: Path) -> None:
    fork = parent.fork(12, tmp_path / "fork", program=speedy, author="me")
    line = json.loads((tmp_path / "fork" / "journal.jsonl").read_text().splitlines()[0])
    assert line["kind"] == "fork" and line["author"] == "me" and line["values"] is None
    assert line["hash"].startswith(fork.history.hash_row(12).hex()[:16])
    assert line["dials"] == {"lr": 0.05, "friction": 0.8, "noise": 0.1}
    assert "program" not in parent.fork(12, tmp_path / "other").own_entries[0].content


def test_keyframes_are_thinned_and_the_first_stays(speedy: Program, tmp_path: Path) -> None:
    with begin(tmp_path / "run", keyframe_every=2, keyframe_bytes=4000) as run:
        run.advance(9)
        fork = run.fork(9, tmp_path / "fork", program=speedy)
        fork.advance(60)
        steps = fork.history.own.keyframes.steps()
        assert 9 in steps and len(steps) < 20
        assert fork.verify().ok and same(open_run(tmp_path / "fork").state(31), fork.state(31))


def test_the_parent_goes_on_beside_it(parent: Run, speedy: Program, tmp_path: Path) -> None:
    fork = parent.fork(30, tmp_path / "fork", program=speedy)
    for _ in range(3):
        parent.advance(2)
        fork.advance(3)
        assert same(fork.state(29), parent.state(29))
    assert parent.step == 36 and fork.step == 39
    assert parent.verify().ok and fork.verify().ok
    assert fork.valid is not None and np.array_equal(fork.valid["valid.x"], valid()["x"])


def test_a_mangled_program_is_never_written() -> None:
    with pytest.raises(ProgramError):
        from_text(SPEEDY.replace("commit %m2 {name=speed}", "commit %m2 {name=nothing}"))


def gone(parent: Run, program: Program, folder: Path) -> Run:
    """A fork at step 12 that has gone on to step 22."""
    fork = parent.fork(12, folder, program=program)
    fork.advance(10)
    return fork


def test_explain_answers_on_either_side_and_names_the_ancestor_across(
    parent: Run, speedy: Program, tmp_path: Path
) -> None:
    fork = gone(parent, speedy, tmp_path / "fork")
    after, before = explain(fork, "w[0,0]", "14:20"), explain(fork, "w[0,0]", "3:9")
    assert after.ledger.change == pytest.approx([np.diff(fork.trajectory("w")[0, 0, 13:20])[i] for i in range(6)])
    assert before.ledger.parts.tolist() == explain(parent, "w[0,0]", "3:9").ledger.parts.tolist()
    assert len(explain(fork, "w[0,0]").ledger.change) == 10
    with pytest.raises(RecordError, match=r"changed at step 12, where fork was forked from parent.*ask parent"):
        explain(fork, "w[0,0]", "10:15")


def test_waste_and_debugging_go_by_the_program_of_the_step(parent: Run, speedy: Program, tmp_path: Path) -> None:
    fork = gone(parent, speedy, tmp_path / "fork")
    assert min(waste(fork).steps) == 12
    assert waste(fork, Window(2, 9)).steps == waste(parent, Window(2, 9)).steps
    with pytest.raises(RecordError, match="ask parent"):
        waste(fork, Window(5, 20))
    assert RunDebugger(fork, 5).run.program == parent.program
    debugger = RunDebugger(fork, 14)
    debugger.add("axpy")
    stops = [debugger.reverse().why for _ in range(4)]
    assert debugger.step_number == 12 and stops[-1].name == "BEGINNING"
    with pytest.raises(RecordError, match="ask parent"):
        debugger.visit(11)


def test_what_if_after_the_change_and_a_sentence_before_it(parent: Run, speedy: Program, tmp_path: Path) -> None:
    fork = gone(parent, speedy, tmp_path / "fork")
    fork.set_dial("friction", 0.1)
    fork.advance(5)
    found = what_if(fork, {"lr": 0.3}, start=15)
    turned = fork.fork(15, tmp_path / "turned", {"lr": 0.3})
    turned.advance(7)
    turned.set_dial("friction", 0.1)
    turned.advance(5)
    assert found.hash == turned.hash()
    undone = what_if(fork, undo=22)
    straight = fork.fork(21, tmp_path / "straight")
    straight.advance(6)
    assert undone.hash == straight.hash()
    with pytest.raises(RecordError, match="step 3 is before that; ask parent"):
        what_if(fork, {"lr": 0.3}, start=3)
    with pytest.raises(RecordError, match="nothing was done at state 20"):
        what_if(fork, undo=20)


ARENA = """
program laid
param params: f32[6]
param a: f32[2] = params[0]
param b: f32[3] = params[2]
state slot: f32[6]
input x: f32[2]

routine learn() -> loss:
  %p = read {name=params}
  %loss = mean %p {dims=[0], keep=false}
  %half = const {value=0.5, dtype=f32, shape=[]}
  %next = mul %p %half
  commit %next {name=params}
  return loss=%loss
"""


def test_pieces_of_arenas_are_carried_wherever_they_lie() -> None:
    old = from_text(ARENA)
    moved = ARENA.replace("a: f32[2] = params[0]", "a: f32[2] = params[4]").replace(
        "b: f32[3] = params[2]", "b: f32[3] = params[0]"
    )
    state = {"params": np.arange(1, 7, dtype=np.float32), "slot": np.full(6, 9, np.float32)}
    found = carried(old, state, from_text(moved), {})
    assert found["params"].tolist() == [3, 4, 5, 0, 1, 2] and found["slot"].tolist() == [9] * 6
    alone = moved.replace("param a: f32[2] = params[4]", "state a: f32[2]\nparam c: f32[2] = params[4]")
    found = carried(old, state, from_text(alone), {"params": np.full(6, 7, np.float32)})
    assert found["a"].tolist() == [1, 2] and found["params"].tolist() == [3, 4, 5, 7, 7, 7]
    assert carried(old, state, old, {})["params"].tolist() == state["params"].tolist()


def test_a_parameter_of_another_shape_needs_its_values() -> None:
    old, new = from_text(ARENA), from_text(ARENA.replace("a: f32[2] = params[0]", "a: f32[1] = params[0]"))
    state = {"params": np.arange(1, 7, dtype=np.float32), "slot": np.zeros(6, np.float32)}
    with pytest.raises(RecordError, match=r"parameter 'a' was f32\[2\] and is f32\[1\].*values="):
        changed(old, state, new, {}, {}, 0)
    change = changed(old, state, new, {}, {"a": np.array([8], np.float32)}, 0)
    assert change.state["params"].tolist() == [8, 0, 3, 4, 5, 0]


def test_a_captured_learner_goes_from_adamw_to_sgd_and_back(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(48, 8)).astype(np.float32)
    examples = {"x": x, "y": draw.integers(0, 4, 48)}
    batch = {name: values[:8] for name, values in examples.items()}
    learner = og.capture(MLP(), cross_entropy, og.adamw(lr=1e-2), batch)
    run = og.create(tmp_path / "adamw", learner, og.Arrays(examples, batch_size=8), seed=1, options={"threads": 1})
    run.advance(9)
    run.leave_out([5])
    run.advance(1)
    edited = apply(run.program, "rule", to="sgd")
    fork = run.fork(10, tmp_path / "sgd", {**edited.dials, "lr": 0.05}, program=edited.program, values=edited.values)
    fork.advance(8)
    assert fork._schedule.composition(12).left_out == {5}
    back = apply(fork.program, "rule", to="adamw")
    again = fork.fork(14, tmp_path / "back", back.dials, program=back.program, values=back.values)
    again.advance(6)
    for one in (fork, open_run(tmp_path / "sgd"), again, open_run(tmp_path / "back")):
        assert one.verify().ok
        assert np.isfinite(one.metrics()["loss"]).all() and len(one.metrics()["loss"]) == one.step
        weights = one.trajectory("up.weight")[:, :, :]
        assert weights.shape == (16, 8, one.step + 1)
        assert np.array_equal(weights[:, :, 7], run.trajectory("up.weight")[:, :, 7])
        assert explain(one, "up.weight[0,0]", "3:6").ledger.parts.size
    assert what_if(fork, without=[3], start=12).hash != fork.hash()
    fork.close()
    run.close()


def test_a_diagnosis_looks_inside_by_the_program_of_its_window(parent: Run, speedy: Program, tmp_path: Path) -> None:
    fork = gone(parent, speedy, tmp_path / "fork")
    assert min(diagnose(fork).sampled) == 12
    assert diagnose(fork, Window(2, 9)).sampled == diagnose(parent, Window(2, 9)).sampled
