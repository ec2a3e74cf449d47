"""What a population of networks does beside products of matrices, for numba, in f32.

A layer's sums before its activation are z[0 or i] + u[i] @ right[i] + bias[i] of candidate i: `z` [1 or n, examples,
outputs], one for all where they share the matrix and what goes in; `u` [n, examples, rank], `right` [n, rank, outputs],
of rank 0 where a candidate's matrix is its own. Sums over examples are in f64; their order is that of the loops.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ontogeny.machine.kernel_cache import compiled

Function = TypeVar("Function", bound=Callable[..., Any])
FAST = {"contract", "nsz", "arcp"}
"""What the compiler may take liberties with: fused multiply-adds, but no other order of sums, and NaN stays NaN."""
LOG2E, HIGH, LOW = np.float32(1.44269504), np.float32(0.693359375), np.float32(-2.12194440e-4)
LEAST = np.float32(-87.0)


def loop(function: Function) -> Function:
    """A function compiled on its first call, without the interpreter's lock."""
    return compiled(function, error_model="numpy", fastmath=FAST)


@loop
def activated(z: Any, u: Any, right: Any, bias: Any, hard: bool, out: Any) -> None:
    """out[n, examples, outputs] = max(sum, 0), or if `hard` 1 where the sum is above 0 and -1 elsewhere."""
    zero, one, rank = np.float32(0), np.float32(1), u.shape[2]
    for i in range(out.shape[0]):
        base, biases, factors = z[i if z.shape[0] > 1 else 0], bias[i], right[i]
        for e in range(out.shape[1]):
            given, row = base[e], out[i, e]
            if rank == 1 and not hard:  # in one go, what is asked for most
                by, factor = u[i, e, 0], factors[0]
                for j in range(row.size):
                    sum = given[j] + biases[j] + by * factor[j]
                    row[j] = zero if sum < zero else sum
                continue
            for j in range(row.size):
                row[j] = given[j] + biases[j]
            for q in range(rank):
                by, factor = u[i, e, q], factors[q]
                for j in range(row.size):
                    row[j] += by * factor[j]
            for j in range(row.size):
                if hard:
                    row[j] = one if row[j] > zero else -one
                else:
                    row[j] = zero if row[j] < zero else row[j]


@loop
def exponential(x: Any) -> Any:
    """e^x of an f32 from -87 to 0, by the polynomial of Cephes, which the compiler vectorises."""
    x = LEAST if x < LEAST else x  # NaN stays NaN
    whole = np.floor(x * LOG2E + np.float32(0.5))
    x = x - whole * HIGH - whole * LOW
    y = np.float32(1.9875691500e-4)
    y = y * x + np.float32(1.3981999507e-3)
    y = y * x + np.float32(8.3334519073e-3)
    y = y * x + np.float32(4.1665795894e-2)
    y = y * x + np.float32(1.6666665459e-1)
    y = y * x + np.float32(5.0000001201e-1)
    y = y * x * x + x + np.float32(1)
    return y * np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)


@loop
def turned(base: Any, u: Any, right: Any, bias: Any, sums: Any) -> None:
    """sums[outputs, examples] of one candidate, so that examples lie side by side."""
    for c in range(sums.shape[0]):
        row = sums[c]
        for e in range(row.size):
            row[e] = base[e, c] + bias[c]
        for q in range(u.shape[1]):
            by = right[q, c]
            for e in range(row.size):
                row[e] += u[e, q] * by


@loop
def losses(z: Any, u: Any, right: Any, bias: Any, labels: Any, found: Any, sums: Any) -> None:
    """found[n] += the cross-entropy of the examples, in nats. `sums` f32[classes + 2, examples] is scratch."""
    rows, top, total = sums[:-2], sums[-2], sums[-1]
    for i in range(found.size):
        turned(z[i if z.shape[0] > 1 else 0], u[i], right[i], bias[i], rows)
        top[:] = rows[0]
        for c in range(1, rows.shape[0]):
            row = rows[c]
            for e in range(top.size):
                top[e] = row[e] if row[e] > top[e] else top[e]
        total[:] = 0
        for e in range(top.size):
            found[i] += np.float64(top[e]) - np.float64(rows[labels[e], e])
        for c in range(rows.shape[0]):
            row = rows[c]
            for e in range(top.size):
                total[e] += exponential(row[e] - top[e])
        found[i] += log_of_product(total)


@loop
def log_of_product(factors: Any) -> Any:
    """The sum of the logarithms of f32 numbers of 1 or more, a logarithm for many at once."""
    product, found = 1.0, 0.0
    for at in range(factors.size):
        product *= np.float64(factors[at])
        if product > 1e200:
            found += math.log(product)
            product = 1.0
    return found + math.log(product)


@loop
def mistakes(z: Any, u: Any, right: Any, bias: Any, labels: Any, found: Any, sums: Any) -> None:
    """found[n] += the examples whose label's sum is not above all others. `sums` is scratch as for losses."""
    rows, own, above = sums[:-2], sums[-2], sums[-1]
    for i in range(found.size):
        turned(z[i if z.shape[0] > 1 else 0], u[i], right[i], bias[i], rows)
        above[:] = 0
        for e in range(own.size):
            own[e] = rows[labels[e], e]
        for c in range(rows.shape[0]):
            row = rows[c]
            for e in range(own.size):
                above[e] += np.float32(1) if own[e] > row[e] else np.float32(0)
        for e in range(own.size):
            found[i] += above[e] < np.float32(rows.shape[0] - 1)
