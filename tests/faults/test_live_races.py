"""Live runs when things happen at once, or at a bad moment: starts, ends, signals, lost answers, faults of a step."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ontogeny.isa.errors import OntogenyError
from ontogeny.record.disk import RecordWarning
from ontogeny.record.run import open_run
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.live import address
from ontogeny.steer.live.client import Client, Gone, find, live_runs, state_of
from ontogeny.steer.live.launch import start
from ontogeny.steer.registry import command
from ontogeny.steer.session import COMMAND, Session
from tests.regression import begin

Going = Callable[..., Client]


def until(what: Callable[[], object], seconds: float = 60.0) -> None:
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.01)


def gone(process: int) -> None:
    until(lambda: not Path(f"/proc/{process}").exists())


@pytest.fixture
def going(tmp_path: Path) -> Iterator[Going]:
    """Makes the run `one` live, paused; all live runs of the folder end afterwards."""
    begin(tmp_path / "one").close()

    def live(name: str = "one") -> Client:
        return start(tmp_path / name, ["live", str(tmp_path / name), "--serve", "--paused"])

    yield live
    for folder in RunsFolder(tmp_path).all():
        if (client := find(folder)) is not None:
            with client:
                client.do(command("stop"))
            gone(client.address.process)


def test_two_who_start_it_at_once_reach_one_process(going: Going) -> None:
    found: list[Client] = []
    threads = [threading.Thread(target=lambda: found.append(going())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({client.address.process for client in found}) == 1
    found[0].do(command("run", {"steps": 5}))
    until(lambda: found[1].status()["step"] == 5)
    for client in found:
        client.close()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_at_any_moment_costs_no_answered_command(going: Going, tmp_path: Path, sent: int) -> None:
    with going() as client:
        process = client.address.process
        client.do(command("resume"))
        answered: list[str] = []
        killer = threading.Timer(0.4, os.kill, (process, sent))
        killer.start()
        with pytest.raises(OntogenyError):
            while True:
                name = f"mark {len(answered)}"
                client.do(command("mark", {"name": name}))
                answered.append(name)
        gone(process)
    marks = [entry["name"] for entry in open_run(tmp_path / "one").entries if entry.kind == "mark"]
    assert marks[: len(answered)] == answered and len(marks) <= len(answered) + 1
    assert find(tmp_path / "one") is None
    if sent != signal.SIGKILL:
        assert not (tmp_path / "one" / address.NAME).exists()
    with open_run(tmp_path / "one") as run:
        run.advance(1)
    assert run.verify().ok


def test_an_answer_that_was_lost_is_asked_again_of_another_process(going: Going, tmp_path: Path) -> None:
    with going() as client:
        first = client.do(command("set", {"dial": "lr", "by": 0.5}), "eve", "only once")
        os.kill(client.address.process, signal.SIGKILL)
        gone(client.address.process)
    with going() as again:
        assert again.do(command("set", {"dial": "lr", "by": 0.5}), "eve", "only once").text == first.text
        again.do(command("stop"))
        gone(again.address.process)
    run = open_run(tmp_path / "one")
    assert run.dials()["lr"] == 0.025
    assert [entry["id"] for entry in run.entries if entry.kind == COMMAND] == ["only once"]


def test_messages_without_an_id_are_each_taken(going: Going) -> None:
    with going() as client, socket.socket(socket.AF_UNIX) as plain:
        plain.connect(client.address.socket)
        message = {"ask": "do", "command": "set", "arguments": {"dial": "lr", "by": 0.5}}
        for expected in (0.025, 0.0125):
            plain.sendall(json.dumps(message).encode() + b"\n")
            assert json.loads(plain.recv(1 << 16))["value"]["figures"]["after"] == expected


def test_who_goes_away_midway_leaves_a_command_that_is_taken(going: Going) -> None:
    with going() as client:
        for _ in range(5):
            with socket.socket(socket.AF_UNIX) as hasty:
                hasty.connect(client.address.socket)
                message = {"ask": "do", "id": "hasty", "command": "set", "arguments": {"dial": "lr", "by": 0.5}}
                hasty.sendall(json.dumps(message).encode() + b"\n")
        until(lambda: client.foretell(command("set", {"dial": "lr", "to": 1})).text.count("from 0.025"))


def test_stopping_is_always_answered(going: Going) -> None:
    for _ in range(3):
        with going() as client:
            client.do(command("resume"))
            assert "live no more" in client.do(command("stop")).text
            gone(client.address.process)


def test_a_stale_address_is_nobodys(going: Going, tmp_path: Path) -> None:
    place = address.socket_path(tmp_path / "one")
    for process in (os.getpid(), 999_999_999):
        address.Address(process, str(place), 0.0).write(tmp_path / "one")
        assert find(tmp_path / "one") is None
        with going() as client:
            assert client.status()["step"] == 0
            client.do(command("stop"))
            gone(client.address.process)
    (tmp_path / "one" / address.NAME).write_text('{"process": "x"')
    assert find(tmp_path / "one") is None


@pytest.mark.parametrize("reads", [True, False], ids=["closed", "reset"])
def test_a_process_that_ends_while_it_is_asked_is_gone(going: Going, tmp_path: Path, reads: bool) -> None:
    place = address.socket_path(tmp_path / "one")
    address.Address(os.getpid(), str(place), 0.0).write(tmp_path / "one")

    def end() -> None:
        for _ in range(3):
            connection, _name = ending.accept()
            connection.recv(1, 0 if reads else socket.MSG_PEEK)
            while reads and b"\n" not in connection.recv(1 << 16):
                pass
            connection.close()

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as ending:
        ending.bind(str(place))
        ending.listen()
        thread = threading.Thread(target=end)
        thread.start()
        assert state_of(tmp_path / "one") is None
        assert list(live_runs(RunsFolder(tmp_path))) == []
        with Client(tmp_path / "one") as client, pytest.raises(Gone, match="went away"):
            client.status()
        thread.join()
    place.unlink()


def test_a_run_that_is_put_away_is_live_no_more(going: Going, tmp_path: Path) -> None:
    with going() as client:
        client.do(command("run", {"steps": 3}))
        until(lambda: client.status()["step"] == 3)
        client.do(command("fork", {"name": "other"}))
        client.do(command("discard"))
        gone(client.address.process)
    assert find(tmp_path / "one") is None
    session = Session(RunsFolder(tmp_path), "one", host=find)
    session.do(command("take-back", {"run": "other"}))
    assert find(tmp_path / "other") is None, "its process ended with it"
    session.do(command("set", {"dial": "lr", "to": 0.01}))
    assert open_run(tmp_path / "other").dials()["lr"] == 0.01
    assert open_run(tmp_path / "one").dials()["lr"] == 0.05


def test_a_step_that_goes_wrong_is_told_and_the_process_stays(going: Going) -> None:
    with going() as client:
        client.do(command("set", {"dial": "lr", "to": 1e30}))
        client.do(command("run", {"steps": 100}))
        until(lambda: client.status()["state"] == "failed")
        assert "finite" in client.status()["trouble"]
        client.do(command("back", {"to": "0"}))
        client.do(command("set", {"dial": "lr", "to": 0.01}))
        client.do(command("run", {"steps": 5}))
        until(lambda: client.status()["state"] == "paused")
        assert client.status()["step"] == 5 and not client.status()["trouble"]


def test_a_full_disk_is_told_and_what_was_answered_is_there(going: Going, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 14, hard))
    try:
        client = going()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with client:
        client.do(command("resume"))
        until(lambda: client.status()["state"] == "failed")
        assert client.status()["trouble"] and "\n" not in client.status()["trouble"]
        os.kill(client.address.process, signal.SIGTERM)
        gone(client.address.process)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RecordWarning)  # of a row that was torn
        with open_run(tmp_path / "one") as run:
            run.advance(1)
        assert run.verify().ok


def test_a_folder_for_sockets_that_is_too_deep_is_said_so(tmp_path: Path) -> None:
    begin(tmp_path / "one").close()
    deep = tmp_path / ("x" * 90)
    deep.mkdir()
    said = subprocess.run(
        [sys.executable, "-m", "ontogeny", "live", str(tmp_path / "one"), "--serve"],
        env={**os.environ, "TMPDIR": str(deep)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert said.returncode == 1 and "TMPDIR" in said.stderr and "Traceback" not in said.stderr


def test_a_live_run_that_is_discarded_ends_and_no_other_run_is_opened(going: Going, tmp_path: Path) -> None:
    begin(tmp_path / "two").close()
    with going() as one, going("two") as two:
        session = Session(RunsFolder(tmp_path), "two", host=find)
        assert "end the process of two" in session.foretell(command("discard")).text
        assert session.do(command("discard")).run == "one"
        gone(two.address.process)
        assert one.status()["run"] == "one"
        assert not (tmp_path / "two").exists() and (tmp_path / ".discarded" / "two").is_dir()
    assert [entry for entry in open_run(tmp_path / "one").entries if entry.kind == COMMAND] == []


def test_a_fork_of_a_run_that_is_live_is_discarded(going: Going, tmp_path: Path) -> None:
    session = Session(RunsFolder(tmp_path), "one", host=find)
    session.do(command("fork", {"name": "other"}))
    with going():
        assert "other is put away" in Session(session.runs, "other", host=find).do(command("discard")).text
    assert not (tmp_path / "other").exists()
