"""Tracing: a PyTorch loss and its gradients as a flat list of ATen operations.

Tracing runs on fake tensors, so a Python branch on a tensor's value is an error and never a silent choice. Attention is
traced as plain matrix products (the CPU flash kernel's backward is not decomposed alike), recurrent layers by steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from threading import RLock
from typing import Any

import torch
import torch.fx.traceback as fx_traceback
from torch import nn
from torch._functorch import eager_transforms
from torch._subclasses.fake_tensor import DataDependentOutputException, DynamicOutputShapeException
from torch.func import functional_call, functionalize, grad_and_value
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode
from torch.nn.attention import SDPBackend, sdpa_kernel

from ontogeny.front.huggingface import told_of_tracing
from ontogeny.front.lines import Lines, with_lines
from ontogeny.front.replaced import Replaced
from ontogeny.front.source import user_line
from ontogeny.isa.errors import CaptureError

DEPENDS = (
    "what happens next depends on the value of a tensor, and a program has no hidden Python; use torch.where, a mask, "
    "or compute it outside of the model"
)
TRACING = RLock()
"""Held while torch's own functions are replaced by others, which every thread would see."""
Batch = Mapping[str, torch.Tensor]
Loss = Callable[[nn.Module, Batch], Any]


@dataclass(frozen=True, slots=True)
class Traced:
    """A traced function: its graph, and how many nodes of it belong to the forward pass."""

    graph: GraphModule
    forward: int


class Objective(nn.Module):
    """A model with its loss, as one module from a batch to a dict of scalars."""

    def __init__(self, model: nn.Module, loss: Loss) -> None:
        super().__init__()
        self.model = model
        self.loss = loss
        self.after: dict[str, torch.Tensor] = {}

    def forward(self, batch: Batch) -> Any:
        """Whatever the loss function gives. `after` then holds the buffers as the model left them."""
        with Lines() if fx_traceback.has_preserved_node_meta() else nullcontext():
            result = self.loss(self.model, batch)
        self.after = dict(self.named_buffers())
        return result


def metrics(result: Any) -> dict[str, torch.Tensor]:
    """The loss function's result as named scalars, `loss` first. Raises CaptureError for anything else."""
    named = dict(result) if isinstance(result, Mapping) else {"loss": result}
    if "loss" not in named:
        raise CaptureError(
            f"the loss function returned {', '.join(map(repr, named))} but no 'loss'; name the one to minimise 'loss'"
        )
    for name, value in named.items():
        if not isinstance(value, torch.Tensor) or value.dim():
            what = (
                f"a tensor of shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else type(value).__name__
            )
            raise CaptureError(f"the loss function's {name!r} is {what}; a scalar tensor was expected")
    return {"loss": named.pop("loss"), **named}


def objective_step(objective: Objective) -> Callable[..., Any]:
    """(params, frozen, buffers, batch) -> (gradients, metrics, new buffers), pure."""
    forward = objective_value(objective)

    def step(params: Any, frozen: Any, buffers: Any, batch: Any) -> Any:
        def value(params: Any) -> Any:
            named, changed = forward(params, frozen, buffers, batch)
            return named["loss"], (named, changed)

        gradients, (_, (named, changed)) = grad_and_value(value, has_aux=True)(params)
        return gradients, named, changed

    return step


def objective_value(objective: Objective) -> Callable[..., Any]:
    """(params, frozen, buffers, batch) -> (metrics, new buffers), pure: the forward pass alone."""

    def value(params: Any, frozen: Any, buffers: Any, batch: Any) -> Any:
        changed = {name: buffer.clone() for name, buffer in buffers.items()}
        named = metrics(functional_call(objective, {**params, **frozen, **changed}, (batch,)))
        return named, {name: objective.after[name] for name in changed}

    return value


def traced(function: Callable[..., Any], args: tuple[Any, ...]) -> GraphModule:
    """The ATen graph of a pure function on arguments like these. Raises CaptureError naming the user's own line."""
    pure = functionalize(function, remove="mutations")
    try:
        with plain_kernels(), told_of_tracing(), fx_traceback.preserve_node_meta():
            return make_fx(pure, tracing_mode="fake", _allow_non_fake_inputs=True)(*args)
    except CaptureError:
        raise
    except (DataDependentOutputException, DynamicOutputShapeException, GuardOnDataDependentSymNode) as error:
        raise CaptureError(f"{user_line(error)}: {DEPENDS}") from error
    except Exception as error:  # the model's own, or what PyTorch makes of it
        raise CaptureError(f"{user_line(error)}: {type(error).__name__}: {error}") from error


@contextmanager
def plain_kernels() -> Iterator[None]:
    """Attention as matrix products, recurrent layers without oneDNN's fused ones, and first derivatives only.

    A gradient that could itself be differentiated is computed by other kernels in places (SiLU's), with other bits.
    """
    with TRACING:
        yield from _plain_kernels()


def _plain_kernels() -> Iterator[None]:
    before, differentiate = torch._C._get_mkldnn_enabled(), eager_transforms._autograd_grad
    torch._C._set_mkldnn_enabled(False)
    eager_transforms._autograd_grad = with_lines(_first(differentiate))
    try:
        with sdpa_kernel(SDPBackend.MATH), Replaced():
            yield
    finally:
        torch._C._set_mkldnn_enabled(before)
        eager_transforms._autograd_grad = differentiate


def _first(differentiate: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **kwargs: differentiate(*args, **{**kwargs, "create_graph": False})
