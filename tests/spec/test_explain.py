"""The ledger of a parameter against formulas written out by hand, and its sums, for every rule."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import ontogeny as og
from ontogeny.ask.by_example import by_example
from ontogeny.ask.explain import explain
from ontogeny.ask.ledger import Line, exact
from ontogeny.front.author import Value
from ontogeny.front.rules import Rule
from ontogeny.front.rules.muon import COEFFICIENTS, STEPS
from ontogeny.isa.errors import RecordError
from ontogeny.isa.text import from_text
from ontogeny.machine.learner import Learner
from ontogeny.record.run import Run
from tests import regression
from tests.regression import begin
from tests.spec.ledgers import sums_are_exact
from tests.spec.training import MLP, cross_entropy, points

LR, DECAY, STEPS_TAKEN = 0.05, 0.1, 12


def example_data() -> og.Arrays:
    return points(48, 16)


def trained(folder: Path, rule: Rule, **settings: Any) -> Run:
    torch.manual_seed(0)
    data = example_data()
    learner = og.capture(MLP(), cross_entropy, rule, data.batch(0))
    run = og.create(folder, learner, data, keyframe_every=5, **settings)
    run.advance(STEPS_TAKEN)
    return run


def tensor(run: Run, name: str, step: int) -> np.ndarray:
    decl = run.program.decl(name)
    flat = run.state(step)[decl.arena or name].reshape(-1)
    return flat[decl.offset : decl.offset + decl.type.size].reshape(decl.type.shape).astype(np.float64)


def slot(run: Run, name: str, of: str, step: int) -> np.ndarray:
    """A state slot's piece that belongs to a parameter."""
    decl, state = run.program.decl(of), run.state(step)
    whole = state[name] if decl.arena else state[f"{name}.{of}"]
    return whole.reshape(-1)[decl.offset : decl.offset + decl.type.size].reshape(decl.type.shape).astype(np.float64)


def gradients(run: Run, step: int) -> dict[str, np.ndarray]:
    """What plain PyTorch finds at the state before a step."""
    model = MLP()
    with torch.no_grad():
        for name, param in model.named_parameters():
            param.copy_(torch.from_numpy(tensor(run, name, step - 1)))
    batch = {name: torch.from_numpy(value) for name, value in run.data.batch(step - 1).items()}
    cross_entropy(model, batch)["loss"].backward()
    return {name: np.asarray(param.grad).astype(np.float64) for name, param in model.named_parameters()}


def compare(run: Run, place: str, expected: Any) -> None:
    """Each line of one element at every step is what `expected(step)` says; rounding is what f32 loses."""
    found = explain(run, place)
    assert len(found.ledger.steps) == found.last - found.first + 1
    sums_are_exact(found)
    for at, step in enumerate(found.ledger.steps):
        wanted = expected(int(step))
        lines = dict(zip(found.ledger.lines, found.ledger.parts[at], strict=True))
        rounding = lines.pop(Line("rounding"))
        assert lines.keys() == wanted.keys()
        for line, value in wanted.items():
            assert lines[line] == pytest.approx(value, rel=3e-5, abs=1e-9), (step, line)
        assert abs(rounding) < 1e-6


PLACE = (3, 5)
NAME = f"up.weight[{PLACE[0]},{PLACE[1]}]"
MOMENTUM = Line("carried", "momentum_buffer")
FRESH, DECAYED = Line("gradient"), Line("decay")


def test_adamw(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", og.adamw(LR, weight_decay=DECAY, betas=(0.9, 0.99)))

    def expected(step: int) -> dict[Line, float]:
        g, p = gradients(run, step)["up.weight"][PLACE], tensor(run, "up.weight", step - 1)[PLACE]
        m, v = (slot(run, name, "up.weight", step - 1)[PLACE] for name in ("exp_avg", "exp_avg_sq"))
        below = math.sqrt((0.99 * v + 0.01 * g * g) / (1 - 0.99**step)) + 1e-8
        rate = LR / (1 - 0.9**step) / below
        carried = Line("carried", "exp_avg")
        return {DECAYED: -LR * DECAY * p, carried: -rate * 0.9 * m, FRESH: -rate * 0.1 * g}

    compare(run, NAME, expected)


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_with_momentum(tmp_path: Path, nesterov: bool) -> None:
    run = trained(tmp_path / "run", og.sgd(LR, momentum=0.9, nesterov=nesterov, weight_decay=DECAY))

    def expected(step: int) -> dict[Line, float]:
        g, p = gradients(run, step)["up.weight"][PLACE], tensor(run, "up.weight", step - 1)[PLACE]
        m = slot(run, "momentum_buffer", "up.weight", step - 1)[PLACE]
        fresh, old = (1.9, 0.81) if nesterov else (1.0, 0.9)
        return {DECAYED: -LR * fresh * DECAY * p, MOMENTUM: -LR * old * m, FRESH: -LR * fresh * g}

    compare(run, NAME, expected)


def test_lion_is_shared_in_proportion_and_says_so(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", og.lion(1e-3, weight_decay=DECAY))

    def expected(step: int) -> dict[Line, float]:
        g, p = gradients(run, step)["up.weight"][PLACE], tensor(run, "up.weight", step - 1)[PLACE]
        old, new = 0.9 * slot(run, "momentum_buffer", "up.weight", step - 1)[PLACE], 0.1 * g
        each = -1e-3 * np.sign(old + new) / (old + new)
        return {DECAYED: -1e-3 * DECAY * p, MOMENTUM: each * old, FRESH: each * new}

    compare(run, NAME, expected)
    assert any("sign" in text for text, _ in explain(run, NAME).shared)


def test_muon_is_linear_in_the_matrix_that_it_orthogonalises(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", og.muon(LR, momentum=0.9, weight_decay=DECAY))

    def expected(step: int) -> dict[Line, float]:
        g, p = gradients(run, step)["up.weight"], tensor(run, "up.weight", step - 1)
        old = 0.81 * slot(run, "momentum_buffer", "up.weight", step - 1)
        new = (0.1 + 0.9 * 0.1) * g
        x = (old + new).T / np.linalg.norm(old + new)
        whole = np.eye(len(x))
        a, b, c = COEFFICIENTS
        for _ in range(STEPS):
            gram = x @ x.T
            factor = a * np.eye(len(x)) + b * gram + c * gram @ gram
            x, whole = factor @ x, factor @ whole
        rate = -LR * math.sqrt(2.0) / np.linalg.norm(old + new)
        parts = {MOMENTUM: old, FRESH: new}
        return {DECAYED: -LR * DECAY * p[PLACE], **{k: rate * (whole @ v.T).T[PLACE] for k, v in parts.items()}}

    compare(run, NAME, expected)


def test_clipping_is_a_line_of_its_own(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", og.sgd(LR, momentum=0.9).with_clip(0.05).with_schedule(og.warmup(5)))

    def expected(step: int) -> dict[Line, float]:
        every = gradients(run, step)
        g, norm = every["up.weight"][PLACE], math.sqrt(sum(float((g * g).sum()) for g in every.values()))
        scale, rate = min(1.0, 0.05 / (norm + 1e-6)), LR * min(1.0, step / 5)
        m = slot(run, "momentum_buffer", "up.weight", step - 1)[PLACE]
        assert scale < 1
        return {MOMENTUM: -rate * 0.9 * m, FRESH: -rate * g, Line("clipping"): -rate * (scale - 1) * g}

    compare(run, NAME, expected)


def quadratic(g: Value, p: Value, state: dict[str, Value], dials: Any) -> tuple[Value, dict[str, Value]]:
    """A rule of one's own: a product of the momentum and the gradient, which is neither's alone."""
    m = state["m"].lerp(g, 0.25)
    return p - (m + state["m"] * g) * dials["lr"], {"m": m}


RULES = {
    "sgd": lambda: og.sgd(LR),
    "adamw clipped": lambda: og.adamw(LR).with_clip(0.1).with_schedule(og.cosine(20)),
    "muon clipped": lambda: og.muon(LR).with_clip(0.1),
    "lion": lambda: og.lion(1e-3),
    "custom": lambda: og.custom(quadratic, dials={"lr": LR}, slots=("m",)),
    "rmsprop": lambda: og.torch_optim(lambda p: torch.optim.RMSprop(p, lr=1e-3, momentum=0.5)),
    "nadam": lambda: og.torch_optim(lambda p: torch.optim.NAdam(p, lr=1e-3, weight_decay=0.1)),
    "adamax": lambda: og.torch_optim(lambda p: torch.optim.Adamax(p, lr=1e-3)),
    "adadelta": lambda: og.torch_optim(lambda p: torch.optim.Adadelta(p)),
    "radam": lambda: og.torch_optim(lambda p: torch.optim.RAdam(p, lr=1e-3)),
    "rprop": lambda: og.torch_optim(lambda p: torch.optim.Rprop(p, lr=1e-3)),
}


@pytest.mark.parametrize("name", RULES)
def test_the_sums_are_exact_for_every_rule_and_rounding_is_small(tmp_path: Path, name: str) -> None:
    run = trained(tmp_path / "run", RULES[name]())
    found = explain(run, ["up.weight", "down.bias", "down.weight[1]"])
    sums_are_exact(found)
    assert found.count == 16 * 8 + 4 + 16
    assert not any(line.kind == "other" for line in found.ledger.lines)
    for member in found.members:
        assert abs(member.sums[-1]) < 1e-5, member.name
    single = explain(run, "up.weight[3,5]", "4:9")
    sums_are_exact(single)
    among = next(member for member in explain(run, "up.weight", "4:9").members if member.name == "up.weight[3,5]")
    assert among.sums == pytest.approx(single.ledger.sums, rel=1e-9, abs=1e-12)


def test_a_group_is_the_sum_of_its_members_and_has_things_in_common(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", og.adamw(LR))
    found = explain(run, "up.weight[3,:]", "2:8")
    assert [member.name for member in found.members] == [f"up.weight[3,{i}]" for i in range(8)]
    assert np.sum([m.sums for m in found.members], axis=0) == pytest.approx(found.ledger.sums, rel=1e-9, abs=1e-12)
    (axis,) = found.common.axes
    assert (axis.dimension, axis.index, axis.meaning) == (0, 3, "unit")
    (column,) = explain(run, "up.weight[:,2]", "2:8").common.axes
    assert (column.dimension, column.meaning) == (1, "input feature")
    (origin,) = found.common.origins
    assert "self.up(x)" in origin.where
    assert run.program.routine("learn").body[origin.number - 1].note.phase == "backward"


def test_edits_calls_and_noise_are_lines_in_a_program_without_notes(tmp_path: Path) -> None:
    with begin(tmp_path / "run") as run:
        run.advance(4)
        run.edit("w", [1], [5.0])
        run.edit("w", [1], [2.0])
        run.call("sleep")
        run.advance(4)
        found = explain(run, ["w[0,0]", "w[1,0]"])
        sums_are_exact(found)
        at = {line: found.ledger.parts[:, i] for i, line in enumerate(found.ledger.lines)}
        before = float(run.state(4)["w"][1, 0])
        assert at[Line("edit")] == pytest.approx([0, 0, 0, 0, 2.0 - before, 0, 0, 0])
        assert {line.kind for line in at} == {"carried", "gradient", "noise", "edit", "rounding"}
        momenta = [run.state(s)["m"][:2].astype(np.float64).sum() for s in range(8)]
        halved = np.where(np.arange(8) == 4, 0.5, 1.0)
        assert at[Line("carried", "m")] == pytest.approx(-0.05 * 0.9 * halved * np.array(momenta), rel=1e-6)


def test_a_routine_that_changes_the_parameter_is_a_line(tmp_path: Path) -> None:
    text = regression.TEXT.replace(
        "commit %more {name=naps}", "%w = read {name=w}\n  %w2 = mul %w %half\n  commit %w2 {name=w}"
    )
    made = Learner(from_text(text), regression.learner().values)
    run = og.create(tmp_path / "run", made, regression.data(), valid=regression.valid(), machine="reference")
    with run:
        run.advance(2)
        run.call("sleep")
        run.advance(2)
        found = explain(run, "w")
        sums_are_exact(found)
        at = found.ledger.lines.index(Line("call", "sleep"))
        assert found.ledger.parts[:, at] == pytest.approx([0, 0, -run.state(2)["w"].sum() / 2, 0])


def test_a_dial_that_is_turned_counts_from_its_step_on_in_a_fork_too(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", og.sgd(LR, weight_decay=DECAY))
    fork = run.fork(6, tmp_path / "fork", dials={"weight_decay": 0.5})
    fork.advance(3)
    ledger = explain(fork, NAME, "4:10").ledger
    values = [tensor(fork, "up.weight", step - 1)[PLACE] for step in ledger.steps]
    decay = [DECAY if step <= 6 else 0.5 for step in ledger.steps]
    assert ledger.of("decay") == pytest.approx(-LR * np.array(decay) * values, rel=1e-6)
    fork.close()


def halves(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(model(batch["x"].bfloat16()).float(), batch["y"])


def test_what_a_narrow_format_loses_is_the_rounding_line(tmp_path: Path) -> None:
    torch.manual_seed(0)
    data = example_data()
    learner = og.capture(MLP().bfloat16(), halves, og.adamw(1e-3), data.batch(0))
    run = og.create(tmp_path / "run", learner, data)
    run.advance(5)
    found = explain(run, "up.weight")
    sums_are_exact(found)
    rounded, fresh = (np.array([m.sums[at] for m in found.members]) for at in (-1, -2))
    assert np.abs(rounded).mean() > 0.05 * np.abs(fresh).mean()
    run.close()


@pytest.mark.slow
def test_in_fast_mode_gradients_come_from_a_call_of_their_own(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", og.adamw(LR), options={"mode": "fast"})
    found = explain(run, "up.weight[3]")
    sums_are_exact(found)
    assert all(abs(member.sums[-1]) < 1e-6 for member in found.members)


class Tied(torch.nn.Module):
    """Scores by the embedding's own weight."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = torch.nn.Embedding(6, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = self.embed(x).mean(1)
        return seen @ self.embed.weight.T


def test_a_weight_that_is_used_twice_has_a_gradient_from_both_lines(tmp_path: Path) -> None:
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    data = og.Arrays({"x": random.integers(0, 6, (16, 3)), "y": random.integers(0, 6, 16)}, batch_size=8)
    run = og.create(tmp_path / "run", og.capture(Tied(), cross_entropy, og.sgd(LR), data.batch(0)), data)
    run.advance(2)
    found = explain(run, "embed.weight[2,:]")
    sums_are_exact(found)
    assert {origin.where.split(" ", 1)[1] for origin in found.common.origins} == {
        "seen = self.embed(x).mean(1)",
        "return seen @ self.embed.weight.T",
    }
    run.close()


CALLING = """
program calling
param w: f32[3]
state m: f32[3]
dial lr: f64[] = 0.5
input x: f32[3]

routine half(%i: i64[], %v: f32[3]) -> v:
  %h = const {value=0.5, dtype=f32, shape=[]}
  %2 = mul %v %h
  return v=%2

routine moved(%w: f32[3], %g: f32[3]) -> w:
  %n = const {value=2, dtype=i64, shape=[]}
  %quarter = loop %n %g {body=half}
  %lr = read {name=lr}
  %w2 = axpy %w %quarter %lr
  return w=%w2

routine stored():
  %w = read {name=w}
  %x = read {name=x}
  %g = sub %x %w
  %w2 = call %w %g {body=moved}
  commit %w2 {name=w}
  return

routine learn() -> loss:
  %w = read {name=w}                     ; update
  %m = read {name=m}                     ; update
  %x = read {name=x}                     ; forward
  %g = sub %x %w                         ; backward
  %m2 = add %m %g                        ; update
  %w2 = call %w %m2 {body=moved}         ; update
  %loss = sum %g {dims=[0], keep=false}  ; forward
  commit %w2 {name=w}                    ; update
  commit %m2 {name=m}                    ; update
  return loss=%loss
"""


class Rows:
    """One row of numbers a step."""

    fingerprint = "rows"

    def batch(self, step: int) -> dict[str, np.ndarray]:
        return {"x": np.arange(step, step + 3, dtype=np.float32)}


def test_routines_and_loops_within_an_update_carry_the_parts_on(tmp_path: Path) -> None:
    values = {"w": np.ones(3, np.float32), "m": np.zeros(3, np.float32)}
    run = og.create(tmp_path / "run", Learner(from_text(CALLING), values), Rows(), machine="reference")
    run.advance(4)
    found = explain(run, "w[1]")
    sums_are_exact(found)
    states = [run.state(step) for step in range(4)]
    at = {line.kind: found.ledger.parts[:, i] for i, line in enumerate(found.ledger.lines)}
    assert at["carried"] == pytest.approx([s["m"][1] / 8 for s in states])
    assert at["gradient"] == pytest.approx([(step + 1 - s["w"][1]) / 8 for step, s in enumerate(states)])
    run.close()


def test_what_a_called_routine_commits_is_refused_not_called_rounding(tmp_path: Path) -> None:
    head = CALLING.split("  %m = read {name=m} ", 1)[0]
    text = head.replace(
        "routine learn() -> loss:\n  %w = read {name=w}",
        "routine learn() -> loss:\n  call {body=stored}\n  %w = read {name=w}",
    )
    text += "  %x = read {name=x}\n  %loss = sum %x {dims=[0], keep=false}\n  return loss=%loss\n"
    values = {"w": np.ones(3, np.float32), "m": np.zeros(3, np.float32)}
    run = og.create(tmp_path / "run", Learner(from_text(text), values), Rows(), machine="reference")
    run.advance(2)
    with pytest.raises(RecordError, match="'w' is committed in a routine that 'learn' calls"):
        explain(run, "w[1]")
    run.close()


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", og.sgd(LR))
    for name, steps, message in (
        ("up.weigth[1,2]", ":", "did you mean 'up.weight'"),
        ("up.weight[16,0]", ":", "shape is"),
        ("up.weight[0,0,0]", ":", "2 dimensions"),
        ("up.weight[0,0]", "5:40", "beyond the run"),
        ("up.weight[0,0]", "40:", "beyond the run"),
        ("up.weight[0,0]", "0:1", "no step"),
        ("up.weight[0,0]", "five", "window"),
        ("nothing*", ":", "matches"),
    ):
        with pytest.raises(RecordError, match=message):
            explain(run, name, steps)


def test_a_frozen_parameter_does_not_change(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, data = MLP(), example_data()
    model.up.weight.requires_grad_(False)
    learner = og.capture(model, cross_entropy, og.sgd(LR), data.batch(0))
    run = og.create(tmp_path / "run", learner, data)
    run.advance(3)
    found = explain(run, "up.weight[0,0]")
    assert found.ledger.total == 0
    assert [line.kind for line in found.ledger.lines] == ["rounding"]
    apart = by_example(run, "up.weight[0,0]")
    assert (apart.examples, apart.gradient, apart.remainder) == ((), 0.0, 0.0)


def test_parts_of_very_different_sizes_still_sum_exactly() -> None:
    random = np.random.default_rng(3)
    parts = random.standard_normal((500, 6)) * 10.0 ** random.integers(-30, 4, (500, 6))
    old = random.standard_normal(500).astype(np.float32)
    change = (old + parts.sum(axis=1).astype(np.float32)).astype(np.float64) - old
    change[:50] = 0.0
    for row, total in zip(exact(parts, change), change, strict=True):
        assert math.fsum(row) == total
    assert exact(parts, change)[:, :6] == pytest.approx(parts, rel=1e-12, abs=1e-10)
