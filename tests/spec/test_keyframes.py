"""Keyframes are a cache: how far apart they stand follows the clock and the budget, and no state hangs on that."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontogeny.isa.errors import RecordError
from ontogeny.record.planes import ALIGNED, RAW, SHUFFLED, Packer, unpack
from ontogeny.record.run import Run, open_run
from ontogeny.record.spacing import BYTES, Budget, Measured, power_above, power_below, spacing
from ontogeny.record.thinning import dispensable
from tests.regression import begin

ONE = 700
"""More than the bytes of one keyframe of the regression run, less than those of two."""


def every_state_is_the_recorded_one(run: Run, stride: int = 1) -> None:
    for step in range(0, run.step + 1, stride):
        assert run.history.hasher.row(run.state(step)) == run.history.hash_row(step), step


# The codec


@given(st.sampled_from(["f4", "bf16", "f8", "i8", "u1"]), st.integers(0, 1 << 32), st.sampled_from([1, 65, 700]))
def test_every_bit_pattern_comes_back(format_: str, seed: int, count: int) -> None:
    dtype: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16 if format_ == "bf16" else format_)
    array = np.frombuffer(np.random.default_rng(seed).bytes(count * dtype.itemsize), np.uint8).view(dtype)
    codec, parts = Packer().pack(array)
    assert sum(map(len, parts)) <= array.nbytes
    found = unpack(codec, [memoryview(bytes(part)) for part in parts], dtype, array.shape)
    assert found.dtype == dtype and found.tobytes() == array.tobytes() and found.flags.writeable


def test_weights_and_moments_take_less_where_their_exponents_bunch_together() -> None:
    random = np.random.default_rng(0)
    weights = random.standard_normal(20_000).astype(np.float32)
    for array, most in ((weights, 0.85), (weights**2, 0.84), (np.zeros_like(weights), 0.01)):
        codec, parts = Packer().pack(array)
        assert codec == ALIGNED and sum(map(len, parts)) < most * array.nbytes
    assert Packer().pack(weights.astype(np.float64))[0] == SHUFFLED
    assert Packer().pack(weights[:10])[0] == RAW


# The spacing


@pytest.mark.parametrize(
    ("value", "below", "above"), [(0.2, 1, 1), (1, 1, 1), (3, 2, 4), (64, 64, 64), (65.5, 64, 128)]
)
def test_powers_of_two(value: float, below: int, above: int) -> None:
    assert (power_below(value), power_above(value)) == (below, above)


def test_the_spacing_is_as_far_as_a_rewind_may_take_and_further_where_recording_would_take_too_much() -> None:
    budget = Budget(None, 1000, 0.05, 1.0)
    assert spacing(budget, Measured(0.01, 0.0), 0) == 64
    assert spacing(budget, Measured(0.001, 0.0), 0) == 512
    assert spacing(budget, Measured(10.0, 0.0), 0) == 1
    costly = Measured(0.01, 0.0001, keyframe=0.2)
    chosen = spacing(budget, costly, 0)
    assert chosen == 512 and costly.share(chosen) <= 0.05 < costly.share(chosen // 2)
    assert spacing(budget, Measured(0.01, 0.001, keyframe=0.2), 0) == 2048
    assert spacing(budget, Measured(10.0, 0.0, bytes=100), 650) == 64


def test_a_budget_that_nothing_can_keep_to_is_refused(tmp_path: Path) -> None:
    settings: list[tuple[dict[str, Any], str]] = [
        ({"keyframe_every": 0}, "keyframe_every"),
        ({"keyframe_bytes": 0}, "keyframe_bytes"),
        ({"recording_share": 0.0}, "recording_share"),
        ({"rewind_seconds": -1.0}, "rewind_seconds"),
    ]
    for given_, said in settings:
        with pytest.raises(RecordError, match=said):
            begin(tmp_path / "run", **given_)


def test_the_journal_says_what_was_asked_and_not_what_was_measured(tmp_path: Path) -> None:
    with begin(tmp_path / "a", keyframe_every=None) as run:
        run.advance(40)
        assert run.start["keyframes"] == {"every": None, "bytes": BYTES, "share": 0.05, "seconds": 1.0}
    assert begin(tmp_path / "b").start["keyframes"] == {"every": 8, "bytes": None, "share": 0.05, "seconds": 1.0}
    assert Budget.of({"keyframe_every": 16}) == Budget(16, None)


def test_the_clock_changes_no_hash(tmp_path: Path) -> None:
    budgets: list[dict[str, Any]] = [
        {"keyframe_every": 5},
        {"keyframe_every": None},
        {"keyframe_every": None, "rewind_seconds": 1e-6, "recording_share": 1.0},
        {"keyframe_every": None, "rewind_seconds": 1e-6, "recording_share": 1.0, "keyframe_bytes": 3 * ONE},
    ]
    found = set()
    for number, budget in enumerate(budgets):
        with begin(tmp_path / str(number), **budget) as run:
            run.advance(40)
            found.add(tuple(run.hash(step) for step in range(41)))
            every_state_is_the_recorded_one(run, 3)
    assert len(found) == 1


def test_measuring_chooses_and_the_keyframes_say_what(tmp_path: Path) -> None:
    with begin(tmp_path / "run", keyframe_every=None, rewind_seconds=1e-6, recording_share=0.9) as run:
        assert run.keyframes().worst_seconds is None
        run.advance(200)
        kept = run.keyframes()
    assert kept.count == len(run.history.own.keyframes.steps()) > 2
    assert kept.bytes == sum(path.stat().st_size for path in (tmp_path / "run" / "keyframes").iterdir())
    assert kept.spacing == power_below(kept.spacing or 0)
    steps = [*run.history.own.keyframes.steps(), 201]
    assert kept.worst_steps == max(after - before for before, after in pairwise(steps)) - 1
    assert kept.worst_seconds is not None and 0 < kept.worst_seconds < 60
    assert kept.recording_share is not None and kept.recording_share > 0


def test_many_short_sessions_do_not_push_the_last_keyframe_ever_further_back(tmp_path: Path) -> None:
    begin(tmp_path / "run", keyframe_every=None, rewind_seconds=1e-6, recording_share=1.0).close()
    for _ in range(6):
        with open_run(tmp_path / "run") as run:
            run.advance(2)
    assert run.history.own.keyframes.steps()[-1] >= 8


# Thinning


def thinned(steps: list[int], most: int, entries: list[int], kept: set[int] | None = None) -> list[int]:
    left = list(steps)
    while len(left) > most:
        left.remove(dispensable(left, kept or set(), entries)[0])
    return left


def test_every_other_of_the_oldest_goes_first() -> None:
    steps = list(range(9))
    assert thinned(steps, 8, []) == [0, 2, 3, 4, 5, 6, 7, 8]
    assert thinned(steps, 6, []) == [0, 2, 4, 6, 7, 8]
    assert thinned(steps, 5, []) == [0, 2, 4, 6, 8]
    assert thinned(steps, 4, []) == [0, 4, 6, 8]
    assert thinned(steps, 3, []) == [0, 4, 8]
    assert thinned(steps, 2, []) == [0, 8]
    assert dispensable([0, 8], set(), []) == dispensable([3], set(), []) == []


def test_what_forks_hang_on_stays_and_what_the_journal_speaks_of_goes_later() -> None:
    steps = list(range(9))
    assert thinned(steps, 5, [], {3}) == [0, 3, 5, 7, 8]
    assert dispensable(steps, set(range(9)), []) == []
    assert dispensable(steps, set(), [1])[0] == 2
    assert dispensable(steps, set(), [0, 8])[0] == 1


def test_a_run_keeps_to_its_bytes_and_every_state_stays_in_reach(tmp_path: Path) -> None:
    with begin(tmp_path / "run", keyframe_every=2, keyframe_bytes=6 * ONE) as run:
        for _ in range(4):
            run.advance(50)
            run.set_dial("lr", 0.01 + run.step / 10_000)
        keyframes = run.history.own.keyframes
        assert sum(keyframes.sizes().values()) <= 6 * ONE
        assert keyframes.steps()[0] == 0 and keyframes.steps()[-1] == 200 and len(keyframes.steps()) >= 6
        every_state_is_the_recorded_one(run, 7)
        assert run.verify().ok
    with begin(tmp_path / "whole", keyframe_every=2) as whole:
        for _ in range(4):
            whole.advance(50)
            whole.set_dial("lr", 0.01 + whole.step / 10_000)
        assert len(whole.history.own.keyframes.steps()) == 101
        assert [run.hash(step) for step in range(201)] == [whole.hash(step) for step in range(201)]


def test_the_keyframe_that_a_fork_hangs_on_stays(tmp_path: Path) -> None:
    with begin(tmp_path / "run", keyframe_every=2, keyframe_bytes=4 * ONE) as run:
        run.advance(15)
        nearest = max(step for step in run.history.own.keyframes.steps() if step <= 13)
        with run.fork(13, tmp_path / "fork", {"lr": 0.01}) as fork, fork.fork(13, tmp_path / "other") as other:
            assert run.history.own.keyframes.held() == {nearest} != {0}
            run.advance(85)
            fork.advance(40)
            every_state_is_the_recorded_one(fork, 3)
            assert sum(fork.history.own.keyframes.sizes().values()) <= 4 * ONE
            assert fork.history.own.keyframes.steps()[0] == 14
            other.advance(1)
        assert nearest in run.history.own.keyframes.steps()
        assert sum(run.history.own.keyframes.sizes().values()) <= 4 * ONE


def test_at_least_the_first_and_the_newest_stay(tmp_path: Path) -> None:
    with begin(tmp_path / "run", keyframe_every=3, keyframe_bytes=1) as run:
        run.advance(31)
        assert run.history.own.keyframes.steps() == [0, 30]
        assert run.keyframes().worst_steps == 29
        every_state_is_the_recorded_one(run)


def test_a_keyframe_stays_where_the_one_before_it_is_damaged(tmp_path: Path) -> None:
    with begin(tmp_path / "run", keyframe_every=4, keyframe_bytes=4 * ONE) as run:
        run.advance(8)
        path = run.history.own.keyframes.path(0)
        path.write_bytes(path.read_bytes()[:-1])
        run.advance(200)
        assert run.history.own.keyframes.steps()[:2] == [0, 4]
        with pytest.warns(UserWarning, match="an earlier one is used"), pytest.raises(RecordError, match="no sound"):
            run.state(3)
        assert run.history.hasher.row(run.state(4)) == run.history.hash_row(4)


def test_a_run_without_thinned_keyframes_opens_as_one_with_all(tmp_path: Path) -> None:
    with begin(tmp_path / "run", keyframe_every=4) as run:
        run.advance(40)
    shutil.copytree(tmp_path / "run", tmp_path / "thin")
    for step in (4, 12, 16, 20, 36):
        (tmp_path / "thin" / "keyframes" / f"{step:08d}.keyframe").unlink()
    with open_run(tmp_path / "thin") as thin:
        every_state_is_the_recorded_one(thin)
        thin.advance(10)
        run.advance(10)
        assert thin.hash() == run.hash()
    run.close()
