"""Loops compiled by numba and kept on the disk for as long as no source that they are made of has changed.

numba keeps machine code by the file of the function alone, so what it took from other files, an inlined function or a
constant, would stay as it was. Here the key is that file and all of its package to which its imports lead, by their
bytes. Kernels import little, so that little is compiled again; what a kernel takes from another package, or by a
relative import, is not seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache

Function = TypeVar("Function", bound=Callable[..., Any])
IMPORTS = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]*(\([^)]*\)|[^\n#]*)|import[ \t]+([^\n#]*))", re.MULTILINE
)


def compiled(function: Function, **options: Any) -> Function:
    """A function compiled on its first call, without the interpreter's lock; `options` are those of `numba.njit`."""
    made: Any = numba.njit(function, nogil=True, **options)
    if hasattr(made, "enable_caching"):  # not where NUMBA_DISABLE_JIT leaves functions as they are
        made._cache = _Cache(made.py_func)
    kept: Function = made
    return kept


@cache
def sources(file: Path) -> tuple[Path, ...]:
    """The file and all files of its package to which its imports lead, in order. Raises OSError for one not there."""
    root, waiting, found = _root(file), [file], set[Path]()
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _read(path, root)[1]
    return tuple(sorted(found))


@cache
def stamp(file: str) -> str:
    """SHA-256 of those files; empty where they cannot be read, as in an archive."""
    try:
        path = Path(file).absolute()
        root = _root(path)
        parts = (_read(one, root)[0] for one in sources(path))
        return sha256(b"".join(parts)).hexdigest()
    except OSError:
        return ""


def _root(file: Path) -> Path:
    """The folder in which the file's package lies."""
    folder = file.parent
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder


@cache
def _read(path: Path, root: Path) -> tuple[bytes, tuple[Path, ...]]:
    """The hash of a file with its name, and the files of the root that it imports from."""
    content = path.read_bytes()
    name = path.relative_to(root).as_posix().encode()
    return sha256(name + b"\0" + content).digest(), tuple(_imported(content.decode(), root))


def _imported(text: str, root: Path) -> Iterator[Path]:
    for source, names, modules in IMPORTS.findall(text):
        for module in [part.split()[0] for part in modules.split(",") if part.strip()]:
            yield from _file(root, module)
        if source and not source.startswith("."):
            there = [list(_file(root, f"{source}.{name}")) for name in re.findall(r"(\w+)(?:\s+as\s+\w+)?", names)]
            yield from (path for paths in there for path in paths)
            if not all(there):
                yield from _file(root, source)


def _file(root: Path, module: str) -> Iterator[Path]:
    """The file of a module, if it is in the root."""
    base = root.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            yield path
            return


def _keyed(locator: type[Any]) -> type[Any]:
    """A place of numba's for machine code, which asks for all sources."""

    def get_source_stamp(self: Any) -> Any:
        return locator.get_source_stamp(self), stamp(self._py_file)

    return type(f"Keyed{locator.__name__}", (locator,), {"get_source_stamp": get_source_stamp})


class _Places(CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes: ClassVar[list[type[Any]]] = [
        _keyed(locator) for locator in CompileResultCacheImpl._locator_classes
    ]


class _Cache(FunctionCache):  # type: ignore[misc]
    _impl_class = _Places
