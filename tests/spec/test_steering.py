"""Commands of steering: what they do to a run, what they say beforehand, and how they are taken back."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import ontogeny as og
from ontogeny.ask import events
from ontogeny.isa.errors import OntogenyError
from ontogeny.record import kept, machines
from ontogeny.record.machines import LOADED
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.command import Effect, Outcome
from ontogeny.steer.commands.restoring import MAKING
from ontogeny.steer.registry import COMMANDS, command
from ontogeny.steer.session import COMMAND, Session
from tests.regression import begin


@pytest.fixture
def session(tmp_path: Path) -> Session:
    begin(tmp_path / "one").close()
    return Session(RunsFolder(tmp_path), "one", author="eve")


def do(session: Session, called: str, /, **arguments: object) -> Outcome:
    return session.do(command(called, arguments))


def at(session: Session) -> tuple[str, int]:
    return session.position.folder.name, session.step()


def test_steps_are_taken_and_stand_in_the_journal(session: Session) -> None:
    outcome = do(session, "run", steps=5)
    assert at(session) == ("one", 5)
    assert outcome.figures["loss"] == session.recording().metrics()["loss"][-1]
    (line,) = (entry for entry in session.recording().entries if entry.kind == COMMAND)
    assert (line.author, line["command"], line["arguments"]) == ("eve", "run", {"steps": 5})


def test_a_condition_stops_a_run_at_the_first_step_at_which_it_holds(session: Session) -> None:
    do(session, "run", until="loss < 0.5", steps=100)
    losses = session.recording().metrics()["loss"]
    assert losses[-1] < 0.5 and (losses[:-1] >= 0.5).all()
    assert "did not come to hold" in do(session, "run", until="loss < 0 and largest > 0", steps=3).text


@pytest.mark.parametrize("text", ["norm(w) > 1", "w[2,0] > .5", "loss < 1 or naps > 3", "max(w) >= 0.5"])
def test_conditions_are_about_metrics_and_parameters(session: Session, text: str) -> None:
    if "naps" in text:
        with pytest.raises(OntogenyError, match="naps"):
            do(session, "run", until=text, steps=50)
    else:
        do(session, "run", until=text, steps=50)
        assert 0 < session.step() < 50


@pytest.mark.parametrize(
    ("event", "early", "rate"),
    [("spiked", 0.05, 0.4), ("diverged", 0.05, 0.6), ("generalised", 1e-5, 0.02), ("best", 0.05, 0.05)],
)
def test_a_run_stops_at_the_first_step_at_which_something_has_happened(
    session: Session, event: str, early: float, rate: float
) -> None:
    do(session, "set", dial="lr", to=early)
    do(session, "run", steps=1 if event == "best" else 80)
    do(session, "set", dial="lr", to=rate)
    first = session.step()
    assert "holds" in do(session, "run", until=event, steps=100).text
    run = session.native()

    class Until:
        def __init__(self, step: int) -> None:
            self.step = step

        def metrics(self) -> dict[str, np.ndarray]:
            return run.metrics(1, self.step)

        def evaluations(self) -> list[dict[str, float]]:
            return [row for row in run.evaluations() if row["step"] <= self.step]

    def happened(step: int) -> bool:
        return events.EVENTS[event](events.curves(Until(step))) is not None

    assert [happened(step) for step in range(first + 1, run.step + 1)] == [False] * (run.step - first - 1) + [True]


def test_what_is_said_beforehand_changes_nothing(session: Session) -> None:
    before = (session.position.folder / "journal.jsonl").read_bytes()
    for name, arguments in (
        ("set", {"dial": "lr", "by": 2}),
        ("run", {"steps": 9}),
        ("fork", {}),
        ("mark", {"name": "a"}),
    ):
        told = session.foretell(command(name, arguments))
        assert told.changes and told.text
    assert (session.position.folder / "journal.jsonl").read_bytes() == before


def test_a_change_in_the_past_is_made_on_a_fork(session: Session) -> None:
    do(session, "run", steps=8)
    do(session, "back", to="3")
    assert at(session) == ("one", 3) and session.in_past()
    do(session, "set", dial="lr", by=0.5)
    assert at(session) == ("one-3", 3)
    assert session.native().dials()["lr"] == pytest.approx(0.025)
    assert session.native("one").step == 8 and session.native("one").dials()["lr"] == 0.05


def test_a_dial_is_turned_back_in_place_and_by_a_fork_where_steps_came_after(session: Session) -> None:
    do(session, "run", steps=2)
    do(session, "set", dial="lr", to=0.2)
    do(session, "undo")
    assert at(session) == ("one", 2) and session.native().dials()["lr"] == 0.05
    do(session, "set", dial="lr", to=0.2)
    do(session, "run", steps=4)
    do(session, "undo")
    do(session, "undo")
    assert at(session) == ("one", 2) and session.in_past()
    do(session, "run", steps=4)
    name, step = at(session)
    assert name != "one" and step == 6 and session.native().dials()["lr"] == 0.05
    assert session.native("one").dials()["lr"] == 0.2, "what was undone stays on record"


def test_another_session_takes_back_what_an_earlier_one_did(session: Session) -> None:
    do(session, "run", steps=4)
    do(session, "set", dial="momentum", to=0.0)
    later = Session(session.runs, "one")
    later.do(command("undo"))
    assert at(later) == ("one", 4) and later.in_past()
    later.do(command("run", {"steps": 1}))
    assert later.native().dials()["momentum"] == 0.9
    with pytest.raises(OntogenyError, match="no command"):
        begin(session.runs.root / "two").close()
        Session(session.runs, "two").do(command("undo"))


def test_a_fork_is_taken_back_and_a_discarded_run_returns(session: Session) -> None:
    do(session, "run", steps=3)
    do(session, "fork", name="other")
    assert at(session) == ("other", 3)
    do(session, "undo")
    assert at(session) == ("one", 3) and [folder.name for folder in session.runs.all()] == ["one"]
    do(session, "take-back", run="other")
    assert at(session) == ("other", 3)
    do(session, "keep")
    with pytest.raises(OntogenyError, match="kept"):
        do(session, "discard")


def test_a_run_that_others_hang_on_is_not_discarded(session: Session) -> None:
    do(session, "run", steps=3)
    do(session, "fork", name="other")
    with pytest.raises(OntogenyError, match="other hang on one"):
        do(session, "discard", run="one")


def test_marks_are_places_and_forks_inherit_them(session: Session) -> None:
    do(session, "run", steps=6)
    do(session, "back", to="4")
    do(session, "mark", name="here")
    do(session, "back", to="last")
    do(session, "fork", at="5", name="child")
    do(session, "back", to="here")
    assert at(session) == ("child", 4)
    with pytest.raises(OntogenyError, match="did you mean 'here'"):
        do(session, "back", to="heer")


def test_places_may_be_so_many_steps_from_others(session: Session) -> None:
    do(session, "run", steps=9)
    do(session, "back", to="6")
    do(session, "mark", name="here")
    best = events.find(session.recording(), "best").step
    for place, step in (
        ("2 steps before here", 4),
        ("3 steps after start", 3),
        ("1 step before it was best", best - 1),
    ):
        do(session, "back", to=place)
        assert session.step() == step
    with pytest.raises(OntogenyError, match="has no step"):
        do(session, "back", to="8 steps before here")
    with pytest.raises(OntogenyError, match="no event"):
        do(session, "back", to="8 steps before it flew")


def test_a_rule_is_edited_on_a_fork_that_replays(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(32, 3)).astype(np.float32)
    begin(tmp_path / "one").close()
    session = Session(RunsFolder(tmp_path), "one")
    do(session, "run", steps=3)
    with pytest.raises(OntogenyError):
        do(session, "rule", edit="sdg")
    told = session.foretell(command("freeze", {"tensors": ["w"]}))
    assert "fork one at step 3" in told.text
    do(session, "freeze", tensors=["w"])
    assert "in the steps 1 to 3" in do(session, "explain", names="w[0,0]").text, "it has no step of its own yet"
    do(session, "run", steps=4)
    assert "in the steps 4 to 7" in do(session, "explain", names="w[0,0]").text
    run = session.native()
    assert np.array_equal(run.state(3)["w"], run.state(7)["w"])
    assert run.verify().ok and x.size


def test_parameters_are_altered_and_that_is_taken_back(session: Session) -> None:
    do(session, "run", steps=3)
    before = session.native().state()["w"]
    do(session, "alter", how="scale", tensors=["w"], amount=0.5)
    do(session, "run", steps=1)
    do(session, "undo")
    do(session, "undo")
    do(session, "run", steps=1)
    straight = session.native("one").state(3)["w"]
    assert np.array_equal(before, straight)
    assert session.native().verify().ok


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.NAME)
def test_every_command_says_what_it_is(kind: type) -> None:
    assert kind.MEANING.endswith(".") and kind.__doc__
    assert isinstance(kind.EFFECT, Effect)
    for name, field in kind.model_fields.items():
        assert field.description or any(field.metadata), f"{kind.NAME}: {name} is not described"


def test_faulty_arguments_are_told_in_words(session: Session) -> None:
    for name, arguments, said in (
        ("sett", {}, "did you mean 'set'"),
        ("set", {"dial": "lr"}, "either a value"),
        ("set", {"dial": "lr", "to": 1, "colour": 3}, "no argument 'colour'"),
        ("run", {"steps": -4}, "not -4"),
        ("mark", {}, "name"),
    ):
        with pytest.raises(OntogenyError, match=said):
            command(name, arguments)
    with pytest.raises(OntogenyError, match="did you mean 'learning rate'"):
        do(session, "set", dial="lerning rate", to=1)


def test_what_did_not_happen_is_said_of_events(session: Session) -> None:
    do(session, "run", steps=20)
    text = do(session, "events").text
    assert "best: " in text and text.endswith("or spiked in loss, or diverged, or was catapulted")


def test_a_routine_that_an_edit_adds_is_offered_where_it_is_called(session: Session) -> None:
    for ask in (session.foretell, session.do):
        with pytest.raises(OntogenyError, match="`ontogeny rule one perturb` adds it"):
            ask(command("call", {"routine": "perturb"}))


def test_a_schedule_begins_where_it_is_asked_for(session: Session) -> None:
    do(session, "run", steps=5)
    for shape, said in (("warmup", "over 4 steps from step 5"), ("cycles", "every 4 steps from step 5")):
        asked = {"edit": "schedule", "arguments": {"shape": shape, "steps": 4}}
        assert said in session.foretell(command("rule", asked)).text
    with pytest.raises(OntogenyError, match="after 5"):
        session.foretell(command("rule", {"edit": "schedule", "arguments": {"shape": "cosine", "steps": 4}}))


def test_events_are_read_off_the_curves() -> None:
    class Curves:
        def metrics(self) -> dict[str, np.ndarray]:
            steps = np.arange(1, 201.0)
            loss = np.where(steps == 90, 9.0, 2.0 - steps / 150)
            return {"step": steps, "loss": loss, "accuracy": np.clip(steps / 50, 0, 1)}

        def evaluations(self) -> list[dict[str, float]]:
            return [
                {"step": s, "accuracy": 0.05 if s < 150 else min(0.98, 0.05 + (s - 150) / 20)} for s in range(0, 201, 5)
            ]

    found = {event.name: event for event in events.all_events(Curves())}
    assert found["spiked"].step == 90 and found["spiked"].before == 87
    assert found["memorised"].before < 30 < found["memorised"].step < 60
    assert found["generalised"].before == 150 and 155 <= found["generalised"].step <= 165
    assert "diverged" not in found


def test_a_comparison_is_made_where_one_stands(session: Session) -> None:
    with pytest.raises(OntogenyError, match="no step yet"):
        do(session, "explain", names="w[0,0]")
    do(session, "run", steps=6)
    do(session, "fork", name="two")
    do(session, "run", steps=4)
    do(session, "set", dial="lr", to=0.2)
    do(session, "run", steps=2)
    told = do(session, "compare", to="one")
    assert told.figures["dials"] == {"lr": [0.2, 0.05]} and "two (step 12) and one (step 6)" in told.text
    do(session, "back", to="8")
    told = do(session, "compare", to="one")
    assert told.figures["dials"] == {} and "two (at step 8 of 12) and one (step 6)" in told.text
    do(session, "back", to="4")
    assert do(session, "compare", to="one").figures["step"] == 4
    status = do(session, "status").text.splitlines()
    assert "dials lr 0.05, momentum 0.9, noise 0.1" in status and all(
        "lr" not in one for one in status if "rule" in one
    )


def test_the_value_at_a_step_is_that_of_this_step(session: Session) -> None:
    do(session, "run", steps=8)
    run = session.recording()
    told = do(session, "curve", of="loss", steps="6:7")
    assert told.figures == {"value": run.metrics()["loss"][5], "at": 6} and "step 6 (step s leads from" in told.text
    told = do(session, "curve", of="valid.loss", steps="7:8")
    assert told.figures["at"] == 5 and "at step 5, the last value before 7" in told.text
    with pytest.raises(OntogenyError, match="no value at step 9; the run has the steps 0 to 8"):
        do(session, "curve", of="loss", steps="9:10")


def test_what_a_replay_takes_is_said_before(session: Session) -> None:
    do(session, "run", steps=8)
    told = session.foretell(command("what-if", {"dials": {"lr": 0.1}, "start": 2}))
    assert told.text.startswith("replay one from step 2 to 8, as it was and as it would have been with")
    assert told.steps >= 6 and told.seconds and not told.changes


def test_why_says_how_many_lines_it_leaves_out_and_how_to_see_them(session: Session) -> None:
    for place in range(25):
        do(session, "mark", name=f"m{place}")
    told = do(session, "why")
    lines = told.text.splitlines()
    assert (
        lines[0]
        == f"... {len(told.figures['lines']) - 20} earlier lines are left out; all are in: ontogeny why one --json"
    )
    assert lines[1:] == told.figures["lines"][-20:] and "m24" in told.text and "m0" not in told.text


def test_whether_a_command_makes_a_run_is_said_alike() -> None:
    assert set(MAKING) == {kind.NAME for kind in COMMANDS if kind.MAKES}


def test_python_has_every_command_as_a_method(session: Session) -> None:
    steering = og.steering(session.runs.root / "one")
    assert set(dir(steering)) >= {kind.NAME.replace("-", "_") for kind in COMMANDS}
    assert steering.run(steps=2).step == 2
    with pytest.raises(AttributeError, match="no command"):
        steering.nonsense()


def test_what_must_be_loaded_before_a_step_is_in_the_time_foretold(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [command("fork", {"at": "5"}), command("again"), command("freeze", {"tensors": ["w"]})]
    do(session, "run", steps=8)
    assert session.foretell(asked[0]).seconds is None, "this process has loaded it"
    monkeypatch.setattr(kept, "is_loaded", lambda machine: False)
    assert session.foretell(asked[0]).seconds == kept.LOADING, "no record tells"
    monkeypatch.setitem(LOADED, "torch", 2.5)
    do(session, "run", steps=8)
    for one in asked:
        assert 2.5 <= (session.foretell(one).seconds or 0.0) < kept.LOADING


def test_where_torch_was_loaded_by_others_no_module_tells_what_loading_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert torch.__name__ in sys.modules
    monkeypatch.setattr(machines, "LOADED", {})
    for loaded_here in (False, True):
        monkeypatch.delitem(sys.modules, "colorsys", raising=False)
        machines._imported("colorsys")
        assert ("colorsys" in machines.LOADED) is loaded_here
        machines.LOADED[torch.__name__] = 2.5
