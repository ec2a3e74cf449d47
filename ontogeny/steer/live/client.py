"""Talking to a live run's process, and finding it."""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from ontogeny.isa.errors import OntogenyError
from ontogeny.isa.hints import typed
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.command import Command, Outcome, Preview
from ontogeny.steer.live import address, wire
from ontogeny.steer.live.address import Address

PATIENCE = 60.0
"""Seconds that a command may wait for its turn between two steps."""

LOOK_EVERY = 0.05
"""Seconds between two looks at a run that is waited for."""


class Gone(OntogenyError):
    """The process of a live run has ended, perhaps while it was being asked."""


class Client:
    """A connection to a live run's process. Raises OntogenyError where nobody answers."""

    def __init__(self, folder: Path, patience: float = PATIENCE, found: Address | None = None) -> None:
        self.folder = folder
        found = found or address.read(folder)
        if found is None:
            raise Gone(f"{folder.name} is not live; `{typed('live', folder.name)}` makes it so")
        self.address = found
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(patience)
        try:
            self._socket.connect(found.socket)
        except OSError as error:
            self._socket.close()
            raise Gone(f"the live process {found.process} of {folder.name} does not answer: {error}") from error
        self._messages = wire.messages(self._socket)

    def do(self, command: Command, author: str = "you", id: str = "") -> Outcome:
        """Has it take a command, once, however often it is asked under one id."""
        asked = {"ask": "do", "command": command.NAME, "arguments": command.given(), "author": author}
        return Outcome.model_validate(self._ask(asked, id))

    def foretell(self, command: Command) -> Preview:
        """What a command would do there."""
        return Preview.model_validate(
            self._ask({"ask": "foretell", "command": command.NAME, "arguments": command.given()})
        )

    def status(self) -> dict[str, Any]:
        """How the run stands: state, step, goal, metrics."""
        found: dict[str, Any] = self._ask({"ask": "status"})
        return found

    def wait(self, goal: int | None) -> None:
        """Waits until the run has come to a step, or None: until it stands still.

        Raises OntogenyError where it failed on the way, or was paused before that step.
        """
        while (now := self.status())["state"] == "running" and (goal is None or now["step"] < goal):
            time.sleep(LOOK_EVERY)
        if now["trouble"]:
            raise OntogenyError(f"{now['run']} stopped at step {now['step']}: {now['trouble']}")
        if goal is not None and now["step"] < goal:
            raise OntogenyError(f"{now['run']} was stopped at step {now['step']}, before step {goal}; `resume` goes on")

    def close(self) -> None:
        """Ends the connection."""
        self._socket.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, message: dict[str, Any], id: str = "") -> Any:
        given = id or uuid.uuid4().hex
        try:
            wire.send(self._socket, {**message, "id": given})
            answer = next(self._messages, None)
        except TimeoutError as error:
            raise OntogenyError(
                f"the live run {self.folder.name} did not answer in time; ask for its status"
            ) from error
        except OSError as error:
            raise Gone(f"the live run {self.folder.name} went away: {error}") from error
        if answer is None:
            raise Gone(f"the live run {self.folder.name} went away; its record is as far as it came")
        if not answer.get("ok"):
            raise OntogenyError(str(answer.get("error")))
        return answer["value"]


def find(folder: Path) -> Client | None:
    """A connection to the process of a run that is live, None where none answers."""
    if address.read(folder) is None:
        return None
    try:
        return Client(folder)
    except OntogenyError:
        return None


def state_of(folder: Path, patience: float = PATIENCE) -> dict[str, Any] | None:
    """How a live run stands, None where no process answers for it, or ends while it is asked.

    Raises OntogenyError where the process is there and does not answer in time.
    """
    try:
        with Client(folder, patience) as client:
            return client.status()
    except Gone:
        return None


def check_not_left(folder: Path, command: str) -> None:
    """Raises OntogenyError where the live process of a run trains another one now: whoever commands it means that."""
    found = address.read_left(folder)
    if found is None:
        return
    try:
        with Client(folder, found=found) as client:
            now = client.status()["run"]
    except OntogenyError:  # it has ended, and the run is one like any other
        return
    raise OntogenyError(
        f"{folder.name} rests at step {found.left}, since its live process went over to {now}; give `{command}` to "
        f"{now}, or make {folder.name} live again first: `{typed('live', folder.name)}`"
    )


def live_runs(runs: RunsFolder) -> Iterator[dict[str, Any]]:
    """How every live run of a folder stands. What killed processes left behind goes."""
    address.sweep()
    for folder in runs.all():
        if (now := state_of(folder)) is not None:
            yield now
