"""Examples taken back, learned also, mixed in, added: every other row stays as it was, and all of it replays."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch

import ontogeny as og
from ontogeny.ask.alternative import alternative, kept
from ontogeny.ask.by_example import by_example
from ontogeny.ask.forget import forget, forgetting
from ontogeny.ask.what_if import followed
from ontogeny.data.arrays import Arrays
from ontogeny.data.composed import Also, Composed, Mix
from ontogeny.data.epochs import Epochs
from ontogeny.data.mapped import Mapped
from ontogeny.data.pool import Pool
from ontogeny.isa.errors import DataError, OntogenyError, RecordError
from ontogeny.isa.text import from_text
from ontogeny.machine.reference import ReferenceMachine
from ontogeny.record import entries, example_entries
from ontogeny.record.added import described, find, keep
from ontogeny.record.alterations import altered, slots
from ontogeny.record.composition import Added
from ontogeny.record.debug import RunDebugger
from ontogeny.record.run import Run, open_run
from tests import regression
from tests.small import TEXT, begin, data, examples, learner


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = begin(tmp_path / "run")
    made.advance(4)
    return made


def rows(run: Run, step: int) -> list[int]:
    return run._stepper.examples(step).indices(step).tolist()  # type: ignore[attr-defined]


def batch(run: Run, step: int) -> dict[str, np.ndarray]:
    return run._stepper.examples(step).batch(step)


def everything(*added: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([data().arrays[name], *(one[name] for one in added)]) for name in data().arrays}


# What a batch is made of


def test_added_examples_follow_the_batch_and_every_other_row_stays(run: Run) -> None:
    more = examples(3, seed=9)
    entry = run.learn_also(more, rows=2)
    assert entry["examples"] == ((14, 17),) and example_entries.known(run) == 17
    run.advance(6)
    for step in range(4):
        assert rows(run, step) == data().indices(step).tolist()
    drawn = []
    for step in range(4, 10):
        own, extra = rows(run, step)[:4], rows(run, step)[4:]
        assert own == data().indices(step).tolist() and len(extra) == 2
        drawn += extra
        whole = everything(more)
        assert all(np.array_equal(array, whole[name][own + extra]) for name, array in batch(run, step).items())
    assert all(sorted(drawn[at : at + 3]) == [14, 15, 16] for at in range(0, 12, 3))
    assert len({tuple(drawn[at : at + 3]) for at in range(0, 12, 3)}) > 1


def test_the_steps_are_those_of_the_machine_on_these_batches(run: Run) -> None:
    more = examples(3, seed=9)
    run.learn_also(more, rows=2)
    run.advance(2)
    run.mix([1, 5, 15], 0.5)
    run.leave_out([16])
    run.advance(3)
    machine = ReferenceMachine(learner().program)
    machine.load(run.state(0))
    for step in range(9):
        numbers = rows(run, step)
        assert 16 not in numbers or step < 6
        machine.call("learn", {name: array[numbers] for name, array in everything(more).items()}, run.dials(step))
        assert run.history.hasher.row(machine.state()) == run.history.hash_row(step + 1)


def test_more_of_existing_examples_and_the_end_of_it(run: Run) -> None:
    run.learn_also("2,7", rows=3)
    run.advance(3)
    assert all(set(rows(run, step)[4:]) == {2, 7} and len(rows(run, step)) == 7 for step in range(4, 7))
    run.learn_also([9])
    run.learn_also([2, 7], rows=1)
    assert len(rows(run, 7)) == 6
    run.stop_also([7, 2])
    assert rows(run, 7)[4:] == [9]
    run.stop_also()
    run.advance(1)
    assert rows(run, 7) == data().indices(7).tolist()


def test_a_share_of_a_batch_is_drawn_from_a_group(run: Run) -> None:
    run.mix("0:5", 0.5)
    run.advance(5)
    drawn = [number for step in range(4, 9) for number in rows(run, step)[:2]]
    assert Counter(drawn) == dict.fromkeys(range(5), 2)
    assert all(rows(run, step)[2:] == data().indices(step).tolist()[2:] for step in range(4, 9))
    run.mix([13], 0.25)
    assert rows(run, 9)[2] == 13 and rows(run, 9)[3:] == data().indices(9).tolist()[3:]
    run.mix("0:5", 0)
    assert rows(run, 9)[0] == 13 and rows(run, 9)[1:] == data().indices(9).tolist()[1:]


def test_what_was_left_out_can_be_taken_back(run: Run) -> None:
    run.leave_out("0:6")
    run.advance(2)
    run.take_back("2:4")
    assert run._schedule.composition(run.step).left_out == {0, 1, 4, 5}
    run.advance(1)
    run.take_back([0, 1, 4, 5])
    run.advance(2)
    assert [rows(run, step) == data().indices(step).tolist() for step in (7, 8)] == [True, True]
    assert not set(rows(run, 4)) & set(range(6)) and not set(rows(run, 6)) & {0, 1, 4, 5}


def test_what_is_left_out_is_in_no_batch_whatever_else_is_said_of_it(run: Run) -> None:
    run.learn_also([3, 4], rows=2)
    run.mix([3, 5], 0.5)
    run.leave_out([3])
    run.advance(8)
    assert not any(3 in rows(run, step) for step in range(4, 12))
    with pytest.raises(DataError, match="example 3 is left out at step 12"):
        run.learn_also([3])


def test_smaller_last_batches_keep_their_share() -> None:
    whole = Arrays(examples(14), 4, seed=1, drop_last=False)
    composed = Composed(Pool(whole, {}), 0, [Mix(((0, 3),), 0.3, 0), Mix(((5, 9),), 0.45, 0)], [Also(((9, 10),), 2, 0)])
    assert [len(composed.indices(step)) for step in range(4)] == [6, 6, 6, 4]
    for step in range(8):
        own, found = whole.indices(step).tolist(), composed.indices(step).tolist()
        first, then = round(0.3 * len(own)), round(0.75 * len(own))
        assert set(found[:first]) <= {0, 1, 2} and set(found[first:then]) <= {5, 6, 7, 8}
        assert found[then : len(own)] == own[then:] and found[len(own) :] == [9, 9]
        assert all(np.array_equal(array, whole.arrays[name][found]) for name, array in composed.batch(step).items())
    assert composed.fingerprint != Composed(Pool(whole, {}), 1, composed.mixed, composed.also).fingerprint


def test_epochs_hold_each_once_however_they_are_taken() -> None:
    whole = Epochs(((3, 6), (10, 14)), 0, 5).take(0, 70)
    assert all(sorted(whole[at : at + 7]) == [3, 4, 5, 10, 11, 12, 13] for at in range(0, 70, 7))
    again = Epochs(((3, 6), (10, 14)), 0, 5)
    assert np.concatenate([again.take(at, 5) for at in range(0, 70, 5)]).tolist() == whole.tolist()
    assert Epochs(((3, 6), (10, 14)), 0, 6).take(0, 70).tolist() != whole.tolist()
    many = Epochs(((0, (1 << 20) + 5),), 0, 0)
    assert len(set(many.take(7, (1 << 20) + 5 - 7).tolist()) | set(many.take(0, 7).tolist())) == (1 << 20) + 5


# Where it stands, and what reads it


def test_mapped_data_and_data_given_again(tmp_path: Path) -> None:
    whole = examples(14)
    mapped = Mapped([(whole["x"][i], whole["y"][i]) for i in range(14)], 4, seed=1)
    with begin(tmp_path / "mapped", data=mapped) as one, begin(tmp_path / "arrays") as other:
        for made in (one, other):
            made.advance(2)
            made.learn_also(examples(2, seed=5), rows=1)
            made.mix("0:4,15", 0.5)
            made.learn_also([1, 2], rows=2)
            made.advance(4)
        assert one.hash() == other.hash()
    assert open_run(tmp_path / "mapped", mapped).verify().ok


def test_forks_find_what_their_ancestors_added(run: Run, tmp_path: Path) -> None:
    run.learn_also(examples(3, seed=9), rows=2)
    run.advance(3)
    with run.fork(7, tmp_path / "child") as child:
        child.learn_also(examples(2, seed=10), rows=1)
        child.advance(2)
        assert child.entries[-1]["examples"] == ((17, 19),)
        with child.fork(7, tmp_path / "grandchild") as grandchild, run.fork(4, tmp_path / "there") as there:
            grandchild.advance(2)
            there.advance(3)
            assert (grandchild.hash(), there.hash()) == (child.hash(), run.hash())
    run.close()
    for name in ("run", "child", "grandchild", "there"):
        assert open_run(tmp_path / name).verify().ok
    assert not (tmp_path / "grandchild" / "added").exists()
    assert len(list((tmp_path / "run" / "added").iterdir())) == 1
    shutil.rmtree(tmp_path / "run" / "added")
    with pytest.raises(DataError, match="the examples 14 to 16 are in no folder of the run"):
        open_run(tmp_path / "grandchild").verify()


def test_a_fork_by_another_program_goes_on_with_all_of_it(run: Run, tmp_path: Path) -> None:
    run.learn_also(examples(3, seed=9), rows=2)
    run.mix("0:4", 0.25)
    run.set_dial("lr", 0.001, over=8, shape="cosine")
    run.leave_out([2, 15])
    run.advance(6)
    other = from_text(TEXT.replace("{value=0.2,", "{value=0.1,"))
    with run.fork(7, tmp_path / "child", program=other) as child:
        child.learn_also(examples(1, seed=11))
        child.alter("line.weight", "reset")
        child.advance(5)
        assert child.entries[-2]["examples"] == ((17, 18),)
        for step in range(7, 10):
            assert rows(child, step) == [*rows(run, step), 17] and child.dials(step) == run.dials(step)
        assert child.dials(12)["lr"] == 0.001 and child.hash(7) == run.hash(7) and child.hash(8) != run.hash(8)
    again = open_run(tmp_path / "child")
    assert again.verify().ok and again.hash() == child.hash()
    with pytest.raises(RecordError, match="the program changed at step 7"):
        forgetting(again, [5])


def test_added_arrays_that_were_changed_are_refused(run: Run) -> None:
    run.learn_also(examples(3, seed=9))
    (path,) = (run.folder / "added").iterdir()
    run.close()
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(DataError, match="has been changed since"), open_run(run.folder) as again:
        again.advance(1)


def test_half_precision_examples_come_back_as_they_were(tmp_path: Path) -> None:
    arrays = {"x": np.arange(6, dtype=np.float32).reshape(2, 3).astype(ml_dtypes.bfloat16), "y": np.array([1, 2])}
    keep(tmp_path, arrays)
    about: Any = described(arrays)
    found = find([tmp_path / "none", tmp_path], Added(0, 2, about["content"], tuple(about["bf16"])))
    assert found["x"].dtype == arrays["x"].dtype and found["x"].tolist() == arrays["x"].tolist()
    assert found["y"].tolist() == [1, 2]


def test_what_if_without_an_added_example_and_by_example(run: Run, tmp_path: Path) -> None:
    run.learn_also(examples(3, seed=9), rows=2)
    run.advance(6)
    found = by_example(run, "line.weight", "5:8")
    numbers = {one.number: one.times for one in found.examples}
    assert numbers == Counter(number for step in range(4, 7) for number in rows(run, step))
    other = alternative(run, without="15")
    assert other.touched == tuple(step for step in range(4, 10) if 15 in rows(run, step))
    with kept(run, other, tmp_path / "kept") as child:
        assert child.hash() == followed(run, other).hash != run.hash()
        assert [entry.kind for entry in child.entries[-2:]] == ["fork", "without"]
        assert not any(15 in rows(child, step) for step in range(10))
    debugger = RunDebugger(run, 6)
    debugger.debugger.to_end()
    assert run.history.hasher.row(debugger.steps.machine.state()) == run.history.hash_row(7)


def test_entries_of_all_kinds_can_be_asked_about_beforehand(run: Run, tmp_path: Path) -> None:
    run.advance(6)
    asked = [
        (entries.alteration(run, "*.weight", "noise", 0.5, seed=2, at=3), 3, ()),
        (entries.dial(run, "lr", 0.001, 4, "cosine", at=5), 5, ()),
        (example_entries.learn_also(run, [3, 4], 2, at=6), 6, (6, 7, 8, 9)),
        (example_entries.mix(run, "0:3", 0.25, at=8), None, None),
        (example_entries.leave_out(run, [3], at=2), None, None),
    ]
    for number, (entry, first, touched) in enumerate(asked):
        other = alternative(run, further=[entry])
        found = followed(run, other)
        assert first in (None, other.first) and touched in (None, other.touched)
        with kept(run, other, tmp_path / str(number)) as child:
            assert child.hash() == found.hash != run.hash()
            for step in range(entry.at, 10):
                assert (rows(child, step) != rows(run, step)) == (step in other.touched)
        assert other.cost.steps == other.first % 4 + 2 * (10 - other.first)


def test_what_was_not_added_yet_can_be_priced(run: Run) -> None:
    run.advance(6)
    entry = example_entries.added(run, examples(3, seed=9), 2, at=5)
    other = alternative(run, further=[entry])
    assert (other.first, other.touched, other.cost.steps) == (5, (5, 6, 7, 8, 9), 1 + 2 * 5)
    with pytest.raises(DataError, match="the examples 14 to 16 are in no folder of the run"):
        followed(run, other)


def test_what_was_said_about_examples_can_be_undone(run: Run) -> None:
    run.learn_also(examples(3, seed=9), rows=2)
    run.mix("0:3", 0.5)
    run.advance(2)
    run.leave_out([0])
    run.stop_also()
    run.advance(3)
    run.take_back([0])
    run.advance(2)
    again = alternative(run, undo=6)
    schedule = run._lineage.schedule(again.journal)
    assert schedule.composition(10).left_out == frozenset() and len(schedule.composition(10).also) == 1
    assert followed(run, again).hash != run.hash()


# Forgetting


def test_forgetting_is_a_run_that_never_saw_them(run: Run, tmp_path: Path) -> None:
    run.set_dial("lr", 0.002, over=5, shape="cosine")
    run.alter("line.weight", "noise", 0.1)
    run.learn_also(examples(2, seed=9), rows=1)
    run.mix("5,6,7", 0.5)
    run.advance(3)
    run.leave_out([5])
    run.advance(2)
    run.take_back([5])
    run.advance(5)
    told: list[int] = []
    child = forget(run, "5,14", tmp_path / "child", agreed=lambda other: bool(told.append(other.cost.steps) or True))
    assert child is not None and child.step == run.step == 14
    first = next(step for step in range(14) if {5, 14} & set(rows(run, step)))
    assert told == [first % 4 + 14 - first] == [forgetting(run, "5,14").cost.steps]
    machine = ReferenceMachine(learner().program)
    machine.load(run.state(0))
    for step in range(14):
        numbers = [number for number in whole_rows(run, step) if number not in (5, 14)]
        assert rows(child, step) == numbers
        if step == 4:
            state = machine.state()
            state.update(altered(state, run.entries[2], run.ground))
            machine.load(state)
        batch = {name: array[numbers] for name, array in everything(examples(2, seed=9)).items()}
        machine.call("learn", batch, run.dials(step))
        assert run.history.hasher.row(machine.state()) == child.history.hash_row(step + 1)
    child.close()
    assert open_run(tmp_path / "child").verify().ok and child.hash() != run.hash()
    assert forget(run, [5], tmp_path / "not", agreed=lambda _: False) is None and not (tmp_path / "not").exists()


def whole_rows(run: Run, step: int) -> list[int]:
    """The numbers of a step's batch if nothing were left out."""
    composition = run._schedule.composition(step)
    return run.ground.examples(replace(composition, left_out=frozenset())).indices(step).tolist()  # type: ignore[attr-defined]


def test_forgetting_what_was_never_learned_is_refused(run: Run, tmp_path: Path) -> None:
    unseen = set(range(14)) - {number for step in range(4) for number in rows(run, step)}
    with pytest.raises(RecordError, match="none of these examples is in a batch"):
        forget(run, unseen, tmp_path / "child")
    with pytest.raises(DataError, match="there is no example 14"):
        forgetting(run, [14])


# What goes wrong


@pytest.mark.parametrize(
    ("what", "asked", "said"),
    [
        ("leave_out", ([14],), "there is no example 14; the data has the numbers 0 to 13"),
        ("leave_out", ([],), "no example was named"),
        ("take_back", ([3],), "example 3 is not left out at step 4"),
        ("learn_also", ("3:99",), "numbers 0 to 13"),
        ("learn_also", ([3], 0), "whole number from 1"),
        ("learn_also", ({"x": examples(2)["x"]},), "need the arrays x, y; given were x"),
        ("learn_also", ({**examples(2), "y": examples(3)["y"]},), "one entry per example"),
        ("learn_also", ({name: array.astype(float) for name, array in examples(2).items()},), "'x' is float64"),
        ("learn_also", (examples(0),), "of at least one"),
        ("stop_also", (), "nothing is learned also at step 4"),
        ("mix", ([1], 1.5), "a share is a number from 0 to 1"),
        ("mix", ([1], 0.1), "a batch of 4 rows is none of them; choose 0.25"),
        ("mix", ([1], 0), "not mixed in at step 4"),
    ],
)
def test_what_cannot_be_is_refused_and_not_written(run: Run, what: str, asked: tuple[Any, ...], said: str) -> None:
    named = {"rows": asked[1]} if what == "learn_also" and len(asked) > 1 else {}
    with pytest.raises(OntogenyError, match=said):
        getattr(run, what)(*(asked[:1] if named else asked), **named)
    assert len(run.entries) == 1 and not (run.folder / "added").exists()


def test_shares_of_more_than_the_whole_are_refused(run: Run) -> None:
    run.mix([1], 0.75)
    with pytest.raises(DataError, match=r"0.75 of every batch is mixed already"):
        run.mix([2], 0.5)


def test_a_mixture_ends_though_some_of_its_examples_are_left_out_or_were_forgotten(run: Run) -> None:
    run.mix("0:5", 0.5)
    run.advance(6)
    forgot = forget(run, [3], run.folder.parent / "forgot")
    assert forgot is not None
    run.leave_out([4])
    for one in (run, forgot):
        with pytest.raises(DataError, match="is left out at step"):
            one.mix("0:5", 0.25)
        one.mix("0:5", 0)
        one.advance(2)
        assert not one._schedule.composition(one.step).mixed and one.verify().ok


def test_a_program_of_one_batch_size_takes_no_further_rows(tmp_path: Path) -> None:
    with regression.begin(tmp_path / "run") as run:
        run.advance(1)
        for change in (lambda: run.learn_also([1]), lambda: run.leave_out([1]), lambda: run.learn_also(examples(2))):
            with pytest.raises(RecordError, match=r"takes 'x' as f32\[4,3\] alone, so no"):
                change()
        run.mix([1], 0.5)
        run.advance(2)
        assert rows(run, 2)[:2] == [1, 1]


def test_data_without_examples_by_number(tmp_path: Path) -> None:
    class Ordered:
        fingerprint = "ordered"

        def indices(self, step: int) -> np.ndarray:
            return np.arange(4) + step % 3

        def batch(self, step: int) -> dict[str, np.ndarray]:
            return {name: array[self.indices(step)] for name, array in examples(14).items()}

    with begin(tmp_path / "run", data=Ordered()) as run:
        run.leave_out([2])
        run.advance(3)
        with pytest.raises(DataError, match="give it a method __len__"):
            run.learn_also(examples(2))
    with begin(tmp_path / "other", data=Ordered()) as run, pytest.raises(DataError, match=r"examples\(numbers\)"):
        run.learn_also([2])
        run.advance(1)


# A captured model, on the compiled machine


def test_a_captured_model_learns_also_as_plain_pytorch_does(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, whole = torch.nn.Linear(3, 1), everything(examples(3, seed=9))
    rate = og.adamw(lr=0.01)
    learned = og.capture(model, squared, rate, data().batch(0))
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=0.01, weight_decay=learned.program.decl("weight_decay").default
    )
    with og.create(tmp_path / "run", learned, data(), keyframe_every=3) as run:
        run.advance(2)
        run.learn_also(examples(3, seed=9), rows=3)
        run.mix("0:4", 0.5)
        run.alter("weight", "scale", 0.5, and_state=True)
        run.advance(5)
        for step in range(7):
            if step == 2:
                model.weight.data.mul_(0.5)
                optimizer.state[model.weight]["exp_avg"].zero_()
                optimizer.state[model.weight]["exp_avg_sq"].zero_()
            optimizer.zero_grad()
            squared(model, {name: torch.from_numpy(array[rows(run, step)]) for name, array in whole.items()}).backward()
            optimizer.step()
        state = run.state()["params"]
        for decl in run.program.named_params():
            wanted = model.get_parameter(decl.name).detach().numpy().reshape(-1)
            assert state[decl.offset : decl.offset + decl.type.size] == pytest.approx(wanted, rel=1e-5)
        assert slots(run.program, run.program.decl("weight")) == ["exp_avg", "exp_avg_sq"]
    assert open_run(tmp_path / "run").verify().ok


def squared(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    return ((model(batch["x"]) - batch["y"]) ** 2).mean()
