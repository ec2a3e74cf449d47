"""What a loop told of its steps: one checked line of JSON for each, beside the values.

A line that was damaged is left out and said; the lines after it still count, since each speaks for itself.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ontogeny.record import lines
from ontogeny.record.disk import RecordWarning, disk

STEPS = "optimizer_steps"
"""What is told beside a step for which an optimizer was seen to take not just one step: how many."""


def read(path: Path) -> list[dict[str, Any]]:
    """The sound lines of a file. Warns of damaged ones; a torn tail, which a writer may be at, is passed over."""
    with disk("reading", path):
        raw = path.read_bytes() if path.exists() else b""
    found = [lines.decode(line) for line in raw.split(b"\n")[:-1]]
    sound = [line for line in found if line is not None]
    if len(sound) < len(found):
        said = f"{len(found) - len(sound)} of the {len(found)} lines of {path} are damaged and have been left out"
        warnings.warn(said, RecordWarning, stacklevel=2)
    return sound


def last_step(path: Path) -> int:
    """The last step that the file tells of, -1 where there is none."""
    return max((int(line["step"]) for line in read(path)), default=-1)


def appender(path: Path) -> lines.Appender:
    """The file, ready to be appended to; a torn tail is cut."""
    with disk("reading", path):
        raw = path.read_bytes() if path.exists() else b""
        size = raw.rfind(b"\n") + 1
        if size < len(raw):
            os.truncate(path, size)
    return lines.Appender(path, size)


def line_of(step: int, told: Mapping[str, float]) -> dict[str, Any]:
    """A step's scalars as JSON has them; numbers that it has not, as words."""
    return {"step": step, **{name: v if math.isfinite(v) else str(v) for name, v in told.items()}}
