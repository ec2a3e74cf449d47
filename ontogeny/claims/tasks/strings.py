"""Strings of letters drawn uniformly at random, of which nothing can be understood: whatever is known was memorised.

After Morris et al. 2025 (arXiv 2505.24832). The network is a small GPT without what carries few bits: no biases, and
norms without gains. All its matrices lie in one tensor of square blocks, so that a rule goes over all of them at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import ml_dtypes
import numpy as np
import torch
from torch import Tensor, nn

from ontogeny.claims.tasks.losses import bits, of_places
from ontogeny.data.arrays import Arrays
from ontogeny.data.base import Array
from ontogeny.front.capture import capture
from ontogeny.front.rules import Rule, cosine, soap, warmup
from ontogeny.isa.errors import ClaimError
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.record.run import Run
from ontogeny.record.temporary import temporary

Named = dict[str, Array]
RATE = 0.15
"""Of SOAP, which takes steps of about this size in every element; 0.2 is at times too much, 0.4 always was."""
SETTLING = 0.005
"""The same for a network that learned already and goes on with rounded parameters; 0.001 to 0.02 give as much."""
PRECISIONS = ("f32", "bf16")


@dataclass(frozen=True, slots=True)
class Shape:
    """A network: its `width`, a divisor of the others, and its `depth`; strings of so many of `letters` letters.

    `merged` has a head's queries and keys as one matrix of the whole width, and its values and what they mix to as
    another. Apart, (width / heads)^2 parameters of either pair change nothing that the other cannot undo, and
    hold nothing: 128 of 2,048 for two layers and heads of width 8.
    """

    width: int = 8
    depth: int = 2
    heads: int = 2
    wider: int = 4
    letters: int = 16
    length: int = 32
    merged: bool = False

    @property
    def block(self) -> int:
        """Blocks of a layer: those of attention, four or two for each head, and the two matrices of the wide layer."""
        return (2 * self.heads if self.merged else 4) + 2 * self.wider

    @property
    def blocks(self) -> int:
        """All: letters in, places, layers, letters out."""
        return 2 * self.letters // self.width + self.length // self.width + self.depth * self.block

    @property
    def parameters(self) -> int:
        """Of one network."""
        return self.blocks * self.width**2

    def strings(self, bits: float) -> int:
        """How many strings have about so many bits for each parameter, at least one."""
        return max(1, round(bits * self.parameters / (self.length * math.log2(self.letters))))


def strings(seed: int, count: int, shape: Shape) -> Named:
    """x, y i64[count, length]: each letter, and the one before it, which is `letters` at the beginning."""
    return foretold(np.random.default_rng(seed).integers(0, shape.letters, (count, shape.length)), shape.letters)


def foretold(y: Array, begin: int) -> Named:
    """x, y i64[n, length] of sequences: each letter, and the one before it, which is `begin` at the beginning."""
    return {"x": np.concatenate([np.full_like(y[:, :1], begin), y[:, :-1]], axis=1), "y": y}


class Strings(nn.Module):
    """Causal attention and a wide layer, `depth` times; parameters are rounded to bf16 wherever they are used if said.

    Gradients go through that rounding as if it were not there, so that small steps add up.
    """

    def __init__(self, shape: Shape, precision: str = "f32") -> None:
        """Raises ClaimError for a precision that is neither f32 nor bf16, and sides that are no multiples."""
        super().__init__()
        _check(shape, precision)
        self.shape, self.precision = shape, precision
        size = torch.full((shape.blocks, 1, 1), shape.width**-0.5)
        size[: (shape.letters + shape.length) // shape.width] = 1.0
        for layer in range(shape.depth):
            last = self._layer(layer) + shape.block
            size[last - shape.wider : last] = (shape.wider * shape.width) ** -0.5
        self.blocks = nn.Parameter(torch.randn(shape.blocks, shape.width, shape.width) * size)

    def _layer(self, layer: int) -> int:
        """The first block of a layer."""
        return (self.shape.letters + self.shape.length) // self.shape.width + layer * self.shape.block

    def forward(self, x: Tensor) -> Tensor:
        """Scores f32[batch, length, letters] of i64[batch, length]."""
        shape, weights = self.shape, self._rounded()
        first, width = shape.letters // shape.width, shape.width
        given = (x[..., None] == torch.arange(shape.letters)).to(self.blocks.dtype)
        h = given @ weights[:first].reshape(-1, width) + weights[first : self._layer(0)].reshape(-1, width)
        for layer in range(shape.depth):
            h = self._through(h, weights[self._layer(layer) : self._layer(layer + 1)])
        return _normed(h) @ _wide(weights[-first:])

    def _through(self, h: Tensor, weights: Tensor) -> Tensor:
        """A layer: f32[batch, length, width] to the same, by its blocks [blocks, width, width]."""
        width, wider = self.shape.width, self.shape.wider
        attention, into, back = weights[: -2 * wider], weights[-2 * wider : -wider], weights[-wider:]
        h = h + (self._whole if self.shape.merged else self._apart)(_normed(h), attention)
        return h + torch.tanh(_normed(h) @ _wide(into)) @ back.reshape(-1, width)

    def _apart(self, h: Tensor, weights: Tensor) -> Tensor:
        """Attention by queries, keys, values and what they mix to: a block each."""
        width, length, heads = self.shape.width, self.shape.length, self.shape.heads
        parts = (h @ _wide(weights[:3])).view(-1, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        q, k, v = parts[0], parts[1], parts[2]
        weighed = self._weighed(q @ k.transpose(-1, -2) / math.sqrt(width // heads))
        return (weighed @ v).transpose(1, 2).reshape(-1, length, width) @ weights[3]

    def _whole(self, h: Tensor, weights: Tensor) -> Tensor:
        """Attention by a block for each head of what asks for what, and one of what that gives."""
        width, length, heads = self.shape.width, self.shape.length, self.shape.heads
        asked = (h @ _wide(weights[:heads])).view(-1, length, heads, width).transpose(1, 2)
        weighed = self._weighed(asked @ h[:, None].transpose(-1, -2) / math.sqrt(width))
        given = (weighed @ h[:, None]).transpose(1, 2).reshape(-1, length, heads * width)
        return given @ weights[heads:].reshape(-1, width)

    def _weighed(self, scores: Tensor) -> Tensor:
        """Shares of the places up to each one, by scores [batch, heads, length, length]."""
        later = torch.ones(self.shape.length, self.shape.length, dtype=torch.bool).triu(1)
        return scores.masked_fill(later, -1e9).softmax(-1)

    def _rounded(self) -> Tensor:
        if self.precision == "f32":
            return self.blocks
        return self.blocks + (self.blocks.bfloat16().float() - self.blocks).detach()


def _normed(h: Tensor) -> Tensor:
    return h * torch.rsqrt(h.pow(2).mean(-1, keepdim=True) + 1e-6)


def _wide(blocks: Tensor) -> Tensor:
    """Blocks [n, width, width] side by side: [width, n * width]."""
    return blocks.transpose(0, 1).reshape(blocks.shape[1], -1)


def _check(shape: Shape, precision: str) -> None:
    if precision not in PRECISIONS:
        raise ClaimError(f"the precision {precision!r}; there are {' and '.join(PRECISIONS)}")
    if shape.letters % shape.width or shape.length % shape.width:
        raise ClaimError(
            f"{shape.letters} letters and strings of {shape.length} have to be multiples of the width {shape.width}"
        )
    if shape.width % shape.heads and not shape.merged:
        raise ClaimError(f"the width {shape.width} has to be a multiple of the {shape.heads} heads, or these merged")


@dataclass(frozen=True, slots=True)
class Held:
    """Data of so many bits for each parameter; of those the network held `bits` after `steps` steps, in the end.

    `curve` are the bits for each parameter on the way, after the steps `at`. `rounded` are those in the end with the
    parameters rounded to bf16, and `settled` once the network has gone on learning with them rounded at every use.
    """

    data: float
    steps: int
    at: tuple[int, ...]
    curve: tuple[float, ...]
    rounded: float
    settled: float

    @property
    def bits(self) -> float:
        """For each parameter, in the end."""
        return self.curve[-1]


def rule(steps: int, rate: float = RATE) -> Rule:
    """SOAP whose rate rises over 100 steps, or a tenth of them, and falls to nothing along a cosine."""
    return soap(rate).with_schedule(warmup(min(100, 1 + steps // 10), cosine(steps)))


def held(
    seed: int,
    shape: Shape,
    data: float,
    steps: int,
    *,
    rate: float = RATE,
    mode: str = "exact",
    points: int = 8,
    settling: int = 0,
) -> Held:
    """Learns strings of about `data` bits for each parameter, all of them at each of so many steps, by SOAP.

    The rate follows the course of `rule`, so what is held on the way is less than could be. `settling`: for how many
    steps it goes on in bf16, by a rule that begins anew at SETTLING.
    """
    torch.manual_seed(seed)
    examples = strings(seed, shape.strings(data), shape)
    model, uniform, curve = Strings(shape), examples["y"].size * math.log2(shape.letters), list[float]()
    at = sorted({1 + (steps - 1) * place // (points - 1) for place in range(points)})

    def saved(run: Run, changed: Callable[[Array], Array] = lambda value: value) -> float:
        return (uniform - _cost(run, examples, changed)) / shape.parameters

    with _learning(model, rule(steps, rate), examples, seed, mode) as run:
        for step in at:
            run.advance(step - run.step)
            curve.append(saved(run))
        rounded = settled = saved(run, _to_bf16)
        ended = torch.from_numpy(run.state()["blocks"].copy())
    if settling:
        model = Strings(shape, "bf16")
        model.load_state_dict({"blocks": ended})
        with _learning(model, rule(settling, SETTLING), examples, seed, mode) as run:
            run.advance(settling)
            settled = saved(run, _to_bf16)
    return Held(uniform / shape.parameters, steps, tuple(at), tuple(curve), rounded, settled)


def _learning(model: Strings, by: Rule, examples: Named, seed: int, mode: str) -> AbstractContextManager[Run]:
    """A run of the network as it is, on all strings at each step, that is gone afterwards."""
    learner = capture(model, of_places, by, examples, predict=lambda m, batch: m(batch["x"]))
    return temporary(learner, Arrays(examples, len(examples["x"]), seed), options={"mode": mode, "threads": 1})


def _to_bf16(value: Array) -> Array:
    return value.astype(ml_dtypes.bfloat16).astype(value.dtype)


def _cost(run: Run, examples: Named, changed: Callable[[Array], Array]) -> float:
    """Bits of all letters by the run's present parameters after a change."""
    machine = CompiledMachine(run.program)
    state = run.state()
    machine.load({**state, "blocks": changed(state["blocks"])})
    (told,) = machine.call("predict", {"x": examples["x"]}, run.dials()).values()
    return bits(told, examples["y"])
