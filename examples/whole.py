"""The 4-bit CPU of `cpu4.py` from its truth table alone: no hand draws the cut into parts.

Choices by one input after another, in an order of the inputs that is searched, are right at once, but many;
resynthesis then makes them fewer. Over again from other seeds, and the smallest is proved. Beside it, what searching
the whole table at once comes to: Cartesian genetic programming from random gates.
"""

import argparse
import time

import cpu4
from clocks import proved

from ontogeny.evolve import CGP, decomposed, equals, resynthesised, search
from ontogeny.evolve.circuits.convert import nand_only


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed (default: 0)")
    parser.add_argument("--tries", type=int, default=3, help="how many seeds (default: 3)")
    parser.add_argument("--steps", type=int, default=150_000, help="steps of resynthesis of each (default: 150,000)")
    parser.add_argument("--evaluations", type=int, default=200_000, help="of the whole at once (default: 200,000)")
    given = parser.parse_args()
    table, nets = equals(cpu4.step, 16, 9), []
    for seed in range(given.seed, given.seed + given.tries):
        started = time.process_time()
        rough = nand_only(decomposed(table, seed=seed))
        nets.append(resynthesised(rough, seed=seed, steps=given.steps))
        seconds = time.process_time() - started
        print(f"seed {seed}: {rough.gates} NANDs, {nets[-1].gates} resynthesised, {seconds:.1f} s of CPU", flush=True)
    least = min(nets, key=lambda net: net.gates)
    print(f"{least.gates} NANDs, {proved(least, cpu4.step)}")
    started = time.process_time()
    blind = search(CGP(300, "nand"), table, seed=given.seed, evaluations=given.evaluations)
    bits = blind.error / (9 << 16)
    print(f"the whole at once: {bits:.2%} of bits wrong after {given.evaluations:,} evaluations, "
          f"{time.process_time() - started:.1f} s of CPU")  # fmt: skip


if __name__ == "__main__":
    main()
