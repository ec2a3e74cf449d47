"""Circuits of NANDs as sequences of symbols, for models that learn sequences: what is asked for, then gate by gate.

A sequence has a symbol for each case of a truth table (zero, one, or `ANY` where nothing is said), then one for each
gate, the pair of wires that it takes, then `END` to its length. Not every sequence is a circuit: a gate may take a wire
that is not there yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.circuits.nands import Circuit, Fanin, padded
from ontogeny.isa.errors import NetlistError

Symbols = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Spelling:
    """How circuits of so many inputs and at most so many gates are spelt.

    Symbols are the pairs of wires, (0, 0), (0, 1), (1, 1), (0, 2) and so on; then END, zero, one, ANY.
    """

    inputs: int
    gates: int

    @property
    def pairs(self) -> int:
        """How many pairs of wires a gate can take."""
        wires = self.inputs + self.gates - 1
        return wires * (wires + 1) // 2

    @property
    def end(self) -> int:
        """The symbol after the last gate."""
        return self.pairs

    @property
    def any(self) -> int:
        """The symbol of a case of which nothing is said."""
        return self.pairs + 3

    @property
    def symbols(self) -> int:
        """How many symbols there are."""
        return self.pairs + 4

    @property
    def cases(self) -> int:
        """Symbols before the first gate."""
        return 1 << self.inputs

    @property
    def context(self) -> int:
        """Symbols that a model reads: a whole sequence but for its last."""
        return self.cases + self.gates

    def prompts(self, tables: Sequence[int | None]) -> Symbols:
        """What is asked for, i64[n, cases], of truth tables as numbers; None asks for any circuit."""
        found = np.full((len(tables), self.cases), self.any, np.int64)
        for row, number in zip(found, tables, strict=True):
            if number is None:
                continue
            if not 0 <= number < 1 << self.cases:
                raise NetlistError(
                    f"the truth table {number}; expected a number of {self.cases} bits, one for each case of "
                    f"{self.inputs} inputs, the first case lowest"
                )
            row[:] = [self.end + 1 + (number >> case & 1) for case in range(self.cases)]
        return found

    def spelt(self, circuits: list[Circuit]) -> Symbols:
        """The gates of circuits, i64[n, gates + 1], END after the last of each."""
        too_many = next((len(one) for one in circuits if len(one) > self.gates), 0)
        if too_many:
            raise NetlistError(f"a circuit of {too_many} gates; expected at most {self.gates}, or another spelling")
        fanin = padded(circuits, self.gates + 1)
        low, high = fanin[:, :, 0], fanin[:, :, 1]
        return np.where(low < 0, self.end, high * (high + 1) // 2 + low)

    def read(self, symbols: Symbols) -> Fanin:
        """The circuits of gates i64[n, gates + 1], int64[n, gates, 2]: one that is none has no gates.

        What comes after the first END does not count. A sequence without END, or with a gate that takes a wire that is
        not before it, is no circuit.
        """
        ended = np.cumsum(symbols == self.end, axis=1) > 0
        high = ((np.sqrt(8.0 * symbols + 1.0) - 1.0) / 2.0).astype(np.int64)
        low = symbols - high * (high + 1) // 2
        there = ~ended[:, :-1]
        wrong = (symbols > self.end)[:, :-1] | (high[:, :-1] >= self.inputs + np.arange(self.gates))
        sound = ended[:, -1] & ~(wrong & there).any(axis=1)
        fanin = np.stack([low, high], axis=-1)[:, :-1]
        return np.where((there & sound[:, None])[:, :, None], fanin, -1)
