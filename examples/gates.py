"""Circuits found by neutral drift: parity of 5 and a 3-bit adder from NAND alone, a 2x2 and a 3x3 multiplier.

Each is searched until it is right, then resynthesised, over again from other seeds, and the smallest compared with the
Python function on every input by NumPy's plain evaluation, which shares no code with the search. `python
examples/gates.py FOLDER --seed N` writes them into the folder, as BLIF.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from ontogeny.evolve import CGP, equals, smallest
from ontogeny.evolve.circuits.blif import to_blif
from ontogeny.isa.netlist import Netlist, cases, numbers_of, truth


def parity(number: int) -> int:
    return number.bit_count() & 1


def adder(number: int) -> int:
    return (number & 7) + (number >> 3)


def multiplier2(number: int) -> int:
    return (number & 3) * (number >> 2)


def multiplier3(number: int) -> int:
    return (number & 7) * (number >> 3)


# The function, its inputs and outputs, the method, tries, steps of resynthesis, gates that are few enough to end the
# tries, and what abc's best script reaches.
TASKS = [
    ("parity of 5, NAND", parity, 5, 1, CGP(70, "nand", 1), 4, 10_000, 0, 20),
    ("3-bit adder, NAND", adder, 6, 4, CGP(70, "nand", 1), 2, 30_000, 0, 29),
    ("2x2 multiplier", multiplier2, 4, 4, CGP(50, "two-input", 1), 2, 10_000, 0, 7),
    ("3x3 multiplier", multiplier3, 6, 6, CGP(120, "two-input"), 10, 7_000, 30, 30),
]


def differing(net: Netlist, function: Callable[[int], int], inputs: int) -> int:
    """On how many of all inputs the netlist gives something else than the function."""
    numbers = numbers_of(truth(net, cases(inputs)), 1 << inputs)
    return sum(int(found) != function(number) for number, found in enumerate(numbers))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="where the circuits are written, if anywhere")
    parser.add_argument("--seed", type=int, default=0, help="another seed finds other circuits (default: 0)")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    for gates in ("nand", "two-input"):  # the loops are compiled once, and kept
        smallest(CGP(9, gates), equals(parity, 2, 1), steps=10)
    for name, function, inputs, outputs, method, tries, steps, enough, of_abc in TASKS:
        started = time.process_time()
        fitness = equals(function, inputs, outputs)
        found = smallest(method, fitness, seed=given.seed, tries=tries, steps=steps, enough=enough)
        seconds = time.process_time() - started
        wrong = differing(found.net, function, inputs)
        assert wrong == 0, f"{name}: {wrong} of {1 << inputs} inputs wrong"
        print(f"{name}: {found} (abc: {of_abc} gates), {seconds:.2f} s of CPU; equal on all {1 << inputs} inputs")
        if given.folder is not None:
            given.folder.mkdir(parents=True, exist_ok=True)
            (given.folder / f"{function.__name__}.blif").write_text(to_blif(found.net), encoding="utf-8")


if __name__ == "__main__":
    main()
