"""A learner: a program with the values that its registers start from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from ontogeny.isa.program import Program

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Learner:
    """A program and its initial values: one array for each register of `program.kept()`.

    `check` holds what the capture's differential check measured, for whoever wants to know how exact it is.
    """

    program: Program
    values: Mapping[str, Array]
    check: Mapping[str, float] = field(default_factory=dict)
