"""Phrases as a grammar: rules of sequences, which a matcher goes through (`matcher.py`).

A choice of words is one symbol, and so is a choice of anything else that stands in brackets; what may be left out makes
two sequences of one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ontogeny.steer.phrases.normal import NOTHING, normal
from ontogeny.steer.phrases.phrase import PART, Phrase, Table

_CLASSES = """NUMBER PERCENT FRACTION TIMES ORDINAL QUOTED ELEMENT RANGE PATTERN DOTTED METRIC DIAL TENSOR RUN
MARK INPUT NAME COMMA SEMICOLON STOP COLON OPEN CLOSE EQUALS ABOVE BELOW DASH SLASH PLUS ARROW OTHER ANY"""
CLASSES = frozenset(_CLASSES.split())
"""The kinds of what is no word of the phrases (`tokens.py`)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One word of several; kinds of words as `Word.kind` has them."""

    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class Group:
    """One of several sequences, whatever they mean."""

    rule: int


@dataclass(frozen=True, slots=True)
class Slot:
    """What is called `name`: a table's phrase, or, without a table, one word of a kind."""

    name: str
    table: str
    kind: str = ""


Symbol = Choice | Group | Slot
Sequence_ = tuple[Symbol, ...]


class Compiler:
    """Turns tables of phrases into sequences of symbols, each with the number of its phrase."""

    def __init__(self) -> None:
        self.phrases: list[Phrase] = []
        self.tables: dict[str, list[tuple[Sequence_, int]]] = {}
        self.groups: list[list[Sequence_]] = []
        self.words: set[str] = set()
        self._numbers: dict[tuple[Sequence_, ...], int] = {}

    def add(self, tables: Table) -> None:
        """Tables by name; of what two phrases of one table say alike, the first one's meaning counts."""
        for name, phrases in tables.items():
            found: dict[Sequence_, int] = {}
            for phrase in phrases:
                for sequence in self._sequences(phrase.text):
                    found.setdefault(sequence, len(self.phrases))
                self.phrases.append(phrase)
            self.tables[name] = list(found.items())

    def _sequences(self, text: str) -> list[Sequence_]:
        parts = list(PART.finditer(text))
        found, rest = self._choice(parts)
        assert not rest and all(found) and "".join(part[0] for part in parts).split() == text.split(), text
        return found

    def _choice(self, parts: list[re.Match[str]]) -> tuple[list[Sequence_], list[re.Match[str]]]:
        """The sequences of a choice, up to the bracket that ends it. An empty one says that it may be left out."""
        done: list[Sequence_] = []
        under_way: list[Sequence_] = [()]
        while parts and parts[0]["mark"] not in ("]", ")"):
            part, parts = parts[0], parts[1:]
            if part["mark"] == "|":
                done, under_way = [*done, *under_way], [()]
                continue
            further = [self._one(part)]
            if part["mark"]:
                inner, parts = self._choice(parts)
                parts = parts[1:]
                further = self._group([*inner, ()] if part["mark"] == "[" else inner)
            under_way = [(*one, *other) for one in under_way for other in further]
        return list(dict.fromkeys([*done, *under_way])), parts

    def _group(self, inner: Sequence[Sequence_]) -> list[Sequence_]:
        """A choice as one symbol or two, and as nothing where it may be left out."""
        single = [one[0].kinds for one in inner if len(one) == 1 and isinstance(one[0], Choice)]
        longer = tuple(
            dict.fromkeys(one for one in inner if one and not (len(one) == 1 and isinstance(one[0], Choice)))
        )
        found: list[Sequence_] = [(Choice(frozenset().union(*single)),)] if single else []
        if longer:
            if longer not in self._numbers:
                self._numbers[longer] = len(self.groups)
                self.groups.append(list(longer))
            found.append((Group(self._numbers[longer]),))
        return [*found, *([()] if () in inner else [])]

    def _one(self, part: re.Match[str]) -> Sequence_:
        if part["mark"]:
            return ()
        if part["word"]:
            words = [one for one in part["word"].split("-") if normal(one) not in NOTHING]
            self.words |= {normal(one) for one in words if one not in CLASSES}
            return tuple(Choice(frozenset((one if one in CLASSES else normal(one),))) for one in words)
        slot = part["slot"] or part["name"]
        return (Slot(part["name"], "" if slot.isupper() else slot, slot if slot.isupper() else ""),)
