"""A block gone through as often as a dial says: one program for all depths, and plain autograd's gradients at each."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typer.testing import CliRunner

import ontogeny as og
from ontogeny.faces.cli import app
from ontogeny.faces.costs import turned
from ontogeny.front.edits import apply
from ontogeny.front.repeated import Repeated
from ontogeny.isa.cost import routine_cost
from ontogeny.isa.errors import CaptureError, MachineError, OntogenyError
from ontogeny.isa.op import Op
from ontogeny.isa.resize import resized
from ontogeny.isa.text import from_text, to_text
from ontogeny.machine.base import value_of
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.machine.learner import Array, Learner
from ontogeny.machine.reference import ReferenceMachine

LR = 0.5


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.within = nn.Linear(width, width)

    def forward(self, h: Tensor, x: Tensor) -> Tensor:
        return torch.tanh(self.within(h) + x)


class Net(nn.Module):
    """What is read in goes into every round, so that gradients come back through it from all of them."""

    def __init__(self, rounds: int = 3, most: int = 6, block: nn.Module | None = None) -> None:
        super().__init__()
        self.read, self.write = nn.Linear(5, 8), nn.Linear(8, 4)
        self.loop = Repeated(block or Block(8), rounds, most)

    def forward(self, x: Tensor) -> Tensor:
        h = self.read(x)
        result: Tensor = self.write(self.loop(torch.tanh(h), h))
        return result


def loss(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    return F.cross_entropy(model(batch["x"]), batch["y"])


def batch(count: int = 7) -> dict[str, Tensor]:
    return {"x": torch.randn(count, 5), "y": torch.randint(0, 4, (count,))}


def arrays(given: dict[str, Tensor]) -> dict[str, Array]:
    return {name: value.numpy() for name, value in given.items()}


@pytest.fixture(scope="module")
def made() -> tuple[Net, Learner]:
    torch.manual_seed(3)
    model, given = Net(), batch()
    return model, og.capture(model, loss, og.sgd(lr=LR), given, valid=given, predict=lambda m, b: m(b["x"]))


@pytest.mark.parametrize("rounds", [0, 1, 3, 6])
def test_a_step_at_any_depth_goes_by_plain_autograds_gradients(made: tuple[Net, Learner], rounds: int) -> None:
    model, learner = made
    given, machine = batch(9), CompiledMachine(learner.program)
    machine.load(learner.values)
    machine.call("learn", arrays(given), {"rounds": rounds})
    model.loop.rounds = rounds
    gradients = torch.autograd.grad(loss(model, given), list(model.parameters()), allow_unused=True)
    before, after = dict(learner.values), machine.state()
    for (name, parameter), gradient in zip(model.named_parameters(), gradients, strict=True):
        decl = learner.program.decl(name)
        moved = (value_of(decl, before) - value_of(decl, after)) / LR
        expected = torch.zeros_like(parameter) if gradient is None else gradient
        np.testing.assert_allclose(moved, expected.numpy(), atol=1e-6)


@pytest.mark.parametrize("machine", [CompiledMachine, ReferenceMachine])
def test_prediction_goes_by_any_number_of_rounds(made: tuple[Net, Learner], machine: type[CompiledMachine]) -> None:
    model, learner = made
    ready, given = machine(learner.program), batch(2)
    ready.load(learner.values)
    for rounds in (1, 3, 20):
        model.loop.rounds = rounds
        found = ready.call("predict", arrays(given), {"rounds": rounds})["y"]
        np.testing.assert_allclose(found, model(given["x"]).detach().numpy(), rtol=1e-5, atol=1e-6)


def test_training_stops_at_more_rounds_than_are_kept(made: tuple[Net, Learner]) -> None:
    machine = CompiledMachine(made[1].program)
    machine.load(made[1].values)
    with pytest.raises(MachineError, match=r"rounds is above 6.*larger most"):
        machine.call("learn", arrays(batch()), {"rounds": 7})


def test_a_parameter_of_the_block_is_used_once_for_each_round(made: tuple[Net, Learner]) -> None:
    program = made[1].program
    once, four = (routine_cost(turned(program, {"rounds": n}), "predict") for n in (1, 4))
    assert (once.uses["loop.block.within.weight"], once.uses["read.weight"]) == (1.0, 1.0)
    assert (four.uses["loop.block.within.weight"], four.uses["read.weight"]) == (4.0, 1.0)
    assert routine_cost(turned(program, {"rounds": 4}), "learn").uses == four.uses
    product = 2 * 7 * 8 * 8
    assert four.total.operations - once.total.operations == 3 * (product + 3 * 7 * 8)  # with a bias, a sum and a tanh
    assert "for 4 rounds" in four.remark
    with pytest.raises(OntogenyError, match="no dial 'turns'; there are lr, weight_decay, rounds"):
        turned(program, {"turns": 2.0})


def test_a_runs_cost_is_counted_by_its_dials_as_they_stand(
    made: tuple[Net, Learner], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with og.create(tmp_path / "run", made[1], og.Arrays(arrays(batch(40)), batch_size=10)) as run:
        run.set_dial("rounds", 5.0)
    monkeypatch.setenv("ONTOGENY_RUNS", str(tmp_path))
    for words, rounds in (([], 5.0), (["--dial", "rounds=2"], 2.0)):
        said = CliRunner().invoke(app, ["cost", "run", "--json", *words]).stdout
        assert json.loads(said)["total"]["uses"]["loop.block.within.weight"] == rounds
    said = CliRunner().invoke(app, ["cost", "run", "--dial", "rounds=nan"]).output
    assert "'rounds=nan' is no dial" in said


def test_it_is_read_again_from_text_and_is_a_loop_at_every_size(made: tuple[Net, Learner]) -> None:
    program = made[1].program
    assert from_text(to_text(program)) == program
    assert not made[1].fixed and resized(program, {"batch": 3})
    assert [instr.op for instr in program.routine("learn").body].count(Op.LOOP) == 2
    changed = apply(program, "rule", to="adamw")
    assert changed.program.decl("rounds").default == 3.0


def test_a_run_is_turned_deeper_while_it_goes(made: tuple[Net, Learner], tmp_path: Path) -> None:
    with og.create(tmp_path / "run", made[1], og.Arrays(arrays(batch(40)), batch_size=10), seed=0) as run:
        run.advance(3)
        run.set_dial("rounds", 5.0)
        run.advance(3)
        assert run.dials()["rounds"] == 5.0
        after = run.state(6)
    with og.open_run(tmp_path / "run") as run:
        assert all(np.array_equal(run.state(6)[name], value) for name, value in after.items())


def test_evolution_strategies_go_round_too() -> None:
    torch.manual_seed(0)
    learner = og.capture(Net(), loss, og.es(og.sgd(lr=0.1), pairs=2), batch())
    machine = CompiledMachine(learner.program)
    machine.load(learner.values)
    assert np.isfinite(machine.call("learn", arrays(batch()), {"rounds": 2})["loss"])


class Narrowing(nn.Module):
    def forward(self, h: Tensor, x: Tensor) -> Tensor:
        return h[:, :4]


class Dropping(Block):
    def forward(self, h: Tensor, x: Tensor) -> Tensor:
        return F.dropout(super().forward(h, x))


def test_what_cannot_be_repeated_is_refused() -> None:
    with pytest.raises(CaptureError, match=r"takes f32\[7,8\] and gives f32\[7,4\]"):
        og.capture(Net(1, 1, Narrowing()), lambda m, b: m.loop(m.read(b["x"]), b["x"]).sum(), og.sgd(), batch())
    with pytest.raises(CaptureError, match="random numbers"):
        og.capture(Net(block=Dropping(8)), loss, og.sgd(), batch())
    with pytest.raises(CaptureError, match="no repeated block and no buffers"):
        Repeated(nn.BatchNorm1d(8), 2)
    with pytest.raises(CaptureError, match="7 rounds of at most 6"):
        Repeated(Block(8), 7, 6)


def test_two_blocks_that_share_a_dial_begin_alike() -> None:
    pair = nn.ModuleList([Repeated(nn.Linear(5, 5), 2), Repeated(nn.Linear(5, 5), 3)])
    with pytest.raises(CaptureError, match="two repeated blocks go by the dial 'rounds'"):
        og.capture(pair, lambda m, b: m[1](m[0](b["x"])).sum(), og.sgd(), batch())
