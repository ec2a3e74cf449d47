"""Searches by name, and how a person is told of them. They lie beside the folder of runs, in `searches`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape

from ontogeny.evolve.method import Best
from ontogeny.evolve.recording.lineage import Step
from ontogeny.evolve.recording.recorded import RecordedSearch, open_search
from ontogeny.evolve.recording.turning import said
from ontogeny.evolve.search import Found
from ontogeny.faces.terminal import duration, number, table
from ontogeny.isa.netlist import Netlist, depth
from ontogeny.record.runs_folder import RunsFolder, plain_name

CHANGES = 3
"""How many changes of a step a person is told."""
FIRST, MOST_NUMBERS = 8, 1000
"""How many numbers of a vector a person is shown at first, and how many a program."""
REASONS = 5
"""How many reasons of failures a person is told."""
SHOWN = 12
"""How many of a front a person is shown."""


def searches() -> RunsFolder:
    """The folder of all searches."""
    return RunsFolder(RunsFolder.default().root.parent / "searches", "search")


def opened(name: str) -> RecordedSearch:
    """The search of a name, the beginning of one, or a folder. Raises OntogenyError with what there is."""
    return open_search(searches().find(name))


def document(search: RecordedSearch, found: Found[Any]) -> dict[str, Any]:
    """A search in a few values."""
    objectives = search.began.fitness.objectives
    best = found.front[0] if len(found.front) == 1 else _as_best(found)
    return {
        "search": search.folder.name,
        "folder": str(search.folder),
        "solved": found.solved,
        "solved_at": found.solved_at,
        "over": search.course.over,
        "evaluations": found.evaluations,
        "seconds": round(found.seconds, 3),
        "seed": search.seed,
        "best": of_best(objectives, best) | worth(search, found),
        "front": [of_best(objectives, one) for one in found.front] if len(found.front) > 1 else [],
        "dials": {name: said(value) for name, value in search.dials().items()},
        "failed": search.failed.count,
        "failures": search.failed.document(),
    }


def of_best(objectives: Sequence[str], best: Best[Any]) -> dict[str, Any]:
    """A candidate in a few values."""
    found: dict[str, Any] = dict(zip(objectives, best.errors, strict=False))
    if isinstance(best.candidate, np.ndarray):
        found |= {"numbers": best.candidate.size}
        found |= {"vector": best.candidate.tolist()} if best.candidate.size <= MOST_NUMBERS else {}
    if isinstance(best.candidate, Netlist):
        found |= {"gates": best.candidate.gates, "depth": depth(best.candidate)}
    return found


def worth(search: RecordedSearch, found: Found[Any]) -> dict[str, float]:
    """What a fitness tells of the best beside its error, such as accuracy on examples that were held out."""
    told: Callable[[Any], dict[str, float]] | None = getattr(search.began.fitness, "told", None)
    return told(found.best) if told is not None and math.isfinite(found.error) else {}


def say(console: Console, search: RecordedSearch, found: Found[Any]) -> None:
    """The same for a person."""
    name, state = search.folder.name, "over" if search.course.over else "not over"
    error = number(found.error) if math.isfinite(found.error) else "not judged yet"
    if not math.isfinite(found.error) and search.failed.count:
        error = "infinite, since every candidate failed,"
    reached = f"right after {found.solved_at:,}" if found.solved_at is not None else f"error {error} after"
    console.print(
        f"[bold]{escape(name)}[/]: {reached} {'of ' if found.solved else ''}{found.evaluations:,} evaluations, "
        f"{duration(found.seconds)}, {state}"
    )
    best = found.best
    if isinstance(best, Netlist):
        console.print(f"{best.gates} gates, depth {depth(best)}, {best.inputs} inputs, {len(best.outputs)} outputs")
    if isinstance(best, np.ndarray):
        more = f" and {best.size - FIRST:,} more; -o FILE.npy writes all" if best.size > FIRST else ""
        console.print(f"{best.size:,} numbers: {' '.join(map(number, best[:FIRST].tolist()))}{more}")
    for what, value in worth(search, found).items():
        console.print(f"{what} {value:.2%}")
    if len(found.front) > 1:
        say_front(console, search.began.fitness.objectives, found.front)
    say_failed(console, search)
    console.print(f"[dim]{escape(str(search.folder))}[/]")


def say_failed(console: Console, search: RecordedSearch) -> None:
    """What failed, the most frequent reasons first."""
    rows = search.failed.document()
    if rows:
        console.print(f"[yellow]{search.failed.count:,} of the candidates failed:[/]")
    for row in rows[:REASONS]:
        console.print(f"  {row['count']:,}: {escape(row['why'])}, first candidate {row['first']:,}")
    if len(rows) > REASONS:
        console.print(f"  and {sum(row['count'] for row in rows[REASONS:]):,} for other reasons; --json has them")


def say_front(console: Console, objectives: Sequence[str], front: Sequence[Best[Any]]) -> None:
    """A front as a table."""
    console.print(f"{len(front)} candidates that no other is better than in all:")
    shown = table("", **dict.fromkeys(objectives, "right"))
    for best in front[:SHOWN]:
        shown.add_row(*map(number, best.errors))
    console.print(shown)
    if len(front) > SHOWN:
        console.print(f"and {len(front) - SHOWN} more; --json has all")


def stem(target: str) -> str:
    """A search's name after what it is after."""
    path, _, function = target.rpartition(":")
    return function if path else plain_name(Path(target).stem)


def _as_best(found: Found[Any]) -> Best[Any]:
    return Best(found.best, found.errors, found.size)


def say_lineage(console: Console, steps: Sequence[Step]) -> None:
    """A line of ancestors for a person."""
    for step in steps:
        size = f", {step.size} gates" if step.size else ""
        console.print(f"[bold]{step.number:,}[/]: error {number(step.error)}{size}")
        for words in step.made[:CHANGES]:
            console.print(f"  made by: {words}")
        if step.built_on:
            more = f" and {len(step.built_on) - CHANGES} more" if len(step.built_on) > CHANGES else ""
            told = "; ".join(step.built_on[:CHANGES])
            console.print(f"  [dim]built on {len(step.built_on)} of {step.drifted} that drifted in: {told}{more}[/]")
