"""A stream: symbols in their order, how many of them come a second, and what is known of how it was made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

TEXT, SOUND, IMAGES = "text", "sound", "images"
KINDS = (TEXT, SOUND, IMAGES)
DIMENSIONS = {TEXT: 1, SOUND: 1, IMAGES: 3}
"""Of the symbols of one channel."""
Symbols = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Truth:
    """What a symbol carries by the way in which it was made, in bits. `at_most`: as much or less."""

    bits: float
    how: str
    at_most: bool = False


@dataclass(frozen=True, slots=True)
class Stream:
    """Whole numbers from 0 to 2^`bits` - 1, `rate` a second: text and sound [n], images [frames, rows, columns].

    Sound of several channels is [n, channels], images [frames, rows, columns, channels]. `how` says where it is from.
    """

    name: str
    kind: str
    symbols: Symbols
    bits: int
    rate: float
    how: str
    truth: Truth | None = None

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.symbols.size / self.rate

    @property
    def sensor(self) -> float:
        """Bits a second that the sensor gives."""
        return self.bits * self.rate

    def packed(self) -> bytes:
        """What a general compressor is given: a byte a symbol, or two or four, the low byte first."""
        return self.symbols.astype("<u1" if self.bits <= 8 else "<u2" if self.bits <= 16 else "<u4").tobytes()

    def channels(self) -> tuple[Stream, ...]:
        """Each channel as a stream."""
        if self.symbols.ndim == DIMENSIONS[self.kind]:
            return (self,)
        parts, count = np.moveaxis(self.symbols, -1, 0), self.symbols.shape[-1]
        return tuple(replace(self, symbols=np.ascontiguousarray(one), rate=self.rate / count) for one in parts)


@dataclass(frozen=True, slots=True)
class Sent:
    """What a model takes for a stream: all `bits`, of which `parameters` were sent beforehand, and what it `holds`.

    `holds` counts the numbers that an adaptive model keeps, which both sides find alike on the way and nobody sends.
    """

    bits: float
    parameters: float = 0.0
    holds: int = 0


@dataclass(frozen=True, slots=True)
class Model:
    """A lossless code of streams of one channel: its name, what it goes by in words, what a stream takes with it."""

    name: str
    words: str
    sent: Callable[[Stream], Sent]


@dataclass(frozen=True, slots=True)
class Rate:
    """A published rate to be seen beside, in bits a second, with its source."""

    name: str
    bits: float
    source: str


PUBLISHED = (
    Rate(
        "the retina's nerve, a human eye", 1e7,
        "Koch et al. 2006, Current Biology 16(14): 1428-1434, by the guinea pig's 875 kbit/s",
    ),
    Rate("behaviour", 10, "Zheng and Meister 2024, The unbearable slowness of being, arXiv 2408.10234"),
)  # fmt: skip


def codes(values: Symbols, bits: int) -> npt.NDArray[np.int64]:
    """Signed whole numbers as symbols from 0, in offset binary."""
    return values.astype(np.int64) + (1 << bits - 1)
