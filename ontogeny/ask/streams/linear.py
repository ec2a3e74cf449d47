"""Linear prediction of sound: coefficients sent with every frame and Rice codes, or found on the way by least squares.

Frames go as in FLAC (Coalson 2001; RFC 9639): differences, or coefficients by Levinson and Durbin as whole numbers, so
that both sides predict by whole numbers alike; the first samples of a frame as they are; of what is left quotient and
remainder by a power of two that is chosen for each part of a frame. Adaptive prediction is recursive least squares
(Haykin, Adaptive Filter Theory), and what is left is coded by a mixture of distributions; both sides do the same on
numbers in double precision.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_toeplitz

from ontogeny.ask.streams import linear_kernels as kernels
from ontogeny.ask.streams.stream import Sent, Symbols

Ints = npt.NDArray[np.int64]
FRAME, PART = 4096, 256
PRECISION, SHIFT_BITS, RICE_BITS, WAY_BITS = 14, 5, 5, 4
ORDERS = (1, 2, 4, 8, 16, 32)
DIFFERENCES = ((), (1,), (2, -1), (3, -3, 1))
"""Predictions that are as good as sent: nothing, the sample before, and what goes on straight or bent."""


@dataclass(frozen=True, slots=True)
class Way:
    """Of how many samples before least squares go, and how much of what was learned counts still a sample later."""

    order: int
    kept: float


def sent_by_frames(samples: Symbols, order: int, bits: int) -> Sent:
    """Samples [n], signed, a frame at a time, by what takes least: differences, or linear prediction up to an order."""
    total = parameters = 0.0
    for first in range(0, len(samples), FRAME):
        frame = samples[first : first + FRAME].astype(np.int64)
        length, own = min(_by(frame, *each, bits) for each in _candidates(frame, order))
        total += length
        parameters += own
    return Sent(total, parameters)


def _candidates(frame: Ints, order: int) -> Iterator[tuple[Ints, int, bool]]:
    """Ways to predict a frame: weights, the shift, and whether they have to be sent beside the way's number."""
    for weights in DIFFERENCES[: min(order, len(frame) - 1) + 1]:
        yield np.array(weights, np.int64), 0, False
    for used in ORDERS:
        if used <= min(order, len(frame) - 1):
            yield *coefficients(frame, used), True


def _by(frame: Ints, whole: Ints, shift: int, sent: bool, bits: int) -> tuple[float, float]:
    """All bits of a frame by one way, and which of them are of the model."""
    rice, choices = rice_bits(residuals(frame, whole, shift)[len(whole) :])
    own = WAY_BITS + choices + (len(whole) * PRECISION + SHIFT_BITS if sent else 0)
    return float(len(whole) * bits + rice + own), float(own)


def coefficients(frame: Ints, order: int) -> tuple[Ints, int]:
    """Whole numbers of PRECISION bits, the nearest sample's first, that predict when divided by 2^shift."""
    if not order:
        return np.zeros(0, np.int64), 0
    windowed = frame * np.hanning(len(frame) + 2)[1:-1]
    size = 1 << (2 * len(windowed) - 1).bit_length()
    power = np.abs(np.fft.rfft(windowed, size)) ** 2
    correlation = np.fft.irfft(power)[: order + 1]
    if correlation[0] <= 0:
        return np.zeros(order, np.int64), 0
    correlation[0] *= 1 + 1e-9  # a pure tone would be predicted by a matrix without an inverse
    real = np.asarray(solve_toeplitz(correlation[:-1], correlation[1:]))
    top = (1 << PRECISION - 1) - 1
    largest = max(float(np.abs(real).max()), 1e-9)
    shift = int(np.clip(np.floor(np.log2(top / largest)), 0, (1 << SHIFT_BITS - 1) - 1))
    return np.clip(np.rint(real * 2.0**shift), -top - 1, top).astype(np.int64), shift


def residuals(frame: Ints, whole: Ints, shift: int) -> Ints:
    """What is left of each sample less its prediction; the first `order` are as they were."""
    order = len(whole)
    left = frame.copy()
    predicted = np.zeros(len(frame) - order, np.int64)
    for back, weight in enumerate(whole.tolist(), start=1):
        predicted += weight * frame[order - back : len(frame) - back]
    left[order:] -= predicted >> shift
    return left


def rice_bits(left: Ints) -> tuple[int, int]:
    """Bits of whole numbers by Rice's code with the best power of two for each part, and the bits of these choices."""
    folded = np.where(left < 0, -2 * left - 1, 2 * left)
    total = choices = 0
    for first in range(0, len(folded), PART):
        part = folded[first : first + PART]
        total += min(int((part >> power).sum()) + len(part) * (1 + power) for power in range((1 << RICE_BITS) - 1))
        choices += RICE_BITS
    return total, choices


def sent_on_the_way(samples: Symbols, bits: int, ways: Sequence[Way]) -> Sent:
    """Samples [n], signed, by least squares in one or several ways, learned from each once it has come."""
    centred, half = samples.astype(np.float64), float(1 << bits - 1)
    told = np.stack([kernels.predictions(centred, way.order, way.kept, half) for way in ways])
    length = kernels.mixture(centred, told, half)
    return Sent(float(length), holds=sum(way.order * (way.order + 1) for way in ways))
