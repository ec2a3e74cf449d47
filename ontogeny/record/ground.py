"""What a run's steps are computed from beside its journal: its data, its program, and what there was at step 0."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from ontogeny.data.base import Array, Data
from ontogeny.data.composed import Composed
from ontogeny.data.pool import Pool
from ontogeny.data.without import Without
from ontogeny.isa.errors import RecordError
from ontogeny.isa.program import Decl, Program
from ontogeny.machine.base import value_of
from ontogeny.record.added import find
from ontogeny.record.composition import Added, Composition
from ontogeny.record.journal import Entry
from ontogeny.record.keyframes import Keyframes
from ontogeny.record.program import read_program


@dataclass(frozen=True)
class Ground:
    """`folders` are those of the runs that it goes back to and its own, the root's first; `start` the root's entry."""

    data: Data
    program: Program
    folders: tuple[Path, ...]
    start: Entry

    @property
    def root(self) -> Path:
        """The folder of the run that all began with."""
        return self.folders[0]

    def examples(self, composition: Composition) -> Data:
        """The data as a composition has it."""
        data = self.data
        if composition.mixed or composition.also:
            added = {one.first: partial(self._added, one) for one in composition.drawn()}
            data = Composed(Pool(data, added), self.start["seed"], composition.mixed, composition.also)
        return Without(data, composition.left_out) if composition.left_out else data

    def _added(self, one: Added) -> dict[str, Array]:
        if one not in self._read:
            self._read[one] = find(self.folders, one)
        return self._read[one]

    @cached_property
    def _read(self) -> dict[Added, dict[str, Array]]:
        return {}

    @cached_property
    def _beginning(self) -> tuple[dict[str, Decl], dict[str, Array]]:
        """The root's parameters as they are declared, and its state at step 0."""
        program = read_program(self.root, self.start["program"])
        state, hash_row = Keyframes(self.root, program).read(0)
        if hash_row.hex() != self.start["hash"]:
            raise RecordError(f"the state at step 0 in {self.root} is not the one that its journal names")
        return {decl.name: decl for decl in program.named_params()}, state

    def first(self, decl: Decl) -> Array:
        """The values of a parameter at step 0 of the root. RecordError where it had none of that shape."""
        decls, state = self._beginning
        own = decls.get(decl.name)
        if own is None or own.type != decl.type:
            raise RecordError(
                f"{decl.name!r} as {decl.type} was not there at step 0, so it cannot be reset to what it was; zero it"
            )
        return value_of(own, state)
