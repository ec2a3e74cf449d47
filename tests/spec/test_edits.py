"""Edits of the learning rule against plain PyTorch that does the same by hand, mid-run, on the same batches."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import ontogeny as og
from ontogeny.ask.by_example import by_example
from ontogeny.ask.explain import explain
from ontogeny.ask.parts import NOISE
from ontogeny.front.edits import EDITS, apply, apply_all, describe
from ontogeny.front.edits.edited import Edited
from ontogeny.front.rules import Rule
from ontogeny.isa.errors import EditError
from ontogeny.isa.program import Program
from ontogeny.isa.text import from_text, to_text
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.machine.compiled.threefry import uniform
from ontogeny.machine.learner import Array, Learner
from ontogeny.machine.reference import ReferenceMachine
from ontogeny.record.changing import carried
from tests.spec.training import MLP, Batch, arrays, cross_entropy, differences, drawn, register, trained

BEFORE, AFTER = 5, 10
HAND = (Path(__file__).parents[2] / "examples" / "perceptron.onto").read_text()


def batches(count: int = BEFORE + AFTER) -> list[Batch]:
    return drawn(count)


def model() -> nn.Module:
    torch.manual_seed(1)
    return MLP()


RULES: dict[str, Rule] = {
    "adamw": og.adamw(1e-2, weight_decay=0.1),
    "sgd": og.sgd(0.1, weight_decay=0.01),
    "momentum": og.sgd(0.1, momentum=0.9),
    "nesterov": og.sgd(0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "lion": og.lion(1e-3, weight_decay=0.1),
    "muon": og.muon(1e-2),
    "soap": og.soap(1e-2),
    "clipped": og.adamw(3e-3).with_clip(0.05),
    "scheduled": og.adamw(1e-2).with_schedule(og.cosine(20, 0.1)),
    "traced": og.torch_optim(lambda params: torch.optim.RMSprop(params, lr=1e-3)),
}
OPTIMIZERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "adamw": lambda params: torch.optim.AdamW(params, lr=1e-2, weight_decay=0.1),
    "sgd": lambda params: torch.optim.SGD(params, lr=0.1, weight_decay=0.01),
    "momentum": lambda params: torch.optim.SGD(params, lr=0.1, momentum=0.9),
}


@pytest.fixture(scope="module")
def learners() -> dict[str, Learner]:
    return {name: og.capture(model(), cross_entropy, rule, batches(1)[0]) for name, rule in RULES.items()}


def went_on(machine: CompiledMachine, edited: Edited) -> CompiledMachine:
    """A machine for the edited program that stands where another one does."""
    new = CompiledMachine(edited.program, threads=1)
    new.load(carried(edited.before, machine.state(), edited.program, edited.values))
    return new


def taught(machine: CompiledMachine, given: list[Batch], **dials: float) -> CompiledMachine:
    for batch in given:
        machine.call("learn", arrays(batch), dials)
    return machine


def begun(learner: Learner, steps: int = BEFORE) -> CompiledMachine:
    machine = CompiledMachine(learner.program, threads=1)
    machine.load(learner.values)
    return taught(machine, batches()[:steps])


def edited(learner: Learner, *edits: tuple[str, dict[str, Any]]) -> tuple[CompiledMachine, Edited]:
    """Some steps, the edits, and some more."""
    found = apply_all(learner.program, edits)
    return taught(went_on(begun(learner), found), batches()[BEFORE:], **found.dials), found


Hook = Callable[[nn.Module, Callable[[], None], int], None]


def by_hand(name: str, hook: Hook, steps: int = AFTER) -> nn.Module:
    """Plain PyTorch: some steps, then steps in which `hook` does what the edit says around the optimizer's own."""
    plain = model()
    optimizer = OPTIMIZERS[name](plain.parameters())
    trained(plain, cross_entropy, optimizer, batches()[:BEFORE])
    for at, batch in enumerate(batches()[BEFORE : BEFORE + steps], BEFORE):
        optimizer.zero_grad()
        cross_entropy(plain, batch)["loss"].backward()
        hook(plain, optimizer.step, at)
    return plain


def same(machine: CompiledMachine, plain: nn.Module, tolerance: float = 0.0) -> None:
    count, largest = differences(machine, plain)
    assert largest <= tolerance, (count, largest)


def changed(plain: nn.Module, step: Callable[[], None], change: Callable[[str, Any, Any], Any]) -> None:
    """An optimizer's step whose result for each tensor is `change(name, old, new)`."""
    old = {name: p.detach().clone() for name, p in plain.named_parameters()}
    step()
    with torch.no_grad():
        for name, p in plain.named_parameters():
            p.copy_(change(name, old[name], p.detach().clone()))


# --- another rule


@pytest.mark.parametrize("to", RULES)
@pytest.mark.parametrize("start", ["adamw", "sgd", "momentum", "muon", "traced"])
def test_another_rule_is_the_program_that_a_capture_with_it_gives(
    learners: dict[str, Learner], start: str, to: str
) -> None:
    found = apply(learners[start].program, "rule", to=RULES[to])
    assert to_text(found.program) == to_text(learners[to].program)


@pytest.mark.parametrize("to", ["sgd", "muon", "adamw"])
def test_a_rule_changed_midway_learns_as_a_new_optimizer_would(learners: dict[str, Learner], to: str) -> None:
    given = batches()
    found = apply(learners["momentum"].program, "rule", to=RULES[to], since=BEFORE)
    machine = taught(went_on(begun(learners["momentum"]), found), given[BEFORE:], **found.dials)
    plain = model()
    trained(plain, cross_entropy, OPTIMIZERS["momentum"](plain.parameters()), given[:BEFORE])
    fresh = CompiledMachine(og.capture(plain, cross_entropy, RULES[to], given[0]).program, threads=1)
    fresh.load(og.capture(plain, cross_entropy, RULES[to], given[0]).values)
    taught(fresh, given[BEFORE:])
    for name, _ in plain.named_parameters():
        assert register(machine, name).tobytes() == register(fresh, name).tobytes()
    if to in OPTIMIZERS:
        trained(plain, cross_entropy, OPTIMIZERS[to](plain.parameters()), given[BEFORE:])
        same(machine, plain)


def test_a_rule_by_name_keeps_the_dials_that_there_are(learners: dict[str, Learner]) -> None:
    found = apply(learners["adamw"].program, "rule", to="lion", options={"beta2": 0.95})
    assert found.dials == {"beta2": 0.95}
    assert found.program.decl("lr").default == 1e-2
    assert found.program.decl("weight_decay").default == 0.1
    names = {decl.name for decl in found.program.decls}
    assert "eps" not in names and "exp_avg" not in names and "momentum_buffer" in names
    soap = apply(learners["adamw"].program, "rule", to="soap").program
    assert any(decl.name.startswith("gram_left") for decl in soap.decls) and soap.decl("eps").default == 1e-8
    with pytest.raises(EditError, match="lion has no dial 'eps'"):
        apply(learners["adamw"].program, "rule", to="lion", options={"eps": 1.0})
    with pytest.raises(EditError, match="there is no rule 'adagrad'"):
        apply(learners["adamw"].program, "rule", to="adagrad")


def test_state_that_does_not_start_at_zero_comes_with_its_start(learners: dict[str, Learner]) -> None:
    rule = og.torch_optim(lambda params: torch.optim.NAdam(params, lr=1e-3))
    found = apply(learners["sgd"].program, "rule", to=rule)
    wanted = og.capture(model(), cross_entropy, rule, batches(1)[0])
    assert {name: float(value) for name, value in found.values.items()} == {"mu_product": 1.0}
    ours = carried(found.before, learners["sgd"].values, found.program, found.values)
    assert {k: v.tobytes() for k, v in ours.items()} == {k: v.tobytes() for k, v in wanted.values.items()}


def test_momentum_for_sgd(learners: dict[str, Learner]) -> None:
    machine, found = edited(learners["sgd"], ("momentum", {"momentum": 0.9}))
    plain = model()
    trained(plain, cross_entropy, OPTIMIZERS["sgd"](plain.parameters()), batches()[:BEFORE])
    optimizer = torch.optim.SGD(plain.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)
    trained(plain, cross_entropy, optimizer, batches()[BEFORE:])
    same(machine, plain)
    assert "new dial momentum: f64[] = 0.9" in found.changes
    with pytest.raises(EditError, match="sgd alone"):
        apply(learners["adamw"].program, "momentum")


# --- what the rule gets


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_clipping_as_torch_does_it_and_taken_away(learners: dict[str, Learner], name: str) -> None:
    machine, found = edited(learners[name], ("clip", {"norm": 0.05}))

    def hook(plain: nn.Module, step: Callable[[], None], _: int) -> None:
        nn.utils.clip_grad_norm_(plain.parameters(), 0.05)
        step()

    same(machine, by_hand(name, hook), 2e-6)
    without = apply(found.program, "clip", norm=0)
    assert to_text(without.program) == to_text(learners[name].program)
    captured = og.capture(model(), cross_entropy, RULES[name].with_clip(0.05), batches(1)[0])
    assert taught(went_on(begun(learners[name]), found), batches()).state()["params"].tobytes() == (
        taught(went_on(begun(learners[name]), Edited(found.before, captured.program, {}, {}, "", ())), batches())
        .state()["params"]
        .tobytes()
    )
    assert "clip" not in to_text(apply(captured.program, "clip", norm=0).program)


def test_the_sign_of_the_gradient(learners: dict[str, Learner]) -> None:
    machine, _ = edited(learners["sgd"], ("gradient_sign", {}))

    def hook(plain: nn.Module, step: Callable[[], None], _: int) -> None:
        for p in plain.parameters():
            p.grad = torch.sign(p.grad)  # type: ignore[arg-type]
        step()

    same(machine, by_hand("sgd", hook))


def test_noise_is_the_languages_own(learners: dict[str, Learner]) -> None:
    machine, _ = edited(learners["adamw"], ("noise", {"scale": 0.1}))
    pieces = [d for d in learners["adamw"].program.decls if d.arena == "params"]

    def hook(plain: nn.Module, step: Callable[[], None], at: int) -> None:
        count, start, named = sum(piece.type.size for piece in pieces), 0, dict(plain.named_parameters())
        one, two = (uniform(0, at, site, ((count + 1) // 2,), "cpu") for site in (0, 1))
        radius, angle = ((1.0 - one).log() * -2.0).sqrt(), two * math.tau
        numbers = torch.cat([radius * angle.cos(), radius * angle.sin()])
        for piece in pieces:
            p = named[piece.name]
            own = numbers[start : start + piece.type.size].reshape(p.shape)
            p.grad = torch.add(p.grad, own, alpha=0.1)  # type: ignore[arg-type]
            start += piece.type.size
        step()

    same(machine, by_hand("adamw", hook), 1e-6)
    used = sum(piece.type.size for piece in pieces)
    assert np.count_nonzero(machine.view()["params"]) == used


def test_slow_gradients_amplified(learners: dict[str, Learner]) -> None:
    machine, found = edited(learners["momentum"], ("smooth", {"decay": 0.9, "gain": 1.5}))
    averages: dict[str, Any] = {}

    def hook(plain: nn.Module, step: Callable[[], None], _: int) -> None:
        for name, p in plain.named_parameters():
            averages[name] = 0.9 * averages.get(name, p.grad) + 0.1 * p.grad  # type: ignore[operator]
            p.grad = p.grad + 1.5 * averages[name]
        step()

    same(machine, by_hand("momentum", hook), 1e-6)
    assert "new state gradient_ema: f32[224]" in found.changes
    assert to_text(apply(found.program, "smooth", gain=0.0).program) == to_text(learners["momentum"].program)


@pytest.mark.parametrize("name", ["sgd", "momentum", "adamw"])
def test_perpendicular_gradients_lose_what_points_along_each_tensor(learners: dict[str, Learner], name: str) -> None:
    machine, found = edited(learners[name], ("perpendicular", {}))

    def hook(plain: nn.Module, step: Callable[[], None], _: int) -> None:
        for p in plain.parameters():
            assert p.grad is not None
            p.grad -= (p.grad * p.detach()).sum() / (p.detach() ** 2).sum() * p.detach()
        step()

    same(machine, by_hand(name, hook), 1e-6)
    assert to_text(apply(found.program, "remove", edit="perpendicular").program) == to_text(learners[name].program)
    with pytest.raises(EditError, match="already"):
        apply(found.program, "perpendicular")


# --- schedules


def test_bursts_written_in_afterwards_have_the_bits_of_captured_ones(learners: dict[str, Learner]) -> None:
    found = apply(learners["adamw"].program, "schedule", shape="bursts", steps=4, length=2, height=3.0, start=1)
    captured = og.capture(model(), cross_entropy, RULES["adamw"].with_schedule(og.bursts(3.0, 2, 4, 1)), batches(1)[0])
    machine = taught(went_on(begun(learners["adamw"], 0), found), batches())
    assert machine.state()["params"].tobytes() == begun(captured, len(batches())).state()["params"].tobytes()
    with pytest.raises(EditError, match="length below steps"):
        apply(learners["adamw"].program, "schedule", shape="bursts", steps=4, length=4)


@pytest.mark.parametrize("name", ["adamw", "sgd", "muon"])
def test_a_schedule_written_in_afterwards_has_the_bits_of_a_captured_one(
    learners: dict[str, Learner], name: str
) -> None:
    found = apply(learners[name].program, "schedule", shape="cosine", steps=20, floor=0.1)
    captured = og.capture(model(), cross_entropy, RULES[name].with_schedule(og.cosine(20, 0.1)), batches(1)[0])
    machine, other = went_on(begun(learners[name], 0), found), begun(captured, len(batches()))
    taught(machine, batches())
    assert {k: v.tobytes() for k, v in machine.state().items()} == {k: v.tobytes() for k, v in other.state().items()}
    assert to_text(apply(found.program, "schedule", shape="constant").program) == to_text(learners[name].program)


def test_a_captured_schedule_goes_on_by_another_rule(learners: dict[str, Learner]) -> None:
    found = apply(learners["scheduled"].program, "rule", to=RULES["sgd"])
    captured = og.capture(model(), cross_entropy, RULES["sgd"].with_schedule(og.cosine(20, 0.1)), batches(1)[0])
    machine = taught(went_on(begun(learners["scheduled"], 0), found), batches())
    assert machine.state()["params"].tobytes() == begun(captured, len(batches())).state()["params"].tobytes()
    assert to_text(apply(found.program, "schedule", shape="constant").program) == to_text(learners["sgd"].program)


def test_a_warmup_from_a_step_on(learners: dict[str, Learner]) -> None:
    machine, _ = edited(learners["sgd"], ("schedule", {"shape": "warmup", "steps": 4, "start": BEFORE}))
    plain = model()
    optimizer = OPTIMIZERS["sgd"](plain.parameters())
    trained(plain, cross_entropy, optimizer, batches()[:BEFORE])
    rise = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda at: min((at + 1) / 4, 1.0))
    trained(plain, cross_entropy, optimizer, batches()[BEFORE:], schedule=rise)
    same(machine, plain)


# --- what the rule's result becomes


@pytest.mark.parametrize("name", ["adamw", "sgd", "momentum"])
def test_frozen_tensors_and_their_state_keep_every_bit(learners: dict[str, Learner], name: str) -> None:
    start = begun(learners[name])
    found = apply(learners[name].program, "freeze", tensors=["up.*"])
    machine = taught(went_on(start, found), batches()[BEFORE:])

    def hook(plain: nn.Module, step: Callable[[], None], _: int) -> None:
        for p in (plain.up.weight, plain.up.bias):  # type: ignore[union-attr]
            p.grad = None  # type: ignore[union-attr]
        step()

    same(machine, by_hand(name, hook))
    pieces = [found.program.decl(tensor) for tensor in ("up.weight", "up.bias")]
    for kept in (d.name for d in found.program.kept() if d.type == found.program.decl("params").type):
        before, after = start.state()[kept], machine.state()[kept]
        for piece in pieces:
            at = slice(piece.offset, piece.offset + piece.type.size)
            assert before[at].tobytes() == after[at].tobytes(), kept
        assert before.tobytes() != after.tobytes()


def test_freezing_single_registers_and_releasing_some(learners: dict[str, Learner]) -> None:
    start = begun(learners["muon"])
    found = apply(learners["muon"].program, "freeze", tensors=["*.weight"])
    machine = taught(went_on(start, found), batches()[BEFORE:])
    before, after = start.state(), machine.state()
    still = {name for name in before if before[name].tobytes() == after[name].tobytes()}
    assert {"up.weight", "down.weight", "momentum_buffer.up.weight", "momentum_buffer.down.weight"} <= still
    assert not {"up.bias", "down.bias", "exp_avg.up.bias", "step"} & still
    part = apply(found.program, "unfreeze", tensors=["up.weight"])
    assert describe(part.program).endswith("edited: freeze down.weight")
    assert to_text(apply(part.program, "unfreeze", tensors=["down.*t"]).program) == to_text(learners["muon"].program)
    with pytest.raises(EditError, match=r"up\.weight is not frozen; frozen are down\.weight"):
        apply(part.program, "unfreeze", tensors=["up.*"])


def groups(plain: nn.Module, **special: float) -> Any:
    """Parameter groups of PyTorch: matrices, and the rest with options of its own."""
    params = list(plain.parameters())
    return [
        {"params": [p for p in params if p.dim() > 1]},
        {"params": [p for p in params if p.dim() < 2], **special},
    ]


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_only_matrices_decay(learners: dict[str, Learner], name: str) -> None:
    found = apply(learners[name].program, "no_decay", only_matrices=True)
    machine = taught(went_on(begun(learners[name], 0), found), batches())
    plain = model()
    trained(plain, cross_entropy, OPTIMIZERS[name](groups(plain, weight_decay=0.0)), batches())
    same(machine, plain)
    assert to_text(apply(found.program, "remove", edit="no_decay").program) == to_text(learners[name].program)


def test_no_decay_where_state_depends_on_it_and_on_single_registers(learners: dict[str, Learner]) -> None:
    for name in ("nesterov", "muon"):
        found = apply(learners[name].program, "no_decay", tensors=["*.bias", "up.weight"])
        machine = taught(went_on(begun(learners[name], 0), found), batches())
        plain = taught(begun(learners[name], 0), batches())
        none = taught(begun(learners[name], 0), batches(1), weight_decay=0.0)
        one = taught(went_on(begun(learners[name], 0), found), batches(1))
        first = taught(begun(learners[name], 0), batches(1))
        for tensor in ("up.bias", "up.weight", "down.bias"):
            assert register(one, tensor).tobytes() == register(none, tensor).tobytes()
        assert register(one, "down.weight").tobytes() == register(first, "down.weight").tobytes()
        assert register(machine, "up.weight").tobytes() != register(plain, "up.weight").tobytes()


def test_another_learning_rate_for_some_tensors(learners: dict[str, Learner]) -> None:
    for name, rate in (("adamw", 1e-2), ("sgd", 0.1)):
        found = apply(learners[name].program, "lr_factor", tensors=["*.bias"], factor=0.25)
        machine = taught(went_on(begun(learners[name], 0), found), batches(), **found.dials)
        plain = model()
        trained(plain, cross_entropy, OPTIMIZERS[name](groups(plain, lr=rate / 4)), batches())
        same(machine, plain, 2e-6)
        assert found.dials == {"lr_factor.bias": 0.25}
        again = apply(found.program, "lr_factor", tensors=["*.bias"], factor=2.0)
        assert (again.program, again.dials) == (found.program, {"lr_factor.bias": 2.0})


def test_the_update_replaced_by_its_sign(learners: dict[str, Learner]) -> None:
    machine, _ = edited(learners["adamw"], ("update_sign", {}))

    def hook(plain: nn.Module, step: Callable[[], None], _: int) -> None:
        changed(plain, step, lambda _, old, new: torch.sign(new - old) * 1e-2 + old)

    same(machine, by_hand("adamw", hook))


# --- together


def test_edits_compose_and_stay_when_the_rule_is_replaced(learners: dict[str, Learner]) -> None:
    edits: list[tuple[str, dict[str, Any]]] = [
        ("freeze", {"tensors": ["up.bias"]}),
        ("clip", {"norm": 0.05}),
        ("schedule", {"shape": "cosine", "steps": 100}),
        ("no_decay", {"tensors": ["down.bias"]}),
        ("smooth", {}),
        ("lr_factor", {"tensors": ["down.*"], "factor": 0.5}),
        ("rule", {"to": "lion", "options": {"lr": 1e-3}}),
        ("rule", {"to": "muon"}),
        ("rule", {"to": "adamw"}),
    ]
    machine, found = edited(learners["sgd"], *edits)
    said = describe(found.program)
    for text in ("clip", "smooth", "schedule shape=cosine", "no_decay down.bias", "lr_factor down.*", "freeze up.bias"):
        assert text in said
    assert said.startswith("adamw with lr")
    assert from_text(to_text(found.program)) == found.program
    start = begun(learners["sgd"])
    assert register(machine, "up.bias").tobytes() == register(start, "up.bias").tobytes()
    ema, piece = machine.state()["gradient_ema"], found.program.decl("up.bias")
    assert not ema[piece.offset : piece.offset + piece.type.size].any() and ema.any()
    bare = found.program
    for name in ("freeze", "lr_factor", "smooth", "no_decay", "schedule", "clip"):
        bare = apply(bare, "remove", edit=name).program
    wanted = apply_all(learners["sgd"].program, [edits[-3], edits[-2], edits[-1]]).program
    assert [i.op for i in bare.routine("learn").body] == [i.op for i in wanted.routine("learn").body]
    assert {d.name for d in bare.decls} == {d.name for d in wanted.decls}


def test_what_is_frozen_stays_so_whatever_is_edited_later(learners: dict[str, Learner]) -> None:
    frozen: tuple[str, dict[str, Any]] = ("freeze", {"tensors": ["down.*"]})
    later: list[tuple[str, dict[str, Any]]] = [
        ("update_sign", {}),
        ("noise", {"scale": 0.1}),
        ("lr_factor", {"tensors": ["*"], "factor": 3.0}),
        ("gradient_sign", {}),
    ]
    machine, found = edited(learners["adamw"], frozen, *later)
    start = begun(learners["adamw"])
    for tensor in ("down.weight", "down.bias"):
        assert register(machine, tensor).tobytes() == register(start, tensor).tobytes()
    assert register(machine, "up.bias").tobytes() != register(start, "up.bias").tobytes()
    assert "freeze down.*" in to_text(found.program)


EVERYWHERE: list[tuple[str, dict[str, Any]]] = [
    ("clip", {"norm": 0.5}),
    ("smooth", {}),
    ("no_decay", {"tensors": ["down.weight"]}),
    ("lr_factor", {"tensors": ["down.*"], "factor": 2.0}),
    ("freeze", {"tensors": ["up.bias"]}),
]


@pytest.mark.parametrize(
    "mode, more",
    [
        ("portable", [("noise", {"scale": 0.01})]),
        ("fast", []),
        pytest.param("fast", [("noise", {"scale": 0.01})], marks=pytest.mark.slow),
    ],
)
def test_edited_programs_run_in_every_mode_and_on_the_reference(
    learners: dict[str, Learner], mode: str, more: list[tuple[str, dict[str, Any]]]
) -> None:
    found = apply_all(learners["adamw"].program, EVERYWHERE + more)
    state = carried(found.before, learners["adamw"].values, found.program, found.values)
    exact, reference = CompiledMachine(found.program, threads=1), ReferenceMachine(found.program)
    other = CompiledMachine(found.program, mode=mode)
    for machine in (exact, reference, other):
        machine.load(state)
        for batch in batches(3):
            machine.call("learn", arrays(batch), {})
    for machine in (reference, other):
        for name, value in machine.state().items():
            np.testing.assert_allclose(value, exact.state()[name], rtol=1e-3, atol=1e-4, err_msg=name)


@pytest.mark.parametrize(
    "edits",
    [
        [("freeze", {"tensors": ["down.*"]}), ("lr_factor", {"tensors": ["up.weight"], "factor": 0.5})],
        [("clip", {"norm": 0.05}), ("smooth", {}), ("no_decay", {"tensors": ["up.*"]})],
        [("noise", {"scale": 0.01}), ("update_sign", {})],
    ],
)
def test_a_fork_by_an_edited_rule_replays_and_explains_exactly(
    tmp_path: Path, learners: dict[str, Learner], edits: Any
) -> None:
    found = apply_all(learners["adamw"].program, edits)
    random = np.random.default_rng(0)
    data = og.Arrays(
        {"x": random.standard_normal((48, 8)).astype(np.float32), "y": random.integers(0, 4, 48)}, batch_size=16
    )
    run = og.create(tmp_path / "run", learners["adamw"], data)
    run.advance(6)
    fork = run.fork(4, tmp_path / "fork", found.dials, program=found.program, values=found.values)
    fork.advance(6)
    assert fork.verify().ok and fork.hash(5) != run.hash(5)
    for asked in ("up.weight[1,2]", "up.*", "down.bias"):
        told = explain(fork, asked, "5:11")
        for parts, change in zip(told.ledger.parts, told.ledger.change, strict=True):
            assert math.fsum(parts) == change
        assert math.fsum(told.ledger.sums) == told.ledger.total
        assert len(told.ledger.steps) == 6
        if edits[0][0] == "freeze" and asked == "down.bias":
            assert told.ledger.total == 0.0 and not any(told.ledger.sums)
        if edits[0][0] == "noise":
            assert any(line.kind == NOISE for line in told.ledger.lines)
    divided = by_example(fork, "up.weight[1,2]", "5:7")
    shares = [one.part for one in divided.examples]
    assert math.fsum([*shares, divided.remainder]) == divided.gradient
    assert abs(divided.remainder) < 1e-3 * max(map(abs, shares))


ANY: dict[str, dict[str, Any]] = {
    "clip": {"norm": 0.5},
    "gradient_sign": {},
    "noise": {"scale": 0.01},
    "smooth": {},
    "perpendicular": {},
    "schedule": {"shape": "warmup", "steps": 5},
    "no_decay": {"tensors": ["*.bias"]},
    "update_sign": {},
    "lr_factor": {"tensors": ["down.*"], "factor": 2.0},
    "freeze": {"tensors": ["up.weight", "down.bias"]},
}


@given(
    st.sampled_from(["adamw", "sgd", "nesterov", "lion", "muon", "traced"]),
    st.lists(st.sampled_from(sorted(ANY)), unique=True).flatmap(
        lambda names: st.tuples(st.just(names), st.permutations(names))
    ),
)
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_edits_in_any_order_are_taken_out_in_any_order(
    learners: dict[str, Learner], name: str, orders: tuple[list[str], list[str]]
) -> None:
    program = learners[name].program
    for edit in orders[0]:
        if (name, edit) != ("traced", "no_decay"):
            program = apply(program, edit, **ANY[edit]).program
    assert from_text(to_text(program)) == program
    machine = CompiledMachine(program, threads=1)
    machine.load(carried(learners[name].program, learners[name].values, program, {}))
    before = register(machine, "up.weight").copy()
    taught(machine, batches(2))
    assert np.array_equal(before, register(machine, "up.weight")) == ("freeze" in orders[0])
    for edit in orders[1]:
        if (name, edit) != ("traced", "no_decay"):
            program = apply(program, "remove", edit=edit).program
    assert to_text(program) == to_text(learners[name].program)


def test_a_bound_that_was_captured_without_a_note_is_known(learners: dict[str, Learner]) -> None:
    old = from_text(to_text(learners["clipped"].program).replace("update | clip", "update | adamw"))
    wanted = og.capture(model(), cross_entropy, og.adamw(3e-3), batches(1)[0]).program
    bare = apply(old, "clip", norm=0).program
    assert [i.op for i in bare.routine("learn").body] == [i.op for i in wanted.routine("learn").body]
    assert bare.decls == wanted.decls
    lion = apply(old, "rule", to="lion").program
    assert describe(lion).endswith("edited: clip")


def test_what_many_registers_become_is_one_sentence() -> None:
    deep = nn.Sequential(*(nn.Linear(8, 8) for _ in range(4)))
    program = og.capture(deep, cross_entropy, og.adamw(), batches(1)[0]).program
    said = apply(program, "rule", to="muon").changes
    assert "24 new states: momentum_buffer.0.weight, momentum_buffer.0.bias" in " ".join(said)
    assert not any("param" in sentence for sentence in said)


# --- programs by hand, texts, words


def test_a_hand_written_program_can_be_edited_behind_its_rule() -> None:
    program = from_text(HAND)
    state = {"theta": np.array([0.5, -0.25, 0.1], np.float32), "seed": np.int64(0), "step": np.int64(0)}
    random = np.random.default_rng(1)
    inputs = {"x": random.standard_normal((8, 2)).astype(np.float32), "y": np.ones(8, np.float32)}
    plain = stepped(program, state, inputs)
    assert not np.array_equal(plain, state["theta"])
    frozen = stepped(apply(program, "freeze", tensors=["b"]).program, state, inputs)
    assert frozen[2] == state["theta"][2] and np.array_equal(frozen[:2], plain[:2])
    half = stepped(apply(program, "lr_factor", tensors=["w"], factor=0.5).program, state, inputs)
    np.testing.assert_allclose(half[:2], (plain + state["theta"])[:2] / 2, rtol=1e-6)
    signed = stepped(apply(program, "update_sign").program, state, inputs)
    np.testing.assert_allclose(signed, state["theta"] + 0.1 * np.sign(plain - state["theta"]), rtol=1e-6)
    with pytest.raises(EditError, match="written by hand"):
        apply(program, "rule", to="adamw")
    with pytest.raises(EditError, match="no dial 'weight_decay'"):
        apply(program, "no_decay", tensors=["w"])


def stepped(program: Program, state: dict[str, Any], inputs: dict[str, Array]) -> Array:
    machine = ReferenceMachine(program)
    machine.load({name: np.asarray(value) for name, value in state.items()})
    machine.call("learn", inputs, {})
    return machine.state()["theta"]


def test_without_marks_only_what_comes_behind_the_rule_can_be_edited() -> None:
    bare = from_text("\n".join(line.split("  ; ")[0] for line in HAND.splitlines()) + "\n")
    assert "freeze b" in to_text(apply(bare, "freeze", tensors=["b"]).program)
    with pytest.raises(EditError, match="no note says which instructions of 'learn' are its update"):
        apply(bare, "clip", norm=1.0)
    assert describe(bare) == "a rule of its own, whose instructions are not marked as update with lr 0.1"


NEW_LEARN = """state velocity: f32[3]
routine learn() -> loss:
  %theta = read {name=theta}
  %v = read {name=velocity}
  %lr = read {name=lr}
  %new = axpy %theta %v %lr   ; update | drift
  commit %new {name=theta}  ; update | drift
  %loss = const {value=0.0, dtype=f32, shape=[]}
  return loss=%loss
"""


def test_learn_as_a_text() -> None:
    program = from_text(HAND)
    found = apply(program, "text", text=NEW_LEARN)
    assert [routine.name for routine in found.program.routines] == [routine.name for routine in program.routines]
    assert found.changes == ("new state velocity: f32[3]",)
    assert apply(program, "text", text=to_text(found.program)).program == found.program
    with pytest.raises(EditError, match="line 6, column"):
        apply(program, "text", text=NEW_LEARN.replace("axpy %theta %v %lr", "axpy %theta %v %what"))
    with pytest.raises(EditError, match="go on returning 'loss'"):
        apply(program, "text", text=NEW_LEARN.replace("loss:", "cost:").replace("loss=", "cost="))
    with pytest.raises(EditError, match=r"keep the parameter w: f32\[2\]"):
        apply(
            program,
            "text",
            text=HAND.replace("param w: f32[2] = theta[0]", "param v: f32[2] = theta[0]").replace("name=w}", "name=v}"),
        )


def test_every_edit_says_what_it_takes(learners: dict[str, Learner]) -> None:
    program = learners["adamw"].program
    for edit in EDITS.values():
        assert edit.meaning and all(parameter.meaning for parameter in edit.parameters)
        with pytest.raises(EditError, match=f"{edit.name} takes no 'nonsense'"):
            apply(program, edit.name, nonsense=1)
    with pytest.raises(EditError, match="there is no edit 'melt'"):
        apply(program, "melt")
    with pytest.raises(EditError, match="clip needs norm"):
        apply(program, "clip")
    with pytest.raises(EditError, match="norm=nan is not a number"):
        apply(program, "clip", norm=math.nan)
    with pytest.raises(EditError, match=r"no parameter matches 'embed\.\*'; there are up\.weight"):
        apply(program, "freeze", tensors="embed.*")


def test_the_diff_shows_the_update_alone(learners: dict[str, Learner]) -> None:
    found = apply(learners["adamw"].program, "freeze", tensors=["up.bias"])
    diff = found.diff()
    added = [line for line in diff.splitlines() if line.startswith("+") and "freeze up.bias" in line]
    assert len(added) > 6 and "forward" not in diff and "backward" not in diff
    assert apply(found.program, "unfreeze", tensors=["up.bias"]).program == found.before
