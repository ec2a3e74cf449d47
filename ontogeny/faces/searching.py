"""Going on with a search from the shell: progress with the best so far, Ctrl-C, and what came of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape

from ontogeny.evolve.circuits.files import format_of
from ontogeny.evolve.recording.recorded import RecordedSearch
from ontogeny.evolve.search import Found
from ontogeny.evolve.spaces import Netlists, Space, Vectors
from ontogeny.evolve.weights.candidates import Vector, taken_apart
from ontogeny.evolve.workers import Workers
from ontogeny.faces.outputs import place, replaceable
from ontogeny.faces.progress import Live
from ontogeny.faces.running import INTERRUPTED
from ontogeny.faces.searches import document, say
from ontogeny.faces.terminal import answer, tell
from ontogeny.isa.errors import OntogenyError
from ontogeny.isa.hints import typed
from ontogeny.isa.netlist import Netlist


def go_on(
    search: RecordedSearch, seconds: float | None, output: str, as_json: bool, workers: Workers | None = None
) -> None:
    """Lets it go on, and tells what came of it; the best is written where a file is named."""
    if output:
        checked(output, search.began.fitness.space)  # refused before anything is searched for
    if elsewhere := search.elsewhere():
        tell(f"it began elsewhere ({escape(elsewhere)}), so it may not go the same way")
    try:
        with Live(end(search), search.course.evaluations, quiet=as_json, what="evaluations") as live:
            found = search.go_on(
                seconds, lambda so_far: live.step(so_far.evaluations, metrics(so_far), end(search)), workers
            )
    except KeyboardInterrupt:
        resume = escape(typed("search", "resume", search.folder.name))
        tell(f"stopped after {search.course.evaluations:,} evaluations; `{resume}` goes on")
        raise typer.Exit(INTERRUPTED) from None
    told(search, found, output, as_json)


def told(search: RecordedSearch, found: Found[Any], output: str, as_json: bool) -> None:
    """Says what a search has come to."""
    written = write(found.best, search.began.fitness.space, output) if output else ""

    def person(console: Console) -> None:
        say(console, search, found)
        if written:
            console.print(f"written: {escape(written)}")

    answer(document(search, found) | ({"file": written} if written else {}), as_json, person)


def end(search: RecordedSearch) -> int:
    """The evaluations at which it is over, as it looks now."""
    return max(1, search.course.search.end(search.course.standing))


def metrics(found: Found[Any]) -> dict[str, float]:
    """The best so far in a line."""
    return {"error": found.error, **({"gates": found.size} if isinstance(found.best, Netlist) else {})}


def checked(output: str, space: Space) -> None:
    """Raises OntogenyError where the best of a space cannot be written to such a file, or to any there."""
    if isinstance(space, Netlists):
        format_of(output)
    elif not isinstance(space, Vectors):
        raise OntogenyError(f"{output}: only circuits and vectors are written to files")
    elif Path(output).suffix.lower() not in VECTORS:
        raise OntogenyError(f"{output} is to hold a vector; expected an ending of {', '.join(VECTORS)}")
    folder = place(output, Path(output).name).parent
    if not os.access(folder, os.W_OK):
        raise OntogenyError(f"{output} cannot be written: {folder} does not let you; name a file elsewhere")


def write(best: Any, space: Space, output: str) -> str:
    """Writes a circuit or a vector in the format that the file's ending says."""
    checked(output, space)
    target = replaceable(place(output, Path(output).name))
    if isinstance(space, Vectors):
        VECTORS[target.suffix.lower()](target, space, best)
    else:
        target.write_bytes(format_of(target).write(best))
    return str(target)


def _json(target: Path, space: Vectors, vector: Vector) -> None:
    target.write_text(json.dumps([float(number) for number in vector]) + "\n", encoding="utf-8")


def _archive(target: Path, space: Vectors, vector: Vector) -> None:
    parts: dict[str, Any] = {name or "vector": part for name, part in taken_apart(space, vector).items()}
    np.savez(target, **parts)


VECTORS: dict[str, Callable[[Path, Vectors, Vector], None]] = {
    ".npy": lambda target, space, vector: np.save(target, vector),
    ".npz": _archive,
    ".json": _json,
}
"""How a vector is written by a file's ending; an archive has the weights of a network by their names."""
