"""A classifier of gates grown vote by vote, without gradients: an evaluation is one vote, the best that a draw offers.

The classes take turns. What one more vote would change the loss by tells the best gate on every pair of the inputs
drawn (`votes.py`), so nothing is proposed and judged: votes are grown in legs, against `accuracy` alone. Once all
outputs have their votes, each in turn is taken out and grown anew, and stays as it was unless the new one is better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ontogeny.evolve.fitness.classifying import Accuracy
from ontogeny.evolve.fitness.tables import Fitness
from ontogeny.evolve.gates.votes import Gate, changes_of, vote
from ontogeny.evolve.method import Asked, Best, Errors, Method
from ontogeny.evolve.spaces import Netlists, Space, expected
from ontogeny.isa.errors import SearchError
from ontogeny.isa.netlist import Netlist, netlist

Gates = NDArray[np.int32]
HALF = 2**64 - 1


@dataclass(frozen=True, eq=False)
class Grown:
    """Where it stands: int32[outputs, most, 3], the gates of each vote in the order in which votes are grown.

    A gate is its table and the inputs that it takes, each after the first the gate before it in place of one; `lengths`
    says how many gates a vote has, 0 where there is none yet. `counts` f64[rows, classes] are the votes of every row,
    empty where they are to be counted again; `rng` is a PCG64 (O'Neill 2014) as words.
    """

    gates: Gates
    lengths: Gates
    rng: NDArray[np.uint64]
    space: Netlists
    counts: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    classes: int = 1
    error: float = np.inf
    evaluations: int = 0


@dataclass(frozen=True)
class Growth(Method[Netlist, Grown]):
    """The most gates of a vote, how many inputs are offered to each, and the temperature of the votes' softmax."""

    DIALS: ClassVar[tuple[str, ...]] = ("gates", "drawn", "temperature")

    gates: int = 1
    drawn: int = 32
    temperature: float = 4.0

    def __post_init__(self) -> None:
        if self.gates < 1 or self.drawn < 2 or self.temperature <= 0:
            raise SearchError(
                f"gates {self.gates}, drawn {self.drawn}, temperature {self.temperature}; expected gates from 1, drawn "
                "from 2, a temperature above 0"
            )

    def begin(self, space: Space, seed: int) -> Grown:
        """No votes."""
        nets = expected(space, Netlists, "Growth")
        none = np.zeros((nets.outputs, self.gates, 3), np.int32), np.zeros(nets.outputs, np.int32)
        return Grown(*none, _words(np.random.default_rng(seed % 2**64)), nets)

    def leg(self, state: Grown, fitness: Fitness[Netlist], most: int, until: bool) -> Grown:
        """So many further votes, or until every row is right. Raises SearchError for a fitness that is not on data."""
        if not isinstance(fitness, Accuracy):
            raise SearchError(f"Growth looks at every row of data; a {type(fitness).__name__} has none: give accuracy")
        growing = _Growing(self, state, fitness)
        for number in range(state.evaluations, state.evaluations + most):
            growing.grow(number)
            if until and growing.error == 0:
                break
        gates, lengths, counts = growing.gates, growing.lengths, growing.counts
        return Grown(gates, lengths, _words(growing.chance), state.space, counts, fitness.classes, growing.error,
                     number + 1)  # fmt: skip

    def ask(self, state: Grown) -> Asked[Netlist]:
        """Raises SearchError: there is nothing to be judged."""
        raise SearchError("Growth proposes no candidates to be judged; it grows votes on data, with a goal of 0")

    def tell(self, state: Grown, asked: Asked[Netlist], errors: Errors, goal: float = 0.0) -> Grown:
        """Raises SearchError: nothing was asked."""
        raise SearchError("Growth asks for no errors; it grows votes on data, with a goal of 0")

    def best(self, state: Grown) -> Best[Netlist]:
        """What was grown so far; outputs without a vote are 0."""
        return Best(self.net(state), (state.error,), int(state.lengths.sum()))

    def doubted(self, state: Grown) -> Grown:
        """The same votes, to be counted again."""
        return replace(state, counts=np.zeros((0, 0)), error=np.inf)

    def turned(self, state: Grown) -> Grown:
        """With room for as many gates."""
        more = max(0, self.gates - state.gates.shape[1])
        return replace(state, gates=np.pad(state.gates, ((0, 0), (0, more), (0, 0))))

    def net(self, state: Grown) -> Netlist:
        """The netlist, as it was grown: votes of the first class first, gates in the order of the votes."""
        inputs, missing = state.space.inputs, bool((state.lengths == 0).any())
        tables, fanins, ends = [0] * missing, [(0, 0)] * missing, []
        for gates, length in zip(state.gates.tolist(), state.lengths.tolist(), strict=True):
            wire = gates[0][1]
            for table, _, second in gates[:length]:
                fanins.append((wire, second))
                wire = inputs + len(tables)
                tables.append(table)
            ends.append(wire if length else inputs)
        return netlist(inputs, tables, fanins, np.reshape(ends, (-1, state.classes)).T.reshape(-1))


class _Growing:
    """A state on its way, with the rows as bits."""

    def __init__(self, method: Growth, state: Grown, fitness: Accuracy) -> None:
        self.method, self.labels, self.bits = method, fitness.labels, fitness.bits
        self.gates, self.lengths, self.chance = state.gates.copy(), state.lengths.copy(), _generator(state.rng)
        self.classes, self.counts = fitness.classes, state.counts.copy()
        if not self.counts.size:
            self.counts = np.zeros((len(self.labels), self.classes))
            for output in np.flatnonzero(self.lengths):
                self.counts[:, output % self.classes] += self.column(int(output))

    @property
    def error(self) -> float:
        """The share of rows whose class has not the most votes, the first of equals."""
        return float(np.mean(self.counts.argmax(axis=1) != self.labels))

    def column(self, output: int) -> NDArray[np.float32]:
        """What a vote says of every row."""
        gates = self.gates[output, : self.lengths[output]].tolist()
        values = self.bits[:, gates[0][1]]
        for table, first, second in gates:
            values = Gate(first, second, table, 0.0).values(values, self.bits[:, second])
        return values

    def grow(self, number: int) -> None:
        """The vote of a number, kept where it is the first there, or better than what is there."""
        inputs, output = self.bits.shape[1], number % len(self.lengths)
        offered = self.chance.choice(inputs, min(self.method.drawn, inputs), replace=False)
        of, before = output % self.classes, self.column(output) if self.lengths[output] else None
        if before is not None:
            self.counts[:, of] -= before
        changes = changes_of(self.counts, self.labels, of, self.method.temperature)
        chain, values = vote(self.bits[:, offered], changes, self.method.gates)
        if before is not None and changes @ before <= changes @ values:
            values = before
        else:
            self.lengths[output], self.gates[output] = len(chain), 0
            for place, gate in enumerate(chain):
                first = offered[gate.first] if place == 0 else 0
                self.gates[output, place] = gate.table, first, offered[gate.second]
        self.counts[:, of] += values


def _words(chance: np.random.Generator) -> NDArray[np.uint64]:
    """A generator's state uint64[6]."""
    state: Any = chance.bit_generator.state
    whole: Sequence[int] = (state["state"]["state"], state["state"]["inc"])
    halves = [part for number in whole for part in (number >> 64, number & HALF)]
    return np.array([*halves, state["has_uint32"], state["uinteger"]], np.uint64)


def _generator(words: NDArray[np.uint64]) -> np.random.Generator:
    """The generator of such a state."""
    state, low, inc, least, has, held = map(int, words)
    bits = np.random.PCG64()
    bits.state = {
        "bit_generator": "PCG64", "state": {"state": state << 64 | low, "inc": inc << 64 | least},
        "has_uint32": has, "uinteger": held,
    }  # fmt: skip
    return np.random.Generator(bits)
