"""An 8-bit accumulator CPU with 16 bytes of memory, of NANDs: searched parts, put together, run on real programs.

Program and numbers share the memory, and registers are all that there is: `a` 8 bits, `c` 1, `p` 4, and 16 bytes. The
byte at `p` is the instruction, its lowest four bits the operand `n`, its highest three the operation; one tick each:

    0 load    a = memory[n]           4 literal        a = n
    1 store   memory[n] = a           5 jump           p = n
    2 add     c, a = a + memory[n]    6 jump if zero   p = n where a is 0
    3 nand    a = not (a and that)    7 jump if carry  p = n where c is 1

The cut into parts is drawn by hand. Each part is right on all its cases; put together, it is made smaller by windows.
The whole is proved to be the model, `step`, from every state; it also goes with it for a million ticks of programs.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from clocks import Run, left
from cpu4 import Part, counter, fields, searched, zero

from ontogeny.evolve import decomposed, equals, resynthesised, windowed
from ontogeny.evolve.circuits.clock import registered
from ontogeny.evolve.circuits.convert import nand_only
from ontogeny.evolve.circuits.grower import Grower
from ontogeny.evolve.circuits.solver import INSTALLED
from ontogeny.evolve.circuits.traced import is_function
from ontogeny.isa.netlist import Names, Netlist, Words, bits_of, number
from ontogeny.isa.netlist_program import program
from ontogeny.machine.debugger import Debugger
from ontogeny.machine.reference.machine import ReferenceMachine
from ontogeny.machine.swarm import swarm

LOAD, STORE, ADD, NAND, LITERAL, JUMP, JUMP_IF_ZERO, JUMP_IF_CARRY = range(8)
REGISTERS = 13 + 128
STATE = (*(f"a{i}" for i in range(8)), "c", *(f"p{i}" for i in range(4)))
MEMORY = tuple(f"m{byte}_{bit}" for byte in range(16) for bit in range(8))
NAMES = Names((), tuple(f"{name}_now" for name in STATE), STATE + MEMORY)


def step(state: int) -> int:
    """The model: a 8, c 1, p 4 bits and 16 bytes -> the same a tick later, the lowest first."""
    a, c, p = state & 255, state >> 8 & 1, state >> 9 & 15
    memory = state >> 13
    instruction = memory >> 8 * p & 255
    op, n = instruction >> 5, instruction & 15
    that, after = memory >> 8 * n & 255, (p + 1) % 16
    if op == LOAD:
        a = that
    elif op == STORE:
        memory += a - that << 8 * n
    elif op == ADD:
        a, c = (a + that) % 256, (a + that) // 256
    elif op == NAND:
        a = 255 - (a & that)
    elif op == LITERAL:
        a = n
    elif op == JUMP or (op == JUMP_IF_ZERO and a == 0) or (op == JUMP_IF_CARRY and c == 1):
        after = n
    return a | c << 8 | after << 9 | memory << 13


def arithmetic8(number: int) -> int:
    """A bit of the accumulator and the carry out: operation 3, a, that, carry in, the literal's bit."""
    op, a, that, carry, literal = fields(number, 3, 1, 1, 1, 1)
    total = a + that + carry
    return (that, a, total & 1, 1 - (a & that), literal, a, a, a)[op] | (total >> 1) << 1


def carry8(number: int) -> int:
    """The next carry: operation 3, carry out of the adder, c."""
    op, out, c = fields(number, 3, 1, 1)
    return out if op == ADD else c


def jump8(number: int) -> int:
    """Whether p takes the operand: operation 3, whether the low and the high half of a are zero, c."""
    op, low, high, c = fields(number, 3, 1, 1, 1)
    return int(op == JUMP or (op == JUMP_IF_ZERO and low and high) or (op == JUMP_IF_CARRY and c))


def select(number: int) -> int:
    """One of four bits: address 2, the bits 4."""
    return number >> 2 >> (number & 3) & 1


def keep(number: int) -> int:
    """A bit of memory: whether to write, a, what it was."""
    write, a, was = fields(number, 1, 1, 1)
    return a if write else was


def writes(number: int) -> int:
    """Which byte is written, a bit for each: operation 3, operand 4."""
    op, n = fields(number, 3, 4)
    return (op == STORE) << n


PARTS = (
    Part(arithmetic8, 7, 2, nodes=150, offspring=4, tries=3),
    Part(carry8, 5, 1),
    Part(zero, 4, 1),
    Part(jump8, 6, 1),
    Part(counter, 4, 2),
    Part(select, 6, 1),
    Part(keep, 3, 1),
)


def parts(seed: int) -> dict[str, Netlist]:
    """Each part; the decoder of writes, of 16 outputs, is decomposed by an order of its inputs that is searched."""
    found = {name: part.net for name, part in searched(seed, PARTS).items()}
    found["writes"] = resynthesised(nand_only(decomposed(equals(writes, 7, 16), seed=seed)), seed=seed, steps=40_000)
    return found


def read(grown: Grower, select: Netlist, address: list[int], memory: list[list[int]]) -> list[int]:
    """The byte at an address: of each bit one of sixteen, by two ranks of one of four."""

    def one(bits: list[int]) -> int:
        firsts = [grown.placed(select, [*address[:2], *bits[at : at + 4]])[0] for at in range(0, 16, 4)]
        return grown.placed(select, [*address[2:], *firsts])[0]

    return [one([byte[bit] for byte in memory]) for bit in range(8)]


def composed(part: dict[str, Netlist]) -> Netlist:
    """The parts put together: a step of 141 inputs and as many outputs, of NANDs."""
    grown = Grower(REGISTERS)
    a, c, p = list(range(8)), 8, [9, 10, 11, 12]
    memory = [list(range(13 + 8 * byte, 21 + 8 * byte)) for byte in range(16)]
    instruction = read(grown, part["select"], p, memory)
    n, op = instruction[:4], instruction[5:]
    that = read(grown, part["select"], n, memory)
    chain = none = grown.made(0, [])
    bits = []
    for place in range(8):
        literal = n[place] if place < 4 else none
        bit, chain = grown.placed(part["arithmetic8"], [*op, a[place], that[place], chain, literal])
        bits.append(bit)
    flag = grown.placed(part["carry8"], [*op, chain, c])
    zeros = [grown.placed(part["zero"], half)[0] for half in (a[:4], a[4:])]
    jumps = grown.placed(part["jump8"], [*op, *zeros, c])
    chain, after = grown.made(1, []), []
    for place in range(4):
        bit, chain = grown.placed(part["counter"], [*jumps, p[place], n[place], chain])
        after.append(bit)
    write = grown.placed(part["writes"], [*op, *n])
    kept = [
        grown.placed(part["keep"], [write[byte], a[bit], memory[byte][bit]])[0]
        for byte in range(16)
        for bit in range(8)
    ]
    return nand_only(grown.finished([*bits, *flag, *after, *kept]))


def assembled(*instructions: tuple[int, int], **numbers: int) -> int:
    """The first state with these instructions in memory from 0, and numbers in bytes that are named m0 to m15."""
    memory = sum((op << 5 | n) << 8 * at for at, (op, n) in enumerate(instructions))
    return (memory + sum(number << 8 * int(name[1:]) for name, number in numbers.items())) << 13


PROGRAMS = {
    "multiply": assembled(  # byte 15 becomes 13 * 19: 13 is added, and one taken from 19, until that is zero
        (LOAD, 14), (JUMP_IF_ZERO, 8), (ADD, 12), (STORE, 14), (LOAD, 15), (ADD, 13), (STORE, 15), (JUMP, 0), (JUMP, 8),
        m12=255, m13=13, m14=19,
    ),
    "fibonacci": assembled(  # byte 15 becomes 233, the last of the numbers that fits
        (LOAD, 14), (ADD, 15), (JUMP_IF_CARRY, 8), (STORE, 13), (LOAD, 15), (STORE, 14), (LOAD, 13), (JUMP, 9),
        (JUMP, 8), (STORE, 15), (JUMP, 0), m14=0, m15=1,
    ),
}  # fmt: skip
EXPECTED = {"multiply": 13 * 19, "fibonacci": 233}


def clocked_cpu(whole: Netlist, state: int = 0) -> Netlist:
    """The step with its registers, which begin at this state."""
    begin = [state >> place & 1 for place in range(REGISTERS)]
    return registered(whole, REGISTERS, shown=range(13), names=NAMES, initial=begin)


def random_programs(net: Netlist, ticks: int, words: int, seed: int) -> str:
    """Machines with random memory and registers, 64 to a word, on the swarm and by the model; AssertionError else."""
    held: Words = np.random.default_rng(seed).integers(0, 2**64, (REGISTERS, words), np.uint64)
    states = _numbers(held)
    _, after = swarm([net], threads=1).clocked(np.zeros((ticks, 0, words), np.uint64), held[None])
    for _ in range(ticks):
        states = [step(state) for state in states]
    assert states == _numbers(after[0]), "the swarm does not go with the model"
    return f"{len(states):,} random programs, {len(states) * ticks:,} ticks, go with the model"


def _numbers(held: Words) -> list[int]:
    """The state of each machine as a number."""
    packed = np.packbits(bits_of(held, 64 * held.shape[1]), axis=0, bitorder="little")
    return [int.from_bytes(column.tobytes(), "little") for column in packed.T]


def stepped_through(net: Netlist, instructions: int) -> str:
    """The first instructions of a tick in the debugger, there and back."""
    machine = ReferenceMachine(program(net))
    machine.load({name: np.uint64(0) for name in net.named.registers})
    machine.call("init", {}, {})
    debugger = Debugger(lambda: machine.begin("tick", {}, {}))
    for _ in range(instructions):
        debugger.step()
    there = debugger.point
    debugger.back()
    debugger.step()
    assert debugger.point == there
    debugger.go()
    assert debugger.results["p0_now"] == 0 and debugger.finished
    return f"a tick in the debugger: {instructions} instructions, one back and one on again, and to its end"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("cpu8"), help="where it is left (default: cpu8)")
    parser.add_argument("--seed", type=int, default=0, help="another seed finds another one (default: 0)")
    given = parser.parse_args()
    started = time.process_time()
    part = parts(given.seed)
    rough = composed(part)
    whole = windowed(rough, seed=given.seed, windows=600, steps=800)
    told = ", ".join(f"{name} {net.gates}" for name, net in part.items())
    print(
        f"{rough.gates} NANDs, {whole.gates} after windows, {REGISTERS} registers, "
        f"{time.process_time() - started:.1f} s of CPU; {told}",
        flush=True,
    )
    if INSTALLED:  # python-sat, which the extra `sat` installs
        same = is_function(whole, step)
        assert same, f"{same.differs} is not as the model says from the state {number(same.case):#x}"
        print(f"equal to the model {same.how}", flush=True)
    print(random_programs(clocked_cpu(whole), ticks=64, words=257, seed=given.seed))
    for name, state in PROGRAMS.items():
        run, net = Run(lambda tick, state: 0, step, 160), clocked_cpu(whole, state)
        result = run.followed(net)[1][-1] >> 13 + 8 * 15
        assert result == EXPECTED[name], f"{name} gives {result}, not {EXPECTED[name]}"
        files = ("blif", "v", "svg", "onto") if name == "multiply" else ("v", "onto")  # one picture: it is the same
        print(f"{name}: {result}; {left(net, given.folder / name, run, files)}", flush=True)
    print(stepped_through(clocked_cpu(whole, PROGRAMS["multiply"]), 40))


if __name__ == "__main__":
    main()
