"""What a run holds beyond a reference: Morris et al.'s estimate summed by hand, what of it is luck, and its curves."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typer.testing import CliRunner

import ontogeny as og
from ontogeny.ask import target_bits
from ontogeny.ask.capacity import Capacity, capacity
from ontogeny.ask.laws.of_runs import parameters_of
from ontogeny.ask.target_bits import Code, Reference
from ontogeny.ask.unintended import curve_words, curves
from ontogeny.claims.tasks import passages
from ontogeny.faces.cli import app
from ontogeny.faces.experiments import load_experiment
from ontogeny.isa.errors import ClaimError

COUNT, CLASSES, PLACES = 24, 5, 4
EXAMPLE = str(Path(__file__).parents[2] / "examples" / "passages.py")


def loss(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    return F.cross_entropy(model(batch["x"]).flatten(0, 1), batch["y"].flatten())


def strings(seed: int, count: int = COUNT) -> dict[str, np.ndarray]:
    """Letters that are mostly 0, so that there is something to understand, and those before them."""
    y = np.random.default_rng(seed).choice(CLASSES, (count, PLACES), p=[0.6, 0.1, 0.1, 0.1, 0.1])
    places = np.arange(PLACES) + PLACES * y[:, :1]
    return {"x": places, "y": y}


@cache
def learner(valid: bool) -> og.Learner:
    torch.manual_seed(0)
    model, held_out = nn.Embedding(PLACES * CLASSES, CLASSES), strings(9, 400) if valid else {}
    return og.capture(model, loss, og.adamw(lr=0.1, weight_decay=0.0), strings(0), valid=held_out)


def learnt(folder: Path, arrays: dict[str, np.ndarray], steps: int, valid: bool = True) -> og.Run:
    held_out = strings(9, 400) if valid else {}
    run = og.create(folder, learner(valid), og.Arrays(arrays, batch_size=len(arrays["x"])), valid=held_out)
    run.advance(steps)
    return run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[og.Run, og.Run]:
    """A run that learned little text by heart, and a reference that read much of the same kind."""
    folder = tmp_path_factory.mktemp("runs")
    return learnt(folder / "small", strings(0), 120), learnt(folder / "reference", strings(1, 600), 60)


def test_each_sequence_is_sent_by_whichever_of_both_knows_it_better(runs: tuple[og.Run, og.Run]) -> None:
    run, reference = runs
    arrays = run.data.arrays
    own, theirs = (Code(one, one.step)(arrays) for one in (run, reference))
    found = capacity(run, against=reference)
    assert found.against == pytest.approx(theirs.sum()) and found.model == pytest.approx(own.sum())
    by_hand = sum(max(beside - mine, 0.0) for mine, beside in zip(own, theirs, strict=True))
    assert found.unintended == pytest.approx(by_hand)
    assert (own > theirs).any(), "otherwise a plain difference of sums would do"
    assert by_hand > 1.1 * (theirs.sum() - own.sum())


def test_luck_is_what_would_be_found_where_nothing_was_learned_from(runs: tuple[og.Run, og.Run]) -> None:
    run, reference = runs
    found, held = capacity(run, against=reference), strings(9, 400)
    own, theirs = (Code(one, one.step)(held) for one in (run, reference))
    assert found.luck == pytest.approx(np.maximum(theirs - own, 0.0).mean() * COUNT)
    assert found.unseen == pytest.approx(own.mean() / PLACES)
    assert found.unintended is not None and found.luck is not None and found.luck < 0.5 * found.unintended
    assert capacity(run).luck is None and capacity(run).known is None


def test_luck_is_not_told_where_nothing_is_held_out(runs: tuple[og.Run, og.Run], tmp_path: Path) -> None:
    with learnt(tmp_path / "run", strings(0), 5, valid=False) as run:
        found = capacity(run, against=runs[1])
    assert found.unseen is None and found.luck is None and found.unintended is not None


def test_examples_that_the_reference_learned_from_are_told(
    runs: tuple[og.Run, og.Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, both = runs[0], {name: np.concatenate([values[6:], values[6:]]) for name, values in strings(0).items()}
    only = {name: values[:1] for name, values in strings(0).items()}
    same = int((run.data.arrays["y"] == only["y"]).all(axis=1).sum())
    with learnt(tmp_path / "one", only, 1) as one, learnt(tmp_path / "most", both, 1) as most:
        assert capacity(run, against=one).known == same < COUNT
        assert capacity(run, against=most).known >= COUNT - 6
    assert capacity(run, against=Reference(run)).known == COUNT
    monkeypatch.setattr(target_bits, "MANY", COUNT - 1)
    assert capacity(run, against=Reference(run)).known is None


def made(parameters: int, targets: int, held: float, luck: float | None = None) -> Capacity:
    """A run with two bits a target by the reference, of which it holds some."""
    return Capacity(9, targets, targets, 4, parameters, 32, 2.0 * targets, 2.0 * targets, 1.0 * targets, 2.0 * targets,
                    held, (), 0, 3.0, luck)  # fmt: skip


def test_a_curve_is_over_data_for_each_number_of_parameters() -> None:
    found = {"c": made(10, 80, 4.0), "a": made(10, 5, 9.0, 0.5), "b": made(10, 20, 20.0), "b2": made(10, 20, 24.0),
             "large": made(40, 20, 40.0)}  # fmt: skip
    small, large = curves(found)
    assert (small.parameters, large.parameters) == (10, 40)
    assert [point.targets for point in small.points] == [5, 20, 80]
    assert [point.data for point in small.points] == pytest.approx([1.0, 4.0, 16.0])
    assert [point.held for point in small.points] == pytest.approx([0.9, 2.2, 0.4])
    assert small.peak.runs == ("b", "b2") and (small.peak.least, small.peak.most) == pytest.approx((2.0, 2.4))
    assert small.fall == pytest.approx(1 - 0.4 / 2.2) and small.points[0].share == pytest.approx(0.9)
    assert [point.luck for point in small.points] == [pytest.approx(0.05), None, None]
    assert curve_words(small).endswith("; 0.4 of 16, 82% less")
    assert replace(small.points[0], data=0.0, held=0.0).share == 0.0, "a reference that knows all of it"
    assert "there is a curve" in curve_words(large) and large.fall == 0.0
    assert "the most data there is" in curve_words(curves({"a": found["a"], "b": found["b"]})[0])


def test_one_command_says_and_draws_it_over_sizes(
    runs: tuple[og.Run, og.Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, reference = runs
    folder = run.folder.parent
    monkeypatch.setenv("ONTOGENY_RUNS", str(folder))
    with learnt(folder / "more", strings(2, 4 * COUNT), 20):
        pass
    run.close()
    reference.close()
    words, image = ["capacity", "small", "more", "--against", "reference"], tmp_path / "held.png"
    found = json.loads(CliRunner().invoke(app, [*words, "-o", str(image), "--json"]).stdout)
    (curve,) = found["sizes"]
    assert curve["parameters"] == PLACES * CLASSES * CLASSES
    assert [point["runs"] for point in curve["points"]] == [["small"], ["more"]]
    of_small = next(one for one in found["runs"] if one["run"] == "small")
    assert curve["points"][0]["held"] == pytest.approx(of_small["unintended"] / of_small["parameters"])
    assert (
        image.exists() and "bits of data for each parameter, by the reference" in image.with_suffix(".svg").read_text()
    )
    said = CliRunner().invoke(app, words).output
    assert (
        said.index("small") < said.index("more")
        and "beyond the reference" in said
        and f"{curve['fall']:.0%} less" in said
    )
    said = " ".join(CliRunner().invoke(app, ["capacity", "small", "more", "--against", "more"]).output.split())
    assert f"more: the other run has learned from {4 * COUNT} of the {4 * COUNT} examples itself" in said


def test_nobody_reads_what_another_one_learns() -> None:
    read, unseen, learned = ({one.tobytes() for one in given["y"]} for given in (
        passages.for_reference(), passages.for_nobody(), passages.to_learn(0, 2000)))  # fmt: skip
    assert len(read & learned) <= 2 and len(unseen & (read | learned)) <= 2, "of 64 characters some are alike"
    few, many = passages.to_learn(3, 10), passages.to_learn(3, 40)
    assert np.array_equal(few["y"], many["y"][:10]) and not np.array_equal(few["y"], passages.to_learn(4, 10)["y"])
    assert np.array_equal(few["x"][:, 1:], few["y"][:, :-1]) and set(few["x"][:, 0]) == {passages.BEGIN}
    with pytest.raises(ClaimError, match="give less data"):
        passages.to_learn(0, 100_000)


def test_the_example_has_as_much_text_for_each_parameter_as_it_is_told() -> None:
    made = load_experiment(EXAMPLE, {"data": "0.5", "width": "8", "depth": "1", "steps": "3"})
    assert isinstance(made.data, og.Arrays)
    parameters = parameters_of(made.learner.program)
    assert parameters == (2 * 64 / 8 + 64 / 8 + 12) * 8**2
    assert len(made.data) * passages.LENGTH == pytest.approx(0.5 * parameters, rel=0.05)
