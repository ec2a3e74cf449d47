"""Local learning rules: a step of each against its paper's update written out in NumPy, and digits learned by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import ontogeny as og
from ontogeny.ask.ledger import GRADIENT
from ontogeny.claims.tasks.digits import digits
from ontogeny.claims.tasks.trained import run_of
from ontogeny.front.edits import apply
from ontogeny.front.local import Local
from ontogeny.isa.errors import CaptureError
from ontogeny.machine.base import value_of
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.machine.compiled.threefry import uniform
from ontogeny.machine.learner import Array
from ontogeny.train.local import equilibrium_propagation as ep
from ontogeny.train.local import predictive_coding as pc
from ontogeny.train.local.table import TABLE

WIDTHS = (6, 5, 4, 3)
COUNT, LR = 8, 0.5
Values = dict[str, Array]
Layers = list[tuple[Array, Array]]
"""The weight and the threshold of each layer, or how they change."""


def made(name: str) -> tuple[nn.Module, Values, dict[str, Array], Values]:
    """A model, its first values, a batch, and what one step of plain SGD moved each parameter by, over the rate."""
    torch.manual_seed(5)
    model = TABLE[name].model(WIDTHS)
    x = np.random.default_rng(1).standard_normal((COUNT, WIDTHS[0])).astype(np.float32)
    batch: dict[str, Array] = {"x": x, "y": np.arange(COUNT) % WIDTHS[-1]}
    learner = og.capture(model, TABLE[name].loss, og.sgd(lr=LR), batch)
    machine = CompiledMachine(learner.program)
    machine.load(learner.values)
    machine.call("learn", batch, {})
    before, after = dict(learner.values), machine.state()
    pieces = {decl.name: decl for decl in learner.program.named_params()}
    moved = {name: (value_of(d, after) - value_of(d, before)) / LR for name, d in pieces.items()}
    return model, {name: value_of(d, before).astype(np.float64) for name, d in pieces.items()}, batch, moved


def layers(values: Values) -> Layers:
    return [(values[f"layers.{at}.weight"], values[f"layers.{at}.bias"]) for at in range(len(values) // 2)]


def softmax(scores: Array) -> Array:
    shifted = np.exp(scores - scores.max())
    return shifted / shifted.sum()


def one_hot(label: int) -> Array:
    return np.eye(WIDTHS[-1])[label]


def hebb(values: Values, x: Array, label: int, model: nn.Module, at: int) -> Layers:
    """dw_ij = y_i (x_j - sum_k y_k w_kj) (Oja 1989), and the delta rule at the last layer."""
    found = []
    (*hidden, (last, bias)) = layers(values)
    for weight, threshold in hidden:
        y = weight @ x
        change = np.zeros_like(weight)
        for i in range(len(weight)):
            for j in range(len(x)):
                change[i, j] = y[i] * (x[j] - sum(y[k] * weight[k, j] for k in range(len(weight))))
        found.append((change, np.zeros_like(threshold)))
        x = np.tanh(weight @ x + threshold)
    error = one_hot(label) - softmax(last @ x + bias)
    return [*found, (np.outer(error, x), error)]


def feedback_alignment(values: Values, x: Array, label: int, model: nn.Module, at: int) -> Layers:
    """The last error by fixed random matrices instead of transposed weights (Lillicrap et al. 2016)."""
    (w0, b0), (w1, b1), (w2, b2) = layers(values)
    first = np.tanh(w0 @ x + b0)
    second = np.tanh(w1 @ first + b1)
    back = [model.get_buffer(f"feedback{at}").numpy().astype(np.float64) for at in (1, 2)]
    e2 = one_hot(label) - softmax(w2 @ second + b2)
    e1 = (back[1].T @ e2) * (1 - second**2)
    e0 = (back[0].T @ e1) * (1 - first**2)
    return [(np.outer(e0, x), e0), (np.outer(e1, first), e1), (np.outer(e2, second), e2)]


def forward_forward(values: Values, x: Array, label: int, model: nn.Module, at: int) -> Layers:
    """The derivative of each layer's own logistic loss on goodness less threshold (Hinton 2022), by differences."""
    drawn = uniform(0, 0, 0, (COUNT,), "cpu").numpy()[at]
    wrong = (label + 1 + int(drawn * (WIDTHS[-1] - 1))) % WIDTHS[-1]

    def own(layer: int, weight: Array, bias: Array) -> float:
        total = 0.0
        for shown, sign in ((label, 1.0), (wrong, -1.0)):
            given = np.concatenate([x, one_hot(shown)])
            for w, b in layers(values)[:layer]:
                output = np.maximum(w @ given + b, 0)
                given = output / np.sqrt((output**2).mean() + 1e-6)
            output = np.maximum(weight @ given + bias, 0)
            total += np.log1p(np.exp(-sign * ((output**2).sum() - len(output))))
        return float(total)

    return [
        (-differences(lambda w, k=k, b=b: own(k, w, b), w), -differences(lambda b, k=k, w=w: own(k, w, b), b))
        for k, (w, b) in enumerate(layers(values))
    ]


def differences(function: Callable[[Array], float], at: Array, by: float = 1e-5) -> Array:
    found = np.zeros_like(at)
    for place in np.ndindex(*at.shape):
        up, down = at.copy(), at.copy()
        up[place] += by
        down[place] -= by
        found[place] = (function(up) - function(down)) / (2 * by)
    return found


def predictive_coding(values: Values, x: Array, label: int, model: nn.Module, at: int) -> Layers:
    """Values descend half the squared errors, then weights do (Whittington and Bogacz 2017)."""
    (w0, b0), (w1, b1), (w2, b2) = layers(values)
    v1 = w0 @ x + b0
    v2 = w1 @ np.tanh(v1) + b1
    for turn in range(pc.ROUNDS + 1):
        e1 = v1 - (w0 @ x + b0)
        e2 = v2 - (w1 @ np.tanh(v1) + b1)
        e3 = one_hot(label) - (w2 @ np.tanh(v2) + b2)
        if turn < pc.ROUNDS:
            v1, v2 = (
                v1 + pc.RATE * (-e1 + (1 - np.tanh(v1) ** 2) * (w1.T @ e2)),
                v2 + pc.RATE * (-e2 + (1 - np.tanh(v2) ** 2) * (w2.T @ e3)),
            )
    return [(np.outer(e1, x), e1), (np.outer(e2, np.tanh(v1)), e2), (np.outer(e3, np.tanh(v2)), e3)]


def equilibrium_propagation(values: Values, x: Array, label: int, model: nn.Module, at: int) -> Layers:
    """Both states by going down the energy, and the contrast of products over the nudge (Scellier and Bengio 2017)."""
    (w0, b0), (w1, b1), (w2, b2) = layers(values)

    def rounds(count: int, state: list[Array], nudge: float) -> list[Array]:
        for _ in range(count):
            u, v, y = state
            downhill = (
                u - (w0 @ x + b0 + w1.T @ v),
                v - (w1 @ u + b1 + w2.T @ y),
                y - (w2 @ v + b2) + nudge * (y - one_hot(label)),
            )
            state = [np.clip(unit - ep.RATE * slope, 0, 1) for unit, slope in zip(state, downhill, strict=True)]
        return state

    free = rounds(ep.FREE, [np.full(len(b), 0.5) for b in (b0, b1, b2)], 0.0)
    nudged = rounds(ep.NUDGED, free, ep.NUDGE)
    pairs = zip([x, *free[:-1]], free, [x, *nudged[:-1]], nudged, strict=True)
    return [
        ((np.outer(after, before_n) - np.outer(unit, before)) / ep.NUDGE, (after - unit) / ep.NUDGE)
        for before, unit, before_n, after in pairs
    ]


BY_HAND = (hebb, feedback_alignment, forward_forward, predictive_coding, equilibrium_propagation)


@pytest.mark.parametrize("by_hand", BY_HAND, ids=lambda one: one.__name__)
def test_a_step_is_the_papers_update_written_out(by_hand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((ep, "FREE"), (ep, "NUDGED"), (pc, "ROUNDS")):
        monkeypatch.setattr(module, name, 3)  # fewer rounds are captured sooner, and are the same update
    model, values, batch, moved = made(by_hand.__name__)
    each = [by_hand(values, batch["x"][n].astype(np.float64), int(batch["y"][n]), model, n) for n in range(COUNT)]
    for at in range(len(values) // 2):
        for place, what in enumerate(("weight", "bias")):
            expected = np.mean([one[at][place] for one in each], axis=0)
            np.testing.assert_allclose(moved[f"layers.{at}.{what}"], expected, atol=2e-5, err_msg=f"{what} {at}")
    assert max(np.abs(one).max() for one in moved.values()) > 1e-3, "nothing moved, so nothing was compared"


def test_every_rule_of_the_table_is_written_out() -> None:
    assert {one.__name__ for one in BY_HAND} == TABLE.keys() - {"backpropagation"}


SLOWER = ("backpropagation", "feedback_alignment", "forward_forward", "predictive_coding", "equilibrium_propagation")


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] if n in SLOWER else []) for n in TABLE])
def test_digits_are_learned(name: str) -> None:
    train, valid = digits(0)
    torch.manual_seed(0)
    taught = TABLE[name]
    rule = og.adamw(lr=taught.rate, weight_decay=0.0)
    with run_of(
        taught.model((64, 32, 10)), taught.loss, rule, train, valid, seed=0, batch_size=50, evaluate_every=80
    ) as run:
        run.advance(80)
        assert run.evaluations()[-1]["accuracy"] > 0.75  # by chance 0.1


def test_a_local_rule_is_edited_and_explained_as_any_other() -> None:
    train, valid = digits(0)
    torch.manual_seed(0)
    taught = TABLE["hebb"]
    with run_of(taught.model((64, 8, 10)), taught.loss, og.sgd(lr=0.05), train, valid, seed=0, batch_size=50) as run:
        run.advance(4)
        told = og.explain(run, "layers.0.weight[0,0]", "1:4")
        assert np.count_nonzero(told.ledger.of(GRADIENT)) == 3, "each step's direction is the line of the gradient"
        changed = apply(run.program, "clip", norm=1.0)
        assert any(decl.name == "clip" for decl in changed.program.of("dial"))


def weight_alone(model: nn.Module, batch: Any) -> tuple[Tensor, dict[str, Tensor]]:
    return model(batch["x"]).sum(), {"weight": torch.ones(3, 2)}


def narrow(model: nn.Module, batch: Any) -> tuple[Tensor, dict[str, Tensor]]:
    return model(batch["x"]).sum(), {"weight": torch.ones(3), "bias": torch.ones(3)}


def foreign(model: nn.Module, batch: Any) -> tuple[Tensor, dict[str, Tensor]]:
    return model(batch["x"]).sum(), {"weights": torch.ones(3, 2)}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (weight_alone, "no direction for 'bias'"),
        (narrow, r"direction for 'weight' is \(3,\); the parameter is \(3, 2\)"),
        (foreign, "'weights', which is no trained parameter"),
    ],
)
def test_a_rule_that_leaves_a_parameter_out_is_refused(rule: Any, words: str) -> None:
    with pytest.raises(CaptureError, match=words):
        og.capture(nn.Linear(2, 3), Local(rule), og.sgd(), {"x": torch.randn(4, 2)})
