"""Weights as candidates: flat vectors with named shapes, many at once, whole or as thin changes of a centre."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from math import prod
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.method import chance
from ontogeny.evolve.spaces import Bounded, Vectors
from ontogeny.isa.errors import SearchError

Vector = NDArray[Any]
Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Weights(Vectors):
    """Weights f32[size] that lie one after another, each with its name and shape; a matrix is [inputs, outputs]."""

    size: int = field(init=False)
    shapes: tuple[tuple[str, Shape], ...]

    def __post_init__(self) -> None:
        if not self.shapes or len(dict(self.shapes)) < len(self.shapes) or min(prod(s) for _, s in self.shapes) < 1:
            raise SearchError(f"weights {self.shapes}; expected one or more, each with a name of its own, none empty")
        object.__setattr__(self, "size", sum(prod(shape) for _, shape in self.shapes))


@dataclass(frozen=True, slots=True)
class Piece:
    """One weight: where it lies in a vector, and its shape."""

    name: str
    first: int
    shape: Shape

    @property
    def span(self) -> slice:
        """Its numbers in a vector."""
        return slice(self.first, self.first + prod(self.shape))

    @property
    def sides(self) -> tuple[int, int]:
        """Rows and columns of it as a matrix."""
        return self.shape[0], prod(self.shape[1:])


@cache
def pieces(space: Vectors) -> tuple[Piece, ...]:
    """The weights of a space in the order in which they lie; a plain vector is one."""
    shapes = space.shapes if isinstance(space, Weights) else (("", (space.size,)),)
    sizes = [prod(shape) for _, shape in shapes]
    return tuple(Piece(name, sum(sizes[:at]), shape) for at, (name, shape) in enumerate(shapes))


def taken_apart(space: Vectors, vector: Vector) -> dict[str, Vector]:
    """The weights of a vector by name, each in its shape."""
    return {piece.name: vector[piece.span].reshape(piece.shape) for piece in pieces(space)}


def number(space: Vectors) -> type[np.floating[Any]]:
    """What vectors of a space are made of: f32 for weights, f64 else."""
    return np.float32 if isinstance(space, Weights) else np.float64


@cache
def bounds(space: Vectors) -> tuple[Vector, Vector] | None:
    """The least and the greatest that the numbers may be, f64[size] each; None where they have no bounds."""
    if not isinstance(space, Bounded) or not (space.low or space.high):
        return None
    low, high = (np.array([space.at(name, place) for place in range(space.size)]) for name in ("low", "high"))
    return low, high


def within(space: Vectors, rows: Vector) -> Vector:
    """Vectors [..., size], each number that lies outside its bounds put onto the bound."""
    limits = bounds(space)
    return rows if limits is None else np.clip(rows, *limits)


def initial(space: Vectors, seed: int) -> Vector:
    """Where a search begins: as the space says, else matrices are normal with variance 1 / inputs, all else zero."""
    if isinstance(space, Bounded):
        return np.array([space.at("start", place) for place in range(space.size)])
    vector, rng = np.zeros(space.size, number(space)), chance(seed, 0)
    for piece in pieces(space):
        if len(piece.shape) > 1:
            vector[piece.span] = rng.standard_normal(prod(piece.shape)) / np.sqrt(piece.shape[0])
    return vector


@dataclass(frozen=True, eq=False)
class Flat(Sequence[Vector]):
    """Vectors as rows [n, size], for a fitness that judges many at once."""

    rows: Vector

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, at: int) -> Vector: ...
    @overload
    def __getitem__(self, at: slice) -> Flat: ...
    def __getitem__(self, at: int | slice) -> Vector | Flat:
        return Flat(self.rows[at]) if isinstance(at, slice) else self.rows[at]


@dataclass(frozen=True, slots=True)
class Thin:
    """Where in a row of genes the change of a weight lies: of a matrix two factors of a rank, else the change itself.

    The rank is 0 for what is no matrix.
    """

    piece: Piece
    first: int
    rank: int

    @property
    def width(self) -> int:
        """Genes of it."""
        return self.rank * sum(self.piece.sides) if self.rank else prod(self.piece.shape)

    def left(self, genes: Vector) -> Vector:
        """[n, rows, rank] of genes [n, ...], or the change itself, [n, size]."""
        columns = self.rank * self.piece.sides[0] if self.rank else self.width
        part = genes[:, self.first : self.first + columns]
        return part.reshape(len(genes), -1, self.rank) if self.rank else part

    def right(self, genes: Vector) -> Vector:
        """[n, rank, columns] of genes [n, ...]; of a matrix alone."""
        first = self.first + self.rank * self.piece.sides[0]
        return genes[:, first : self.first + self.width].reshape(len(genes), self.rank, -1)


@cache
def thin(space: Vectors, rank: int) -> tuple[Thin, ...]:
    """The changes of all weights by a rank, in the order of the weights."""
    found, first = [], 0
    for piece in pieces(space):
        found.append(Thin(piece, first, min(rank, *piece.sides) if len(piece.shape) > 1 else 0))
        first += found[-1].width
    return tuple(found)


@dataclass(frozen=True, eq=False)
class LowRank(Sequence[Vector]):
    """Vectors as a centre and changes of it, genes [n, ...], which are made only when one is taken.

    A matrix is W + sigma * left @ right / sqrt(rank), whose entries vary by sigma as they would at full rank.
    """

    space: Vectors
    centre: Vector
    genes: Vector
    rank: int
    sigma: float

    def __len__(self) -> int:
        return len(self.genes)

    @overload
    def __getitem__(self, at: int) -> Vector: ...
    @overload
    def __getitem__(self, at: slice) -> LowRank: ...
    def __getitem__(self, at: int | slice) -> Vector | LowRank:
        if isinstance(at, slice):
            return LowRank(self.space, self.centre, self.genes[at], self.rank, self.sigma)
        vector, row = self.centre.copy(), self.genes[at][None]
        for part in thin(self.space, self.rank):
            change = part.left(row) @ part.right(row) if part.rank else part.left(row)
            vector[part.piece.span] += self.scale(part) * change.reshape(-1)
        return within(self.space, vector)

    @cached_property
    def parts(self) -> dict[str, Thin]:
        """The changes by the names of their weights."""
        return {part.piece.name: part for part in thin(self.space, self.rank)}

    def scale(self, part: Thin) -> np.floating[Any]:
        """What a change is taken times."""
        scale: np.floating[Any] = self.centre.dtype.type(self.sigma / max(part.rank, 1) ** 0.5)
        return scale
