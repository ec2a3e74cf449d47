"""Gathering, scattering and random bits.

An index counts from the end when it is negative, as in NumPy; one out of range stops the routine. `scatter_add` in f16
and bf16 rounds after every addition.
"""

from __future__ import annotations

import numpy as np

from ontogeny.isa import attrs
from ontogeny.isa.errors import MachineError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr
from ontogeny.machine.learner import Array
from ontogeny.machine.random import rand_bits
from ontogeny.machine.reference.elementwise import Meaning


def places(instr: Instr, a: Array, indices: tuple[Array, ...]) -> tuple[Array, ...]:
    """The indices as NumPy takes them. Raises MachineError where one is out of range."""
    for dim, index in enumerate(indices):
        size = a.shape[dim]
        outside = (index >= size) | (index < -size)
        if np.any(outside):
            name = instr.args[len(instr.args) - len(indices) + dim]
            raise MachineError(
                f"index {index[outside][0]} in %{name} is out of range for dimension {dim} of %{instr.args[0]}, "
                f"which has size {size}"
            )
    return tuple(index.astype(np.int64) for index in indices)


def gather(instr: Instr, a: Array, *indices: Array) -> Array:
    """a[i, j, ...]."""
    return np.asarray(a[places(instr, a, indices)])


def scatter_set(instr: Instr, a: Array, b: Array, *indices: Array) -> Array:
    """a with a[i, j, ...] = b; NumPy assigns in order, so the last wins."""
    result = a.copy()
    result[places(instr, a, indices)] = b
    return result


def scatter_add(instr: Instr, a: Array, b: Array, *indices: Array) -> Array:
    """a with b added at a[i, j, ...], in the order of b."""
    result = a.copy()
    np.add.at(result, places(instr, a, indices), b)
    return result


def bits(instr: Instr, seed: Array, step: Array) -> Array:
    """Random u32."""
    return rand_bits(int(seed), int(step), attrs.integer(instr, "site"), attrs.ints(instr, "shape"))


MEANINGS: dict[Op, Meaning] = {
    Op.GATHER: gather,
    Op.SCATTER_SET: scatter_set,
    Op.SCATTER_ADD: scatter_add,
    Op.RAND_BITS: bits,
}
