"""Images made here: scenes whose every frame follows from a few choices, and the same through a noisy camera.

Scenes are discs on a shaded ground. Each of them goes on as it did, or with a probability TURN chooses another of eight
ways, so what a frame brings is known: the entropy of these choices. Discs go round at the edges. How the first frame
looks are choices as well, and the ground is one of GROUNDS. Noise is even over -1, 0 and 1 and never clipped.
"""

from __future__ import annotations

from math import log2

import numpy as np
import numpy.typing as npt

from ontogeny.ask.streams.stream import IMAGES, Stream, Truth

SIDE, FRAMES, SECOND, DISCS = 48, 96, 24, 3
TURN, GROUNDS, RADII = 0.05, 256, (4, 5, 6, 7)
WAYS = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))
Numbers = npt.NDArray[np.int64]


def scene(seed: int = 0, noise: bool = False, frames: int = FRAMES) -> Stream:
    """Discs that move; with `noise`, log2(3) bits a pixel come on top, and nothing can predict them."""
    rng = np.random.default_rng(seed)
    ground = ground_of(int(rng.integers(GROUNDS)))
    radii, greys = rng.choice(RADII, DISCS), rng.integers(0, 256, DISCS)
    places, ways = rng.integers(0, SIDE, (DISCS, 2)), rng.integers(0, len(WAYS), DISCS)
    shown = []
    for frame in range(frames):
        if frame:
            turns = rng.random(DISCS) < TURN
            ways = np.where(turns, (ways + rng.integers(1, len(WAYS), DISCS)) % len(WAYS), ways)
            places = (places + np.array(WAYS)[ways]) % SIDE
        shown.append(drawn(ground, radii, 16 + greys * 7 // 8, places))
    pictures = np.stack(shown)
    if noise:
        pictures = pictures + rng.integers(-1, 2, pictures.shape)
    words = f"{DISCS} discs on a shaded ground, {SIDE} x {SIDE}, {SECOND} frames a second"
    name, more = ("scene, noisy camera", "; noise of -1, 0 or 1 on each pixel") if noise else ("scene", "")
    how = f"{words}; each disc turns with probability {TURN} a frame{more}"
    return Stream(name, IMAGES, pictures.astype(np.uint8), 8, float(SECOND * SIDE * SIDE), how, truth(frames, noise))


def noisy_scene() -> Stream:
    """The same scene, by a camera that adds noise."""
    return scene(noise=True)


def truth(frames: int, noise: bool = False) -> Truth:
    """The choices behind a pixel in the mean, and its noise."""
    each = -TURN * log2(TURN / (len(WAYS) - 1)) - (1 - TURN) * log2(1 - TURN)
    first = log2(GROUNDS) + DISCS * (log2(len(RADII)) + 8 + 2 * log2(SIDE) + log2(len(WAYS)))
    choices = (first + (frames - 1) * DISCS * each) / (frames * SIDE * SIDE)
    how = "the entropy of its choices" + (" and of its noise" if noise else "")
    return Truth(choices + (log2(3) if noise else 0.0), how, at_most=True)


def ground_of(number: int) -> Numbers:
    """One of GROUNDS shades, from 16 to 239, smooth and going round at the edges."""
    rng = np.random.default_rng(1000 + number)
    rows, columns = np.indices((SIDE, SIDE)) * 2 * np.pi / SIDE
    waves = sum(
        rng.normal() * np.cos(a * rows + b * columns + rng.uniform(0, 2 * np.pi)) for a in range(4) for b in range(4)
    )
    return np.asarray(np.clip(np.rint(128 + 25 * waves), 16, 239), np.int64)


def drawn(ground: Numbers, radii: Numbers, greys: Numbers, places: Numbers) -> Numbers:
    """One frame: the later disc lies above."""
    picture, grid = ground.copy(), np.indices((SIDE, SIDE))
    for radius, grey, place in zip(radii, greys, places, strict=True):
        away = (grid - place[:, None, None] + SIDE // 2) % SIDE - SIDE // 2
        picture[(away**2).sum(axis=0) <= radius * radius] = grey
    return picture
