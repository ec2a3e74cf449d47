"""Where parameters lie: an elementwise rule gets all parameters of one number format as one arena.

Pieces begin at multiples of 64 bytes, since the bits of a matrix product may depend on how its operands are aligned.
The gaps stay zero: no gradient reaches them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ontogeny.isa.program import Decl
from ontogeny.isa.types import DType, Type
from ontogeny.machine.formats import NUMPY
from ontogeny.machine.learner import Array

ALIGNMENT = 64


@dataclass(frozen=True, slots=True)
class Arena:
    """One flat register and its pieces."""

    decl: Decl
    pieces: tuple[Decl, ...]

    def filled(self, values: Mapping[str, Array]) -> Array:
        """The arena's array with each piece's values in place."""
        flat = np.zeros(self.decl.type.shape, NUMPY[self.decl.type.dtype])
        for piece in self.pieces:
            flat[piece.offset : piece.offset + piece.type.size] = values[piece.name].reshape(-1)
        return flat


def arenas(params: Mapping[str, Type]) -> list[Arena]:
    """One arena for each number format among the parameters, called `params`, or `params.f32` and so on."""
    formats = list(dict.fromkeys(t.dtype for t in params.values()))
    return [_arena("params" if len(formats) == 1 else f"params.{dtype}", dtype, params) for dtype in formats]


def _arena(name: str, dtype: DType, params: Mapping[str, Type]) -> Arena:
    step = ALIGNMENT // dtype.bytes
    offset, pieces = 0, []
    for param, type in params.items():
        if type.dtype is dtype:
            pieces.append(Decl("param", param, type, arena=name, offset=offset))
            offset += -(-type.size // step) * step
    return Arena(Decl("param", name, Type(dtype, (offset,))), tuple(pieces))


def gaps(pieces: Sequence[Decl], total: int) -> list[int]:
    """How many unused elements follow each piece."""
    ends = [piece.offset + piece.type.size for piece in pieces]
    return [start - end for end, start in zip(ends, [*(p.offset for p in pieces[1:]), total], strict=True)]
