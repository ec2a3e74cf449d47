"""Clauses whose words stand in no phrase's order: what they are about, what is to be done with it, and nothing unknown beside.

A frame names the words of which one must be there, the tables whose values may be there, and leaves room for words that
change nothing. A clause with any other word has no reading, so that nothing is overheard: a negation, a condition or an
unknown word makes it ask back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ontogeny.steer.phrases.context import Context
from ontogeny.steer.phrases.matcher import Grammar, Matcher, Tree
from ontogeny.steer.phrases.normal import NOTHING, normal
from ontogeny.steer.phrases.phrase import Found
from ontogeny.steer.phrases.tokens import Word

Make = Callable[[Found, frozenset[str]], Any]


def forms(text: str) -> frozenset[str]:
    """Words in their one form."""
    return frozenset(normal(word) for word in text.split()) - NOTHING


HARMLESS = forms(
    "it its this that these those run model network net training here there of on with in at to for from by as be i we want like "
    "need make let have get do give put use set take bring go all every each them they their whole entire current one "
    "present own thing things value such way point while ahead keep rest so would should will could can think again "
    "back out up down off over into around"
)
"""Words that change nothing about a command whose own words are there."""
BLOCKING = forms(
    "not don't never no without if unless except what why how when which who whom whose did does was were had has "
    "isn't doesn't didn't won't wasn't hasn't can't wouldn't shouldn't but until nothing nobody none instead only"
)
"""Words that are never passed over."""
OPENING = forms("what why how when where which who did does is are was were has should would am")
"""Words with which a question begins, and no command."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A command by what it is about: sets of words of which each needs one, places by name and table, other words.

    `optional` names places that may be missing. `make` gets what was found, and which of the needed words.
    """

    needs: tuple[frozenset[str], ...]
    places: Mapping[str, str] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()
    make: Make = lambda found, words: dict(found)
    constants: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Framed:
    """A clause that fits a frame."""

    frame: Frame
    places: tuple[tuple[str, Tree], ...]
    words: frozenset[str]

    def means(self, grammar: Grammar, context: Context) -> Any:
        """The arguments of the command. Raises Unclear where they depend on what is not there."""
        found = {name: grammar.meaning(tree, context) for name, tree in self.places}
        made = self.frame.make(Found(found, context), self.words)
        return made if isinstance(made, list) else {**made, **self.frame.constants}


def fitting(frame: Frame, grammar: Grammar, words: Sequence[Word]) -> Framed | None:
    """The clause as the frame reads it, None where it does not fit."""
    if normal(words[0].text) in OPENING and not any(normal(words[0].text) in need for need in frame.needs):
        return None
    own = frozenset().union(*frame.needs) | frame.beside
    if any(word.kind in BLOCKING and word.kind not in own for word in words):
        return None
    matcher = Matcher(grammar, words)
    found = dict(_pieces(frame, matcher, words, own))
    said = found.pop("", None)
    if said is None or not all(need & said[1] for need in frame.needs):
        return None
    places = {name: tree for name, (tree, _) in found.items()}
    if not set(frame.places) - frame.optional <= set(places):
        return None
    return Framed(frame, tuple((name, tree) for name, tree in places.items() if tree is not None), said[1])


def _pieces(
    frame: Frame, matcher: Matcher, words: Sequence[Word], own: frozenset[str]
) -> Iterator[tuple[str, tuple[Tree | None, frozenset[str]]]]:
    """Each place that is filled, and last, under no name, the words of the frame; nothing of it for a word too many."""
    place = 0
    heard: set[str] = set()
    filled: set[str] = set()
    while place < len(words):
        ends = [(end, name, tree) for name, table in frame.places.items() if name not in filled
                for end, tree in matcher.table(table, place).items()]  # fmt: skip
        longest = max(ends, key=lambda one: one[0], default=None)
        if longest is not None and not (longest[0] == place + 1 and words[place].kinds & own):
            place = longest[0]
            filled.add(longest[1])
            yield longest[1], (longest[2], frozenset())
        elif words[place].kinds & (own | HARMLESS):
            heard |= words[place].kinds
            place += 1
        else:
            return
    yield "", (None, frozenset(heard))
