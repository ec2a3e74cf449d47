"""Random strings: what their network is, what it holds by the sweep and by `ontogeny capacity`, and of several runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.func import functional_call, jacrev
from typer.testing import CliRunner

from ontogeny.ask.capacity import capacity
from ontogeny.claims.tasks.losses import of_places
from ontogeny.claims.tasks.strings import Shape, Strings, held, strings
from ontogeny.data.arrays import Arrays
from ontogeny.faces.cli import app
from ontogeny.faces.experiments import load_experiment
from ontogeny.isa.errors import ClaimError
from ontogeny.record.run import create

SMALL = Shape(width=4, depth=1, heads=2, wider=4, letters=8, length=8)
MERGED = replace(SMALL, merged=True)
EXAMPLE = str(Path(__file__).parents[2] / "examples" / "strings.py")


def test_parameters_and_data_are_as_many_as_the_shape_says() -> None:
    assert Strings(SMALL).blocks.numel() == SMALL.parameters == (2 + 2 + 2 + 12) * 16
    count = SMALL.strings(5.0)
    assert count * 8 * 3 == pytest.approx(5.0 * SMALL.parameters, abs=8 * 3 / 2)
    found = strings(0, count, SMALL)
    assert (found["x"][:, 0] == 8).all() and np.array_equal(found["x"][:, 1:], found["y"][:, :-1])
    assert np.bincount(found["y"].ravel(), minlength=8).min() > 0


@pytest.mark.parametrize("shape", [SMALL, MERGED])
def test_a_letter_is_foretold_by_those_before_it_alone(shape: Shape) -> None:
    torch.manual_seed(0)
    model, x = Strings(shape), torch.from_numpy(strings(0, 3, shape)["x"])
    other = x.clone()
    other[:, 5] = (other[:, 5] + 1) % 8
    before, after = model(x), model(other)
    assert torch.equal(before[:, :5], after[:, :5])
    assert (before[:, 5:] - after[:, 5:]).abs().amax(-1).min() > 1e-6


def test_merged_attention_has_no_parameters_that_undo_one_another() -> None:
    """As many parameters, of which more change the scores: by 2 x 2 of both pairs of both heads, in the one layer."""
    apart = Shape(width=4, depth=1, heads=2, wider=2, letters=4, length=4)
    merged = replace(apart, merged=True)
    assert Strings(merged).blocks.numel() == Strings(apart).blocks.numel()
    assert _unused(apart) - _unused(merged) == 2 * 2 * (2 * 2)


def _unused(shape: Shape) -> int:
    """Directions in which the parameters can move and leave all scores the same, to first order."""
    torch.manual_seed(1)
    model = Strings(shape).double()
    x = torch.from_numpy(strings(1, 60, shape)["x"])

    def scores(blocks: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = functional_call(model, {"blocks": blocks}, (x,))
        return found.flatten()

    rows = jacrev(scores)(model.blocks.detach()).flatten(1)
    found = torch.linalg.svdvals(rows)
    return int((found < 1e-9 * found[0]).sum())


def test_rounded_parameters_are_used_and_gradients_pass() -> None:
    torch.manual_seed(0)
    rounded, given = Strings(SMALL, "bf16"), {n: torch.from_numpy(v) for n, v in strings(0, 9, SMALL).items()}
    plain = Strings(SMALL)
    plain.load_state_dict({"blocks": rounded.blocks.detach().bfloat16().float()})
    assert torch.equal(rounded(given["x"]), plain(given["x"]))
    for model in (rounded, plain):
        of_places(model, given)["loss"].backward()
    assert rounded.blocks.grad is not None and plain.blocks.grad is not None
    assert torch.equal(rounded.blocks.grad, plain.blocks.grad) and not torch.equal(rounded.blocks, plain.blocks)


def test_what_is_no_multiple_or_no_precision_is_refused() -> None:
    with pytest.raises(ClaimError, match="have to be multiples of the width 4"):
        Strings(Shape(width=4, letters=10))
    with pytest.raises(ClaimError, match="a multiple of the 3 heads, or these merged"):
        Strings(replace(SMALL, heads=3))
    assert Strings(replace(MERGED, heads=3)).blocks.numel() == SMALL.parameters + 2 * 16
    with pytest.raises(ClaimError, match="'f16'; there are f32 and bf16"):
        Strings(SMALL, "f16")


def test_several_runs_are_held_beside_one_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONTOGENY_RUNS", str(tmp_path))
    options = {"width": "4", "depth": "1", "letters": "8", "length": "8", "data": "4", "steps": "10", "merged": "true"}
    made, bits = load_experiment(EXAMPLE, options), []
    assert isinstance(made.data, Arrays)
    for name, count in (("data-1", 12), ("data-4", len(made.data))):
        data = Arrays({key: value[:count] for key, value in made.data.arrays.items()}, count, seed=0)
        with create(tmp_path / name, made.learner, data) as run:
            run.advance(10)
            bits.append(capacity(run).per_parameter)
    words = ["capacity", "data-4", "data-1", "-o", str(tmp_path / "held.png"), "--points", "2"]
    found = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert [one["per_parameter"] for one in found["runs"]] == bits[::-1] and found["most_per_parameter"] == max(bits)
    drawn = (tmp_path / "held.svg").read_text()
    assert "bits of data for each parameter" in drawn
    said = CliRunner().invoke(app, ["capacity", "data-4", "data-1"]).output
    assert said.index("data-1") < said.index("data-4") and "the most is" in said
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data-1").rename(tmp_path / "elsewhere" / "data-4")
    both = [str(tmp_path / "data-4"), str(tmp_path / "elsewhere" / "data-4")]
    found = json.loads(CliRunner().invoke(app, ["capacity", *both, both[0], "--json"]).stdout)
    assert [one["run"] for one in found["runs"]] == both, "of one name, and one of them given twice"
    assert [one["per_parameter"] for one in found["runs"]] == bits[::-1]


@pytest.mark.slow
def test_the_sweep_measures_what_the_shell_says_of_a_run(tmp_path: Path) -> None:
    options = {"width": "4", "depth": "1", "letters": "8", "length": "8", "data": "4", "steps": "10"}
    made = load_experiment(EXAMPLE, options)
    with create(tmp_path / "run", made.learner, made.data) as run:
        run.advance(10)
        assert held(0, SMALL, 4.0, 10, points=2).bits == pytest.approx(capacity(run).per_parameter, rel=1e-5)


def test_a_network_goes_on_in_bf16() -> None:
    found = held(0, MERGED, 4.0, 6, points=2, settling=30)
    assert found.settled - 0.02 > found.rounded == pytest.approx(found.bits, abs=0.01)
