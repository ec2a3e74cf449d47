"""Sound made here: a voice by formants, plucked strings, pink noise and white noise whose entropies are known.

The voice is a train of glottal pulses with a pitch that glides, through resonances at the formants of five vowels
(Peterson and Barney 1952, men), one after the other, with breath on it. Strings are Karplus and Strong's (1983): noise
going round in a delay of the pitch's period, the mean of two neighbours each time. Pink noise is white noise through
1 / (1 - z)^(1/2) (Kasdin 1995), whose first coefficient is 1, so what a sample brings that those before did not tell
is the white noise: its entropy is that of the noise, but for what rounding to whole numbers adds.
"""

from __future__ import annotations

from math import e, log2, pi, sqrt

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from ontogeny.ask.streams.stream import SOUND, Stream, Truth, codes

SECOND, SECONDS, BITS = 8000, 4, 16
VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))
WIDTHS = (80, 100, 120)
WHITE, PINK = 500.0, 300.0
Samples = npt.NDArray[np.float64]


def voice(seed: int = 0) -> Stream:
    """Vowels, sung without words."""
    rng, count = np.random.default_rng(seed), SECOND * SECONDS
    pitch = 110 + 25 * np.sin(2 * pi * np.arange(count) / SECOND * 0.7)
    phase = np.cumsum(pitch / SECOND)
    pulses = np.diff(np.floor(phase), prepend=0.0) + 0.004 * rng.standard_normal(count)
    parts = []
    for place, part in enumerate(np.array_split(lfilter([1], [1, -0.9], pulses), 2 * len(VOWELS))):
        sound = part
        for middle, width in zip(VOWELS[place % len(VOWELS)], WIDTHS, strict=True):
            radius, angle = np.exp(-pi * width / SECOND), 2 * pi * middle / SECOND
            sound = lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius * radius], sound)
        parts.append(sound * np.hanning(len(sound)) / np.abs(sound).max())
    return _stream("voice", 12_000 * np.concatenate(parts), "ten vowels by pulses through formants, with breath")


def strings(seed: int = 0) -> Stream:
    """Eight notes, one after the other."""
    rng, notes = np.random.default_rng(seed), (196, 247, 294, 392, 330, 262, 220, 165)
    each = SECOND * SECONDS // len(notes)
    parts = []
    for note in notes:
        period = SECOND // note
        struck = np.zeros(each)
        struck[:period] = rng.uniform(-1, 1, period)
        loop = np.zeros(period + 2)
        loop[0], loop[period:] = 1.0, -0.498
        parts.append(lfilter([1.0], loop, struck))
    return _stream("plucked strings", 10_000 * np.concatenate(parts), "eight notes of Karplus and Strong's string")


def pink_noise(seed: int = 0) -> Stream:
    """Noise whose power falls as one over the frequency."""
    count = SECOND * SECONDS
    steps = np.arange(1, count)
    coefficients = np.concatenate([[1.0], np.cumprod((steps - 0.5) / steps)])
    size = 1 << (2 * count).bit_length()
    white = PINK * np.random.default_rng(seed).standard_normal(count)
    found = np.fft.irfft(np.fft.rfft(white, size) * np.fft.rfft(coefficients, size), size)[:count]
    return _stream("pink noise", found, f"normal noise of deviation {PINK:g}, coloured", Truth(_normal(PINK), TRUE))


def white_noise(seed: int = 0) -> Stream:
    """Noise of which nothing can be predicted: no code may take less than its entropy."""
    white = WHITE * np.random.default_rng(seed).standard_normal(SECOND * SECONDS)
    return _stream("white noise", white, f"normal noise of deviation {WHITE:g}", Truth(_normal(WHITE), TRUE))


TRUE = "the entropy of its noise"


def _normal(deviation: float) -> float:
    """Bits of a normal number that is rounded to a whole one, of a deviation that is not small."""
    return log2(deviation * sqrt(2 * pi * e))


def _stream(name: str, samples: Samples, how: str, truth: Truth | None = None) -> Stream:
    whole = np.clip(np.rint(samples), -(1 << BITS - 1), (1 << BITS - 1) - 1)
    words = f"{how}; {SECONDS} s of {BITS} bits, {SECOND:,} a second"
    return Stream(name, SOUND, codes(whole, BITS), BITS, float(SECOND), words, truth)
