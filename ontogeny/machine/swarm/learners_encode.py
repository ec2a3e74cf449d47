"""Tapes to rows of code, for numba: what never reaches a prediction is left out, registers become slots.

A tape is `rows` int32[n, 4] (operation, into, a, b) of setup, predict and learn one after another, `constants` f64[n]
and `lengths` int32[3]. `table` int32[operations, 6] says of each operation: banks of a, b and the result (0 to 2, -1
for none), kernel, form, and how many places. `sizes` int32[4] are scalars, vectors, matrices and features.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ontogeny.machine.swarm.kernels import loop
from ontogeny.machine.swarm.learners_codes import (
    DOT,
    EACH,
    FIRST,
    INNER,
    JUDGE,
    LABEL,
    PUT,
    ROWS,
    SQUARE,
    WHOLE,
    WORKING,
    ZERO,
)

A, B, GIVES, KERNEL, FORM, PLACES = range(6)
SETUP, PREDICT, LEARN = range(3)
PREDICTION = 1
SEQUENTIAL = 8


@loop
def size(bank: int, n: int) -> int:
    """Elements of a register of a bank."""
    return 1 if bank == 0 else (n if bank == 1 else n * n)


@loop
def register(bank: int, index: int, sizes: Any) -> Any:
    """The bit of a register in a set of registers, uint64: scalars, vectors, matrices."""
    number = index + (0 if bank == 0 else (sizes[0] if bank == 1 else sizes[0] + sizes[1]))
    return np.uint64(1) << np.uint64(number)


@loop
def slot(bank: int, index: int, sizes: Any, routine: int) -> Any:
    """The first slot of a register as a routine sees it; s0 is the label in learn, else 0."""
    n = sizes[3]
    if bank == 0:
        return (LABEL if routine == LEARN else ZERO) if index == 0 else FIRST + index - 1
    vectors = FIRST + sizes[0] - 1
    return vectors + n * index if bank == 1 else vectors + n * sizes[1] + n * n * index


@loop
def slots_of(sizes: Any) -> Any:
    """Slots that a tape takes, with what its kernels need to work."""
    n = sizes[3]
    return FIRST + sizes[0] - 1 + n * sizes[1] + n * n * sizes[2] + n * n + n + WORKING


@loop
def backward(rows: Any, table: Any, sizes: Any, begin: int, end: int, live: Any, kept: Any) -> Any:
    """Of the registers live after the rows those live before; kept[row] = 1 where one writes a live register."""
    for at in range(end - 1, begin - 1, -1):
        operation = rows[at, 0]
        into = register(table[operation, GIVES], rows[at, 1], sizes)
        kept[at] = live & into != 0
        if live & into:
            if table[operation, PLACES] == 0:
                live ^= into
            for operand in range(2):
                bank = table[operation, operand]
                if bank >= 0:
                    live |= register(bank, rows[at, 2 + operand], sizes)
    return live


@loop
def mark(rows: Any, lengths: Any, table: Any, sizes: Any, kept: Any) -> None:
    """kept[row] = 1 where the row can reach a prediction, at this example or a later one.

    Before predict and learn those registers are live that a later routine reads before it writes them, however often
    the two take turns: the least such sets, found by going round until nothing changes. No value is looked at.
    """
    one, two, three = lengths[0], lengths[0] + lengths[1], lengths[0] + lengths[1] + lengths[2]
    before, known, predicted = np.uint64(0), ~np.uint64(0), np.uint64(1) << np.uint64(PREDICTION)
    while before != known:
        known = before
        before_learn = backward(rows, table, sizes, two, three, before, kept)
        before = backward(rows, table, sizes, one, two, before_learn | before | predicted, kept)
    backward(rows, table, sizes, 0, one, before, kept)


@loop
def encode(rows: Any, constants: Any, lengths: Any, table: Any, sizes: Any, kept: Any, code: Any, numbers: Any) -> Any:
    """Writes the kept rows as code: setup, predict, the row that judges, learn; gives three places.

    They are where predict begins, where the row that judges is, and the end. `code` int32[at least rows + 1, 8],
    `numbers` f64 of as many.
    """
    filled, at, predict, judge = 0, 0, 0, 0
    for routine in range(3):
        if routine == PREDICT:
            predict = filled
        elif routine == LEARN:
            judge = filled
            code[filled] = 0
            code[filled, 0], code[filled, 2] = JUDGE, slot(0, PREDICTION, sizes, PREDICT)
            numbers[filled] = 0.0
            filled += 1
        for _ in range(lengths[routine]):
            if kept[at]:
                place(rows[at], table[rows[at, 0]], sizes, routine, code[filled])
                numbers[filled] = constants[at]
                filled += 1
            at += 1
    return predict, judge, filled


@loop
def place(row: Any, about: Any, sizes: Any, routine: int, code: Any) -> None:
    """One row of code."""
    n, form, gives = sizes[3], about[FORM], about[GIVES]
    code[0], code[1], code[2], code[3] = about[KERNEL], slot(gives, row[1], sizes, routine), ZERO, ZERO
    code[4], code[5], code[6], code[7] = 1, 1, 1, 1
    if form == PUT:
        if about[PLACES] == 1:
            code[1] += row[2] % n
        elif about[PLACES] == 2:
            code[1] += n * (row[2] % n) + row[3] % n
        return
    code[2] = slot(about[A], row[2], sizes, routine)
    if about[B] >= 0:
        code[3] = slot(about[B], row[3], sizes, routine)
    if form == EACH:
        code[5] = size(gives, n)
        code[6] = 1 if about[A] == gives else 0
    elif form == WHOLE:
        code[5] = size(about[A], n)
        if about[KERNEL] == INNER and n < SEQUENTIAL:
            code[0] = DOT
    elif form == ROWS:
        code[4], code[5] = n, n
    elif form == SQUARE:
        code[5] = n
