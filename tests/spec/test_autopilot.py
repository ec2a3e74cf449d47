"""The autopilot on small trainings: it keeps what is better, and nothing else; what it may see, take and change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ontogeny as og
from ontogeny.ask.finding import Finding, Remedy
from ontogeny.ask.workers import said_plainly
from ontogeny.data.order import Order
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.run import Run, create
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.autopilot import log
from ontogeny.steer.autopilot.flight import PROPOSERS, Flight, fly
from ontogeny.steer.autopilot.heldout import held_out
from ontogeny.steer.autopilot.judge import judged
from ontogeny.steer.autopilot.log import AUTHOR, flights
from ontogeny.steer.autopilot.plan import Plan
from ontogeny.steer.autopilot.pool import Pool, workers
from ontogeny.steer.autopilot.proposal import Proposal, Situation, allowed, made
from ontogeny.steer.autopilot.remedies import Findings, command_of, no_longer
from ontogeny.steer.autopilot.report import Report
from ontogeny.steer.command import Effect
from ontogeny.steer.commands.dials import Set
from ontogeny.steer.commands.rules import Rule
from ontogeny.steer.registry import command
from ontogeny.steer.session import Session
from tests.spec import diagnosed

BUDGET = 160


def begun(folder: Path, lr: float = 0.2, steps: int = 0, **how: Any) -> Session:
    diagnosed.run(folder / "run", steps=steps, dials={"lr": lr}, **how).close()
    return Session(RunsFolder(folder), "run")


def flown(session: Session, **how: Any) -> Report:
    return fly(session, "run", **{"budget": str(BUDGET), "steps": diagnosed.STEPS, **how})


def given(session: Session) -> Run:
    return session.native("run")


def at_the_sixth(act: Callable[[], object]) -> Callable[[str], None]:
    """Hears the autopilot's lines, and acts when there are six."""
    heard: list[str] = []

    def hear(text: str) -> None:
        heard.append(text)
        if len(heard) == 6:
            act()

    return hear


def steps_taken(root: Path) -> int:
    """The steps of all forks in a folder, by their own records; those put away are taken back for it."""
    for folder in list(root.glob(".discarded/run-*")):
        RunsFolder(root).take_back(folder.name)
    folders = [folder for folder in root.iterdir() if folder.name.startswith("run-")]
    return sum((run := og.open_run(folder)).step - run.base for folder in folders)


@pytest.mark.parametrize("lr", [0.001, 30.0])
def test_a_wrong_learning_rate_is_found_and_a_better_one_kept_within_the_budget(tmp_path: Path, lr: float) -> None:
    session = begun(tmp_path, lr)
    heard: list[str] = []
    report = flown(session, told=heard.append)
    assert heard == list(report.lines), "every line once, and the report by itself"
    assert report.kept and report.verdict is not None and report.verdict.better
    assert any("learning rate" in change for change in report.changes)
    assert session.native(report.run).step == report.step == session.step(), "the session stands at what is kept"
    run = given(session)
    assert run.step == 0 and run.dials()["lr"] == lr, "the given run stays as it is"
    assert 0 < report.steps <= BUDGET and steps_taken(tmp_path) == report.steps
    assert {entry.author for entry in flights(run)} == {AUTHOR}
    assert [entry["text"] for entry in flights(run)][: len(report.lines)] == list(report.lines)
    told = session.do(command("why", {"run": "run"})).text
    assert "is kept: better beyond noise" in told
    assert all(line in report.text for line in report.lines)
    assert session.native(report.run).verify().ok


def test_what_goes_back_goes_to_a_state_that_shows_nothing_of_it(tmp_path: Path) -> None:
    run = given(begun(tmp_path, 0.2, steps=8))
    finding = Finding("dead_units", since=6, before=4, sureness=1.0, words="")
    situation = Situation(run, 8, (finding,), 8)
    backs = [one for one in Findings().propose(situation) if one.at is not None]
    assert len(backs) == 3 and {one.at for one in backs} == {4}
    assert all("back to step 4, before it" in one.words for one in backs)


def test_a_healthy_run_stands_as_it_is(tmp_path: Path) -> None:
    session = begun(tmp_path, 0.2, steps=diagnosed.STEPS)
    before = given(session).hash()
    report = flown(session, budget="3x", steps=0)
    assert not report.kept and report.run in ("run", "run-auto", "run-best"), report.text
    assert given(session).hash() == before and given(session).step == diagnosed.STEPS


def test_what_is_judged_by_does_not_touch_the_search(tmp_path: Path) -> None:
    held = held_out(given(begun(tmp_path / "plain", 0.001)))
    assert not set(held.search) & set(held.judge)
    assert sorted([*held.search, *held.judge]) == list(range(held.count))
    reports = []
    for name, spoilt in (("one", False), ("two", True)):
        session = begun(tmp_path / name, 0.001)
        flight = _flight(session)
        if spoilt:
            arrays = {key: array.copy() for key, array in flight.scorer.held.arrays.items()}
            for array in arrays.values():
                array[flight.scorer.held.judge] = 0
            flight.scorer.held = replace(flight.scorer.held, arrays=arrays)
        reports.append(flight.go())
    searched = [[line for line in one.lines if "kept" not in line.split(":")[0]] for one in reports]
    assert searched[0] == searched[1], "the search goes the same way whatever the judged examples are"
    assert reports[0].verdict is not None and reports[1].verdict is not None
    assert reports[0].verdict.found != reports[1].verdict.found


def test_broken_off_midway_it_goes_on_to_the_same_end(tmp_path: Path) -> None:
    whole = flown(begun(tmp_path / "whole", 0.001))
    session = begun(tmp_path / "parts", 0.001)
    heard: list[str] = []

    def interrupt(text: str) -> None:
        heard.append(text)
        if len(heard) in (4, 9):
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            flown(session, told=interrupt)
        session = Session(RunsFolder(tmp_path / "parts"), "run")
    report = flown(session, told=interrupt)
    assert (report.kept, report.step, report.steps) == (whole.kept, whole.step, whole.steps)
    assert report.changes == whole.changes
    assert session.native(report.run).hash() == og.open_run(tmp_path / "whole" / whole.run).hash()
    assert steps_taken(tmp_path / "parts") <= BUDGET


def test_a_person_overrules_it(tmp_path: Path) -> None:
    session = begun(tmp_path, 0.001)
    other = Session(RunsFolder(tmp_path), "run", author="eve")
    report = flown(session, told=at_the_sixth(lambda: other.do(command("set", {"dial": "lr", "to": 0.3}))))
    assert not report.kept and report.run == "run" and "eve changed the run" in report.why
    assert given(session).dials()["lr"] == 0.3 and session.position.folder.name == "run"


def test_a_command_that_holds_the_journal_overrules_it(tmp_path: Path) -> None:
    session = begun(tmp_path, 0.001)
    other = og.open_run(tmp_path / "run")

    def turn() -> None:
        other.set_dial("lr", 0.3, author="eve")
        threading.Timer(0.5, other.close).start()

    report = flown(session, told=at_the_sixth(turn))
    assert not report.kept and report.run == "run" and "eve changed the run" in report.why
    assert report.discarded and not list(tmp_path.glob("run-auto*")), "unfinished trials are put away"


def test_somebody_who_goes_on_with_the_run_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "PATIENCE", 0.2)
    session = begun(tmp_path, 0.001)
    other = og.open_run(tmp_path / "run")
    asked = command("autopilot", {"run": "run", "budget": str(BUDGET), "steps": diagnosed.STEPS})
    session.told = at_the_sixth(lambda: other.note("mark", author="eve"))
    report = session.do(asked).figures
    assert "somebody else goes on with the run" in report["why"] and "being written by process" in report["why"]
    assert report["discarded"] and not list(tmp_path.glob("run-auto*"))
    other.close()
    session.told = lambda text: None
    assert session.do(asked).figures["steps"] > 0, "the same again begins anew, since its trials are gone"


def test_a_person_who_takes_a_trial_over_keeps_it(tmp_path: Path) -> None:
    session = begun(tmp_path, 0.2)
    other = Session(RunsFolder(tmp_path), "run", author="eve")
    taken = command("set", {"run": "run-auto-2", "dial": "lr", "to": 0.25})
    report = flown(session, told=at_the_sixth(lambda: other.do(taken)))
    assert "run-auto-2" not in report.discarded and (tmp_path / "run-auto-2").is_dir()
    assert og.open_run(tmp_path / "run-auto-2").dials()["lr"] == 0.25


def test_what_is_forbidden_is_never_tried(tmp_path: Path) -> None:
    session = begun(tmp_path, 0.001)
    report = flown(session, never="lr,rule,data", budget="80")
    assert not any("learning rate" in line for line in report.lines)
    with pytest.raises(OntogenyError, match="'moon' is nothing that could be forbidden"):
        flown(session, never="moon")
    turned = Proposal("half", (Set(dial="lr", by=0.5),))
    clipped = Proposal("clip", (Rule(edit="clip", arguments={"norm": 1.0}),))
    assert allowed([turned, clipped], ("lr",)) == [clipped]
    assert allowed([turned, clipped], ("rule",)) == [turned]
    assert allowed([turned, clipped], ("set", "data")) == [clipped]


def test_without_validation_training_examples_are_left_out_to_judge_by(tmp_path: Path) -> None:
    data = og.Arrays(diagnosed.examples(400, 1), diagnosed.BATCH)
    create(tmp_path / "run", diagnosed.captured(), data, dials={"lr": 0.001}, options={"threads": 1}).close()
    session = Session(RunsFolder(tmp_path), "run")
    held = held_out(given(session))
    report = flown(session, budget="120")
    assert any("no validation: 40 training examples" in remark for remark in report.remarks)
    kept = session.native(report.run)
    seen = {
        int(number) for step in range(kept.base, kept.step) for number in kept._stepper.examples(step).indices(step)
    }
    chosen = {int(number) for part in held.left_out.split(",") for number in _numbers(part)}
    assert len(chosen) == 40 and report.kept and not seen & chosen


@pytest.mark.slow
def test_several_processes_come_to_the_same_as_one(tmp_path: Path) -> None:
    one = flown(begun(tmp_path / "one", 0.001))
    pool = Pool(2)
    try:
        two = flown(begun(tmp_path / "two", 0.001), workers=pool)
    finally:
        pool.close()
    assert two.lines == one.lines


def test_a_goal_is_told_by_the_judged_examples(tmp_path: Path) -> None:
    report = flown(begun(tmp_path, 0.001), goal="valid.accuracy >= 0.6", steps=diagnosed.STEPS)
    assert report.kept and report.goal_met and report.steps < BUDGET, "it stops where the goal is met"


@pytest.mark.parametrize("how", ["foretell", "do"])
def test_a_goal_about_no_metric_is_refused_with_those_that_there_are(tmp_path: Path, how: str) -> None:
    session = begun(tmp_path)
    asked = command("autopilot", {"run": "run", "steps": diagnosed.STEPS, "goal": "bananas > 3"})
    with pytest.raises(OntogenyError, match=r"no metric 'bananas' to reach; there are .*valid\.accuracy"):
        getattr(session, how)(asked)
    assert not list(tmp_path.glob("run-auto*")) and not flights(given(session))


def test_a_proposer_may_only_propose(tmp_path: Path) -> None:
    class Model:
        name = "model"

        def propose(self, situation: Situation) -> Sequence[Proposal]:
            asked.append(situation)
            return [
                Proposal("no such dial", (Set(dial="moon", by=2.0),)),
                Proposal("double", (Set(dial="lr", by=2.0),)),
                Proposal("clip", (Rule(edit="clip", arguments={"norm": 1e-6}),)),
                Proposal("half of it cannot be done", (Rule(edit="update_sign"), Set(dial="moon", by=2.0))),
            ]

    asked: list[Situation] = []
    session = begun(tmp_path, 0.05)
    report = flown(session, proposers=(Model(), *PROPOSERS), budget="400")
    assert asked and any("cannot try: no such dial" in line for line in report.lines)
    assert any("-clip, from step" in line for line in report.lines), "an edited rule was tried"
    trials = sorted(folder.name for folder in session.runs.all() if "-auto" in folder.name)
    lineage = [session.native(report.run)]
    while lineage[-1].parent is not None:
        lineage.append(session.native(lineage[-1].parent.name))
    assert trials == sorted({run.folder.name for run in lineage} - {"run", "run-best"}), "all others are put away"
    with pytest.raises(OntogenyError, match="nothing that a fork is tried with"):
        made({"command": "forget", "examples": "1"})


def test_it_is_foretold(tmp_path: Path) -> None:
    session = begun(tmp_path, 0.2)
    told = session.foretell(command("autopilot", {"budget": "3x", "steps": 50}))
    assert told.effect is Effect.CHANGES and told.steps == 150 and "the run stays as it is" in told.text
    for wrong, why in (
        ({"budget": "much"}, "no budget"),
        ({}, "has taken no step"),
        ({"budget": "9"}, "tries nothing"),
    ):
        with pytest.raises(OntogenyError, match=why):
            session.foretell(command("autopilot", {**wrong, **({} if not wrong else {"steps": 5})}))


@pytest.mark.parametrize(
    ("remedy", "says"),
    [
        (Remedy("so", "set", {"dial": "lr", "by": 0.1}), "set dial=lr by=0.1"),
        (Remedy("so", "leave-out", {"examples": "3:5,9"}), "leave-out examples=3:5,9"),
        (Remedy("so", "rule", {"edit": "clip", "arguments": {"norm": 1.0}}), "rule edit=clip arguments={'norm': 1.0}"),
        (Remedy("so", "alter", {"how": "reset", "tensors": ["w"]}), "alter how=reset tensors=['w']"),
        (Remedy("so", "back", {"to": "3"}), ""),
        (Remedy("mend the loop"), ""),
    ],
)
def test_a_remedy_is_the_command_that_a_fork_is_tried_with(remedy: Remedy, says: str) -> None:
    found = command_of(remedy)
    assert ("" if found is None else found.says()) == says


def test_going_back_is_proposed_where_parameters_were_harmed(tmp_path: Path) -> None:
    run = diagnosed.run(tmp_path / "run", steps=20)
    harmed = Finding("diverging", since=8, sureness=0.9, words="the loss rose")
    found = Findings().propose(Situation(run, 20, (harmed,), horizon=50))
    assert {one.at for one in found} == {8} and len(found) == 3
    assert not Findings().propose(Situation(run, 20, (Finding("diverging", 8, 0.2, "perhaps"),)))


def test_examples_that_no_longer_come_are_known_beforehand(tmp_path: Path) -> None:
    run = diagnosed.run(tmp_path / "run", steps=20)
    assert no_longer(run, 20, 100) == ""
    run.data.order = Ending(run.data.order)
    assert no_longer(run, 20, 100) == "0:256"


def test_the_judge_tells_better_from_noise() -> None:
    draw = np.random.default_rng(0)
    before = draw.normal(1, 0.5, 100)
    assert judged(before, before - 0.1 + 0.01 * draw.normal(size=100)).better
    assert not judged(before, before + 0.01 * draw.normal(size=100)).better
    alike = sum(judged(before, before + 0.1 * draw.normal(size=100), seed).better for seed in range(200))
    assert alike <= 15, "about one in forty of what is no better passes"
    assert judged(np.full(9, np.inf), before[:9]).better and not judged(before[:9], np.full(9, np.inf)).better


class Ending(Order):
    """An order of which the first half of the examples comes up to step 20 alone."""

    def __init__(self, order: Order) -> None:
        super().__init__(order.count, order.batch_size, order.seed)

    def indices(self, step: int) -> Any:
        """The numbers of the examples of a step."""
        found = super().indices(step)
        return found if step < 20 else found[found >= 256]


def _numbers(part: str) -> range:
    first, _, stop = part.partition(":")
    return range(int(first), int(stop) if stop else int(first) + 1)


def _flight(session: Session) -> Flight:
    own = Session(session.runs, "run", author=AUTHOR)
    return Flight(own, own.native(), Plan.of(str(BUDGET), diagnosed.STEPS, "", ""))


@pytest.mark.slow
def test_a_ray_that_cannot_be_used_is_said_in_a_sentence() -> None:
    pytest.importorskip("ray", reason="`make test-slow` installs Ray")
    said = r"^no Ray can be used at nonsense://x: [^\n]*leave the address out[^\n]*$"
    with pytest.raises(OntogenyError, match=said), workers(1, "nonsense://x"):
        pass


def test_what_went_wrong_in_rays_workers_is_said_plainly() -> None:
    lacking = ModuleNotFoundError("No module named 'ontogeny'", name="ontogeny")
    assert str(said_plainly(lacking)).startswith("Ray's workers cannot import ontogeny; install the same ontogeny")
    assert said_plainly(OntogenyError("the run is gone")).args == ("the run is gone",)
