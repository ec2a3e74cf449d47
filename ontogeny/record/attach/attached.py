"""What was recorded of a loop that is not ours: its parameters over time, its metrics, what it was attached to.

There is no program here, so no state can be computed that was not recorded: questions about values are answered
exactly, questions about causes only as far as values say.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.isa.errors import RecordError
from ontogeny.record.attach import metrics
from ontogeny.record.journal import Entry, Journal
from ontogeny.record.shown import Shown
from ontogeny.record.trace.reader import TraceReader
from ontogeny.record.trace.sharded import ShardedTraces, shard_folders
from ontogeny.record.trace.traces import Traces
from ontogeny.record.trace.view import Trajectory

ATTACH = "attach"
GROUPS = "groups"
"""The kind of entry that says which tensors each group of the optimizers has in the steps after it."""
TRACE = "trace"
METRICS = "metrics.jsonl"


def is_attached(folder: Path | str) -> bool:
    """Whether a folder holds a recorded loop, rather than a run of our own."""
    entries = Journal(Path(folder)).entries
    return bool(entries) and entries[0].kind == ATTACH


class Attached(Shown):
    """A recorded loop. Raises RecordError for a folder that holds none."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._journal = Journal(self.folder)
        if not self._journal.entries or self._journal.entries[0].kind != ATTACH:
            raise RecordError(
                f"there is no recorded loop in {self.folder}; og.attach(model, optimizer, folder) makes one"
            )

    @property
    def start(self) -> Entry:
        """The first entry: what was attached to, and by which policy it is recorded."""
        return self._journal.entries[0]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every journal entry."""
        return tuple(self._journal.entries)

    def groupings(self) -> list[tuple[int, list[dict[str, Any]]]]:
        """The optimizers' groups (see `Settings.groups`), each with the state from which on it holds."""
        return [(entry.at, entry["groups"]) for entry in self._journal.entries if entry.kind == GROUPS]

    @property
    def step(self) -> int:
        """The last recorded step."""
        steps = self.traces.steps
        return int(steps[-1]) if len(steps) else 0

    def refresh(self) -> None:
        """Reads again what the loop has written since."""
        self._journal.reload()
        self.__dict__.pop("traces", None)

    @cached_property
    def traces(self) -> Traces:
        """The trajectories of all recorded tensors."""
        place = self.start["trace"] or self.folder / TRACE
        shards = shard_folders(place)
        return ShardedTraces(shards) if shards else TraceReader(place)

    def trajectory(self, name: str) -> Trajectory:
        """One tensor over time, read when indexed; time is the last axis."""
        return Trajectory(self.traces, name)

    def metrics(self, first: int = 0, last: int | None = None) -> dict[str, npt.NDArray[np.float64]]:
        """What the loop told of each step, by name, and `step`; NaN where it told nothing."""
        merged: dict[int, dict[str, Any]] = {}
        for line in metrics.read(self.folder / METRICS):
            if first <= line["step"] and (last is None or line["step"] <= last):
                merged.setdefault(line["step"], {}).update(line)
        rows = list(merged.values())
        names = dict.fromkeys(name for row in rows for name in row if name not in ("step", "crc"))
        found = {name: np.array([_number(row, name) for row in rows]) for name in names}
        return {"step": np.array([row["step"] for row in rows], np.float64), **found}

    def evaluations(self) -> list[dict[str, float]]:
        """None: a recorded loop has no evaluation of its own."""
        return []

    def __repr__(self) -> str:
        return f"Attached({str(self.folder)!r}, step {self.step}, {len(self.traces.tensors)} tensors)"


def _number(row: Mapping[str, Any], name: str) -> float:
    return float(row.get(name, "nan"))
