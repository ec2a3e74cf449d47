"""What a run's `evaluate` routine said, in `evaluations.jsonl`: checksummed lines, made again by replay where lost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ontogeny.record import lines

NAME = "evaluations.jsonl"
SPECIAL = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class Evaluations:
    """Evaluations by step; a damaged line and what follows it is dropped, since none of it is truth."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._file: lines.Appender | None = None
        self.reload()

    def reload(self) -> None:
        """Reads the file again; what was not flushed is forgotten."""
        reading = lines.read(self.path)
        self._found = [_decoded(content) for content in reading.contents]
        self._ends = reading.ends

    def open_for_writing(self, last: int) -> None:
        """Cuts what belongs to steps after `last`, and gets ready to append."""
        self._found = [found for found in self._found if found["step"] <= last]
        self._file = lines.Appender(self.path, self._ends[len(self._found) - 1] if self._found else 0)

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Adds the evaluation of a step in memory."""
        found = {"step": step, **values}
        if self._file is not None:
            self._file.add({name: _encoded(value) for name, value in found.items()})
        self._found.append(found)

    def flush(self, sync: bool) -> None:
        """Writes what waits in memory."""
        if self._file is not None:
            self._file.flush(sync)

    def all(self) -> list[dict[str, float]]:
        """All evaluations, in order of step."""
        return [dict(found) for found in self._found]

    def close(self) -> None:
        """Stops writing."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _encoded(value: float) -> Any:
    return value if math.isfinite(value) else str(value)


def _decoded(content: Mapping[str, Any]) -> dict[str, float]:
    return {name: SPECIAL[value] if isinstance(value, str) else value for name, value in content.items()}
