"""How many operations the run's own machine does in a second, and how many bytes it moves: measured, shortly.

Operations by a product of two matrices; bytes by negating vectors of some lengths, since what fits into a cache moves
faster, less what the same instructions take on a handful of numbers. Each is the best of a few. At the least an
instruction takes the larger of its operations and its bytes by these; where that is the bytes, memory bounds it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ontogeny.isa.cost import Cost
from ontogeny.isa.text import from_text
from ontogeny.machine.base import Machine
from ontogeny.record.machines import MACHINES, make
from ontogeny.record.recorded import Recorded

SIDE, TRIES, FEW = 512, 5, 8
LONG = ((1 << 15, 32), (1 << 18, 16), (1 << 21, 4), (1 << 23, 2))
"""Lengths of vectors, and how often each is negated."""


@dataclass(frozen=True, slots=True)
class Balance:
    """Operations (a multiply-add is two) in a second; bytes in a second, where an instruction moves so many in all."""

    operations: float
    bytes: tuple[tuple[int, float], ...]

    def moving(self, moved: int) -> float:
        """Seconds that so many bytes take at the least."""
        return moved / next((speed for most, speed in self.bytes if moved <= most), self.bytes[-1][1])

    def waiting(self, cost: Cost) -> float:
        """Seconds for which memory bounds an instruction of this cost; 0 where its operations take longer."""
        seconds = self.moving(cost.bytes_read + cost.bytes_written)
        return seconds if seconds > cost.operations / self.operations else 0.0


def balance(run: Recorded) -> Balance | None:
    """The balance of the run's machine; None for a machine of a person's own, which has no name to make it by."""
    if run.start["machine"] not in MACHINES:
        return None
    options = dict(run.start["options"])
    if options.get("mode") == "fast":
        options["mode"] = "exact"
    machine = make(run.start["machine"], from_text("\n".join(_text())), options)
    vectors = {f"x{n}": np.ones(n, np.float32) for n in (FEW, *(n for n, _ in LONG))}
    machine.load({"a": np.full((SIDE, SIDE), 0.5, np.float32), **vectors})
    speeds = tuple((8 * n, 8 * n * times / _moved(machine, n, times)) for n, times in LONG)
    return Balance(2 * SIDE**3 / _best(machine, "multiply"), speeds)


def _moved(machine: Machine, length: int, times: int) -> float:
    """Seconds of negating a vector so often, beyond those of starting to."""
    taken = _best(machine, f"move{length}x{times}")
    return max(taken - _best(machine, f"move{FEW}x{times}"), taken / 10)


def _best(machine: Machine, routine: str) -> float:
    """Seconds of a call, the shortest of a few."""
    taken = []
    for _ in range(TRIES):
        began = time.perf_counter()
        machine.call(routine, {}, {})
        taken.append(time.perf_counter() - began)
    return min(taken)


def _text() -> Iterator[str]:
    """The program: a product, and for every length the negations, of a handful of numbers too."""
    yield f"program balance\nparam a: f32[{SIDE},{SIDE}]"
    yield from (f"param x{n}: f32[{n}]" for n in (FEW, *(n for n, _ in LONG)))
    yield "\nroutine multiply():\n  %a = read {name=a}\n  %0 = dot %a %a\n  commit %0 {name=a}\n  return"
    for n, times in ((n, times) for long, times in LONG for n in (FEW, long)):
        yield f"\nroutine move{n}x{times}():\n  %0 = read {{name=x{n}}}"
        yield from (f"  %{at + 1} = neg %{at}" for at in range(times))
        yield f"  commit %{times} {{name=x{n}}}\n  return"
