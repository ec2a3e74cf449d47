"""The characters that claims and benches learn from, and the network that learns them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ontogeny.claims.tasks import attending, text
from ontogeny.claims.tasks.decay import BEFORE, DECAYS, Before, Cell, Grid, cells, examples, rule
from ontogeny.front.rules.group import assigned


def test_the_first_layer_sees_which_letter_it_is() -> None:
    torch.manual_seed(0)
    model = text.GPT(width=128)
    at_a_place = model.embed(torch.arange(8)) + model.place(torch.tensor(3))
    alike = torch.corrcoef(F.layer_norm(at_a_place, (128,)).detach())
    assert alike[~torch.eye(8, dtype=torch.bool)].max() < 0.8


def test_examples_are_every_letter_and_those_before_it() -> None:
    found = examples(np.arange(20))
    assert found["x"].shape == (20 - BEFORE, BEFORE)
    assert (found["x"][3] == np.arange(3, 3 + BEFORE)).all() and found["y"][3] == 3 + BEFORE
    assert len(found["y"]) == len(found["x"])


@pytest.mark.parametrize("rest", [0, 5])
def test_second_halves_are_the_held_out_text_once(rest: int) -> None:
    learnt, held_out = np.arange(100), np.arange(100, 148 + rest)
    found = text.continued(learnt, held_out, 16)
    assert found["y"][:, 8:].ravel().tolist() == list(range(100, 148))
    assert (found["x"][:, 1:] == found["y"][:, :-1]).all() and found["x"][0, 0] == 91


def parabolas(lowest: dict[int, float], bits: dict[int, float]) -> Grid:
    """Widths whose bits are parabolas in the logarithm of the decay."""
    return Grid({
        width: [Cell(d, (9,), (bits[width] + math.log(d / best) ** 2,), 1.0, 0.0) for d in DECAYS]
        for width, best in lowest.items()
    })  # fmt: skip


def test_the_best_decay_lies_between_those_tried_and_is_foretold_by_a_power_of_the_width() -> None:
    grid = parabolas({64: 0.8, 192: 2.4, 384: 4.8}, {64: 2.5, 192: 2.4, 384: 2.3})
    assert [grid.lowest(width) for width in (64, 192, 384)] == pytest.approx([0.8, 2.4, 4.8])
    assert grid.power()[0] == pytest.approx(1.0)
    assert grid.foretold(128) == pytest.approx(1.6)
    assert [grid.best(width).decay for width in (64, 192, 384)] == [1.0, 3.0, 3.0]


def test_a_best_decay_at_the_end_of_the_grid_is_that_end() -> None:
    grid = parabolas({64: 0.01, 192: 100.0}, {64: 2.5, 192: 2.4})
    assert (grid.lowest(64), grid.lowest(192)) == pytest.approx((0.1, 10.0))


def test_gains_are_of_each_width_over_the_narrower() -> None:
    grid = parabolas({64: 1.0, 192: 1.0, 384: 3.0}, {64: 2.5, 192: 2.4, 384: 2.3})
    assert grid.gains() == pytest.approx([0.1, 0.1])
    assert grid.gains(0.1) == pytest.approx([0.1, 0.1 + math.log(10) ** 2 - math.log(30) ** 2])


def test_decay_is_of_matrices_alone() -> None:
    parameters = dict(Before(8).named_parameters())
    spared = assigned(rule(1e-2, 9).groups, parameters)
    assert {name for name, value in parameters.items() if value.ndim == 1} == set(spared)


def test_cells_begin_alike_and_end_apart() -> None:
    weak, strong = cells(8, 1e-2, (0.1, 10.0), 0, 2, "exact")
    assert weak.held_out[0] == strong.held_out[0]
    assert weak.bits != strong.bits


def test_attention_sees_no_letter_that_comes_later() -> None:
    torch.manual_seed(0)
    model = attending.Attending(16)
    torch.nn.init.normal_(model.mix.weight)
    x = torch.randint(0, 60, (1, 12))
    changed = x.clone()
    changed[0, 7] = 61
    apart = (model(x) - model(changed)).abs().amax(-1)[0]
    assert apart[:7].max() == 0 and apart[7:].min() > 0


def test_rotation_tells_how_far_apart_places_are_and_nothing_else() -> None:
    q, k = torch.randn(1, 1, 1, 8).expand(1, 1, 20, 8), torch.randn(1, 1, 1, 8).expand(1, 1, 20, 8)
    scores = (attending.rotated(q) @ attending.rotated(k).transpose(-1, -2))[0, 0]
    assert torch.allclose(scores[5:, 5:], scores[:-5, :-5], atol=1e-4)
    assert scores[0].std() > 0.01


def test_only_second_halves_are_held_to() -> None:
    y = torch.zeros(1, attending.CONTEXT, dtype=torch.int64)
    scores = torch.zeros(1, attending.CONTEXT, 2)
    scores[:, : attending.CONTEXT // 2, 1] = 50.0
    model = torch.nn.Identity()
    assert attending.loss(model, {"x": scores, "y": y})["loss"] > 10
    assert attending.loss(model.eval(), {"x": scores, "y": y})["loss"] == pytest.approx(1.0)
