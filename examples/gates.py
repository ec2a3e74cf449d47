"""Circuits found by neutral drift: parity of 5 and a 3-bit adder from NAND alone, a 2x2 and a 3x3 multiplier.

Each is searched until it is right, then pruned, and compared with the Python function on every input by NumPy's plain
evaluation, which shares no code with the search. Written into the folder that is given, as BLIF.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ontogeny.evolve import CGP, equals, search
from ontogeny.evolve.circuits.blif import to_blif
from ontogeny.isa.netlist import Netlist, cases, truth


def parity(number: int) -> int:
    return number.bit_count() & 1


def adder(number: int) -> int:
    return (number & 7) + (number >> 3)


def multiplier2(number: int) -> int:
    return (number & 3) * (number >> 2)


def multiplier3(number: int) -> int:
    return (number & 7) * (number >> 3)


# The function, its inputs and outputs, the method, a seed, evaluations of pruning, and what abc's best script reaches.
TASKS = [
    ("parity of 5, NAND", parity, 5, 1, CGP(70, "nand", 1), 0, 400_000, 20),
    ("3-bit adder, NAND", adder, 6, 4, CGP(70, "nand", 1), 1, 700_000, 29),
    ("2x2 multiplier", multiplier2, 4, 4, CGP(50, "two-input", 1), 0, 200_000, 7),
    ("3x3 multiplier", multiplier3, 6, 6, CGP(60, "two-input", 1), 0, 700_000, 30),
]


def differing(net: Netlist, function: Callable[[int], int], inputs: int) -> int:
    """On how many of all inputs the netlist gives something else than the function."""
    bits = np.unpackbits(truth(net, cases(inputs)).view(np.uint8), axis=1, bitorder="little")[:, : 1 << inputs]
    numbers = (bits.astype(np.int64) << np.arange(len(bits))[:, None]).sum(axis=0)
    return sum(int(found) != function(number) for number, found in enumerate(numbers))


def main() -> None:
    search(CGP(5), equals(parity, 2, 1), evaluations=10)  # the loops are compiled once, and kept
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    for name, function, inputs, outputs, method, seed, prune, of_abc in TASKS:
        started = time.process_time()
        found = search(method, equals(function, inputs, outputs), seed=seed, prune=prune)
        seconds = time.process_time() - started
        wrong = differing(found.net, function, inputs)
        assert found.solved and wrong == 0, f"{name}: {wrong} of {1 << inputs} inputs wrong"
        print(
            f"{name}: {found.net.gates} gates (abc: {of_abc}), right after {found.solved_at:,} of "
            f"{found.evaluations:,} evaluations, {seconds:.2f} s of CPU; equal on all {1 << inputs} inputs"
        )
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{function.__name__}.blif").write_text(to_blif(found.net), encoding="utf-8")


if __name__ == "__main__":
    main()
