"""Words that are spelt wrongly: taken for the one word that they may be, and for none where there are two."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache

SHORTEST = 4
LONG = 8
"""Words from so many letters on may differ in two of them."""


def corrected(word: str, known: Collection[str]) -> str | None:
    """The one known word that a word is, but for a slip. None where there is none, or more than one."""
    if len(word) < SHORTEST or not word.isascii() or not word.isalpha():
        return None
    for most in (1, 2) if len(word) >= LONG else (1,):
        near = [
            one
            for one in known
            if abs(len(one) - len(word)) <= most and len(one) >= SHORTEST and slips(word, one, most) <= most
        ]
        if near:
            return near[0] if len(near) == 1 else None
    return None


def slips(one: str, other: str, most: int) -> int:
    """Letters left out, added, exchanged or swapped with their neighbour; one more than `most` where there are more."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]


@lru_cache(4096)
def correction(word: str, known: frozenset[str]) -> str | None:
    """The same, remembered."""
    return corrected(word, known)


def words_of(words: Iterable[str]) -> frozenset[str]:
    """The words that others may be taken for."""
    return frozenset(word for word in words if len(word) >= SHORTEST)
