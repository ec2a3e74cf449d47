"""Numbers as people write them in words: two hundred, a tenth, three quarters, a dozen."""

from __future__ import annotations

from collections.abc import Sequence

ONES = {
    word: number
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
TENS = {
    word: 10 * number
    for number, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)
}
LARGE = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "dozen": 12}
PARTS = {
    "half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "twentieth": 20, "hundredth": 100, "thousandth": 1000,
}  # fmt: skip
NAMED = {**ONES, **TENS, **LARGE}


def number(words: Sequence[str]) -> tuple[float, int]:
    """The number that words begin with, and of how many words it is; 0 words where they begin with none."""
    total, group, taken = 0, 0, 0
    for place, word in enumerate(words):
        if word == "and" and taken == place and group and group % 100 == 0 and _small(words[place + 1 : place + 2]):
            continue
        if word in ONES or word in TENS:
            group += NAMED[word]
        elif word in ("hundred", "dozen"):
            group = max(group, 1) * LARGE[word]
        elif word in LARGE:
            total, group = total + max(group, 1) * LARGE[word], 0
        else:
            break
        taken = place + 1
    return float(total + group), taken


def part(words: Sequence[str]) -> tuple[float, int]:
    """The fraction that words begin with (tenth, two thirds), and of how many words it is."""
    count, taken = number(words)
    over = words[taken] if taken < len(words) else ""
    of = PARTS.get(over) or PARTS.get(over.removesuffix("s")) or (2 if over == "halves" else None)
    return ((count if taken else 1.0) / of, taken + 1) if of else (0.0, 0)


def _small(words: Sequence[str]) -> bool:
    return bool(words) and (words[0] in ONES or words[0] in TENS)
