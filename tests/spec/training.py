"""What the tests of capturing share: small models, and training by the machine beside plain PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ontogeny.data.arrays import Arrays
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.machine.learner import Array, Learner

torch.set_num_threads(1)

Optimizer = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
Batch = Mapping[str, torch.Tensor]


def adamw(params: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """What the built-in AdamW is held to."""
    return torch.optim.AdamW(params, lr=1e-2, weight_decay=0.1)


def cross_entropy(model: nn.Module, batch: Batch) -> dict[str, torch.Tensor]:
    """Cross entropy over the last dimension, and accuracy."""
    scores = model(batch["x"])
    accuracy = (scores.argmax(-1) == batch["y"]).float().mean()
    return {"loss": F.cross_entropy(scores.reshape(-1, scores.shape[-1]), batch["y"].reshape(-1)), "accuracy": accuracy}


def points(count: int, batch_size: int, **settings: Any) -> Arrays:
    """So many random points of 8 numbers for `MLP`, each in one of 4 classes at random."""
    random = np.random.default_rng(0)
    x = random.standard_normal((count, 8)).astype(np.float32)
    return Arrays({"x": x, "y": random.integers(0, 4, count)}, batch_size, **settings)


def drawn(count: int) -> list[Batch]:
    """Batches for an MLP, always the same."""
    random = torch.Generator().manual_seed(3)
    return [
        {"x": torch.randn(16, 8, generator=random), "y": torch.randint(0, 4, (16,), generator=random)}
        for _ in range(count)
    ]


def arrays(batch: Batch) -> dict[str, Array]:
    """A batch as the machine takes it."""
    return {name: value.numpy() for name, value in batch.items()}


def learned(learner: Learner, batches: Iterable[Batch]) -> tuple[CompiledMachine, list[float]]:
    """The machine after learning from each batch once, and every loss."""
    machine = CompiledMachine(learner.program, threads=1)
    machine.load(learner.values)
    return machine, [float(machine.call("learn", arrays(batch), {})["loss"]) for batch in batches]


def trained(
    model: nn.Module, loss: Any, optimizer: torch.optim.Optimizer, batches: Iterable[Batch], **how: Any
) -> list[float]:
    """Plain PyTorch training in place, with attention as matrix products; every loss. `clip` bounds the norm."""
    model.train()
    losses = []
    with sdpa_kernel(SDPBackend.MATH):
        for batch in batches:
            optimizer.zero_grad()
            result = loss(model, batch)
            value = result["loss"] if isinstance(result, Mapping) else result
            value.backward()
            if "clip" in how:
                nn.utils.clip_grad_norm_(model.parameters(), how["clip"])
            optimizer.step()
            if "schedule" in how:
                how["schedule"].step()
            losses.append(float(value.detach()))
    return losses


def register(machine: CompiledMachine, name: str) -> Array:
    """A declared register's value, also of a piece of an arena."""
    decl, state = machine.program.decl(name), machine.view()
    if not decl.arena:
        return state[name]
    return state[decl.arena].reshape(-1)[decl.offset : decl.offset + decl.type.size].reshape(decl.type.shape)


def differences(machine: CompiledMachine, model: nn.Module) -> tuple[int, float]:
    """How many elements of the model's tensors differ from the machine's, and by how much at most."""
    declared = {decl.name for decl in machine.program.decls if decl.kind in ("param", "state")}
    tensors = dict([*model.named_parameters(), *model.named_buffers()])
    count, largest = 0, 0.0
    for name, tensor in tensors.items():
        ours, plain = register(machine, name if name in declared else f"model.{name}"), tensor.detach().numpy()
        count += int((ours != plain).sum())
        largest = max(largest, float(np.abs(ours.astype(np.float64) - plain).max(initial=0.0)))
    return count, largest


class MLP(nn.Module):
    """Two layers."""

    def __init__(self, inputs: int = 8, hidden: int = 16, outputs: int = 4) -> None:
        super().__init__()
        self.up = nn.Linear(inputs, hidden)
        self.down = nn.Linear(hidden, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(torch.tanh(self.up(x)))


class CNN(nn.Module):
    """Two convolutions, each with batch norm and a pool."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1)
        self.norm1, self.norm2 = nn.BatchNorm2d(8), nn.BatchNorm2d(16)
        self.out = nn.Linear(16 * 4, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.norm1(self.first(x))), 2)
        x = F.max_pool2d(F.relu(self.norm2(self.second(x))), 2)
        return self.out(x.flatten(1))


class Recurrent(nn.Module):
    """An embedding, a recurrent layer of the given kind, scores."""

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.embed, self.cell, self.out = nn.Embedding(10, 16), kind(16, 16, batch_first=True), nn.Linear(16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.cell(self.embed(x))[0])


class Block(nn.Module):
    """A transformer block, attention first normalised."""

    def __init__(self, width: int, heads: int, dropout: float = 0.0, causal: bool = True) -> None:
        super().__init__()
        self.heads, self.dropout, self.causal = heads, dropout, causal
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.mix = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        parts = self.qkv(self.norm1(x)).chunk(3, -1)
        q, k, v = (t.view(batch, length, self.heads, -1).transpose(1, 2) for t in parts)
        p = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal, dropout_p=p)
        x = x + self.mix(mixed.transpose(1, 2).reshape(batch, length, width))
        return x + self.feed(self.norm2(x))


class GPT(nn.Module):
    """Four blocks; the scores' weight is the embedding's."""

    def __init__(self, dropout: float = 0.0, depth: int = 4, vocabulary: int = 65, context: int = 16) -> None:
        super().__init__()
        self.embed, self.place = nn.Embedding(vocabulary, 32), nn.Embedding(context, 32)
        self.drop = nn.Dropout(dropout)
        self.blocks = nn.ModuleList([Block(32, 4, dropout) for _ in range(depth)])
        self.norm, self.out = nn.LayerNorm(32), nn.Linear(32, vocabulary, bias=False)
        self.out.weight = self.embed.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.drop(self.embed(x) + self.place(torch.arange(x.shape[1])))
        for block in self.blocks:
            h = block(h)
        return self.out(self.norm(h))


class ViT(nn.Module):
    """Patches by a convolution, a token for the class, two blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 32, 4, stride=4)
        self.token = nn.Parameter(torch.zeros(1, 1, 32))
        self.place = nn.Parameter(torch.randn(1, 17, 32) * 0.02)
        self.blocks = nn.Sequential(*(Block(32, 4, causal=False) for _ in range(2)))
        self.norm, self.out = nn.LayerNorm(32), nn.Linear(32, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.patches(x).flatten(2).transpose(1, 2)
        h = torch.cat([self.token.expand(len(h), -1, -1), h], 1) + self.place
        return self.out(self.norm(self.blocks(h))[:, 0])
