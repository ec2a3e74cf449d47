"""What people say around a command without meaning anything by it: could you, I would like you to, from here on."""

from __future__ import annotations

from collections.abc import Sequence

from ontogeny.steer.phrases.normal import NOTHING, normal
from ontogeny.steer.phrases.said import courtesies
from ontogeny.steer.phrases.tokens import Word


def _sorted(text: str) -> list[tuple[str, ...]]:
    """Word by word in their one form, the longest first."""
    lines = (" ".join(text.split())).split("|")
    made = {tuple(normal(word) for word in line.split() if normal(word) not in NOTHING) for line in lines}
    return sorted(filter(None, made), key=len, reverse=True)


BEFORE, AFTER = _sorted(courtesies.BEFORE), _sorted(courtesies.AFTER)


def bare(words: Sequence[Word]) -> list[list[Word]]:
    """A clause as it stands, and with ever more of what stands around it taken away."""
    found = [list(words)]
    clause = list(words)
    while clause and (more := _begins(clause)):
        clause = clause[more:]
        found.append(clause)
    trimmed = [one for clause in list(found) for one in _ends(clause)]
    return [one for one in [*found, *trimmed] if one]


def _ends(clause: list[Word]) -> list[list[Word]]:
    found: list[list[Word]] = []
    while clause and (more := next((len(s) for s in AFTER if _said(clause[-len(s) :]) == s), 0)):
        clause = clause[:-more]
        found.append(clause)
    return found


def _begins(clause: list[Word]) -> int:
    return next((len(said) for said in BEFORE if _said(clause[: len(said)]) == said), 0)


def _said(words: Sequence[Word]) -> tuple[str, ...]:
    return tuple(normal(word.text) for word in words)
