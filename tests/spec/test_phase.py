"""Sharpness is the Hessian's largest eigenvalue, and tells what a learning rate does: it is held to what runs did."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from ontogeny.ask import events
from ontogeny.ask.phase import UPPER, Foretold, Phase, foretold, kind_of, passed, phase_of
from ontogeny.ask.sharpness import largest, sharpness
from ontogeny.data.arrays import Arrays
from ontogeny.faces.cli import app
from ontogeny.front.capture import capture
from ontogeny.front.rules import Rule, adamw, sgd
from ontogeny.isa.errors import ProgramError, RecordError
from ontogeny.isa.types import DType
from ontogeny.isa.widen import widened
from ontogeny.machine.reference import ReferenceMachine
from ontogeny.record.blame import NonfiniteError
from ontogeny.record.run import Run, create
from ontogeny.steer.conditions import condition
from ontogeny.steer.places import step_of

Batch = Mapping[str, Tensor]


class Wide(nn.Module):
    """Two layers in NTK parametrisation, with something between them."""

    def __init__(self, between: Callable[[Tensor], Tensor] = lambda x: x, width: int = 256) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Parameter(torch.randn(width, 16)), nn.Parameter(torch.randn(1, width))
        self.between = between

    def forward(self, x: Tensor) -> Tensor:
        inside = self.between(x @ self.first.T / 4)
        return inside @ self.second.T / math.sqrt(self.second.shape[1])


def squared(model: nn.Module, batch: Batch) -> Tensor:
    return 0.5 * ((model(batch["x"]) - batch["y"]) ** 2).mean()


def examples() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(24, 16)), random.choice([-1.0, 1.0], (24, 1))
    return {"x": x.astype(np.float32), "y": y.astype(np.float32)}


def made(folder: Path, model: nn.Module, rule: Rule | None = None, loss: object = squared) -> Run:
    learner = capture(model, loss, rule or sgd(lr=0.1), examples())
    return create(folder, learner, Arrays(examples(), 24))


def test_the_largest_eigenvalue_of_a_matrix_is_found_with_what_it_may_be_off_by() -> None:
    random = np.random.default_rng(1)
    rows = random.normal(size=(40, 40))
    matrix = rows + rows.T
    highest = np.linalg.eigvalsh(matrix)[-1]
    value, residual, products = largest(lambda v: matrix @ v, 40, close=1e-6)
    assert value == pytest.approx(highest, rel=1e-9) and residual <= 1e-6 and products <= 40
    early, off, _ = largest(lambda v: matrix @ v, 40, most=6)
    assert off > 1e-6 and np.abs(np.linalg.eigvalsh(matrix) - early).min() <= off * abs(early)
    assert math.isnan(largest(lambda v: v * np.nan, 40)[0])


def test_the_sharpness_of_a_program_is_that_of_automatic_differentiation(tmp_path: Path) -> None:
    model = Wide(torch.relu, width=6)
    with made(tmp_path / "run", model) as run:
        found = sharpness(run)
    flat = torch.cat([p.detach().reshape(-1) for p in model.parameters()]).double()
    batch = {name: torch.from_numpy(one).double() for name, one in examples().items()}

    def loss(values: Tensor) -> Tensor:
        first, second = values[:96].reshape(6, 16), values[96:].reshape(1, 6)
        answer = torch.relu(batch["x"] @ first.T / 4) @ second.T / math.sqrt(6)
        return 0.5 * ((answer - batch["y"]) ** 2).mean()

    hessian = torch.autograd.functional.hessian(loss, flat)
    assert found.value == pytest.approx(float(torch.linalg.eigvalsh(hessian)[-1]), rel=2e-3)
    assert found.residual <= 1e-3 and found.format == "f64" and found.norm == pytest.approx(float(flat.norm()))


def test_a_program_that_draws_in_its_own_format_is_asked_in_that(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(16, 32), nn.Dropout(0.5), nn.Linear(32, 1))
    with made(tmp_path / "run", model) as run:
        with pytest.raises(ProgramError):
            widened(run.program)
        found = sharpness(run, most=8)
    assert found.format == "f32" and found.value > 0 and found.products == 8


def test_a_widened_program_computes_the_same_to_more_places() -> None:
    learner = capture(Wide(width=6), squared, sgd(lr=0.1), examples())
    machine = ReferenceMachine(widened(learner.program))
    machine.load({name: a.astype(np.float64) if a.dtype == np.float32 else a for name, a in learner.values.items()})
    inputs = {name: one.astype(np.float64) for name, one in examples().items()}
    loss = machine.call("learn", inputs, {"lr": 0.1, "weight_decay": 0.0})["loss"]
    exact = squared(Wide(width=6).double(), {name: torch.from_numpy(one) for name, one in inputs.items()})
    assert loss.dtype == np.float64 and float(loss) == pytest.approx(exact.item(), rel=1e-12)
    assert DType.F32 not in {decl.type.dtype for decl in widened(learner.program).decls}


def test_what_a_rate_does_is_foretold_before_the_first_step(tmp_path: Path) -> None:
    with made(tmp_path / "before", Wide()) as run:
        told = foretold(run)
    assert told.kind == "linear" and told.lower * 2 == told.upper == pytest.approx(4 / told.sharpness.value)
    seen, runs = {}, ["before"]
    for over in (1.2, 3.0, 5.0):
        rate = over / told.sharpness.value
        with made(tmp_path / str(over), Wide(), sgd(lr=rate)) as run:
            assert foretold(run).phase is told.at(rate).phase
            try:
                run.advance(60)
            except NonfiniteError:
                assert over == 5.0
            seen[over] = told.at(rate).phase, passed(run).phase, {one.name: one for one in events.all_events(run)}
            runs.append(run.folder.name)
            if over == 3.0:
                assert step_of(run, "before it catapulted")[0] < step_of(run, "when it catapulted")[0]
    for over, phase in ((1.2, Phase.LAZY), (3.0, Phase.CATAPULT), (5.0, Phase.DIVERGING)):
        assert seen[over][:2] == (phase, phase)
        assert ("catapulted" in seen[over][2]) == (phase is Phase.CATAPULT)
        assert ("diverged" in seen[over][2]) == (phase is Phase.DIVERGING)
    _shown(tmp_path, runs, told)


def _shown(folder: Path, runs: list[str], told: Foretold) -> None:
    """The same by `ontogeny phase`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONTOGENY_RUNS", str(folder))
        patch.setenv("COLUMNS", "200")
        rates = ",".join(str(over / told.sharpness.value) for over in (1.2, 5.0))
        answered = CliRunner().invoke(app, ["phase", *runs, "--rates", rates, "--json"])
        said = CliRunner().invoke(app, ["phase", *runs]).stdout
        wrong = CliRunner().invoke(app, ["phase", *runs, "--rates", "0"])
    found = json.loads(answered.stdout)
    assert [one["did"] and one["did"]["phase"] for one in found["runs"]] == [None, "lazy", "catapult", "diverging"]
    assert [one["phase"] for one in found["runs"][1:]] == ["lazy", "catapult", "diverging"]
    assert [(one["phase"], round(one["times"], 3)) for one in found["rates"]] == [("lazy", 1.2), ("diverging", 5.0)]
    assert "no step yet" in said and told.words in said and said.count("catapult") >= 5
    assert wrong.exit_code == 1 and "above 0 with commas" in " ".join(wrong.output.split())


def test_a_run_stops_when_it_was_catapulted(tmp_path: Path) -> None:
    with made(tmp_path / "run", Wide(), sgd(lr=0.0)) as run:
        run.set_dial("lr", 3 / sharpness(run).value)
        run.advance(60, until=condition(run, "catapulted").holds)
        assert run.step < 60 and events.find(run, "catapulted").step <= run.step
        assert run.metrics()["loss"][-1] < run.metrics()["loss"][0]


def test_a_network_of_which_every_unit_died_is_lost_though_its_loss_is_finite(tmp_path: Path) -> None:
    with made(tmp_path / "run", Wide(lambda x: torch.relu(x - 1e3), width=8)) as run:
        run.advance(2)
        found = passed(run)
    assert math.isfinite(found.last) and found.after.slope == 0 and found.phase is Phase.DIVERGING


@pytest.mark.parametrize(
    ("model", "rule", "loss", "says"),
    [
        (Wide(width=4), adamw(), squared, "plain gradient descent alone"),
        (Wide(width=4), sgd(momentum=0.9), squared, "plain gradient descent alone"),
        (Wide(width=4), sgd().with_clip(1.0), squared, "plain gradient descent alone"),
        (Wide(torch.tanh, width=4), sgd(), squared, "a network with tanh"),
        (Wide(lambda x: x * x, width=4), sgd(), squared, "a network with mul"),
        (Wide(width=4), sgd(), lambda m, b: (m(b["x"]) - b["y"]).abs().mean(), "by abs"),
    ],
)
def test_what_the_bounds_are_not_known_of_is_refused(model: nn.Module, rule: Rule, loss: object, says: str) -> None:
    with pytest.raises(RecordError, match=says):
        kind_of(capture(model, loss, rule, examples()).program)


def test_phases_lie_between_the_published_bounds() -> None:
    assert kind_of(capture(Wide(torch.relu, width=4), squared, sgd(), examples()).program) == "relu"
    for kind, upper in UPPER.items():
        found = [phase_of(over / 7, 7.0, kind) for over in (1.99, 2.01, upper - 0.01, upper + 0.01)]
        assert found == [Phase.LAZY, Phase.CATAPULT, Phase.CATAPULT, Phase.DIVERGING]
