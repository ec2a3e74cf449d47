"""What is memorised: canaries, examples left out exactly, items against their order, sequences continued."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import ontogeny as og
from ontogeny.ask.alternative import alternative, kept
from ontogeny.ask.diagnose import diagnose
from ontogeny.ask.extraction import Continuing
from ontogeny.ask.forget import forget
from ontogeny.ask.items import ByClass, Judged, judge
from ontogeny.ask.left_out import LeftOut, in_all, left_out
from ontogeny.ask.memorised import index_of, newcombe
from ontogeny.ask.remembered import estimated_words, left_out_words, target_words
from ontogeny.ask.subsets import LEAST, _differences, agreement, by_subsets
from ontogeny.data.base import Array
from ontogeny.data.canaries import Planted, plant
from ontogeny.isa.errors import DataError, RecordError
from ontogeny.record.run import Run
from ontogeny.train.regimes.table import Regime
from tests.spec.training import GPT, MLP, cross_entropy, points

COUNT, BATCH, CANARIES, STEPS = 40, 10, 12, 90


def held_out() -> dict[str, Array]:
    random = np.random.default_rng(1)
    return {"x": random.standard_normal((60, 8)).astype(np.float32), "y": random.integers(0, 4, 60)}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    torch.manual_seed(0)
    data = plant(points(COUNT, BATCH, seed=5), CANARIES, seed=2)
    learner = og.capture(
        MLP(hidden=64),
        cross_entropy,
        og.adamw(lr=2e-2, weight_decay=0.0),
        data.batch(0),
        valid=held_out(),
        predict=lambda model, batch: model(batch["x"]),
    )
    folder = tmp_path_factory.mktemp("recall") / "run"
    with og.create(folder, learner, data, valid=held_out(), options={"threads": 1}) as made:
        made.advance(20)
        made.leave_out([7])
        made.advance(STEPS - 20)
        yield made


def test_canaries_are_a_function_of_data_count_and_seed_and_nothing_else_changes() -> None:
    plain = points(COUNT, BATCH, seed=5)
    one, same, other = (plant(plain, CANARIES, seed=seed) for seed in (2, 2, 3))
    numbers = np.array(one.canaries.numbers)
    assert len(numbers) == CANARIES and one.fingerprint == same.fingerprint != other.fingerprint
    assert np.array_equal(np.flatnonzero(one.arrays["y"] != plain.arrays["y"]), numbers)
    assert set(one.arrays["y"]) <= set(plain.arrays["y"]) and one.arrays["x"] is not None
    assert np.array_equal(one.indices(3), plain.indices(3))
    for data, count, label in ((plain, 0, "y"), (plain, COUNT, "y"), (plain, 3, "z"), (one, 3, "y")):
        with pytest.raises(DataError):
            plant(data, count, label)


def test_labels_are_drawn_from_all_other_ones() -> None:
    data = og.Arrays({"y": np.repeat([2, 5, 9], 400)}, 8)
    planted = plant(data, 900).arrays["y"]
    for own, others in ((2, {5, 9}), (5, {2, 9}), (9, {2, 5})):
        drawn = planted[(data.arrays["y"] == own) & (planted != own)]
        assert set(drawn.tolist()) == others and abs(np.mean(drawn == min(others)) - 0.5) < 0.1
    real = og.Arrays({"y": np.arange(20.0)[:, None].repeat(2, axis=1)}, 4)
    rows = plant(real, 19).arrays["y"]
    assert (rows[:, 0] == rows[:, 1]).all() and (rows[:, 0] != np.arange(20)).sum() == 19


def test_whoever_opens_the_run_finds_the_canaries(run: Run) -> None:
    opened = og.open_run(run.folder)
    assert isinstance(opened.data, Planted) and isinstance(run.data, Planted)
    assert opened.data.canaries == run.data.canaries and len(run.data.canaries.numbers) == CANARIES
    first = json.loads((run.folder / "journal.jsonl").read_text().splitlines()[0])
    assert first["data"]["canaries"] == run.data.canaries.as_content()


def test_the_interval_is_newcombes() -> None:
    # Newcombe (1998), Statistics in Medicine 17:873, example (a): 56 of 70 and 48 of 80, by his method 10.
    assert newcombe(56 / 70, 70, 48 / 80, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    found = index_of(1.0, 50, 0.25, 1000)
    assert found.value == 1.0 and 0.85 < found.low < 1.0 == found.high
    assert index_of(0.1, 50, 0.2, 50).value == 0.0


def test_the_index_goes_from_chance_to_all_of_them(run: Run) -> None:
    before, after = og.memorised(run, 0), og.memorised(run)
    assert before.index is not None and after.index is not None
    assert before.index.low < 0.1 and after.index.low > 0.5 and after.index.known > 0.9
    assert before.index.canaries == CANARIES and before.index.controls == 60
    assert before.train is not None and before.train.examples == COUNT - CANARIES
    found = diagnose(run, kinds=["memorising"]).of("memorising")
    assert found is not None and found.figures["index"] > 0.5 and "memorisation index" in found.words


def test_items_are_judged_as_plain_numpy_does(run: Run) -> None:
    found = og.recall(run, most=COUNT)
    machine = run._seat.another()
    machine.load(run.state())
    scores = next(iter(machine.call("predict", run.data.arrays, {}).values())).astype(np.float64)
    logs, own = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)), run.data.arrays["y"]
    rows = np.arange(COUNT)
    assert found.items.loss == pytest.approx(-logs[rows, own], abs=1e-5)
    assert found.items.reached == pytest.approx(np.exp(logs[rows, own]), abs=1e-5)
    assert np.array_equal(found.items.exact, logs.argmax(axis=1) == own)
    assert np.array_equal(found.items.rank, 1 + (logs > logs[rows, own][:, None]).sum(axis=1))


def test_no_example_is_judged_twice(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[int] = []

    def counted(self: ByClass, arrays: dict[str, Array], dials: dict[str, float]) -> Judged:
        rows.append(len(arrays["y"]))
        return asked(self, arrays, dials)

    asked = ByClass.__call__
    before = og.memorised(run)
    monkeypatch.setattr(ByClass, "__call__", counted)
    found = og.recall(run)
    assert sorted(rows) == sorted([COUNT, 60, CANARIES, 60]), "the last two: canaries, and controls with drawn labels"
    assert found.memorised == before


def test_how_often_and_when_last_follow_the_order_and_the_journal(run: Run) -> None:
    found = og.recall(run, "3,7,11", at=50)
    met: dict[int, list[int]] = {3: [], 7: [], 11: []}
    for step in range(50):
        for number in {3, 7, 11} & set(run.data.indices(step).tolist()):
            if number != 7 or step < 20:
                met[number].append(step)
    assert found.seen.tolist() == [len(one) for one in met.values()]
    assert found.last.tolist() == [one[-1] for one in met.values()]
    assert [(one.low, one.items) for one in found.by_seen] == [(len(met[7]), 1), (len(met[3]), 2)]
    assert sum(one.items for one in found.by_recency) == 3 and found.continued is None and "predict" in found.silent


def test_an_example_left_out_is_trained_again_without_it(run: Run, tmp_path: Path) -> None:
    chosen = [3, run.data.canaries.numbers[1]]
    found = left_out(run, chosen, at=(30, STEPS))
    assert [one.number for one in sorted(found, key=lambda one: one.number)] == sorted(chosen)
    one = next(one for one in found if one.number == 3)
    with kept(run, alternative(run, without=[3]), tmp_path / "without") as child:
        ask = judge(child)
        for place, step in enumerate((30, STEPS)):
            ask.load(child.state(step))
            assert one.loss_without[place] == pytest.approx(ask(run.data.examples(np.array([3])), {}).loss[0], rel=1e-6)
    assert one.needed[1] > 1 and one.memorised.tolist() == [bool(one.right[0]), True]
    whole = in_all(found)
    assert whole.examples == 2 and whole.by_chance < 0.3 and whole.needed > whole.needed_by_chance
    with pytest.raises(RecordError, match="0 workers; give 1 or more"):
        left_out(run, [3], workers=0)
    with pytest.raises(RecordError, match="most 0 examples"):
        og.recall(run, most=0)
    for examples, said in (("", "names no example"), ("40", "numbers 0 to 39")):
        with pytest.raises((RecordError, DataError), match=said):
            left_out(run, examples)


def test_a_share_is_told_of_the_examples_that_are_right(run: Run) -> None:
    early = left_out(run, run.data.canaries.numbers[:6], at=(8,))
    right = [one for one in early if one.right[0] == 1.0]
    assert len(right) < len(early)
    assert in_all(early).right == len(right) and f"of {len(right)} that are right, among 6" in words_of(early)
    wrong = [one for one in early if one.right[0] < 1.0]
    assert in_all(wrong).right == 0 and words_of(wrong).startswith("none is right")


def words_of(found: Sequence[LeftOut]) -> str:
    return " ".join(left_out_words(in_all(found)))


def test_a_regime_that_a_run_began_with_is_asked_as_any_other_run(run: Run, tmp_path: Path) -> None:
    with Regime.parse("sleep:every=3,replays=1").begun(run, tmp_path / "asleep") as asleep:
        asleep.advance(9)
        number = int(asleep.data.indices(1)[0])
        (found,) = left_out(asleep, [number])
        without = forget(asleep, [number], tmp_path / "forgot")
        assert without is not None and without.program.has("sleep")
        with without:
            ask = judge(without)
            ask.load(without.state())
            assert found.loss_without[0] == ask(run.data.examples(np.array([number])), without.dials()).loss[0]
        assert found.loss_without[0] > found.loss[0] and len(by_subsets(asleep, 4).numbers) == COUNT


def test_subsets_estimate_what_leaving_out_gives(run: Run) -> None:
    found = by_subsets(run, 5, 0.7, at=40)
    assert np.array_equal(found.memorised, by_subsets(run, 5, 0.7, at=40).memorised, equal_nan=True)
    assert len(found.numbers) == COUNT and float(np.nanmean(found.needed)) > 0.5
    exact = left_out(run, [1, 2, 4, 9], at=(40,))
    told = agreement(found, exact)
    assert told is not None and told.examples <= 4 and -1 <= told.correlation <= 1 and told.error > 0
    kept_in = np.array([[True], [True], [False], [False], [False]])
    mean, error = _differences(kept_in, np.array([[3.0], [5.0], [1.0], [1.0], [4.0]]))
    assert mean[0] == 2.0 and error[0] == pytest.approx(np.sqrt(2 / 2 + 3 / 3))


def test_no_error_is_told_of_a_share_that_few_retrainings_tell(run: Run) -> None:
    few = by_subsets(run, 4, 0.7, at=1)
    assert np.isnan(few.memorised_error).all() and np.isfinite(few.memorised).any()
    assert any("20 retrainings or more (--subsets 20)" in line for line in estimated_words(few, None))
    assert not any("standard error" in line for line in estimated_words(few, None))
    with_it = np.repeat([True, False], 4)[:, None]
    assert _differences(with_it, with_it.astype(np.float64), LEAST)[1][0] == 0
    assert np.isnan(_differences(with_it[:-1], with_it[:-1].astype(np.float64), LEAST)[1][0])


def test_real_numbers_are_held_against_what_is_predicted(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    x = random.standard_normal((24, 3)).astype(np.float32)
    data = plant(og.Arrays({"x": x, "y": x @ np.array([[1], [-2], [0.5]], np.float32)}, 8), 6)
    torch.manual_seed(0)
    learner = og.capture(
        nn.Linear(3, 1),
        lambda model, batch: F.mse_loss(model(batch["x"]), batch["y"]),
        og.adamw(lr=0.1),
        data.batch(0),
        predict=lambda model, batch: model(batch["x"]),
    )
    with og.create(tmp_path / "run", learner, data) as made:
        made.advance(30)
        found = og.recall(made)
        state, ask = made.state(), judge(made)
    weight, bias = (state["params"].reshape(-1)[d.offset : d.offset + d.type.size] for d in made.program.named_params())
    off = np.abs(x @ weight.reshape(3, 1) + bias - data.arrays["y"])[:, 0]
    assert "right is what is within 1%" in target_words(found)[0]
    assert not found.classes and found.items.loss == pytest.approx(off, abs=1e-5)
    assert ask.label == "y" and found.memorised.index is None and found.valid is None


def test_sequences_are_continued_as_plain_pytorch_does(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    text = random.integers(0, 65, (6, 17))
    data = og.Arrays({"x": text[:, :16], "y": text[:, 1:]}, 6)
    torch.manual_seed(0)
    model = GPT(depth=1)
    captured = {"valid": data.arrays, "predict": lambda m, batch: m(batch["x"])}
    learner = og.capture(model, cross_entropy, og.adamw(lr=2e-2), data.batch(0), **captured)
    expected = text[:, :6].copy()
    with torch.no_grad():
        for _ in range(8):
            scores = model(torch.from_numpy(expected))
            expected = np.concatenate([expected, scores[:, -1:].argmax(-1).numpy()], axis=1)
    with og.create(tmp_path / "run", learner, data, valid=data.arrays) as made:
        continuing = Continuing(made, "y")
        continuing.load(made.state(0))
        found = continuing(data.arrays, {}, 6, 8)
        right = expected[:, 6:] == text[:, 6:14]
        assert np.array_equal(found.matched, right.mean(axis=1)) and not found.exact.any()
        made.advance(100)
        known = og.recall(made, prefix=6)
        assert known.continued is not None and known.continued.exact.all() and known.continued.length == 11
        assert known.baseline is not None and known.baseline.exact.all() and known.items.exact.mean() > 0.1
        with pytest.raises(RecordError, match="do not fit a window of 16"):
            og.recall(made, prefix=10, length=8)


def test_a_model_that_looks_ahead_continues_nothing(tmp_path: Path) -> None:
    text = np.random.default_rng(0).integers(0, 10, (4, 9))
    data = og.Arrays({"x": text[:, :8], "y": text[:, 1:]}, 4)

    class Ahead(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.out = nn.Embedding(10, 6), nn.Linear(6, 10)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            h = self.embed(x)
            return self.out(h + h.mean(dim=1, keepdim=True))

    learner = og.capture(Ahead(), cross_entropy, og.adamw(), data.batch(0), predict=lambda m, batch: m(batch["x"]))
    with og.create(tmp_path / "run", learner, data) as made, pytest.raises(RecordError, match="looks ahead"):
        og.recall(made)


@pytest.mark.slow
def test_several_processes_leave_out_what_one_does(run: Run) -> None:
    alone, together = (left_out(run, [3, 5, 9], at=(40,), workers=count) for count in (1, 2))
    by_number = {one.number: one for one in alone}
    assert [one.number for one in together] == [3, 5, 9]
    for one in together:
        assert one.as_json() == by_number[one.number].as_json()
