"""What each instruction did over the sampled steps: how often, how long, with how many zeros, always the same?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import xxhash

from ontogeny.ask.observed import Made
from ontogeny.ask.zeros import products
from ontogeny.data.base import raw_bytes
from ontogeny.isa.cost import Cost
from ontogeny.isa.program import Instr


@dataclass(slots=True)
class Tally:
    """One instruction. `seconds` has an entry for each sampled step, and everything else is of all steps together."""

    routine: str
    number: int
    instr: Instr
    seconds: list[float] = field(default_factory=list)
    calls: int = 0
    cost: Cost = field(default_factory=Cost)
    products: int = 0
    zero: int = 0
    added: bool = False
    elements: int = 0
    constant: bool = True
    print: str = ""

    @property
    def least_seconds(self) -> float:
        """Seconds in a step: the least over the steps, which what else a machine does disturbs least."""
        return min(self.seconds)

    def begin(self) -> None:
        """A step begins."""
        self.seconds.append(0.0)

    def add(self, made: Made) -> None:
        """It has been executed."""
        self.seconds[-1] += made.seconds
        self.calls += 1
        self.cost += made.cost
        self.elements = max((result.size for result in made.results), default=0)
        found = products(made.instr, made.operands)
        if found is not None:
            self.products, self.zero, self.added = self.products + found.count, self.zero + found.zero, found.added
        if self.constant and made.results:
            print_ = _print(made)
            self.constant, self.print = self.print in ("", print_), print_


class Tallies:
    """All instructions, by the routine that they stand in and their number there."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int], Tally] = {}
        self.steps = 0

    def begin(self) -> None:
        """A step begins."""
        self.steps += 1
        for tally in self._found.values():
            tally.begin()

    def add(self, made: Made) -> None:
        """An instruction has been executed."""
        key = made.routine, made.number
        if key not in self._found:
            self._found[key] = Tally(*key, made.instr, [0.0] * self.steps)
        self._found[key].add(made)

    def __iter__(self) -> Iterator[Tally]:
        return iter(self._found.values())

    def get(self, routine: str, number: int) -> Tally | None:
        """One of them, None where it was never executed."""
        return self._found.get((routine, number))


def _print(made: Made) -> str:
    digest = xxhash.xxh3_128()
    for result in made.results:
        digest.update(raw_bytes(result))
    return digest.hexdigest()
