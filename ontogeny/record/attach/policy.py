"""What is recorded of a loop, where that is not everything at every step: always asked for, and always announced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import ceil, log2
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ontogeny.isa.errors import RecordError
from ontogeny.isa.types import DType
from ontogeny.record.trace.layout import Layout

MANTISSA = {DType.F16: 10, DType.BF16: 7, DType.F32: 23, DType.F64: 52}


@dataclass(frozen=True, slots=True)
class Policy:
    """`every` n-th step; `only` the tensors of some names or patterns; values within a relative `error`, 0 for exact.

    `when_slow` says what happens when the disk cannot keep up: the loop waits, or a step is skipped and counted.
    """

    every: int = 1
    only: tuple[str, ...] | None = None
    buffers: bool = False
    error: float = 0.0
    when_slow: Literal["wait", "skip"] = "wait"

    def __post_init__(self) -> None:
        if self.every < 1:
            raise RecordError(f"every={self.every} records nothing; give 1 for every step, n for every n-th")
        if not 0 <= self.error < 0.5:
            raise RecordError(f"error={self.error} is not a relative error; give 0 for exact values, or up to 0.5")
        if self.when_slow not in ("wait", "skip"):
            raise RecordError(f"when_slow={self.when_slow!r} is not known; it is 'wait' or 'skip'")

    def as_json(self) -> dict[str, Any]:
        """The policy as a journal keeps it."""
        return {**asdict(self), "only": None if self.only is None else list(self.only)}


@dataclass(frozen=True, slots=True)
class Setup:
    """How a loop is recorded: see `attach`. A recording that goes on from a step of another one names both."""

    policy: Policy
    checkpoint_every: int = 0
    memory: int = 256 << 20
    trace: str = ""
    resume: bool = False
    keep: Mapping[str, Any] = field(default_factory=dict)
    parent: Path | None = None
    first: int = 0
    moments: bool = False

    def __post_init__(self) -> None:
        if self.checkpoint_every < 0 or self.memory < 0:
            low = min(self.checkpoint_every, self.memory)
            raise RecordError(f"checkpoint_every and memory may not be negative; one is {low}")


def round_row(layout: Layout, row: npt.NDArray[np.uint8], error: float) -> None:
    """Rounds a row's floating-point values in place, to nearest, within a relative error: low bits become zero."""
    for bank in layout.banks:
        drop = MANTISSA.get(bank.dtype, 0) - ceil(-log2(error) - 1)
        if drop > 0:
            kind = np.dtype(f"u{bank.dtype.bytes}")
            bits = row[bank.offset : bank.offset + bank.lanes * bank.dtype.bytes].view(kind)
            finite = np.isfinite(bits.view(bank.numpy))
            rounded = (bits + kind.type(1 << (drop - 1))) & ~kind.type((1 << drop) - 1)
            np.copyto(bits, rounded, where=finite & np.isfinite(rounded.view(bank.numpy)))
