"""Phrases from files as `tools/fit_phrases.py` takes them: texts with what they name, and what each is to mean."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benches.chat_compared import CONTEXT, lines
from ontogeny.steer.phrases.features import of_clause
from ontogeny.steer.phrases.known import heard
from ontogeny.steer.phrases.said.intents import INTENTS, intent_of
from ontogeny.steer.phrases.weighed import Text

SEVERAL_TIMES = 4
"""How many phrases must have a word that is known."""
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Example:
    """A piece of a text, its label, and how much it counts."""

    features: frozenset[str]
    label: str = ""
    weight: float = 1.0


@dataclass
class Phrase:
    """A text and each way to understand it: commands as they stand in the file."""

    text: Text
    ways: list[list[dict[str, Any]]]
    asked: bool
    seen: dict[Span, Example] = field(default_factory=dict)

    def piece(self, span: Span, label: str = "", weight: float = 1.0) -> Example:
        """A piece with a label."""
        if span not in self.seen:
            self.seen[span] = Example(frozenset(of_clause(*self.text.piece(*span))))
        return replace(self.seen[span], label=label, weight=weight)

    @property
    def whole(self) -> Span:
        """The whole of it, without what separates around it."""
        return self.text.bare(0, len(self.text.said))

    def sequences(self) -> list[tuple[str, ...]]:
        """The intents of each way to understand it."""
        found = {intents_of(way) for way in self.ways}
        return sorted(one for one in found if all(name in INTENTS for name in one))


def intents_of(way: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The intents of commands as they stand in a file."""
    return tuple(intent_of(one["command"], one.get("arguments", {})) for one in way)


def ways(expect: Any) -> Iterator[Any]:
    """Every way to understand a phrase: commands, or ask."""
    if isinstance(expect, Mapping):
        for one in expect["any"]:
            yield from ways(one)
    else:
        yield expect


def read(files: Sequence[Path]) -> list[Phrase]:
    """The phrases of files."""
    found = []
    for line in (line for file in files for line in lines(file)):
        all_ways = list(ways(line["expect"]))
        commands = [way for way in all_ways if way != "ask" and way]
        found.append(Phrase(text_of(line["words"]), commands, "ask" in all_ways))
    return [one for one in found if one.text.said]


def vocabulary(files: Sequence[Path]) -> list[str]:
    """Words of several phrases that are no names there."""
    count: Counter[str] = Counter()
    names: set[str] = set()
    for line in (line for file in files for line in lines(file)):
        count.update(set(re.findall(r"[a-z]+(?:['-][a-z]+)*", line["words"].lower())))
        given = [one.get("arguments", {}) for way in ways(line["expect"]) if way != "ask" for one in way]
        names |= {word for one in given for word in re.findall(r"[a-z]+", str(one.get("name", "")).lower())}
    return sorted(
        word
        for word, times in count.items()
        if times >= SEVERAL_TIMES and word not in names and not word.endswith("'s")
    )


def text_of(said: str) -> Text:
    """A text as the reader takes it."""
    return Text.of(heard(said, CONTEXT), CONTEXT)
