"""Starting the process of a live run, apart from the terminal, and being that process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from ontogeny.isa.errors import OntogenyError
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.live.address import LOG, Address, socket_path, sweep
from ontogeny.steer.live.client import Client, find
from ontogeny.steer.live.server import Server
from ontogeny.steer.live.session import LiveSession
from ontogeny.steer.session import Opener, opened

START_SECONDS = 60.0
OTHERS_SECONDS = 2.0
"""How long another process that holds the run may take to answer."""


def start(folder: Path, words: Sequence[str]) -> Client:
    """A connection to the run's live process, which is started where there is none.

    `words` are the command line of a process that calls `serve` for the folder. Raises OntogenyError with what it
    said where it did not come up.
    """
    if (client := find(folder)) is not None:
        return client
    with (folder / LOG).open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "ontogeny", *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    threading.Thread(target=child.wait, daemon=True).start()  # so that it leaves nothing behind when it ends first
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends:
        if (client := find(folder)) is not None:
            return client
        if child.poll() is not None:
            if (client := _of_another(folder)) is not None:
                return client
            said = (folder / LOG).read_text(errors="replace").strip().splitlines()[-1:]
            raise OntogenyError(f"{folder.name} could not be made live: {said[0] if said else 'it ended at once'}")
        time.sleep(0.05)
    raise OntogenyError(
        f"the live process of {folder.name} did not answer within {START_SECONDS:g} s; see {folder / LOG}"
    )


def _of_another(folder: Path) -> Client | None:
    """A connection to the process of one who was quicker to start it, which may still be on its way."""
    ends = time.monotonic() + OTHERS_SECONDS
    while time.monotonic() < ends:
        if (client := find(folder)) is not None:
            return client
        time.sleep(0.05)
    return None


def serve(folder: Path, *, open: Opener = opened, going: bool = False) -> None:
    """Is the live process of a run, until it is told to end, or by SIGTERM or SIGINT."""
    if (other := find(folder)) is not None:
        other.close()
        raise OntogenyError(f"{folder.name} is live already, in process {other.address.process}")
    sweep()
    address = Address(os.getpid(), str(socket_path(folder)), time.time())
    session = LiveSession(RunsFolder(folder.parent), folder.name, address, open=open)
    session.hold()
    server = Server(session)
    for number in (signal.SIGTERM, signal.SIGINT):  # whoever started it may have had the second ignored
        signal.signal(number, lambda *_: session.put(session.end))
    if going:
        session.put(session.resume)
    try:
        session.serve()
    finally:
        server.close()
