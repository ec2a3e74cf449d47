"""Which kernels' bits depend on how many threads run them, and how such a kernel is kept to one.

A kernel depends on the thread count where threads share a sum (products, reductions, gradients of weights), where
they write to one place (scatter), and also where a vector instruction and the scalar code at the end of each thread's
part round differently (gelu, sigmoid, powers). `INDEPENDENT` lists what was found equal over random sizes, layouts
and values, infinite and NaN among them; whatever is not listed runs on one thread where bits must not depend on it.

What is not known here: whether another build of torch keeps to the list. A test goes over all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ontogeny.isa.op import Group, Op
from ontogeny.isa.types import DType
from ontogeny.machine.compiled.base_kernels import Function, Site

MOVES = frozenset(op for op in Op if op.group is Group.SHAPE) | {Op.WINDOW, Op.GATHER, Op.WHERE, Op.CAST, Op.BITCAST}
ROUNDED = frozenset({Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.NEG, Op.ABS, Op.SQRT, Op.FLOOR, Op.LT, Op.LE, Op.EQ})
FUNCTIONS = frozenset({Op.EXP, Op.LOG, Op.SIN, Op.COS, Op.TANH, Op.ERF, Op.RSQRT, Op.RECIPROCAL})
STEERED = frozenset({Op.LERP, Op.ADDCMUL, Op.ADDCDIV, Op.AXPY, Op.SCALE})
GRADIENTS = frozenset({Op.RELU, Op.RELU_BACKWARD, Op.SIGMOID_BACKWARD, Op.TANH_BACKWARD})
POOLS = frozenset({Op.MAX_POOL, Op.MAX_POOL_BACKWARD, Op.AVG_POOL, Op.AVG_POOL_BACKWARD})
ROWS = frozenset({Op.LAYER_NORM, Op.EMBEDDING_BACKWARD})
INDEPENDENT = MOVES | ROUNDED | FUNCTIONS | STEERED | GRADIENTS | POOLS | ROWS
UNEVEN = frozenset({DType.F16, DType.BF16})
"""Formats in which the scalar code keeps other bits of a NaN, and at times rounds otherwise, than the vector code."""

CONTESTED = frozenset({Op.SCATTER_SET, Op.SCATTER_ADD})
"""Where threads race for a place, so that not even two runs with the same thread count need to agree."""


Choice = Callable[[Site], bool]
"""Which instructions run on one thread however many there are."""


def dependent(site: Site) -> bool:
    """Whether the bits may depend on the thread count."""
    formats = {t.dtype for t in (*site.operands, *site.results)}
    return site.instr.op not in INDEPENDENT or not formats.isdisjoint(UNEVEN)


def contested(site: Site) -> bool:
    """Whether the bits may differ between two runs with the same thread count."""
    return site.instr.op in CONTESTED


def nowhere(site: Site) -> bool:
    """No instruction at all: for a compiler that does not go by torch's thread count."""
    return False


def alone(function: Function) -> Function:
    """The function, run on one thread; the thread count is put back."""

    def run(*args: Any) -> Any:
        threads = torch.get_num_threads()
        if threads == 1:
            return function(*args)
        torch.set_num_threads(1)
        try:
            return function(*args)
        finally:
            torch.set_num_threads(threads)

    return run
