"""What people say around a command without meaning anything by it: could you, I would like you to, from here on."""

from __future__ import annotations

from collections.abc import Sequence

from ontogeny.steer.phrases.normal import NOTHING, normal
from ontogeny.steer.phrases.said import courtesies
from ontogeny.steer.phrases.said.plain import BLOCKING, CONDITIONS, OPENING, STATES
from ontogeny.steer.phrases.tokens import Word

LONGEST = 12
"""Words that chatter may have."""


FINISHED = frozenset(("done", "finished", "over", "ready", "complete", "completed", "through"))
DONE = 6
"""Among so many words at the beginning one says that something is done: once it is all done."""
ASKS = frozenset(("tell", "show", "say", "check", "give", "see", "run", "wait", "undo", "keep"))
"""Words that ask for something, whatever stands beside them."""


def _sorted(text: str) -> list[tuple[str, ...]]:
    """Word by word in their one form, the longest first."""
    lines = (" ".join(text.split())).split("|")
    made = {tuple(normal(word) for word in line.split() if normal(word) not in NOTHING) for line in lines}
    return sorted(filter(None, made), key=len, reverse=True)


BEFORE, AFTER = _sorted(courtesies.BEFORE), _sorted(courtesies.AFTER)


def bare(words: Sequence[Word]) -> list[list[Word]]:
    """A clause as it stands, and with ever more of what stands around it taken away."""
    found = [list(words)]
    reason = next((at for at in range(1, len(words)) if _reason(words, at)), 0)
    clause = list(words[:reason] or words)
    if reason:
        found.append(clause)
    while clause and (more := _begins(clause)):
        clause = clause[more:]
        found.append(clause)
    trimmed = [one for clause in list(found) for one in _ends(clause)]
    return [one for one in [*found, *trimmed] if one]


def _reason(words: Sequence[Word], at: int) -> bool:
    """Whether a reason begins with a word: because, so that we can, in order to, to see whether."""
    said = [normal(word.text) for word in words[at : at + 3]]
    return (
        said[0] in ("because", "cos")
        or (said[0] == "so" and said[1:2] in (["that"], ["i"], ["we"], ["it"], ["can"]))
        or said == ["in", "order", "to"]
        or (said[0] == "to" and said[1:2] in (["see"], ["check"], ["find"], ["know"], ["learn"], ["understand"]))
    )


def chatter(words: Sequence[Word]) -> bool:
    """Whether a clause only says how things are: it looks good. One with a name, a number or a condition says more."""
    heard = {kind for word in words for kind in word.kinds}
    named = any(word.kind.isupper() and word.kind != "NAME" for word in words)
    asks = any(normal(word.text) in OPENING - STATES | ASKS for word in words)
    return (
        bool(heard & STATES)
        and not heard & (BLOCKING | CONDITIONS)
        and not named
        and not asks
        and len(words) <= LONGEST
    )


def _ends(clause: list[Word]) -> list[list[Word]]:
    found: list[list[Word]] = []
    while clause and (more := next((len(s) for s in AFTER if _said(clause[-len(s) :]) == s), 0)):
        clause = clause[:-more]
        found.append(clause)
    return found


def _begins(clause: list[Word]) -> int:
    if clause[0].kind in ("once", "when", "after") and len(clause) > 2:
        if clause[1].text.lower().endswith("ing") or clause[1].kind == "have":
            return 1 + (clause[1].kind == "have")
        done = [at for at, word in enumerate(clause[:DONE]) if word.kind in FINISHED]
        if done:
            return done[-1] + 1
    return next((len(said) for said in BEFORE if _said(clause[: len(said)]) == said), 0)


def _said(words: Sequence[Word]) -> tuple[str, ...]:
    return tuple(normal(word.text) for word in words)
