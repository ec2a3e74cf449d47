"""Words by weight: what they name, what may fill a slot, and that a doubtful change is asked about."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from benches.chat_compared import CONTEXT
from ontogeny.faces.chat import Ask, Chat
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.command import Effect
from ontogeny.steer.phrases.features import of_clause
from ontogeny.steer.phrases.items import items
from ontogeny.steer.phrases.known import heard
from ontogeny.steer.phrases.network import network
from ontogeny.steer.phrases.numerals import spoken
from ontogeny.steer.phrases.reader import CERTAIN, PhraseReader, read
from ontogeny.steer.phrases.said.intents import INTENTS, intent_of
from ontogeny.steer.phrases.weighed import ASK, CHAT, PART, SEVERAL, WHOLE, candidates, weighed
from ontogeny.steer.places import marks
from ontogeny.steer.registry import BY_NAME
from ontogeny.steer.session import Session
from tests.regression import begin


def named(words: str, type_: str) -> list[object]:
    return [one.value for one in items(heard(words, CONTEXT), CONTEXT) if one.type == type_]


def test_every_command_has_an_intent_and_every_intent_a_command() -> None:
    assert {one.command for one in INTENTS.values()} == set(BY_NAME)
    assert intent_of("alter", {"how": "prune"}) == "alter:prune"
    assert intent_of("rule", {"edit": "rule", "arguments": {"to": "sgd"}}) == "rule:optimiser"


def test_the_weights_that_are_shipped_know_these_intents() -> None:
    intents, kinds = network().intents, network().kinds
    assert set(intents.names) <= set(INTENTS) | {ASK} and set(kinds.names) == {WHOLE, CHAT, PART, SEVERAL}
    sure = intents.of(of_clause(*_piece("halve the learning rate")))
    assert np.isclose(np.exp(sure).sum(), 1, atol=1e-4) and intents.names[int(sure.argmax())] == "set"


def _piece(words: str) -> tuple[object, object]:
    said = heard(words, CONTEXT)
    return said, items(said, CONTEXT)


@pytest.mark.parametrize(
    ("words", "type_", "value"),
    [
        ("put it on the no decay run", "run", "no-decay"),
        ("until the mean of up.bias is above 0.2", "condition", "mean(up.bias) > 0.2"),
        ("freeze all but the biases", "tensors",
         ("position", "embed.weight", "query.weight", "key_value.weight", "out.weight", "up.weight", "down.weight",
          "unembed.weight")),
        ("why did row 3 of the embedding move", "element", "embed.weight[3,:]"),
        ("learn the rows in data/hard.jsonl", "file", "data/hard.jsonl"),
        ("learn /tmp/more.safetensors", "file", "/tmp/more.safetensors"),
        ("forget examples 900 to 910: they are wrong", "examples", "900:911"),
        ("fork -> fresh", "name", "fresh"),
    ],
)  # fmt: skip
def test_what_words_name(words: str, type_: str, value: object) -> None:
    assert value in named(words, type_)


@pytest.mark.parametrize(
    ("words", "value", "count"),
    [
        ("zero point nine five", 0.95, 4), ("point oh one", 0.01, 3), ("three e minus four", 3e-4, 4),
        ("ten to the minus three", 1e-3, 5), ("two fifty", 250, 2), ("nine eighty five", 985, 3), ("two hundred", 0, 0),
        ("five", 0, 0),
    ],
)  # fmt: skip
def test_numbers_as_they_are_dictated(words: str, value: float, count: int) -> None:
    found, taken = spoken(words.split())
    assert taken == count and (not count or found == pytest.approx(value))


def test_a_filler_gives_only_what_the_slot_can_take() -> None:
    there = items(heard("at step 600 or 2.5", CONTEXT), CONTEXT)
    given = [one.given for one in candidates(INTENTS["run"].slots["steps"], there, CONTEXT, "")]
    assert {"steps": 600} in given and {"steps": 100} in given
    assert all(isinstance(one["steps"], int) for one in given if one)


def test_no_word_fills_two_slots_and_what_is_left_counts_against_a_change() -> None:
    both = weighed(heard("turn the learning rate to 0.01 over 50 steps", CONTEXT), CONTEXT)
    assert [one.says() for one in both.commands] == ["set dial=lr to=0.01 over=50"]
    less = weighed(heard("turn the learning rate to 0.01 over 50 steps 7 9", CONTEXT), CONTEXT)
    assert less.sure < both.sure


@pytest.mark.parametrize(
    "words",
    ["what if we freeze the embedding?", "suppose I forked here", "had anybody clipped the gradients before step 300?"],
)
def test_what_is_supposed_or_asked_changes_nothing(words: str) -> None:
    assert not read(words, CONTEXT).changes


class Doubtful:
    """A reader that is never sure."""

    def read(self, text: str, session: Session) -> object:
        reading = PhraseReader().read(text, session)
        return type(reading)(commands=reading.commands, sure=False)


def test_a_doubtful_change_is_asked_about_whatever_was_allowed(tmp_path: Path) -> None:
    begin(tmp_path / "one").close()
    asked: list[str] = []

    def hear(prompt: str, text: str) -> str:
        asked.append(prompt)
        return "n"

    session = Session(RunsFolder(tmp_path), "one")
    out = io.StringIO()
    chat = Chat(session, (Doubtful(),), Console(file=out, width=200), hear, ask=Ask.NEVER)  # type: ignore[arg-type]
    chat.take("mark this step as calm")
    assert asked and "doubt" in out.getvalue() and not marks(session.recording())
    sure = Chat(session, (PhraseReader(),), Console(file=out), hear, ask=Ask.NEVER)
    sure.take("mark this step as calm")
    assert len(asked) == 1 and "calm" in marks(session.recording())


def test_only_what_is_all_but_certain_is_sure() -> None:
    for words in ("halve the learning rate", "knock the learning rate down to a third, would you", "fork -> fresh"):
        reading, best = read(words, CONTEXT), weighed(heard(words, CONTEXT), CONTEXT)
        effects = {command.EFFECT for command in reading.commands}
        assert effects and effects != {Effect.ASKS}
        assert reading.sure or best.sure < CERTAIN


@pytest.mark.parametrize(
    ("words", "commands"),
    [
        ("lift the keep on no-decay and discard it", ["keep run=no-decay off=True", "discard run=no-decay"]),
        ("take old back and keep it this time", ["take-back run=old", "keep run=old"]),
        ("accuracy on train and on held-out, both from 150 to 400",
         ["curve of=accuracy steps=150:400", "curve of=valid.accuracy steps=150:400"]),
        ("explain up.weight since 300, then down.weight over the same window",
         ["explain names=up.weight steps=300:", "explain names=down.weight steps=300:"]),
        ("switch to no-decay and show its loss", ["switch run=no-decay", "curve"]),
        ("halve the lr and show the history", ["set dial=lr by=0.5", "history"]),
    ],
)  # fmt: skip
def test_a_clause_takes_over_what_its_neighbour_names(words: str, commands: list[str]) -> None:
    assert [one.says() for one in read(words, CONTEXT).commands] == commands


def test_a_chat_says_how_long_something_takes_and_what_can_be_said_and_does_nothing(tmp_path: Path) -> None:
    begin(tmp_path / "one").close()
    session, out = Session(RunsFolder(tmp_path), "one"), io.StringIO()
    before = session.recording().step

    def hear(prompt: str, text: str) -> str:
        raise AssertionError(f"nothing is to be asked, but {prompt!r} was")

    chat = Chat(session, (PhraseReader(),), Console(file=out, width=200), hear)
    chat.take("how long will 1000 steps take?")
    chat.take("hello")
    assert "1,000 steps" in out.getvalue() and "Take steps: so many" in out.getvalue()
    assert session.recording().step == before and not chat.refused
