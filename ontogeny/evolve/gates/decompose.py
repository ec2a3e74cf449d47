"""A netlist of a truth table alone, cut by no hand: choices by one input after another, in an order that is searched.

Cut at an input, every function leaves two; those that are equal, or each other's inverse, are one, whichever outputs
they come from (a reduced ordered decision diagram with inverted edges; Bryant 1986). How many are left depends on the
order of the inputs, so the order is searched: one input is moved elsewhere, and what is no worse is kept. Each choice
then becomes gates, and `resynthesis.py` finds what the order could not say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.circuits.grower import Grower
from ontogeny.evolve.circuits.simplify import simplified
from ontogeny.evolve.circuits.tables import CHOICE, XOR
from ontogeny.evolve.fitness.tables import Table
from ontogeny.isa.errors import NetlistError
from ontogeny.isa.netlist import Netlist, bits_of

Bits = NDArray[np.uint8]


@dataclass(frozen=True)
class Level:
    """The functions cut at one input: where each one's halves are on the next level, and whether they are inverted.

    `low`, `high` int64[functions] are places, `inverted` bool[functions] says it of the high ones: a function is 0
    where all that is left are zeros, so a low half never is.
    """

    input: int
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    inverted: NDArray[np.bool_]

    @property
    def choices(self) -> int:
        """How many functions depend on the input."""
        return int(((self.low != self.high) | self.inverted).sum())


def levels(bits: Bits, order: Sequence[int]) -> list[Level]:
    """The table uint8[functions, 2^inputs], 0 in its first case, cut at the inputs in this order."""
    inputs = len(order)
    shaped = bits.reshape(-1, *[2] * inputs).transpose(0, *(inputs - place for place in order))
    rows, found = np.ascontiguousarray(shaped).reshape(len(bits), -1), []
    for place in order:
        halves = rows.reshape(len(rows), 2, -1)
        inverted = halves[:, 1, 0] != 0
        both = np.concatenate([halves[:, 0], halves[:, 1] ^ inverted[:, None]])
        rows, back = _distinct(both)
        found.append(Level(place, back[: len(halves)], back[len(halves) :], inverted))
    return found


def _distinct(rows: Bits) -> tuple[Bits, NDArray[np.int64]]:
    """The different rows, and which of them each is."""
    packed = np.ascontiguousarray(np.packbits(rows, axis=1))
    _, first, back = np.unique(packed.view(f"V{packed.shape[1]}").reshape(-1), return_index=True, return_inverse=True)
    return rows[first], np.asarray(back, np.int64).reshape(-1)


def decomposed(fitness: Table, *, seed: int = 0, orders: int = 500) -> Netlist:
    """A netlist that is right in all cases, of choices by the best of so many orders of the inputs.

    The fitness has all cases. Raises NetlistError where it has not.
    """
    inputs, cases = len(fitness.words), 1 << len(fitness.words)
    if 64 * fitness.target.shape[1] < cases:
        raise NetlistError(f"{64 * fitness.target.shape[1]} cases of {inputs} inputs; expected all {cases}")
    bits = bits_of(fitness.target, cases)
    plain, inverted = bits ^ bits[:, :1], bits[:, 0] != 0
    rng = np.random.default_rng(seed % 2**64)
    order = [int(place) for place in rng.permutation(inputs)]
    best = levels(plain, order)
    for _ in range(orders - 1):
        trial = _moved(order, rng)
        cut = levels(plain, trial)
        if _size(cut) <= _size(best):
            order, best = trial, cut
    return _grown(inputs, best, inverted)


def _size(cut: list[Level]) -> int:
    return sum(level.choices for level in cut)


def _moved(order: list[int], rng: np.random.Generator) -> list[int]:
    """The order with one input elsewhere."""
    trial = list(order)
    trial.insert(int(rng.integers(len(order))), trial.pop(int(rng.integers(len(order)))))
    return trial


def _grown(inputs: int, cut: list[Level], inverted: NDArray[np.bool_]) -> Netlist:
    """Choices from the last level up; the outputs, inverted where they are 1 in the first case."""
    grown = Grower(inputs)
    wires = [grown.made(0, [])]
    for level in reversed(cut):
        high = [
            grown.made(0b01, [wires[h]]) if n else wires[h] for h, n in zip(level.high, level.inverted, strict=True)
        ]
        low = [wires[place] for place in level.low]
        wires = [_choice(grown, level, place, low[place], high[place]) for place in range(len(low))]
    return simplified(grown.finished([grown.made(0b01, [w]) if n else w for w, n in zip(wires, inverted, strict=True)]))


def _choice(grown: Grower, level: Level, place: int, low: int, high: int) -> int:
    if level.low[place] == level.high[place]:
        return grown.made(XOR, [low, level.input]) if level.inverted[place] else low
    return grown.made(CHOICE, [low, high, level.input])
