"""Forgetting examples exactly: the run as it would be had it never seen them, kept as a run of its own.

That is a replay without them from step 0 on. Up to the first step that learned from one of them nothing changes, so the
new run is a fork there; all that the journal says later is entered again at its own step, dials and what was added too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from ontogeny.ask.alternative import Alternative, alternative, checked_same, cost, kept
from ontogeny.record.run import Run


def forgetting(run: Run, examples: str | Iterable[int]) -> Alternative:
    """What it takes to forget examples, by number or in words (3,17,40:60): the steps that differ, and the cost.

    Nothing is replayed. RecordError where the run never learned from them, or where its program changed on the way.
    """
    checked_same(run, "forget in the run before, and fork that with the new program")
    other = alternative(run, without=examples)
    return replace(other, cost=cost(run, other.first, other.last, sides=1))


def forget(
    run: Run,
    examples: str | Iterable[int],
    folder: Path | str,
    *,
    agreed: Callable[[Alternative], bool] = lambda _: True,
    author: str = "you",
) -> Run | None:
    """The run without examples that it learned from, as a new run in `folder`, as far as this one has come.

    `agreed` is told what it takes before anything is done, and None comes back where it says no. RecordError as
    `forgetting` and `kept` raise it.
    """
    other = forgetting(run, examples)
    return kept(run, other, folder, author) if agreed(other) else None
