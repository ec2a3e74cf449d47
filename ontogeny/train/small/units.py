"""Which places of which parameters are one hidden unit: what has to go together for a program to get really smaller.

Every place along every axis of every value in `predict` has a label. Two that must stand or fall together, since they
are added, multiplied or contracted place by place, get one label; what meets an input, a result, or an operation that
depends on how many there are (a norm, a softmax, a mean) is fixed. A label that is left over is a unit: a hidden one, a
channel, or a whole head, where an axis is split into heads. Nothing about layers is known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np
import numpy.typing as npt

from ontogeny.isa import attrs
from ontogeny.isa.op import Group, Op
from ontogeny.isa.program import Instr, Program
from ontogeny.isa.types import Type
from ontogeny.isa.verify import value_types

Labels = npt.NDArray[np.int64]
Axes = list[Labels]
FIXED = 0
PREDICT = "predict"
ELEMENTWISE = (Group.ARITHMETIC, Group.SELECT, Group.BITS)
ACTIVATIONS = frozenset({Op.NAND, Op.SIGN, Op.RSQRT, Op.RECIPROCAL, Op.RELU, Op.SIGMOID, Op.SILU, Op.GELU})
WEIGHTED = frozenset({Op.LERP, Op.ADDCMUL, Op.ADDCDIV, Op.AXPY, Op.SCALE})
ALONG = {Op.SOFTMAX: "dim", Op.LOG_SOFTMAX: "dim", Op.SCAN: "dim", Op.FLIP: "dims"}
OVER = {Op.SUM: "dims", Op.MEAN: "dims", Op.VARIANCE: "dims", Op.REDUCE_MAX: "dims", Op.ARGMAX: "dim"}


@dataclass(slots=True)
class Labelled:
    """The labels of every value's axes, and of every register's; `root` says which of them are one."""

    values: dict[str, Axes] = field(default_factory=dict)
    registers: dict[str, Axes] = field(default_factory=dict)
    parents: list[int] = field(default_factory=lambda: [FIXED])

    def fresh(self, count: int) -> Labels:
        """So many labels that nothing has yet."""
        first = len(self.parents)
        self.parents.extend(range(first, first + count))
        return np.arange(first, first + count)

    def root(self, label: int) -> int:
        """The label that stands for all that are one with this."""
        while self.parents[label] != label:
            self.parents[label] = self.parents[self.parents[label]]
            label = self.parents[label]
        return label

    def roots(self, labels: Labels) -> Labels:
        """The same for many."""
        return np.array([self.root(int(label)) for label in labels], np.int64)

    def join(self, one: Labels, other: Labels) -> None:
        """Place by place the same; what is joined with what is fixed is fixed."""
        for a, b in zip(one, other, strict=True):
            low, high = sorted((self.root(int(a)), self.root(int(b))))
            self.parents[high] = low

    def fix(self, labels: Labels) -> None:
        """They stay."""
        self.join(labels, np.zeros_like(labels))

    def units(self) -> dict[int, list[tuple[str, int, Labels]]]:
        """Every unit by its label: where it lies, as (register, axis, places)."""
        found: dict[int, list[tuple[str, int, Labels]]] = {}
        for name, axes in self.registers.items():
            for axis, labels in enumerate(axes):
                roots = self.roots(labels)
                for root in np.unique(roots[roots != FIXED]):
                    found.setdefault(int(root), []).append((name, axis, np.flatnonzero(roots == root)))
        return found


def labelled(program: Program, routine: str = PREDICT) -> Labelled:
    """The labels of a routine. What it does not know is fixed, so that a unit it finds can always be taken out."""
    types, found = value_types(program, program.routine(routine)), Labelled()
    for instr in program.routine(routine).body:
        for name, axes in zip(instr.out, _axes(found, program, instr, types), strict=True):
            found.values[name] = axes
    for _, value in program.routine(routine).returns:
        for labels in found.values[value]:
            found.fix(labels)
    return found


def _axes(found: Labelled, program: Program, instr: Instr, types: dict[str, Type]) -> Sequence[Axes]:
    """The labels of an instruction's results."""
    results = [types[name] for name in instr.out]
    given = [found.values[name] for name in instr.args]
    if instr.op is Op.READ:
        return [_read(found, program, instr, results[0])]
    if instr.op.group in ELEMENTWISE or instr.op in ACTIVATIONS | WEIGHTED:
        return [_together(found, given, results[0])]
    if instr.op in RULES:
        return RULES[instr.op](found, instr, given, results)
    for axes in given:
        for labels in axes:
            found.fix(labels)
    return [_fixed(each) for each in results]


def _fixed(type_: Type) -> Axes:
    return [np.zeros(int(size), np.int64) for size in type_.shape]


def _read(found: Labelled, program: Program, instr: Instr, type_: Type) -> Axes:
    name = str(instr.attr("name"))
    if program.decl(name).kind not in ("param", "state"):
        return _fixed(type_)
    if name not in found.registers:
        found.registers[name] = [found.fresh(int(size)) for size in type_.shape]
    return found.registers[name]


def _together(found: Labelled, given: Sequence[Axes], result: Type) -> Axes:
    """Place by place, with NumPy's broadcasting: an axis of one that is stretched stays as it is."""
    axes: Axes = []
    for place in range(1, result.rank + 1):
        own = [one[-place] for one in given if len(one) >= place]
        size = int(result.shape[-place])
        full = [labels for labels in own if len(labels) == size]
        for labels in own:
            if len(labels) != size:
                found.fix(labels)
        for labels in full[1:]:
            found.join(full[0], labels)
        axes.append(full[0] if full else found.fresh(size))
    return axes[::-1]


def _reshape(found: Labelled, instr: Instr, given: Sequence[Axes], results: Sequence[Type]) -> Sequence[Axes]:
    old, shape = list(given[0]), [int(size) for size in results[0].shape]
    axes: Axes = []
    while old or len(axes) < len(shape):
        inside: Axes = [old.pop(0)] if old else []
        outside = [shape[len(axes)]] if len(axes) < len(shape) else []
        while prod(map(len, inside)) != prod(outside):
            if prod(map(len, inside)) < prod(outside):
                inside.append(old.pop(0))
            else:
                outside.append(shape[len(axes) + len(outside)])
        axes += _split(found, _merged(found, inside), outside)
    return [axes]


def _merged(found: Labelled, inside: Axes) -> Labels:
    """Axes as one: the labels of the first that is free, and the others fixed."""
    free = [at for at, labels in enumerate(inside) if len(labels) > 1 and found.roots(labels).any()]
    for at, labels in enumerate(inside):
        if not free or at != free[0]:
            found.fix(labels)
    if not free:
        return np.zeros(prod(map(len, inside)), np.int64)
    wide = inside[free[0]].reshape([-1 if at == free[0] else 1 for at in range(len(inside))])
    return np.broadcast_to(wide, [len(labels) for labels in inside]).reshape(-1)


def _split(found: Labelled, flat: Labels, outside: list[int]) -> Axes:
    """One axis as several: its labels on the one along which alone they change, else on the first, whose are joined."""
    if len(outside) == 1:
        return [flat]
    table, axes = flat.reshape(outside), [np.zeros(size, np.int64) for size in outside]
    roots = found.roots(flat).reshape(outside)
    along = [at for at, size in enumerate(outside) if size > 1]
    alone = [at for at in along if (roots == np.take(roots, [0], at) * 0 + _line(roots, at)).all()]
    chosen = (alone or along or [0])[0]
    lines = np.moveaxis(table, chosen, 0).reshape(outside[chosen], -1)
    for other in range(1, lines.shape[1]):
        found.join(lines[:, 0], lines[:, other])
    axes[chosen] = lines[:, 0].copy()
    return axes


def _line(roots: Labels, axis: int) -> Labels:
    """The labels along an axis at the beginning of all others, of a shape that stretches over them."""
    line = np.moveaxis(roots, axis, 0).reshape(roots.shape[axis], -1)[:, 0]
    return line.reshape([-1 if at == axis else 1 for at in range(roots.ndim)])


def _permute(found: Labelled, instr: Instr, given: Sequence[Axes], results: Sequence[Type]) -> Sequence[Axes]:
    return [[given[0][dim] for dim in attrs.ints(instr, "dims")]]


def _broadcast(found: Labelled, instr: Instr, given: Sequence[Axes], results: Sequence[Type]) -> Sequence[Axes]:
    return [_together(found, given, results[0])]


def _slice(found: Labelled, instr: Instr, given: Sequence[Axes], results: Sequence[Type]) -> Sequence[Axes]:
    axes: Axes = []
    for labels, *cut in zip(given[0], *(attrs.ints(instr, n) for n in ("starts", "stops", "steps")), strict=True):
        if cut[2] != 1:
            found.fix(labels)
        axes.append(labels[slice(*cut)])
    return [axes]


def _pad(found: Labelled, instr: Instr, given: Sequence[Axes], results: Sequence[Type]) -> Sequence[Axes]:
    axes: Axes = []
    for labels, low, high in zip(given[0], attrs.ints(instr, "low"), attrs.ints(instr, "high"), strict=True):
        if low or high:
            found.fix(labels)
        axes.append(np.zeros(len(labels) + low + high, np.int64) if low or high else labels)
    return [axes]


def _cat(found: Labelled, instr: Instr, given: Sequence[Axes], results: Sequence[Type]) -> Sequence[Axes]:
    dim = attrs.integer(instr, "dim")
    for at in range(results[0].rank):
        for axes in given[1:]:
            if at != dim:
                found.join(given[0][at], axes[at])
    return [[np.concatenate([a[at] for a in given]) if at == dim else given[0][at] for at in range(results[0].rank)]]


def _const(found: Labelled, instr: Instr, given: Sequence[Axes], results: Sequence[Type]) -> Sequence[Axes]:
    if isinstance(instr.attr("value"), tuple):
        return [_fixed(results[0])]
    return [[found.fresh(int(size)) for size in results[0].shape]]


def _dot(found: Labelled, instr: Instr, given: Sequence[Axes], results: Sequence[Type]) -> Sequence[Axes]:
    a, b = given
    for one, other in zip(a[:-2], b[:-2], strict=True):
        found.join(one, other)
    found.join(a[-1], b[-2])
    return [[*a[:-1], b[-1]]]


def _linear(found: Labelled, instr: Instr, given: Sequence[Axes], results: Sequence[Type]) -> Sequence[Axes]:
    added, left, right = given
    product = _dot(found, instr, (left, right), results)[0]
    return [_together(found, [product, added], results[0])]


def _conv(found: Labelled, instr: Instr, given: Sequence[Axes], results: Sequence[Type]) -> Sequence[Axes]:
    a, w, *bias = given
    if instr.attr("groups") != 1:
        for labels in (*a, *w, *(b[0] for b in bias)):
            found.fix(labels)
        return [_fixed(results[0])]
    found.join(a[1], w[1])
    for labels in (*a[2:], *w[2:]):
        found.fix(labels)
    for one in bias:
        found.join(w[0], one[0])
    return [[a[0], w[0], *_fixed(results[0])[2:]]]


def _pool(found: Labelled, instr: Instr, given: Sequence[Axes], results: Sequence[Type]) -> Sequence[Axes]:
    for labels in given[0][2:]:
        found.fix(labels)
    return [[*given[0][:2], *_fixed(result)[2:]] for result in results]


def _batch_norm(found: Labelled, instr: Instr, given: Sequence[Axes], results: Sequence[Type]) -> Sequence[Axes]:
    for one in given[1:]:
        found.join(given[0][1], one[0])
    return [given[0], *([given[0][1]] for _ in results[1:])]


def _layer_norm(found: Labelled, instr: Instr, given: Sequence[Axes], results: Sequence[Type]) -> Sequence[Axes]:
    rank = attrs.integer(instr, "rank")
    for labels in (*given[0][-rank:], *given[1], *given[2]):
        found.fix(labels)
    rest = given[0][:-rank]
    return [given[0], *([*rest, *_fixed(result)[len(rest) :]] for result in results[1:])]


def _along(found: Labelled, instr: Instr, given: Sequence[Axes], results: Sequence[Type]) -> Sequence[Axes]:
    for dim in _whole(instr, ALONG[instr.op]):
        found.fix(given[0][dim])
    return [given[0]]


def _over(found: Labelled, instr: Instr, given: Sequence[Axes], results: Sequence[Type]) -> Sequence[Axes]:
    dims = [dim % len(given[0]) for dim in _whole(instr, OVER[instr.op])]
    for dim in dims:
        found.fix(given[0][dim])
    kept = bool(instr.attr("keep"))
    one = np.zeros(1, np.int64)
    return [[one if at in dims else labels for at, labels in enumerate(given[0]) if kept or at not in dims]]


def _gather(found: Labelled, instr: Instr, given: Sequence[Axes], results: Sequence[Type]) -> Sequence[Axes]:
    table, *places = given
    for labels in (*table[: len(places)], *(one for axes in places for one in axes)):
        found.fix(labels)
    rest = table[len(places) :]
    return [[*_fixed(results[0])[: results[0].rank - len(rest)], *rest]]


def _whole(instr: Instr, name: str) -> tuple[int, ...]:
    """An attribute that is one integer for some operations, and several for others."""
    value = instr.attr(name)
    return tuple(int(v) for v in (value if isinstance(value, tuple) else (value,)))  # type: ignore[arg-type]


RULES = {
    Op.RESHAPE: _reshape,
    Op.PERMUTE: _permute,
    Op.BROADCAST: _broadcast,
    Op.SLICE: _slice,
    Op.PAD: _pad,
    Op.CAT: _cat,
    Op.CONST: _const,
    Op.DOT: _dot,
    Op.LINEAR: _linear,
    Op.CONV: _conv,
    Op.MAX_POOL: _pool,
    Op.AVG_POOL: _pool,
    Op.BATCH_NORM: _batch_norm,
    Op.LAYER_NORM: _layer_norm,
    Op.GATHER: _gather,
    **dict.fromkeys(ALONG, _along),
    **dict.fromkeys(OVER, _over),
}
"""What an operation makes of labels; elementwise ones are all alike, and one that is not here fixes what it meets."""
