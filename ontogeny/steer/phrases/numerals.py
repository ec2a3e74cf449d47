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


DIGITS = {"oh": 0, "o": 0, **{word: value for word, value in ONES.items() if value < 10}}


def spoken(words: Sequence[str]) -> tuple[float, int]:
    """A number as it is dictated: zero point nine five, three e minus four, ten to the minus three, two fifty.

    What it is and of how many words; 0 words where the words begin with no such number.
    """
    whole, taken = number(words)
    value, more = _decimals(words[taken:])
    if more:
        return whole + value if taken else value, taken + more
    power, more = _power(words[taken:])
    if taken and more:
        return float(f"{whole:g}e{power}"), taken + more
    if list(words[:2]) == ["ten", "to"]:
        power, more = _exponent([word for word in words[2:] if word != "the"])
        if more:
            return 10.0**power, 2 + more + ("the" in words[2:4])
    return _hundreds(words)


def _decimals(words: Sequence[str]) -> tuple[float, int]:
    """Point nine nine: digits one by one, or a number below a hundred."""
    if not words or words[0] != "point":
        return 0.0, 0
    digits = ""
    for word in words[1:]:
        if word not in DIGITS:
            break
        digits += str(DIGITS[word])
    if digits and len(digits) < len(words):
        return float(f"0.{digits}"), 1 + len(digits)
    value, taken = number(words[1:3])
    return (float(f"0.{value:g}"), 1 + taken) if taken and value < 100 else (0.0, 0)


def _power(words: Sequence[str]) -> tuple[int, int]:
    """E minus four; times ten to the minus four."""
    if words and words[0] == "e":
        power, taken = _exponent(words[1:])
        return power, 1 + taken if taken else 0
    start = [word for word in words[:6] if word != "the"]
    if start[:3] == ["times", "ten", "to"]:
        power, taken = _exponent(start[3:])
        return power, 3 + taken + ("the" in words[:5]) if taken else 0
    return 0, 0


def _exponent(words: Sequence[str]) -> tuple[int, int]:
    sign = -1 if words and words[0] in ("minus", "negative") else 1
    value, taken = number(words[sign < 0 :])
    return (sign * int(value), taken + (sign < 0)) if taken else (0, 0)


def _hundreds(words: Sequence[str]) -> tuple[float, int]:
    """Two fifty, nine eighty five: hundreds without the word."""
    if len(words) < 2 or not 0 < ONES.get(words[0], 0) < 10 or words[1] not in TENS:
        return 0.0, 0
    value, taken = float(100 * ONES[words[0]] + TENS[words[1]]), 2
    if len(words) > 2 and 0 < ONES.get(words[2], 0) < 10:
        value, taken = value + ONES[words[2]], 3
    return (0.0, 0) if words[taken : taken + 1] and words[taken] in LARGE else (value, taken)


def number(words: Sequence[str]) -> tuple[float, int]:
    """The number that words begin with, and of how many words it is; 0 words where they begin with none."""
    total, group, taken = 0, 0, 0
    for place, word in enumerate(words):
        if word == "and" and taken == place and group and group % 100 == 0 and _small(words[place + 1 :]):
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
    """Whether a number below a hundred begins here: one hundred and four, not one hundred and four hundred."""
    if not words or not (words[0] in ONES or words[0] in TENS):
        return False
    return not any(word in LARGE for word in words[1:3])
