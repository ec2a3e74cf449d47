"""A run is a pure function of (program, data, seed, journal): however it is reached, a step has the same bits."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from ontogeny.data.arrays import Arrays
from ontogeny.isa.errors import DataError, MachineError, RecordError
from ontogeny.isa.text import from_text
from ontogeny.machine.reference import ReferenceMachine
from ontogeny.record import environment
from ontogeny.record.disk import RecordWarning
from ontogeny.record.keyframes import Keyframes
from ontogeny.record.run import Run, Stop, open_run
from tests.pace import paced
from tests.regression import begin, data, learner, valid


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with begin(tmp_path / "run") as made:
        yield made


def straight(folder: Path, turns: dict[int, dict[str, float]], steps: int) -> list[str]:
    """Hashes of steps 0 to `steps`, by the reference machine alone: no run, no keyframes."""
    machine, source, initial = ReferenceMachine(learner().program), data(), begin(folder, evaluate_every=0)
    machine.load(initial.state(0))
    dials = initial.dials(0)
    hashes = [initial.hash(0)]
    for step in range(steps):
        dials = {**dials, **turns.get(step, {})}
        machine.call("learn", source.batch(step), dials)
        hashes.append(initial.history.hasher.row(machine.state())[:8][::-1].hex())
    initial.close()
    return hashes


def test_advance_is_the_machine_applied_to_the_batches(run: Run, tmp_path: Path) -> None:
    run.advance(12)
    run.set_dial("lr", 0.01)
    run.advance(11)
    expected = straight(tmp_path / "straight", {12: {"lr": 0.01}}, 23)
    assert [run.hash(step) for step in range(24)] == expected
    assert len(set(expected)) == 24


def test_seed_data_order_and_dials_matter(tmp_path: Path) -> None:
    runs = [begin(tmp_path / "a"), begin(tmp_path / "b", seed=4), begin(tmp_path / "c", dials={"lr": 0.04})]
    other = begin(tmp_path / "d")
    for made in (*runs, other):
        made.advance(3)
    assert len({made.hash() for made in runs}) == 3
    assert other.hash() == runs[0].hash()
    assert int(runs[1].state()["seed"]) == 4


def test_rewind_is_a_read(run: Run) -> None:
    run.advance(21)
    before = {p: p.read_bytes() for p in run.folder.rglob("*") if p.is_file()}
    for step in (20, 0, 7, 8, 9, 21):
        assert run.history.hasher.row(run.state(step)) == run.history.hash_row(step)
    assert {p: p.read_bytes() for p in run.folder.rglob("*") if p.is_file()} == before
    run.advance(1)
    assert run.verify().ok


@pytest.mark.parametrize("step", [-1, 6])
def test_states_that_are_not_recorded(run: Run, step: int) -> None:
    run.advance(5)
    with pytest.raises(RecordError, match="steps 0 to 5"):
        run.state(step)


def test_metrics_and_evaluations(run: Run) -> None:
    seen: list[tuple[int, dict[str, float]]] = []
    run.advance(11, on_step=lambda step, metrics: seen.append((step, dict(metrics))))
    found = run.metrics()
    assert list(found) == ["step", "loss", "largest"]
    assert found["step"].tolist() == list(range(1, 12))
    assert found["loss"].tolist() == [metrics["loss"] for _, metrics in seen]
    assert run.metrics(4, 6)["step"].tolist() == [4, 5, 6]
    assert [e["step"] for e in run.evaluations()] == [0, 5, 10]
    assert seen[9][1]["valid.loss"] == seen[10][1]["valid.loss"] == run.evaluations()[2]["loss"]
    machine = ReferenceMachine(run.program)
    machine.load(run.state(5))
    inputs = {f"valid.{name}": array for name, array in valid().items()}
    assert float(machine.call("evaluate", inputs, {})["loss"]) == run.evaluations()[1]["loss"]


def test_until(run: Run) -> None:
    assert run.advance(500, until=lambda metrics: metrics["valid.loss"] < 1) is Stop.CONDITION
    assert run.step % 5 == 0 and run.evaluations()[-1]["loss"] < 1
    assert run.advance(3, until=lambda metrics: False) is Stop.STEPS
    assert run.advance(0) is Stop.STEPS


def test_a_reopened_run_goes_on_to_the_same_bits(run: Run, tmp_path: Path) -> None:
    run.advance(13)
    run.set_dial("momentum", 0.5)
    run.close()
    again = open_run(run.folder)
    assert (again.step, again.hash(), again.dials()) == (13, run.hash(), run.dials())
    again.advance(10)
    assert again.hash() == straight(tmp_path / "straight", {13: {"momentum": 0.5}}, 23)[-1]
    assert [e["step"] for e in again.evaluations()] == [0, 5, 10, 15, 20]
    again.close()


def test_dials_by_step(run: Run) -> None:
    run.advance(3)
    run.set_dial("lr", 0.5, author="an autopilot")
    run.set_dial("lr", 0.25)
    assert run.dials(2)["lr"] == 0.05
    assert run.dials(3)["lr"] == run.dials()["lr"] == run.dials(1000)["lr"] == 0.25
    assert [(e.kind, e.at, e.author) for e in run.entries[1:]] == [("dial", 3, "an autopilot"), ("dial", 3, "you")]


@pytest.mark.parametrize(("name", "value"), [("rate", 1.0), ("lr", float("nan")), ("lr", float("inf")), ("lr", "fast")])
def test_dials_that_are_refused(run: Run, name: str, value: float) -> None:
    with pytest.raises(RecordError, match="dial"):
        run.set_dial(name, value)
    assert len(run.entries) == 1


def test_turning_dials_and_forking_inside_the_loop(run: Run, tmp_path: Path) -> None:
    forks: list[Run] = []

    def steer(step: int, metrics: object) -> None:
        if step == 6:
            run.set_dial("lr", 0.001)
            forks.append(run.fork(4, tmp_path / "fork", {"lr": 0.2}))
            forks[0].advance(5)
            assert run.history.hasher.row(run.state(3)) == run.history.hash_row(3)

    run.advance(15, on_step=steer)
    assert [run.hash(s) for s in range(16)] == straight(tmp_path / "s1", {6: {"lr": 0.001}}, 15)
    assert [forks[0].hash(s) for s in range(10)] == straight(tmp_path / "s2", {4: {"lr": 0.2}}, 9)


def test_a_fork_copies_nothing_and_shares_its_past(run: Run, tmp_path: Path) -> None:
    run.advance(20)
    fork = run.fork(13, tmp_path / "deep" / "fork", {"lr": 0.2}, author="a study")
    assert sorted(p.name for p in fork.folder.iterdir()) == ["journal.jsonl", "lock"]
    assert (fork.step, fork.base, fork.hash()) == (13, 13, run.hash(13))
    fork.advance(10)
    assert [fork.hash(s) for s in range(24)] == straight(tmp_path / "s", {13: {"lr": 0.2}}, 23)
    assert fork.metrics()["step"].tolist() == list(range(1, 24))
    assert [e["step"] for e in fork.evaluations()] == [0, 5, 10, 15, 20]
    assert fork.history.hasher.row(fork.state(6)) == run.history.hash_row(6)
    assert run.step == 20 and run.verify().ok and fork.verify().ok
    fork.close()
    assert open_run(fork.folder).verify().steps == 10


def test_forks_of_forks(run: Run, tmp_path: Path) -> None:
    run.advance(10)
    one = run.fork(9, tmp_path / "one", {"lr": 0.2})
    one.advance(10)
    two = one.fork(17, tmp_path / "two", {"momentum": 0.1})
    early = one.fork(4, tmp_path / "early")
    for fork in (two, early):
        fork.advance(5)
        fork.close()
    one.close()
    turns = {9: {"lr": 0.2}, 17: {"momentum": 0.1}}
    found = open_run(tmp_path / "two")
    assert [found.hash(s) for s in range(23)] == straight(tmp_path / "s", turns, 22)
    assert found.history.hasher.row(found.state(18)) == found.history.hash_row(18)
    assert open_run(tmp_path / "early").hash() == run.hash(9)
    assert early.dials() == run.dials(4)


def test_a_fork_can_undo_what_stands_at_its_step(run: Run, tmp_path: Path) -> None:
    run.advance(5)
    run.set_dial("lr", 0.5)
    run.advance(2)
    assert run.fork(5, tmp_path / "kept").dials()["lr"] == 0.5
    assert run.fork(5, tmp_path / "undone", lines=1).dials()["lr"] == 0.05
    assert run.fork(4, tmp_path / "before").dials()["lr"] == 0.05
    with pytest.raises(RecordError, match="fork there instead"):
        run.fork(6, tmp_path / "late", lines=1)
    with pytest.raises(RecordError, match="1 to 2 lines"):
        run.fork(6, tmp_path / "none", lines=9)


def test_folders_move_together(run: Run, tmp_path: Path) -> None:
    run.advance(4)
    run.fork(3, tmp_path / "fork").close()
    run.close()
    shutil.copytree(tmp_path, tmp_path.parent / f"{tmp_path.name}-moved")
    moved = open_run(tmp_path.parent / f"{tmp_path.name}-moved" / "fork")
    moved.advance(1)
    assert moved.hash() == run.hash(4)
    moved.close()
    shutil.rmtree(tmp_path / "run")
    with pytest.raises(RecordError, match="put its parent back"):
        open_run(tmp_path / "fork")


def test_a_fork_notices_another_parent(run: Run, tmp_path: Path) -> None:
    run.advance(4)
    run.fork(3, tmp_path / "fork")
    run.close()
    shutil.rmtree(run.folder)
    begin(run.folder).close()
    with pytest.raises(RecordError, match="is not the run"):
        open_run(tmp_path / "fork")


def test_forking_takes_milliseconds(run: Run, tmp_path: Path) -> None:
    run.advance(20)
    folders = (tmp_path / str(number) for number in range(20))
    assert paced(lambda: run.fork(13, next(folders)), times=20) < 0.02


def test_calls_and_edits_replay(run: Run) -> None:
    run.advance(6)
    run.call("sleep")
    run.advance(4)
    run.edit("w", [2, 0], [3.25, -1])
    run.advance(4)
    assert int(run.state(6)["naps"]) == 0 and int(run.state(7)["naps"]) == 1
    assert run.verify().ok
    run.close()
    assert open_run(run.folder).verify().ok
    with pytest.raises(MachineError, match="no routine"):
        run.call("dream")
    with pytest.raises(RecordError, match="no register"):
        run.edit("v", [0], [1])
    with pytest.raises(RecordError, match="cannot be edited"):
        run.edit("w", [3], [1])


def test_notes_change_nothing(run: Run) -> None:
    run.advance(3)
    run.note("command", author="you", text="größer")
    assert run.entries[-1]["text"] == "größer"
    run.advance(3)
    assert run.verify().ok
    with pytest.raises(RecordError, match="another kind"):
        run.note("dial", name="lr", value=3)
    with pytest.raises(RecordError, match="JSON"):
        run.note("command", value=float("nan"))
    assert len(open_run(run.folder).entries) == 2


def test_one_writer_at_a_time(run: Run) -> None:
    run.advance(2)
    other = open_run(run.folder)
    assert other.state(1)["w"].shape == (3, 1)
    with pytest.raises(RecordError, match=f"process {os.getpid()}"):
        other.advance(1)
    run.advance(1)
    run.close()
    other.advance(2)
    assert other.step == 5
    with pytest.raises(RecordError, match="being written"):
        run.set_dial("lr", 1.0)
    other.close()
    run.advance(1)
    assert run.step == 6 and run.verify().ok


def test_interrupting_leaves_a_run_that_goes_on(run: Run, tmp_path: Path) -> None:
    def press(step: int, _: object) -> None:
        if step == 7:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run.advance(50, on_step=press)
    assert run.step in (7, 8)
    assert open_run(run.folder).step == run.step
    run.advance(20 - run.step)
    assert run.hash() == straight(tmp_path / "s", {}, 20)[-1]


def test_an_error_in_a_step_leaves_the_state_before_it(run: Run, tmp_path: Path) -> None:
    run.advance(5)
    run.data.arrays["x"] = run.data.arrays["x"].astype(np.float64)
    with pytest.raises(MachineError, match="f64"):
        run.advance(1)
    run.data.arrays["x"] = run.data.arrays["x"].astype(np.float32)
    assert run.step == 5
    run.advance(3)
    assert run.hash() == straight(tmp_path / "s", {}, 8)[-1]


def test_advancing_in_a_thread(run: Run) -> None:
    thread = threading.Thread(target=run.advance, args=(30,))
    thread.start()
    thread.join()
    assert run.step == 30 and run.verify().ok


def test_verify_names_the_step_and_the_register(run: Run) -> None:
    run.advance(20)
    path = run.folder / "hashes.bin"
    run.close()
    raw = bytearray(path.read_bytes())
    width = run.history.hasher.width
    raw[10 * width] ^= 1
    raw[10 * width + 8] ^= 1
    path.write_bytes(raw)
    report = open_run(run.folder).verify()
    assert not report.ok
    assert [(d.step, d.registers) for d in report.differences] == [(11, ("w",))]
    assert report.damage == ("the row of step 11 fails its checksum",)
    assert "step 11 differs in w" in str(report)


def test_another_environment_is_warned_of_and_recorded(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.advance(3)
    run.close()
    monkeypatch.setattr(environment, "cpus", lambda: 77)
    again = open_run(run.folder)
    with pytest.warns(RecordWarning, match="threads was .* and is 77"):
        again.advance(2)
    assert [(e.kind, e.at) for e in again.entries[1:]] == [("session", 3)]
    again.close()
    assert open_run(run.folder).verify().ok


def test_changed_data_is_refused(run: Run) -> None:
    run.close()
    changed = data()
    changed.arrays["x"][3, 1] += 1
    with pytest.raises(DataError, match="original dataset"):
        open_run(run.folder, changed)
    with pytest.raises(DataError, match="batch size or seed"):
        open_run(run.folder, data(seed=1))
    assert open_run(run.folder, data()).step == 0
    with pytest.raises(DataError, match="validation data"):
        _ = open_run(run.folder, valid={**valid(), "y": np.zeros((6, 1), np.float32)}).valid


def test_large_data_is_not_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ontogeny.record.creating.MOST_SAVED", 50)
    begin(tmp_path / "run", evaluate_every=0).close()
    assert not (tmp_path / "run" / "data").exists()
    reopened = open_run(tmp_path / "run")
    assert reopened.metrics()["step"].size == 0
    with pytest.raises(DataError, match="pass data="):
        reopened.advance(1)
    again = open_run(tmp_path / "run", data())
    again.advance(3)
    assert again.verify().ok
    again.close()


def test_a_changed_program_is_refused(run: Run) -> None:
    run.close()
    path = run.folder / "program.onto"
    path.write_text(path.read_text().replace("0.5", "0.25"))
    with pytest.raises(RecordError, match="has been changed"):
        open_run(run.folder)


def test_creating_refuses_what_does_not_fit(run: Run, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="already holds a run"):
        begin(run.folder)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    cases = [
        (RecordError, "not empty", "full", {}),
        (RecordError, "no dial", "a", {"dials": {"rate": 1}}),
        (RecordError, "no machine is called", "b", {"machine": "abacus"}),
        (RecordError, "keyframe_every", "c", {"keyframe_every": 0}),
        (RecordError, "64 bits", "d", {"seed": 1 << 63}),
        (MachineError, "valid.x", "e", {"valid": None}),
    ]
    for error, words, name, settings in cases:
        with pytest.raises(error, match=words):
            begin(tmp_path / name, **settings)
    with pytest.raises(RecordError, match="no run in"):
        open_run(tmp_path / "nowhere")


def test_machines_by_factory(tmp_path: Path) -> None:
    with begin(tmp_path / "run", machine=ReferenceMachine) as run:
        run.advance(4)
        assert run.start["machine"] == "ReferenceMachine"
    with pytest.raises(RecordError, match="machine= a factory"):
        open_run(tmp_path / "run").state(2)
    assert open_run(tmp_path / "run", machine=ReferenceMachine).verify().ok


def test_the_learner_at_a_step_starts_another_run(run: Run, tmp_path: Path) -> None:
    run.advance(4)
    from ontogeny.record.run import create

    with create(tmp_path / "next", run.learner, data(seed=5), machine="reference") as following:
        assert np.array_equal(following.state()["w"], run.state()["w"])


def test_an_interrupt_while_the_last_rows_are_synced_is_not_lost(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    flush = run._flush

    def interrupted(sync: bool) -> None:
        flush(sync)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(run, "_flush", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run.advance(3)
    monkeypatch.undo()
    assert run.step == 3
    run.advance(2)


def test_keyframes_keep_every_bit(tmp_path: Path) -> None:
    text = "program p\n" + "".join(
        f"state s{i}: {t}\n"
        for i, t in enumerate(["bf16[300]", "f32[70,5]", "f64[]", "bool[400]", "i8[0]", "u64[99]", "f16[2,2]"])
    )
    program = from_text(text)
    random = np.random.default_rng(0)
    state = {
        "s0": random.integers(0, 1 << 16, 300, np.uint16).view(ml_dtypes.bfloat16),
        "s1": random.standard_normal((70, 5)).astype(np.float32),
        "s2": np.array(np.nan),
        "s3": random.random(400) > 0.5,
        "s4": np.zeros(0, np.int8),
        "s5": random.integers(0, 1 << 63, 99, np.uint64),
        "s6": np.array([[-0.0, 1], [np.inf, 3]], np.float16),
    }
    frames = Keyframes(tmp_path, program)
    assert frames.write(7, state, b"12345678") == frames.path(7).stat().st_size == frames.sizes()[7]
    found, hash_row = frames.read(7)
    assert hash_row == b"12345678" and list(found) == list(state)
    for name, array in state.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()
        assert found[name].flags.writeable


def test_arrays_as_validation(tmp_path: Path) -> None:
    whole = Arrays(valid(), 6)
    with begin(tmp_path / "run", valid=whole) as run:
        run.advance(5)
    assert sorted(open_run(tmp_path / "run").valid or {}) == ["valid.x", "valid.y"]
