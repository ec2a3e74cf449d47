"""A captured program works with any number of examples: at each it is the program that a capture there would give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import ontogeny as og
from ontogeny.data.arrays import Arrays
from ontogeny.front.capture import capture
from ontogeny.isa.errors import MachineError, ProgramError, TextError
from ontogeny.isa.resize import resized, sizes, unsized
from ontogeny.isa.text import format_text, from_text, to_text
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.machine.learner import Learner
from ontogeny.machine.reference import ReferenceMachine
from ontogeny.record.run import create
from tests.spec.training import (
    CNN,
    GPT,
    MLP,
    Batch,
    Block,
    Recurrent,
    ViT,
    adamw,
    arrays,
    cross_entropy,
    differences,
    learned,
    trained,
)

RULE = og.adamw(lr=1e-2, weight_decay=0.1)


class OneLayer(nn.Module):
    """A one-layer transformer whose last place gives the scores."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.block, self.out = nn.Embedding(12, 32), Block(32, 4, causal=False), nn.Linear(32, 12)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.block(self.embed(x))[:, -1])


def numbers(*shape: int) -> Callable[[int], torch.Tensor]:
    return lambda count: torch.randn(count, *shape)


def integers(below: int, *shape: int) -> Callable[[int], torch.Tensor]:
    return lambda count: torch.randint(0, below, (count, *shape))


Make = Callable[[int], torch.Tensor]
CASES: dict[str, tuple[Callable[[], nn.Module], Make, Make]] = {
    "mlp": (MLP, numbers(8), integers(4)),
    "cnn": (CNN, numbers(1, 8, 8), integers(10)),
    "gru": (lambda: Recurrent(nn.GRU), integers(10, 3), integers(10, 3)),
    "transformer": (OneLayer, integers(12, 3), integers(12)),
    "gpt": (lambda: GPT(dropout=0.1, depth=1), integers(65, 16), integers(65, 16)),
    "vit": (ViT, numbers(3, 16, 16), integers(5)),
}


def batch_of(name: str, count: int) -> Batch:
    _, x, y = CASES[name]
    return {"x": x(count), "y": y(count)}


def captured(name: str, count: int, valid: int = 4) -> Learner:
    torch.manual_seed(0)
    model, held_out = CASES[name][0](), batch_of(name, valid)
    return capture(
        model, cross_entropy, RULE, batch_of(name, count), valid=held_out, predict=lambda m, b: m(b["x"]), name=name
    )


@pytest.mark.parametrize("name", CASES)
def test_a_resized_program_is_the_one_captured_at_that_size(name: str) -> None:
    learner, other = captured(name, 6), captured(name, 9, valid=11)
    assert not learner.fixed
    assert sizes(learner.program) == {"batch": 6, "valid": 4}
    program = learner.resized(batch=9, valid=11).program
    assert program == other.program
    assert to_text(program) == to_text(other.program)
    assert to_text(resized(program, {"batch": 6, "valid": 4})) == to_text(learner.program)
    assert to_text(from_text(to_text(program))) == to_text(program)


def test_a_hugging_face_model_resizes() -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed: pip install ontogeny[hf]")
    drop = {"resid_pdrop": 0.1, "embd_pdrop": 0.1, "attn_pdrop": 0.1}
    small = {"vocab_size": 99, "n_positions": 32, "n_embd": 32, "n_layer": 2, "n_head": 4, "use_cache": False}
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(**drop, **small, bos_token_id=0, eos_token_id=0))

    def learner(count: int) -> Learner:
        ids = torch.randint(1, 99, (count, 12))
        return capture(model, lambda m, b: m(**b).loss, RULE, {"input_ids": ids, "labels": ids})

    program = learner(4).resized(batch=7).program
    assert program == learner(7).program
    assert to_text(program) == to_text(learner(7).program)


@pytest.mark.parametrize("name", ["mlp", "cnn", "transformer"])
def test_an_example_batch_of_one_does_as_well(name: str) -> None:
    learner = captured(name, 1 if name != "cnn" else 2)
    assert not learner.fixed
    assert to_text(learner.resized(batch=9).program) == to_text(captured(name, 9).program)


def test_an_example_as_large_as_another_size_of_the_model_does_as_well() -> None:
    torch.manual_seed(0)
    model = Weighed()
    loss = lambda m, b: m(b["x"]).reshape(4, -1).square().sum(0).mean()  # noqa: E731
    batches: list[Batch] = [{"x": torch.randn(count, 4)} for count in (4, 9, 4, 1)]
    learner = capture(model, loss, RULE, batches[0])
    assert sizes(learner.program) == {"batch": 4}
    _, ours = learned(learner, batches)
    assert ours == trained(model, loss, adamw(model.parameters()), batches)


@pytest.mark.parametrize("name", ["mlp", "cnn", "transformer", "vit"])
def test_learning_from_batches_of_any_size_is_plain_pytorchs(name: str) -> None:
    torch.manual_seed(0)
    model = CASES[name][0]()
    batches = [batch_of(name, count) for count in (6, 9, 2, 6, 33, 9, 6)]
    machine, ours = learned(capture(model, cross_entropy, RULE, batches[0]), batches)
    assert ours == trained(model, cross_entropy, adamw(model.parameters()), batches)
    assert differences(machine, model) == (0, 0.0)


MODES = ["exact", "portable", "step", pytest.param("fast", marks=pytest.mark.slow)]


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_takes_any_batch(mode: str) -> None:
    learner, batches = captured("mlp", 6), [batch_of("mlp", count) for count in (6, 3, 1, 40, 6)]
    machine, reference = CompiledMachine(learner.program, mode=mode, threads=1), ReferenceMachine(learner.program)
    for each in (machine, reference):
        each.load(learner.values)
    for batch in batches:
        ours, true = (each.call("learn", arrays(batch), {}) for each in (machine, reference))
        np.testing.assert_allclose(ours["loss"], true["loss"], rtol=1e-5)
        scores = [each.call("predict", {"x": arrays(batch)["x"]}, {})["y"] for each in (machine, reference)]
        np.testing.assert_allclose(*scores, rtol=1e-3, atol=1e-5)
    for key, value in machine.state().items():
        np.testing.assert_allclose(value, reference.state()[key], rtol=1e-3, atol=1e-5, err_msg=key)


def test_sizes_other_than_the_last_few_are_made_again() -> None:
    learner = captured("mlp", 6)
    machine = CompiledMachine(learner.program)
    machine.load(learner.values)
    first = machine.call("predict", {"x": np.ones((1, 8), np.float32)}, {})["y"]
    for count in range(1, 40):
        found = machine.call("predict", {"x": np.ones((count, 8), np.float32)}, {})["y"]
        np.testing.assert_allclose(found, np.repeat(first, count, 0), rtol=1e-5)


@pytest.mark.parametrize("kind", [CompiledMachine, ReferenceMachine])
@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        ((3, 8), (4,), r"input 'y' has batch 4, but input 'x' has 3; 'y' is declared i64\[batch\]"),
        ((3, 9), (3,), r"input 'x' is f32\[3,9\], but the program declares f32\[batch,8\] for any batch of 1 or more"),
        ((0, 8), (0,), r"input 'x' is f32\[0,8\], but the program declares f32\[batch,8\] for any batch of 1 or more"),
        ((8,), (3,), r"input 'x' is f32\[8\], but the program declares f32\[batch,8\]"),
    ],
)
def test_batches_that_fit_no_size_are_refused(kind: Any, x: Any, y: Any, words: str) -> None:
    learner = captured("mlp", 6)
    machine = kind(learner.program)
    machine.load(learner.values)
    with pytest.raises(MachineError, match=words):
        machine.call("learn", {"x": np.zeros(x, np.float32), "y": np.zeros(y, np.int64)}, {})


class Weighed(nn.Module):
    """A linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)


LOSSES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "over the length": lambda y: y.square().sum() / len(y),
    "times the length": lambda y: y.mean() * len(y),
    "unbiased variance": lambda y: y.var(0).sum() + y.std(),
    "all but the first": lambda y: (y[1:] - y[:-1]).square().mean(),
    "one over one more": lambda y: y.square().sum() / (3 * len(y) + 1),
    "pairs": lambda y: (y @ y.T).logsumexp(1).mean(),
    "mse": lambda y: F.mse_loss(y, torch.ones_like(y)),
    "counted": lambda y: (y * torch.arange(len(y)).float()[:, None]).mean(),
    "squeezed": lambda y: (y.sum(1, keepdim=True).squeeze() * 2).mean(),
}


@pytest.mark.parametrize("name", LOSSES)
def test_whatever_follows_the_batch_is_right_at_another_size(name: str) -> None:
    torch.manual_seed(0)
    model = Weighed()
    loss = lambda m, b: LOSSES[name](m(b["x"]))  # noqa: E731
    batches: list[Batch] = [{"x": torch.randn(count, 4)} for count in (8, 20, 3, 8, 70)]
    learner = capture(model, loss, RULE, batches[0])
    assert not learner.fixed, learner.fixed
    machine, ours = learned(learner, batches)
    np.testing.assert_allclose(ours, trained(model, loss, adamw(model.parameters()), batches), rtol=1e-5)
    assert differences(machine, model)[1] < 1e-5


FIXED: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "half": lambda y: y[: len(y) // 2].square().mean(),
    "triangle": lambda y: (y @ y.T)[tuple(torch.triu_indices(len(y), len(y), 1))].mean(),
    "a mean over pairs": lambda y: (y @ y.T).square().mean(),
    "all pairs in a row": lambda y: (y @ y.T).reshape(-1).cumsum(0).mean(),
    "a list": lambda y: sum((row.square().sum() for row in y), torch.zeros(())),
    "a mask of its own": lambda y: (y * torch.ones(8, 1)).square().mean(),
    "a large constant": lambda y: (y * torch.from_numpy(np.ones((len(y), 40), np.float32))[:, :4]).mean(),
    "a branch": lambda y: y.mean() if len(y) < 12 else y.square().mean(),
}


@pytest.mark.parametrize("name", FIXED)
def test_what_follows_no_line_fixes_the_batch_and_says_why(name: str) -> None:
    torch.manual_seed(0)
    model = Weighed()
    loss = lambda m, b: FIXED[name](m(b["x"]))  # noqa: E731
    batches: list[Batch] = [{"x": torch.randn(8, 4)} for _ in range(3)]
    learner = capture(model, loss, RULE, batches[0])
    assert sizes(learner.program) == {}
    machine, ours = learned(learner, batches)
    np.testing.assert_allclose(ours, trained(model, loss, adamw(model.parameters()), batches), rtol=1e-5)
    with pytest.raises(ProgramError, match="the size 'batch' of 'weighed' is fixed: "):
        learner.resized(batch=9)
    with pytest.raises(MachineError, match=r"f32\[9,4\], but the program declares f32\[8,4\]"):
        machine.call("learn", {"x": np.zeros((9, 4), np.float32)}, {})


def test_inputs_without_examples_stay_as_they_are() -> None:
    torch.manual_seed(0)
    model = Weighed()
    loss = lambda m, b: (m(b["x"]) * b["weights"] * b["scale"]).square().mean()  # noqa: E731
    rest = {"weights": torch.randn(4), "scale": torch.tensor(2.0)}
    batches: list[Batch] = [{"x": torch.randn(count, 4), **rest} for count in (8, 3, 21)]
    learner = capture(model, loss, RULE, batches[0])
    assert [decl.type.shape for decl in learner.program.of("input")] == [(8, 4), (4,), ()]
    _, ours = learned(learner, batches)
    assert ours == trained(model, loss, adamw(model.parameters()), batches)


def test_inputs_that_are_one_tensor_in_the_example_stay_two() -> None:
    torch.manual_seed(0)
    model = Weighed()
    loss = lambda m, b: F.mse_loss(m(b["x"]), b["y"])  # noqa: E731
    same = torch.randn(8, 4)
    batches: list[Batch] = [{"x": torch.randn(8, 4), "y": torch.randn(8, 4)} for _ in range(3)]
    machine, ours = learned(capture(model, loss, RULE, {"x": same, "y": same}), batches)
    assert ours == trained(model, loss, adamw(model.parameters()), batches)
    assert differences(machine, model) == (0, 0.0)


def test_a_learner_says_what_it_cannot() -> None:
    learner = captured("mlp", 6)
    assert learner.resized() is not learner and learner.resized().program is learner.program
    with pytest.raises(ProgramError, match="no size 'depth'; there are 'batch', 'valid'"):
        learner.resized(depth=3)
    for value in (0, -1, True):
        with pytest.raises(ProgramError, match="whole number of 1 or more"):
            learner.resized(batch=value)
    with pytest.raises(ProgramError, match="no size 'batch'; there are none"):
        resized(unsized(learner.program), {"batch": 3})


def test_a_run_whose_last_batch_is_smaller_replays_bit_for_bit(tmp_path: Any) -> None:
    torch.manual_seed(0)
    x, y = torch.randn(50, 8).numpy(), torch.randint(0, 4, (50,)).numpy()
    learner = captured("mlp", 16)
    data = Arrays({"x": x, "y": y}, 16, drop_last=False)
    assert [len(data.batch(step)["x"]) for step in range(5)] == [16, 16, 16, 2, 16]
    with create(tmp_path / "run", learner, data, seed=1, keyframe_every=3) as run:
        run.advance(13)
        fork = run.fork(5, tmp_path / "fork", dials={"lr": 0.05})
        fork.advance(6)
        assert run.verify().ok
        machine = CompiledMachine(learner.program)
        machine.load(run.state(0))
        for step in range(13):
            machine.call("learn", data.batch(step), run.dials(step))
        final = run.state(13)
        assert all(np.array_equal(final[name], value) for name, value in machine.state().items())
        fork.close()


HAND = """program mean
size batch = 4
param w: f32[2]
input x: f32[batch,2]

routine predict() -> y, rest:
  %x: f32[batch,2] = read {name=x}
  %0: f32[2] = sum %x {dims=[0], keep=false}
  %scale = const {value=1.0/batch, dtype=f32, shape=[]}
  %y = mul %0 %scale
  %flat = reshape %x {shape=[2*batch]}
  %rest = slice %flat {starts=[1], stops=[2*batch-1], steps=[1]}
  return y=%y, rest=%rest
"""


def test_a_program_written_by_hand_has_sizes() -> None:
    program = from_text(HAND)
    assert format_text(HAND) == HAND
    assert "stops=[2*batch-1]" in to_text(program)
    for kind in (CompiledMachine, ReferenceMachine):
        machine: Any = kind(program)
        machine.load({"w": np.zeros(2, np.float32)})
        for count in (4, 1, 3):
            x = np.arange(2 * count, dtype=np.float32).reshape(count, 2)
            found = machine.call("predict", {"x": x}, {})
            np.testing.assert_allclose(found["y"], x.mean(0), rtol=1e-6)
            np.testing.assert_array_equal(found["rest"], x.reshape(-1)[1:-1])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("param w: f32[2]", "param w: f32[batch]", "param 'w' follows a size, but it is kept"),
        ("1.0/batch", "1.0/(batch-4)", "line 9, column 25: .* is not a number"),
        ("1.0/batch", "1/batch", "write 1.0/batch"),
        ("1.0/batch", "1.0/bath", "unknown size \"bath\"; did you mean 'batch'"),
        ("[2*batch]", "[0*batch]", "0 times a size"),
        ("[2*batch]", "[3*batch]", "does not hold as many elements"),
        ("size batch = 4", "size batch = 0", "a whole number from 1"),
        ("size batch = 4", "size batch = 4\nsize batch = 5", "stands twice"),
        ("size batch = 4", "", "a whole number from 0"),
    ],
)
def test_text_whose_sizes_mean_nothing_is_refused(old: str, new: str, words: str) -> None:
    with pytest.raises(TextError, match=words):
        from_text(HAND.replace(old, new))


def test_a_size_at_which_a_program_means_nothing_is_refused() -> None:
    text = HAND.replace("stops=[2*batch-1]", "stops=[2*batch-5]")
    with pytest.raises(ProgramError, match="'mean' means nothing at batch=2"):
        resized(from_text(text), {"batch": 2})
