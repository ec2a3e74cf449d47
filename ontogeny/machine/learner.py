"""A learner: a program with the values that its registers start from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy.typing as npt

from ontogeny.isa.errors import ProgramError
from ontogeny.isa.program import Program
from ontogeny.isa.resize import resized

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Learner:
    """A program and its initial values: one array for each register of `program.kept()`.

    `check` holds what the capture's differential check measured, for whoever wants to know how exact it is; `fixed`,
    for each size that was asked of the capture and that the program does not have, why.
    """

    program: Program
    values: Mapping[str, Array]
    check: Mapping[str, float] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)

    def resized(self, **sizes: int) -> Learner:
        """The same learner for another size: `learner.resized(batch=32)`. Values stay; machines share them anyway.

        Raises ProgramError for a size that it does not have, saying why where the capture knows.
        """
        for name in sizes:
            if name in self.fixed:
                raise ProgramError(f"the size {name!r} of {self.program.name!r} is fixed: {self.fixed[name]}")
        return replace(self, program=resized(self.program, sizes))
