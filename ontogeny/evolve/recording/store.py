"""What a search's journal names and does not hold: arrays and the source of functions, in files under their hashes.

A function is told by the file that it stands in, of which a copy is kept, so that a search does not change when the
file does. The copy runs as Python when the search is opened; what it imports from beside it comes from there.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import io
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ontogeny.isa.errors import RecordError, SearchError
from ontogeny.record.disk import disk, replace_file

SOURCE, DATA = "source", "data"
PREFIX = "ontogeny_searched_"


@dataclass(frozen=True)
class Store:
    """The files of a search's folder."""

    folder: Path

    def put_array(self, array: NDArray[Any]) -> dict[str, Any]:
        """Keeps an array; how the journal tells it."""
        if array.dtype.hasobject:
            raise SearchError(f"an array of {array.dtype} cannot be written down; give numbers")
        packed = io.BytesIO()
        np.save(packed, array, allow_pickle=False)
        return {"array": self._put(DATA, packed.getvalue(), ".npy")}

    def array(self, told: Mapping[str, Any]) -> NDArray[Any]:
        """The array that the journal tells."""
        found: NDArray[Any] = np.load(io.BytesIO(self._get(DATA, told["array"], ".npy")), allow_pickle=False)
        return found

    def put_function(self, function: Callable[..., Any]) -> dict[str, Any]:
        """Keeps the file of a function. Raises SearchError for one that no name at the top of a file leads to."""
        name, file = getattr(function, "__qualname__", ""), _file_of(function)
        if file is None or not name.isidentifier():
            raise SearchError(
                f"the function {name or function!r} cannot be written down: put it at the top of a Python file by a "
                "name of its own"
            )
        sha = self._put(SOURCE, file.read_bytes(), ".py")
        return {"function": name, "file": file.name, "beside": str(file.parent), "sha256": sha}

    def function(self, told: Mapping[str, Any]) -> Callable[..., Any]:
        """The function that the journal tells, of the copy of its file."""
        self._get(SOURCE, told["sha256"], ".py")  # proves it
        module = loaded(self.folder / SOURCE / f"{told['sha256']}.py", Path(told["beside"]), told["file"])
        found = getattr(module, told["function"], None)
        if not callable(found):
            raise SearchError(f"{told['file']} has no function {told['function']}")
        made: Callable[..., Any] = found
        return made

    def _put(self, where: str, content: bytes, ending: str) -> str:
        sha = hashlib.sha256(content).hexdigest()
        path = self.folder / where / f"{sha}{ending}"
        if not path.exists():
            with disk("making", path.parent):
                path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, content)
        return sha

    def _get(self, where: str, sha: str, ending: str) -> bytes:
        path = self.folder / where / f"{sha}{ending}"
        with disk("reading", path):
            content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != sha:
            raise RecordError(f"{path} is not what the journal names; put the original back, or begin a new search")
        return content


def loaded(path: Path, beside: Path, called: str) -> ModuleType:
    """A Python file as a module, run once; imports from `beside` work. Raises SearchError where it cannot be run."""
    name = f"{PREFIX}{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]}_{path.stat().st_mtime_ns}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SearchError(f"{called} is not a Python file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(beside))
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]  # half a module, which the next who asks would be given
        if isinstance(error, KeyboardInterrupt):
            raise
        raise SearchError(f"{called} cannot be run: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(beside))
    return module


def searched() -> list[ModuleType]:
    """The modules of files that were loaded here."""
    return [module for name, module in sys.modules.items() if name.startswith(PREFIX)]


def _file_of(function: Callable[..., Any]) -> Path | None:
    try:
        file = inspect.getsourcefile(function)
    except TypeError:
        return None
    return Path(file).resolve() if file and Path(file).is_file() else None
