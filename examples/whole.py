"""The 4-bit CPU of `cpu4.py` from its truth table alone: no hand draws the cut into parts.

Choices by one input after another, in an order of the inputs that is searched, are right at once, but many;
resynthesis then makes them fewer. Over again from other seeds, and the smallest is proved. Beside it, what searching
from random gates comes to (Cartesian genetic programming): the whole table at once, and each output by itself on the
inputs that it depends on.
"""

import argparse
import time
from functools import partial

import cpu4
from clocks import proved

from ontogeny.evolve import CGP, decomposed, equals, search
from ontogeny.evolve.circuits.convert import nand_only


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed (default: 0)")
    parser.add_argument("--tries", type=int, default=2, help="how many seeds (default: 2)")
    parser.add_argument("--steps", type=int, default=200_000, help="steps of each of three walks (default: 200,000)")
    parser.add_argument("--evaluations", type=int, default=200_000, help="from random gates (default: 200,000)")
    given = parser.parse_args()
    table, nets = equals(cpu4.step, 16, 9), []
    for seed in range(given.seed, given.seed + given.tries):
        started = time.process_time()
        rough = nand_only(decomposed(table, seed=seed))
        nets.append(cpu4.smaller(rough, seed, given.steps))
        seconds = time.process_time() - started
        print(f"seed {seed}: {rough.gates} NANDs, {nets[-1].gates} resynthesised, {seconds:.1f} s of CPU", flush=True)
    least = min(nets, key=lambda net: net.gates)
    print(f"{least.gates} NANDs, {proved(least, cpu4.step)}")
    blind(given.seed, given.evaluations)


def blind(seed: int, evaluations: int) -> None:
    """What is wrong of the whole at once, and of each output apart."""
    started = time.process_time()
    whole = search(CGP(300, "nand"), equals(cpu4.step, 16, 9), seed=seed, evaluations=evaluations)
    seconds = time.process_time() - started
    print(f"the whole at once: {whole.error / (9 << 16):.2%} of bits wrong after {evaluations:,} evaluations, "
          f"{seconds:.1f} s of CPU", flush=True)  # fmt: skip
    for name, place in zip(cpu4.NAMES.registers, range(9), strict=True):
        inputs = [bit for bit in range(16) if depends(place, bit)]
        one = equals(partial(output, place, inputs), len(inputs), 1)
        found = search(CGP(150, "nand"), one, seed=seed, evaluations=evaluations)
        wrong = f"{found.error / (1 << len(inputs)):.2%} of bits wrong" if found.error else f"{found.net.gates} NANDs"
        print(f"  {name} alone, on {len(inputs)} inputs: {wrong} after {found.evaluations:,} evaluations", flush=True)


def depends(place: int, bit: int) -> bool:
    """Whether an output ever changes with an input."""
    return any((cpu4.step(case) ^ cpu4.step(case ^ 1 << bit)) >> place & 1 for case in range(1 << 16))


def output(place: int, inputs: list[int], number: int) -> int:
    """One output by the inputs that it depends on."""
    return cpu4.step(sum((number >> i & 1) << bit for i, bit in enumerate(inputs))) >> place & 1


if __name__ == "__main__":
    main()
