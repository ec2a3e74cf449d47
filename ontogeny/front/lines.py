"""The user's own line of Python for every operation of a trace, forward and backward.

A line is noted while an operation of the user's runs: on what it traces at once, and on the autograd nodes that it
leaves behind, which say it again while the gradient is traced. A sum of gradients, where a value was used more than
once, has the line of the use that was added last.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch
import torch.fx.traceback as fx_traceback
from torch.overrides import TorchFunctionMode

from ontogeny.front.source import users_stack

STACK = "stack_trace"
"""Where torch's tracer looks for the stack of the operation that it records."""
KEPT = "ontogeny.line"
"""Where an autograd node keeps the line of the operation that made it."""


class Lines(TorchFunctionMode):
    """Notes on every traced operation the line of the user's that it came from: torch's own record keeps methods called
    `forward` alone, and would miss the loss function, whatever a model calls, and every gradient.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        stack = users_stack(sys._getframe(1))
        if not stack:
            return func(*args, **(kwargs or {}))
        fx_traceback.current_meta[STACK] = stack
        try:
            result = func(*args, **(kwargs or {}))
            _mark(args[:1] if result is None else result, stack)
            return result
        finally:
            fx_traceback.current_meta.pop(STACK, None)


def with_lines(differentiate: Callable[..., Any]) -> Callable[..., Any]:
    """`torch.autograd.grad` whose first operation, the gradient of the loss itself, has the line of the loss."""

    def run(outputs: Any, *args: Any, **kwargs: Any) -> Any:
        first = next((node for node in _nodes(outputs)), None)
        fx_traceback.current_meta[STACK] = first.metadata.get(KEPT, "") if first else ""
        try:
            return differentiate(outputs, *args, **kwargs)
        finally:
            fx_traceback.current_meta.pop(STACK, None)

    return run


def _mark(result: Any, stack: str) -> None:
    """The autograd nodes that led to a result, and that no operation before has marked, say `stack` while they run."""
    waiting = _nodes(result)
    while waiting:
        node = waiting.pop()
        if KEPT not in node.metadata:
            node.metadata[KEPT] = stack
            node.register_prehook(lambda _: fx_traceback.current_meta.update({STACK: stack}))
            waiting += [before for before, _ in node.next_functions if before is not None]


def _nodes(value: Any) -> list[Any]:
    found = value if isinstance(value, (list, tuple)) else (value,)
    return [one.grad_fn for one in found if isinstance(one, torch.Tensor) and one.grad_fn is not None]
