"""A 4-bit accumulator CPU of NANDs alone: its parts searched, put together, made smaller, proved, clocked.

The accumulator `a`, the carry `c` and the program counter `p` are registers; the instruction at `p`, three bits of
operation and four of operand `d`, comes from outside. One tick is one instruction, and `p` goes to the next one:

    0 load    a = d                   4 rotate         a, c = a and c rotated left by one
    1 add     c, a = a + d + c        5 jump           p = d
    2 nand    a = not (a and d)       6 jump if zero   p = d where a is 0
    3 xor     a = a xor d             7 jump if carry  p = d where c is 1

The cut into parts is drawn by hand: a slice of the arithmetic, the carry, zero, the jump, a slice of the counter. Each
part is searched by its truth table. `examples/whole.py` goes without a cut.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from clocks import Run, left, proved

from ontogeny.evolve import CGP, Smallest, Walk, equals, resynthesised, smallest
from ontogeny.evolve.circuits.clock import registered
from ontogeny.evolve.circuits.convert import nand_only
from ontogeny.evolve.circuits.grower import Grower
from ontogeny.isa.netlist import Names, Netlist

LOAD, ADD, NAND, XOR, ROTATE, JUMP, JUMP_IF_ZERO, JUMP_IF_CARRY = range(8)
REGISTERS = 9
NAMES = Names(
    ("op0", "op1", "op2", "d0", "d1", "d2", "d3"),
    ("a0_now", "a1_now", "a2_now", "a3_now", "c_now", "p0_now", "p1_now", "p2_now", "p3_now"),
    ("a0", "a1", "a2", "a3", "c", "p0", "p1", "p2", "p3"),
)


def fields(number: int, *widths: int) -> list[int]:
    """The number's bits in groups of these widths, the lowest first."""
    found = []
    for width in widths:
        found.append(number & (1 << width) - 1)
        number >>= width
    return found


def step(number: int) -> int:
    """The model: operation 3, operand 4, a 4, c 1, p 4 bits -> the next a, c and p, the lowest first."""
    op, d, a, c, p = fields(number, 3, 4, 4, 1, 4)
    after = (p + 1) % 16
    if op == LOAD:
        a = d
    elif op == ADD:
        a, c = (a + d + c) % 16, (a + d + c) // 16
    elif op == NAND:
        a = 15 - (a & d)
    elif op == XOR:
        a ^= d
    elif op == ROTATE:
        a, c = (2 * a + c) % 16, a // 8
    elif op == JUMP or (op == JUMP_IF_ZERO and a == 0) or (op == JUMP_IF_CARRY and c == 1):
        after = d
    return a | c << 4 | after << 5


def arithmetic(number: int) -> int:
    """A bit of the accumulator and the carry out: operation 3, a, d, carry in, the bit below."""
    op, a, d, carry, below = fields(number, 3, 1, 1, 1, 1)
    total = a + d + carry
    return (d, total & 1, 1 - (a & d), a ^ d, below, a, a, a)[op] | (total >> 1) << 1


def carry(number: int) -> int:
    """The next carry: operation 3, carry out of the adder, highest bit of a, c."""
    op, out, high, c = fields(number, 3, 1, 1, 1)
    return out if op == ADD else high if op == ROTATE else c


def zero(number: int) -> int:
    """Whether a is 0."""
    return int(number == 0)


def jump(number: int) -> int:
    """Whether p takes the operand: operation 3, a is zero, c."""
    op, none, c = fields(number, 3, 1, 1)
    return int(op == JUMP or (op == JUMP_IF_ZERO and none) or (op == JUMP_IF_CARRY and c))


def counter(number: int) -> int:
    """A bit of the counter and the carry out: whether to jump, p, d, carry in."""
    jumps, p, d, one = fields(number, 1, 1, 1, 1)
    return (d if jumps else p ^ one) | (p & one) << 1


@dataclass(frozen=True)
class Part:
    """What is searched for: a function, its inputs and outputs; of how many nodes, how often."""

    function: Callable[[int], int]
    inputs: int
    outputs: int
    nodes: int = 100
    offspring: int = 1
    tries: int = 2


PARTS = (
    Part(arithmetic, 7, 2, nodes=150, offspring=4, tries=3),
    Part(carry, 6, 1),
    Part(zero, 4, 1),
    Part(jump, 5, 1),
    Part(counter, 4, 2),
)


def searched(seed: int, parts: tuple[Part, ...] = PARTS) -> dict[str, Smallest]:
    """Each part, searched."""
    found = {}
    for part in parts:
        fitness, method = equals(part.function, part.inputs, part.outputs), CGP(part.nodes, "nand", part.offspring)
        found[part.function.__name__] = smallest(method, fitness, seed=seed, tries=part.tries)
    return found


def composed(parts: dict[str, Netlist]) -> Netlist:
    """The parts put together: a step of 16 inputs and 9 outputs, of NANDs."""
    grown = Grower(16)
    op, d, a, c, p = [0, 1, 2], [3, 4, 5, 6], [7, 8, 9, 10], 11, [12, 13, 14, 15]
    accumulator, bits, chain = [], [], c
    for place in range(4):
        below = a[place - 1] if place else c
        bit, chain = grown.placed(parts["arithmetic"], [*op, a[place], d[place], chain, below])
        accumulator.append(bit)
    flag = grown.placed(parts["carry"], [*op, chain, a[3], c])
    jumps = grown.placed(parts["jump"], [*op, *grown.placed(parts["zero"], a), c])
    chain = grown.made(1, [])
    for place in range(4):
        bit, chain = grown.placed(parts["counter"], [*jumps, p[place], d[place], chain])
        bits.append(bit)
    return nand_only(grown.finished([*accumulator, *flag, *bits]))


def smaller(rough: Netlist, seed: int, steps: int = 200_000, turns: int = 3) -> Netlist:
    """Walks that are warmer than for small circuits, each from the smallest of the last one on."""
    net = rough
    for turn in range(turns):
        net = resynthesised(net, seed=seed * turns + turn, steps=steps, walk=Walk(chances=(0.2, 0.02)))
    return net


def clocked_cpu(whole: Netlist) -> Netlist:
    """The step with its registers, which are its outputs, too."""
    return registered(whole, REGISTERS, shown=range(REGISTERS), names=NAMES)


# All eight: adds three until that carries, goes through the others, and stays at 10 with a = 15 where all were right.
PROGRAM = [
    (LOAD, 0), (ADD, 3), (JUMP_IF_CARRY, 4), (JUMP, 1), (ROTATE, 0), (NAND, 5), (XOR, 10), (JUMP_IF_ZERO, 9),
    (JUMP, 8), (LOAD, 15), (JUMP, 10),
]  # fmt: skip


def instruction(tick: int, state: int) -> int:
    """What the program has where the counter points; beyond its end, a jump to itself."""
    at = state >> 5
    op, operand = PROGRAM[at] if at < len(PROGRAM) else (JUMP, at)
    return op | operand << 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("cpu4"), help="where it is left (default: cpu4)")
    parser.add_argument("--seed", type=int, default=0, help="another seed finds another one (default: 0)")
    parser.add_argument("--steps", type=int, default=200_000, help="steps of each of three walks (default: 200,000)")
    given = parser.parse_args()
    smallest(CGP(9, "nand"), equals(zero, 2, 1), steps=10)  # the loops are compiled once, and kept
    started = time.process_time()
    parts = searched(given.seed)
    for name, part in parts.items():
        print(f"{name}: {part}")
    rough = composed({name: part.net for name, part in parts.items()})
    whole = smaller(rough, given.seed, given.steps)
    seconds = time.process_time() - started
    print(f"put together {rough.gates} NANDs, {whole.gates} after resynthesis, {seconds:.1f} s of CPU in all")
    print(proved(whole, step))
    print(left(clocked_cpu(whole), given.folder, Run(instruction, step, 40)))


if __name__ == "__main__":
    main()
