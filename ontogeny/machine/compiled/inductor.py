"""The fast mode: the tensor part of a routine compiled by inductor.

Host scalars become scalar tensors here, so that turning a dial compiles nothing. The first compile of a program takes
from seconds to minutes; inductor keeps it on disk for the next process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.fx.experimental.proxy_tensor import make_fx

from ontogeny.isa.errors import MachineError

FORMATS = {bool: torch.bool, int: torch.int64, float: torch.float64}


def lifted(value: Any) -> Any:
    """A host scalar as a scalar tensor; tensors as they are."""
    return value if isinstance(value, torch.Tensor) else torch.tensor(value, dtype=FORMATS[type(value)])


def compiled(body: Callable[..., Any], values: list[Any], name: str) -> Callable[..., tuple[Any, ...]]:
    """`body` compiled for values like these. Raises MachineError where inductor cannot."""
    examples = [lifted(value) for value in values]
    try:
        graph = make_fx(body)(*examples)
        fast = torch._inductor.compile(graph, examples)
    except Exception as error:
        raise MachineError(
            f"routine {name!r} cannot be compiled in the fast mode ({type(error).__name__}: {error}); use mode='exact'"
        ) from error

    def run(*given: Any) -> tuple[Any, ...]:
        return tuple(fast(*(lifted(value) for value in given)))

    return run
