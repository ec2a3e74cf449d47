"""Texts: English that comes with Python, anybody's bytes at the rate of reading, a Markov chain of known entropy."""

from __future__ import annotations

from math import log2
from pydoc_data import topics

import numpy as np

from ontogeny.ask.streams.stream import TEXT, Stream, Truth

MINUTE = 250
"""Words read in a minute: between 238, of English non-fiction, and 260, of fiction, in the mean of many studies
(Brysbaert 2019, Journal of Memory and Language 109, 104047)."""
LETTERS, CHAIN = 100_000, 40_000
STAYS = 0.85


def text(count: int = LETTERS) -> Stream:
    """The topics of `pydoc_data` in the order of their names; they differ between versions of Python."""
    letters = "\n".join(topics.topics[name] for name in sorted(topics.topics))[:count]
    return of_text("text", letters.encode(), f"{count:,} characters of English that Python documents itself by")


def of_text(name: str, data: bytes, how: str) -> Stream:
    """Bytes of text, read at MINUTE words a minute, of as many bytes each as these have."""
    words = max(1, len(data.split()))
    rate = MINUTE / 60 * len(data) / words
    told = f"{how}, read at {MINUTE} words a minute (Brysbaert 2019), {rate:.1f} bytes a second"
    return Stream(name, TEXT, np.frombuffer(data, np.uint8), 8, rate, told)


def chain(seed: int = 0, count: int = CHAIN) -> Stream:
    """Eight letters, the next of which is the last one's successor with probability STAYS, and else any other."""
    rng, letters = np.random.default_rng(seed), 8
    steps = np.where(rng.random(count) < STAYS, 1, rng.integers(2, letters + 1, count))
    steps[0] = rng.integers(letters)
    symbols = (97 + np.cumsum(steps) % letters).astype(np.uint8)
    entropy = -STAYS * log2(STAYS) - (1 - STAYS) * log2((1 - STAYS) / (letters - 1))
    bits = (log2(letters) + (count - 1) * entropy) / count
    how = f"{count:,} letters of a Markov chain of eight, read as fast as the text"
    return Stream("Markov chain", TEXT, symbols, 8, MINUTE / 60 * 6, how, Truth(bits, "the entropy of its choices"))
