"""Takes what comes over a live run's socket: one thread a client, each command once, however often it is sent.

A message is {"id", "ask", ...}: `do` and `foretell` with `command` and `arguments` go to the session, between two
steps; `status` is answered at once. The answer is {"id", "ok", "value"}, or {"id", "ok": false, "error"}.
"""

from __future__ import annotations

import socket
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.command import Command, Outcome, Preview
from ontogeny.steer.live import address, wire
from ontogeny.steer.registry import command

REMEMBERED = 10_000
"""Answers that are kept for clients that ask again under the same id."""


class Served(Protocol):
    """A session that is served: its tasks are done between two steps, its status is told at once."""

    address: address.Address

    def put(self, task: Callable[[], None]) -> None:
        """Takes work from another thread."""

    def do(self, command: Command, author: str = ..., id: str = ...) -> Outcome:
        """Takes a command."""

    def foretell(self, command: Command) -> Preview:
        """Says what a command would do."""

    def status(self) -> Mapping[str, Any]:
        """How it stands, from any thread."""


class Server:
    """The socket of a live session, served by threads of its own until `close`."""

    def __init__(self, session: Served) -> None:
        self.session = session
        self.path = Path(session.address.socket)
        self._answers: OrderedDict[str, Future[Any]] = OrderedDict()
        self._lock = threading.Lock()
        self.path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(self.path))
        self.path.chmod(0o600)
        self._socket.listen(128)
        threading.Thread(target=self._accept, name="live clients", daemon=True).start()

    def close(self) -> None:
        """Takes no more clients."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self.path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            if not address.ours(connection):
                return
            try:
                for message in wire.messages(connection):
                    wire.send(connection, self._answered(message))
            except OntogenyError as error:
                wire.send(connection, {"id": None, "ok": False, "error": str(error)})

    def _answered(self, message: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return {"id": message.get("id"), "ok": True, "value": self._value(message)}
        except OntogenyError as error:
            return {"id": message.get("id"), "ok": False, "error": str(error)}

    def _value(self, message: Mapping[str, Any]) -> Any:
        asked = message.get("ask")
        if asked == "status":
            return self.session.status()
        if asked not in ("do", "foretell"):
            raise OntogenyError(f"{asked!r} cannot be asked of a live run; do, foretell and status can")
        name, arguments = message.get("command"), message.get("arguments", {})
        if not isinstance(name, str) or not isinstance(arguments, dict):
            raise OntogenyError("a command has a name and arguments")
        given = command(name, arguments)
        author = str(message.get("author") or "you")
        if asked == "foretell":
            return self._between(lambda: self.session.foretell(given).model_dump(mode="json"))
        id = str(message.get("id"))
        return self._once(id, lambda: self.session.do(given, author, id).model_dump(mode="json"))

    def _once(self, id: str, task: Callable[[], Any]) -> Any:
        """The value of a task that is done once for an id."""
        with self._lock:
            if (future := self._answers.get(id)) is None:
                future = self._answers[id] = self._put(task)
                if len(self._answers) > REMEMBERED:
                    self._answers.popitem(last=False)
        return future.result()

    def _between(self, task: Callable[[], Any]) -> Any:
        return self._put(task).result()

    def _put(self, task: Callable[[], Any]) -> Future[Any]:
        """The task's value, once the session has done it between two steps."""
        future: Future[Any] = Future()

        def work() -> None:
            try:
                future.set_result(task())
            except BaseException as error:
                future.set_exception(error if isinstance(error, OntogenyError) else OntogenyError(_unexpected(error)))

        self.session.put(work)
        return future


def _unexpected(error: BaseException) -> str:
    return f"something unexpected happened: {type(error).__name__}: {error}"
