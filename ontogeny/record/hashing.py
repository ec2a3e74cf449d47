"""The hash of a state: 64 bits for all registers in declared order, and 16 bits for each that say which one differs."""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct

import xxhash

from ontogeny.data.base import Array, raw_bytes
from ontogeny.isa.program import Program


class StateHasher:
    """Makes and compares hash rows: u64 of the whole, then u16 per register, little-endian.

    The whole is XXH3-64 of the registers' own XXH3-64; a register's tag is the low 16 bits of its own. Two states are
    taken for the same when the first 64 bits agree.
    """

    def __init__(self, program: Program) -> None:
        kept = list(program.kept())
        self.names = tuple(decl.name for decl in kept)
        self._inner = Struct(f"<{len(kept)}Q")
        self._row = Struct(f"<Q{len(kept)}H")
        self.width = self._row.size

    def row(self, state: Mapping[str, Array]) -> bytes:
        """The hash row of a state."""
        digest = xxhash.xxh3_64_intdigest
        try:
            parts = [digest(state[name].data) for name in self.names]
        except (ValueError, TypeError, BufferError):  # not contiguous, or of a format that buffers refuse, such as bf16
            parts = [digest(raw_bytes(state[name])) for name in self.names]
        return self._row.pack(digest(self._inner.pack(*parts)), *[part & 0xFFFF for part in parts])

    def differing(self, row: bytes, other: bytes) -> tuple[str, ...]:
        """The registers whose tags differ; none where the rows are equal."""
        if row == other:
            return ()
        pairs = zip(self.names, self._row.unpack(row)[1:], self._row.unpack(other)[1:], strict=True)
        return tuple(name for name, one, two in pairs if one != two)


def shown(row: bytes) -> str:
    """The 64 bits of the whole state, as sixteen digits."""
    return f"{int.from_bytes(row[:8], 'little'):016x}"
