"""Predictors of pixels, all in whole numbers: from those to the left and above, and from the frame before, with motion.

Frames are [frames, rows, columns]; what lies outside of one is 0, and before the first frame is a black one. A pixel's
neighbours are by the compass: w and n, nw and ne.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.int64]
BLOCK, REACH = 8, 3
"""Sides of a block that moves as one, and how far it may have moved."""
LATELY = 8


def shifted(frames: Frames, down: int, right: int) -> Frames:
    """Each pixel's neighbour so far up and to the left, in the same frame."""
    rows, columns = frames.shape[1:]
    wide = np.pad(frames, ((0, 0), (abs(down), abs(down)), (abs(right), abs(right))))
    first, start = abs(down) - down, abs(right) - right
    return np.ascontiguousarray(wide[:, first : first + rows, start : start + columns])


def left(frames: Frames) -> Frames:
    """The one to the left; at a row's beginning the one above (Sub of PNG, but for that)."""
    found = shifted(frames, 0, 1)
    found[:, 1:, 0] = frames[:, :-1, 0]
    return found


def paeth(frames: Frames) -> Frames:
    """Of w, n and nw the one nearest to w + n - nw (Paeth 1991; PNG, ISO/IEC 15948)."""
    w, n, nw = shifted(frames, 0, 1), shifted(frames, 1, 0), shifted(frames, 1, 1)
    guess = w + n - nw
    to_w, to_n, to_nw = abs(guess - w), abs(guess - n), abs(guess - nw)
    nearest: Frames = np.where((to_w <= to_n) & (to_w <= to_nw), w, np.where(to_n <= to_nw, n, nw))
    return nearest


def median(frames: Frames) -> Frames:
    """The median of w, n and w + n - nw (Weinberger, Seroussi and Sapiro 2000, LOCO-I)."""
    w, n, nw = shifted(frames, 0, 1), shifted(frames, 1, 0), shifted(frames, 1, 1)
    middle: Frames = np.maximum(np.minimum(w, n), np.minimum(np.maximum(w, n), w + n - nw))
    return middle


def earlier(frames: Frames) -> Frames:
    """The same pixel of the frame before."""
    found = np.zeros_like(frames)
    found[1:] = frames[:-1]
    return found


def lately(frames: Frames) -> tuple[Frames, Frames, Frames]:
    """The least and the most that a pixel was in up to LATELY frames before, and twice the mean of these, as it is cut.

    A camera's noise is thereby told from what moves.
    """
    lowest, highest, twice = (np.zeros_like(frames) for _ in range(3))
    for at in range(1, len(frames)):
        past = frames[max(0, at - LATELY) : at]
        lowest[at], highest[at], twice[at] = past.min(axis=0), past.max(axis=0), 2 * past.sum(axis=0) // len(past)
    return lowest, highest, twice


def moved(frames: Frames) -> tuple[Frames, npt.NDArray[np.int64]]:
    """The frame before, each block from where it is most like this one; and which way, as symbols [n].

    Ways are numbered from 0, the block that stays; n blocks of all frames but the first, whose ways have to be sent.
    """
    steps = range(-REACH, REACH + 1)
    ways = sorted(((down, right) for down in steps for right in steps), key=lambda way: abs(way[0]) + abs(way[1]))
    known = earlier(frames)
    tried = [shifted(known, *way) for way in ways]
    errors = np.stack([_by_block(abs(frames - one)) for one in tried])  # [ways, frames, block rows, block columns]
    chosen = errors.argmin(axis=0)
    spread = chosen.repeat(BLOCK, axis=1).repeat(BLOCK, axis=2)[:, : frames.shape[1], : frames.shape[2]]
    return np.take_along_axis(np.stack(tried), spread[None], axis=0)[0], chosen[1:].reshape(-1)


def activity(frames: Frames) -> npt.NDArray[np.int64]:
    """How much the neighbours differ among one another, in nine steps: a context as in LOCO-I, without its signs."""
    w, n, nw, ne = (shifted(frames, *way) for way in ((0, 1), (1, 0), (1, 1), (1, -1)))
    steps: Frames = np.digitize(abs(w - nw) + abs(nw - n) + abs(n - ne), (1, 3, 6, 10, 16, 28, 48, 96))
    return steps


def _by_block(values: Frames) -> Frames:
    """Sums over blocks, the last ones smaller where they do not fit."""
    for axis in (1, 2):
        values = np.add.reduceat(values, np.arange(0, values.shape[axis], BLOCK), axis=axis)
    return values
