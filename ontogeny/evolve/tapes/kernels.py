"""The inner loops of searching tapes for numba: draw, change, choose, judge, replace.

Genes f64[rows, 5] are (operation, into, a, b, constant), first the room of setup, then that of predict and of learn; in
each the rows that there are come first, and operation 0 is none. Random bits are SplitMix64's, uint64[1].
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ontogeny.evolve.methods.cgp_kernels import below, word
from ontogeny.machine.swarm.kernels import loop
from ontogeny.machine.swarm.learners_codes import PUT
from ontogeny.machine.swarm.learners_encode import FORM, GIVES, PLACES
from ontogeny.machine.swarm.learners_scoring import assess

ALTER, REPLACE, REDRAW, INSERT, REMOVE = range(5)
"""Changes: an operand or constant of a row; a row; all rows of a routine; a row more; a row less."""
FLIPPED = 8
"""One in so many changes of a constant turns its sign; the others multiply it."""


class Making(NamedTuple):
    """What tapes are made of: rows that each routine has room for int32[3], operations to draw from, and their table.

    `changes` int32 has each kind of change as often as it is to be drawn; `again` is the chance of one change more.
    """

    room: Any
    changes: Any
    again: Any
    operations: Any
    table: Any
    sizes: Any


@loop
def put(into: Any, values: Any) -> None:
    """into[:] = values, of equal sizes; a slice would be checked, and compile for as long as all the rest."""
    for place in range(into.size):
        into[place] = values[place]


@loop
def uniform(rng: Any) -> float:
    """A random number from 0 to 1."""
    return float(word(rng) >> np.uint64(11)) * 2.0**-53


@loop
def operand(bank: int, first: int, making: Any, rng: Any) -> Any:
    """A register of a bank, from `first` on."""
    return first + below(rng, making.sizes[bank] - first)


@loop
def draw(row: Any, making: Any, rng: Any) -> None:
    """A random row."""
    number = making.operations[below(rng, making.operations.size)]
    about = making.table[number]
    row[:] = 0.0
    row[0] = number
    row[1] = operand(about[GIVES], 0 if about[GIVES] == 2 else 1, making, rng)
    for place in range(2):
        if about[place] >= 0:
            row[2 + place] = operand(about[place], 0, making, rng)
        elif place < about[PLACES]:
            row[2 + place] = below(rng, making.sizes[3])
    if about[FORM] == PUT:
        row[4] = 2.0 * uniform(rng) - 1.0


@loop
def alter(row: Any, making: Any, rng: Any) -> None:
    """One thing about a row: where it puts its result, an operand, or the constant."""
    about = making.table[int(row[0])]
    operands = int(about[0] >= 0) + int(about[1] >= 0) + about[PLACES]
    which = below(rng, 1 + operands + int(about[FORM] == PUT))
    if which == 0:
        row[1] = operand(about[GIVES], 0 if about[GIVES] == 2 else 1, making, rng)
    elif which > operands:
        if below(rng, FLIPPED) == 0:
            row[4] = -row[4]
        else:
            row[4] *= math.exp(2.0 * (uniform(rng) + uniform(rng) - uniform(rng) - uniform(rng)))
    elif about[PLACES]:
        row[1 + which] = below(rng, making.sizes[3])
    else:
        row[1 + which] = operand(about[which - 1], 0, making, rng)


@loop
def length(part: Any) -> int:
    """Rows that there are in a routine's room."""
    count = 0
    while count < len(part) and part[count, 0] != 0:
        count += 1
    return count


@loop
def mutate(genes: Any, making: Any, rng: Any) -> None:
    """One change to one routine; none where it cannot be made."""
    kind, routine = making.changes[below(rng, making.changes.size)], below(rng, 3)
    first = 0
    for before in range(routine):
        first += making.room[before]
    part = genes[first : first + making.room[routine]]
    count = length(part)
    if kind == REDRAW:
        part[:] = 0.0
        for at in range(below(rng, len(part) + 1)):
            draw(part[at], making, rng)
    elif kind == INSERT and count < len(part):
        place = below(rng, count + 1)
        for at in range(count, place, -1):
            put(part[at], part[at - 1])
        draw(part[place], making, rng)
    elif kind != INSERT and count > 0:
        place = below(rng, count)
        if kind == ALTER:
            alter(part[place], making, rng)
        elif kind == REPLACE:
            draw(part[place], making, rng)
        else:
            for at in range(place, count - 1):
                put(part[at], part[at + 1])
            part[count - 1] = 0.0


@loop
def change(genes: Any, making: Any, rng: Any) -> None:
    """A change, and perhaps further ones."""
    mutate(genes, making, rng)
    while uniform(rng) < making.again:
        mutate(genes, making, rng)


@loop
def breed(genes: Any, errors: Any, making: Any, tournament: int, kept: float, rng: Any, child: Any) -> Any:
    """Writes a child of the best of a tournament, the first drawn of equals, and gives its parent's place.

    With the chance `kept` the child is its parent unchanged.
    """
    best = below(rng, len(genes))
    for _ in range(tournament - 1):
        other = below(rng, len(genes))
        if errors[other] < errors[best]:
            best = other
    put(child.ravel(), genes[best].ravel())
    if uniform(rng) >= kept:
        change(child, making, rng)
    return best


@loop
def compact(genes: Any, room: Any, rows: Any, constants: Any, lengths: Any) -> None:
    """Genes as the rows of a tape."""
    first, filled = 0, 0
    for routine in range(3):
        lengths[routine] = length(genes[first : first + room[routine]])
        for at in range(first, first + lengths[routine]):
            for column in range(4):
                rows[filled, column] = int(genes[at, column])
            constants[filled] = genes[at, 4]
            filled += 1
        first += room[routine]


@loop
def error(genes: Any, room: Any, desk: Any, ground: Any, memory: Any, rows: Any, constants: Any, lengths: Any) -> Any:
    """The error of a tape's genes; `rows`, `constants` and `lengths` are room to work in."""
    compact(genes, room, rows, constants, lengths)
    return assess(desk, ground, memory, rows, constants, lengths)


@loop
def judge(genes: Any, room: Any, desk: Any, ground: Any, memory: Any, errors: Any) -> None:
    """The errors of many."""
    rows, constants, lengths = np.empty((genes.shape[1], 4), np.int32), np.empty(genes.shape[1]), np.empty(3, np.int32)
    for at in range(len(genes)):
        errors[at] = error(genes[at], room, desk, ground, memory, rows, constants, lengths)


@loop
def leg(
    genes: Any, errors: Any, numbers: Any, oldest: int, making: Any, tournament: int, kept: float, offspring: int,
    rng: Any, children: Any, best: Any, least: Any, enough: float, done: int, most: int, until: bool, desk: Any,
    ground: Any, memory: Any,
) -> Any:  # fmt: skip
    """Generations until `most` more are judged or, if `until`, one is right; the oldest's place, and how many.

    All but what counts is written in place: the population, the best and its error `least` f64[1], the random bits.
    """
    rows, constants, lengths = np.empty((genes.shape[1], 4), np.int32), np.empty(genes.shape[1]), np.empty(3, np.int32)
    found, judged = np.empty(offspring), 0
    while judged < most and not (until and least[0] <= 0):
        for child in range(offspring):
            breed(genes, errors, making, tournament, kept, rng, children[child])
        for child in range(offspring):
            raw = error(children[child], making.room, desk, ground, memory, rows, constants, lengths)
            found[child] = 0.0 if raw <= enough else raw
        for child in range(offspring):
            put(genes[oldest].ravel(), children[child].ravel())
            errors[oldest], numbers[oldest] = found[child], done + judged
            oldest = (oldest + 1) % len(genes)
            judged += 1
            if found[child] < least[0]:
                least[0] = found[child]
                put(best.ravel(), children[child].ravel())
    return oldest, judged
