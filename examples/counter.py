"""Clocked circuits of NANDs, searched as one step: a 4-bit counter with enable and reset, and a detector of 1011.

A step is a table over every input and state, so what is right on the table is right when clocked. Each is proved, run
by NumPy, on the reference machine and in iverilog, and left with its waveforms and its picture.
"""

import argparse
import time
from pathlib import Path

from clocks import Run, left, proved

from ontogeny.evolve import CGP, equals, smallest
from ontogeny.evolve.circuits.clock import registered
from ontogeny.isa.netlist import Names

PREFIXES = ("", "1", "10", "101")


def counter(number: int) -> int:
    """Enable, reset, and four bits of state -> the next state: 0 at a reset, else one more where enabled."""
    enable, reset, state = number & 1, number >> 1 & 1, number >> 2
    return 0 if reset else (state + enable) % 16


def detector(number: int) -> int:
    """A bit, and two of state, how much of 1011 was seen last -> whether it is complete now, and the next state."""
    seen = PREFIXES[number >> 1] + str(number & 1)
    longest = max((prefix for prefix in PREFIXES if seen.endswith(prefix)), key=len)
    return int(seen == "1011") | PREFIXES.index(longest) << 1


# The model, its inputs, outputs before the state, bits of state, names, what it is given by tick, tries.
TASKS = [
    (counter, 2, 0, 4, Names(("enable", "reset"), ("q0", "q1", "q2", "q3"), ("s0", "s1", "s2", "s3")),
     lambda tick, state: int(tick % 3 != 2) | (tick == 30) << 1, 8),
    (detector, 1, 1, 2, Names(("x",), ("found", "q0", "q1"), ("s0", "s1")),
     lambda tick, state: 0b1011011_0010111_0011011 >> tick & 1, 3),
]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("clocked"), help="where they are left")
    parser.add_argument("--seed", type=int, default=0, help="another seed finds other circuits (default: 0)")
    given = parser.parse_args()
    smallest(CGP(9, "nand"), equals(lambda number: number & 1, 2, 1), steps=10)  # the loops are compiled once, and kept
    for model, inputs, outputs, bits, names, by_tick, tries in TASKS:
        started = time.process_time()
        fitness = equals(model, inputs + bits, outputs + bits)
        found = smallest(CGP(100, "nand", 1), fitness, seed=given.seed, tries=tries)
        seconds = time.process_time() - started
        net = registered(found.net, bits, shown=range(bits), names=names)
        print(f"{model.__name__}: {found}, {seconds:.2f} s of CPU; {proved(found.net, model)}")
        print(f"  {left(net, given.folder / model.__name__, Run(by_tick, model, 40, outputs))}")


if __name__ == "__main__":
    main()
