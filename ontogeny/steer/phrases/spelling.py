"""Words that are spelt wrongly, and the known words that they may be."""

from __future__ import annotations

from functools import lru_cache

SHORTEST = 3
LONG = 7
"""Words from so many letters on may differ in two of them."""


@lru_cache(4096)
def spellings(word: str, known: frozenset[str]) -> tuple[str, ...]:
    """The known words that a word is but for one slip, or, where there are none and it is long, for two."""
    if len(word) < SHORTEST or not word.isascii() or not word.isalpha():
        return ()
    for most in (1, 2) if len(word) >= LONG else (1,):
        near = [one for one in known if len(one) >= SHORTEST and slips(word, one, most) <= most]
        if swapped := [one for one in near if sorted(one) == sorted(word)]:
            return tuple(sorted(swapped))
        if near and len(word) > SHORTEST:
            return tuple(sorted(near))
    return ()


def slips(one: str, other: str, most: int) -> int:
    """Letters left out, added, exchanged or swapped with their neighbour; one more than `most` where there are more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
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
