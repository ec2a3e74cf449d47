"""What several commands in one sentence will do is foretold from where each of them will start, and then happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from ontogeny.faces.chat import costly
from ontogeny.faces.chat_foretold import Foretold, foretold
from ontogeny.steer.commands.living import NotLiveError
from ontogeny.steer.phrases.reader import PhraseReader
from ontogeny.steer.registry import command
from ontogeny.steer.session import Session
from tests import small
from tests.regression import begin


@pytest.fixture
def session(tmp_path: Path) -> Session:
    for name, steps in (("two", 7), ("one", 20)):
        with begin(tmp_path / name) as run:
            run.advance(steps)
    return Session(tmp_path, "one")


def told_and_done(session: Session, words: str) -> tuple[list[Foretold], list[str]]:
    reading = PhraseReader().read(words, session)
    assert not reading.unsure, reading.unsure
    told = foretold(session, reading.commands)
    return told, [session.do(command).text for command in reading.commands]


def test_what_follows_a_run_is_foretold_from_the_step_that_it_reaches(session: Session) -> None:
    told, done = told_and_done(session, "run 3 steps then halve the learning rate and run 2 steps")
    assert "to 23" in told[0].text and "for 2 steps, to 25" in told[2].text and told[2].steps == 2
    assert "from 0.05 to 0.025, from step 23 on" in told[1].text and "from 0.05 to 0.025" in done[1]
    told, _ = told_and_done(session, "halve the learning rate then double the learning rate")
    assert "from 0.025 to 0.0125" in told[0].text and "from 0.0125 to 0.025" in told[1].text


def test_a_dial_on_its_way_is_foretold_where_it_will_be(session: Session) -> None:
    words = "move the learning rate to 0.01 over 10 steps, run 5 steps, halve the learning rate"
    told, done = told_and_done(session, words)
    assert "from 0.03 to 0.015, from step 25 on" in told[2].text and "from 0.03 to 0.015" in done[2]


def test_a_fork_is_foretold_from_where_it_branches(session: Session) -> None:
    told, done = told_and_done(session, "go back to step 8, run 3 steps, halve the learning rate and run 2 steps")
    assert "fork one at step 8" in told[1].text and "to 11" in told[1].text
    assert "of the fork" in told[2].text and "from step 11 on" in told[2].text and "to 13" in told[3].text
    assert "is at step 13" in done[3]


def test_after_a_run_is_put_away_the_next_one_is_foretold(session: Session) -> None:
    told, done = told_and_done(session, "discard this run and run 10 steps")
    assert "and go to two" in told[0].text and "take two on for 10 steps, to 17" in told[1].text
    assert "two is at step 17" in done[1]


def test_what_cannot_be_known_is_told_without_figures(session: Session) -> None:
    told, _ = told_and_done(session, "run until loss < 1000 then halve the learning rate and run 2 steps")
    assert all("can be said in full once the above is done" in one.text for one in told[1:])
    told, _ = told_and_done(session, "halve the learning rate and undo that")
    assert "can be said in full" in told[1].text


def test_what_follows_a_run_that_is_made_is_not_foretold_of_the_one_before(tmp_path: Path) -> None:
    with small.begin(tmp_path / "one") as run:
        run.advance(6)
    session = Session(tmp_path, "one")
    for makes, made in ((command("again"), "one-again"), (command("forget", {"examples": "3"}), "one-forgot")):
        session.move(tmp_path / "one")
        onwards = command("run", {"steps": 2})
        told = foretold(session, [makes, onwards])
        session.do(makes)
        assert session.do(onwards).run == made
        assert "can be said in full once the above is done" in told[1].text


def test_what_a_stored_run_cannot_be_told_is_refused_before_anything_is_done(session: Session) -> None:
    halve, stop = command("set", {"dial": "lr", "by": 0.5}), command("stop", {})
    with pytest.raises(NotLiveError, match="one is not live"):
        foretold(session, [halve, stop])
    told = foretold(session, [command("run", {"steps": 3}), stop])  # a long one would have been given to a live process
    assert "can be said in full" in told[1].text


def test_what_a_question_takes_is_said_where_it_is_long() -> None:
    commands = [command("what-if", {"dials": {"lr": 0.1}}), command("status"), command("run", {"steps": 9})]
    told = [Foretold("replay it", 90, 27.0), Foretold("say", 0, None), Foretold("go on", 9, 40.0)]
    assert costly(commands, told) == ["[dim]replay it, about 27.0 s; Ctrl-C breaks it off[/]"]
