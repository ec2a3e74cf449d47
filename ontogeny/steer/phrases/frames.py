"""Clauses whose words stand in no phrase's order: what they are about, what is to be done, and nothing unknown beside.

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
from ontogeny.steer.phrases.normal import normal
from ontogeny.steer.phrases.phrase import Found
from ontogeny.steer.phrases.said.plain import BLOCKING, HARMLESS, NEGATIONS, OPENING
from ontogeny.steer.phrases.tokens import Word

DENYING = NEGATIONS | {"no"}
Make = Callable[[Found, frozenset[str]], Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """A command by what it is about: sets of words of which each needs one, places by name and table, other words.

    `optional` names places that may be missing, `never` words with which it is another command.
    `make` gets what was found, and which of the needed words.
    """

    needs: tuple[frozenset[str], ...]
    places: Mapping[str, str] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()
    make: Make = lambda found, words: dict(found)
    constants: Mapping[str, Any] = field(default_factory=dict)
    never: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Framed:
    """A clause that fits a frame. `strain` grows with what it passes over that may end a clause."""

    frame: Frame
    places: tuple[tuple[str, Tree], ...]
    words: frozenset[str]
    filled: int
    strain: int = 0

    def means(self, grammar: Grammar, context: Context) -> Any:
        """The arguments of the command. Raises Unclear where they depend on what is not there."""
        found = {name: grammar.meaning(tree, context) for name, tree in self.places}
        made = self.frame.make(Found(found, context), self.words)
        return made if isinstance(made, list) else {**made, **self.frame.constants}


def fitting(
    frame: Frame, grammar: Grammar, words: Sequence[Word], known: frozenset[str] = frozenset()
) -> Framed | None:
    """The clause as the frame reads it, None where it does not fit; `known` are further words that it passes over."""
    if normal(words[0].text) in OPENING and not any(normal(words[0].text) in need for need in frame.needs):
        return None
    there = frozenset(kind for word in words for kind in word.kinds)
    if not all(need & there for need in frame.needs):
        return None
    about = frozenset().union(*frame.needs)
    own = about | frame.beside
    if sum(word.kind in DENYING for word in words) > 1:  # a double negation: nobody can be sure
        return None
    if any(word.kind in NEGATIONS - about for word in words[:2]) or any(word.kind in frame.never for word in words):
        return None
    if any(word.kind in BLOCKING and word.kind not in own for word in words):
        return None
    matcher = Matcher(grammar, words)
    pieces = list(_pieces(frame, matcher, words, own, known))
    found = {name: (tree, heard) for name, tree, heard, _ in pieces if name != " "}
    said = found.pop("", None)
    if said is None or not all(need & said[1] for need in frame.needs):
        return None
    places = {name: tree for name, (tree, _) in found.items()}
    if not set(frame.places) - frame.optional <= set(places):
        return None
    return Framed(
        frame,
        tuple((name, tree) for name, tree in places.items() if tree is not None),
        said[1],
        sum(one[3] for one in pieces if one[0] != " "),
        1 + sum(one[3] for one in pieces if one[0] == " ") if known else 0,
    )


def _pieces(
    frame: Frame, matcher: Matcher, words: Sequence[Word], own: frozenset[str], known: frozenset[str]
) -> Iterator[tuple[str, Tree | None, frozenset[str], int]]:
    """Each place that is filled with how many words it takes; last, under no name, the frame's own, if none is left."""
    place = 0
    heard: set[str] = set()
    filled: set[str] = set()
    while place < len(words):
        ends = [(end, name, tree) for name, table in frame.places.items() if name not in filled
                for end, tree in matcher.table(table, place).items()]  # fmt: skip
        longest = max(ends, key=lambda one: one[0], default=None)
        if longest is not None and not (longest[0] == place + 1 and words[place].kinds & own):
            filled.add(longest[1])
            yield longest[1], longest[2], frozenset(), longest[0] - place
            place = longest[0]
        elif words[place].kinds & (own | HARMLESS | known):
            heard |= words[place].kinds
            if words[place].separates:
                yield " ", None, frozenset(), 2
            place += 1
        else:
            return
    yield "", None, frozenset(heard), 0
