"""The runs of a folder at a glance: how far each came, where it branched, and how those that are live stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ontogeny.isa.errors import OntogenyError
from ontogeny.record.run import Run
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.commands.places import KEEP
from ontogeny.steer.live.client import state_of
from ontogeny.steer.places import marks
from ontogeny.steer.session import Opener, opened

MOST = 30
PATIENCE = 2.0
"""Seconds that a live run may take to say how it stands."""


def listing(runs: RunsFolder, open: Opener = opened, most: int = MOST) -> list[dict[str, Any]]:
    """The runs written to last, a few plain values each; of one that cannot be read, why."""
    return [row(folder, open) for folder in runs.all()[:most]]


def row(folder: Path, open: Opener = opened) -> dict[str, Any]:
    """One run."""
    try:
        run = open(folder)
    except OntogenyError as error:
        return {"run": folder.name, "error": str(error)}
    found: dict[str, Any] = {"run": folder.name, "step": run.step}
    if isinstance(run, Run):
        found |= {"parent": run.parent.name, "branched_at": run.base} if run.parent else {}
        found |= {"kept": True} if any(entry.kind == KEEP for entry in run.own_entries) else {}
        run.close()
    named = marks(run)
    return {**found, **({"marks": named} if named else {}), **({"live": now} if (now := live_state(folder)) else {})}


def live_state(folder: Path) -> dict[str, Any] | None:
    """How the process of a run stands, None where there is none that answers."""
    try:
        return state_of(folder, PATIENCE)
    except OntogenyError:
        return None
