"""Where indexes of shapes are kept, and what proves that one is still of the run it lies with.

They lie in the run's `cache` folder, one for each kind of series and window, and can be deleted at any time. One is
used again only where its proof is the run's: of a native run, the hashes of all the states in the window; of any other
trajectories, a digest of what is recorded of their first lanes. A run that went on gives new windows, each an index of
its own, built in one pass over just that window: 1.7 microseconds of CPU for a parameter of 40 steps. When it grows,
centring changes every number of a series, so nothing of a shorter window's index would be of use. Those that were used
longest ago go first when all together exceed the budget.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any, cast
from weakref import WeakKeyDictionary, finalize

import numpy as np
import xxhash

from ontogeny.ask.series import Span
from ontogeny.ask.shape_build import build
from ontogeny.ask.shape_index import ShapeIndex
from ontogeny.isa.errors import RecordError
from ontogeny.record.disk import disk
from ontogeny.record.trace.traces import Traces

FORMAT = 1
BUDGET = 16 << 30
"""Bytes of all indexes of one run."""
WITNESSES = 256
_SCRATCH: WeakKeyDictionary[Any, Path] = WeakKeyDictionary()


def traces_of(source: Any) -> Traces:
    """The trajectories of a run, or trajectories themselves."""
    return cast(Traces, getattr(source, "traces", source))


def shape_index(source: Any, over: Span, without_modes: int = 0, budget: int = BUDGET) -> ShapeIndex:
    """The index of all series of a span, found again or built. `without_modes` takes so many shared modes out first.

    `source` is a run, native or attached, or its trajectories; those of no run are indexed in a temporary folder that
    goes with them. Raises RecordError where the index would exceed the budget.
    """
    traces, home = traces_of(source), _home(source)
    about = {"format": FORMAT, "length": over.length, "proof": _proof(source, traces, over)}
    name = f"{over.over}-{over.steps[0]}-{over.steps[-1]}" + (f"-without-{without_modes}" if without_modes else "")
    if _kept(home / name, about):
        os.utime(home / name)
        return _opened(home / name, str(about))
    elements = sum(tensor.size for tensor in traces.tensors.values())
    if (needed := elements * (2 * over.length + 48)) > budget:
        raise RecordError(
            f"an index of {over.length} {over.over} of {elements} parameters takes {needed / 2**30:.1f} GiB, more than "
            f"the budget of {budget / 2**30:.1f} GiB; narrow the window"
        )
    removed = np.zeros((over.length, 0))
    if without_modes:
        removed = shape_index(source, over, 0, budget).modes[:, :without_modes]
    _make(home, name, about, lambda folder: build(folder, traces, over, removed, about))
    _evict(home, name, budget)
    return _opened(home / name, str(about))


def _home(source: Any) -> Path:
    """The folder of a run's indexes, or a temporary one that lives as long as the trajectories do."""
    if (folder := getattr(source, "folder", None)) is not None:
        return Path(folder) / "cache" / "shapes"
    if source not in _SCRATCH:
        _SCRATCH[source] = Path(tempfile.mkdtemp(prefix="ontogeny-shapes-"))
        finalize(source, shutil.rmtree, _SCRATCH[source], ignore_errors=True)
    return _SCRATCH[source]


def _proof(source: Any, traces: Traces, over: Span) -> str:
    """What changes when the trajectories in the window are not the same."""
    digest = xxhash.xxh3_64(np.asarray(over.steps).tobytes())
    digest.update(repr([(t.name, str(t.dtype), t.shape) for t in traces.tensors.values()]).encode())
    hashes = [source.hash(step) for step in over.steps.tolist()] if hasattr(source, "hash") else []
    if hashes and all(hashes):
        digest.update("".join(hashes).encode())
    elif traces.tensors:
        tensor = next(iter(traces.tensors.values()))
        digest.update(traces.lines(tensor.name, np.arange(min(tensor.size, WITNESSES)), over.states)[1].tobytes())
    return digest.hexdigest()


def _kept(folder: Path, about: dict[str, Any]) -> bool:
    """Whether a folder holds the whole index of just this."""
    try:
        found = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return {name: found.get(name) for name in about} == about


def _make(home: Path, name: str, about: dict[str, Any], write: Any) -> None:
    """Builds beside, then renames, so that a half-built index is never seen, nor one pulled from under a reader."""
    with disk("making", home):
        home.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".making-", dir=home))
        try:
            write(made)
            if (home / name).exists() and not _kept(home / name, about):
                shutil.rmtree(home / name)
            if not (home / name).exists():
                os.rename(made, home / name)
        finally:
            shutil.rmtree(made, ignore_errors=True)


def _evict(home: Path, name: str, budget: int) -> None:
    """Drops the indexes that were used longest ago, but not the named one, until the budget holds."""
    folders = [path for path in home.iterdir() if not path.name.startswith(".")]
    sizes = {path: sum(file.stat().st_size for file in path.iterdir()) for path in folders}
    held = sum(sizes.values())
    for path in sorted(folders, key=lambda path: path.stat().st_mtime):
        if held > budget and path.name != name:
            shutil.rmtree(path, ignore_errors=True)
            held -= sizes[path]


@lru_cache(maxsize=8)
def _opened(folder: Path, about: str) -> ShapeIndex:
    """An index, kept open: the same folder with other contents is another one."""
    return ShapeIndex(folder)
