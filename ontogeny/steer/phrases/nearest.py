"""What words that are not understood could have meant: commands that share their words, with what they name filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ontogeny.steer.phrases.context import Context
from ontogeny.steer.phrases.grammar import SAID, grammar
from ontogeny.steer.phrases.matcher import Matcher
from ontogeny.steer.phrases.normal import NOTHING, normal
from ontogeny.steer.phrases.phrase import example
from ontogeny.steer.phrases.tokens import Word

PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}")
COMMON = frozenset("it this to of on in at and run from for is with by be as from".split())
MOST = 12
"""Suggestions that are tried; of those that read, the first three are offered."""
TABLES = ("dial", "steps", "place", "tensors", "element", "metric", "reference", "examples", "condition", "window", "number", "share")
Named = dict[str, tuple[int, str]]


def nearest(said: Sequence[Word], context: Context) -> list[str]:
    """Full commands in words, those that share most with what was said first."""
    heard = {normal(word.text) for word in said} - COMMON - NOTHING
    named = _named(said)
    scored = sorted(_scored(heard, named), key=lambda one: -one[0])
    return list(dict.fromkeys(text for _, text in scored))[:MOST]


def _scored(heard: set[str], named: Named) -> Iterator[tuple[float, str]]:
    """Each command's first phrases with how much of what was said they hold."""
    for phrases in SAID.values():
        for phrase in phrases[:12]:
            words = {normal(word) for word in re.findall(r"[a-z'-]+", PLACE.sub(" ", phrase.text))} & heard
            text = example(phrase, names=False)
            places = PLACE.findall(text)
            tables = [slot or name for name, slot in places]
            if not words or any(table not in named for table in tables):
                continue
            taken = sum(named[table][0] for table in tables)
            filled = PLACE.sub(lambda match: named[match[2] or match[1]][1], text)
            yield len(words) + taken - 0.01 * len(filled.split()), filled


def _named(said: Sequence[Word]) -> Named:
    """What the words name, by table: how many words that takes, and as it was said."""
    matcher = Matcher(grammar(), said)
    found: Named = {}
    for table in TABLES:
        ends = [(end - at, at, end) for at in range(len(said)) for end in matcher.table(table, at)]
        if ends:
            count, at, end = max(ends, key=lambda one: one[0])
            found[table] = (count, " ".join(word.text for word in said[at:end]))
    return found

