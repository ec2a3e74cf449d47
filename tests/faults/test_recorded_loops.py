"""Recorded loops that are killed, whose disk is full or slow, whose files are damaged: what was written stays exact."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import ontogeny as og
from ontogeny.isa.errors import RecordError
from ontogeny.record.attach.recorder import Recorder
from ontogeny.record.disk import RecordWarning
from ontogeny.record.trace import Layout, TraceReader, TraceWriter, rows, writer
from tests.recorded_loop import digest

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": ".", "OMP_NUM_THREADS": "1"}


def process(folder: Path, steps: int = 100_000, pause: float = 0.0) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", "-m", "tests.recorded_loop", str(folder), str(steps), str(pause)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)


def script(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=ENVIRONMENT, timeout=120)


def heard(lines: list[str]) -> dict[int, tuple[str, str]]:
    """The hash (and the loss) by step, of what a process has printed; the last line may be cut."""
    words = [line.split() for line in lines if line.endswith("\n")]
    found = {int(w[0]): (w[1], w[2]) for w in words if w[0].isdigit()}
    found.update({int(w[1]): (w[2], "") for w in words if w[0] == "ready"})
    return found


def kill_often(tmp_path: Path, kills: int, seed: int) -> None:
    """Kills a recording loop at random moments; each opens the record again. All that was printed is compared."""
    chance = random.Random(seed)
    folder = tmp_path / "run"
    told: dict[int, tuple[str, str]] = {}
    for _ in range(kills):
        child = process(folder, pause=chance.choice([0.0, 0.002]))
        assert child.stdout is not None
        lines = [child.stdout.readline()]
        assert lines[0].startswith("ready")
        time.sleep(chance.random() * 0.6)
        child.send_signal(signal.SIGKILL)
        child.wait()
        lines += child.stdout.readlines()
        child.stdout.close()
        reached = og.Attached(folder).step
        told = {step: what for step, what in told.items() if step <= reached}
        told.update({step: what for step, what in heard(lines).items() if step <= reached})
        assert max(told) >= reached - 1
    child = process(folder, 5)
    out, _ = child.communicate(timeout=60)
    assert out.endswith("closed\n")
    told.update(heard(out.splitlines(keepends=True)))
    found = og.Attached(folder)
    assert not list((folder / "trace").glob("*.rows"))
    whole(found, told)


def whole(found: og.Attached, told: dict[int, tuple[str, str]]) -> None:
    """Every step up to the last is there, each with the bits that the loop had."""
    assert found.traces.steps.tolist() == list(range(found.step + 1))
    assert set(told) >= set(range(found.step))
    losses = found.metrics()
    by_step = dict(zip(losses["step"].astype(int).tolist(), losses["loss"].tolist(), strict=True))
    values = {name: found.trajectory(name)[...] for name in found.traces.tensors}
    for step, (hashed, loss) in told.items():
        assert digest({name: array[..., step] for name, array in values.items()}) == hashed, f"step {step}"
        if loss and not np.isnan(by_step.get(step, np.nan)):
            assert by_step[step] == float.fromhex(loss)


def test_killed_twice_while_recording(tmp_path: Path) -> None:
    kill_often(tmp_path, 2, 1)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(5))
def test_killed_ten_times_while_recording(tmp_path: Path, seed: int) -> None:
    kill_often(tmp_path, 10, 100 + seed)


# Ends that nobody closed


LOOP = """
import os, sys, torch, ontogeny as og
model = torch.nn.Linear(300, 200)
torch.nn.init.zeros_(model.weight)
run = og.attach(model, None, sys.argv[1], checkpoint_every=50)
for number in range(150):
    with torch.no_grad():
        model.weight += 1
    run.step(float(number))
"""


@pytest.mark.parametrize("end", ["", "raise SystemExit(3)", "raise ValueError('of the loop')"])
def test_a_loop_that_ends_without_closing_has_lost_nothing(tmp_path: Path, end: str) -> None:
    done = script(LOOP + end, str(tmp_path / "run"))
    assert done.returncode == (0 if not end else 3 if "Exit" in end else 1), done.stderr
    assert "Exception ignored" not in done.stderr
    found = og.Attached(tmp_path / "run")
    assert found.step == 150
    assert not list((tmp_path / "run" / "trace").glob("*.rows"))
    np.testing.assert_array_equal(np.diff(found.trajectory("weight")[0, 0, :]), 1)
    assert found.metrics()["loss"].tolist() == list(range(150))


def test_a_forked_child_leaves_the_record_alone(tmp_path: Path) -> None:
    forked = """
child = os.fork()
if child == 0:
    try:
        run.step(0.0)
    except og.OntogenyError as error:
        assert "belongs to process" in str(error)
    else:
        os._exit(9)
    run.close()
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
for number in range(150, 160):
    run.step(float(number))
run.close()
"""
    done = script("import warnings; warnings.simplefilter('ignore')\n" + LOOP + forked, str(tmp_path / "run"))
    assert done.returncode == 0, done.stderr
    assert og.Attached(tmp_path / "run").traces.steps.tolist() == list(range(161))


def test_a_child_that_lives_on_does_not_hold_the_record(tmp_path: Path) -> None:
    lives_on = """
import time
if os.fork() == 0:
    os.close(1); os.close(2)
    time.sleep(20)
    os._exit(0)
run.close()
og.attach(model, None, sys.argv[1], resume=True).close()
"""
    done = script("import warnings; warnings.simplefilter('ignore')\n" + LOOP + lives_on, str(tmp_path / "run"))
    assert done.returncode == 0, done.stderr


# Two writers


def test_two_writers_on_one_run(tmp_path: Path) -> None:
    child = process(tmp_path / "run", pause=0.001)
    assert child.stdout is not None
    child.stdout.readline()
    try:
        model = nn.Linear(2, 2)
        with pytest.raises(RecordError, match=f"being written by process {child.pid}"):
            og.attach(model, None, tmp_path / "run", resume=True)
        with pytest.raises(RecordError, match="being written by process"):
            og.attach(model, None, tmp_path / "run")
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    kinds = [entry.kind for entry in og.Attached(tmp_path / "run").entries]
    assert kinds[0] == "attach" and "session" not in kinds, "the second writer has left no line"


# Full and slow disks

LIMITED = """
import resource, sys, torch, ontogeny as og, tests.recorded_loop as loop
torch.manual_seed(0)
model = torch.nn.Linear(500, 200)
run = og.attach(model, None, sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    for number in range(10_000):
        with torch.no_grad():
            model.weight += torch.randn(200, 500)
        run.step(float(number))
        print(run.step_number, loop.of_model(model), flush=True)
except og.OntogenyError as error:
    print("said", error)
try:
    run.close()
except og.OntogenyError as error:
    print("closing", error)
"""


@pytest.mark.parametrize("limit", [3_000_000, 24_000_000], ids=["rows do not fit", "the block does not fit"])
def test_a_full_disk_is_said_and_what_was_written_is_exact(tmp_path: Path, limit: int) -> None:
    done = script(LIMITED, str(tmp_path / "run"), str(limit))
    assert done.returncode == 0, done.stderr
    assert "said recording stopped: the disk is full" in done.stdout
    assert "closing recording stopped: the disk is full" in done.stdout
    told = {int(w[0]): w[1] for w in map(str.split, done.stdout.splitlines()) if w[0].isdigit()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RecordWarning)
        TraceWriter(tmp_path / "run" / "trace").close()
    found = og.Attached(tmp_path / "run")
    assert found.step >= min(limit // 500_000, 60)
    assert found.traces.steps.tolist() == list(range(found.step + 1))
    for step in range(1, found.step + 1):
        assert step not in told or digest(found.traces.row(step)) == told[step]
    assert max(told) <= found.step + 34


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set once a loop waits for the thread that records it."""
    found, plain = threading.Event(), Recorder._waiting

    def waiting(self: Recorder[Any], attempt: Any) -> Any:
        found.set()
        return plain(self, attempt)

    monkeypatch.setattr(Recorder, "_waiting", waiting)
    return found


def test_a_slow_disk_is_seen_and_memory_stays_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits: threading.Event
) -> None:
    plain = writer.TraceWriter.append

    def slow(self: TraceWriter, layout: Layout, step: int, row: object) -> None:
        assert waits.wait(60), "the loop did not wait for the disk"
        plain(self, layout, step, row)  # type: ignore[arg-type]

    monkeypatch.setattr(writer.TraceWriter, "append", slow)
    model = nn.Linear(100, 100)
    run = og.attach(model, None, tmp_path / "waits", memory=3 * 40_400)
    for number in range(20):
        run.step(float(number))
    assert run.buffers == 3
    assert run.waited > 0
    run.close()
    assert og.Attached(tmp_path / "waits").traces.steps.tolist() == list(range(21))

    over = threading.Event()

    def stuck(self: TraceWriter, layout: Layout, step: int, row: object) -> None:
        assert over.wait(60), "the loop waited for the disk"
        plain(self, layout, step, row)  # type: ignore[arg-type]

    monkeypatch.setattr(writer.TraceWriter, "append", stuck)
    skips = og.attach(model, None, tmp_path / "skips", memory=0, when_slow="skip")
    for number in range(20):
        skips.step(float(number))
    assert skips.buffers == 2 and skips.waited == 0
    over.set()
    skips.close()
    found = og.Attached(tmp_path / "skips")
    assert skips.skipped > 10
    assert len(found.traces.steps) == 21 - skips.skipped
    assert np.nanmax(found.metrics()["skipped"]) == skips.skipped
    assert found.metrics()["loss"].tolist() == list(range(20))


def test_checkpoints_do_not_pile_up_while_the_disk_is_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits: threading.Event
) -> None:
    from ontogeny.record.attach import checkpoints

    plain = checkpoints.replace_file

    def slow(*args: object, **options: object) -> None:
        assert waits.wait(60), "the loop did not wait for the disk"
        plain(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(checkpoints, "replace_file", slow)
    with og.attach(nn.Linear(4, 4), None, tmp_path / "run", checkpoint_every=1) as run:
        for _ in range(6):
            run.step()
        assert run.waited > 0
    assert checkpoints.steps(tmp_path / "run") == [1, 2, 3, 4, 5, 6]


# Damage


def record(folder: Path, steps: int, close: bool = True) -> np.ndarray:
    """A recorded loop; its weights at each step."""
    torch.manual_seed(0)
    model = nn.Linear(64, 48, bias=False)
    run = og.attach(model, None, folder)
    seen = [model.weight.detach().numpy().copy()]
    for number in range(steps):
        with torch.no_grad():
            model.weight += 0.01 * torch.randn_like(model.weight)
        run.step(float(number))
        seen.append(model.weight.detach().numpy().copy())
    if close:
        run.close()
    else:
        while len(run.recorded().traces.steps) <= steps:
            time.sleep(0.01)
        assert run._open is not None
        run._open.recorder._error = OSError("as if it had been killed")
        with pytest.raises(RecordError, match="as if"):
            run.close()
    return np.array(seen)


def spoil(path: Path, at: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 16
    path.write_bytes(raw)


def blocks(folder: Path) -> list[Path]:
    return sorted((folder / "trace").glob("*.block"))


def test_a_damaged_block_is_named_and_the_rest_is_exact(tmp_path: Path) -> None:
    seen = record(tmp_path / "run", 199)
    assert len(blocks(tmp_path / "run")) == 4
    spoil(blocks(tmp_path / "run")[1], 100)
    found = og.Attached(tmp_path / "run")
    with pytest.warns(RecordWarning, match="steps 64 to 127 of weight cannot be read"):
        values = found.trajectory("weight")[...]
    same = values.view(np.uint32) == np.moveaxis(seen, 0, -1).view(np.uint32)
    assert same[:, :, :64].all() and same[:, :, 128:].all()
    lost = np.isnan(values[:, :, 64:128]).all(-1).reshape(-1)
    assert lost[:1024].all() and not lost[1024:].any()
    assert same.reshape(-1, 200)[1024:].all()


def test_a_block_that_has_lost_its_end_is_left_out_and_said(tmp_path: Path) -> None:
    seen = record(tmp_path / "run", 199)
    path = blocks(tmp_path / "run")[1]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.warns(RecordWarning, match="has lost its end; steps 64 to 127 are missing"):
        found = og.Attached(tmp_path / "run").traces
    assert found.steps.tolist() == [*range(64), *range(128, 200)]
    for step in (0, 63, 128, 199):
        assert found.row(step)["weight"].tobytes() == seen[step].tobytes()


def test_a_damaged_row_costs_itself_alone(tmp_path: Path) -> None:
    seen = record(tmp_path / "run", 30, close=False)
    (path,) = (tmp_path / "run" / "trace").glob("*.rows")
    row = rows.stride(TraceReader(tmp_path / "run" / "trace")._sources[0].layout)
    spoil(path, path.stat().st_size - 10 * row)
    expected = [step for step in range(31) if step != 21]
    assert og.Attached(tmp_path / "run").traces.steps.tolist() == expected
    with pytest.warns(RecordWarning, match="1 of the 31 rows in .* are damaged and have been left out"):
        og.attach(nn.Linear(64, 48, bias=False), None, tmp_path / "run", resume=True, error=1e-3).close()
    found = og.Attached(tmp_path / "run").traces
    assert found.steps.tolist() == expected
    assert all(found.row(step)["weight"].tobytes() == seen[step].tobytes() for step in expected)


def test_damaged_scalars_are_left_out_and_the_others_stay(tmp_path: Path) -> None:
    record(tmp_path / "run", 30)
    path = tmp_path / "run" / "metrics.jsonl"
    text = path.read_bytes()
    path.write_bytes(text.replace(b'"loss":9.0', b'"loss":8.0') + b'{"step":3')
    with pytest.warns(RecordWarning, match="1 of the 30 lines"):
        assert og.Attached(tmp_path / "run").metrics()["step"].tolist() == [s for s in range(1, 31) if s != 10]
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        with og.attach(nn.Linear(64, 48, bias=False), None, tmp_path / "run", resume=True) as run:
            run.step(5.0)
    with pytest.warns(RecordWarning):
        assert og.Attached(tmp_path / "run").metrics()["step"].tolist() == [s for s in range(1, 32) if s != 10]
