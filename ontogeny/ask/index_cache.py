"""Where indexes of shapes are kept, and what proves that one is still of the run it lies with.

They lie in the run's `cache` folder, one for each kind of series and window, and can be deleted at any time. One is
used again only where its proof is the run's: of a native run, the hashes of all the states in the window; of any other
trajectories, a digest of what is recorded of their first lanes. When a run went on, the longest index of the same kind
and first step that still proves itself is taken, and only the steps after it are read (`shape_update`); if it went to
the end of the run, the new one takes its place, else it stays. Those with shared modes taken out are made anew, since
these change with every step. Those that were used longest ago go first when all together exceed the budget.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, cast
from weakref import WeakKeyDictionary, finalize

import numpy as np
import xxhash

from ontogeny.ask.series import Span
from ontogeny.ask.shape_build import build
from ontogeny.ask.shape_index import ShapeIndex
from ontogeny.ask.shape_lanes import CannotBeAdded
from ontogeny.ask.shape_sample import DRAWN
from ontogeny.ask.shape_update import update
from ontogeny.isa.errors import RecordError
from ontogeny.record.disk import disk
from ontogeny.record.trace.traces import Traces, Window

FORMAT = 2
BUDGET = 16 << 30
"""Bytes of all indexes of one run."""
WITNESSES = 256
ABANDONED = 86400.0
"""Seconds after which what a killed process was making is taken away."""
_SCRATCH: WeakKeyDictionary[Any, Path] = WeakKeyDictionary()


def traces_of(source: Any) -> Traces:
    """The trajectories of a run, or trajectories themselves."""
    return cast(Traces, getattr(source, "traces", source))


def shape_index(source: Any, over: Span, without_modes: int = 0, budget: int = BUDGET) -> ShapeIndex:
    """The index of all series of a span, found again, added to, or built. `without_modes` takes shared modes out first.

    `source` is a run, native or attached, or its trajectories; those of no run are indexed in a temporary folder that
    goes with them. Raises RecordError where the index would exceed the budget.
    """
    traces, home = traces_of(source), _home(source)
    about = _about(source, traces, over)
    name = f"{over.over}-{over.steps[0]}-{over.steps[-1]}" + (f"-without-{without_modes}" if without_modes else "")
    if (found := _held(home / name, about)) is not None:
        os.utime(home / name)
        return found
    _check(traces, over, budget)
    said = {**about, "newest": int(over.steps[-1]) == int(np.asarray(traces.steps)[-1])}
    if without_modes or not _added(source, traces, over, home / name, said):
        none = np.zeros((over.length, 0))
        removed = shape_index(source, over, 0, budget).modes[:, :without_modes] if without_modes else none
        _make(home, name, said, lambda folder: build(folder, traces, over, removed, said))
    _evict(home, name, budget)
    return _opened(home / name, str(about))


def _about(source: Any, traces: Traces, over: Span) -> dict[str, Any]:
    """What an index must say of itself to be the one of a span."""
    return {"format": FORMAT, "length": over.length, "proof": _proof(source, traces, over)}


def _check(traces: Traces, over: Span, budget: int) -> None:
    elements = sum(tensor.size for tensor in traces.tensors.values())
    if (needed := elements * (2 * over.length + 80) + min(DRAWN, elements) * 4 * over.rows) > budget:
        raise RecordError(
            f"an index of {over.length} {over.over} of {elements} parameters takes {needed / 2**30:.1f} GiB, more than "
            f"the budget of {budget / 2**30:.1f} GiB; narrow the window"
        )


def _added(source: Any, traces: Traces, over: Span, folder: Path, said: dict[str, Any]) -> bool:
    """Makes an index by adding to one of the first steps of its span; whether there was one that could be added to."""
    found = _base(source, traces, over, folder.parent)
    if found is None:
        return False
    try:
        _make(folder.parent, folder.name, said, lambda made: update(made, found, traces, over, said))
    except CannotBeAdded:
        return False
    if found.about["newest"]:
        shutil.rmtree(found.folder, ignore_errors=True)
        _opened.cache_clear()
    return True


def _base(source: Any, traces: Traces, over: Span, home: Path) -> ShapeIndex | None:
    """The longest index of the first steps of a span, still proven to be of them."""
    begin = f"{over.over}-{over.steps[0]}-"
    lasts = [path.name.removeprefix(begin) for path in home.glob(f"{begin}*")]
    for last in sorted((int(last) for last in lasts if last.isdigit()), reverse=True):
        length = int(np.searchsorted(over.steps, last)) + 1
        if length < over.length and over.steps[length - 1] == last:
            part = Span(over.over, over.steps[:length], Window(over.states.start, last + 1))
            if (found := _held(home / f"{begin}{last}", _about(source, traces, part))) is not None:
                return found
    return None


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


def _held(folder: Path, about: dict[str, Any]) -> ShapeIndex | None:
    """The index of just this, where it is there and whole."""
    try:
        return _opened(folder, str(about)) if _kept(folder, about) else None
    except (OSError, ValueError, EOFError):
        shutil.rmtree(folder, ignore_errors=True)
        return None


def _make(home: Path, name: str, about: dict[str, Any], write: Callable[[Path], None]) -> None:
    """Builds beside, then renames, so that a half-built index is never seen, nor one pulled from under a reader."""
    with disk("making", home):
        home.mkdir(parents=True, exist_ok=True)
        for path in home.glob(".making-*"):
            if time.time() - path.stat().st_mtime > ABANDONED:
                shutil.rmtree(path, ignore_errors=True)
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
    return ShapeIndex(folder).opened()
