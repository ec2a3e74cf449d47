"""How large what enters each weight is: what Wanda weighs weights by (Sun et al. 2023, arXiv 2306.11695)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ontogeny.front.names import piece
from ontogeny.isa.op import Op
from ontogeny.isa.program import Instr, Program
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.machine.learner import Array, Learner
from ontogeny.train.small.units import PREDICT, Labels

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Product:
    """A weight that what enters is multiplied by: the weight's axis and the entering value's that are summed over."""

    weight: str
    axis: int
    entering: str
    along: int


def products(program: Program) -> list[Product]:
    """The products of `predict` whose right operand is a parameter, as it is or with its axes reordered."""
    body = program.routine(PREDICT).body
    makers = {out: instr for instr in body for out in instr.out}
    return [found for instr in body for found in _product(program, instr, makers)]


def _product(program: Program, instr: Instr, makers: Mapping[str, Instr]) -> Iterator[Product]:
    if instr.op is Op.CONV and instr.attr("groups") == 1:
        left, right, place, along = instr.args[0], instr.args[1], 1, 1
    elif instr.op in (Op.DOT, Op.LINEAR):
        (left, right), place, along = instr.args[-2:], 0, -1
    else:
        return
    maker = makers.get(right)
    if maker is not None and maker.op is Op.PERMUTE:
        dims = maker.attr("dims")
        assert isinstance(dims, tuple)
        place, maker = int(dims[place]), makers.get(maker.args[0])
    if maker is None or maker.op is not Op.READ:
        return
    decl = program.decl(str(maker.attr("name")))
    if decl.kind == "param" and (instr.op is Op.CONV or decl.type.rank == 2):
        yield Product(decl.name, place, left, along)


def entering_norms(learner: Learner, examples: Mapping[str, Array]) -> dict[str, tuple[int, Floats]]:
    """For each such weight its axis that is summed over, and the root mean square of what enters at each place of it.

    `examples` are one batch with the inputs of `predict`. A weight that is used twice has both uses added.
    """
    found = products(learner.program)
    routine = learner.program.routine(PREDICT)
    values = list(dict.fromkeys(product.entering for product in found))
    inner = replace(routine, returns=tuple((f"entering.{at}", value) for at, value in enumerate(values)))
    machine = CompiledMachine(learner.program.with_routine(inner))
    machine.load(learner.values)
    results = machine.call(PREDICT, examples, {})
    norms: dict[str, tuple[int, Floats]] = {}
    for product in found:
        value = results[f"entering.{values.index(product.entering)}"].astype(np.float64)
        rows = np.moveaxis(value, product.along, -1)
        square = np.square(rows.reshape(-1, rows.shape[-1])).mean(0)
        before = norms.get(product.weight)
        norms[product.weight] = (product.axis, np.sqrt(square + (before[1] ** 2 if before else 0.0)))
    return norms


def weighed(learner: Learner, norms: Mapping[str, tuple[int, Floats]]) -> dict[str, Floats]:
    """Each weight's magnitude times the norm of what enters it, where that is known: the parameters of `predict`."""
    found: dict[str, Floats] = {}
    read = {str(i.attr("name")) for i in learner.program.routine(PREDICT).body if i.op is Op.READ}
    for decl in learner.program.named_params():
        if decl.name in read:
            size = np.abs(piece(learner.program, learner.values, decl.name).astype(np.float64))
            if decl.name in norms:
                axis, norm = norms[decl.name]
                size = size * norm.reshape([-1 if at == axis else 1 for at in range(size.ndim)])
            found[decl.name] = size
    return found


def importance(
    learner: Learner, examples: Mapping[str, Array], units: Mapping[int, list[tuple[str, int, Labels]]]
) -> dict[int, float]:
    """How much each unit gives to what comes after it: the root of the sum of squares of its weighed outgoing weights.

    A unit that no product takes in is judged by all of its own weights.
    """
    norms = entering_norms(learner, examples)
    sizes = weighed(learner, norms)
    found = {}
    for unit, lying in units.items():
        out = [one for one in lying if one[0] in norms and norms[one[0]][0] == one[1]]
        places = out or [one for one in lying if one[0] in sizes]
        parts = (np.take(sizes[name], labels, axis) for name, axis, labels in places)
        found[unit] = float(np.sqrt(sum(float(np.square(part).sum()) for part in parts)))
    return found
