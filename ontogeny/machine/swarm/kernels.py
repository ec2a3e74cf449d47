"""The swarm's inner loops for numba: every gate of every program on a block of words that fits the first cache.

Programs are encoded as in `encoded.py`: `code` int32[gates, 3] (slot, left, right), `table` uint8[gates], program p's
gates from `first[p]` to `first[p + 1]`. Words are padded to whole slots; `slots` is scratch. Each compiles once per
width and is kept beside this file (`machine/kernel_cache.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ontogeny.machine.kernel_cache import compiled
from ontogeny.machine.swarm.vectors import differing, fill, gate, nand, spill

Function = TypeVar("Function", bound=Callable[..., Any])
NAND = 7


def loop(function: Function) -> Function:
    """A function compiled on its first call, without the interpreter's lock."""
    return compiled(function, error_model="numpy")


@loop
def run(slots: Any, code: Any, table: Any, begin: int, end: int) -> None:
    """The gates from `begin` to `end` on what the source slots hold; NANDs, told by an empty table, by themselves."""
    if table.size == 0:
        for at in range(begin, end):
            nand(slots, np.int64(code[at, 0]), np.int64(code[at, 1]), np.int64(code[at, 2]))
        return
    for at in range(begin, end):
        bits = np.int64(table[at])
        none = -(bits & 1)
        one = -((bits >> 1 ^ bits) & 1)
        two = -((bits >> 2 ^ bits) & 1)
        both = -((bits ^ bits >> 1 ^ bits >> 2 ^ bits >> 3) & 1)
        into, left, right = np.int64(code[at, 0]), np.int64(code[at, 1]), np.int64(code[at, 2])
        gate(slots, into, left, right, np.uint64(none), np.uint64(one), np.uint64(two), np.uint64(both))


@loop
def evaluate(
    slots: Any, code: Any, table: Any, first: Any, wanted: Any, words: Any, found: Any, begin: int, end: int
) -> None:
    """found[p, o] = what program p has in the slot `wanted[p, o]`, of words[p or 0, sources, words], for some programs.

    `words` uint64[1 or programs, sources, words] and `found` uint64[programs, outputs, words] are contiguous.
    """
    width = slots.itemsize // 8
    of_program, given = (words.shape[1] * words.shape[2] if words.shape[0] > 1 else 0), words.reshape(-1)
    count, length, results = wanted.shape[1], words.shape[2], found.reshape(-1)
    for program in range(begin, end):
        for at in range(0, length, width):
            for source in range(words.shape[1]):
                fill(slots, source, given, program * of_program + source * length + at)
            run(slots, code, table, first[program], first[program + 1])
            for output in range(count):
                spill(slots, np.int64(wanted[program, output]), results, (program * count + output) * length + at)


@loop
def wrong(
    slots: Any, code: Any, table: Any, first: Any, wanted: Any, words: Any, target: Any, cared: Any, limit: int,
    found: Any, begin: int, end: int,
) -> None:  # fmt: skip
    """found[p] = bits in which program p differs from target uint64[outputs, words] where `cared` has ones.

    A program is left as soon as it has more than `limit`: what it has by then is what is found.
    """
    width, given = slots.itemsize // 8, words.reshape(-1)
    length, goal, mask = words.shape[2], target.reshape(-1), cared.reshape(-1)
    for program in range(begin, end):
        bits = 0
        for at in range(0, length, width):
            for source in range(words.shape[1]):
                fill(slots, source, given, source * length + at)
            run(slots, code, table, first[program], first[program + 1])
            for output in range(wanted.shape[1]):
                bits += differing(slots, np.int64(wanted[program, output]), goal, mask, output * length + at)
            if bits > limit:
                break
        found[program] = bits


@loop
def place(code: Any, outputs: Any, sources: int, last: Any, where: Any, free: Any) -> int:
    """Turns the wires of one program into slots, in place; the number of slots that it takes.

    The sources keep their slots; a gate takes the slot freed last, and frees those of which it is the last reader.
    `last` int32[wires], `where` int32[wires] and `free` int32[wires] are scratch.
    """
    gates = code.shape[0]
    for wire in range(sources + gates):
        last[wire], where[wire] = -1, wire
    for at in range(gates):
        last[code[at, 1]] = last[code[at, 2]] = at
    for output in outputs:
        last[output] = gates
    slots, waiting = sources, 0
    for at in range(gates):
        left, right = code[at, 1], code[at, 2]
        for operand, again in ((left, False), (right, left == right)):
            if operand >= sources and last[operand] == at and not again:
                free[waiting] = where[operand]
                waiting += 1
        if waiting:
            waiting -= 1
            slot = free[waiting]
        else:
            slot = slots
            slots += 1
        code[at, 1], code[at, 2], code[at, 0] = where[left], where[right], slot
        where[sources + at] = slot
    for index in range(outputs.size):
        outputs[index] = where[outputs[index]]
    return slots


@loop
def mark(code: Any, wanted: Any, sources: int, live: Any, number: Any) -> int:
    """live[wire] = 1 where a wanted wire depends on it, number[wire] its number without the dead gates; gates alive."""
    for wire in wanted:
        live[wire] = 1
    for at in range(code.shape[0] - 1, -1, -1):
        if live[sources + at]:
            live[code[at, 1]] = live[code[at, 2]] = 1
    kept = 0
    for wire in range(live.size):
        number[wire] = wire if wire < sources else sources + kept
        kept += wire >= sources and live[wire] != 0
    return kept
