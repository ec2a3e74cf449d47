"""A run as pictures and pages need it: plain values, read once, with no file kept open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.isa.program import Program
from ontogeny.record.journal import Entry
from ontogeny.record.trace.layout import Tensor

Numbers = npt.NDArray[np.float64]
Line = tuple[Numbers, Numbers]
TRAIN, VALID = "training", "validation"


@dataclass(frozen=True, slots=True)
class View:
    """What was recorded of one run up to `step`; the record of a loop that is not ours has `tensors`, and no program.

    `metrics` are columns with one number per step, beside `step` itself; `evaluations` are rows with a `step` each;
    `branch` is the step it was forked at, or None; `changed` the one at which its program changed, so that a column may
    be NaN on one side; `final` is the hash of the last state.
    """

    name: str
    step: int
    program: Program | None
    metrics: Mapping[str, npt.NDArray[np.float64]]
    evaluations: tuple[Mapping[str, float], ...]
    journal: tuple[Entry, ...]
    about: Mapping[str, Any] = field(default_factory=dict)
    branch: int | None = None
    final: str = ""
    tensors: tuple[Tensor, ...] = ()
    changed: int | None = None

    @property
    def parameters(self) -> int:
        """How many there are."""
        if self.program is None:
            return sum(tensor.size for tensor in self.tensors)
        return sum(decl.type.size for decl in self.program.named_params())

    def measures(self) -> list[str]:
        """The names of all that was measured, loss and accuracy first."""
        names = [name for name in self.metrics if name != "step"]
        names += [name for row in self.evaluations for name in row if name != "step"]
        return sorted(dict.fromkeys(names), key=lambda name: ({"loss": 0, "accuracy": 1}.get(name, 2), name))

    def lines(self, measure: str) -> dict[str, Line]:
        """The training and validation lines of one measure, as far as there are any: steps and values."""
        found: dict[str, Line] = {}
        if measure in self.metrics and len(self.metrics["step"]):
            found[TRAIN] = self._measured(self.metrics["step"], self.metrics[measure])
        rows = [(row["step"], row[measure]) for row in self.evaluations if measure in row]
        if rows:
            steps, values = np.array(rows, dtype=np.float64).T
            found[VALID] = self._measured(steps, values)
        return found

    def _measured(self, steps: Numbers, values: Numbers) -> Line:
        """A line without the steps whose program does not measure it."""
        there = ~np.isnan(values) if self.changed is not None else np.ones(len(values), bool)
        return steps[there], values[there]

    def own_lines(self, measure: str) -> dict[str, Line]:
        """The same from the branch on: what a fork shares is its parent's to draw."""
        first = self.branch or 0
        return {
            kind: (steps[steps >= first], values[steps >= first])
            for kind, (steps, values) in self.lines(measure).items()
        }
