"""The autopilot beside a live run: it works on forks, waits while the run waits, and gives way to whoever owns it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ontogeny.isa.errors import OntogenyError
from ontogeny.record.run import open_run
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.autopilot import flight
from ontogeny.steer.autopilot.flight import fly
from ontogeny.steer.live.client import Client, find, state_of
from ontogeny.steer.live.launch import start
from ontogeny.steer.registry import command
from ontogeny.steer.session import Session
from tests.regression import begin


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Client]:
    begin(tmp_path / "one").close()
    client = start(tmp_path / "one", ["live", str(tmp_path / "one"), "--serve", "--paused"])
    client.do(command("run", {"steps": 40}))
    while client.status()["state"] == "running":
        time.sleep(0.01)
    client.do(command("resume"))
    yield client
    with suppress(OntogenyError):
        client.do(command("stop"))
    client.close()


@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [("set", {"dial": "lr", "to": 0.01}, "eve changed the run"), ("stop", {}, "the live run was stopped")],
)
def test_a_person_overrules_it_on_a_live_run(live: Client, name: str, arguments: dict[str, object], why: str) -> None:
    heard: list[str] = []

    def act(text: str) -> None:
        heard.append(text)
        if len(heard) == 5:
            live.do(command(name, arguments), "eve")

    session = Session(RunsFolder(live.folder.parent), "one", host=find)
    report = fly(session, "one", budget="300", steps=100, told=act)
    assert not report.kept and why in report.why
    assert report.run == "one-auto", "the fork that it looked after, in whose journal its lines stand"
    assert all(entry.author != "autopilot" for entry in open_run(live.folder).own_entries)


def test_it_waits_while_a_live_run_is_paused(live: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    looks: list[int] = []

    def act(text: str) -> None:
        heard.append(text)
        if len(heard) == 4:
            live.do(command("pause"))

    def look(folder: Path) -> dict[str, Any] | None:
        """What it sees of the live run; once it has found it paused three times, somebody lets it go on."""
        found = state_of(folder)
        if found is not None and found["state"] == "paused":
            looks.append(len(heard))
            if len(looks) == 3:
                live.do(command("resume"))
        return found

    monkeypatch.setattr(flight, "state_of", look)
    session = Session(RunsFolder(live.folder.parent), "one", host=find)
    report = fly(session, "one", budget="120", steps=100, told=act)
    assert len(looks) == 3 and len(set(looks)) == 1, "nothing is tried between one look and the next"
    assert report.steps <= 120 and len(heard) > looks[0]
