"""Where a live run's process can be reached: a Unix socket that only its owner may open, named in the run's folder.

A run that its process has left for another, a fork by another rule say, names it still, and the step at which it rests.

A socket's path may hold 100 bytes or so, so sockets lie in the system's folder for temporary files, in one of the
owner's own.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import stat
import struct
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ontogeny.isa.errors import OntogenyError
from ontogeny.record.disk import disk, replace_file

NAME = "live.json"
LOG = "live.log"
BEGINNING = 10.0
"""Seconds after which the process that made a socket listens at it, if it is there."""
MOST = 100
"""Bytes that a socket's path may have everywhere."""


@dataclass(frozen=True, slots=True)
class Address:
    """The process of a live run, and its socket."""

    process: int
    socket: str
    since: float
    left: int | None = None
    """The step at which the process went over to another run; None while this is the run that is live there."""

    def write(self, folder: Path) -> None:
        """Says in a run's folder that it is live here, or was until it was left."""
        replace_file(folder / NAME, json.dumps(asdict(self)).encode())


def read(folder: Path) -> Address | None:
    """What a run's folder says of its live process, None where it says nothing readable. The process may be gone."""
    found = _said(folder)
    return found if found is not None and found.left is None else None


def read_left(folder: Path) -> Address | None:
    """The same of the process that has left the run for another one."""
    found = _said(folder)
    return found if found is not None and found.left is not None else None


def remove(folder: Path, address: Address) -> None:
    """The run is live no more, and was not left either, unless another process says so."""
    found = _said(folder)
    if found is not None and replace(found, left=None) == address:
        (folder / NAME).unlink(missing_ok=True)


def _said(folder: Path) -> Address | None:
    try:
        found = json.loads((folder / NAME).read_text())
        left = found.get("left")
        place = int(found["process"]), str(found["socket"]), float(found["since"])
        return Address(*place, None if left is None else int(left))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def is_live(folder: Path) -> bool:
    """Whether a process answers for a run."""
    found = read(folder)
    if found is None:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(found.socket)
        except OSError:
            return False
    return True


def socket_path(folder: Path) -> Path:
    """A fresh path for the socket of a run's process. OntogenyError where its folder is not ours alone."""
    root = _root()
    with disk("making", root):
        root.mkdir(mode=0o700, exist_ok=True)
        found = root.lstat()
    if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077 or not stat.S_ISDIR(found.st_mode):
        raise OntogenyError(f"{root} may be opened by others; remove it, or set TMPDIR to a folder of your own")
    name = hashlib.sha256(f"{folder.resolve()}{os.getpid()}".encode()).hexdigest()[:16]
    path = root / f"{name}.sock"
    if len(os.fsencode(path)) > MOST:
        raise OntogenyError(f"{path} is too long for a socket; set TMPDIR to a shorter folder")
    return path


def sweep() -> None:
    """Removes the sockets that killed processes of the same user left behind: those at which nobody listens."""
    for path in _root().glob("*.sock"):
        with suppress(OSError):
            if _is_left(path):
                path.unlink(missing_ok=True)


def _root() -> Path:
    return Path(tempfile.gettempdir()) / f"ontogeny-{os.getuid()}"


def _is_left(path: Path) -> bool:
    found = path.lstat()
    if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.getuid() or time.time() - found.st_mtime < BEGINNING:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return True
    return False


def ours(connection: socket.socket) -> bool:
    """Whether the process at the other end belongs to the same user, where the system tells."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True  # the folder's mode keeps others out
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return bool(struct.unpack("3i", raw)[1] == os.getuid())
