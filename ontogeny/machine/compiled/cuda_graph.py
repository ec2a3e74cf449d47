"""A function of tensors as a CUDA graph: its launches are recorded once and replayed as one.

By torch's documented recipe: inputs that stay where they are, a warm-up on a side stream, a capture, replays. Values
are copied in and out, so that what a replay returned is not changed by the next, and a fork, hash or keyframe sees what
was committed. What is not known here: how it runs. It was written where no GPU could be reached, and has not been seen
running.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

WARM = 3
"""Calls before the capture, in which kernels are chosen and compiled, as torch's documentation advises."""


def captured(
    function: Callable[..., Sequence[torch.Tensor]], examples: Sequence[torch.Tensor]
) -> Callable[..., tuple[torch.Tensor, ...]]:
    """`function` as a graph for tensors of the shapes, formats and device of `examples`, which are all on one GPU.

    It may neither read a tensor's value on the host nor change its operands. Raises RuntimeError where CUDA cannot
    record it.
    """
    with torch.cuda.device(examples[0].device):
        held = [example.clone() for example in examples]
        _warmed(function, held)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            results = tuple(function(*held))

    def replay(*given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        for place, value in zip(held, given, strict=True):
            place.copy_(value)
        graph.replay()
        return tuple(result.clone() for result in results)

    return replay


def _warmed(function: Callable[..., Any], held: Sequence[torch.Tensor]) -> None:
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM):
            function(*held)
    torch.cuda.current_stream().wait_stream(side)
