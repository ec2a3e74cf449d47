"""Steering a loop that is not ours, from within: commands fall after its steps, as far as such a loop allows.

    recording = og.attach(model, optimizer, "runs/mine")
    og.steerable(recording)

From then on `ontogeny set mine lr=1e-4`, `pause`, `resume`, `freeze`, `alter`, `stop` and the chat reach the loop. It
goes back by its own code alone (`recording.rewind`).
"""

from __future__ import annotations

import atexit
import os
import queue
import time
from collections.abc import Callable, Mapping
from typing import Any

from ontogeny.isa.errors import OntogenyError
from ontogeny.record.attach.loop import Attachment
from ontogeny.steer.command import Command, Outcome, Preview
from ontogeny.steer.live.address import Address, remove, socket_path
from ontogeny.steer.live.loop_commands import LOOP, Loop
from ontogeny.steer.live.server import Server
from ontogeny.steer.session import COMMAND

Task = Callable[[], None]


class LoopSession:
    """Takes commands for a loop of this process; `between` is called after every step, on the loop's thread."""

    def __init__(self, recording: Attachment) -> None:
        self.address = Address(os.getpid(), str(socket_path(recording.folder)), time.time())
        self.loop = Loop(recording)
        self._inbox: queue.SimpleQueue[Task] = queue.SimpleQueue()

    def put(self, task: Task, reads: bool = False) -> None:
        """Work to be done after a step, from any thread."""
        self._inbox.put(task)

    def between(self) -> None:
        """Does what came in; while the loop is paused, waits for more."""
        self.loop.turn()
        while True:
            try:
                self._inbox.get(block=self.loop.paused and not self.loop.recording.stopping)()
            except queue.Empty:
                return

    def foretell(self, command: Command) -> Preview:
        """What a command would do to the loop."""
        return Preview(text=self._known(command).will(self.loop, command), effect=command.EFFECT)

    def do(self, command: Command, author: str = "", id: str = "") -> Outcome:
        """Takes a command; what changes the loop is a line of its journal."""
        known = self._known(command)
        text = known.came(self.loop, command)
        known.act(self.loop, command)
        recording = self.loop.recording
        content: dict[str, Any] = {"command": command.NAME, "arguments": command.given(), "text": text}
        if command.EFFECT.confirmed:
            recording.note(COMMAND, author=author or "you", **content, **({"id": id} if id else {}))
        return Outcome(text=text, run=recording.folder.name, step=recording.step_number)

    def status(self) -> Mapping[str, Any]:
        """How the loop stands, from any thread."""
        recording = self.loop.recording
        state = "stopping" if recording.stopping else "paused" if self.loop.paused else "running"
        about = {"run": recording.folder.name, "step": recording.step_number, "state": state, "goal": None}
        return {**about, "metrics": {}, "trouble": "", "since": self.address.since, "process": self.address.process}

    def end(self) -> None:
        """Takes no more commands."""
        remove(self.loop.recording.folder, self.address)

    def _known(self, command: Command) -> Any:
        if command.NAME not in LOOP:
            raise OntogenyError(
                f"a loop that is not ours cannot be told to {command.NAME}; it can {', '.join(LOOP)}, and goes back by "
                "its own code: recording.rewind(step)"
            )
        return LOOP[command.NAME]


def steerable(recording: Attachment) -> Server:
    """Lets a recorded loop of this process be steered from elsewhere, until the server is closed or the process ends.

    Raises OntogenyError where its socket cannot be made.
    """
    session = LoopSession(recording)
    recording.listeners.append(session.between)
    server = Server(session)
    session.address.write(recording.folder)
    atexit.register(session.end)
    return server
