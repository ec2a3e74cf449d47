"""Words as commands: what they are read as, what is asked back, and that the tables are whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benches.chat_compared import CONTEXT, lines, right
from ontogeny.steer.phrases.context import Context
from ontogeny.steer.phrases.grammar import SAID, TABLES, grammar
from ontogeny.steer.phrases.known import heard
from ontogeny.steer.phrases.literal import literally
from ontogeny.steer.phrases.matcher import Matcher
from ontogeny.steer.phrases.numerals import number, part
from ontogeny.steer.phrases.phrase import Unclear
from ontogeny.steer.phrases.reader import read
from ontogeny.steer.phrases.spelling import slips
from ontogeny.steer.registry import BY_NAME

TUNING = lines(Path(__file__).parents[1] / "phrases" / "tuning.jsonl")


def said(words: str, context: Context = CONTEXT) -> list[str]:
    return [command.says() for command in read(words, context).commands]


def test_every_command_has_phrases_and_every_phrase_a_command() -> None:
    assert set(SAID) == set(BY_NAME), (
        "a command in the registry has no phrases in steer/phrases/said, or no longer exists"
    )
    grammar()
    for name, phrases in {**SAID, **TABLES}.items():
        assert phrases, name


def test_the_words_that_are_tuned_on_are_read() -> None:
    wrong = [one["words"] for one in TUNING if not right(one["expect"], read(one["words"], CONTEXT).commands)]
    assert len(wrong) <= 0.05 * len(TUNING), wrong


@pytest.mark.parametrize(
    ("words", "commands"),
    [
        ("halve the learning rate and run 100 steps", ["set dial=lr by=0.5", "run steps=100"]),
        ("go back to 300, fork, take the decay off and run 500 steps",
         ["back to=300", "fork", "set dial=weight_decay to=0.0", "run steps=500"]),
        ("Could you please rewind to just before it grokked?", ["back to=before it generalised"]),
        ("run until validation accuracy reaches 99%", ["run until=valid.accuracy >= 0.99"]),
        ("train until the loss is below 0.1, at most 2,000 steps", ["run steps=2000 until=loss < 0.1"]),
        ("freeze the attention", ["freeze tensors=['query.weight', 'key_value.weight', 'out.weight']"]),
        ("only decay the matrices", ["rule edit=no_decay arguments={'only_matrices': True}"]),
        ("leave out examples 3, 17 and 40 to 60", ["leave-out examples=3,17,40:61"]),
        ("learn this: x = 3, 4, 97; y = 7", ["learn values={'x': [3.0, 4.0, 97.0], 'y': 7.0}"]),
        ("what if the lr had been 0.001 from 100 on", ["what-if dials={'lr': 0.001} start=100"]),
        ("set lr to 0.01 and weight decay to 0", ["set dial=lr to=0.01", "set dial=weight_decay to=0.0"]),
        ("two hundred steps", ["run steps=200"]),
        ("what was the loss at step 200", ["curve steps=200:201"]),
        ("valid.accuracy at step 200", ["curve of=valid.accuracy steps=200:201"]),
        ("why did embed.weight[3,7] change at step 200?", ["explain names=embed.weight[3,7] steps=200:201"]),
        ("compare it to the other one", ["compare to=no-decay"]),
        ("run 100 steps without weight decay", ["set dial=weight_decay to=0.0", "run steps=100"]),
        ("show the loss of no-decay", ["curve run=no-decay"]),
        ("scale the embeddings by 0.5 and then freeze them",
         ["alter how=scale tensors=['embed.weight'] amount=0.5", "freeze tensors=['embed.weight']"]),
        ("hmm, this looks bad. halve the learning rate so that it calms down", ["set dial=lr by=0.5"]),
        ("we don't need the fork, throw it out", ["discard run=no-decay"]),
        ("run 100 steps after setting the weight decay to 0.3", ["set dial=weight_decay to=0.3", "run steps=100"]),
        ("Then set beta2 to 0.999, after that run 20 steps, and then take it back to 0.98.",
         ["set dial=beta2 to=0.999", "run steps=20", "set dial=beta2 to=0.98"]),
        ("add grokfast to the rule, averaging decay 0.99", ["rule edit=smooth arguments={'decay': 0.99}"]),
        ("halve lr, run 100", ["set dial=lr by=0.5", "run steps=100"]),
        ("train with SAM", ["rule edit=sam arguments={'rho': 0.05}"]),
        ("use perpendicular gradients", ["rule edit=perpendicular"]),
        ("use soap", ["rule edit=soap"]),
        ("autopilot, never touch the data", ["autopilot never=data"]),
        ("look after it but leave the data and the lr alone", ["autopilot never=data,lr"]),
        ("use the catapult", ["rule edit=catapult"]),
        ("use muon_catapult with a learning rate of 0.1", ["rule edit=muon_catapult arguments={'lr': 0.1}"]),
        ("did it catapult", ["events"]),
        ("what does it remember word for word?", ["recall"]),
        ("which examples are memorised", ["recall"]),
        ("has it memorised", ["events"]),
        ("are examples 3, 17 memorised", ["recall left_out=3,17"]),
        ("how many bits per parameter has it memorised", ["capacity"]),
        ("how much does it hold that no-decay does not know", ["capacity against=no-decay"]),
        ("what would it cost to train this for 10,000 steps in fp8", ["price for_steps=10000 precision=fp8"]),
        ("what would this cost on 4 B200s", ["price machine=8xB200 accelerators=4"]),
        ("what does a step cost", ["cost"]),
        ("fit a scaling law to these runs", ["laws"]),
        ("fit a law to modular and no-decay", ["laws runs=['modular', 'no-decay']"]),
        ("put it to sleep every 50 steps", ["rule edit=sleep arguments={'every': 50}"]),
    ],
)  # fmt: skip
def test_words_are_read(words: str, commands: list[str]) -> None:
    assert said(words) == commands


@pytest.mark.parametrize(
    "words",
    [
        "don't fork", "please do not run anything", "never halve the learning rate", "I don't want you to fork",
        "should I halve the learning rate?", "if it diverges, halve the lr", "turn the learning rate down a bit",
        "set the dropout to 0.1", "freeze the second layer", "clip the gradients", "add some noise", "run it for a bit",
        "delete everything", "thanks", "lower the loss", "set the learning rate", "halve the flux capacitor",
        "don't you dare discard no-decay", "please don't history then undo",
        "was it a mistake to fork?", "without forking, tell nobody",
        "maybe I should halve the learning rate", "tomorrow I'll run another 1000 steps",
        "let's not freeze the MLP after all",
        "tell me the step", "what if we had changed the learning rate?",
    ],
)  # fmt: skip
def test_no_change_is_guessed(words: str) -> None:
    assert not read(words, CONTEXT).changes


ASKED = ["did you halve the learning rate?", "was the learning rate changed?", "when did we freeze the biases"]


@pytest.mark.parametrize("words", ASKED)
def test_what_was_done_is_asked_about_and_not_done_again(words: str) -> None:
    assert not read(words, CONTEXT).changes


def test_asking_back_offers_commands_that_are_sure() -> None:
    reading = read("turn the learning rate down a bit", CONTEXT)
    assert "0.015" in reading.unsure and 2 <= len(reading.alternatives) <= 3
    for one in reading.alternatives:
        assert read(one.words, CONTEXT).commands == one.commands


def test_what_a_run_has_not_is_named() -> None:
    assert "it has lr" in read("set the momentum to 0.9", Context(run="a", dials={"lr": 0.1})).unsure
    assert "embed.weight" in read("freeze the flux", CONTEXT).unsure
    assert "the marks are early" in read('go back to "late"', CONTEXT).unsure


def test_a_reference_follows_what_was_said_before_it() -> None:
    alone = Context(run="a", dials={"lr": 0.1}, runs=("a",))
    assert said("fork, run 5 steps and compare it to the original", alone) == ["fork", "run steps=5", "compare to=a"]


def test_spelling_is_mended_where_it_can_mean_one_thing_only() -> None:
    assert said("halv the learnign rate") == ["set dial=lr by=0.5"]
    assert said("frezze the embedings") == ["freeze tensors=['embed.weight']"]
    assert not read("hlve teh lrng rte", CONTEXT).commands
    assert (slips("taht", "that", 1), slips("abc", "abd", 1), slips("abcd", "xyzd", 2)) == (1, 1, 3)


def test_numbers_in_words() -> None:
    assert number(["two", "hundred", "and", "five", "steps"]) == (205, 4)
    assert number(["three", "thousand"]) == (3000, 2)
    assert part(["two", "thirds"]) == (pytest.approx(2 / 3), 2)
    assert part(["steps"])[1] == 0 and number([])[1] == 0


def test_of_two_phrases_that_differ_neither_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, kept = Matcher.whole, heard("keep this run", CONTEXT)

    def both(self: Matcher, table: str) -> object:
        """As if discarding were said in the words of keeping."""
        return whole(self, "command keep" if table == "command discard" else table)

    assert [one.says() for one in literally(kept, CONTEXT).commands] == ["keep"]
    monkeypatch.setattr(Matcher, "whole", both)
    reading = literally(kept, CONTEXT)
    assert not reading.commands and "several things" in reading.unsure


def test_a_reading_raises_nothing_it_says() -> None:
    assert issubclass(Unclear, Exception) and "longer" in read("run " * 1000, CONTEXT).unsure
    assert json.dumps([one.words for one in read("clip the gradients", CONTEXT).alternatives])
