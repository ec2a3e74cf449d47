"""What a search goes by: an error for each candidate, 0 where it is right, lower is better.

Ready-made: `Table`, the bits in which outputs differ from a truth table (`equals` makes one of a Python function). Any
other Python function is wrapped by `each` (of one netlist) or `batch` (of several), `judged.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import index
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.fitness.recipe import Recipe, made_by
from ontogeny.evolve.gates.rows import Rows
from ontogeny.evolve.spaces import Netlists, Space
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import Netlist, Words, cases, words_of
from ontogeny.machine.swarm import swarm

MOST_INPUTS = 20


Searched = TypeVar("Searched", contravariant=True)


class Fitness(Protocol[Searched]):
    """Errors of candidates of one space; what failed has an infinite error, and is told."""

    @property
    def space(self) -> Space:
        """What kind of candidates it judges."""

    @property
    def objectives(self) -> tuple[str, ...]:
        """The names of its errors: one, or several."""

    @property
    def failures(self) -> Sequence[str]:
        """What was told of the first failures."""

    def errors(self, candidates: Sequence[Searched], /) -> Sequence[float] | NDArray[np.float64]:
        """The error of each, or f64[n, objectives] where there are several; infinite where it failed."""


def outside(fitness: object) -> Mapping[int, str]:
    """Which of those that it judged last failed by what no seed decides, by their places, and why; if it says so."""
    found: Mapping[int, str] = getattr(fitness, "outside", {})
    return found


def reasons(fitness: object) -> Mapping[int, str]:
    """Why any of those that it judged last failed, by their places, as far as it says."""
    found: Mapping[int, str] = getattr(fitness, "reasons", {})
    return found


def closed(fitness: object) -> None:
    """Ends the process of a fitness that has one."""
    if (close := getattr(fitness, "close", None)) is not None:
        close()


@dataclass(frozen=True)
class Table:
    """Equals a truth table: the error is the weighted number of output bits that are wrong.

    `words` uint64[inputs, n] are the cases, 64 to a word, `target` uint64[outputs, n] what is wanted of them. A bit
    weighs the sum of the `weights` int64[planes] whose plane, uint64[planes, outputs, n], has a one there.
    """

    words: Words
    target: Words
    planes: Words
    weights: NDArray[np.int64]
    failures: Sequence[str] = field(default=(), init=False)
    objectives: tuple[str, ...] = field(default=("wrong bits",), init=False)
    recipe: Recipe | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        given = {"words": self.words, "target": self.target, "planes": self.planes, "counts": self.weights}
        object.__setattr__(self, "recipe", Recipe("table", {**given, "weights": (1,) * self.outputs}, ("weights",)))

    @property
    def space(self) -> Space:
        """Netlists of these inputs and outputs."""
        return Netlists(self.inputs, self.outputs)

    @property
    def inputs(self) -> int:
        """Inputs of a candidate."""
        return len(self.words)

    @property
    def outputs(self) -> int:
        """Outputs of a candidate."""
        return len(self.target)

    def errors(self, nets: Sequence[Netlist], /) -> list[float]:
        """Weighted wrong bits of each, all at once."""
        if isinstance(nets, Rows):
            return [float(error) for error in nets.errors(self.words, self.target, self.planes, self.weights)]
        together = swarm(nets, threads=1)
        parts = (together.wrong(self.words, self.target, plane) for plane in self.planes)
        return [float(error) for error in sum(w * part for w, part in zip(self.weights, parts, strict=True))]


def table(words: Words, target: Words, count: int, weights: Sequence[int] | None = None) -> Table:
    """The table of the first `count` cases of the words; `weights` weigh the outputs, 1 each unless given.

    Raises NetlistError where the shapes do not go together.
    """
    if words.ndim != 2 or target.ndim != 2 or words.shape[1] != target.shape[1] or not 0 < count <= 64 * words.shape[1]:
        raise NetlistError(
            f"{count} cases in words {words.shape} and target {target.shape}; expected [inputs, n], [outputs, n]"
        )
    meant = words_of(np.arange(64 * words.shape[1]) < count)
    given = (1,) * len(target) if weights is None else tuple(weights)
    return of_arrays(words, target, np.broadcast_to(meant, (1, *target.shape)), np.ones(1, np.int64), given)


@made_by("table", "weights")
def of_arrays(
    words: Words, target: Words, planes: Words, counts: NDArray[np.int64], weights: Sequence[int] = ()
) -> Table:
    """A table whose bits count by planes, as `Table` says, times the `weights` of outputs, which may be turned."""
    weighed = np.asarray(weights or [1] * len(target))
    if weighed.shape != (len(target),) or weighed.dtype.kind != "i" or (weighed < 0).any():
        raise NetlistError(f"weights {weights}; expected {len(target)} whole numbers, none below 0")
    kinds = np.unique(weighed)
    of_kind = np.where((weighed == kinds[:, None])[:, None, :, None], planes, np.uint64(0))
    each = (kinds[:, None] * counts).reshape(-1).astype(np.int64)
    parts = of_kind.reshape(-1, *target.shape)
    return Table(np.ascontiguousarray(words), np.ascontiguousarray(target), np.ascontiguousarray(parts), each)


def equals(
    function: Callable[[int], int], inputs: int, outputs: int, *, sampled: int | None = None, seed: int = 0,
    weights: Sequence[int] | None = None,
) -> Table:  # fmt: skip
    """Equals a Python function from the input number to the output number, lowest bit first, on all inputs.

    `sampled` takes so many inputs drawn by `seed` instead. Raises NetlistError above 20 inputs without `sampled`, and
    where the function gives what does not fit the outputs.
    """
    if sampled is None and inputs > MOST_INPUTS:
        raise NetlistError(f"all cases of {inputs} inputs; expected at most {MOST_INPUTS}, so give sampled=...")
    if sampled is None:
        numbers = list(range(1 << inputs))
        words = cases(inputs)
    else:
        drawn = np.random.default_rng(seed).integers(0, 2, (sampled, inputs), np.uint8)
        numbers = [int("".join(map(str, row[::-1])) or "0", 2) for row in drawn]
        words = words_of(drawn.T)
    wanted = [_asked(function, number) for number in numbers]
    for number, value in zip(numbers, wanted, strict=True):
        if not 0 <= value < 1 << outputs:
            raise NetlistError(f"the function gives {value} of {number}; expected 0 to {(1 << outputs) - 1}")
    bits = np.array([[value >> bit & 1 for value in wanted] for bit in range(outputs)], np.uint8)
    return table(words, words_of(bits), len(wanted), weights)


def _asked(function: Callable[[int], int], number: int) -> int:
    """What a function gives for an input. Raises NetlistError where it raises, or gives no whole number."""
    try:
        return index(function(number))
    except Exception as error:  # the function is somebody's own
        raise NetlistError(
            f"the function raised {type(error).__name__} for the input {number}: {error}; expected a whole number"
        ) from error


def outputs_of(net: Netlist, words: Words) -> Words:
    """The outputs of one candidate, for fitness functions in Python: uint64[outputs, n] of uint64[inputs, n]."""
    found: Words = swarm([net], threads=1).outputs(words)[0]
    return found
