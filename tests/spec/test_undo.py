"""Taking back, in any order, by this session or another: where one stands then, and what goes on from there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ontogeny.isa.errors import OntogenyError
from ontogeny.isa.text import from_text
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.command import Effect, Outcome
from ontogeny.steer.commands.places import is_kept
from ontogeny.steer.places import marks
from ontogeny.steer.registry import command
from ontogeny.steer.session import COMMAND, Session
from tests.regression import SPEEDY, begin


@pytest.fixture
def session(tmp_path: Path) -> Session:
    begin(tmp_path / "one").close()
    found = Session(RunsFolder(tmp_path), "one", author="eve")
    do(found, "run", steps=5)
    return found


def do(session: Session, called: str, /, **arguments: object) -> Outcome:
    return session.do(command(called, arguments))


def at(session: Session) -> tuple[str, int, bool]:
    return session.position.folder.name, session.step(), session.in_past()


def test_a_dial_on_its_way_goes_on_where_a_turn_is_taken_back(session: Session) -> None:
    do(session, "set", dial="lr", to=0.1, over=10)
    do(session, "run", steps=2)
    do(session, "set", dial="lr", to=0.5)
    do(session, "undo")
    do(session, "run", steps=8)
    assert session.native().dials()["lr"] == 0.1, "it came to where it had been sent"


def test_what_is_foretold_where_something_is_taken_back_counts_it_no_more(session: Session) -> None:
    do(session, "set", dial="lr", to=0.2)
    other = Session(session.runs, "one")
    other.do(command("undo"))
    halved = command("set", {"dial": "lr", "by": 0.5})
    assert "from 0.05 to 0.025" in other.foretell(halved).text
    assert other.do(halved).figures["after"] == 0.025


def test_before_a_change_of_the_program_the_former_dials_can_be_turned(session: Session) -> None:
    session.fork(session.native(), 5, "other", program=from_text(SPEEDY))
    do(session, "run", steps=3)
    with pytest.raises(OntogenyError, match="no dial 'momentum'"):
        do(session, "set", dial="momentum", to=0.5)
    do(session, "back", to="2")
    turned = command("set", {"dial": "momentum", "to": 0.5})
    assert "from 0.9 to 0.5" in session.foretell(turned).text
    session.do(turned)
    do(session, "run", steps=2)
    assert session.native().dials()["momentum"] == 0.5 and session.native().verify().ok
    do(session, "switch", run="other")
    do(session, "back", to="6")
    do(session, "set", dial="friction", to=0.5)
    do(session, "run", steps=2)
    assert session.native().verify().ok


def test_going_back_is_taken_back_without_a_line_and_others_are_not_misled(session: Session) -> None:
    do(session, "set", dial="lr", to=0.2)
    do(session, "back", to="3")
    do(session, "undo")
    assert at(session) == ("one", 5, False)
    assert [entry["command"] for entry in session.native().entries if entry.kind == COMMAND] == ["run", "set"]
    other = Session(session.runs, "one")
    assert "'set dial=lr to=0.2'" in other.do(command("undo")).text


def test_what_was_taken_back_is_not_taken_back_again_by_another(session: Session) -> None:
    do(session, "set", dial="lr", to=0.2)
    do(session, "set", dial="momentum", to=0.5)
    do(session, "undo")
    other = Session(session.runs, "one")
    assert "'set dial=lr to=0.2'" in other.foretell(command("undo")).text
    other.do(command("undo"))
    third = Session(session.runs, "one")
    assert "'run steps=5'" in third.do(command("undo")).text
    assert at(third) == ("one", 0, True)
    with pytest.raises(OntogenyError, match="no command of its own that could be taken back"):
        Session(session.runs, "one").do(command("undo"))


def test_a_run_that_was_put_away_returns_whatever_came_after(session: Session) -> None:
    do(session, "fork", name="other")
    do(session, "discard")
    do(session, "run", steps=2)
    do(session, "undo")
    do(session, "undo")
    assert at(session)[0] == "other"
    do(session, "discard")
    other = Session(session.runs, "one")
    assert other.foretell(command("undo")).effect is Effect.CHANGES
    other.do(command("undo"))
    assert at(other)[0] == "other"


def test_a_run_that_is_discarded_from_elsewhere_leaves_the_session_where_it_is(session: Session) -> None:
    do(session, "fork", name="other")
    do(session, "switch", run="one")
    do(session, "back", to="2")
    do(session, "discard", run="oth")
    assert at(session) == ("one", 2, True)
    do(session, "undo")
    assert (session.runs.root / "other").exists() and at(session) == ("one", 2, True)


def test_marks_and_keeping_are_taken_back(session: Session) -> None:
    do(session, "mark", name="here")
    do(session, "undo")
    assert marks(session.native()) == {} and at(session) == ("one", 5, False)
    do(session, "fork", name="other")
    do(session, "keep")
    do(session, "undo")
    do(session, "discard")
    assert at(session)[0] == "one"


def test_what_is_refused_leaves_no_fork_behind(session: Session) -> None:
    do(session, "back", to="2")
    for name, arguments in (
        ("set", {"dial": "lr", "to": float("inf")}),
        ("alter", {"how": "scale", "tensors": ["w"], "amount": 1e39}),
        ("call", {"routine": "nap"}),
        ("mix", {"examples": "99", "share": 0.5}),
    ):
        with pytest.raises(OntogenyError):
            do(session, name, **arguments)
        assert at(session) == ("one", 2, True)
    assert [folder.name for folder in session.runs.all()] == ["one"]


def test_what_breaks_off_midway_is_written_down_and_taken_back(session: Session) -> None:
    do(session, "set", dial="lr", to=1e30)
    with pytest.raises(OntogenyError):
        do(session, "run", steps=50)
    assert session.step() > 5
    last = [entry for entry in session.native().entries if entry.kind == COMMAND][-1]
    assert last["command"] == "run" and "broke off at step" in last["text"]
    do(session, "undo")
    assert at(session) == ("one", 5, True)


def test_forks_are_by_who_asked_for_them(session: Session) -> None:
    do(session, "back", to="2")
    do(session, "set", dial="lr", to=0.01)
    assert {entry.author for entry in session.native().own_entries if entry.kind == "fork"} == {"eve"}


def test_a_run_that_is_deleted_or_replaced_meanwhile_is_said_so(session: Session) -> None:
    begin(session.runs.root / "two").close()
    shutil.rmtree(session.runs.root / "one")
    for name, arguments in (("status", {}), ("run", {"steps": 1}), ("undo", {}), ("set", {"dial": "lr", "to": 1})):
        with pytest.raises(OntogenyError) as said:
            do(session, name, **arguments)
        assert "\n" not in str(said.value)
    do(session, "switch", run="two")
    do(session, "run", steps=1)
    begin(session.runs.root / "one", seed=9).close()
    do(session, "switch", run="one")
    assert session.native().step == 0 and session.native().start["seed"] == 9
    assert do(session, "run", steps=2).step == 2


def test_two_sessions_on_one_run_see_each_other(session: Session) -> None:
    other = Session(session.runs, "one")
    other.do(command("run", {"steps": 3}))
    assert session.step() == 8
    do(session, "set", dial="lr", to=0.2)
    assert other.native().dials()["lr"] == 0.2
    do(session, "undo")
    assert other.native().dials()["lr"] == 0.05


@pytest.mark.parametrize("name", ["ünïcode", "with space", "-dash", "100%", "quote'd", "[red]"])
def test_names_with_odd_characters(session: Session, name: str) -> None:
    begin(session.runs.root / name).close()  # a folder may be called so, though a new run is given a plain name
    do(session, "switch", run=name)
    do(session, "mark", name=name)
    do(session, "run", steps=1)
    do(session, "back", to=name)
    assert at(session) == (name, 0, True)
    do(session, "discard", run=name)
    do(session, "take-back", run=name)
    for odd in ("../out", ".hidden", "a/b", "new\nline", ""):
        if odd:
            with pytest.raises(OntogenyError):
                do(session, "fork", name=odd)


def test_a_run_outside_the_folder_of_runs(session: Session, tmp_path: Path) -> None:
    begin(tmp_path / "elsewhere" / "far").close()
    with pytest.raises(OntogenyError):
        do(session, "switch", run="far")
    away = Session(RunsFolder(tmp_path / "elsewhere"), "far")
    away.do(command("run", {"steps": 2}))
    assert at(away) == ("far", 2, False)


def later(session: Session, run: str) -> Session:
    """A session of its own, as each command of the shell is."""
    return Session(session.runs, run)


def test_keeping_and_marks_are_written_back_as_they_were_by_another_session(session: Session) -> None:
    do(later(session, "one"), "mark", name="here")
    do(later(session, "one"), "run", steps=2)
    for off in (False, True):
        do(later(session, "one"), "keep", off=off)
        do(later(session, "one"), "mark", name="here", off=off)
    run = session.native()
    assert marks(run) == {} and not is_kept(run)
    assert "step 7 of one is called 'here'" in do(later(session, "one"), "undo").text
    assert "one is kept" in do(later(session, "one"), "undo").text and is_kept(session.native())
    assert marks(session.native()) == {"here": 7}
    do(later(session, "one"), "undo")
    assert marks(session.native()) == {"here": 5}
    assert "one is not kept" in do(later(session, "one"), "undo").text and not is_kept(session.native())


def test_keeping_what_was_kept_already_is_taken_back_to_kept(session: Session) -> None:
    do(session, "keep")
    do(session, "keep")
    do(session, "undo")
    assert is_kept(session.native())
    do(session, "undo")
    assert not is_kept(session.native())


@pytest.mark.parametrize("name", ["fork", "again"])
def test_a_run_that_was_made_is_put_away_when_that_is_taken_back(session: Session, name: str) -> None:
    made = do(session, name, name="new").run
    foretold = later(session, made).foretell(command("undo"))
    assert f"put {made} away" in foretold.text and foretold.changes
    do(later(session, made), "undo")
    assert [folder.name for folder in session.runs.all()] == ["one"]
    do(later(session, "one"), "take-back", run=made)
    session.move(session.runs.root / made)
    do(session, "undo")
    assert [folder.name for folder in session.runs.all()] == ["one"] and session.position.folder.name == "one"


def test_a_run_that_was_made_and_went_on_stays_and_that_is_said(session: Session) -> None:
    do(session, "fork", name="other")
    session.native().advance(2)
    session.let_go()
    for other in (later(session, "other"), session):
        foretold = other.foretell(command("undo"))
        assert foretold.changes and "other stays, and `ontogeny discard other`" in foretold.text
    assert "other stays" in do(session, "undo").text
    assert (session.runs.root / "other").exists() and session.position.folder.name == "one"


def test_taking_back_what_changed_a_run_is_a_change(session: Session) -> None:
    do(session, "set", dial="lr", to=0.2)
    do(session, "run", steps=2)
    assert session.foretell(command("undo")).changes and later(session, "one").foretell(command("undo")).changes
    do(session, "back", to="3")
    assert session.foretell(command("undo")).effect is Effect.MOVES


def test_a_fork_without_a_command_of_its_own_says_where_there_is_one(session: Session) -> None:
    session.fork(session.native(), 5, "other").close()
    with pytest.raises(OntogenyError, match=r"other has been given no command of its own .*`ontogeny undo one` takes"):
        do(later(session, "other"), "undo")
    assert "'run steps=5'" in do(later(session, "one"), "undo").text


def test_what_is_named_is_taken_back_of_that_run_wherever_one_stands(session: Session) -> None:
    do(session, "set", dial="lr", to=0.2)
    do(session, "fork", name="two")
    do(session, "set", dial="momentum", to=0.5)
    assert "take back 'set dial=lr to=0.2'" in session.foretell(command("undo", {"run": "one"})).text
    do(session, "undo", run="one")
    assert session.native("two").dials()["momentum"] == 0.5, "the run that nobody named is as it was"
    do(session, "run", steps=1)
    assert at(session)[0] == "one-5" and session.native().dials()["lr"] == 0.05


def test_by_another_session_too_and_the_named_run_knows(session: Session) -> None:
    do(session, "mark", name="here")
    do(session, "fork", name="two")
    do(session, "set", dial="lr", to=0.2)
    other = Session(session.runs, "two")
    other.do(command("undo", {"run": "one"}))
    assert not marks(other.native("one")) and session.native("two").dials()["lr"] == 0.2
    assert "run steps=5" in other.foretell(command("undo", {"run": "one"})).text, "it is taken back once"
