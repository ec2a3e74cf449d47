"""Any text is answered, in bounded time, and nothing is changed by words that are said not to be done."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benches.chat_compared import CONTEXT, lines
from ontogeny.steer.phrases.context import Context
from ontogeny.steer.phrases.grammar import grammar
from ontogeny.steer.phrases.reader import read
from ontogeny.steer.reading import Reading
from tests.pace import paced

PHRASES = Path(__file__).parents[1] / "phrases"
TUNING = [one["words"] for one in lines(PHRASES / "tuning.jsonl")]
BLIND = [one["words"] for one in lines(PHRASES / "tuning_blind.jsonl")]
WORDS = sorted(
    {word for words in TUNING for word in words.split()} | {"and", ",", "then", "not", "1e9", "5%", "0", "it"}
)
DENYING = ("don't ", "do not ", "never ", "please don't ")
NEGATED = {"freeze", "learn-again", "leave-out", "rule"}
"""What can be said as not doing something else: not to train a tensor is to freeze it."""
SECONDS = 2.0
"""CPU time that no text may take, on a slow machine."""


def answered(reading: Reading) -> bool:
    """Whether words are just one of: commands, a question back, a call for help, what is supposed, what is answered."""
    return sum(map(bool, (reading.commands, reading.unsure, reading.help, reading.supposed, reading.answer))) == 1


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_text_is_answered(text: str) -> None:
    reading = read(text, CONTEXT)
    assert answered(reading)


@given(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join))
@settings(max_examples=150, deadline=None)
def test_any_words_are_answered_in_bounded_time(text: str) -> None:
    grammar()
    readings = list[Reading]()
    assert paced(lambda: readings.append(read(text, CONTEXT))) < SECONDS, text
    assert answered(readings[0])


def still_done(words: str, negation: str) -> str:
    """What is changed by words that are denied, or nothing."""
    if any(one in words for one in (" and ", ",", ";", ". ", "not", "don't", "never", "stop", "no longer")):
        return ""
    plain, reading = read(words, CONTEXT).commands, read(negation + words, CONTEXT)
    if not reading.changes or (reading.commands != plain and {one.NAME for one in reading.commands} <= NEGATED):
        return ""
    return f"{negation}{words}: {[one.NAME for one in reading.commands]}"


def test_what_is_told_not_to_be_done_is_not_done() -> None:
    assert not [told for told in map(still_done, TUNING, cycle(DENYING)) if told]


@pytest.mark.slow
@pytest.mark.parametrize("negation", DENYING)
def test_what_is_told_not_to_be_done_is_not_done_however_it_is_said(negation: str) -> None:
    assert not [told for words in TUNING + BLIND if (told := still_done(words, negation))]


def test_words_are_read_alike_in_capitals_and_with_courtesy() -> None:
    for words in TUNING:
        plain = read(words, CONTEXT)
        assert read(words + ".", CONTEXT).commands == plain.commands, words
        if not any(character.isupper() for character in words):
            polite = read("Please " + words, CONTEXT)
            assert [one.NAME for one in polite.commands] == [one.NAME for one in plain.commands], words


@given(st.sampled_from(TUNING))
@settings(max_examples=50, deadline=None)
def test_a_run_without_any_names_breaks_nothing(words: str) -> None:
    reading = read(words, Context())
    assert answered(reading)
