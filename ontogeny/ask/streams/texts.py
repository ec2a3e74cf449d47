"""Models of text, weakest first: bytes as they are, how frequent each is, compressors, contexts, contexts mixed."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from ontogeny.ask.streams.mixing import Contexts, before, by_context, by_mixture, hashed, last
from ontogeny.ask.streams.stream import Model, Sent, Stream

ORDERS = (1, 2, 3, 4)
MIXED = 6
WORDS = np.isin(np.arange(256), [*range(48, 58), *range(65, 91), *range(97, 123), *range(128, 256)])


def of_order(order: int, stream: Stream) -> Sent:
    """Each symbol by what followed the same `order` symbols before."""
    return by_context(stream.symbols, last(stream.symbols, order), stream.bits)


def mixture(stream: Stream) -> Sent:
    """Orders 0 to 6, the word so far, and the word so far with the one before it."""
    symbols = stream.symbols
    now, then = words(symbols)
    contexts = [last(symbols, order) for order in range(MIXED + 1)]
    return by_mixture(symbols, np.stack([*contexts, now, hashed(now, then)], axis=1), stream.bits)


def words(symbols: npt.NDArray[np.integer]) -> tuple[Contexts, Contexts]:
    """Of each place a context of the letters since the last that is none, and one of the word before these."""
    letters = WORDS[before(symbols, 1) & 255]
    now, then = np.zeros(len(symbols), np.uint64), np.zeros(len(symbols), np.uint64)
    word = previous = 0
    for at, is_letter in enumerate(letters.tolist()):
        if is_letter:
            word = (word * 0x2F0B4C47 + int(symbols[at - 1]) + 1) & 0xFFFFFFFFFFFF
        elif word:
            previous, word = word, 0
        now[at], then[at] = word, previous
    return now, then


MODELS = (
    *(
        Model(f"order {order}", f"how often each came after the same {order} before", partial(of_order, order))
        for order in ORDERS
    ),
    Model("contexts mixed", f"orders 0 to {MIXED} and words, mixed by what helped", mixture),
)
