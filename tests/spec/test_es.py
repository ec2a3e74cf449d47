"""Evolution strategies as a rule: the estimate is the formula's, and what no gradient reaches learns."""

from __future__ import annotations

from collections.abc import Mapping
from math import tau
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call

import ontogeny as og
from ontogeny.front.capture import capture
from ontogeny.front.edits import apply
from ontogeny.front.rules.rule import Rule
from ontogeny.isa.op import Op
from ontogeny.isa.text import from_text, to_text
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.machine.learner import Array, Learner
from ontogeny.machine.random import rand_bits
from ontogeny.machine.reference import ReferenceMachine

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(96, 4)).astype(np.float32)
Y = X @ np.array([[1.0], [-2.0], [0.5], [0.0]], np.float32)
BATCH = {"x": X, "y": Y}
SIGMA = 0.1


class Small(nn.Module):
    """A linear map whose arena has gaps, so that a perturbation must leave them alone."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 3), nn.Linear(3, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(torch.tanh(self.first(x)))


class Hard(nn.Module):
    """Signs all the way: its gradients are zero everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 16), nn.Linear(16, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sign(self.second(torch.sign(self.first(x))))


def squared(model: nn.Module, batch: Mapping[str, Any]) -> torch.Tensor:
    return ((model(batch["x"]) - batch["y"]) ** 2).mean()


def wrong(model: nn.Module, batch: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    right = (model(batch["x"]) == torch.sign(batch["y"])).float().mean()
    return {"loss": 1.0 - right, "accuracy": right}


def margin(model: nn.Module, batch: Mapping[str, Any]) -> torch.Tensor:
    return -(model(batch["x"]) * torch.sign(batch["y"])).mean()


def model(kind: type[nn.Module] = Small) -> nn.Module:
    torch.manual_seed(1)
    return kind()


def after(learner: Learner, machine: type = CompiledMachine, batch: Mapping[str, Array] = BATCH) -> dict[str, Array]:
    """The registers after one step."""
    run = machine(learner.program)
    run.load(learner.values)
    run.call("learn", batch, {d.name: d.default for d in learner.program.decls if d.kind == "dial"})
    return {name: np.array(value) for name, value in run.state().items()}


def uniform(step: int, count: int, site: int) -> Array:
    return (rand_bits(0, step, site, (count,)) >> 8).astype(np.float32) * np.float32(2.0**-24)


def perturbation(pair: int, sizes: list[tuple[int, ...]]) -> list[Array]:
    """The standard normal numbers of a pair at step 0, for parameters of these shapes one after another."""
    found = []
    for place, shape in enumerate(sizes):
        size = int(np.prod(shape))
        half = (size + 1) // 2
        radius = np.sqrt(-2 * np.log(1 - uniform(pair, half, 2 * place)))
        angle = uniform(pair, half, 2 * place + 1) * np.float32(tau)
        found.append(np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:size].reshape(shape))
    return found


def by_hand(module: nn.Module, pairs: int, shaped: bool) -> dict[str, Array]:
    """The estimate by its formula, with plain PyTorch for the losses."""
    params = {name: p.detach() for name, p in module.named_parameters()}
    drawn = [perturbation(pair, [tuple(p.shape) for p in params.values()]) for pair in range(pairs)]
    batch = {name: torch.from_numpy(value) for name, value in BATCH.items()}

    def loss(pair: int, by: float) -> float:
        moved = {n: p + by * torch.from_numpy(e) for (n, p), e in zip(params.items(), drawn[pair], strict=True)}
        return float(functional_call(module, moved, (batch["x"],)).sub(batch["y"]).square().mean())

    worth = np.array([[loss(pair, SIGMA), loss(pair, -SIGMA)] for pair in range(pairs)])
    if shaped:
        worth = worth.reshape(-1).argsort().argsort().reshape(pairs, 2) / (2 * pairs - 1) - 0.5
    share = (worth[:, 0] - worth[:, 1]) / (2 * pairs * SIGMA)
    return {
        name: sum(by * noise[place] for by, noise in zip(share, drawn, strict=True))
        for place, name in enumerate(params)
    }


@pytest.mark.parametrize("shaped", [True, False])
def test_a_step_goes_down_the_estimate_of_the_formula(shaped: bool) -> None:
    module = model()
    before = {name: p.detach().numpy().copy() for name, p in module.named_parameters()}
    learner = capture(module, squared, og.es(og.sgd(lr=1.0), pairs=5, sigma=SIGMA, shaped=shaped), BATCH)
    expected = by_hand(module, 5, shaped)
    for machine in (CompiledMachine, ReferenceMachine):
        arena = after(learner, machine)["params"]
        for piece in (decl for decl in learner.program.decls if decl.arena):
            moved = arena[piece.offset : piece.offset + piece.type.size].reshape(piece.type.shape)
            assert np.allclose(before[piece.name] - moved, expected[piece.name], atol=2e-5), piece.name


@pytest.mark.parametrize("rank", [0, 1])
def test_with_many_pairs_it_is_the_gradient(rank: int) -> None:
    """A perturbation of rank one has the same second moments, so the estimate has the same mean."""
    module = model()
    rule = og.es(og.sgd(lr=1.0), pairs=500, sigma=0.01, shaped=False, rank=rank)
    moved = after(capture(module, squared, rule, BATCH))["params"]
    plain = after(capture(module, squared, og.sgd(lr=1.0), BATCH))["params"]
    start = capture(module, squared, og.sgd(), BATCH).values["params"]
    estimate, gradient = start - moved, start - plain
    cosine = estimate @ gradient / np.linalg.norm(estimate) / np.linalg.norm(gradient)
    assert cosine > 0.95 and abs(estimate @ gradient / (gradient @ gradient) - 1) < 0.15


def test_signs_all_the_way_learn(tmp_path: Path) -> None:
    """Gradients leave such a model where it was; the run replays, and the dial sigma can be set."""
    rule, data = og.es(og.adamw(lr=0.03, weight_decay=0.0), pairs=16, sigma=0.2), og.Arrays(BATCH, 96, seed=0)
    plain = capture(model(Hard), margin, og.sgd(lr=1.0), BATCH)
    assert np.array_equal(after(plain)["params"], plain.values["params"])
    with pytest.raises(og.OntogenyError, match=r"cannot be differentiated .* og\.es"):
        capture(model(Hard), wrong, og.sgd(lr=1.0), BATCH)
    with og.create(tmp_path / "hard", capture(model(Hard), wrong, rule, BATCH), data) as run:
        run.advance(60)
        assert run.metrics()["accuracy"][0] < 0.75 < 0.9 < run.metrics()["accuracy"][-5:].mean()
        run.set_dial("sigma", 0.1)
        run.advance(5)
        assert run.verify().differences == ()


def test_a_batch_of_another_size(tmp_path: Path) -> None:
    learner = capture(model(), squared, og.es(og.sgd(lr=1.0), pairs=3, sigma=SIGMA), BATCH)
    half = {name: value[:48] for name, value in BATCH.items()}
    again = capture(model(), squared, og.es(og.sgd(lr=1.0), pairs=3, sigma=SIGMA), half)
    assert not learner.fixed
    assert np.array_equal(after(learner, batch=half)["params"], after(again)["params"])


def test_running_statistics_are_those_of_the_parameters_themselves() -> None:
    def normed() -> nn.Module:
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))

    estimated = after(capture(normed(), squared, og.es(og.sgd(), pairs=2), BATCH))
    plain = after(capture(normed(), squared, og.sgd(), BATCH))
    for name in ("1.running_mean", "1.running_var"):
        assert np.allclose(estimated[name], plain[name], atol=1e-6)


def test_it_is_a_program_like_any_other() -> None:
    """Its text form reads back; the update can be edited; what is frozen stays; a rule by parameters has it too."""
    learner = capture(model(), squared, og.es(og.sgd(lr=1.0), pairs=3), BATCH)
    assert from_text(to_text(learner.program)) == learner.program
    assert sum(i.op is Op.LOOP for i in learner.program.routine("learn").body) == 2
    frozen = apply(learner.program, "freeze", tensors=["first.*"])
    machine = CompiledMachine(frozen.program)
    machine.load({**learner.values, **frozen.values})
    machine.call("learn", BATCH, {"lr": 1.0, "sigma": 0.02})
    first = next(decl for decl in learner.program.decls if decl.name == "first.weight")
    where = slice(first.offset, first.offset + first.type.size)
    assert np.array_equal(machine.state()["params"][where], learner.values["params"][where])
    assert not np.array_equal(machine.state()["params"], learner.values["params"])
    muon = capture(model(), squared, og.es(og.muon(), pairs=3), BATCH)
    assert not np.array_equal(after(muon)["first.weight"], muon.values["first.weight"])


def test_a_loss_that_is_no_number_ranks_last() -> None:
    """The estimate points away from the side whose loss is lost, and holds no NaN itself."""

    def fragile(module: nn.Module, batch: Mapping[str, Any]) -> torch.Tensor:
        weight = module.first.weight.sum()
        return torch.where(weight > start, weight * float("nan"), -weight)

    module = model()
    start = float(module.first.weight.detach().sum())
    moved = after(capture(module, fragile, og.es(og.sgd(lr=0.01), pairs=20), BATCH))["params"]
    assert np.isfinite(moved).all()
    assert moved[:12].sum() < start


@pytest.mark.parametrize("given", [{"pairs": 0}, {"rank": -1}, {"sigma": 0.0}, {"sigma": float("nan")}])
def test_numbers_out_of_range_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(og.OntogenyError, match="expected 1 or more, 0 or more, above 0"):
        og.es(og.sgd(), **given)


def test_it_is_not_put_on_itself() -> None:
    rule: Rule = og.es(og.sgd())
    with pytest.raises(og.OntogenyError, match="sigma"):
        og.es(rule)
