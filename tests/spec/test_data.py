"""Batches are a pure function of (dataset, seed, step), and a changed dataset is noticed."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontogeny.data import shuffle
from ontogeny.data.arrays import Arrays
from ontogeny.data.mapped import Mapped
from ontogeny.data.order import Order
from ontogeny.data.store import TENSORS, load, save
from ontogeny.isa.errors import DataError


def numbers(count: int = 10, batch_size: int = 3, seed: int = 0) -> Arrays:
    x = np.arange(count, dtype=np.float32)
    return Arrays({"x": np.stack([x, -x], 1), "y": np.arange(count)}, batch_size, seed)


@given(st.integers(1, 50), st.data(), st.integers(-5, 2**70))
def test_an_epoch_visits_every_example_at_most_once(count: int, data: st.DataObject, seed: int) -> None:
    batch_size = data.draw(st.integers(1, count))
    order = Order(count, batch_size, seed)
    for epoch in (0, 3):
        first = epoch * order.steps_per_epoch
        seen = np.concatenate([order.indices(first + step) for step in range(order.steps_per_epoch)])
        assert len(set(seen.tolist())) == len(seen) == count // batch_size * batch_size
        assert seen.min() >= 0 and seen.max() < count


@given(st.integers(1, 50), st.data(), st.booleans())
def test_an_epoch_that_keeps_its_last_batch_visits_every_example_once(
    count: int, data: st.DataObject, shuffled: bool
) -> None:
    batch_size = data.draw(st.integers(1, count))
    order = Order(count, batch_size, 1, shuffled, drop_last=False)
    for epoch in (3, 0):
        first = epoch * order.steps_per_epoch
        batches = [order.indices(first + step) for step in range(order.steps_per_epoch)]
        assert sorted(np.concatenate(batches).tolist()) == list(range(count))
        assert [len(batch) for batch in batches[:-1]] == [batch_size] * (len(batches) - 1)
        assert 1 <= len(batches[-1]) <= batch_size
        dropping = Order(count, batch_size, 1, shuffled)
        assert np.array_equal(batches[0], dropping.indices(epoch * dropping.steps_per_epoch))


def test_a_long_epoch_keeps_its_last_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ontogeny.data.order.SORTED", 10)
    monkeypatch.setattr("ontogeny.data.order.STRETCH", 8)
    order = Order(101, 3, 4, drop_last=False)
    for epoch in range(2):
        batches = [order.indices(epoch * 34 + step) for step in range(34)]
        assert sorted(np.concatenate(batches).tolist()) == list(range(101))
        assert len(batches[-1]) == 2


def test_keeping_the_last_batch_is_part_of_the_data_and_saved_with_it(tmp_path: Path) -> None:
    x = np.arange(10)
    kept, dropped = (Arrays({"x": x}, 4, drop_last=drop) for drop in (False, True))
    assert kept.fingerprint != dropped.fingerprint
    save(kept, tmp_path)
    assert load(tmp_path).fingerprint == kept.fingerprint
    assert len(load(tmp_path).batch(2)["x"]) == 2
    mapped = Mapped([{"x": value} for value in x], 4, drop_last=False)
    for step in range(7):
        assert np.array_equal(mapped.batch(step)["x"], kept.batch(step)["x"])
        assert np.array_equal(mapped.arrays().batch(step)["x"], kept.batch(step)["x"])


@given(st.integers(1, 3000), st.integers(0, 2**64), st.integers(0, 99))
def test_the_feistel_order_is_a_permutation(count: int, seed: int, epoch: int) -> None:
    whole = shuffle.places(count, seed, epoch, 0, count)
    assert sorted(whole.tolist()) == list(range(count))
    middle = count // 2
    assert np.array_equal(shuffle.places(count, seed, epoch, middle, count), whole[middle:])


def test_every_order_of_few_examples_occurs_about_as_often() -> None:
    orders = [tuple(shuffle.epoch_order(4, seed, 7).tolist()) for seed in range(4800)]
    counts = [orders.count(order) for order in set(orders)]
    assert len(counts) == 24
    assert sum((count - 200) ** 2 / 200 for count in counts) < 49.7  # chi-square, 23 degrees of freedom, p = 0.001


def test_large_feistel_orders_do_not_keep_neighbours() -> None:
    taken = shuffle.places(2_000_000, 1, 0, 0, 4096)
    assert np.abs(np.corrcoef(np.arange(4096), taken)[0, 1]) < 0.06
    assert len(np.intersect1d(taken, shuffle.places(2_000_000, 1, 1, 0, 4096))) < 40


def test_steps_may_be_asked_in_any_order() -> None:
    data = numbers()
    forward = [data.batch(step) for step in range(12)]
    for step in (11, 0, 7, 3, 3, 10):
        again = numbers().batch(step)
        assert all(np.array_equal(again[name], forward[step][name]) for name in ("x", "y"))


PINNED = [[4, 2, 0], [8, 6, 5], [9, 7, 3], [8, 1, 2], [0, 8, 2]]
PINNED_FEISTEL = [524523, 486651, 744238, 867931]


def test_long_epochs_are_made_in_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ontogeny.data.order.SORTED", 10)
    monkeypatch.setattr("ontogeny.data.order.STRETCH", 7)
    order = Order(101, 3, 4)
    for step in (0, 1, 2, 32, 33, 40, 5):
        epoch, batch = divmod(step, 33)
        assert np.array_equal(order.indices(step), shuffle.places(101, 4, epoch, 3 * batch, 3 * batch + 3))


def test_order_is_pinned_for_recorded_runs() -> None:
    assert [numbers(seed=5).indices(step).tolist() for step in (0, 1, 2, 3, 1000)] == PINNED
    assert shuffle.places(2_000_000, 3, 2, 0, 4).tolist() == PINNED_FEISTEL


@pytest.mark.parametrize("count", [10, shuffle.SORTED + 5], ids=["sorted", "in stretches"])
def test_epochs_have_no_last(count: int) -> None:
    order = Order(count, 3, seed=4)
    for epoch in (1 << 31, 1 << 40, 1 << 62):
        first = epoch * order.steps_per_epoch
        seen = np.concatenate([order.indices(first + step) for step in range(3)])
        assert len(set(seen.tolist())) == 9 and seen.min() >= 0 and seen.max() < count
        assert not np.array_equal(order.indices(first), order.indices(first + order.steps_per_epoch))


def test_epochs_and_seeds_differ() -> None:
    data, other = numbers(40, 40), numbers(40, 40, seed=1)
    assert not np.array_equal(data.indices(0), data.indices(1))
    assert not np.array_equal(data.indices(0), other.indices(0))
    assert sorted(data.indices(0)) == sorted(data.indices(1)) == list(range(40))


def test_in_order() -> None:
    data = Arrays({"x": np.arange(5)}, 2, shuffle=False)
    assert [data.batch(step)["x"].tolist() for step in range(3)] == [[0, 1], [2, 3], [0, 1]]


def test_fingerprint_notices_every_change() -> None:
    x = np.arange(6, dtype=np.float32)
    same = Arrays({"x": x, "y": x}, 2)
    assert same.fingerprint == Arrays({"y": x.copy(), "x": x[::1]}, 2).fingerprint
    changed = x.copy()
    changed[5] = np.nextafter(changed[5], 0)
    others = [
        Arrays({"x": changed, "y": x}, 2),
        Arrays({"x": x, "z": x}, 2),
        Arrays({"x": x.view(np.int32), "y": x}, 2),
        Arrays({"x": x.reshape(6, 1), "y": x}, 2),
        Arrays({"x": x, "y": x}, 3),
        Arrays({"x": x, "y": x}, 2, seed=1),
        Arrays({"x": x, "y": x}, 2, shuffle=False),
    ]
    assert len({data.fingerprint for data in [same, *others]}) == len(others) + 1


@pytest.mark.parametrize(
    ("arrays", "batch_size", "words"),
    [
        ({"x": np.zeros(3), "y": np.zeros(4)}, 1, "one entry per example"),
        ({}, 1, "none"),
        ({"x": np.zeros(3)}, 4, "choose 1 to 3"),
        ({"x": np.zeros(3)}, 0, "choose 1 to 3"),
        ({"x": np.array(["a", "b"])}, 1, "convert it first"),
        ({"x": np.array(3.0)}, 1, "single value"),
    ],
)
def test_malformed_data_is_refused(arrays: dict[str, np.ndarray], batch_size: int, words: str) -> None:
    with pytest.raises(DataError, match=words):
        Arrays(arrays, batch_size)


def test_no_step_before_the_first() -> None:
    with pytest.raises(DataError, match="count from 0"):
        numbers().batch(-1)


class Pairs:
    """As a map-style torch Dataset of (x, y)."""

    def __len__(self) -> int:
        return 10

    def __getitem__(self, number: int) -> tuple[np.ndarray, int]:
        return np.array([number, -float(number)], np.float32), number


def test_a_mapped_source_gives_the_batches_of_arrays() -> None:
    mapped, arrays = Mapped(Pairs(), 3), numbers()
    for step in (0, 5, 2):
        for name, array in arrays.batch(step).items():
            assert np.array_equal(mapped.batch(step)[name], array)
    assert mapped.arrays().fingerprint == arrays.fingerprint
    assert mapped.fingerprint == Mapped(Pairs(), 3).fingerprint != Mapped(Pairs(), 2).fingerprint
    assert Mapped(Pairs(), 3, fingerprint="mine").fingerprint != mapped.fingerprint


def test_mapped_errors() -> None:
    with pytest.raises(DataError, match="names="):
        Mapped(Pairs(), 3, names=("x",)).batch(0)
    with pytest.raises(DataError, match="collate="):
        Mapped([[0], [0, 1], [2]], 3, names=("x", "y")).batch(0)


def test_hugging_face_datasets() -> None:
    datasets = pytest.importorskip("datasets")
    source = datasets.Dataset.from_dict({"x": [[float(i), -float(i)] for i in range(10)], "y": list(range(10))})
    batch = Mapped(source, 3).batch(2)
    assert np.array_equal(batch["y"], numbers().batch(2)["y"])
    assert batch["x"].shape == (3, 2)


def test_torch_datasets() -> None:
    torch = pytest.importorskip("torch")
    x = torch.arange(10.0)
    source = torch.utils.data.TensorDataset(torch.stack([x, -x], 1), torch.arange(10))
    batch = Mapped(source, 3).batch(4)
    assert all(np.array_equal(batch[name], array) for name, array in numbers().batch(4).items())


def test_save_and_load(tmp_path) -> None:
    half = np.arange(10).astype(ml_dtypes.bfloat16)
    data = Arrays({"x": half, "y": np.arange(10) > 4, "z": np.ones((10, 0), np.float16)}, 4, seed=3)
    save(data, tmp_path / "data")
    again = load(tmp_path / "data")
    assert again.fingerprint == data.fingerprint
    assert again.arrays["x"].dtype == half.dtype
    assert np.array_equal(again.batch(9)["x"], data.batch(9)["x"])


@pytest.mark.parametrize("damage", ["missing", "cut", "flipped"])
def test_damaged_data_is_refused(tmp_path, damage: str) -> None:
    save(numbers(), tmp_path)
    path = tmp_path / TENSORS
    raw = bytearray(path.read_bytes())
    if damage == "missing":
        path.unlink()
    else:
        raw[-1] ^= 1
        path.write_bytes(raw if damage == "flipped" else raw[:-5])
    with pytest.raises(DataError, match="original dataset"):
        load(tmp_path)
