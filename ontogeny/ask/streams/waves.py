"""Models of sound, weakest first: linear prediction of more and more samples, sent beforehand or found on the way."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from ontogeny.ask.streams.linear import ORDERS, Way, sent_by_frames, sent_on_the_way
from ontogeny.ask.streams.stream import Model, Sent, Stream

SLOW, QUICK = 0.9998, 0.998
FOUND = {
    "least squares 2": (Way(2, SLOW),),
    "least squares 16": (Way(16, SLOW),),
    "least squares 32": (Way(32, SLOW),),
    "least squares, mixed": (*(Way(order, SLOW) for order in (2, 16, 32)), *(Way(order, QUICK) for order in (16, 32))),
}


def framed(order: int, stream: Stream) -> Sent:
    """Coefficients sent with every frame."""
    return sent_by_frames(signed(stream), order, stream.bits)


def adapted(ways: Sequence[Way], stream: Stream) -> Sent:
    """Coefficients found on the way."""
    return sent_on_the_way(signed(stream), stream.bits, ways)


def signed(stream: Stream) -> npt.NDArray[np.int64]:
    """The samples about zero."""
    return stream.symbols.astype(np.int64) - (1 << stream.bits - 1)


def words_of(ways: Sequence[Way]) -> str:
    """What ways of least squares are in words."""
    if len(ways) > 1:
        return "least squares of 2, 16 and 32 samples, slow and quick to forget, mixed by which did well lately"
    return f"{ways[0].order} samples before, coefficients found on the way, the last {1 / (1 - ways[0].kept):,.0f} most"


MODELS = (
    *(
        Model(
            f"linear {order}, Rice",
            f"up to {order} samples before, coefficients sent every 4,096",
            partial(framed, order),
        )
        for order in ORDERS
    ),
    *(Model(name, words_of(ways), partial(adapted, ways)) for name, ways in FOUND.items()),
)
