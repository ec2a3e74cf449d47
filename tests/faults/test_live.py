"""Live runs: commands fall between steps, once each, from the owner alone, and a kill loses nothing."""

from __future__ import annotations

import os
import signal
import socket
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ontogeny.isa.errors import OntogenyError
from ontogeny.record.run import open_run
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.live import wire
from ontogeny.steer.live.address import socket_path, sweep
from ontogeny.steer.live.client import Client, find, live_runs
from ontogeny.steer.live.launch import start
from ontogeny.steer.registry import command
from ontogeny.steer.session import COMMAND, Session
from tests.regression import begin


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Client]:
    begin(tmp_path / "one").close()
    client = start(tmp_path / "one", ["live", str(tmp_path / "one"), "--serve", "--paused"])
    yield client
    client.close()
    for _ in range(3):
        for folder in RunsFolder(tmp_path).all():
            other = find(folder)
            if other is not None:
                with other:
                    other.do(command("stop"))
                gone(other)


def gone(client: Client) -> None:
    until(lambda: not Path(f"/proc/{client.address.process}").exists())


def until(what: object, seconds: float = 60.0) -> None:
    ends = time.monotonic() + seconds
    while not what():  # type: ignore[operator]
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.01)


def test_a_run_goes_on_in_its_own_process_and_takes_commands_between_steps(live: Client) -> None:
    live.do(command("run", {"steps": 50}), "eve")
    until(lambda: live.status()["step"] == 50)
    live.do(command("set", {"dial": "lr", "by": 0.5}), "eve")
    live.do(command("resume"))
    until(lambda: live.status()["step"] > 60)
    assert "waits at step" in live.do(command("pause")).text
    step = live.status()["step"]
    time.sleep(0.1)
    assert live.status()["step"] == step and live.status()["state"] == "paused"
    (status,) = live_runs(RunsFolder(live.folder.parent))
    assert status["run"] == "one"
    live.do(command("stop"))
    gone(live)
    run = open_run(live.folder)
    assert run.dials(50)["lr"] == 0.025 and run.verify().ok
    assert [entry["command"] for entry in run.entries if entry.kind == COMMAND] == ["run", "set", "resume"]


def test_a_session_elsewhere_reaches_it_by_name_and_follows_it_to_a_fork(live: Client) -> None:
    session = Session(RunsFolder(live.folder.parent), "one", host=find)
    session.do(command("run", {"steps": 10}))
    until(lambda: live.status()["step"] == 10)
    session.do(command("back", {"to": "4"}))
    session.do(command("set", {"dial": "lr", "to": 0.01}))
    assert session.position.folder.name == "one-4"
    session.do(command("run", {"steps": 3}))
    until(lambda: session.recording().step == 7)
    assert find(live.folder) is None
    assert [status["run"] for status in live_runs(session.runs)] == ["one-4"]


def test_a_command_that_is_sent_twice_is_taken_once(live: Client) -> None:
    for _ in range(3):
        live.do(command("set", {"dial": "lr", "by": 0.5}), "eve", "the same")
    assert live.do(command("set", {"dial": "lr", "by": 1.0})).figures["after"] == 0.025


def test_fifty_clients_lose_and_double_nothing(live: Client) -> None:
    live.do(command("resume"))

    def ask(number: int) -> None:
        with Client(live.folder) as own:
            own.do(command("mark", {"name": f"mark {number}"}), f"client {number}")
            own.status()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    live.do(command("stop"))
    gone(live)
    marks = [entry["name"] for entry in open_run(live.folder).entries if entry.kind == "mark"]
    assert sorted(marks) == sorted(f"mark {number}" for number in range(50))


def test_killed_it_loses_nothing_that_was_answered(live: Client) -> None:
    live.do(command("resume"))
    until(lambda: live.status()["step"] > 20)
    live.do(command("set", {"dial": "lr", "to": 0.001}), "eve")
    os.kill(live.address.process, signal.SIGKILL)
    gone(live)
    run = open_run(live.folder)
    (turned,) = (entry for entry in run.entries if entry.kind == "dial")
    with run:
        run.advance(2)
    assert run.dials()["lr"] == 0.001 and run.step >= turned.at and run.verify().ok
    with pytest.raises(OntogenyError, match="does not answer"):
        Client(live.folder)
    with start(live.folder, ["live", str(live.folder), "--serve", "--paused"]) as again:
        assert again.status()["step"] == run.step


def test_the_socket_of_a_killed_process_goes_and_one_at_which_somebody_listens_stays(live: Client) -> None:
    begin(live.folder.parent / "two").close()
    other = start(live.folder.parent / "two", ["live", str(live.folder.parent / "two"), "--serve", "--paused"])
    paths = [Path(one.address.socket) for one in (live, other)]
    for path in paths:
        os.utime(path, (0, 0))
    live.close()
    os.kill(live.address.process, signal.SIGKILL)
    gone(live)
    assert [one["run"] for one in live_runs(RunsFolder(live.folder.parent))] == ["two"]
    assert [path.exists() for path in paths] == [False, True]
    with other:
        assert other.status()["state"] == "paused"


def test_a_socket_that_was_just_made_is_left_alone(tmp_path: Path) -> None:
    path = socket_path(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
        made.bind(str(path))  # and nobody listens yet
        sweep()
        assert path.exists()
        os.utime(path, (0, 0))
        sweep()
        assert not path.exists()


def test_only_the_owner_may_open_the_socket_and_rubbish_is_refused(live: Client) -> None:
    place = Path(live.address.socket)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600 and stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    for rubbish, said in (
        (b"GET / HTTP/1.1\r\n\r\n", "not JSON"),
        (b"[1]\n", "not a JSON object"),
        (b'{"ask": "eval", "code": "1"}\n', "cannot be asked"),
        (b'{"ask": "do", "command": "__import__"}\n', "no command"),
        (b'{"ask": "do", "command": "set", "arguments": {"dial": "lr", "to": "x"}}\n', "to:"),
        (b"x" * (wire.MOST + 70_000), "longer"),
    ):
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.connect(str(place))
            stranger.sendall(rubbish)
            assert said in stranger.recv(1 << 16).decode()
    assert live.status()["state"] == "paused"


def test_a_second_process_is_refused_and_others_can_still_read(live: Client) -> None:
    again = start(live.folder, ["live", str(live.folder), "--serve"])
    assert again.address.process == live.address.process
    again.close()
    with pytest.raises(OntogenyError, match="is being written by process"):
        open_run(live.folder).set_dial("lr", 0.1)
    assert open_run(live.folder).step == 0


def test_what_goes_wrong_is_found_while_it_runs_and_written_down(live: Client) -> None:
    live.do(command("run", {"steps": 40}))
    until(lambda: live.status()["step"] == 40)
    live.do(command("set", {"dial": "lr", "to": 3.0}))
    live.do(command("run", {"steps": 200}))
    until(lambda: live.status()["state"] != "running")
    names = [found["name"] for found in live.status()["findings"]]
    assert "diverging" in names
    lines = [entry for entry in open_run(live.folder).entries if entry.kind == "finding"]
    assert lines[0].author == "diagnose" and lines[0]["since"] >= 40


def test_a_run_is_stopped_by_a_finding(tmp_path: Path) -> None:
    begin(tmp_path / "one").close()
    session = Session(RunsFolder(tmp_path), "one")
    session.do(command("run", {"steps": 40}))
    session.do(command("set", {"dial": "lr", "to": 1.0}))
    assert "diverging holds" in session.do(command("run", {"until": "diverging", "steps": 500})).text
    assert 40 < session.step() < 540


def test_a_process_goes_over_to_a_fork_and_back_and_the_run_that_it_left_takes_nothing_for_it(live: Client) -> None:
    runs = RunsFolder(live.folder.parent)
    session, other = (Session(runs, "one", host=find) for _ in range(2))
    session.do(command("run", {"steps": 6}))
    until(lambda: live.status()["step"] == 6)
    assert "its live process goes over to that" in session.foretell(command("freeze", {"tensors": ["w"]})).text
    said = session.do(command("freeze", {"tensors": ["w"]})).text
    assert said.endswith("its live process waits at one-freeze now, and one rests at step 6")
    for asked in (command("set", {"dial": "lr", "to": 0.3}), command("pause"), command("undo")):
        for took in (other.do, other.foretell):
            with pytest.raises(OntogenyError, match=rf"one rests at step 6.* give `{asked.NAME}` to one-freeze"):
                took(asked)
    assert other.do(command("fork", {"name": "two"})).text == "two branches from one at step 6"
    session.do(command("fork", {"name": "three"}))
    said = session.do(command("undo")).text
    assert "three is put away" in said and said.endswith("its live process waits at one-freeze now")
    session.do(command("undo"))
    assert session.do(command("set", {"dial": "lr", "to": 0.3})).run == "one", "it is live again"
    with pytest.raises(OntogenyError, match="one-freeze rests at step 6"):
        other.do(command("set", {"run": "one-freeze", "dial": "lr", "to": 0.3}))
    session.do(command("fork", {"name": "two words"}))
    session.do(command("fork", {"name": "three"}))
    with pytest.raises(OntogenyError, match="or make two words live again first: `ontogeny live 'two words'`"):
        other.do(command("set", {"run": "two words", "dial": "lr", "to": 0.3}))


def test_a_live_process_that_is_told_to_discard_its_run_ends(live: Client) -> None:
    live.do(command("fork", {"name": "two"}))
    assert "end the process of two" in live.foretell(command("discard")).text
    assert live.do(command("discard")).text == "two is put away; its live process ends"
    gone(live)
    runs = RunsFolder(live.folder.parent)
    assert [folder.name for folder in runs.all()] == ["one"]
    assert not list(runs.root.glob("**/live.json")), "what it left and what is put away are like any other run"
    turned = Session(runs, "one", host=find).do(command("set", {"dial": "lr", "to": 0.3}))
    assert turned.run == "one"
