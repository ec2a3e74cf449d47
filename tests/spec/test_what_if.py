"""What would have been is what another run comes to: by its bits, by plain PyTorch, by plain NumPy over the states."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import ontogeny as og
from ontogeny.ask.alternative import alternative, kept
from ontogeny.ask.estimate import estimate
from ontogeny.ask.what_if import followed
from ontogeny.data.mapped import Mapped
from ontogeny.data.without import Without, members, parsed, ranges, written
from ontogeny.isa.errors import DataError, RecordError
from ontogeny.record.run import Run, open_run
from tests import regression
from tests.spec.training import MLP, cross_entropy, points

STEPS = 14


def example_data(batch_size: int = 8) -> og.Arrays:
    return points(40, batch_size, seed=5)


def valid_data() -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    return {"valid.x": random.standard_normal((12, 8)).astype(np.float32), "valid.y": random.integers(0, 4, 12)}


def made(folder: Path, rule: Any = None, data: Any = None, batch_size: int = 8, steps: int = STEPS) -> Run:
    torch.manual_seed(0)
    whole, held_out = example_data(batch_size), valid_data()
    plain = {name.removeprefix("valid."): value for name, value in held_out.items()}
    learner = og.capture(
        MLP(),
        cross_entropy,
        rule or og.adamw(lr=1e-2),
        example_data(8).batch(0),
        valid=plain,
        predict=lambda model, batch: model(batch["x"]),
    )
    settings: dict[str, Any] = {"keyframe_every": 4, "evaluate_every": 5, "valid": held_out}
    run = og.create(folder, learner, whole if data is None else data, **settings)
    run.advance(steps)
    return run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return made(tmp_path / "run")


def flat(run: Run, step: int) -> np.ndarray:
    return run.state(step)["params"].astype(np.float64)


# The data


@pytest.mark.parametrize("data", [example_data(), Mapped([(i, -i) for i in range(20)], 6, drop_last=False)])
def test_batches_are_the_same_minus_the_examples(data: Any) -> None:
    gone = {3, 7, 8, 19}
    without = Without(data, gone)
    for step in range(12):
        whole, left = data.batch(step), without.batch(step)
        rows = [row for row, number in enumerate(data.indices(step)) if number not in gone]
        assert without.indices(step).tolist() == data.indices(step)[rows].tolist()
        assert all(np.array_equal(left[name], whole[name][rows]) for name in whole)
    prints = {d.fingerprint for d in (data, without, Without(data, {3, 7}), Without(without, {5}))}
    assert len(prints) == 4 and Without(data, [19, 8, 7, 3]).fingerprint == without.fingerprint


def test_a_batch_of_which_nothing_is_left_is_refused() -> None:
    data = example_data()
    with pytest.raises(DataError, match="step 2 learns from nothing"):
        Without(data, data.indices(2).tolist()).batch(2)


def test_data_without_numbers_cannot_be_without_an_example() -> None:
    class Plain:
        fingerprint = "x"

        def batch(self, step: int) -> dict[str, np.ndarray]:
            return {"x": np.zeros(3)}

    with pytest.raises(DataError, match="indices"):
        Without(Plain(), [1])


def test_examples_in_words() -> None:
    assert parsed("3, 17,38:40", 40) == members(ranges([17, 3, 39, 38])) == {3, 17, 38, 39}
    assert written(ranges([3, 17, 38, 39])) == "3,17,38:40"
    for text in ("40", "5:3", "x", "3,", "3:41"):
        with pytest.raises(DataError, match="names no example"):
            parsed(text, 40)


# The answer


def test_a_dial_turned_is_the_fork_with_that_dial(run: Run, tmp_path: Path) -> None:
    run.set_dial("lr", 0.02)
    run.advance(4)
    found = og.what_if(run, {"lr": 0.1}, start=6)
    with run.fork(6, tmp_path / "fork", {"lr": 0.1}) as fork:
        fork.advance(8)
        fork.set_dial("lr", 0.02)
        fork.advance(4)
        assert found.hash == fork.hash() != run.hash()
        assert found.steps.tolist() == list(range(7, 19))
        for name, column in fork.metrics(7).items():
            assert name == "step" or np.array_equal(found.metrics[name], [run.metrics(7)[name], column])
        pieces = {decl.name: slice(decl.offset, decl.offset + decl.type.size) for decl in run.program.named_params()}
        for at, step in enumerate(found.steps):
            off = flat(fork, step) - flat(run, step)
            for one in found.tensors:
                assert one.distance[at] == pytest.approx(np.linalg.norm(off[pieces[one.name]]), rel=1e-12)
        assert abs(found.moved[0].other - found.moved[0].actual) == np.abs(off).max() > 0
        assert (
            found.evaluations[10]["loss"].other == next(row for row in fork.evaluations() if row["step"] == 10)["loss"]
        )
        assert found.evaluations[10]["loss"].actual == next(r for r in run.evaluations() if r["step"] == 10)["loss"]
        scores = {}
        for side in (run, fork):
            net = og.to_module(side.learner)
            scores[side] = net(torch.from_numpy(valid_data()["valid.x"])).detach().numpy()
    (prediction,) = found.predictions
    assert prediction.examples == 12
    assert prediction.changed == (scores[run].argmax(1) != scores[fork].argmax(1)).sum()
    assert prediction.largest == pytest.approx(np.abs(scores[run] - scores[fork]).max(), rel=1e-3)


def test_examples_left_out_is_the_run_on_data_without_them(run: Run, tmp_path: Path) -> None:
    gone = [3, 17, 30]
    found = followed(run, alternative(run, without="3,17,30"))
    with made(tmp_path / "other", data=Without(example_data(), gone)) as other:
        assert found.hash == other.hash() != run.hash()
    first = next(s for s in range(STEPS) if set(gone) & set(example_data().indices(s).tolist()))
    assert (found.alternative.first, found.steps[0]) == (first, first + 1)
    assert all(set(gone) & set(example_data().indices(s).tolist()) for s in found.alternative.touched)


def test_examples_left_out_is_plain_pytorch_on_the_smaller_batches(run: Run) -> None:
    other = alternative(run, without=[3, 17, 30], start=2, steps=6)
    assert not np.array_equal(flat(run, other.last), flat(run, other.first))
    torch.manual_seed(0)
    model, data = MLP(), example_data()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=run.dials()["weight_decay"])
    for step in range(other.last):
        keep = ~np.isin(data.indices(step), [3, 17, 30]) if step >= 2 else slice(None)
        batch = {name: torch.from_numpy(value[keep]) for name, value in data.batch(step).items()}
        optimizer.zero_grad()
        cross_entropy(model, batch)["loss"].backward()
        optimizer.step()
    wanted = {name: value.detach().numpy() for name, value in model.named_parameters()}
    found = followed(run, other, most=10_000)
    pieces = {decl.name: slice(decl.offset, decl.offset + decl.type.size) for decl in run.program.named_params()}
    for one in found.tensors:
        off = np.linalg.norm(wanted[one.name].reshape(-1) - flat(run, other.last)[pieces[one.name]])
        assert one.distance[-1] == pytest.approx(off, rel=1e-4)


def test_what_was_done_can_be_undone_or_changed(run: Run, tmp_path: Path) -> None:
    def go_on(made: Run, *values: float) -> str:
        for value in values:
            made.set_dial("lr", value)
        made.advance(2)
        made.edit("params", [0], [0.5])
        made.advance(2)
        return made.hash()

    with run.fork(STEPS, tmp_path / "plain") as plain, run.fork(STEPS, tmp_path / "other") as other:
        never, changed = go_on(plain), go_on(other, 0.05)
    assert go_on(run, 0.02) not in (never, changed)
    undone = alternative(run, undo=STEPS)
    assert (undone.first, undone.undone, followed(run, undone).hash) == (STEPS, STEPS, never)
    both = alternative(run, {"lr": 0.05}, start=STEPS, undo=STEPS)
    assert followed(run, both).hash == changed
    with kept(run, both, tmp_path / "kept") as child:
        assert child.hash() == changed and child.dials()["lr"] == 0.05
        assert [entry.kind for entry in child.entries[1:]] == ["fork", "dial", "edit"]
    with pytest.raises(RecordError, match=r"nothing was done at state 3 .* at 14, 16"):
        alternative(run, undo=3)


def test_nothing_changed_is_the_run_itself(run: Run) -> None:
    found = og.what_if(run, {"lr": run.dials()["lr"]})
    assert found.hash == run.hash() and not found.moved
    assert all(one.relative == 0 and not one.distance.any() for one in found.tensors)
    assert [one.changed for one in found.predictions] == [0]


def test_nothing_is_written_unless_it_is_kept(run: Run) -> None:
    run.close()
    before = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
    followed(open_run(run.folder), alternative(run, {"lr": 0.1}, start=6))
    assert before == {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}


def test_it_can_be_kept_and_replays(run: Run, tmp_path: Path) -> None:
    run.set_dial("lr", 0.02)
    run.advance(4)
    other = alternative(run, without="3,17,30", start=5)
    found = followed(run, other)
    with kept(run, other, tmp_path / "kept") as child:
        assert (child.step, child.hash()) == (18, found.hash)
    again = open_run(tmp_path / "kept")
    assert again.hash() == found.hash and again.dials()["lr"] == 0.02 and again.verify().ok
    assert [entry.kind for entry in again.entries if entry.at >= other.first] == ["fork", "without", "dial"]
    later = followed(again, alternative(again, without="9", start=10))
    with made(tmp_path / "both", data=Without(example_data(), [3, 17, 30])) as both:
        assert later.hash != both.hash()


def test_a_step_with_no_example_left_is_not_taken(tmp_path: Path) -> None:
    with made(tmp_path / "run", batch_size=1, steps=6) as run:
        gone = int(run.data.indices(3)[0])  # type: ignore[attr-defined]
        other = alternative(run, without=[gone], steps=1)
        assert (other.first, other.touched, other.empty) == (3, (3,), (3,)) and "no step is taken" in other.remarks[0]
        found = followed(run, other)
        step = flat(run, 4) - flat(run, 3)
        assert sum(one.distance[0] ** 2 for one in found.tensors) == pytest.approx((step**2).sum())
        assert np.isnan(found.metrics["loss"][1]).all()
        with pytest.raises(RecordError, match="no example left"):
            kept(run, other, tmp_path / "kept")


def test_the_cost_is_told_beforehand(run: Run) -> None:
    cost = alternative(run, {"lr": 0.1}, start=6).cost
    assert (cost.steps, cost.evaluations) == (2 + 2 * 8, 2)  # keyframe at 4; evaluations at 10, and at the end
    assert cost.seconds == cost.steps * cost.step_seconds + cost.evaluations * cost.evaluation_seconds > 0


# First-order estimates


def test_estimates_are_exact_as_far_as_the_world_is_linear(tmp_path: Path) -> None:
    with made(tmp_path / "small", og.sgd(lr=1e-5), steps=10) as run, warnings.catch_warnings():
        other = alternative(run, without="0:12")
        traced, stepped = estimate(run, other)
        assert traced.exact == stepped.exact != 0
        assert traced.error < 0.1 and stepped.error < 0.1
    with made(tmp_path / "large", og.sgd(lr=3.0), steps=10) as run:
        assert min(one.error for one in estimate(run, alternative(run, without="0:12"))) > 0.1


def test_estimates_refuse_what_they_do_not_fit(run: Run) -> None:
    with pytest.raises(RecordError, match="examples left out"):
        estimate(run, alternative(run, {"lr": 1.0}))


# What goes wrong


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({}, "nothing is changed"),
        ({"dials": {"rate": 1.0}}, "there is no dial 'rate'"),
        ({"dials": {"lr": 1.0}, "start": STEPS}, "no step is taken from state 14"),
        ({"dials": {"lr": 1.0}, "steps": 15}, "cannot be followed"),
        ({"without": [40]}, "numbers 0 to 39"),
        ({"without": "zebra"}, "names no example"),
        ({"without": [int(example_data().indices(0)[0])], "start": 1, "steps": 1}, None),
    ],
)
def test_questions_that_do_not_fit_are_refused(run: Run, question: dict[str, Any], said: str | None) -> None:
    if said is None:
        assert alternative(run, **question).first > 1
        return
    with pytest.raises((RecordError, DataError), match=said):
        alternative(run, **question)


def test_a_program_of_one_batch_size_and_a_loop_of_others_are_refused(tmp_path: Path) -> None:
    with regression.begin(tmp_path / "run") as run:
        run.advance(9)
        with pytest.raises(RecordError, match=r"takes 'x' as f32\[4,3\] alone"):
            alternative(run, without=[3])
        assert followed(run, alternative(run, {"lr": 0.2})).hash != run.hash()
    with pytest.raises(RecordError, match="a loop that is not ours"):
        alternative(object(), {"lr": 1.0})  # type: ignore[arg-type]
