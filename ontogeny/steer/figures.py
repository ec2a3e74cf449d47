"""Figures as commands tell them: a curve's value at a step, thinned curves, plain values."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.ask.onsets import Curve
from ontogeny.steer.command import Series

DRAWN = 60
"""Points that a small chart has room for."""


def value_at(curve: Curve | None, step: int) -> float | None:
    """The value of a curve at a step, or the last before it; None where it begins later, or is none."""
    if curve is None:
        return None
    place = int(np.searchsorted(curve[0], step, "right")) - 1
    return float(curve[1][place]) if place >= 0 else None


def thinned(name: str, steps: npt.NDArray[Any], values: npt.NDArray[Any]) -> Series:
    """A curve with about as many points as a small chart shows."""
    every = max(1, len(steps) // DRAWN)
    return Series(name=name, steps=steps[::every].tolist(), values=values[::every].tolist())


def said(value: float | None) -> str:
    """A value in four digits."""
    return "none" if value is None else f"{value:.4g}"


def plain(value: Any) -> Any:
    """The value in what JSON knows."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value.item() if isinstance(value, np.generic) else value
