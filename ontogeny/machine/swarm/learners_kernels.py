"""The learners' inner loops for numba: all instructions of a tape on one example after another, all tasks at once.

A row of code int32[rows, 8] is (kernel, into, a, b, rows, n, step of a, step of b), its operands slots; `constants`
f64[rows]. Training is one pass over `predict`, JUDGE and `learn` for each example, validation over `predict` and SCORE.
`flat` f64 is the same memory as the slots, for what no vector instruction does. Sums go in NumPy's own order.
"""

from __future__ import annotations

import math
from typing import Any

from ontogeny.machine.swarm import learners_codes as codes
from ontogeny.machine.swarm import learners_lanes as lane
from ontogeny.machine.swarm.kernels import loop

SEQUENTIAL, BLOCK = 8, 128
"""NumPy adds fewer than 8 numbers in order, up to 128 by eight sums, more by halves."""


@loop
def block(slots: Any, into: int, a: int, b: int, by: int, count: int, scratch: int) -> None:
    """slots[into] = the sum of slots[a + i] * slots[b + by * i], as NumPy adds up to 128 numbers."""
    if count < SEQUENTIAL:
        lane.inner(slots, into, a, b, by, count)
        return
    whole, more = count - count % 8, scratch + 8
    lane.mul(slots, scratch, 8, a, 1, b, by)
    for at in range(8, whole, 8):
        lane.mul(slots, more, 8, a + at, 1, b + by * at, by)
        lane.add(slots, scratch, 8, scratch, 1, more, 1)
    lane.add(slots, scratch, 4, scratch, 2, scratch + 1, 2)
    lane.add(slots, scratch, 2, scratch, 2, scratch + 1, 2)
    lane.add(slots, into, 1, scratch, 1, scratch + 1, 1)
    for at in range(whole, count):
        lane.mul(slots, scratch, 1, a + at, 1, b + by * at, by)
        lane.add(slots, into, 1, into, 1, scratch, 1)


@loop
def total(slots: Any, into: int, a: int, b: int, by: int, count: int, scratch: int) -> None:
    """slots[into] = the sum of slots[a + i] * slots[b + by * i], as NumPy adds up to 256 numbers; not in place."""
    half = 0 if count <= BLOCK else count // 2 - count // 2 % 8
    if half:
        block(slots, scratch + 16, a, b, by, half, scratch)
    block(slots, into, a + half, b + by * half, by, count - half, scratch)
    if half:
        lane.add(slots, into, 1, scratch + 16, 1, into, 1)


@loop
def function(flat: Any, kernel: int, into: int, a: int, count: int) -> None:
    """exp, log and the like, lane by lane."""
    for place in range(count):
        x = flat[a + place]
        if kernel == codes.EXP:
            y = math.exp(x)
        elif kernel == codes.LOG:
            y = math.log(x) if x > 0 else (-math.inf if x == 0 else math.nan)
        elif not math.isfinite(x):
            y = math.nan
        elif kernel == codes.SIN:
            y = math.sin(x)
        elif kernel == codes.COS:
            y = math.cos(x)
        else:
            y = math.sin(x) / math.cos(x)
        flat[into + place] = y


@loop
def square(slots: Any, kernel: int, into: int, a: int, b: int, n: int, scratch: int) -> None:
    """What gives or takes a matrix whole."""
    for i in range(n):
        if kernel == codes.OUTER:
            lane.mul(slots, into + n * i, n, a + i, 0, b, 1)
        elif kernel == codes.COLUMN:
            lane.copy(slots, into + n * i, n, a + i, 0)
        elif kernel == codes.ROW:
            lane.copy(slots, into + n * i, n, a, 1)
        elif kernel == codes.TRANSPOSE:
            lane.copy(slots, scratch + n * i, n, a + i, n)
        elif kernel == codes.MATMUL:
            for j in range(n):
                lane.mul(slots, scratch + n * n, n, a + n * i, 1, b + j, n)
                lane.inner(slots, scratch + n * i + j, scratch + n * n, codes.ONE, 0, n)
        elif i == 0:
            lane.mul(slots, scratch, n, a, 1, a, 1)
        else:
            lane.mul(slots, scratch + n, n, a + n * i, 1, a + n * i, 1)
            lane.add(slots, scratch, n, scratch, 1, scratch + n, 1)
    if kernel in (codes.TRANSPOSE, codes.MATMUL):
        lane.copy(slots, into, n * n, scratch, 1)
    elif kernel == codes.COLUMN_NORM:
        lane.root(slots, into, n, scratch, 1)


@loop
def reduced(slots: Any, kernel: int, into: int, a: int, b: int, rows: int, n: int, scratch: int) -> None:
    """What takes n elements, row after row, to one each."""
    held = scratch + 17
    apart = held + rows
    for row in range(rows):
        first, mean = a + n * row, held + row
        if kernel == codes.INNER:
            total(slots, mean, first, b, 1, n, scratch)
        elif kernel == codes.NORM:
            total(slots, mean, first, first, 1, n, scratch)
        else:
            total(slots, mean, first, codes.ONE, 0, n, scratch)
            lane.fill(slots, scratch, float(n))
            lane.div(slots, mean, 1, mean, 1, scratch, 1)
        if kernel == codes.DEVIATION:
            lane.sub(slots, apart, n, first, 1, mean, 0)
            total(slots, mean, apart, apart, 1, n, scratch)
            lane.fill(slots, scratch, float(n))
            lane.div(slots, mean, 1, mean, 1, scratch, 1)
    if kernel in (codes.NORM, codes.DEVIATION):
        lane.root(slots, held, rows, held, 1)
    lane.copy(slots, into, rows, held, 1)


@loop
def run(
    slots: Any, flat: Any, code: Any, constants: Any, begin: int, end: int, features: Any, labels: Any, first: int,
    last: int, n: int, v0: int, most: float,
) -> bool:  # fmt: skip
    """The rows from `begin` to `end` for each example from `first` to `last`; False once every task has failed.

    `features` f64[examples * n * lanes] go into slots v0 and on, unless v0 is 0; `labels` f64[examples * lanes].
    """
    lanes = slots.itemsize // 8
    scratch = slots.size - n * n - n - codes.WORKING
    for example in range(first, last):
        if v0:
            lane.gather(slots, v0, n, features, example * n * lanes)
        lane.gather(slots, codes.LABEL, 1, labels, example * lanes)
        for at in range(begin, end):
            kernel, into, a, b = code[at, 0], code[at, 1], code[at, 2], code[at, 3]
            count, step, stride = code[at, 5], code[at, 6], code[at, 7]
            if kernel == codes.ADD:
                lane.add(slots, into, count, a, step, b, stride)
            elif kernel == codes.SUB:
                lane.sub(slots, into, count, a, step, b, stride)
            elif kernel == codes.MUL:
                lane.mul(slots, into, count, a, step, b, stride)
            elif kernel == codes.DOT:
                lane.inner(slots, into, a, b, 1, count)
            elif kernel == codes.CONST:
                lane.fill(slots, into, constants[at])
            elif kernel == codes.JUDGE or kernel == codes.SCORE or kernel == codes.MIX:
                scored, mixed = kernel == codes.SCORE, codes.HASH if kernel == codes.MIX else -1
                if not lane.judged(slots, codes.LOSS, codes.LABEL, a, most, scored, mixed):
                    return False
            else:
                other(slots, flat, code[at], scratch, n, lanes)
    return True


@loop
def other(slots: Any, flat: Any, row: Any, scratch: int, n: int, lanes: int) -> None:
    """One instruction that is no sum, difference or product."""
    kernel, into, a, b, count, step, stride = row[0], row[1], row[2], row[3], row[5], row[6], row[7]
    if kernel == codes.DIV:
        lane.div(slots, into, count, a, step, b, stride)
    elif kernel == codes.MIN:
        lane.smaller(slots, into, count, a, step, b, stride)
    elif kernel == codes.MAX:
        lane.larger(slots, into, count, a, step, b, stride)
    elif kernel == codes.ABS:
        lane.absolute(slots, into, count, a, step)
    elif kernel == codes.RECIPROCAL:
        lane.div(slots, into, count, codes.ONE, 0, a, step)
    elif kernel == codes.HEAVISIDE:
        lane.heaviside(slots, into, count, a, step)
    elif kernel == codes.COPY:
        lane.copy(slots, into, count, a, step)
    elif kernel <= codes.LOG:
        function(flat, kernel, into * lanes, a * lanes, count * lanes)
    elif kernel <= codes.COLUMN_NORM:
        square(slots, kernel, into, a, b, n, scratch)
    else:
        reduced(slots, kernel, into, a, b, row[4], count, scratch)
