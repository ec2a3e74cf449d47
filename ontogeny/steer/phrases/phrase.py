"""A phrase: words with places for what varies, and what they mean.

`(turn|set) {dial} [back] to {to:number}` is read as: one of these words, a dial, perhaps `back`, `to`, and a
number that is called `to`. What stands in braces is another table of phrases, or a kind of token in capitals.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.phrases.context import Context

PART = re.compile(r"\s*(\{(?P<name>\w+)(?::(?P<slot>\w+))?\}|(?P<mark>[\[\]()|])|(?P<word>[^\s\[\](){}|]+))")


class Unclear(OntogenyError):
    """Words whose meaning depends on what is not there, or not said: what to ask back, and some readings."""

    def __init__(self, text: str, *options: str) -> None:
        super().__init__(text)
        self.options = options


class Missing(Unclear):
    """Words that name something which the run does not have, so that no other reading of them can be meant."""


class Found(dict[str, Any]):
    """The values of a phrase's places by name, and the run that it was said to."""

    def __init__(self, values: Mapping[str, Any], context: Context) -> None:
        super().__init__(values)
        self.context = context


Make = Callable[[Found], Any]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase, and what it means: its places and some constants by name, or what `make` makes of them."""

    text: str
    make: Make | None = None
    constants: Mapping[str, Any] = field(default_factory=dict)

    def means(self, found: Found) -> Any:
        """The meaning, once its places are known. Raises Unclear where it has none in this run."""
        return self.make(found) if self.make else {**found, **self.constants}


def p(text: str, make: Make | None = None, **constants: Any) -> Phrase:
    """A phrase of a command: its places and the constants are arguments."""
    return Phrase(text, make, constants)


def v(text: str, value: Any = None) -> Phrase:
    """A phrase of a table of values: the value, or where none is given the value of its only place."""
    if callable(value):
        return Phrase(text, value)
    return Phrase(text, (lambda found: next(iter(found.values()))) if value is None else (lambda found: value))


Table = Mapping[str, Sequence[Phrase]]


def example(phrase: Phrase, names: bool = True) -> str:
    """A phrase as a person may say it: the first of its choices, with names for what varies, or its places."""
    text = re.sub(r"\s*\[[^\[\]]*\]", "", phrase.text)
    while (found := re.search(r"\(([^()]*)\)", text)) is not None:
        text = text[: found.start()] + found[1].split("|")[0].strip() + text[found.end() :]
        text = re.sub(r"\s*\[[^\[\]]*\]", "", text)
    if not names:
        return " ".join(text.split())
    return " ".join(re.sub(r"\{(\w+)(?::\w+)?\}", lambda match: match[1].upper(), text).split())
