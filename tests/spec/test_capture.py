"""A captured training step is the model's own: the same parameters as plain PyTorch after twenty steps of AdamW.

GRU and LSTM are captured step by step, where PyTorch runs one fused kernel: there the tolerance is 2e-5. All else is
equal bit for bit at one thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import ontogeny as og
from ontogeny.front.capture import capture
from ontogeny.front.check import Drawing
from ontogeny.front.trace import Objective
from ontogeny.isa.errors import CaptureError
from ontogeny.isa.op import Op
from ontogeny.machine.compiled import CompiledMachine
from tests.spec.training import (
    CNN,
    GPT,
    MLP,
    Batch,
    Block,
    Recurrent,
    ViT,
    adamw,
    arrays,
    cross_entropy,
    differences,
    learned,
    register,
    trained,
)

STEPS = 20
RULE = og.adamw(lr=1e-2, weight_decay=0.1)


def numbers(*shape: int) -> Callable[[], torch.Tensor]:
    return lambda: torch.randn(*shape)


def integers(below: int, *shape: int) -> Callable[[], torch.Tensor]:
    return lambda: torch.randint(0, below, shape)


class OneLayer(nn.Module):
    """A one-layer transformer whose last place gives the scores."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.block, self.out = nn.Embedding(12, 32), Block(32, 4, causal=False), nn.Linear(32, 12)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.block(self.embed(x))[:, -1])


CASES: dict[str, tuple[Callable[[], nn.Module], Callable[[], torch.Tensor], Callable[[], torch.Tensor], float]] = {
    "mlp": (MLP, numbers(32, 8), integers(4, 32), 0.0),
    "cnn": (CNN, numbers(8, 1, 8, 8), integers(10, 8), 0.0),
    "gru": (lambda: Recurrent(nn.GRU), integers(10, 4, 5), integers(10, 4, 5), 2e-5),
    "lstm": (lambda: Recurrent(nn.LSTM), integers(10, 4, 5), integers(10, 4, 5), 2e-5),
    "transformer": (OneLayer, integers(12, 16, 3), integers(12, 16), 0.0),
    "gpt": (GPT, integers(65, 4, 16), integers(65, 4, 16), 0.0),
    "vit": (ViT, numbers(4, 3, 16, 16), integers(5, 4), 0.0),
}


@pytest.mark.parametrize("name", CASES)
def test_twenty_steps_are_those_of_plain_pytorch(name: str) -> None:
    torch.manual_seed(0)
    make, x, y, tolerance = CASES[name]
    model = make()
    batches: list[Batch] = [{"x": x(), "y": y()} for _ in range(STEPS)]
    learner = capture(model, cross_entropy, RULE, batches[0])
    machine, ours = learned(learner, batches)
    plain = trained(model, cross_entropy, adamw(model.parameters()), batches)
    count, largest = differences(machine, model)
    np.testing.assert_allclose(ours, plain, rtol=max(tolerance, 1e-12))
    assert largest <= tolerance, f"{count} elements differ, by {largest} at most"


def test_running_statistics_are_state() -> None:
    learner = capture(CNN(), cross_entropy, RULE, {"x": torch.randn(8, 1, 8, 8), "y": torch.randint(0, 10, (8,))})
    states = {decl.name for decl in learner.program.of("state")}
    assert {"norm1.running_mean", "norm1.running_var", "norm1.num_batches_tracked"} <= states


def test_evaluation_uses_the_running_statistics_and_no_dropout() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Dropout(0.5), nn.Linear(144, 3))
    batch = {"x": torch.randn(8, 1, 8, 8), "y": torch.randint(0, 3, (8,))}
    learner = capture(model, cross_entropy, RULE, batch, valid=batch, predict=lambda m, b: m(b["x"]))
    machine, _ = learned(learner, [])
    model.eval()
    with torch.no_grad():
        expected, scores = cross_entropy(model, batch), model(batch["x"])
    found = machine.call("evaluate", {f"valid.{k}": v for k, v in arrays(batch).items()}, {})
    assert found["loss"] == expected["loss"].numpy()
    np.testing.assert_array_equal(machine.call("predict", {"x": batch["x"].numpy()}, {})["y"], scores.numpy())


def test_dropout_is_that_of_pytorch_once_both_draw_the_same_numbers() -> None:
    torch.manual_seed(0)
    model = GPT(dropout=0.1, depth=2)
    batch = {"x": torch.randint(0, 65, (4, 16)), "y": torch.randint(0, 65, (4, 16))}
    learner = capture(model, cross_entropy, RULE, batch)
    assert learner.check["differing_elements"] == 0
    machine, ours = learned(learner, [batch])
    with Drawing():
        plain = trained(model, cross_entropy, adamw(model.parameters()), [batch])
    assert ours == plain
    assert differences(machine, model) == (0, 0.0)


def test_dropout_keeps_nine_in_ten_and_the_mean_and_changes_with_every_step() -> None:
    class Dropped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(()))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.dropout(x, 0.1, self.training) * self.weight

    def loss(model: nn.Module, batch: Batch) -> dict[str, torch.Tensor]:
        y = model(batch["x"])
        return {"loss": y.mean(), "kept": (y != 0).float().mean()}

    batch = {"x": torch.ones(200, 500)}
    machine, _ = learned(capture(Dropped(), loss, og.sgd(lr=0.0), batch), [])
    seen = [machine.call("learn", arrays(batch), {}) for _ in range(5)]
    for metrics in seen:  # 100,000 draws: a standard deviation of 0.00095
        assert abs(float(metrics["kept"]) - 0.9) < 0.005
        assert abs(float(metrics["loss"]) - 1.0) < 0.006
    assert len({float(metrics["kept"]) for metrics in seen}) == 5


def test_tied_weights_are_one_parameter() -> None:
    learner = capture(
        GPT(depth=1), cross_entropy, RULE, {"x": torch.randint(0, 65, (2, 16)), "y": torch.randint(0, 65, (2, 16))}
    )
    names = {decl.name for decl in learner.program.named_params()}
    assert "embed.weight" in names
    assert "out.weight" not in names


def test_frozen_parameters_stay() -> None:
    torch.manual_seed(0)
    model = MLP()
    model.up.requires_grad_(False)
    before = model.up.weight.detach().clone().numpy()
    batches = [{"x": torch.randn(32, 8), "y": torch.randint(0, 4, (32,))} for _ in range(STEPS)]
    machine, _ = learned(capture(model, cross_entropy, RULE, batches[0]), batches)
    trained(model, cross_entropy, adamw(p for p in model.parameters() if p.requires_grad), batches)
    assert differences(machine, model) == (0, 0.0)
    np.testing.assert_array_equal(register(machine, "up.weight"), before)


class TwoHeads(nn.Module):
    """Two inputs, two outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right, self.name, self.size = nn.Linear(4, 8), nn.Linear(3, 8), nn.Linear(8, 5), nn.Linear(8, 1)

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        h = torch.relu(self.left(a) + self.right(b))
        return self.name(h), self.size(h).squeeze(-1)


def two_losses(model: nn.Module, batch: Batch) -> dict[str, torch.Tensor]:
    scores, size = model(batch["a"], batch["b"])
    named = {"name": F.cross_entropy(scores, batch["name"]), "size": F.mse_loss(size, batch["size"])}
    return {"loss": named["name"] + 0.3 * named["size"], **named}


def test_several_inputs_and_several_losses() -> None:
    torch.manual_seed(0)

    def batch() -> Batch:
        return {
            "a": torch.randn(16, 4),
            "b": torch.randn(16, 3),
            "name": torch.randint(0, 5, (16,)),
            "size": torch.randn(16),
        }

    model, batches = TwoHeads(), [batch() for _ in range(STEPS)]
    learner = capture(model, two_losses, RULE, batches[0])
    assert [name for name, _ in learner.program.routine("learn").returns] == ["loss", "name", "size"]
    machine, ours = learned(learner, batches)
    plain = trained(model, two_losses, adamw(model.parameters()), batches)
    np.testing.assert_allclose(ours, plain, rtol=1e-6)
    assert differences(machine, model)[1] <= 1e-6


def test_every_instruction_of_the_model_names_the_users_line() -> None:
    learner = capture(MLP(), cross_entropy, RULE, {"x": torch.randn(32, 8), "y": torch.randint(0, 4, (32,))})
    body = learner.program.routine("learn").body
    phases = {instr.note.phase for instr in body}
    assert {"forward", "backward", "update"} <= phases
    tanh = next(instr for instr in body if instr.op is Op.TANH)
    assert "training.py:" in tanh.note.where
    assert "torch.tanh(self.up(x))" in tanh.note.where


def squares(model: nn.Module, batch: Batch) -> torch.Tensor:
    return model(batch["x"]).square().mean()


class Branching(nn.Module):
    """Decides by a value."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.sum() > 0:
            return self.layer(x)
        return -self.layer(x)


class Choosing(Branching):
    """Has a result whose size depends on values."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)[x[:, 0] > 0]


class Asking(Branching):
    """Makes a Python bool of a tensor."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x * (1 if bool(x.abs().max() > 1) else 2))


@pytest.mark.parametrize(
    ("model", "line"),
    [
        (Branching, "if x.sum() > 0:"),
        (Choosing, "self.layer(x)[x[:, 0] > 0]"),
        (Asking, "x * (1 if bool(x.abs().max() > 1) else 2)"),
    ],
)
def test_control_that_depends_on_data_is_refused_at_the_users_line(model: Any, line: str) -> None:
    with pytest.raises(CaptureError) as refused:
        capture(model(), squares, RULE, {"x": torch.randn(3, 4)})
    assert line in str(refused.value)
    assert "test_capture.py:" in str(refused.value)
    assert "depends on the value of a tensor" in str(refused.value)
    assert "torch.where" in str(refused.value)


class Inverting(Branching):
    """Uses what the language lacks."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.linalg.inv(self.layer(x))


class Complex(Branching):
    """Uses numbers that the language lacks."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.fft.fft(self.layer(x)).abs()


@pytest.mark.parametrize(("model", "words"), [(Inverting, "linalg_inv"), (Complex, "_fft_r2c")])
def test_what_the_language_lacks_is_refused_by_name(model: Any, words: str) -> None:
    with pytest.raises(CaptureError) as refused:
        capture(model(), squares, RULE, {"x": torch.randn(4, 4)})
    assert words in str(refused.value)
    assert "test_capture.py:" in str(refused.value)


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (lambda m, b: {"cost": m(b["x"]).mean()}, "no 'loss'"),
        (lambda m, b: m(b["x"]), r"shape \(3, 4\); a scalar tensor was expected"),
        (lambda m, b: 3.0, "is float; a scalar tensor was expected"),
    ],
)
def test_a_loss_that_is_none_is_refused(loss: Any, words: str) -> None:
    with pytest.raises(CaptureError, match=words):
        capture(nn.Linear(4, 4), loss, RULE, {"x": torch.randn(3, 4)})


def test_an_example_without_any_is_refused() -> None:
    batch = {"x": np.zeros((0, 8), np.float32), "y": np.zeros(0, np.int64)}
    with pytest.raises(CaptureError, match=r"'x' is of shape \[0, 8\], so it is empty; give one example or more"):
        capture(MLP(), cross_entropy, og.sgd(lr=0.1), batch)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("total", r"'total' is called like a state slot of the rule 'counted'; rename it in the batch"),
        ("lr", "'lr' is called like a dial of the rule 'counted'"),
        ("seed", "'seed' is called like what the program keeps"),
        ("params", "'params' is called like the program's parameters"),
    ],
)
def test_an_input_called_like_something_else_is_refused(name: str, words: str) -> None:
    def counted(g: Any, p: Any, state: Any, dials: Any) -> Any:
        return p.axpy(g, -dials["lr"]), {"total": state["total"] + g}

    rule = og.custom(counted, dials={"lr": 0.1}, slots=("total",))
    with pytest.raises(CaptureError, match=words):
        capture(nn.Linear(4, 4), lambda m, b: {"loss": m(b[name]).pow(2).mean()}, rule, {name: torch.randn(3, 4)})


def test_a_model_with_nothing_to_learn_is_refused() -> None:
    with pytest.raises(CaptureError, match="nothing to learn"):
        capture(nn.Linear(4, 4).requires_grad_(False), squares, RULE, {"x": torch.randn(3, 4)})


def test_a_step_that_is_not_the_models_is_refused() -> None:
    class Other(nn.Module):
        """Another model every time it runs."""

        def __init__(self) -> None:
            super().__init__()
            self.weight, self.runs = nn.Parameter(torch.ones(4)), 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.runs += 1
            return self.weight * x * self.runs

    with pytest.raises(CaptureError, match="is not the model's"):
        capture(Other(), squares, RULE, {"x": torch.randn(3, 4)})


def test_capturing_leaves_the_model_as_it_was() -> None:
    model = CNN()
    model.eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    capture(model, cross_entropy, RULE, {"x": torch.randn(8, 1, 8, 8), "y": torch.randint(0, 10, (8,))})
    assert not model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert Objective(model, cross_entropy).model is model


class Remembering(nn.Module):
    """Assigns its buffers anew instead of changing them in place."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 2)
        self.register_buffer("seen", torch.zeros(4))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen = 0.9 * self.seen + 0.1 * x.mean(0)
        self.count = self.count + 1
        return self.layer(x - self.seen)


def test_buffers_that_are_assigned_anew_are_state() -> None:
    torch.manual_seed(0)
    model, x = Remembering(), torch.randn(8, 4)
    learner = capture(model, lambda m, b: m(b["x"]).square().mean(), og.sgd(0.0), {"x": x})
    machine = CompiledMachine(learner.program)
    machine.load(learner.values)
    for _ in range(3):
        machine.call("learn", {"x": x.numpy()}, {})
        model(x)
    np.testing.assert_allclose(machine.state()["seen"], model.seen.numpy(), rtol=1e-6)
    assert machine.state()["count"] == 3
