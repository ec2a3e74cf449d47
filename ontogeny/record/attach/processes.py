"""The processes that train one model together, as torch.distributed has them, and what they do in step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch.distributed as dist

from ontogeny.isa.errors import RecordError

T = TypeVar("T")


def rank() -> int:
    """Which of the processes this is."""
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


def count() -> int:
    """How many processes there are."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def gathered(value: T) -> list[T]:
    """What every process gives, in the order of their ranks, in each of them."""
    found: list[Any] = [None] * count()
    dist.all_gather_object(found, value)
    return found


def together(work: Callable[[], T]) -> T:
    """What `work` gives here, once it has been done in every process. Where it raises RecordError in one, all raise."""
    said: RecordError | None = None
    try:
        found = work()
    except RecordError as error:
        said = error
    wrong = [text for text in gathered("" if said is None else str(said)) if text]
    if said is not None:
        raise said
    if wrong:
        raise RecordError(f"another process could not go on: {wrong[0]}")
    return found
