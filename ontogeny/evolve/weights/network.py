"""Weights judged as those of a small network: its loss or its mistakes on examples, many candidates at once.

The network is made of full layers with a bias, `relu` or `hard` (-1 or 1, through which no gradient goes) between them.
All examples count in every judgement, and no product of matrices goes over several candidates, since its rounding would
depend on how many there are: so an error is a function of the candidate, whoever else is judged. Candidates and
examples are gone through in blocks whose values stay in the second cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.fitness.recipe import Recipe, made_by
from ontogeny.evolve.weights import network_kernels as kernels
from ontogeny.evolve.weights.candidates import Flat, LowRank, Piece, Vector, Weights, pieces
from ontogeny.isa.errors import SearchError

Floats = NDArray[np.float32]
BLOCK = 1 << 19
"""Values of the widest layer that are worked on at a time: 2 MB."""
ACTIVATIONS, ERRORS = ("relu", "hard"), {"loss": kernels.losses, "mistakes": kernels.mistakes}


class Sums(NamedTuple):
    """A layer of some candidates before its activation, as `network_kernels.py` says."""

    z: Floats
    u: Floats
    right: Floats
    bias: Floats


class Members(Protocol):
    """Candidates whose layers can be computed together."""

    def shared(self, matrix: Piece, x: Floats) -> Floats | None:
        """The product [1, examples, outputs] of x [examples, inputs] that all have in common, if there is one."""

    def sums(self, matrix: Piece, bias: Piece, some: slice, x: Floats, shared: Floats | None = None) -> Sums:
        """A layer on what goes in, x [examples, inputs] for all alike or [some, examples, inputs]."""


@dataclass(frozen=True, eq=False)
class Whole:
    """Candidates that are whole vectors."""

    rows: Floats

    def shared(self, matrix: Piece, x: Floats) -> Floats | None:
        """Nothing: every matrix is its own."""
        return None

    def sums(self, matrix: Piece, bias: Piece, some: slice, x: Floats, shared: Floats | None = None) -> Sums:
        """A layer, a product for each."""
        inputs, outputs = matrix.sides
        rows = self.rows[some]
        none, z = np.empty((len(rows), 1, 0), np.float32), x @ rows[:, matrix.span].reshape(-1, inputs, outputs)
        return Sums(z, np.broadcast_to(none, (*z.shape[:2], 0)), np.empty((len(rows), 0, outputs), np.float32),
                    np.ascontiguousarray(rows[:, bias.span]))  # fmt: skip


@dataclass(frozen=True, eq=False)
class Changed:
    """Candidates that are a centre and thin changes of it; as whole vectors their errors differ by rounding."""

    of: LowRank

    def shared(self, matrix: Piece, x: Floats) -> Floats | None:
        """The product with the centre's matrix."""
        return self._centre(matrix, x)[None]

    def sums(self, matrix: Piece, bias: Piece, some: slice, x: Floats, shared: Floats | None = None) -> Sums:
        """A layer, the product with the centre's matrix, and a thin one."""
        genes, part = self.of.genes[some], self.of.parts[matrix.name]
        if shared is None:
            shared = self._centre(matrix, x)
        left, right = part.left(genes), part.right(genes) * self.of.scale(part)
        plain = self.of.parts[bias.name]
        biases = self.of.centre[bias.span] + plain.left(genes) * self.of.scale(plain)
        return Sums(shared, x @ left, right, biases)

    def _centre(self, matrix: Piece, x: Floats) -> Floats:
        product: Floats = x @ self.of.centre[matrix.span].reshape(matrix.sides)
        return product


@dataclass(frozen=True, eq=False)
class Network:
    """How badly networks classify: x f32[examples, inputs], labels int64[examples]; the mean over the examples."""

    x: Floats
    labels: NDArray[np.int64]
    hidden: tuple[int, ...]
    activation: str
    error: str
    classes: int
    held: tuple[Floats, NDArray[np.int64]] | None = None
    failures: Sequence[str] = field(default=(), init=False)
    recipe: Recipe | None = field(default=None, init=False, repr=False)

    @property
    def objectives(self) -> tuple[str, ...]:
        """The error's name."""
        return (self.error,)

    @property
    def space(self) -> Weights:
        """A matrix and a bias for each layer."""
        widths = (self.x.shape[1], *self.hidden, self.classes)
        shapes = [((f"matrix{n}", pair), (f"bias{n}", pair[1:])) for n, pair in enumerate(pairwise(widths))]
        return Weights(tuple(shape for layer in shapes for shape in layer))

    def errors(self, candidates: Sequence[Vector], /) -> NDArray[np.float64]:
        """The error of each, f64[n]."""
        sums = np.zeros(len(candidates))
        for first in range(0, len(self.x), self._examples):
            block = slice(first, first + self._examples)
            labels = self.labels[block]
            scratch = np.empty((self.classes + 2, len(labels)), np.float32)
            for some, last in self._last_layers(candidates, self.x[block]):
                ERRORS[self.error](*last, labels, sums[some], scratch)
        return sums / len(self.x)

    def outputs(self, candidates: Sequence[Vector], x: Floats) -> Floats:
        """What the last layer gives for examples, [n, examples, classes]; the greatest is the network's answer."""
        found = np.empty((len(candidates), len(x), self.classes), np.float32)
        for some, last in self._last_layers(candidates, np.ascontiguousarray(x, np.float32)):
            found[some] = last.z + last.u @ last.right + last.bias[:, None]
        return found

    def accuracy(self, vector: Vector, x: Floats, labels: NDArray[np.int64]) -> float:
        """The share of examples that a network answers rightly."""
        return float((self.outputs(Flat(vector[None]), x)[0].argmax(1) == labels).mean())

    def told(self, vector: Vector) -> dict[str, float]:
        """What a person is told of a network beside its error: how many examples it answers rightly."""
        found = {"accuracy": self.accuracy(vector, self.x, self.labels)}
        return found if self.held is None else {**found, "held-out accuracy": self.accuracy(vector, *self.held)}

    @property
    def _examples(self) -> int:
        return max(1, BLOCK // max(self.hidden, default=self.classes))

    def _last_layers(self, candidates: Sequence[Vector], x: Floats) -> Iterator[tuple[slice, Sums]]:
        """The last layer of some candidates after the other, on one block of examples."""
        members = self._members(candidates)
        first, *layers = self._layers()
        shared = members.shared(first[0], x)
        at_a_time = max(1, BLOCK // (len(x) * max(self.hidden, default=self.classes)))
        for begin in range(0, len(candidates), at_a_time):
            some = slice(begin, min(begin + at_a_time, len(candidates)))
            sums = members.sums(*first, some, x, shared)
            for layer in layers:
                sums = members.sums(*layer, some, self._activated(sums))
            yield some, sums

    def _activated(self, sums: Sums) -> Floats:
        out = np.empty((*sums.u.shape[:2], sums.z.shape[2]), np.float32)
        kernels.activated(*sums, self.activation == "hard", out)
        return out

    def _layers(self) -> list[tuple[Piece, Piece]]:
        every = pieces(self.space)
        return list(zip(every[::2], every[1::2], strict=True))

    def _members(self, candidates: Sequence[Vector]) -> Members:
        if isinstance(candidates, LowRank):
            return Changed(candidates)
        rows = candidates.rows if isinstance(candidates, Flat) else np.stack([*candidates])
        return Whole(np.ascontiguousarray(rows, np.float32))


@made_by("network")
def network(
    x: NDArray[np.floating], labels: NDArray[np.integer], hidden: Sequence[int] = (64,), activation: str = "relu",
    error: str = "loss", held: Sequence[NDArray[Any]] = (),
) -> Network:  # fmt: skip
    """Fitness of weights as a network's on examples [n, inputs] with labels from 0: `loss` in nats, or `mistakes`.

    `held`, examples and labels, counts for nothing: it is what a person is told that the network is worth beside them.

    Raises SearchError for examples and labels that do not go together, for an activation or error that is not there.
    """
    given, wanted = np.ascontiguousarray(x, np.float32), np.ascontiguousarray(labels, np.int64)
    if given.ndim != 2 or not given.size or wanted.shape != given.shape[:1] or wanted.min() < 0:
        raise SearchError(
            f"examples {given.shape}, labels {wanted.shape}; expected [n, inputs] and [n], numbers from 0"
        )
    if activation not in ACTIVATIONS or error not in ERRORS or min(hidden, default=1) < 1:
        raise SearchError(
            f"hidden layers {tuple(hidden)}, activation {activation!r}, error {error!r}; expected widths of 1 or more, "
            f"{' or '.join(ACTIVATIONS)}, {' or '.join(ERRORS)}"
        )
    apart = (np.ascontiguousarray(held[0], np.float32), np.asarray(held[1], np.int64)) if len(held) else None
    if apart is not None and (apart[0].shape[1:] != given.shape[1:] or len(apart[0]) != len(apart[1])):
        raise SearchError(f"held out {apart[0].shape} and {apart[1].shape}; expected examples like {given.shape}")
    return Network(given, wanted, tuple(hidden), activation, error, max(2, int(wanted.max()) + 1), apart)
