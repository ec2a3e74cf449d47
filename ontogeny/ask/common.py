"""What the elements of a group have in common: a tensor, a row or column and what that is, the source of a gradient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ontogeny.ask.members import Members
from ontogeny.isa import attrs
from ontogeny.isa.op import Op
from ontogeny.isa.program import Program
from ontogeny.isa.rules import instruction_text
from ontogeny.record.stepper import LEARN

PASSED = (Op.RESHAPE, Op.PERMUTE, Op.CAST, Op.BROADCAST, Op.SLICE, Op.ADD)
"""What a gradient may pass on its way from the instruction that made it; where it is added up it comes from several."""
AXES = {
    Op.GATHER: ("entry", "feature"),
    Op.DOT: ("unit", "input feature"),
    Op.LINEAR: ("unit", "input feature"),
    Op.CONV: ("unit", "input feature"),
}
"""What a row and a column of a weight are, by the operation that uses it, the weight being [units, inputs]."""


@dataclass(frozen=True, slots=True)
class Axis:
    """An index that all elements share along a dimension, and what that dimension counts where the program tells."""

    dimension: int
    index: int
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """An instruction of `learn`, counted from one, that made a gradient, and the user's line that it belongs to."""

    number: int
    text: str
    where: str


@dataclass(frozen=True, slots=True)
class Common:
    """What is the same for all elements; `origins` are of all gradients that had a part."""

    tensors: tuple[str, ...]
    axes: tuple[Axis, ...]
    origins: tuple[Origin, ...]

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        axes = [{"dimension": a.dimension, "index": a.index, "meaning": a.meaning} for a in self.axes]
        origins = [{"number": o.number, "text": o.text, "where": o.where} for o in self.origins]
        return {"tensors": list(self.tensors), "axes": axes, "gradients": origins}


def common(program: Program, groups: Sequence[tuple[Members, tuple[str, ...]]]) -> Common:
    """What the elements of some tensors share; each tensor with the values that entered its update as gradient."""
    tensors = tuple(group.tensor.name for group, _ in groups)
    values = dict.fromkeys(value for _, gradients in groups for value in gradients)
    origins = dict.fromkeys(origin for value in values for origin in _origins(program, value))
    if len(groups) > 1:
        return Common(tensors, (), tuple(origins))
    (group, _), *_ = groups
    return Common(tensors, _axes(group, _meanings(program, group.tensor.name)), tuple(origins))


def common_places(groups: Sequence[Members]) -> Common:
    """What elements share by their places alone, where there is no program that tells more."""
    return Common(tuple(group.tensor.name for group in groups), _axes(groups[0]) if len(groups) == 1 else (), ())


def _axes(group: Members, meanings: Sequence[str] = ()) -> tuple[Axis, ...]:
    shape = group.tensor.shape
    if not shape:
        return ()
    index = np.unravel_index(group.places, shape)
    same = [dim for dim, one in enumerate(index) if (one == one[0]).all()]
    return tuple(Axis(d, int(index[d][0]), meanings[d] if d < len(meanings) else "") for d in same)


def _meanings(program: Program, name: str) -> tuple[str, ...]:
    """What the dimensions of a parameter count, by how `learn` first uses it; empty where that does not tell."""
    body = program.routine(LEARN).body
    held = {i.out[0] for i in body if i.op is Op.READ and attrs.text(i, "name") == name}
    turned = False
    for instr in body:
        if held.isdisjoint(instr.args) or instr.op is Op.READ:
            continue
        if instr.op is Op.PERMUTE:
            held.update(instr.out)
            turned = True
        elif instr.op in AXES:
            return AXES[instr.op] if turned or instr.op in (Op.GATHER, Op.CONV) else AXES[instr.op][::-1]
        else:
            return ()
    return ()


def _origins(program: Program, value: str) -> Iterator[Origin]:
    """The instructions that made a gradient, back over those that only move elements or add gradients up."""
    body = program.routine(LEARN).body
    makers = {out: (number, instr) for number, instr in enumerate(body, 1) for out in instr.out}
    waiting, seen = [value], set[str]()
    while waiting:
        if (name := waiting.pop()) not in makers or name in seen:
            continue
        seen.add(name)
        number, instr = makers[name]
        if instr.op in PASSED and instr.note.phase == makers[value][1].note.phase:
            waiting += reversed(instr.args)
        else:
            yield Origin(number, instruction_text(instr), instr.note.where)
