"""What is recorded of a run's steps, wherever along its lineage it lies: keyframes, hashes, metrics, evaluations.

A history is that of one program. What lies before the program changed is the history `before`: hashes, metrics and
evaluations are looked up there too, states are not, since their registers may be others.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ontogeny.data.base import Array
from ontogeny.isa.errors import RecordError
from ontogeny.isa.program import Program
from ontogeny.record.disk import RecordWarning
from ontogeny.record.evaluations import Evaluations
from ontogeny.record.hashing import StateHasher
from ontogeny.record.keyframes import Keyframes
from ontogeny.record.lineage import Lineage, Section, parent_of
from ontogeny.record.rows import Rows

Columns = dict[str, npt.NDArray[np.float64]]


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
    """The parts of a run by its program, oldest first; the last one is its own.

    `first` is the step that the program began at. Where that is not the root's beginning, `earlier` gives the history
    before, and `begun` makes the first state from there, for when its keyframe is lost.
    """

    def __init__(
        self,
        lineage: Lineage,
        program: Program,
        metrics: tuple[str, ...],
        earlier: Callable[[], History] | None = None,
        begun: Callable[[], dict[str, Array]] | None = None,
    ) -> None:
        self.hasher = StateHasher(program)
        self.names = metrics
        self.sections = lineage.path
        self.first = lineage.origin.at
        self.parts = [Part(section, program, self.hasher.width, metrics) for section in lineage.sections]
        self._lineage = lineage
        self._earlier = earlier if lineage.before else None
        self._begun = begun if lineage.before else None
        self._first_hash = bytes.fromhex(lineage.origin["hash"])

    @cached_property
    def before(self) -> History | None:
        """What is recorded of the steps before the program changed; None where it never did."""
        return self._earlier() if self._earlier else None

    @property
    def own(self) -> Part:
        """The part that grows."""
        return self.parts[-1]

    @property
    def last(self) -> int:
        """The last step: that of the last row, or where the history is cut."""
        return self.own.rows.last if self.own.last is None else self.own.last

    def hash_row(self, step: int) -> bytes | None:
        """The recorded hash row of a step, or None where none is recorded."""
        if step == self.first:
            return self._first_hash
        if step < self.first:
            return self.before.hash_row(step) if self.before else None
        for part in self.parts:
            if part.first < step and (part.last is None or step <= part.last):
                return part.rows.hash_row(step)
        return None

    def keyframes(self, step: int) -> Iterator[tuple[int, Part]]:
        """The keyframes at or before a step by the present program, latest first."""
        for part in reversed(self.parts):
            top = step if part.last is None else min(step, part.last)
            floor = part.first if part is not self.parts[0] else part.first - 1
            yield from ((k, part) for k in reversed(part.keyframes.steps()) if floor < k <= top)

    def nearest(self, step: int) -> tuple[int, dict[str, Array]]:
        """The latest sound keyframe at or before a step. Warns of damaged ones; RecordError where none is left.

        RecordError also for a step by an earlier program, naming the run that can be asked.
        """
        if step < self.first:
            raise RecordError(self.elsewhere(step))
        for found, part in self.keyframes(step):
            try:
                return found, self.read_keyframe(found, part)
            except RecordError as error:
                if part.keyframes.path(found).exists():  # else thinned out since it was listed
                    warnings.warn(f"{error}; an earlier one is used", RecordWarning, stacklevel=2)
        if self._begun is None:
            raise RecordError(f"no sound keyframe is left at or before step {step}, so that state cannot be computed")
        return self.first, self.made_again()

    def made_again(self) -> dict[str, Array]:
        """The first state after the program changed, from the run before. RecordError where it is not the recorded."""
        if self._begun is None:
            raise RecordError("the first state of a run that began with its program is kept, and cannot be made again")
        state = self._begun()
        row = self.hasher.row(state)
        if row != self._first_hash:
            names = ", ".join(self.hasher.differing(self._first_hash, row)) or "some register"
            raise RecordError(
                f"the state at step {self.first}, where the program changed, differs when made in {names}"
            )
        return state

    def elsewhere(self, step: int) -> str:
        """That a step went by an earlier program, in words, and which run can be asked about it."""
        home = self._lineage.home
        parent = parent_of(home, self._lineage.origin).name
        return (
            f"the program changed at step {self.first}, where {home.name} was forked from {parent}, and step {step} is "
            f"before that; ask {parent} about it, or about steps from {self.first} on here"
        )

    def read_keyframe(self, step: int, part: Part) -> dict[str, Array]:
        """The state in a keyframe. Raises RecordError where it is damaged, or not the state that was hashed."""
        state, hash_row = part.keyframes.read(step)
        if hash_row != self.hasher.row(state) or self.hash_row(step) not in (None, hash_row):
            raise RecordError(f"the keyframe {part.keyframes.path(step)} is not the state that was hashed")
        return state

    def metrics(self, first: int, last: int) -> Columns:
        """Metrics by name, and `step`, for the recorded ones of the steps `first` to `last`.

        Where the program changed within, a column of either is NaN where the other does not have it.
        """
        steps: list[npt.NDArray[np.float64]] = []
        values: list[npt.NDArray[np.float64]] = []
        for part in self.parts:
            low, high = max(first, part.first + 1), min(last, part.end())
            if low <= high:
                steps.append(np.arange(low, high + 1, dtype=np.float64))
                values.append(part.rows.values(low, high))
        table = np.concatenate(values) if values else np.zeros((0, len(self.names)))
        columns = {name: table[:, place].copy() for place, name in enumerate(self.names)}
        own = {"step": np.concatenate(steps) if steps else np.zeros(0), **columns}
        if self.before is None or first > self.first:
            return own
        earlier = self.before.metrics(first, min(last, self.first))
        return joined(earlier, own) if last > self.first else earlier

    def evaluations(self) -> list[dict[str, float]]:
        """All evaluations in order: `step` and the metrics of each; NaN for those that only another program has."""
        own = [found for part in self.parts for found in self._evaluated(part)]
        rows = [*(self.before.evaluations() if self.before else ()), *own]
        names = dict.fromkeys(name for row in rows for name in row) if self.before else ()
        return [{**dict.fromkeys(names, math.nan), **row} for row in rows]

    def last_evaluation(self) -> dict[str, float]:
        """The last of them, with the metrics that were measured then; nothing where there was none."""
        for part in reversed(self.parts):
            if found := self._evaluated(part):
                return found[-1]
        return self.before.last_evaluation() if self.before else {}

    def _evaluated(self, part: Part) -> list[dict[str, float]]:
        """The evaluations of a part's own steps."""
        return [found for found in part.evaluations.all() if self._counts(part, found["step"])]

    def _counts(self, part: Part, step: float) -> bool:
        """Whether an evaluation in a part's folder is of one of its steps."""
        return (part.first < step or step == 0) and step <= (part.rows.last if part.last is None else part.last)


def joined(earlier: Columns, own: Columns) -> Columns:
    """Columns of two stretches of steps as one, NaN where one of them has no such column."""
    names = dict.fromkeys([*own, *earlier])
    parts = [(part, np.full(len(part["step"]), np.nan)) for part in (earlier, own)]
    return {name: np.concatenate([part.get(name, gap) for part, gap in parts]) for name in names}
