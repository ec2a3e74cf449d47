"""Passages of Python's documentation, no two alike, as sequences: some to learn, some for a reference, some for nobody.

Topics of `pydoc_data` repeat one another (a topic is often a section of a larger one), so each passage between blank
lines is taken once: in small letters and with single spaces. Passages are shuffled once and for all and cut into
sequences, so that what is learned, what a reference has read and what nobody has seen are of one kind. Text that is
in two passages in part is in both: of 32 characters in a row about 6% are elsewhere too.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pydoc_data import topics

import numpy as np

from ontogeny.claims.tasks.strings import foretold
from ontogeny.data.base import Array
from ontogeny.isa.errors import ClaimError

LENGTH, LETTERS = 64, 64
"""Characters of a sequence, and classes: the most frequent characters, one for all others, and the beginning."""
OTHER, BEGIN = LETTERS - 2, LETTERS - 1
FOR_REFERENCE, FOR_NOBODY = 3000, 256
"""Sequences that a reference reads, and that nothing does; all others can be learned."""
Named = dict[str, Array]


@cache
def passages() -> tuple[str, ...]:
    """All of them in an order that is drawn once. They differ between versions of Python."""
    found = (re.split(r"\n\s*\n", topics.topics[name]) for name in sorted(topics.topics))
    each = tuple(dict.fromkeys(" ".join(one.split()).lower() for ones in found for one in ones if one.strip()))
    return tuple(each[place] for place in np.random.default_rng(0).permutation(len(each)))


@cache
def sequences() -> Array:
    """All passages one after another as classes: i64[sequences, LENGTH]."""
    text = "\n".join(passages())
    frequent = [letter for letter, _ in Counter(text).most_common(OTHER)]
    codes = np.array([frequent.index(letter) if letter in frequent else OTHER for letter in text])
    return codes[: len(codes) // LENGTH * LENGTH].reshape(-1, LENGTH)


def examples(given: Array) -> Named:
    """x, y i64[n, LENGTH] of sequences: each character, and the one before it."""
    return foretold(given, BEGIN)


def for_reference() -> Named:
    """What a reference reads."""
    return examples(sequences()[:FOR_REFERENCE])


def for_nobody() -> Named:
    """What neither a reference nor any other network learns."""
    return examples(sequences()[FOR_REFERENCE : FOR_REFERENCE + FOR_NOBODY])


def to_learn(seed: int, count: int) -> Named:
    """So many of the other sequences, drawn by a seed; smaller counts are the beginnings of larger ones.

    Raises ClaimError where there are fewer.
    """
    rest = sequences()[FOR_REFERENCE + FOR_NOBODY :]
    if count > len(rest):
        raise ClaimError(f"{count:,} sequences of text to learn; there are {len(rest):,}, so give less data")
    return examples(rest[np.random.default_rng(seed).permutation(len(rest))[:count]])


def drawn(seed: int, count: int) -> Named:
    """As many sequences whose characters are drawn evenly from all classes, for comparison."""
    return examples(np.random.default_rng(seed).integers(0, LETTERS, (count, LENGTH)))
