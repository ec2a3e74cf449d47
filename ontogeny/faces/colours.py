"""Colours of densities: viridis, uniform in lightness and told apart with any colour vision, over light or dark paper.

The map runs so that many elements stand out most from the paper: dark on light paper, bright on dark. Its colours are
the map's own at 33 places, with those between them by straight lines. Counts are laid on it logarithmically.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

VIRIDIS = (
    "440154 470d60 48186a 482374 472d7b 453781 424086 3e4989 3b528b 375b8d 33638d 2f6b8e 2c728e 297a8e 26828e 23898e "
    "21918c 1f988b 1fa088 22a785 28ae80 32b67a 3fbc73 4ec36b 5ec962 70cf57 84d44b 98d83e addc30 c2df23 d8e219 ece51b "
    "fde725"
)
Levels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Theme:
    """Paper and ink, and from which place of the map few, and to which many elements are drawn."""

    paper: str
    ink: str
    soft: str
    line: str
    few: float
    many: float
    overlay: tuple[str, ...]


LIGHT = Theme("#ffffff", "#1d1f23", "#5b616b", "#dfe2e7", 0.90, 0.0, ("#d1495b", "#1d1f23", "#e07a00", "#a84f83"))
DARK = Theme("#14161a", "#e8eaee", "#a3abb8", "#33373f", 0.22, 1.0, ("#ffffff", "#ff6f91", "#ffb04d", "#8fd0f5"))


def rgb(colour: str) -> list[int]:
    """#rrggbb as three numbers."""
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def palette(theme: Theme) -> npt.NDArray[np.uint8]:
    """Colours [256, 3]: that of no element (the paper), then from few to many."""
    known = np.array([rgb(f"#{one}") for one in VIRIDIS.split()], np.float64)
    places = np.linspace(theme.few, theme.many, 255) * (len(known) - 1)
    found = np.stack([np.interp(places, np.arange(len(known)), known[:, k]) for k in range(3)], axis=1)
    return np.concatenate([[rgb(theme.paper)], found.round()]).astype(np.uint8)


def limits(counts: npt.NDArray[np.float32]) -> tuple[float, float]:
    """The least and the greatest count that colours tell apart: from one element, or less where most is less."""
    there = counts[counts > 0]
    if not len(there):
        return 1.0, 10.0
    high = float(there.max())
    low = max(min(1.0, float(np.percentile(there, 5))), high * 1e-6)
    return low, max(high, 2 * low)


def levels(counts: npt.NDArray[np.float32], low: float, high: float) -> Levels:
    """Places in a palette: 0 for none, 1 for `low` and less, 255 for `high`, logarithmically between."""
    with np.errstate(divide="ignore"):
        share = np.log(np.maximum(counts, 1e-30) / low) / np.log(high / low)
    found = 1 + np.round(254 * np.clip(share, 0, 1))
    return np.where(counts > 0, found, 0).astype(np.uint8)


def png(pixels: Levels, colours: npt.NDArray[np.uint8], clear: bool = False) -> bytes:
    """A picture of palette colours as PNG, the first row of pixels on top; where `clear`, colour 0 is transparent."""
    height, width = pixels.shape
    rows = np.zeros((height, width + 1), np.uint8)
    rows[:, 1:] = pixels
    parts: Sequence[tuple[bytes, bytes]] = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", colours.tobytes()),
        *(((b"tRNS", b"\0"),) if clear else ()),
        (b"IDAT", zlib.compress(rows.tobytes(), 6)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
