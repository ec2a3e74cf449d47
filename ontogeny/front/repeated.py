"""A block whose parameters are used over and over, as often as a dial says: `Repeated`.

In plain PyTorch it is a Python loop. Traced, it is one call of an operation of ours, which `front/rounds.py` makes a
`loop` of the program; what the rounds began with is kept for the backward pass, a loop as well.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

import torch
from torch import Tensor, nn
from torch._functorch.utils import enable_single_level_autograd_function
from torch.autograd.function import _SingleLevelFunction
from torch.fx.experimental.proxy_tensor import get_proxy_mode

from ontogeny.isa.errors import CaptureError

MODULES: WeakValueDictionary[int, Repeated] = WeakValueDictionary()
"""The modules that traced operations speak of, by their keys."""
DIAL = "rounds"


class Repeated(nn.Module):
    """h = block(h, *given), `rounds` times over with the same parameters.

    A captured program has a dial of this name, `rounds` to begin with: the loop goes by what it is turned to, in
    training up to `most` (as much as it keeps for the backward pass), in `evaluate` and `predict` by any number. The
    block gives the shape and number format that it takes, and is the same in every round: no dropout, no buffers.
    `given` are float tensors that stay as they are, and get a gradient. The mode `fast` refuses such a program.
    """

    def __init__(self, block: nn.Module, rounds: int, most: int = 0, dial: str = DIAL) -> None:
        super().__init__()
        most = most or 2 * rounds
        if not 1 <= rounds <= most:
            raise CaptureError(f"{rounds} rounds of at most {most}; give 1 or more, and no more than `most`")
        if any(isinstance(inner, Repeated) for inner in block.modules()) or next(block.buffers(), None) is not None:
            raise CaptureError(
                "a repeated block has no repeated block and no buffers in it; repeat what is around them"
            )
        self.block, self.rounds, self.most, self.dial = block, rounds, most, dial
        MODULES[id(self)] = self

    def forward(self, h: Tensor, *given: Tensor) -> Tensor:
        """The last round's result, of the shape of h."""
        if get_proxy_mode() is not None:
            result: Tensor = torch.ops.ontogeny.rounds(h, [*given, *self.block.parameters()], id(self))
            return result
        for _ in range(self.rounds):
            h = self.block(h, *given)
        return h


LIBRARY = torch.library.Library("ontogeny", "DEF")
LIBRARY.define("rounds(Tensor h, Tensor[] held, int key) -> Tensor")
LIBRARY.define("rounds_kept(Tensor h, Tensor[] held, int key) -> (Tensor, Tensor)")
LIBRARY.define("rounds_backward(Tensor g, Tensor kept, Tensor[] held, int key) -> (Tensor, Tensor[])")


def _rounds(h: Tensor, held: list[Tensor], key: int) -> Tensor:
    return torch.empty_like(h)


def _rounds_kept(h: Tensor, held: list[Tensor], key: int) -> tuple[Tensor, Tensor]:
    return torch.empty_like(h), h.new_empty((MODULES[key].most, *h.shape))


def _rounds_backward(g: Tensor, kept: Tensor, held: list[Tensor], key: int) -> tuple[Tensor, list[Tensor]]:
    return torch.empty_like(g), [torch.empty_like(one) for one in held]


for _shapes in (_rounds, _rounds_kept, _rounds_backward):
    torch.library.register_fake(f"ontogeny::{_shapes.__name__[1:]}", _shapes, lib=LIBRARY)


class _Differentiated(_SingleLevelFunction):
    """The operation with its backward pass, at one level of functorch's transforms."""

    @staticmethod
    def forward(ctx: Any, key: int, h: Tensor, *held: Tensor) -> Any:
        with torch._C._AutoDispatchBelowAutograd():
            result, kept = torch.ops.ontogeny.rounds_kept(h, list(held), key)
        ctx.key = key
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(kept)
        ctx.save_for_backward(kept, *held)
        return result, kept

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        kept, *held = ctx.saved_tensors
        of_h, of_held = torch.ops.ontogeny.rounds_backward(gradients[0], kept, held, ctx.key)
        return None, of_h, *of_held


def _autograd(h: Tensor, held: list[Tensor], key: int) -> Tensor:
    if torch.is_grad_enabled() and any(one.requires_grad for one in (h, *held)):
        with enable_single_level_autograd_function():
            result: Tensor = _Differentiated.apply(key, h, *held)[0]  # type: ignore[attr-defined]
        return result
    with torch._C._AutoDispatchBelowAutograd():
        plain: Tensor = torch.ops.ontogeny.rounds(h, held, key)
    return plain


LIBRARY.impl("rounds", _autograd, "Autograd")
