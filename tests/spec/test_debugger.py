"""The debugger: every move, every kind of breakpoint, and going back over instructions and steps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ontogeny.isa.errors import MachineError, RecordError
from ontogeny.machine.conditions import parse_compare, parse_place
from ontogeny.machine.debugger import Why, backtrace
from ontogeny.record.debug import RunDebugger
from ontogeny.record.run import Run
from tests.spec.debugged import LENGTH, line_run


@pytest.fixture(scope="module", params=["reference", "compiled"])
def run(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Run]:
    with line_run(tmp_path_factory.mktemp("debug") / "line", machine=request.param) as made:
        yield made


@pytest.fixture
def debugger(run: Run) -> RunDebugger:
    return RunDebugger(run, 2)


def place(debugger: RunDebugger) -> tuple[int, str, int]:
    if debugger.debugger.finished:
        return debugger.step_number, "end", 0
    frame = debugger.debugger.frame()
    return debugger.step_number, frame.routine.name, frame.position + 1


def test_step_goes_into_a_call_and_out_leaves_it(debugger: RunDebugger) -> None:
    for _ in range(3):
        debugger.step()
    assert place(debugger) == (2, "forward", 1)
    assert backtrace(debugger.debugger.execution.stack)[1].startswith("learn:3  %guess = call %x")
    assert debugger.out().why is Why.MOVED
    assert place(debugger) == (2, "learn", 4)


def test_next_goes_over_calls_loops_and_macros(debugger: RunDebugger) -> None:
    seen = [place(debugger)[2]]
    while not debugger.debugger.finished:
        debugger.next()
        seen.append(place(debugger)[2])
    assert seen == [*range(1, LENGTH + 1), 0]


def test_a_macro_is_stepped_into(debugger: RunDebugger) -> None:
    debugger.add("8")
    debugger.go()
    debugger.step()
    assert place(debugger) == (2, "mean", 1)


def test_end_of_a_step_leads_to_the_next_one(debugger: RunDebugger) -> None:
    assert debugger.out().why is Why.END
    assert place(debugger) == (2, "end", 0) and "loss" in debugger.debugger.results
    debugger.step()
    assert place(debugger) == (3, "learn", 1)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("4", (2, "learn", 4)),
        ("forward:3", (2, "forward", 3)),
        ("op mul", (2, "forward", 3)),
        ("exp", (2, "forward", 4)),
        ("twice", (2, "twice", 1)),
        ("routine forward", (2, "forward", 1)),
        ("step 4", (4, "learn", 1)),
        ("if loss > -1", (2, "learn", 9)),
        ("step >= 4", (3, "learn", 18)),
        ("theta[0] < 0.91", (3, "learn", 14)),
        ("changed b", (2, "learn", 14)),
        ("changed step", (2, "learn", 18)),
    ],
)
def test_continue_stops_at_a_breakpoint(debugger: RunDebugger, text: str, where: tuple[int, str, int]) -> None:
    debugger.add(text)
    stop = debugger.go()
    assert stop.why is Why.HIT and stop.text.startswith("1: ")
    assert place(debugger) == (where if where[2] <= LENGTH else (where[0], "end", 0))


def test_continue_ends_with_the_record(debugger: RunDebugger) -> None:
    assert debugger.go().why is Why.END
    assert place(debugger) == (5, "end", 0)


def test_back_is_the_exact_inverse_of_step(debugger: RunDebugger) -> None:
    seen = []
    while debugger.step_number < 4:
        seen.append((place(debugger), {name: a.tobytes() for name, a in stack_values(debugger).items()}))
        debugger.step()
    for where, values in reversed(seen):
        debugger.back()
        assert place(debugger) == where
        assert {name: a.tobytes() for name, a in stack_values(debugger).items()} == values


def stack_values(debugger: RunDebugger) -> dict[str, np.ndarray]:
    stack = debugger.debugger.execution.stack
    return dict(stack[-1].values) if stack else dict(debugger.debugger.results)


def test_reverse_continue_visits_the_same_stops_backwards(run: Run) -> None:
    forwards, backwards = RunDebugger(run, 0), RunDebugger(run, 5)
    for debugger in (forwards, backwards):
        debugger.add("twice")
        debugger.add("if loss > 0")
    stops = []
    while forwards.go().why is Why.HIT:
        stops.append(place(forwards))
    backwards.debugger.to_end()
    found = []
    while backwards.reverse().why is Why.HIT:
        found.append(place(backwards))
    assert found == stops[::-1] and len(stops) == 6 * 4
    assert place(backwards) == (0, "learn", 1)
    assert backwards.back().why is Why.BEGINNING


def test_a_watch_says_what_an_element_was_and_is(debugger: RunDebugger) -> None:
    debugger.add("w[1]", watch=True)
    stop = debugger.go()
    before, after = stop.text.removeprefix("1: w[1]: ").split(" -> ")
    assert float(after) == pytest.approx(float(before) - 0.025)
    assert debugger.go().why is Why.HIT and debugger.step_number == 3


def test_values_are_those_of_the_record(run: Run, debugger: RunDebugger) -> None:
    np.testing.assert_array_equal(debugger.debugger.value("theta"), run.state(2)["theta"])
    np.testing.assert_array_equal(debugger.debugger.value("x"), run.data.batch(2)["x"])
    debugger.debugger.to_end()
    assert float(debugger.debugger.value("loss")) == run.metrics(3, 3)["loss"][0]


def test_a_dial_set_here_changes_this_session_alone(run: Run, debugger: RunDebugger) -> None:
    debugger.next()
    debugger.set_dial("lr", 1.0)
    assert place(debugger) == (2, "learn", 2) and debugger.dials()["lr"] == 1.0
    debugger.visit(4)
    np.testing.assert_allclose(debugger.debugger.value("theta"), run.state(2)["theta"] - 0.5, rtol=1e-6)
    debugger.visit(2)
    np.testing.assert_array_equal(debugger.debugger.value("theta"), run.state(2)["theta"])
    assert run.dials(3)["lr"] == 0.1


def test_stepping_past_the_record_computes_what_would_come(debugger: RunDebugger) -> None:
    debugger.visit(6)
    debugger.next()
    assert place(debugger) == (6, "learn", 2)


def test_edits_and_calls_of_the_journal_have_happened(tmp_path: Path) -> None:
    with line_run(tmp_path / "line", steps=2) as run:
        run.edit("theta", [1], [7.0])
        run.advance(1)
        assert RunDebugger(run, 2).debugger.value("w")[1] == 7.0


def test_the_listing_has_the_users_line_beside(debugger: RunDebugger) -> None:
    routine, lines = debugger.debugger.listing(3)
    assert routine.name == "learn" and [line.number for line in lines] == [1, 2, 3, 4, 5, 6, 7]
    assert lines[3].where == "model.py:10 error = guess - y" and lines[0].current


@pytest.mark.parametrize(
    "text",
    ["", "nowhere", "learn:18", "0", "forward:x", "op nothing", "if loss", "if __import__('os')", "loss > 1 or x > 2",
     "missing > 3", "changed missing", "step x", "99999999999999999999"],
)  # fmt: skip
def test_bad_breakpoints_are_refused_in_words(debugger: RunDebugger, text: str) -> None:
    with pytest.raises(MachineError):
        debugger.add(text)
    assert not debugger.breakpoints


def test_steps_that_are_not_there_are_refused(debugger: RunDebugger) -> None:
    with pytest.raises(RecordError):
        debugger.visit(-1)
    with pytest.raises(RecordError):
        debugger.remove(4)


def test_places_and_comparisons_read_back() -> None:
    assert str(parse_place("layer.w[0:3, -2]")) == "layer.w[0:3,-2]"
    assert str(parse_compare("%loss>3e1")) == "loss > 30"
    assert parse_compare("loss > three") is None
    with pytest.raises(MachineError):
        parse_place("w[a]").of(np.zeros(3))
    with pytest.raises(MachineError):
        parse_place("w[5]").of(np.zeros(3))
