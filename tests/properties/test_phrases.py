"""Any text is answered, in bounded time, and nothing is changed by words that are said not to be done."""

from __future__ import annotations

import time
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from benches.chat_compared import CONTEXT, lines
from ontogeny.steer.phrases.context import Context
from ontogeny.steer.phrases.grammar import grammar
from ontogeny.steer.phrases.reader import read

TUNING = [one["words"] for one in lines(Path(__file__).parents[1] / "phrases" / "tuning.jsonl")]
WORDS = sorted(
    {word for words in TUNING for word in words.split()} | {"and", ",", "then", "not", "1e9", "5%", "0", "it"}
)
NEGATED = {"freeze", "learn-again", "leave-out", "rule"}
"""What can be said as not doing something else: not to train a tensor is to freeze it."""
SECONDS = 2.0
"""CPU time that no text may take, on a slow machine."""


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_text_is_answered(text: str) -> None:
    reading = read(text, CONTEXT)
    assert bool(reading.commands) != bool(reading.unsure)


@given(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join))
@settings(max_examples=150, deadline=None)
def test_any_words_are_answered_in_bounded_time(text: str) -> None:
    grammar()
    started = time.process_time()
    reading = read(text, CONTEXT)
    assert time.process_time() - started < SECONDS, text
    assert bool(reading.commands) != bool(reading.unsure)


@given(st.sampled_from(TUNING), st.sampled_from(["don't ", "do not ", "never ", "please don't "]))
@settings(max_examples=150, deadline=None)
def test_what_is_told_not_to_be_done_is_not_done(words: str, negation: str) -> None:
    if not any(one in f" {words}" for one in (" and ", ",", ";", "not", "don't", "never", "stop", " no ")):
        plain, reading = read(words, CONTEXT).commands, read(negation + words, CONTEXT)
        assert not reading.changes or (reading.commands != plain and {one.NAME for one in reading.commands} <= NEGATED)


@given(st.sampled_from(TUNING))
@settings(max_examples=100, deadline=None)
def test_words_are_read_alike_in_capitals_and_with_courtesy(words: str) -> None:
    plain = read(words, CONTEXT)
    assert read(words + ".", CONTEXT).commands == plain.commands
    if not any(character.isupper() for character in words):
        assert [one.NAME for one in read("Please " + words, CONTEXT).commands] == [one.NAME for one in plain.commands]


@given(st.sampled_from(TUNING))
@settings(max_examples=50, deadline=None)
def test_a_run_without_any_names_breaks_nothing(words: str) -> None:
    reading = read(words, Context())
    assert bool(reading.commands) != bool(reading.unsure)
