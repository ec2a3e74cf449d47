"""A program without some of its hidden units: `predict` alone, with smaller parameters and less to compute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ontogeny.front.names import piece
from ontogeny.isa.errors import SmallError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Attribute, Instr, Program
from ontogeny.isa.sizes import Size
from ontogeny.isa.types import Type
from ontogeny.isa.verify import verify
from ontogeny.machine.learner import Learner
from ontogeny.train.small.units import PREDICT, Labelled, Labels, labelled

Kept = npt.NDArray[np.bool_]
SHAPED = frozenset({Op.RESHAPE, Op.BROADCAST, Op.CONST, Op.IOTA})


@dataclass(frozen=True, slots=True)
class Family:
    """Units that lie along the same axes of the same parameters, such as all hidden units of one layer."""

    axes: tuple[tuple[str, int], ...]
    units: tuple[int, ...]

    def __str__(self) -> str:
        return f"{len(self.units)} of " + ", ".join(f"{name}[{axis}]" for name, axis in self.axes)


def families(program: Program) -> list[Family]:
    """The hidden units of `predict`, by where they lie. SmallError where there are none."""
    if not program.has(PREDICT):
        raise SmallError(
            f"the program has no routine {PREDICT!r}, so nothing says what the network gives; capture with "
            "predict=lambda model, batch: ... and run again"
        )
    found: dict[tuple[tuple[str, int], ...], list[int]] = {}
    for unit, lying in labelled(program).units().items():
        if any(program.decl(name).kind == "param" for name, _, _ in lying):
            found.setdefault(tuple((name, axis) for name, axis, _ in lying), []).append(unit)
    return [Family(axes, tuple(units)) for axes, units in found.items()]


def narrowed(learner: Learner, gone: Mapping[int, bool] | frozenset[int]) -> Learner:
    """A learner that only predicts, without the units of these labels. SmallError where an axis would be empty."""
    program, labels = learner.program, labelled(learner.program)
    cut = _Cut(labels, frozenset(gone))
    routine = program.routine(PREDICT)
    read = {str(i.attr("name")) for i in routine.body if i.op is Op.READ}
    decls, values = [], {}
    for decl in program.decls:
        if decl.name not in read:
            continue
        decl = replace(decl, arena="", offset=0)
        if decl.kind in ("param", "state"):
            value = piece(program, learner.values, decl.name)
            for axis, places in enumerate(labels.registers[decl.name]):
                value = np.compress(cut.kept(places), value, axis)
            if not value.size:
                raise SmallError(f"nothing would be left of {decl.name}; keep more")
            values[decl.name] = np.ascontiguousarray(value).reshape(value.shape)
            decl = replace(decl, type=Type(decl.type.dtype, value.shape))
        decls.append(decl)
    body = tuple(cut.instruction(instr) for instr in routine.body)
    small = Program(program.name, tuple(decls), (replace(routine, body=body),), program.sizes)
    small = replace(small, sizes=tuple(size for size in program.sizes if _follows(small, size)))
    verify(small)
    return Learner(small, values, {}, dict(learner.fixed))


@dataclass(frozen=True, slots=True)
class _Cut:
    labels: Labelled
    gone: frozenset[int]

    def kept(self, labels: Labels) -> Kept:
        """Which places of an axis stay."""
        return ~np.isin(self.labels.roots(labels), list(self.gone))

    def instruction(self, instr: Instr) -> Instr:
        """The same on what is left: shapes and cuts are counted anew."""
        if instr.op in SHAPED and instr.attr("shape") != ():
            shape = instr.attr("shape")
            assert isinstance(shape, tuple)
            axes = self.labels.values[instr.out[0]]
            sized = tuple(_fewer(n, self.kept(a)) for n, a in zip(shape, axes, strict=True))  # type: ignore[arg-type]
            return _with(instr, shape=sized)
        if instr.op is Op.SLICE:
            axes = self.labels.values[instr.args[0]]
            return _with(instr, starts=self._ends(instr, "starts", axes), stops=self._ends(instr, "stops", axes))
        return instr

    def _ends(self, instr: Instr, name: str, axes: list[Labels]) -> tuple[int, ...]:
        ends = instr.attr(name)
        assert isinstance(ends, tuple)
        masks = [self.kept(labels) for labels in axes]
        return tuple(e if m.all() else int(m[: int(e)].sum()) for e, m in zip(ends, masks, strict=True))  # type: ignore[misc]


def _fewer(size: int, kept: Kept) -> int:
    """A size without what is gone; one that follows the batch still follows it."""
    if kept.all():
        return size
    if not isinstance(size, Size):
        return int(kept.sum())
    if size.plus or size.times * int(kept.sum()) % len(kept):
        raise SmallError(f"an axis of {size} places follows the size {size.name!r} in a way that cannot be cut")
    return Size(size.n, size.name, size.times * int(kept.sum()) // len(kept))


def _with(instr: Instr, **changed: Attribute) -> Instr:
    return replace(instr, attrs=tuple((name, changed.get(name, value)) for name, value in instr.attrs))


def _follows(program: Program, size: Size) -> bool:
    """Whether an input follows a size; one that only other routines had is not this program's."""
    return any(isinstance(n, Size) and n.name == size.name for decl in program.of("input") for n in decl.type.shape)
