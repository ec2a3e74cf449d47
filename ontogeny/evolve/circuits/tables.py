"""Truth tables of single gates as whole numbers: bit i is the output for the input number i, whose bit p is fanin p."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

IDENTITY, INVERTED = (1, 0b10), (1, 0b01)
AND, OR, XOR, NAND = 0b1000, 0b1110, 0b0110, 0b0111
CHOICE, IF = 0b11001010, 0b11011000
"""One of two wires by a third: of fanins (low, high, by), and of (by, high, low), high where `by` is one."""


def full(arity: int) -> int:
    """The table that is one everywhere."""
    return (1 << (1 << arity)) - 1


@cache
def cofactor(table: int, arity: int, place: int, bit: int) -> int:
    """The table over the other fanins where fanin `place` is `bit`."""
    low = (1 << place) - 1
    numbers = ((i & ~low) << 1 | bit << place | i & low for i in range(1 << arity - 1))
    return sum((table >> number & 1) << i for i, number in enumerate(numbers))


@cache
def merged(table: int, arity: int, first: int, second: int) -> int:
    """The table where fanin `second` is the same wire as fanin `first`, an earlier one, and is left out."""
    low = (1 << second) - 1
    numbers = ((i & ~low) << 1 | (i >> first & 1) << second | i & low for i in range(1 << arity - 1))
    return sum((table >> number & 1) << i for i, number in enumerate(numbers))


@cache
def permuted(table: int, order: tuple[int, ...]) -> int:
    """The table whose fanin p is the given one's fanin `order[p]`."""
    numbers = (sum((i >> p & 1) << old for p, old in enumerate(order)) for i in range(1 << len(order)))
    return sum((table >> number & 1) << i for i, number in enumerate(numbers))


def depends(table: int, arity: int, place: int) -> bool:
    """Whether the output ever changes with fanin `place`."""
    return cofactor(table, arity, place, 0) != cofactor(table, arity, place, 1)


def reduced(table: int, takes: Sequence[int], known: Mapping[int, int]) -> tuple[int, list[int]]:
    """The same gate without fanins that are known constants, that it takes twice, or that it does not depend on."""
    wires = list(takes)
    for place in reversed(range(len(wires))):
        wire, first = wires[place], wires.index(wires[place])
        if wire in known:
            table = cofactor(table, len(wires), place, known[wire])
        elif first < place:
            table = merged(table, len(wires), first, place)
        else:
            continue
        del wires[place]
    for place in reversed(range(len(wires))):
        if not depends(table, len(wires), place):
            table = cofactor(table, len(wires), place, 0)
            del wires[place]
    return table, wires


def in_order(table: int, takes: Sequence[int]) -> tuple[int, tuple[int, ...]]:
    """The same gate with its fanins in rising order."""
    order = tuple(sorted(range(len(takes)), key=lambda place: takes[place]))
    return permuted(table, order), tuple(takes[place] for place in order)
