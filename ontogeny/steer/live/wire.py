"""What goes over a live run's socket: one JSON object a line, of bounded size, and nothing that could be code."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from typing import Any

from ontogeny.isa.errors import OntogenyError

MOST = 1 << 20
"""Bytes that one message may hold."""


def send(connection: socket.socket, message: Mapping[str, Any]) -> None:
    """Sends one message."""
    connection.sendall(json.dumps(message).encode() + b"\n")


def messages(connection: socket.socket) -> Iterator[dict[str, Any]]:
    """The messages that come in, until the other end is closed. Raises OntogenyError for what is none."""
    waiting = b""
    while True:
        line, found, waiting = waiting.partition(b"\n")
        if found:
            yield _read(line)
            continue
        if len(line) > MOST:
            raise OntogenyError(f"a message is longer than {MOST} bytes")
        more = connection.recv(1 << 16)
        if not more:
            return
        waiting = line + more


def drain(connection: socket.socket) -> None:
    """Reads and forgets what the other end still sends, for a second and some megabytes at most."""
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(1.0)
    for _ in range(64):
        if not connection.recv(1 << 16):
            return


def _read(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise OntogenyError(f"a message is not JSON: {error}") from error
    if not isinstance(message, dict):
        raise OntogenyError("a message is not a JSON object")
    return message
