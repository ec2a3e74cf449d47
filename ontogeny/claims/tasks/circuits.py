"""Circuits to be found: truth tables as functions of a number, and the two-input gates each needs as far as known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ontogeny.evolve import equals
from ontogeny.evolve.fitness.tables import Table


@dataclass(frozen=True, slots=True)
class Target:
    """A function from the input's number to the output's, of so many bits each, and the gates of the smallest known."""

    function: Callable[[int], int]
    inputs: int
    outputs: int
    gates: int

    def table(self) -> Table:
        """It as a fitness."""
        return equals(self.function, self.inputs, self.outputs)


def _parity(number: int) -> int:
    return number.bit_count() & 1


def _sum(bits: int) -> Callable[[int], int]:
    return lambda number: (number & (1 << bits) - 1) + (number >> bits)


TARGETS = {
    "parity of 2": Target(_parity, 2, 1, 1),
    "parity of 3": Target(_parity, 3, 1, 2),
    "half adder": Target(int.bit_count, 2, 2, 2),
    "parity of 4": Target(_parity, 4, 1, 3),
    "parity of 5": Target(_parity, 5, 1, 4),
    "parity of 6": Target(_parity, 6, 1, 5),
    "full adder": Target(int.bit_count, 3, 2, 5),
    "adder of 3 bits": Target(_sum(3), 6, 4, 12),
}
