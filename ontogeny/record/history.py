"""What is recorded of a run's steps, wherever along its lineage it lies: keyframes, hashes, metrics, evaluations."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ontogeny.data.base import Array
from ontogeny.isa.errors import RecordError
from ontogeny.isa.program import Program
from ontogeny.record.disk import RecordWarning
from ontogeny.record.evaluations import Evaluations
from ontogeny.record.hashing import StateHasher
from ontogeny.record.keyframes import Keyframes
from ontogeny.record.lineage import Lineage, Section
from ontogeny.record.rows import Rows


class Part:
    """The record in one section's folder."""

    def __init__(self, section: Section, program: Program, hash_width: int, metrics: tuple[str, ...]) -> None:
        self.first = section.first
        self.last = section.last
        self.rows = Rows(section.folder, section.first, hash_width, metrics)
        self.keyframes = Keyframes(section.folder, program)
        self.evaluations = Evaluations(section.folder)

    def end(self) -> int:
        """The last step that this part has a row for."""
        return self.rows.last if self.last is None else min(self.last, self.rows.last)


class History:
    """The parts of a run, oldest first; the last one is its own."""

    def __init__(self, lineage: Lineage, program: Program, metrics: tuple[str, ...]) -> None:
        self.hasher = StateHasher(program)
        self.names = metrics
        self.sections = lineage.sections
        self.parts = [Part(section, program, self.hasher.width, metrics) for section in lineage.sections]
        self._first_hash = bytes.fromhex(lineage.start["hash"])

    @property
    def own(self) -> Part:
        """The part that grows."""
        return self.parts[-1]

    def hash_row(self, step: int) -> bytes | None:
        """The recorded hash row of a step, or None where none is recorded."""
        if step == 0:
            return self._first_hash
        for part in self.parts:
            if part.first < step and (part.last is None or step <= part.last):
                return part.rows.hash_row(step)
        return None

    def keyframes(self, step: int) -> Iterator[tuple[int, Part]]:
        """The keyframes at or before a step, latest first."""
        for part in reversed(self.parts):
            top = step if part.last is None else min(step, part.last)
            floor = part.first if part.first else -1
            yield from ((k, part) for k in reversed(part.keyframes.steps()) if floor < k <= top)

    def nearest(self, step: int) -> tuple[int, dict[str, Array]]:
        """The latest sound keyframe at or before a step. Warns of damaged ones; RecordError where none is left."""
        for found, part in self.keyframes(step):
            try:
                return found, self.read_keyframe(found, part)
            except RecordError as error:
                if part.keyframes.path(found).exists():  # else thinned out since it was listed
                    warnings.warn(f"{error}; an earlier one is used", RecordWarning, stacklevel=2)
        raise RecordError(f"no sound keyframe is left at or before step {step}, so that state cannot be computed")

    def read_keyframe(self, step: int, part: Part) -> dict[str, Array]:
        """The state in a keyframe. Raises RecordError where it is damaged, or not the state that was hashed."""
        state, hash_row = part.keyframes.read(step)
        if hash_row != self.hasher.row(state) or self.hash_row(step) not in (None, hash_row):
            raise RecordError(f"the keyframe {part.keyframes.path(step)} is not the state that was hashed")
        return state

    def metrics(self, first: int, last: int) -> dict[str, npt.NDArray[np.float64]]:
        """Metrics by name, and `step`, for the recorded ones of the steps `first` to `last`."""
        steps: list[npt.NDArray[np.float64]] = []
        values: list[npt.NDArray[np.float64]] = []
        for part in self.parts:
            low, high = max(first, part.first + 1), min(last, part.end())
            if low <= high:
                steps.append(np.arange(low, high + 1, dtype=np.float64))
                values.append(part.rows.values(low, high))
        table = np.concatenate(values) if values else np.zeros((0, len(self.names)))
        columns = {name: table[:, place].copy() for place, name in enumerate(self.names)}
        return {"step": np.concatenate(steps) if steps else np.zeros(0), **columns}

    def evaluations(self) -> list[dict[str, float]]:
        """All evaluations in order: `step` and the metrics of each."""
        return [
            found
            for part in self.parts
            for found in part.evaluations.all()
            if (part.first < found["step"] or found["step"] == 0)
            and (found["step"] <= part.last if part.last is not None else found["step"] <= part.rows.last)
        ]
