"""The models that the benches train, each with its loss, its learning rule and its batches.

Sizes are those at which a step takes milliseconds on one core; a large model hides what a step costs beside its
kernels.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from common import ROOT
from torch import nn

import ontogeny as og
from ontogeny.machine.compiled import CompiledMachine

sys.path.insert(0, str(ROOT / "examples"))

import modular

Batch = Mapping[str, torch.Tensor]
Loss = Callable[[nn.Module, Any], dict[str, torch.Tensor]]
VOCABULARY, CONTEXT, WIDTH, HEADS = 65, 64, 128, 4


class MLP(nn.Module):
    """Three layers, 19,450 parameters, for scikit-learn's 8 x 8 digits."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.Linear(64, 128), nn.Linear(128, 80), nn.Linear(80, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.third(F.relu(self.second(F.relu(self.first(x)))))


class CNN(nn.Module):
    """Two convolutions with batch norm and pools."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 16, 3, padding=1), nn.Conv2d(16, 32, 3, padding=1)
        self.norm1, self.norm2 = nn.BatchNorm2d(16), nn.BatchNorm2d(32)
        self.out = nn.Linear(32 * 16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # [batch, 1, 16, 16]
        x = F.max_pool2d(F.relu(self.norm1(self.first(x))), 2)
        x = F.max_pool2d(F.relu(self.norm2(self.second(x))), 2)
        return self.out(x.flatten(1))


class Block(nn.Module):
    """A pre-norm transformer block with causal attention."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.mix = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # [batch, length, width]
        batch, length, _ = x.shape
        parts = self.qkv(self.norm1(x)).chunk(3, -1)
        q, k, v = (t.view(batch, length, HEADS, -1).transpose(1, 2) for t in parts)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=0.0)
        x = x + self.mix(mixed.transpose(1, 2).reshape(batch, length, WIDTH))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class GPT(nn.Module):
    """Four blocks over characters, 0.8 million parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.place = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.ModuleList([Block() for _ in range(4)])
        self.norm, self.out = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, VOCABULARY, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.embed(x) + self.place(torch.arange(x.shape[1], device=x.device))
        for block in self.blocks:
            h = block(h)
        return self.out(self.norm(h))


def cross_entropy(model: nn.Module, batch: Batch) -> dict[str, torch.Tensor]:
    """Cross entropy over the last dimension of the scores."""
    scores = model(batch["x"])
    scores = getattr(scores, "logits", scores)
    return {"loss": F.cross_entropy(scores.reshape(-1, scores.shape[-1]), batch["y"].reshape(-1))}


@dataclass(frozen=True, slots=True)
class Task:
    """A model, what it learns from, and AdamW's settings."""

    name: str
    make: Callable[[], nn.Module]
    draw: Callable[[np.random.Generator], dict[str, np.ndarray[Any, Any]]]
    loss: Loss = cross_entropy
    rule: Mapping[str, Any] = field(default_factory=lambda: {"lr": 1e-3, "weight_decay": 0.01})

    def model(self) -> nn.Module:
        """The model, with the same initial values every time."""
        torch.manual_seed(0)
        return self.make().train()

    def batches(self, count: int) -> list[dict[str, np.ndarray[Any, Any]]]:
        """The same batches every time."""
        rng = np.random.default_rng(0)
        return [self.draw(rng) for _ in range(count)]

    def capture(self) -> og.Learner:
        """The captured learner."""
        return og.capture(self.model(), self.loss, og.adamw(**self.rule), self.batches(1)[0], name=self.name)


def tensors(batch: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """A batch as PyTorch takes it."""
    return {name: torch.from_numpy(values) for name, values in batch.items()}


def captured_step(task: Task, learner: og.Learner, **options: Any) -> Callable[[], object]:
    """One training step on a loaded machine, as a function without arguments."""
    machine, batch = CompiledMachine(learner.program, **{"threads": 1, **options}), task.batches(1)[0]
    machine.load(learner.values)
    return lambda: machine.call("learn", batch, {})


def eager_step(task: Task, *, fused: bool = True, compiled: bool = False) -> Callable[[], object]:
    """One training step of plain PyTorch, the model and the optimizer compiled if asked for."""
    model, batch = task.model(), tensors(task.batches(1)[0])
    optimizer = torch.optim.AdamW(
        model.parameters(), **task.rule, **({"fused": True} if fused and not compiled else {})
    )
    loss, update = partial(task.loss, model), optimizer.step
    if compiled:
        loss, update = torch.compile(loss), torch.compile(optimizer.step)

    def step() -> torch.Tensor:
        optimizer.zero_grad()
        value = loss(batch)["loss"]
        value.backward()
        update()
        return value.detach()

    return step


def _images(shape: tuple[int, ...]) -> Callable[[np.random.Generator], dict[str, np.ndarray[Any, Any]]]:
    return lambda rng: {"x": rng.standard_normal(shape, dtype=np.float32), "y": rng.integers(0, 10, shape[0])}


def _text(rng: np.random.Generator, batch: int = 8, length: int = CONTEXT) -> dict[str, np.ndarray[Any, Any]]:
    text = rng.integers(0, VOCABULARY, (batch, length + 1))
    return {"x": text[:, :-1].copy(), "y": text[:, 1:].copy()}


def _sums(rng: np.random.Generator) -> dict[str, np.ndarray[Any, Any]]:
    a, b = rng.integers(0, modular.PRIME, (2, 1024))
    return {"x": np.stack([a, b, np.full_like(a, modular.PRIME)], axis=1), "y": (a + b) % modular.PRIME}


def _gpt2() -> nn.Module:
    from transformers import GPT2Config, GPT2LMHeadModel

    still = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0, "use_cache": False}
    return GPT2LMHeadModel(GPT2Config(vocab_size=VOCABULARY, n_positions=32, n_embd=64, n_layer=2, n_head=4, **still))


def _llama() -> nn.Module:
    from transformers import LlamaConfig, LlamaForCausalLM

    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    more = {"num_key_value_heads": 2, "max_position_embeddings": 32, "use_cache": False}
    return LlamaForCausalLM(LlamaConfig(vocab_size=VOCABULARY, **sizes, **more))


SHORT = partial(_text, batch=4, length=32)
MLP_TASK = Task("mlp", MLP, _images((64, 64)))
CNN_TASK = Task("cnn", CNN, _images((32, 1, 16, 16)))
GPT_TASK = Task("gpt", GPT, _text)
MODULAR_RULE = {"lr": 1.5e-2, "weight_decay": 1.0, "betas": (0.9, 0.98)}
MODULAR_TASK = Task("modular", modular.Transformer, _sums, modular.loss, MODULAR_RULE)
HUGGING_FACE = [Task("gpt2", _gpt2, SHORT), Task("llama", _llama, SHORT)] if find_spec("transformers") else []
EVERY = [MLP_TASK, CNN_TASK, MODULAR_TASK, GPT_TASK, *HUGGING_FACE]
