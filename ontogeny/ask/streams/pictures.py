"""Models of images, weakest first: from neighbours, from the frame before, with motion, and all of these mixed."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

from ontogeny.ask.streams import pixels
from ontogeny.ask.streams.mixing import by_context, by_mixture, hashed
from ontogeny.ask.streams.pixels import Frames
from ontogeny.ask.streams.stream import Model, Sent, Stream

Of = Callable[[Frames, int], Sent]


def of_frames(of: Of, stream: Stream) -> Sent:
    """A code of frames on those of a stream."""
    return of(stream.symbols.astype(np.int64), stream.bits)


def predicted(predictor: Callable[[Frames], Frames], frames: Frames, bits: int) -> Sent:
    """What a predictor leaves, by how frequent each difference was so far."""
    left = _wrapped(frames - predictor(frames), bits)
    return by_context(left, np.zeros(left.size, np.uint64), bits)


def filtered(frames: Frames, bits: int) -> Sent:
    """What Paeth's predictor leaves, by zlib, as PNG does."""
    left = _wrapped(frames - pixels.paeth(frames), bits)
    return Sent(8.0 * len(zlib.compress(left.astype("<u1" if bits <= 8 else "<u2").tobytes(), 9)))


def by_activity(frames: Frames, bits: int) -> Sent:
    """What the median leaves, by how much the neighbours differ."""
    left = _wrapped(frames - pixels.median(frames), bits)
    return by_context(left, hashed(pixels.activity(frames).reshape(-1)), bits)


def with_motion(frames: Frames, bits: int) -> Sent:
    """What moved blocks leave, by how much they left at the left and above; the ways that blocks moved are paid for."""
    known, ways = pixels.moved(frames)
    difference = frames - known
    about = abs(pixels.shifted(difference, 0, 1)) + abs(pixels.shifted(difference, 1, 0))
    level = np.digitize(about, (1, 2, 4, 8, 16, 32, 64))
    body = by_context(_wrapped(difference, bits), hashed(level.reshape(-1)), bits)
    paid = _ways(ways)
    return Sent(body.bits + paid, paid, body.holds)


def mixture(frames: Frames, bits: int) -> Sent:
    """Pixels in contexts of their neighbours, of the moved frame before, and of where they lie, mixed."""
    known, ways = pixels.moved(frames)
    w, n, nw, ne = (pixels.shifted(frames, *way) for way in ((0, 1), (1, 0), (1, 1), (1, -1)))
    east, south, west = (pixels.shifted(known, *way) for way in ((0, -1), (-1, 0), (0, 1)))
    guess, off = pixels.median(frames), w - west
    corrected = known + (off + n - pixels.shifted(known, 1, 0)) // 2
    rows, columns = np.indices(frames.shape)[1:]
    lowest, highest, sums = pixels.lately(frames)
    contexts = (
        (guess,), (w, n), (w, n, nw, ne), (known,), (known, guess), (known, east, south), (known, off, n),
        (corrected, pixels.activity(frames)), (known, east, south, w, n), (rows, columns, pixels.earlier(frames)),
        (lowest, highest), (sums,), (sums // 4, known, w - west),
    )  # fmt: skip
    table = np.stack([hashed(*(part.reshape(-1) for part in parts)) for parts in contexts], axis=1)
    body, paid = by_mixture(frames.reshape(-1), table, bits), _ways(ways)
    return Sent(body.bits + paid, paid, body.holds)


def near(frames: Frames, bits: int) -> tuple[npt.NDArray[np.float32], Frames, float]:
    """For a network: what is near each pixel f32[n, inputs], its difference from a guess as a symbol [n], bits paid.

    The guess is the median or the moved block, whichever leaves less; what is near is told less the guess, and small.
    """
    known, ways = pixels.moved(frames)
    guesses = (pixels.median(frames), known)
    sizes = [predicted(lambda _, guess=guess: guess, frames, bits).bits for guess in guesses]  # type: ignore[misc]
    guess = guesses[int(np.argmin(sizes))]
    compass = ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0))
    around = [pixels.shifted(frames, *way) for way in compass]
    then = [pixels.shifted(known, *way) for way in ((0, 0), (0, -1), (-1, 0), (0, 1), (1, 0), (1, 1))]
    off = [frames_at - then_at for frames_at, then_at in zip(around[:3], (then[3], then[4], then[5]), strict=True)]
    told = [np.arcsinh(part) for part in ([one - guess for one in (*around, *then)] + off)]
    inputs = np.stack([*told, guess / (1 << bits), pixels.activity(frames) / 4], axis=-1)
    paid = 1 + _ways(ways)
    return inputs.reshape(-1, inputs.shape[-1]).astype(np.float32), _wrapped(frames - guess, bits), paid


def _ways(ways: Frames) -> float:
    """Bits of the ways that blocks moved."""
    return by_context(ways, np.zeros(ways.size, np.uint64), ((2 * pixels.REACH + 1) ** 2).bit_length()).bits


def _wrapped(difference: Frames, bits: int) -> Frames:
    """Differences [n] as symbols of as many bits: what is beyond goes round, and back again at the decoder."""
    found: Frames = (difference & (1 << bits) - 1).reshape(-1)
    return found


_LADDER: tuple[tuple[str, str, Of], ...] = (
    ("left", "the pixel to the left", partial(predicted, pixels.left)),
    ("Paeth", "of left, above and both the nearest to their plane", partial(predicted, pixels.paeth)),
    ("Paeth, zlib", "the same, as PNG packs it", filtered),
    ("median edge", "left or above at an edge, else their plane", partial(predicted, pixels.median)),
    ("median, contexts", "the same by how much the neighbours differ", by_activity),
    ("frame before", "the same pixel of the frame before", partial(predicted, pixels.earlier)),
    ("motion", "blocks of the frame before, moved", with_motion),
    ("contexts mixed", "neighbours, moved blocks and places, mixed by what helped", mixture),
)
MODELS = tuple(Model(name, words, partial(of_frames, of)) for name, words, of in _LADDER)
