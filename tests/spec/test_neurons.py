"""Networks that differ in how often a parameter is used, and richer units: what they compute, and that they learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import ontogeny as og
from ontogeny.claims.experiments.looping_buys_depth import usage
from ontogeny.claims.tasks.automaton import after, loss
from ontogeny.claims.tasks.recall import asked
from ontogeny.claims.tasks.recall import loss as recalled
from ontogeny.isa.errors import CaptureError
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.train.neurons.attention import Attention
from ontogeny.train.neurons.convolution import Convolution
from ontogeny.train.neurons.dendritic import Dendritic
from ontogeny.train.neurons.looped import Looped
from ontogeny.train.neurons.modulated import Modulated
from ontogeny.train.neurons.one_use import OneUse

CELLS = 6


@pytest.mark.parametrize(
    ("made", "uses"),
    [
        (lambda: OneUse(CELLS, 4), 1.0),
        (lambda: Convolution(4, 1), CELLS),
        # The block's 20 parameters are used for each cell in each of five rounds, the 7 at both ends for each cell.
        (lambda: Looped(2, 5), (5 * CELLS * (3 * 2 * 2 + 2 + 2 * 2 + 2) + CELLS * (4 + 3)) / 27),
    ],
)
def test_uses_of_a_parameter_are_counted(made: object, uses: float) -> None:
    model = made()  # type: ignore[operator]
    batch = {"x": torch.randn(3, CELLS), "y": torch.ones(3, CELLS)}
    program = og.capture(model, loss, og.sgd(), batch, predict=lambda m, b: m(b["x"])).program
    found = usage(program)
    assert found["parameters"] == sum(parameter.numel() for parameter in model.parameters())
    assert found["uses"] == pytest.approx(uses)


@pytest.mark.slow
def test_attentions_projections_are_used_for_each_cell() -> None:
    batch = {"x": torch.randn(3, CELLS), "y": torch.ones(3, CELLS)}
    program = og.capture(Attention(CELLS, 4, 2), loss, og.sgd(), batch, predict=lambda m, b: m(b["x"])).program
    uses = og.routine_cost(program, "predict").uses
    assert (uses["asked.weight"], uses["mixed.weight"], uses["place"]) == (CELLS, CELLS, 1.0)


def test_the_automaton_goes_by_its_rule() -> None:
    one = np.zeros((1, 7), dtype=np.int64)
    one[0, 3] = 1
    # Rule 90 is the exclusive or of both neighbours: from a single one, Pascal's triangle modulo two.
    assert after(one, 90, 1).tolist() == [[0, 0, 1, 0, 1, 0, 0]]
    assert after(one, 90, 2).tolist() == [[0, 1, 0, 0, 0, 1, 0]]
    assert after(one, 110, 1).tolist() == [[0, 0, 1, 1, 0, 0, 0]]


def test_a_dendritic_unit_is_branches_and_a_body() -> None:
    torch.manual_seed(0)
    layer, x = Dendritic(12, 3, 4), torch.randn(5, 12)
    with torch.no_grad():
        layer.thresholds.normal_()
        layer.body.normal_()
    found = layer(x)
    for unit in range(3):
        total = layer.body[unit]
        for branch in range(4):
            inputs = x[:, layer.place[unit, branch]]
            given = (inputs @ layer.synapses[unit, branch] + layer.thresholds[unit, branch]).clamp(min=0)
            total = total + layer.couplings[unit, branch] * given
        torch.testing.assert_close(found[:, unit], total.clamp(min=0))
        assert sorted(layer.place[unit].flatten().tolist()) == list(range(12)), "each input once"
    with pytest.raises(CaptureError, match="5 branches cannot share 12 inputs"):
        Dendritic(12, 3, 5)


def test_a_dendritic_unit_learns_what_no_plain_unit_can() -> None:
    """Exclusive or of two signs needs two layers: one dendritic unit has them, its thresholds and a line."""
    x = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]]).repeat(1, 2)
    batch = {"x": x, "y": torch.tensor([0.0, 1.0, 1.0, 0.0])}
    torch.manual_seed(1)
    layer = Dendritic(4, 1, 2)
    layer.place.copy_(torch.tensor([[[0, 1], [2, 3]]]))
    learner = og.capture(layer, lambda m, b: (m(b["x"])[:, 0] - b["y"]).pow(2).mean(), og.adamw(lr=0.05), batch)
    assert losses(learner, [{name: value.numpy() for name, value in batch.items()}] * 150)[-1] < 0.01


@pytest.mark.slow
def test_fast_weights_recall_what_was_told_once() -> None:
    torch.manual_seed(0)
    data = asked(0, 1600, 3, 4)
    batches = [{name: value[at : at + 32] for name, value in data.items()} for at in range(0, 1600, 32)]
    example = {name: torch.tensor(value) for name, value in batches[0].items()}
    reached = {}
    for keeps in ((0.0,), (0.5, 1.0)):
        torch.manual_seed(0)
        learner = og.capture(Modulated(8, 4, 2, 8, keeps), recalled, og.adamw(lr=0.02), example)
        reached[keeps] = np.mean(metrics(learner, batches, "accuracy")[-10:])
    assert reached[0.5, 1.0] > 0.9
    assert reached[0.0,] < 0.7, "what fades at once tells the last pair alone"


def test_fast_weights_fade_and_are_written_as_told() -> None:
    """Two places by hand: what the second reads is what the first left, faded, at the strength of both gates."""
    torch.manual_seed(2)
    layer, x, context = Modulated(3, 2, 2, 4, (0.25,)), torch.randn(2, 3, 3), torch.randn(2, 3, 2)
    for row in range(2):
        keys, values = (torch.tanh(x[row] @ part.weight.T) for part in (layer.key, layer.value))
        write, read = (torch.sigmoid(part(context[row]))[:, 0] for part in (layer.write, layer.read))
        fast = 0.25 * write[0] * torch.outer(values[0], keys[0]) + write[1] * torch.outer(values[1], keys[1])
        expected = layer.out(torch.relu(layer.plain(x[row, 2]) + read[2] * fast @ keys[2]))
        torch.testing.assert_close(layer(x, context)[row, 2], expected)
    with pytest.raises(CaptureError, match="shares from 0 to 1"):
        Modulated(8, 4, 2, 8, ())


def losses(learner: og.Learner, batches: list[dict[str, np.ndarray]]) -> list[float]:
    return metrics(learner, batches, "loss")


def metrics(learner: og.Learner, batches: list[dict[str, np.ndarray]], name: str) -> list[float]:
    machine = CompiledMachine(learner.program, threads=1)
    machine.load(learner.values)
    return [float(machine.call("learn", batch, {})[name]) for batch in batches]
