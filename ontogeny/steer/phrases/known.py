"""Which words are known: those of the phrases, those that say little, and those of the phrases that were fitted to."""

from __future__ import annotations

from functools import cache
from importlib import resources

from ontogeny.steer.phrases.context import Context
from ontogeny.steer.phrases.courtesy import AFTER, BEFORE
from ontogeny.steer.phrases.grammar import grammar
from ontogeny.steer.phrases.normal import NOTHING, forms, normal
from ontogeny.steer.phrases.said.plain import BLOCKING, OPENING, STRETCHES
from ontogeny.steer.phrases.tokens import Word, words

FILE = "vocabulary.txt"
"""Words that several phrases of those fitted to have, and that are no names there (`tools/fit_phrases.py`)."""


@cache
def known_words() -> frozenset[str]:
    """Every known word in its one form. Another word may be a name, or spelt wrongly."""
    fitted = forms(resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8"))
    return grammar().words.union(fitted, BLOCKING, OPENING, STRETCHES, *BEFORE, *AFTER)


def heard(text: str, context: Context) -> list[Word]:
    """The words of a text, without those that say nothing. What a tensor is called after is a name there."""
    parts = {part for name in context.tensors for part in name.lower().split(".")}
    known = known_words() - (parts - grammar().words)
    return [word for word in words(text, context, known) if not says_nothing(word)]


def says_nothing(word: Word) -> bool:
    """Whether a text means the same without it."""
    return (not word.kind.isupper() or word.kind == "NAME") and normal(word.text) in NOTHING
