"""Which words the phrases know, and which of them say nothing by themselves."""

from __future__ import annotations

from functools import cache

from ontogeny.steer.phrases.courtesy import AFTER, BEFORE
from ontogeny.steer.phrases.grammar import grammar
from ontogeny.steer.phrases.normal import forms
from ontogeny.steer.phrases.said.asked import ASKING, ASKS, SUPPOSING
from ontogeny.steer.phrases.said.frames import FRAMES
from ontogeny.steer.phrases.said.further import FURTHER
from ontogeny.steer.phrases.said.plain import BLOCKING, HARMLESS, OPENING, VERBS
from ontogeny.steer.phrases.said.rule import OPTIMISERS

PASSED = frozenset(("COMMA", "COLON", "DASH"))
"""Signs that further frames pass over."""
NAMING = frozenset(word for word in OPTIMISERS) | forms(
    "clip cosine warmup decay lr rate loss accuracy validation x seed autopilot"
)
"""Words that name something, and are passed over by nothing."""


@cache
def plain_words() -> frozenset[str]:
    """Known words by which no command is known, and signs: what is passed over beside a command's own words."""
    needs = (need for table in (FRAMES, FURTHER) for several in table.values() for one in several for need in one.needs)
    return (known_words() | PASSED) - BLOCKING - NAMING - ASKING - frozenset().union(*needs)


@cache
def known_words() -> frozenset[str]:
    """Every word that phrases, frames, questions and courtesies know, in its one form."""
    frames = (
        need
        for table in (FRAMES, FURTHER)
        for several in table.values()
        for one in several
        for need in (*one.needs, one.beside)
    )
    asked = (one.words for one in ASKS)
    return grammar().words.union(
        HARMLESS, BLOCKING, OPENING, VERBS, ASKING, SUPPOSING, *frames, *asked, *BEFORE, *AFTER
    )
