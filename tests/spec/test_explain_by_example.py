"""The fresh gradient by training example against plain PyTorch, one example at a time, and what is left over."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import ontogeny as og
from ontogeny.ask.by_example import ByExample, by_example, by_example_apart
from ontogeny.ask.explain import explain
from ontogeny.front.rules import Rule
from ontogeny.isa.errors import RecordError
from ontogeny.record.run import Run
from tests.regression import begin
from tests.spec.training import CNN, MLP, cross_entropy

LR = 0.05


class Words(nn.Module):
    """The mean of three embeddings, scored."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.out = nn.Embedding(10, 8), nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.embed(x).mean(1))


def numbers() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((24, 8)).astype(np.float32)


def trained(folder: Path, model: nn.Module, x: np.ndarray, rule: Rule, loss: Any = cross_entropy) -> Run:
    y = np.random.default_rng(1).integers(0, 4, len(x))
    data = og.Arrays({"x": x, "y": y}, batch_size=8)
    run = og.create(folder, og.capture(model, loss, rule, data.batch(0)), data)
    run.advance(7)
    return run


def sums_are_exact(found: ByExample) -> None:
    assert math.fsum([*(one.part for one in found.examples), found.remainder]) == found.gradient


def summed(model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    return F.cross_entropy(model(batch["x"]), batch["y"], reduction="sum")


@pytest.mark.parametrize("loss", [cross_entropy, summed])
def test_each_example_has_the_part_that_its_own_gradient_makes(tmp_path: Path, loss: Any) -> None:
    torch.manual_seed(0)
    run = trained(tmp_path / "run", MLP(), numbers(), og.sgd(LR), loss)
    found = by_example(run, "up.weight[3,5]", "2:3")
    sums_are_exact(found)
    assert found.mean is (loss is cross_entropy)
    model, state = MLP(), run.state(1)["params"]
    with torch.no_grad():
        for name, param in model.named_parameters():
            decl = run.program.decl(name)
            piece = state[decl.offset : decl.offset + decl.type.size].reshape(decl.type.shape)
            param.copy_(torch.from_numpy(piece))
    batch, weight = run.data.batch(1), 1 / 8 if found.mean else 1.0
    parts = {one.number: one.part for one in found.examples}
    for row, number in enumerate(run.data.indices(1)):
        model.zero_grad()
        single = {name: torch.from_numpy(value[row : row + 1]) for name, value in batch.items()}
        result = loss(model, single)
        (result["loss"] if isinstance(result, dict) else result).backward()
        expected = -LR * weight * float(model.up.weight.grad[3, 5])
        assert parts[int(number)] == pytest.approx(expected, rel=1e-4, abs=1e-9)
    assert abs(found.remainder) < 1e-8
    assert not found.reasons


RULES = {
    "adamw": lambda: og.adamw(LR),
    "adamw clipped": lambda: og.adamw(LR).with_clip(0.05),
    "lion": lambda: og.lion(1e-3),
    "muon": lambda: og.muon(LR),
}


@pytest.mark.parametrize("name", RULES)
def test_the_parts_sum_to_the_fresh_gradient_of_the_ledger(tmp_path: Path, name: str) -> None:
    torch.manual_seed(0)
    run = trained(tmp_path / "run", MLP(), numbers(), RULES[name]())
    for asked in ("up.weight[3,5]", "down.bias", "up.weight[2]"):
        found, ledger = by_example(run, asked, "3:7"), explain(run, asked, "3:7").ledger
        sums_are_exact(found)
        assert found.gradient == pytest.approx(float(ledger.of("gradient").sum()), rel=1e-9, abs=1e-15)
        assert found.change == pytest.approx(ledger.total)
        scale = max(abs(one.part) for one in found.examples)
        assert abs(found.remainder) < 1e-4 * scale
        assert sum(one.times for one in found.examples) == 4 * 8
    strongest, weakest = found.most(3), found.most(3, against=True)
    assert all(one.part * found.change > 0 for one in strongest)
    assert all(one.part * found.change < 0 for one in weakest)
    assert [abs(one.part) for one in strongest] == sorted((abs(one.part) for one in strongest), reverse=True)


def test_elements_apart_have_the_parts_that_each_has_alone(tmp_path: Path) -> None:
    torch.manual_seed(0)
    run = trained(tmp_path / "run", MLP(), numbers(), og.adamw(LR))
    found = by_example_apart(run, ["down.bias[1]", "up.weight[2,3:5]"], "3:5")
    assert list(found) == ["up.weight[2,3]", "up.weight[2,4]", "down.bias[1]"]  # in the model's order
    for name, apart in found.items():
        sums_are_exact(apart)
        alone = by_example(run, name, "3:5")
        assert [one.number for one in apart.examples] == [one.number for one in alone.examples]
        assert [one.part for one in apart.examples] == pytest.approx([one.part for one in alone.examples], rel=1e-9)
        assert apart.change == alone.change and apart.gradient == pytest.approx(alone.gradient)


def test_only_examples_that_use_an_embedding_have_a_part_in_it(tmp_path: Path) -> None:
    torch.manual_seed(0)
    x = np.random.default_rng(2).integers(0, 10, (24, 3))
    run = trained(tmp_path / "run", Words(), x, og.sgd(LR))
    found = by_example(run, "embed.weight[4,:]", "1:4")
    sums_are_exact(found)
    assert any(one.part for one in found.examples)
    for one in found.examples:
        assert bool(one.part) == (4 in x[one.number]), one


def test_what_examples_do_together_is_left_over_and_named(tmp_path: Path) -> None:
    torch.manual_seed(0)
    images = np.random.default_rng(3).standard_normal((24, 1, 8, 8)).astype(np.float32)
    found = by_example(trained(tmp_path / "cnn", CNN(), images, og.sgd(LR)), "first.weight[0,0,1,1]", "2:4")
    sums_are_exact(found)
    assert abs(found.remainder) > 1e-3 * abs(found.gradient)
    assert found.reasons == ("batch norm, in which examples meet",)
    dropping = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.5), nn.Linear(16, 4))
    found = by_example(trained(tmp_path / "drop", dropping, numbers(), og.sgd(LR)), "0.weight[0,0]", "2:4")
    sums_are_exact(found)
    assert "random numbers" in found.reasons[0]


def test_an_example_that_is_left_out_has_no_part_from_then_on(tmp_path: Path) -> None:
    torch.manual_seed(0)
    run = trained(tmp_path / "run", MLP(), numbers(), og.sgd(LR))
    number = int(run.data.indices(4)[0])
    fork = run.fork(3, tmp_path / "fork")
    fork.leave_out([number])
    fork.advance(3)
    found = by_example(fork, "up.weight[3,5]", "4:7")
    sums_are_exact(found)
    assert number not in {one.number for one in found.examples}
    assert sum(one.times for one in found.examples) == 3 * 8 - 1
    assert found.mean
    assert abs(found.remainder) < 1e-8
    fork.close()


def test_what_cannot_be_told_apart_is_said(tmp_path: Path) -> None:
    with begin(tmp_path / "run") as run:
        run.advance(3)
        with pytest.raises(RecordError, match="one size"):
            by_example(run, "w[0,0]")
