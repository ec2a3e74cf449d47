"""Tables made once for a frozen object and kept by its identity, since hashing a whole program is slow.

A table lives while its object is among the last `limit` asked about. The object is held, so its identity stays its own.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, TypeVar

from ontogeny.isa.program import Decl, Program, Routine

Table = TypeVar("Table")


class ByIdentity(Generic[Table]):
    """Remembers what was made of the last few (tuples of) objects, told apart by identity, not by equality."""

    def __init__(self, limit: int = 256) -> None:
        self._limit = limit
        self._kept: dict[tuple[int, ...], tuple[tuple[Any, ...], Table]] = {}
        self._lock = Lock()

    def get(self, objects: tuple[Any, ...], make: Callable[[], Table]) -> Table:
        """What was made of the objects, made now if it was not yet or is forgotten. Errors of `make` are not kept."""
        key = tuple(map(id, objects))
        found = self._kept.get(key)
        if found is not None:
            return found[1]
        table = make()
        with self._lock:
            while len(self._kept) >= self._limit:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = objects, table
        return table


_declarations: ByIdentity[dict[str, Decl]] = ByIdentity()
_routines: ByIdentity[dict[str, Routine]] = ByIdentity()


def declarations(program: Program) -> dict[str, Decl]:
    """The program's declarations by name. Not to be modified."""
    return _declarations.get((program,), lambda: {decl.name: decl for decl in program.decls})


def routines(program: Program) -> dict[str, Routine]:
    """The program's routines by name. Not to be modified."""
    return _routines.get((program,), lambda: {routine.name: routine for routine in program.routines})
