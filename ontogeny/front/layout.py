"""Where parameters lie: an elementwise rule gets all parameters of one number format, and group, as one arena.

Pieces begin at multiples of 64 bytes, since the bits of a matrix product may depend on how its operands are aligned.
The gaps stay zero: no gradient reaches them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ontogeny.front.rules.group import Group, assigned
from ontogeny.isa.program import Decl
from ontogeny.isa.types import DType, Type
from ontogeny.machine.formats import NUMPY
from ontogeny.machine.learner import Array

ALIGNMENT = 64


@dataclass(frozen=True, slots=True)
class Arena:
    """One flat register and its pieces; `group` is the name of the rule's group that they are in, empty for none."""

    decl: Decl
    pieces: tuple[Decl, ...]
    group: str = ""

    def filled(self, values: Mapping[str, Array]) -> Array:
        """The arena's array with each piece's values in place."""
        flat = np.zeros(self.decl.type.shape, NUMPY[self.decl.type.dtype])
        for piece in self.pieces:
            flat[piece.offset : piece.offset + piece.type.size] = values[piece.name].reshape(-1)
        return flat


def arenas(params: Mapping[str, Type], groups: Sequence[Group] = ()) -> list[Arena]:
    """One arena for each number format among the parameters, called `params`, or `params.f32` and so on.

    A group of the rule has arenas of its own, called `params.NAME`. Raises CaptureError for a group without parameters.
    """
    formats = list(dict.fromkeys(t.dtype for t in params.values()))
    group = assigned(groups, params)
    found = []
    for name in dict.fromkeys(["", *(one.name for one in groups)]):
        for dtype in formats:
            own = {key: t for key, t in params.items() if t.dtype is dtype and group.get(key, "") == name}
            parts = ["params", *([name] if name else []), *([str(dtype)] if len(formats) > 1 else [])]
            found += [_arena(".".join(parts), dtype, own, name)] if own else []
    return found


def _arena(name: str, dtype: DType, params: Mapping[str, Type], group: str) -> Arena:
    step = ALIGNMENT // dtype.bytes
    offset, pieces = 0, []
    for param, type in params.items():
        pieces.append(Decl("param", param, type, arena=name, offset=offset))
        offset += -(-type.size // step) * step
    return Arena(Decl("param", name, Type(dtype, (offset,))), tuple(pieces), group)


def gaps(pieces: Sequence[Decl], total: int) -> list[int]:
    """How many unused elements follow each piece."""
    ends = [piece.offset + piece.type.size for piece in pieces]
    return [start - end for end, start in zip(ends, [*(p.offset for p in pieces[1:]), total], strict=True)]
