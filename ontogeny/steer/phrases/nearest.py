"""What words that are not understood could have meant: commands that share their words, what they name filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from ontogeny.steer.phrases.context import Context
from ontogeny.steer.phrases.grammar import SAID, grammar
from ontogeny.steer.phrases.matcher import Matcher
from ontogeny.steer.phrases.normal import NOTHING, forms, normal
from ontogeny.steer.phrases.phrase import example
from ontogeny.steer.phrases.said.hints import HINTS
from ontogeny.steer.phrases.said.plain import NEGATIONS
from ontogeny.steer.phrases.tokens import Word

PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}")
COMMON = forms("it this to of on in at and run from for is with by be as from")
FIRST = 10
MOST = 4
"""Suggestions that are tried; of those that read, the first three are offered."""
TABLES = (
    "dial",
    "steps",
    "place",
    "tensors",
    "element",
    "metric",
    "reference",
    "examples",
    "condition",
    "window",
    "number",
    "share",
)
Named = dict[str, tuple[int, str]]


def nearest(said: Sequence[Word], context: Context) -> list[str]:
    """Full commands in words, those that share most with what was said first."""
    if any(word.kind in NEGATIONS for word in said):
        return []
    heard = frozenset(word.kind for word in said) - COMMON - NOTHING
    named = _named(said)
    scored = sorted(_scored(heard, named), key=lambda one: -one[0])
    return list(dict.fromkeys(text for _, text in scored))[:MOST]


def _scored(heard: frozenset[str], named: Named) -> Iterator[tuple[float, str]]:
    """Commands with how much of what was said they hold, the best phrase of each."""
    for several in _examples().values():
        best = (0.0, "")
        for words, text, tables in several:
            if words & heard and all(table in named for table in tables):
                taken = sum(named[table][0] for table in tables)
                filled = PLACE.sub(lambda match: named[match[2] or match[1]][1], text)
                best = max(best, (len(words & heard) + taken - 0.1 * len(filled.split()), filled))
        if best[1]:
            yield best


@cache
def _examples() -> dict[str, list[tuple[frozenset[str], str, list[str]]]]:
    """Of each command's first phrases the words, as they may be said, and the tables of what varies in them."""
    found: dict[str, list[tuple[frozenset[str], str, list[str]]]] = {}
    for name, phrases in SAID.items():
        for phrase in phrases[:FIRST]:
            text = example(phrase, names=False)
            words = frozenset(normal(word) for word in re.findall(r"[a-z'-]+", PLACE.sub(" ", text)))
            tables = [slot or word for word, slot in PLACE.findall(text)]
            found.setdefault(name, []).append((words, text if tables else HINTS.get(name, text), tables))
    return found


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
