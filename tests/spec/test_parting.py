"""Where two runs part: the same answer as comparing every recorded hash, whatever they share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ontogeny.record import parting as module
from ontogeny.record.parting import hashes, parting, shared
from ontogeny.record.run import Run, create
from tests.faces.perceptron import experiment


@pytest.fixture
def root(tmp_path: Path) -> Run:
    made = experiment()
    run = create(tmp_path / "root", made.learner, made.data, machine="reference")
    run.advance(30)
    return run


def one_by_one(one: Run, other: Run) -> int | None:
    last = min(one.step, other.step)
    return next((step for step in range(last + 1) if one.hash(step) != other.hash(step)), None)


@pytest.mark.parametrize("block", [1, 7, 1 << 16])
def test_the_first_differing_step_is_found(
    root: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    slow = root.fork(12, tmp_path / "slow", dials={"lr": 0.01})
    slow.advance(15)
    slower = slow.fork(20, tmp_path / "slower", dials={"lr": 0.001})
    slower.advance(10)
    same = root.fork(5, tmp_path / "same")
    same.advance(20)
    for one, other in ((root, slow), (slow, root), (slow, slower), (root, slower), (same, slow), (root, same)):
        assert parting(one.history, other.history) == one_by_one(one, other)
    assert one_by_one(root, slow) is not None and one_by_one(root, same) is None
    assert shared(root.history.sections, slower.history.sections) == 12
    assert shared(slow.history.sections, slower.history.sections) == 20


def test_other_initial_values_part_at_the_start(root: Run, tmp_path: Path) -> None:
    made = experiment()
    made.learner.values["theta"][:] = 1.0  # type: ignore[index]
    other = create(tmp_path / "other", made.learner, made.data, machine="reference")
    assert parting(root.history, other.history) == 0


def test_hashes_are_those_of_the_rows(root: Run, tmp_path: Path) -> None:
    fork = root.fork(12, tmp_path / "fork")
    fork.advance(5)
    assert [f"{value:016x}" for value in hashes(fork.history, 1, 17)] == [fork.hash(step) for step in range(1, 18)]
    assert np.array_equal(hashes(fork.history, 17, 19)[1:], [0, 0])
