"""Tensors altered as stated: by plain NumPy, the same bits wherever replayed, only the pieces that were named."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ontogeny.ask.alternative import alternative, kept
from ontogeny.ask.explain import explain
from ontogeny.ask.what_if import followed
from ontogeny.isa.errors import OntogenyError, RecordError
from ontogeny.machine.normals import cosine, logarithm, normals
from ontogeny.record.alterations import deviation, slots, total
from ontogeny.record.run import Run, open_run
from tests import regression
from tests.small import BIAS, WEIGHT, begin, learner, weight


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = begin(tmp_path / "run")
    made.advance(6)
    return made


def entering(run: Run, entry_at: int) -> dict[str, np.ndarray]:
    """The registers that the step from a state begins with, its events behind it."""
    machine = run._seat.another()
    machine.load(run.state(entry_at))
    run._stepper.prepare(machine, entry_at)
    return machine.state()


def altered(run: Run, *what: Any, **how: Any) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The registers before and after an alteration at the present step, which is then taken."""
    before = run.state()
    run.alter(*what, **how)
    run.advance(1)
    return before, entering(run, run.step - 1)


def test_scale_zero_and_reset_are_what_they_say(run: Run) -> None:
    before, after = altered(run, "line.weight", "scale", 0.3)
    wanted = (before["params"][WEIGHT].astype(np.float64) * 0.3).astype(np.float32)
    assert after["params"][WEIGHT].tolist() == wanted.tolist() != before["params"][WEIGHT].tolist()
    assert after["params"][BIAS] == before["params"][BIAS] and np.array_equal(after["m"], before["m"])
    _, after = altered(run, "line.*", "zero")
    assert not after["params"].any()
    before, after = altered(run, ["line.weight"], "reset")
    assert after["params"][WEIGHT].tolist() == learner().values["params"][WEIGHT].tolist()
    assert after["params"][BIAS] == before["params"][BIAS] != learner().values["params"][BIAS]


def test_noise_is_the_deviation_times_normal_numbers_keyed_by_seed_step_and_name(run: Run) -> None:
    before, after = altered(run, "line.weight", "noise", 0.5, seed=11)
    values = before["params"][WEIGHT].astype(np.float64)
    added = (after["params"][WEIGHT] - values) / (0.5 * np.std(values))
    assert added == pytest.approx(normals(11, 6, 0xF8501462, 3), rel=1e-5)
    _, again = altered(run, "line.weight", "noise", 0.5, seed=11)
    later = (again["params"][WEIGHT] - run.state(7)["params"][WEIGHT]) / np.std(run.state(7)["params"][WEIGHT])
    assert not np.allclose(later * 2, added)


def test_prune_takes_the_smallest_and_of_equal_ones_the_first(run: Run) -> None:
    run.edit("params", [0, 1, 2], [0.5, -0.5, -2.0])
    run.alter("line.weight", "prune", 1 / 3)
    run.advance(1)
    assert entering(run, 6)["params"][WEIGHT].tolist() == [0.0, -0.5, -2.0]
    for share, zeros in ((0.0, 0), (0.16, 0), (0.5, 2), (1.0, 3)):
        _, after = altered(run, "line.weight", "prune", share)
        assert (after["params"][WEIGHT] == 0).sum() == zeros


def test_the_optimizers_state_is_zeroed_with_it_where_asked(run: Run) -> None:
    assert run.state()["m"][WEIGHT].all() and slots(run.program, run.program.decl("line.bias")) == ["m"]
    before, after = altered(run, "line.bias", "scale", 1.0, and_state=True)
    assert after["m"][BIAS] == 0 != before["m"][BIAS] and np.array_equal(after["m"][WEIGHT], before["m"][WEIGHT])
    assert np.array_equal(after["params"], before["params"])


def test_it_stands_in_the_journal_as_it_was_said_and_replays(run: Run, tmp_path: Path) -> None:
    run.alter("*.weight", "noise", 0.1, seed=4, and_state=True, author="ada")
    content = {"tensors": ["*.weight"], "how": "noise", "amount": 0.1, "seed": 4, "and_state": True}
    assert (run.entries[-1].kind, run.entries[-1].content, run.entries[-1].author) == ("alter", content, "ada")
    run.alter("*", "prune", 0.25)
    run.call("sleep")
    run.alter("line.bias", "reset")
    run.advance(5)
    with run.fork(8, tmp_path / "fork") as fork, run.fork(6, tmp_path / "there") as there:
        fork.advance(3)
        there.advance(5)
        fork.alter("line.weight", "reset")
        fork.advance(1)
        assert entering(fork, 11)["params"][WEIGHT].tolist() == learner().values["params"][WEIGHT].tolist()
        assert there.hash() == run.hash() == fork.hash(11)
    run.close()
    assert open_run(run.folder).verify().ok and open_run(tmp_path / "fork").verify().ok


def test_what_if_and_explain_know_it(run: Run, tmp_path: Path) -> None:
    run.alter("line.weight", "scale", 0.5)
    run.advance(4)
    other = alternative(run, {"lr": 0.01}, start=2)
    with kept(run, other, tmp_path / "kept") as child:
        assert child.hash() == followed(run, other).hash and child.entries[-1].content == run.entries[-1].content
    with begin(tmp_path / "plain") as plain:
        plain.advance(10)
        assert followed(run, alternative(run, undo=6)).hash == plain.hash()
    found = explain(run, "line.weight[0,0]", "7:8")
    change = weight(run, 7)[0].astype(np.float64) - weight(run, 6)[0]
    lines = {line.text: total for line, total in zip(found.ledger.lines, found.members[0].sums, strict=True)}
    assert math.fsum(found.members[0].sums) == change and lines["altered (scale)"] == pytest.approx(
        -weight(run, 6)[0] / 2
    )


def test_a_tensor_is_mended_beside_one_that_is_not_finite(run: Run) -> None:
    run.set_dial("lr", 1e38)
    with pytest.raises(RecordError, match="non-finite"):
        run.advance(9)
    assert not np.isfinite(weight(run)[[0, 3]]).any()
    run.set_dial("lr", 0.05)
    for tensor in ("line.bias", "line.weight"):
        run.alter(tensor, "reset", and_state=True)
    run.advance(2)
    assert np.isfinite(weight(run)).all() and open_run(run.folder).verify().ok


def test_parameters_without_an_arena_and_without_a_state(tmp_path: Path) -> None:
    with regression.begin(tmp_path / "run") as run:
        run.advance(3)
        before, after = altered(run, "w", "scale", 2.0, and_state=True)
        assert after["w"].tolist() == (2 * before["w"]).tolist() and not after["m"].any()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("line.wait", "zero"), "no parameter is called 'line.wait'; there are line.weight, line.bias"),
        (("m", "zero"), "no parameter is called 'm'"),
        (([], "zero"), "no parameter was named"),
        (("*", "double", 2), "there is no alteration 'double'; there are scale, reset, zero, noise, prune"),
        (("*", "scale"), "scale needs an amount"),
        (("*", "scale", math.nan), "scale needs an amount"),
        (("*", "scale", 1e300), "would make 'params' non-finite"),
        (("*", "zero", 0.0), "zero takes no amount"),
        (("*", "prune", 1.5), "a share from 0 to 1"),
        (("*", "noise", 1.0, 1 << 63), "does not fit in 64 bits"),
    ],
)
def test_what_cannot_be_is_refused_and_not_written(run: Run, asked: tuple[Any, ...], said: str) -> None:
    how = {"seed": asked[3]} if len(asked) > 3 else {}
    with pytest.raises((RecordError, OntogenyError), match=said):
        run.alter(*asked[:3], **how)
    assert len(run.entries) == 1


# The numbers


def test_normal_numbers_are_normal_and_each_its_own() -> None:
    drawn = normals(1, 2, 3, 400_000)
    assert abs(drawn.mean()) < 0.005 and abs(drawn.std() - 1) < 0.005 and abs((drawn**3).mean()) < 0.02
    assert abs((drawn**4).mean() - 3) < 0.05 and 4.0 < np.abs(drawn).max() < 7.0
    assert drawn[:7].tolist() == normals(1, 2, 3, 7).tolist() != normals(1, 2, 4, 7).tolist()
    correlation = np.corrcoef([drawn[:-1], drawn[1:], normals(1, 3, 3, 399_999), normals(2, 2, 3, 399_999)])
    assert np.abs(correlation - np.eye(4)).max() < 0.01
    assert normals(0, 0, 0, 3).tolist() == [-1.0654524238157095, 0.032399103163859334, 1.3601083594100776]


def test_logarithm_and_cosine_are_those_of_the_library_to_the_last_bits() -> None:
    u = np.concatenate([np.random.default_rng(0).random(10_000), [2.0**-33, 1 - 2.0**-33, 0.5, 1.0]])
    assert logarithm(u) == pytest.approx(np.log(u), rel=1e-15, abs=1e-18)
    assert np.abs(cosine(u) - np.cos(2 * np.pi * u)).max() < 1e-15


def test_sums_are_in_an_order_of_their_own() -> None:
    values = np.random.default_rng(0).standard_normal(1001) * 10.0 ** np.arange(-500, 501, dtype=float).clip(-8, 8)
    assert total(values) == pytest.approx(math.fsum(values), rel=1e-12)
    assert deviation(values) == pytest.approx(np.std(values), rel=1e-12)
    assert total(np.array([1e16, 1.0, -1e16])) == 1.0 and deviation(np.zeros(0)) == 0.0
