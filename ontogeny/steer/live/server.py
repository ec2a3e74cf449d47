"""Takes what comes over a live run's socket: one thread a client, each command once, however often it is sent.

A message is {"id", "ask", ...}: `do` and `foretell` with `command` and `arguments` go to the session, between two
steps; `status` is answered at once. The answer is {"id", "ok", "value"}, or {"id", "ok": false, "error"}.
"""

from __future__ import annotations

import socket
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.command import Command, Outcome, Preview
from ontogeny.steer.live import address, wire
from ontogeny.steer.live.troubles import logged
from ontogeny.steer.registry import command

REMEMBERED = 1000
"""Answers that are kept for clients that ask again under the same id; the journal knows the ids of all changes."""
LAST_SECONDS = 2.0
"""How long the last answers may take to be sent."""


class Served(Protocol):
    """A session that is served: its tasks are done between two steps, its status is told at once."""

    address: address.Address

    def put(self, task: Callable[[], None], reads: bool = ...) -> None:
        """Takes work from another thread, which may change nothing."""

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
        self._asked = 0
        self._answered_all = threading.Condition(self._lock)
        self.path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(self.path))
        self.path.chmod(0o600)
        self._socket.listen(128)
        threading.Thread(target=self._accept, name="live clients", daemon=True).start()

    def close(self) -> None:
        """Takes no more clients; answers that are under way are sent first."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self.path.unlink(missing_ok=True)
        with self._lock:
            for waiting in self._answers.values():
                waiting.cancel()
            self._answered_all.wait_for(lambda: not self._asked, LAST_SECONDS)

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
                    with self._under_way():
                        wire.send(connection, self._answered(message))
            except OntogenyError as error:
                wire.send(connection, {"id": None, "ok": False, "error": str(error)})
                wire.drain(connection)  # else what it still sends would cost it the answer

    @contextmanager
    def _under_way(self) -> Iterator[None]:
        """While a message is being answered; `close` waits for it."""
        with self._lock:
            self._asked += 1
        try:
            yield
        finally:
            with self._lock:
                self._asked -= 1
                self._answered_all.notify_all()

    def _answered(self, message: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return {"id": message.get("id"), "ok": True, "value": self._value(message)}
        except CancelledError:
            return {"id": message.get("id"), "ok": False, "error": "the process ended before it came to this"}
        except Exception as error:  # whoever asked is answered, and the others are served on
            said = str(error) if isinstance(error, OntogenyError) else logged(error)
            return {"id": message.get("id"), "ok": False, "error": said}

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
            return self._once(
                uuid.uuid4().hex, lambda: self.session.foretell(given).model_dump(mode="json"), reads=True
            )
        id = str(message.get("id") or uuid.uuid4().hex)
        return self._once(id, lambda: self.session.do(given, author, id).model_dump(mode="json"))

    def _once(self, id: str, task: Callable[[], Any], reads: bool = False) -> Any:
        """The value of a task that is done once for an id."""
        with self._lock:
            if (future := self._answers.get(id)) is None:
                future = self._answers[id] = self._put(task, reads)
                if len(self._answers) > REMEMBERED:
                    self._answers.popitem(last=False)
        return future.result()

    def _put(self, task: Callable[[], Any], reads: bool) -> Future[Any]:
        """The task's value, once the session has done it between two steps."""
        future: Future[Any] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(task())
            except BaseException as error:
                future.set_exception(error if isinstance(error, OntogenyError) else OntogenyError(logged(error)))
                if not isinstance(error, Exception):
                    raise  # Ctrl-C is for the process, or the loop, and not for this command alone

        self.session.put(work, reads)
        return future
