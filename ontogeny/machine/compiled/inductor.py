"""The fast mode: the tensor part of a routine compiled by inductor.

Host scalars travel as one tensor for each kind, so that turning a dial compiles nothing. The first compile of a program
takes from seconds to minutes; inductor keeps it on disk for the next process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import torch
from torch.fx.experimental.proxy_tensor import make_fx

from ontogeny.isa.errors import MachineError
from ontogeny.machine.compiled.cuda_graph import captured

FORMATS = {bool: torch.bool, int: torch.int64, float: torch.float64}
OPTIONS = {"emulate_precision_casts": True}
"""A value that the program rounds to 16 bits is rounded, where inductor would keep all bits within a fused loop."""


def compiled(
    body: Callable[..., Any], values: list[Any], name: str, device: str = "cpu"
) -> Callable[..., tuple[Any, ...]]:
    """`body` compiled for values like these; on a GPU, as a CUDA graph. Raises MachineError where it cannot."""
    packs = _packs(values)
    places = [place for pack in packs.values() for place in pack]
    tensors = [place for place in range(len(values)) if place not in places]

    def unpacked(*given: Any) -> Any:
        full: list[Any] = [None] * len(values)
        for pack, numbers in zip(packs.values(), given, strict=False):
            for position, place in enumerate(pack):
                full[place] = numbers[position]
        for place, tensor in zip(tensors, given[len(packs) :], strict=True):
            full[place] = tensor
        return body(*full)

    def packed(given: Sequence[Any]) -> list[Any]:
        numbers = [
            torch.tensor([given[p] for p in pack], dtype=FORMATS[kind], device=device) for kind, pack in packs.items()
        ]
        return [*numbers, *(given[place] for place in tensors)]

    try:
        examples = packed(values)
        fast = torch._inductor.compile(make_fx(unpacked, _products())(*examples), examples, options=OPTIONS)
        if torch.device(device).type == "cuda":
            fast = captured(fast, examples)
    except Exception as error:  # a compiler's errors have no class in common
        raise MachineError(
            f"routine {name!r} cannot be compiled in the fast mode ({type(error).__name__}: {error}); use mode='exact'"
        ) from error
    return lambda *given: tuple(fast(*packed(given)))


def _products() -> Any:
    """How matrix products are taken. The file waits until now, since it imports the whole of inductor."""
    return import_module("ontogeny.machine.compiled.products").PRODUCTS


def _packs(values: Sequence[Any]) -> dict[type, list[int]]:
    """The places of the host scalars by their kind: each kind travels as one tensor."""
    packs: dict[type, list[int]] = {}
    for place, value in enumerate(values):
        if not isinstance(value, torch.Tensor):
            packs.setdefault(type(value), []).append(place)
    return packs
