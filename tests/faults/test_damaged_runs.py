"""Torn, truncated and corrupted files, and full disks: what is lost is named, and the rest still opens."""

from __future__ import annotations

import errno
import gc
import os
import resource
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ontogeny.isa.errors import RecordError
from ontogeny.record.disk import RecordWarning
from ontogeny.record.lines import decode, encode, read
from ontogeny.record.lock import Lock
from ontogeny.record.run import Run, open_run
from tests.regression import begin


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A closed run of 30 steps, its rate turned at 10 and at 20."""
    with begin(tmp_path / "run") as run:
        for value in (0.01, 0.02):
            run.advance(10)
            run.set_dial("lr", value)
        run.advance(10)
    shutil.copytree(tmp_path / "run", tmp_path / "whole")
    return tmp_path / "run"


def final_hash(folder: Path, steps: int) -> str:
    with open_run(folder) as run:
        run.advance(steps - run.step)
        return run.hash()


def whole(folder: Path) -> Path:
    return folder.with_name("whole")


@pytest.mark.parametrize("kept", [0, 1, 40, -1])
def test_a_torn_journal_line_is_cut_and_said(folder: Path, kept: int) -> None:
    path = folder / "journal.jsonl"
    torn = encode({"kind": "dial", "at": 30, "name": "lr", "value": 9.0, "author": "you", "time": 0.0})[:kept]
    sound = path.read_bytes()
    path.write_bytes(sound + torn)
    run = open_run(folder)
    assert run.step == 30 and run.dials()["lr"] == 0.02
    assert path.read_bytes() == sound + torn
    if torn:
        with pytest.warns(RecordWarning, match=f"torn off \\({len(torn)} bytes\\)"):
            run.advance(5)
    else:
        run.advance(5)
    assert path.read_bytes() == sound
    run.close()
    assert run.hash() == final_hash(whole(folder), 35)


def test_a_damaged_line_is_named_and_what_stands_before_it_opens(folder: Path, tmp_path: Path) -> None:
    path = folder / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"value":0.02', b'"value":0.03'))
    with pytest.warns(RecordWarning, match="line 3 of .*journal.jsonl is damaged"):
        run = open_run(folder)
    assert [e.kind for e in run.entries] == ["start", "dial"]
    assert run.metrics()["step"].size == 30
    for step in (0, 9, 15, 20):
        assert run.history.hasher.row(run.state(step)) == run.history.hash_row(step)
    with pytest.raises(RecordError, match="differs from the record at step 21 in w"):
        run.state(22)
    assert run.history.hasher.row(run.state(24)) == run.history.hash_row(24)
    with pytest.raises(RecordError, match="cannot go on"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run.advance(1)
    with run.fork(20, tmp_path / "saved", {"lr": 0.02}) as fork:
        fork.advance(10)
        assert fork.hash() == open_run(whole(folder)).hash()


def test_a_damaged_first_line(folder: Path) -> None:
    path = folder / "journal.jsonl"
    path.write_bytes(b"x" + path.read_bytes())
    with pytest.raises(RecordError, match=r"first line .* is damaged"):
        open_run(folder)
    with pytest.raises(RecordError, match="already holds a run"):
        begin(folder)


@pytest.mark.parametrize("file", ["hashes.bin", "metrics.bin"])
@pytest.mark.parametrize("size", [0, 1, 13, 400])
def test_truncated_rows_are_computed_again(folder: Path, file: str, size: int) -> None:
    os.truncate(folder / file, size)
    run = open_run(folder)
    assert run.step < 30
    assert run.metrics()["step"].size == run.step == len(run.metrics()["loss"])
    with pytest.warns(RecordWarning, match="incomplete and has been cut"):
        run.advance(0)
    run.advance(33 - run.step)
    assert run.hash() == final_hash(whole(folder), 33)
    assert run.verify().ok
    assert [e["step"] for e in run.evaluations()] == list(range(0, 31, 5))
    assert run.dials(15)["lr"] == 0.01
    run.close()


def test_missing_rows_are_computed_again(folder: Path) -> None:
    (folder / "hashes.bin").unlink()
    (folder / "evaluations.jsonl").unlink()
    with pytest.warns(RecordWarning, match="30 steps"):
        assert final_hash(folder, 31) == final_hash(whole(folder), 31)
    assert [e["step"] for e in open_run(folder).evaluations()] == [0, 5, 10, 15, 20, 25, 30]


def test_rubbish_after_the_last_row_is_cut(folder: Path) -> None:
    for file in ("hashes.bin", "metrics.bin"):
        with (folder / file).open("ab") as opened:
            opened.write(bytes(200))
    with pytest.warns(RecordWarning, match="incomplete"):
        assert final_hash(folder, 31) == final_hash(whole(folder), 31)


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[-3] ^= 16
    path.write_bytes(raw)


def behead(path: Path) -> None:
    path.write_bytes(b"?" + path.read_bytes()[1:])


def spoil_header(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"step": 24', b'"step": 16'))


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [flip, behead, spoil_header, halve, empty])
def test_a_damaged_keyframe_is_passed_over(folder: Path, damage: Callable[[Path], None]) -> None:
    damage(folder / "keyframes" / "00000024.keyframe")
    run = open_run(folder)
    with pytest.warns(RecordWarning, match=r"00000024.keyframe.*an earlier one is used"):
        assert run.history.hasher.row(run.state(26)) == run.history.hash_row(26)
    report = run.verify()
    assert not report.differences and "00000024" in report.damage[0] and report.steps == 30
    with pytest.warns(RecordWarning):
        run.advance(2)
    assert run.hash() == final_hash(whole(folder), 32)
    run.close()


def test_another_steps_keyframe_is_not_taken(folder: Path) -> None:
    shutil.copy(folder / "keyframes" / "00000016.keyframe", folder / "keyframes" / "00000024.keyframe")
    with pytest.warns(RecordWarning, match="checksum"):
        assert open_run(folder).state(25)["w"].tobytes() == open_run(whole(folder)).state(25)["w"].tobytes()


def test_without_any_keyframe(folder: Path) -> None:
    shutil.rmtree(folder / "keyframes")
    run = open_run(folder)
    assert run.metrics()["step"].size == 30
    with pytest.raises(RecordError, match="no sound keyframe"):
        run.state(3)
    assert run.verify().damage


def test_a_crash_while_creating(tmp_path: Path) -> None:
    begin(tmp_path / "run").close()
    (tmp_path / "run" / "journal.jsonl").write_bytes(b'{"kind":"sta')
    (tmp_path / "run" / "evaluations.jsonl").unlink(missing_ok=True)
    for file in ("hashes.bin", "metrics.bin"):
        (tmp_path / "run" / file).unlink(missing_ok=True)
    with pytest.raises(RecordError, match="never finished being created"):
        open_run(tmp_path / "run")
    with begin(tmp_path / "run") as run:
        run.advance(3)
        assert run.verify().ok


@pytest.fixture
def quota(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """A disk that takes so many more bytes: `quota[0]`."""
    left = [1 << 40]
    real = os.pwrite

    def pwrite(fd: int, raw: bytes, offset: int) -> int:
        raw = memoryview(raw)[: left[0]]
        if not raw:
            raise OSError(errno.ENOSPC, "No space left on device")
        left[0] -= len(raw)
        return real(fd, raw, offset)

    monkeypatch.setattr(os, "pwrite", pwrite)
    yield left


@pytest.mark.parametrize("space", [0, 5, 100, 333, 700, 1300])
def test_a_full_disk_is_said_and_the_run_goes_on_when_there_is_space(
    tmp_path: Path, quota: list[int], space: int
) -> None:
    run = begin(tmp_path / "run")
    run.advance(5)
    quota[0] = space
    with pytest.raises(RecordError, match="the disk is full"):
        run.advance(200)
    reached = run.step
    assert reached > 5
    assert not list((tmp_path / "run" / "keyframes").glob(".*"))
    shutil.copytree(tmp_path / "run", tmp_path / "crashed")
    quota[0] = 1 << 40
    run.advance(60 - reached)
    assert run.verify().ok
    run.close()
    (tmp_path / "crashed" / "lock").unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RecordWarning)
        assert final_hash(tmp_path / "crashed", 60) == run.hash()
    assert open_run(tmp_path / "crashed").verify().ok


@pytest.mark.parametrize("space", [0, 1, 50])
def test_a_full_disk_refuses_a_dial_whole(tmp_path: Path, quota: list[int], space: int) -> None:
    run = begin(tmp_path / "run")
    run.advance(5)
    quota[0] = space
    with pytest.raises(RecordError, match="the disk is full"):
        run.set_dial("lr", 0.5)
    quota[0] = 1 << 40
    assert run.dials()["lr"] == 0.05
    assert len(open_run(tmp_path / "run").entries) == 1
    run.set_dial("lr", 0.25)
    run.advance(5)
    run.close()
    assert open_run(tmp_path / "run").dials()["lr"] == 0.25


def test_a_limit_on_file_size(tmp_path: Path) -> None:
    run = begin(tmp_path / "run", evaluate_every=0, keyframe_every=100_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(RecordError, match="the disk is full"):
            run.advance(1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert open_run(tmp_path / "run").step < run.step
    run.advance(10)
    assert open_run(tmp_path / "run").step == run.step
    assert run.verify().ok
    run.close()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match=r"making .* failed"):
        begin(tmp_path / "file" / "run")


def test_a_lock_that_cannot_be_opened_is_said_once(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="opening"):
        Lock(tmp_path / "nowhere")
    gc.collect()  # what went wrong while it was taken apart would be a warning, and so fail


def test_lines_prove_themselves(tmp_path: Path) -> None:
    line = encode({"a": "é\n", "b": [1.5, None]})
    assert line.count(b"\n") == 1
    assert decode(line[:-1]) == {"a": "é\n", "b": [1.5, None]}
    for place in range(len(line) - 1):
        spoiled = bytearray(line[:-1])
        spoiled[place] ^= 1
        assert decode(bytes(spoiled)) is None
    (tmp_path / "lines").write_bytes(line * 3 + line[:7])
    reading = read(tmp_path / "lines")
    assert (len(reading.contents), reading.torn, reading.damaged) == (3, 7, None)


def test_closed_runs_are_read_and_opened_for_writing_again(folder: Path) -> None:
    run: Run = open_run(folder)
    run.close()
    run.advance(2)
    run.close()
    run.close()
    assert run.state(32)["w"].shape == (3, 1)
