"""Who is talking: a conversation for each connection, kept while it is used."""

from __future__ import annotations

import time
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from mcp.server.mcpserver import Context

from ontogeny.faces.mcp import answers
from ontogeny.faces.mcp.conversation import Conversation
from ontogeny.faces.mcp.worker import Worker
from ontogeny.faces.sources import recording
from ontogeny.record.attach import Attached
from ontogeny.record.run import Run
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.listing import listing

SESSION = "mcp-session-id"
MOST = 200
"""Sessions that may be open."""
SILENT = 3600.0
"""Seconds of silence that end a session. Its conversation is forgotten no earlier, so that nobody stands elsewhere
than they were told."""
NAME = 40
"""Characters of a client's name."""


@dataclass(eq=False)
class Desk:
    """The runs that are talked about, whether clients may change them unasked, and the conversations."""

    runs: RunsFolder
    trusting: bool = False
    data_file: str = ""
    _turns: Lock = field(default_factory=Lock)
    _worker: Worker = field(default_factory=lambda: Worker("desk"))
    _talks: OrderedDict[str, Conversation] = field(default_factory=OrderedDict)

    def conversation(self, context: Context[Any, Any]) -> Conversation:
        """The conversation of the connection that a call came by: over HTTP by its session, else the only one."""
        key = str((context.headers or {}).get(SESSION, ""))
        talk = self._talks.pop(key, None) or self._begun(context)
        talk.heard = time.monotonic()
        self._talks[key] = talk
        self._forget()
        return talk

    def listing(self) -> Future[list[dict[str, Any]]]:
        """The runs at a glance."""
        return self._worker.submit(lambda: listing(self.runs, self.open))

    def open(self, folder: Path) -> Run | Attached:
        """The run in a folder."""
        return recording(str(folder), self.data_file)

    def _begun(self, context: Context[Any, Any]) -> Conversation:
        return Conversation(self.runs, author_of(context), self._turns, self.data_file)

    def _forget(self) -> None:
        """Ends what was silent for long, the first in order being silent longest."""
        while len(self._talks) > 2 * MOST or time.monotonic() - next(iter(self._talks.values())).heard > 2 * SILENT:
            self._talks.popitem(last=False)[1].close()


def author_of(context: Context[Any, Any]) -> str:
    """What journals call the client: mcp: and the name that it gives itself."""
    told = context.session.client_params
    name = answers.line(told.client_info.name, NAME) if told is not None else ""
    return f"mcp:{name or 'unnamed'}"
