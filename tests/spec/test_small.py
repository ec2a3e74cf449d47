"""Networks made smaller: which units go together, masks that hold, what is taught, what is told as lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import ontogeny as og
from ontogeny.claims.tasks import text
from ontogeny.data.base import Array
from ontogeny.front.edits import apply
from ontogeny.front.edits.mask import PRUNED
from ontogeny.isa.errors import EditError, SmallError
from ontogeny.machine.base import value_of
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.machine.learner import Learner
from ontogeny.record.run import Run
from ontogeny.train.small.activations import entering_norms
from ontogeny.train.small.distil import Lesson, Teaching, softened, student
from ontogeny.train.small.fewer_units import fitting
from ontogeny.train.small.lost import lost, target_of
from ontogeny.train.small.masks import by_magnitude, by_wanda, gradual, lottery, masked
from ontogeny.train.small.narrowed import families, narrowed
from ontogeny.train.small.sequences import with_written, written
from ontogeny.train.small.sizes import OPERATIONS, PARAMETERS, Budget, operations, parameters
from ontogeny.train.small.task import Task, task_of
from ontogeny.train.small.teacher import ensemble, outputs
from ontogeny.train.small.units import labelled
from ontogeny.train.small.ways import WAYS, Chosen, Plan, carry_out, choose

RANDOM = np.random.default_rng(0)
BUDGET = Budget(PARAMETERS, 25)
X = RANDOM.normal(size=(48, 6)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int64) + 2 * (X[:, 1] > 0)


def cross_entropy(model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    scores = model(batch["x"])
    return {"loss": F.cross_entropy(scores, batch["y"])}


def captured(model: nn.Module, x: Array, y: Array, rule: og.Rule | None = None) -> Learner:
    valid = {"x": x, "y": y}
    return og.capture(
        model, cross_entropy, rule or og.adamw(1e-2), valid, valid=valid, predict=lambda m, batch: m(batch["x"])
    )


def perceptron(rule: og.Rule | None = None) -> Learner:
    torch.manual_seed(0)
    return captured(nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 4)), X[:16], Y[:16], rule)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A perceptron that learned for thirty steps."""
    data = og.Arrays({"x": X, "y": Y}, 16, seed=1)
    made = og.create(tmp_path / "run", perceptron(), data, valid={"x": X, "y": Y}, evaluate_every=10)
    made.advance(30)
    return made


@pytest.fixture
def task(run: Run) -> Task:
    return task_of(run)


def test_a_teacher_of_another_task_is_named(run: Run, tmp_path: Path) -> None:
    torch.manual_seed(0)
    wide = captured(nn.Linear(8, 4), np.zeros((16, 8), np.float32), Y[:16])
    fewer = captured(nn.Linear(6, 3), X[:16], Y[:16] % 3)
    given = np.concatenate([X, X[:, :2]], 1), X
    for name, learner, x, said in (("wide", wide, given[0], r"x f32\[8\]"), ("fewer", fewer, given[1], r"gives \[3\]")):
        there = og.create(tmp_path / name, learner, og.Arrays({"x": x, "y": Y}, 16))
        with pytest.raises(SmallError, match=f"{name} is a run of another task: it.*{said}.*run "):
            task_of(run, [there])
    assert len(task_of(run, [run]).teachers) == 2


def silenced(learner: Learner, gone: frozenset[int]) -> Learner:
    """The whole learner with every weight of these units zero."""
    values = {name: value.copy() for name, value in learner.values.items()}
    units = labelled(learner.program).units()
    for name, axis, places in (lying for unit in gone for lying in units[unit]):
        value_of(learner.program.decl(name), values)[(slice(None),) * axis + (places,)] = 0
    return replace(learner, values=values)


def check_narrowed(learner: Learner, x: Array, counts: list[int]) -> None:
    found = families(learner.program)
    assert [len(family.units) for family in found] == counts
    gone = frozenset(unit for family in found for unit in family.units[::2])
    small = narrowed(learner, gone)
    assert parameters(small.program) < parameters(learner.program)
    assert operations(small.program) < operations(learner.program)
    whole = outputs(silenced(learner, gone), {"x": x})
    np.testing.assert_allclose(outputs(small, {"x": x}), whole, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_channels_and_hidden_units_taken_out_leave_what_silencing_them_leaves() -> None:
    torch.manual_seed(0)
    convolution = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2))
    rest = nn.Sequential(nn.Conv2d(8, 6, 3), nn.Tanh(), nn.Flatten(), nn.Linear(24, 10), nn.GELU(), nn.Linear(10, 5))
    pictures = RANDOM.normal(size=(5, 1, 8, 8)).astype(np.float32)
    learner = captured(nn.Sequential(*convolution, *rest), pictures, np.arange(5))
    check_narrowed(learner, pictures, [8, 6, 10])


def test_a_head_is_a_unit_and_so_is_a_hidden_unit_of_a_transformer_whose_width_stays() -> None:
    torch.manual_seed(0)
    model = text.GPT(width=12, depth=1, context=4, heads=3)
    x = RANDOM.integers(0, 50, (3, 4))
    learner = og.capture(model, text.loss, og.adamw(), {"x": x, "y": x}, predict=lambda m, batch: m(batch["x"]))
    check_narrowed(learner, x, [3, 48])


def test_a_network_is_narrowed_to_a_budget_and_what_cannot_be_is_refused() -> None:
    learner, examples = perceptron(), {"x": X[:16]}
    for budget in (Budget(PARAMETERS, 60), Budget(OPERATIONS, 300)):
        small = fitting(learner, budget, examples)
        assert budget.most / 2 < budget.of(examples)(small) <= budget.most
    with pytest.raises(SmallError, match="with one hidden unit of each layer left"):
        fitting(learner, Budget(PARAMETERS, 14), examples)
    with pytest.raises(SmallError, match="no hidden unit"):
        fitting(captured(nn.Linear(6, 4), X[:16], Y[:16]), Budget(PARAMETERS, 14), examples)


def test_a_mask_holds_while_the_rest_learns_and_the_run_verifies_and_forks(run: Run, tmp_path: Path) -> None:
    gone = by_magnitude(run.learner, 60)
    assert sum(int(mask.sum()) for mask in gone.values()) == parameters(run.program) - 60
    child = masked(run, 20, tmp_path / "masked", gone)
    child.advance(10)
    for name, mask in gone.items():
        value = value_of(child.program.decl(name), child.state())
        assert not value[mask].any() and value[~mask].all()
        assert (value != value_of(child.program.decl(name), child.state(20)))[~mask].all()
    assert child.verify().ok
    grandchild = child.fork(25, tmp_path / "grandchild")
    grandchild.advance(5)
    assert grandchild.hash() == child.hash()


@pytest.mark.parametrize("first", ["adamw", pytest.param("muon", marks=pytest.mark.slow)])
def test_a_mask_outlives_a_change_of_the_rule_also_to_one_that_lays_parameters_otherwise(
    first: str, tmp_path: Path
) -> None:
    learner = perceptron({"adamw": og.adamw(1e-2), "muon": og.muon(1e-2)}[first])
    made = og.create(tmp_path / "run", learner, og.Arrays({"x": X, "y": Y}, 16))
    made.advance(5)
    gone = by_magnitude(made.learner, 60)
    child = masked(made, 5, tmp_path / "masked", gone)
    child.advance(2)
    other = apply(child.program, "rule", to="sgd" if first == "muon" else "muon")
    last = child.fork(child.step, tmp_path / "other", program=other.program, values=other.values)
    last.advance(3)
    for name, mask in gone.items():
        assert not value_of(last.program.decl(name), last.state())[mask].any()
    with pytest.raises(EditError, match="a mask already"):
        apply(last.program, "mask")
    assert PRUNED not in "".join(d.name for d in apply(last.program, "remove", edit="mask").program.of("dial"))


def test_a_lottery_goes_back_to_exactly_what_the_weights_were(run: Run, tmp_path: Path) -> None:
    assert Plan(7, rounds=3, rewind=5).takes("lottery", run) == 3 * (run.step - 5) and Plan(7).takes("units", run) == 7
    ticket = lottery(run, 10, lambda round: tmp_path / f"round-{round}", keep=60, rounds=2)
    assert ticket.step == run.step and ticket.base == 10
    first, was = ticket.state(11), run.fork(10, tmp_path / "beside")
    assert np.count_nonzero(first["params"]) <= 60
    begun = ticket.state(10)["params"]
    assert np.array_equal(begun, was.state(10)["params"])
    with pytest.raises(SmallError, match="rewind to a step from 0 to 29"):
        lottery(run, 30, lambda round: tmp_path / "none", keep=60)


def test_gradual_pruning_takes_most_at_first_and_learns_on_by_the_rule_that_it_is_given(tmp_path: Path) -> None:
    made = og.create(tmp_path / "run", perceptron(og.muon(1e-2)), og.Arrays({"x": X, "y": Y}, 16))
    made.advance(5)
    whole, values = parameters(made.program), []

    def advance(run: Run, steps: int) -> None:
        run.advance(steps)
        values.append((run.step, run.learner.values["params"]))

    rule = [("rule", {"to": og.adamw(3e-3), "since": 5})]
    child = gradual(made, tmp_path / "gradual", 60, 3, 24, edits=rule, advance=advance)
    left = [60 + round((whole - 60) * part**3) for part in (2 / 3, 1 / 3, 0)]
    assert [(step, np.count_nonzero(each)) for step, each in values] == list(zip([9, 13, 29], left, strict=True))
    assert not any(later[earlier == 0].any() for (_, earlier), (_, later) in pairwise(values))
    assert child.dials()["lr"] == 3e-3 and "adam_lr" not in child.dials()
    assert child.verify().ok
    again = masked(child, child.step, tmp_path / "again", by_magnitude(child.learner, 40))
    again.advance(1)
    assert np.count_nonzero(again.learner.values["params"]) == 40
    with pytest.raises(SmallError, match="two steps or more for each"):
        gradual(made, tmp_path / "none", 60, 3, 5)
    with pytest.raises(SmallError, match="cannot be kept"):
        gradual(made, tmp_path / "none", 10, 3, 24)


def test_wanda_weighs_by_what_enters_and_prunes_each_output_alike() -> None:
    learner, examples = perceptron(), {"x": X[:16] * np.array([100, 1, 1, 1, 1, 1e-3], np.float32)}
    axis, norm = entering_norms(learner, examples)["0.weight"]
    np.testing.assert_allclose(norm, np.sqrt(np.square(examples["x"].astype(np.float64)).mean(0)), rtol=1e-5)
    assert axis == 1
    gone = by_wanda(learner, 100, examples)
    kept = sum(int((~mask).sum()) for mask in gone.values()) + 20
    assert 98 <= kept <= 100
    rows = gone["0.weight"].sum(1)
    assert rows.max() - rows.min() <= 1
    assert not gone["0.weight"][:, 0].any() and gone["0.weight"][:, 5].all()


def test_the_teachers_divergence_is_the_formula_and_several_are_the_mean_of_their_probabilities() -> None:
    ours, theirs = (torch.from_numpy(RANDOM.normal(size=(7, 4))) for _ in range(2))
    soft, wanted = (F.log_softmax(each / 3, -1) for each in (ours, theirs))
    expected = 9 * F.kl_div(soft, wanted, reduction="batchmean", log_target=True)
    assert softened(ours, theirs, 3.0).item() == pytest.approx(expected.item(), rel=1e-9)
    both = [each.numpy().astype(np.float32) for each in (ours, theirs)]
    mean = sum(torch.softmax(torch.from_numpy(each), -1) for each in both) / 2
    found = torch.softmax(torch.from_numpy(ensemble(both)), -1)
    torch.testing.assert_close(found, mean)


@pytest.mark.slow
def test_a_teacher_in_the_program_teaches_as_its_outputs_do(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    small = fitting(task.teacher, Budget(PARAMETERS, 60), task.batch)
    first = []
    for most in (1 << 20, 1):
        monkeypatch.setattr("ontogeny.train.small.task.MOST_TAUGHT", most)
        lesson, train, valid = task.lesson(Teaching(hard=0.2))
        assert (lesson.frozen is None) == (most > 1)
        learner = student(small, og.adamw(1e-2), lesson, train, valid, 16)
        machine = CompiledMachine(learner.program)
        machine.load(learner.values)
        first.append(machine.call("learn", {name: v[:16] for name, v in train.items()}, dials(learner))["loss"])
    assert first[0] == pytest.approx(first[1], rel=1e-5)


def dials(learner: Learner) -> dict[str, float]:
    return {d.name: d.default for d in learner.program.of("dial") if d.default is not None}


SLOW = [pytest.param(way, marks=pytest.mark.slow) for way in (*WAYS, "features") if way != "units"]


@pytest.mark.parametrize("way", ["units", *SLOW])
def test_every_way_fits_its_budget_and_comes_close_to_the_teacher(task: Task, way: str, tmp_path: Path) -> None:
    features = 0.1 if way == "features" else 0.0
    plan = Plan(steps=120, lr=1e-2, teaching=Teaching(features=features), rounds=2)
    chosen = choose(task, "units" if features else way, Budget(PARAMETERS, 60))
    numbers = iter(range(9))
    with carry_out(task, chosen, plan, lambda: tmp_path / f"{next(numbers)}") as made:
        state = made.learner
    found = lost(task.scores, outputs(state, task.valid), task.truth, True)
    read = [d for d in state.program.named_params() if not d.name.startswith("projector")]
    assert sum(np.count_nonzero(value_of(d, state.values)) for d in read) <= 60
    assert found.after.accuracy is not None and found.before.accuracy is not None
    assert found.after.accuracy > found.before.accuracy - 0.15


class Counting(nn.Module):
    """Five symbols, each followed by the one so many further."""

    def __init__(self, by: int) -> None:
        super().__init__()
        self.table = nn.Embedding(5, 5)
        with torch.no_grad():
            self.table.weight.copy_(40 * torch.eye(5).roll(by, 1))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.table(x)
        return found


def scores(model: nn.Module, batch: Mapping[str, Tensor]) -> Any:
    return model(batch["x"])


def test_what_a_teacher_writes_follows_its_scores_and_one_that_looks_ahead_cannot_write() -> None:
    class Next(nn.Module):
        def __init__(self, ahead: float) -> None:
            super().__init__()
            self.table, self.ahead = nn.Embedding(5, 5), ahead
            with torch.no_grad():
                self.table.weight.copy_(9 * torch.eye(5).roll(1, 1))

        def forward(self, x: Tensor) -> Tensor:
            scores: Tensor = self.table(x)
            return scores + self.ahead * scores.sum(1, keepdim=True)

    def teacher(ahead: float) -> Learner:
        x = np.zeros((3, 6), np.int64)
        return og.capture(Next(ahead), text.loss, og.sgd(0.1), {"x": x, "y": x}, predict=lambda m, batch: m(batch["x"]))

    found = written(teacher(0.0), np.array([[0], [3]]), temperature=0.0)
    assert found["x"].tolist() == [[0, 1, 2, 3, 4, 0], [3, 4, 0, 1, 2, 3]]
    assert found["y"].tolist() == [[1, 2, 3, 4, 0, 1], [4, 0, 1, 2, 3, 4]]
    sampled = written(teacher(0.0), np.zeros((40, 1), np.int64), temperature=9.0, seed=3)
    assert len(np.unique(sampled["y"])) == 5
    with pytest.raises(SmallError, match="depend on what comes later"):
        written(teacher(0.5), np.array([[0]]), temperature=0.0)
    with pytest.raises(SmallError, match="prompts have 1 to 6 symbols"):
        written(teacher(0.0), np.zeros((2, 7), np.int64))


def test_a_student_reads_what_the_teacher_writes_beside_the_examples_and_only_sequences_are_written(
    task: Task, tmp_path: Path
) -> None:
    x = RANDOM.integers(0, 5, (12, 9))
    given = {"x": x[:, :-1].copy(), "y": x[:, 1:].copy()}
    learners = [
        og.capture(Counting(by), text.loss, og.sgd(0.1), {n: v[:4] for n, v in given.items()}, predict=scores)
        for by in (1, 2)
    ]
    found = with_written(given, learners, "y", 5, seed=1)
    for name in given:
        assert found[name].shape == (17, 8) and (found[name][:12] == given[name]).all()
    new = np.concatenate([found["x"], found["y"][:, -1:]], 1)[12:]
    assert all(tuple(row[:2]) in {tuple(each) for each in x[:, :2]} for row in new)  # a quarter of the context
    steps = (new[:, 2:] - new[:, 1:-1]) % 5
    assert (steps[:3] == 1).all() and (steps[3:] == 2).all()  # three by the first teacher, two by the second

    run = og.create(tmp_path / "letters", learners[0], og.Arrays(given, 4), valid=given)
    letters = task_of(run)
    plan = Plan(1, written=5, by=lambda lr, weight_decay: og.sgd(lr))
    read = carry_out(letters, Chosen("distil", BUDGET, learners[0], 25, ""), plan, lambda: tmp_path / "s")
    assert read.dials()["lr"] == plan.lr and "beta1" not in read.dials()
    assert len(read.data.arrays["x"]) == 17 and read.data.arrays["teacher"].shape == (17, 8, 5)  # type: ignore[attr-defined]
    assert len(replace(letters, writers=tuple(learners)).reading(3, 0).train["x"]) == 15
    with pytest.raises(SmallError, match="'y' is what follows each place of 'x'"):
        task.reading(5, 0)
    read.close()
    run.close()


def test_what_was_lost_is_told_by_class_and_by_example() -> None:
    truth = np.array([0, 0, 1, 1, 1])
    before, after = np.eye(2, dtype=np.float32)[[0, 0, 1, 1, 0]], np.eye(2, dtype=np.float32)[[0, 1, 1, 1, 1]]
    found = lost(before, after, truth, True)
    assert (found.wrong, found.right, found.turned_wrong, found.turned_right) == (1, 1, (1,), (4,))
    assert [(each.label, each.examples, each.before, each.after) for each in found.slices] == [
        (0, 2, 1.0, 0.5),
        (1, 3, pytest.approx(2 / 3), 1.0),
    ]
    assert found.before.loss == pytest.approx(
        F.cross_entropy(torch.tensor(before), torch.tensor(truth)).item(), rel=1e-6
    )
    values = lost(before, after, before, False)
    assert values.before.loss == 0 and values.after.loss == pytest.approx(0.4)
    with pytest.raises(SmallError, match="exactly one input"):
        target_of({"x": X, "y": Y, "z": Y}, np.zeros((48, 4)), ["x"])


def test_what_is_missing_is_said(task: Task, tmp_path: Path) -> None:
    with pytest.raises(SmallError, match="saves no operations"):
        choose(task, "magnitude", Budget(OPERATIONS, 100))
    with pytest.raises(SmallError, match="there is no way 'magic'"):
        choose(task, "magic", Budget(PARAMETERS, 60))
    blind = og.create(tmp_path / "blind", perceptron(), og.Arrays({"x": X, "y": Y}, 16))
    with pytest.raises(SmallError, match="no held-out examples"):
        task_of(blind)
    learner = og.capture(nn.Linear(6, 4), cross_entropy, og.sgd(0.1), {"x": X[:4], "y": Y[:4]})
    with pytest.raises(SmallError, match="no routine 'predict'"):
        outputs(learner, {"x": X})
    with pytest.raises(SmallError, match="the temperature is above 0"):
        Teaching(temperature=0.0).check()
    with pytest.raises(SmallError, match="cannot be kept"):
        by_magnitude(task.teacher, 10)
    assert isinstance(task.lesson(Teaching())[0], Lesson)
