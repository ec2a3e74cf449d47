"""What goes out again: modules, safetensors and ONNX files that do what the learner does."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import ontogeny as og
from ontogeny.front.capture import capture
from ontogeny.front.safetensors import load_safetensors, save_safetensors
from ontogeny.front.to_module import to_module
from ontogeny.isa.errors import CaptureError, MachineError, RecordError
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.machine.learner import Array, Learner
from tests.spec.training import CNN, GPT, MLP, Batch, ViT, arrays, cross_entropy, learned

CASES: dict[str, tuple[Callable[[], nn.Module], Callable[[], Batch]]] = {
    "mlp": (MLP, lambda: {"x": torch.randn(16, 8), "y": torch.randint(0, 4, (16,))}),
    "cnn": (CNN, lambda: {"x": torch.randn(8, 1, 8, 8), "y": torch.randint(0, 10, (8,))}),
    "gpt": (lambda: GPT(depth=2), lambda: {"x": torch.randint(0, 65, (2, 16)), "y": torch.randint(0, 65, (2, 16))}),
    "vit": (ViT, lambda: {"x": torch.randn(4, 3, 16, 16), "y": torch.randint(0, 5, (4,))}),
}


FOLLOWING = """program p
size batch = 4
input x: f32[batch,2]

routine predict() -> mean, rest, count, rows, more, variance:
  %x = read {name=x}
  %0 = sum %x {dims=[0], keep=false}
  %scale = const {value=1.0/batch, dtype=f32, shape=[]}
  %mean = mul %0 %scale
  %flat = reshape %x {shape=[2*batch]}
  %rest = slice %flat {starts=[1], stops=[2*batch-1], steps=[1]}
  %count = const {value=2*batch+1, dtype=i64, shape=[3,batch]}
  %rows = iota {shape=[batch,3], dim=0, dtype=i32}
  %more = pad %flat {low=[batch], high=[0], value=1.5}
  %variance = variance %x {dims=[0], correction=0, keep=false}
  return mean=%mean, rest=%rest, count=%count, rows=%rows, more=%more, variance=%variance
"""


def taught(name: str) -> tuple[nn.Module, Learner, CompiledMachine, Batch]:
    """A model, what was captured of it, a machine that has learned five steps, and the last batch."""
    torch.manual_seed(0)
    make, batch = CASES[name]
    model, batches = make(), [batch() for _ in range(5)]
    learner = capture(model, cross_entropy, og.adamw(lr=1e-2), batches[0], predict=lambda m, b: m(b["x"]))
    machine, _ = learned(learner, batches)
    return model, learner, machine, batches[-1]


def predicted(machine: CompiledMachine, batch: Batch) -> Array:
    return machine.call("predict", {"x": arrays(batch)["x"]}, {})["y"]


@pytest.mark.parametrize("name", CASES)
def test_a_module_has_the_names_the_values_and_the_prediction(name: str) -> None:
    model, learner, machine, batch = taught(name)
    module = to_module(learner, machine.state())
    assert {n for n, _ in module.named_parameters()} == {n for n, _ in model.named_parameters()}
    result = module(batch["x"])
    np.testing.assert_array_equal(result.detach().numpy(), predicted(machine, batch))
    _, unexpected = model.load_state_dict(module.state_dict(), strict=False)
    assert not [n for n in unexpected if not n.startswith("constant.")]
    model.eval()
    torch.testing.assert_close(model(batch["x"]), result, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("count", [1, 3, 21])
def test_a_module_takes_any_number_of_examples(name: str, count: int) -> None:
    model, learner, machine, batch = taught(name)
    x = batch["x"].repeat(count, *[1] * (batch["x"].dim() - 1))[:count].flip(0)
    result = to_module(learner, machine.state())(x).detach()
    np.testing.assert_array_equal(result.numpy(), predicted(machine, {"x": x}))
    assert len(result) == count
    with torch.no_grad():
        torch.testing.assert_close(to_module(learner)(x), model.eval()(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_gradients_go_through_a_module(name: str) -> None:
    model, learner, _, batch = taught(name)
    module = to_module(learner)
    module(batch["x"]).square().mean().backward()
    model.eval()
    model(batch["x"]).square().mean().backward()
    plain = dict(model.named_parameters())
    for key, parameter in module.named_parameters():
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad, plain[key].grad, rtol=1e-4, atol=1e-5)


def test_a_module_refuses_other_inputs() -> None:
    _, learner, _, batch = taught("mlp")
    module = to_module(learner)
    with pytest.raises(MachineError, match="inputs x were expected"):
        module(z=batch["x"])
    with pytest.raises(MachineError, match="f32\\[batch,8\\] for any batch of 1 or more was expected"):
        module(batch["x"][:, :3])
    with pytest.raises(MachineError, match="has no routine 'guess'"):
        to_module(learner, routine="guess")


@pytest.mark.parametrize("name", CASES)
def test_parameters_go_out_to_safetensors_and_back(name: str, tmp_path: Path) -> None:
    _, learner, machine, batch = taught(name)
    save_safetensors(tmp_path / "model.safetensors", learner.program, machine.state())
    state = load_safetensors(tmp_path / "model.safetensors", learner.program, learner.values)
    other = CompiledMachine(learner.program)
    other.load(state)
    np.testing.assert_array_equal(predicted(other, batch), predicted(machine, batch))


def test_a_file_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    _, learner, machine, _ = taught("mlp")
    _, other, _, _ = taught("cnn")
    path = tmp_path / "model.safetensors"
    save_safetensors(path, learner.program, machine.state())
    with pytest.raises(RecordError, match="holds nothing for"):
        load_safetensors(path, other.program, other.values)
    path.write_bytes(b"not tensors")
    with pytest.raises(RecordError, match="no safetensors file"):
        load_safetensors(path, learner.program, learner.values)


@pytest.mark.parametrize("name", CASES)
def test_onnx_predicts_the_same(name: str, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install ontogeny[onnx]")
    to_onnx = import_module("ontogeny.front.to_onnx").to_onnx
    _, learner, machine, batch = taught(name)
    path = tmp_path / "model.onnx"
    to_onnx(path, learner, machine.state())
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert [i.name for i in session.get_inputs()] == ["x"]
    assert [o.name for o in session.get_outputs()] == ["y"]
    for count in (len(batch["x"]), 1, 7):
        x = batch["x"].repeat(7, *[1] * (batch["x"].dim() - 1))[:count]
        (found,) = session.run(None, {"x": x.numpy()})
        np.testing.assert_allclose(found, predicted(machine, {"x": x}), rtol=1e-4, atol=2e-5)
    assert session.get_inputs()[0].shape[0] == "batch"


def test_onnx_of_what_follows_the_batch_in_every_way(tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install ontogeny[onnx]")
    to_onnx = import_module("ontogeny.front.to_onnx").to_onnx
    program = og.from_text(FOLLOWING)
    machine = CompiledMachine(program)
    machine.load({})
    to_onnx(tmp_path / "model.onnx", Learner(program, {}))
    session = runtime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    for count in (4, 1, 9):
        x = {"x": np.random.default_rng(count).normal(size=(count, 2)).astype(np.float32)}
        expected = machine.call("predict", x, {})
        for name, found in zip([o.name for o in session.get_outputs()], session.run(None, x), strict=True):
            np.testing.assert_allclose(found, expected[name], rtol=1e-5, atol=1e-6, err_msg=name)


def test_onnx_is_made_for_the_present_size_where_it_cannot_follow(tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install ontogeny[onnx]")
    to_onnx = import_module("ontogeny.front.to_onnx").to_onnx
    program = og.from_text(FOLLOWING.replace("low=[batch], high=[0], value=1.5", "low=[2], high=[0], value=1.0*batch"))
    to_onnx(tmp_path / "model.onnx", Learner(program, {}).resized(batch=3))
    session = runtime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == [3, 2]
    assert session.run(["more"], {"x": np.zeros((3, 2), np.float32)})[0].tolist() == [3.0, 3.0, *[0.0] * 6]


def test_what_onnx_cannot_say_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed: pip install ontogeny[onnx]")
    to_onnx = import_module("ontogeny.front.to_onnx").to_onnx
    _, learner, _, _ = taught("mlp")
    with pytest.raises(CaptureError, match="has no form in ONNX"):
        to_onnx(tmp_path / "model.onnx", learner, routine="learn")
