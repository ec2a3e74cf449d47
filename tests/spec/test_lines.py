"""Every instruction of a captured step names the user's own line, and blame names it where a gradient is not finite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ontogeny.data.arrays import Arrays
from ontogeny.front.capture import capture
from ontogeny.front.rules import adamw, custom
from ontogeny.front.rules.torch_optim import torch_optim
from ontogeny.front.source import line_of_code
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr
from ontogeny.record.blame import NonfiniteError
from ontogeny.record.run import create
from tests.spec.training import Batch, cross_entropy

LABELS = torch.arange(8) % 4


class MLP(nn.Module):
    """Uses its hidden values twice, so that their gradient is a sum."""

    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(6, 8), nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.up(x)
        bent = torch.tanh(hidden)
        gated = bent * hidden.sigmoid()
        gated[torch.arange(2)] = 0.5
        return self.down(gated)


class CNN(nn.Module):
    """Convolution, batch norm and pooling, each on a line of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.out = nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Linear(27, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        x = self.norm(x)
        x = F.max_pool2d(x, 2)
        return self.out(x.flatten(1))


class Transformer(nn.Module):
    """One layer of attention with dropout over eight tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.norm = nn.Embedding(4, 8), nn.LayerNorm(8)
        self.attend = nn.MultiheadAttention(8, 2, dropout=0.1, batch_first=True)
        self.out = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.embed(x)
        n = self.norm(h)
        h = h + self.attend(n, n, n, need_weights=False)[0]
        return self.out(h.mean(1))


INPUTS = {MLP: torch.randn(8, 6), CNN: torch.randn(8, 1, 8, 8), Transformer: torch.arange(64).reshape(8, 8) % 4}


def body(model: nn.Module, x: torch.Tensor, loss: Any = cross_entropy, rule: Any = None) -> tuple[Instr, ...]:
    learner = capture(model, loss, rule or adamw(), {"x": x, "y": LABELS})
    return learner.program.routine("learn").body


@pytest.mark.parametrize("model", INPUTS)
def test_every_backward_instruction_names_a_line_of_the_users(model: type[nn.Module]) -> None:
    lines = {instr.note.where for instr in body(model(), INPUTS[model]) if instr.note.phase == "backward"}
    assert all(where.startswith(("test_lines.py:", "training.py:")) for where in lines), lines
    assert len(lines) > 3


@pytest.mark.parametrize(
    ("model", "op", "line"),
    [
        (CNN, Op.CONV_BACKWARD, "x = self.conv(x)"),
        (CNN, Op.BATCH_NORM_BACKWARD, "x = self.norm(x)"),
        (CNN, Op.MAX_POOL_BACKWARD, "x = F.max_pool2d(x, 2)"),
        (Transformer, Op.EMBEDDING_BACKWARD, "h = self.embed(x)"),
        (Transformer, Op.LAYER_NORM_BACKWARD, "n = self.norm(h)"),
        (Transformer, Op.SOFTMAX_BACKWARD, "h = h + self.attend(n, n, n, need_weights=False)[0]"),
    ],
)
def test_a_gradient_has_the_line_of_what_it_is_the_gradient_of(model: type[nn.Module], op: Op, line: str) -> None:
    (where,) = {instr.note.where for instr in body(model(), INPUTS[model]) if instr.op is op}
    assert where.startswith("test_lines.py:") and where.endswith(f" {line}")


def test_what_an_assignment_leaves_of_a_gradient_has_its_line() -> None:
    backward = [instr for instr in body(MLP(), INPUTS[MLP]) if instr.note.phase == "backward"]
    assert any(instr.note.where.endswith("gated[torch.arange(2)] = 0.5") for instr in backward)


def test_what_a_model_keeps_is_noted_like_what_made_it() -> None:
    kept = [instr for instr in body(CNN(), INPUTS[CNN]) if "norm.running_mean" in str(instr.attrs)]
    assert kept[-1].op is Op.COMMIT
    assert kept[-1].note.phase == "forward" and kept[-1].note.where.endswith("x = self.norm(x)")


def test_the_update_names_its_rule_or_the_users_function() -> None:
    def downhill(g: Any, p: Any, state: Any, dials: Any) -> Any:
        return p - dials["lr"] * g, state

    rules = {
        "adamw": adamw(),
        "rmsprop": torch_optim(lambda params: torch.optim.RMSprop(params, lr=0.1)),
        line_of_code(downhill): custom(downhill, dials={"lr": 0.1}),
    }
    assert "test_lines.py:" in list(rules)[2] and list(rules)[2].endswith("-> Any:")
    for where, rule in rules.items():
        update = [instr for instr in body(MLP(), INPUTS[MLP], rule=rule) if instr.note.phase == "update"]
        assert {instr.note.where for instr in update} == {where} and any(instr.op is Op.COMMIT for instr in update)


def distance(model: nn.Module, batch: Batch) -> torch.Tensor:
    change = model.down(batch["x"])  # type: ignore[operator]
    lengths = change.square().sum(1).sqrt()
    return lengths.mean()


def test_a_gradient_that_is_not_finite_is_blamed_on_the_users_line(tmp_path: Path) -> None:
    model, x = MLP(), torch.randn(8, 8)
    nn.init.zeros_(model.down.bias)
    learner = capture(model, distance, adamw(), {"x": x})
    values = x.numpy().copy()
    values[5] = 0
    data = Arrays({"x": values}, batch_size=8)
    with create(tmp_path / "run", learner, data, machine="reference") as run, pytest.raises(NonfiniteError) as caught:
        run.advance(2)
    finding = caught.value.finding
    assert finding is not None and finding.step == 0 and finding.example == 5
    assert finding.where.startswith("test_lines.py:") and finding.where.endswith("change.square().sum(1).sqrt()")
    assert learner.program.routine("learn").body[finding.number - 1].note.phase == "backward"
