"""Turns of dials that wait for the process of a search: a file each, taken between two generations.

Whoever asks writes a file under a fresh name; the search's process puts it into the journal under the same id and
takes the file away. One that was journalled and not yet taken away is known by its id, so nothing is done twice.
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ontogeny.record.disk import disk, replace_file

FOLDER = "inbox"


def fresh_id() -> str:
    """An id; later ones sort behind earlier ones."""
    return f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}"


@dataclass(frozen=True)
class Turn:
    """A dial to be turned, by whom, under which id."""

    dial: str
    value: Any
    author: str = "you"
    id: str = field(default_factory=fresh_id)


def put(folder: Path, turn: Turn) -> None:
    """Leaves a turn for the process of a search."""
    with disk("making", folder / FOLDER):
        (folder / FOLDER).mkdir(exist_ok=True)
    replace_file(folder / FOLDER / f"{turn.id}.json", json.dumps(asdict(turn)).encode())


def waiting(folder: Path) -> list[Turn]:
    """All that wait, the oldest first; what cannot be read is taken away."""
    found = []
    for path in sorted((folder / FOLDER).glob("[!.]*.json")):
        try:
            found.append(Turn(**json.loads(path.read_bytes())))
        except (ValueError, TypeError):
            path.unlink(missing_ok=True)
    return found


def taken(folder: Path, turn: Turn) -> None:
    """Takes the file of a turn away."""
    (folder / FOLDER / f"{turn.id}.json").unlink(missing_ok=True)
