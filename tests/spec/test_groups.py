"""Groups of parameters with dials of their own, held to PyTorch's parameter groups bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import ontogeny as og
from benches.chat_compared import CONTEXT
from ontogeny.front.capture import capture
from ontogeny.front.edits.table import apply
from ontogeny.front.rules import Rule, constant
from ontogeny.isa.errors import CaptureError, EditError, OntogenyError, ProgramError
from ontogeny.isa.text import from_text, to_text
from ontogeny.machine.base import value_of
from ontogeny.machine.learner import Learner
from ontogeny.record.run import create
from ontogeny.steer.commands.dials import check_bounds, dial_called
from ontogeny.steer.phrases.reader import read
from tests.spec.training import MLP, Batch, cross_entropy, differences, learned, points, trained

NAMES = [name for name, _ in MLP().named_parameters()]
FIRST = NAMES[0].partition(".")[0]
GROUPS = {f"{FIRST}.*": {"weight_decay": 3.0, "lr": 5e-3}}
MADE: dict[str, tuple[Callable[..., Rule], Callable[..., torch.optim.Optimizer]]] = {
    "adamw": (og.adamw, lambda params, **how: torch.optim.AdamW(params, foreach=False, **how)),
    "sgd": (
        lambda **how: og.sgd(momentum=0.9, **how),
        lambda params, **how: torch.optim.SGD(params, momentum=0.9, foreach=False, **how),
    ),
}


def batches(count: int = 30) -> list[Batch]:
    torch.manual_seed(3)
    return [{"x": torch.randn(16, 8), "y": torch.randint(0, 4, (16,))} for _ in range(count)]


def captured(rule: Rule) -> Learner:
    torch.manual_seed(1)
    return capture(MLP(), cross_entropy, rule, batches(1)[0])


def in_groups(model: nn.Module) -> list[dict[str, object]]:
    """What GROUPS is in PyTorch."""
    own = [p for name, p in model.named_parameters() if name.startswith(f"{FIRST}.")]
    rest = [p for name, p in model.named_parameters() if not name.startswith(f"{FIRST}.")]
    return [{"params": own, "weight_decay": 3.0, "lr": 5e-3}, {"params": rest}]


@pytest.mark.parametrize("name", MADE)
def test_the_bits_are_those_of_parameter_groups(name: str) -> None:
    ours, theirs = MADE[name]
    learner = captured(ours(lr=1e-2, weight_decay=0.1).grouped(GROUPS))
    machine, _ = learned(learner, batches())
    torch.manual_seed(1)
    model = MLP()
    trained(model, cross_entropy, theirs(in_groups(model), lr=1e-2, weight_decay=0.1), batches())
    assert differences(machine, model) == (0, 0.0)
    plain, _ = learned(captured(ours(lr=1e-2, weight_decay=0.1)), batches())
    assert differences(plain, model)[1] > 0.01


def test_rules_that_go_by_whole_tensors_have_groups_too() -> None:
    rule, model = og.muon(lr=1e-2, weight_decay=0.1), MLP()
    machine, _ = learned(captured(rule), batches(3))
    for name, value in model.named_parameters():
        value.data = torch.from_numpy(value_of(machine.program.decl(name), machine.state()).copy())
    same, faster = ({f"{FIRST}.*": {"weight_decay": 0.1, "lr": rate}} for rate in (1e-2, 2e-2))
    assert differences(learned(captured(rule.grouped(same)), batches(3))[0], model) == (0, 0.0)
    assert differences(learned(captured(rule.grouped(faster)), batches(3))[0], model)[1] > 0.005


def test_dials_of_groups_are_told_apart_and_read_back() -> None:
    program = captured(og.adamw().grouped(GROUPS)).program
    dials = {decl.name: decl.default for decl in program.of("dial")}
    assert dials[f"weight_decay.{FIRST}"] == 3.0 and dials[f"lr.{FIRST}"] == 5e-3 and dials["weight_decay"] == 0.01
    assert from_text(to_text(program)) == program
    everywhere = captured(og.adamw().grouped({"*.weight": {"lr": 0.1}, "*.bias": {"lr": 0.2}})).program
    names = [decl.name for decl in everywhere.of("dial")]
    assert "lr" not in names and {"lr.weight", "lr.bias", "weight_decay"} <= {*names}


def test_a_schedule_is_of_the_rates_of_groups_too() -> None:
    rule = og.sgd(lr=0.1).grouped({f"{FIRST}.*": {"lr": 0.2}})
    machine, _ = learned(captured(rule.with_schedule(lambda step: constant()(step) * 0.5)), batches(8))
    torch.manual_seed(1)
    model = MLP()
    groups = [{**group, "lr": rate} for group, rate in zip(in_groups(model), (0.1, 0.05), strict=True)]
    trained(model, cross_entropy, torch.optim.SGD([{**one, "weight_decay": 0.0} for one in groups], lr=1.0), batches(8))
    assert differences(machine, model) == (0, 0.0)


@pytest.mark.parametrize(
    ("groups", "says"),
    [
        ({"embed.*": {"lr": 1.0}}, "no parameter matches the group 'embed.*'; there are"),
        ({"*.weight": {"lr": 1.0}, f"{FIRST}.*": {"lr": 2.0}}, "both match"),
        ({"*.weight": {"rate": 1.0}}, "has no dial 'rate'"),
        ({"*.weight": {"clip": 1.0}}, "of all gradients together"),
        ({"*.weight": {}}, "no dial of its own"),
    ],
)
def test_groups_that_cannot_be_are_refused(groups: dict[str, dict[str, float]], says: str) -> None:
    with pytest.raises((CaptureError, ProgramError), match=says.replace("*", r"\*")):
        captured(og.adamw().grouped(groups))
    with pytest.raises(ProgramError, match="has groups already"):
        og.adamw().grouped(GROUPS).grouped(GROUPS)


def test_a_rule_in_groups_takes_the_place_of_another_as_a_capture_gives_it() -> None:
    grouped = og.adamw(lr=0.1).grouped(GROUPS)
    there, other = captured(grouped), captured(og.sgd(lr=0.3))
    assert apply(other.program, "rule", to=grouped).program == there.program
    back = apply(there.program, "rule", to=og.sgd(lr=0.3))
    assert {decl.name: decl.type for decl in back.program.decls} == {d.name: d.type for d in other.program.decls}
    assert back.dials == {"lr": 0.3, "weight_decay": 0.0}
    assert apply(other.program, "rule", to=grouped).dials[f"weight_decay.{FIRST}"] == 3.0
    with pytest.raises(EditError, match="no parameter matches the group"):
        apply(other.program, "rule", to=og.adamw().grouped({"embed.*": {"lr": 1.0}}))


def test_without_decay_means_without_that_of_the_group() -> None:
    learner = captured(og.sgd(lr=1e-2, weight_decay=0.1).grouped(GROUPS))
    edited = apply(learner.program, "no_decay", tensors=[f"{FIRST}.*"]).program
    bare = captured(og.sgd(lr=1e-2, weight_decay=0.1).grouped({f"{FIRST}.*": {"weight_decay": 0.0, "lr": 5e-3}}))
    machine, _ = learned(Learner(edited, learner.values), batches(5))
    without, _ = learned(bare, batches(5))
    for name in NAMES:
        decl = edited.decl(name)
        assert (value_of(decl, machine.state()) == value_of(decl, without.state())).all()


def test_a_group_is_turned_by_name_by_words_and_within_bounds(tmp_path: Path) -> None:
    learner = captured(og.adamw(lr=1e-2).grouped(GROUPS))
    with create(tmp_path / "run", learner, points(64, 16)) as run:
        run.advance(2)
        assert dial_called(run, f"weight decay of {FIRST}") == f"weight_decay.{FIRST}"
        run.set_dial(f"weight_decay.{FIRST}", 0.0)
        run.advance(2)
        lines = og.explain(run, f"{NAMES[0]}[0,0]", "1:5").ledger
        decay = lines.parts[:, [line.kind for line in lines.lines].index("decay")]
        assert (decay[:2] != 0).all() and (decay[2:] == 0).all()
    with pytest.raises(OntogenyError, match="cannot be -1"):
        check_bounds({"weight_decay.embed": -1.0})


@pytest.mark.parametrize(
    ("words", "dial"),
    [
        ("set weight_decay.embed to 1", "weight_decay.embed"),
        ("set the weight decay of embed to 1", "weight_decay.embed"),
        ("set the learning rate of embed.weight to 1", "lr.embed"),
        ("set the weight decay to 1", "weight_decay"),
    ],
)
def test_a_group_is_said(words: str, dial: str) -> None:
    context = replace(CONTEXT, dials={**CONTEXT.dials, "weight_decay.embed": 3.0, "lr.embed": 0.1})
    (command,) = read(words, context).commands
    assert (command.NAME, command.model_dump()["dial"], command.model_dump()["to"]) == ("set", dial, 1.0)


@pytest.mark.parametrize("words", ["set the weight decay of embed to 1", "halve the weight decay of embed"])
def test_a_group_that_is_not_there_is_said_with_how_to_make_one_and_the_whole_rule_is_left_alone(words: str) -> None:
    reading = read(words, CONTEXT)
    assert not reading.commands and not reading.alternatives
    assert "has no weight_decay of its own" in reading.unsure and "grouped(" in reading.unsure
