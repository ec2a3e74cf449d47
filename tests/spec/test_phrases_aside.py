"""What is said to the chat and is no command: a greeting, a call for help, how long something takes; what it offers."""

from __future__ import annotations

import pytest

from benches.chat_compared import CONTEXT, right
from ontogeny.steer.phrases.known import heard
from ontogeny.steer.phrases.literal import literally
from ontogeny.steer.phrases.reader import read
from ontogeny.steer.phrases.said.hints import HINTS
from ontogeny.steer.reading import Reading


@pytest.mark.parametrize(
    "words", ["hello", "help", "Hi!", "what can you do?", "what can I say", "who are you?", "hello, help me"]
)
def test_a_greeting_and_a_call_for_help_are_answered_with_what_can_be_said(words: str) -> None:
    assert read(words, CONTEXT) == Reading(help=True)


@pytest.mark.parametrize(
    ("words", "supposed"),
    [
        ("how long will 1000 steps take", ["run steps=1000"]),
        ("how long would 200 more steps take?", ["run steps=200"]),
        ("how much time do we need to run 50 steps", ["run steps=50"]),
    ],
)  # fmt: skip
def test_how_long_something_takes_is_told_and_not_done(words: str, supposed: list[str]) -> None:
    found = read(words, CONTEXT)
    assert not found.commands and [one.says() for one in found.supposed] == supposed


@pytest.mark.parametrize(
    ("words", "by"),
    [
        ("make it ten times smaller", "10"),
        ("Make the network smaller!", "10"),
        ("please distil it into a smaller network", "10"),
        ("could you compress the model 4x", "4"),
        ("shrink it by a factor of 2.5", "2.5"),
        ("make it two point five times smaller", "2.5"),
    ],
)
def test_who_wants_a_smaller_network_is_told_where(words: str, by: str) -> None:
    found = read(words, CONTEXT)
    assert found.answer.endswith(f"ontogeny shrink {CONTEXT.run} --by {by}") and found == Reading(answer=found.answer)


@pytest.mark.parametrize(
    "words",
    [
        "make lr ten times smaller",
        "shrink it by half",
        "make it one times smaller",
        "make it smaller, then run 10 steps",
    ],
)
def test_what_else_becomes_smaller_is_no_network(words: str) -> None:
    assert not read(words, CONTEXT).answer


@pytest.mark.parametrize(("name", "hint"), HINTS.items())
def test_what_is_offered_is_read_as_its_command(name: str, hint: str) -> None:
    commands = literally(heard(hint, CONTEXT), CONTEXT).commands
    assert [one.NAME for one in commands] == [name]


def test_what_is_never_to_be_touched_is_the_same_in_any_order() -> None:
    found = read("autopilot without touching the data or the rule", CONTEXT).commands
    assert right([{"command": "autopilot", "arguments": {"never": "rule, data"}}], found)
    assert not right([{"command": "autopilot", "arguments": {"never": "data"}}], found)
