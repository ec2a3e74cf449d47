"""Works out an update in f64 on a step's exact inputs, with the parts of some elements of its new value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from ontogeny.ask.carry import Values, carried, wide
from ontogeny.ask.demand import Places, Share, Wanted, shares, wanted
from ontogeny.ask.parts import CARRIED, GRADIENT, SELF, Parts, Source, Value, added, from_source, mapped
from ontogeny.ask.update import Update, expanded
from ontogeny.data.base import Array
from ontogeny.isa import attrs
from ontogeny.isa.op import Op
from ontogeny.isa.program import Decl, Instr, Program
from ontogeny.isa.rules import instruction_text, value_types
from ontogeny.isa.tables import declarations, routines
from ontogeny.machine.base import value_of
from ontogeny.machine.formats import NUMPY

PARAMETER = "parameter"


@dataclass(frozen=True, slots=True)
class Split:
    """Parts of a gradient that are known, each holding what is `held` of it."""

    held: Wanted
    parts: Parts

    def at(self, want: Wanted) -> Parts:
        """The parts in the form that is wanted, which is the one held where that is not all of it."""
        return self.parts if want.key == self.held.key else {s: at(part, want) for s, part in self.parts.items()}


@dataclass(frozen=True, slots=True)
class Node:
    """One value, or some of its elements, and what of its operands gives it; None where that is all of them."""

    instr: Instr | None
    wanted: Wanted
    shares: list[Share] | None


class Account:
    """The accounting of one register's update, for some places of it. `remarks` are the instructions that shared."""

    def __init__(self, program: Program, update: Update, places: Places) -> None:
        self.program = program
        self.update = update
        self.remarks: dict[tuple[str, str], None] = {}
        self._makers = {out: (at, instr) for at, instr in enumerate(update.body) for out in instr.out}
        self._goal = wanted(update.value, places)
        self._nodes = self._planned()
        self._registers: Mapping[str, Array] = {}
        self._given: Mapping[str, Array | float] = {}
        self._splits: Mapping[str, Split] = {}

    def __call__(
        self,
        registers: Mapping[str, Array],
        given: Mapping[str, Array | float],
        gradients: Mapping[str, Array],
        splits: Mapping[str, Split] | None = None,
    ) -> tuple[Array, Parts]:
        """The new value at the places, f64 [places], and its parts, from the registers at the step's entry.

        `given` are the step's inputs and dials by name, `gradients` the values that enter the update by name; `splits`
        divide some of these further.
        """
        self._registers, self._given, self._splits = registers, given, splits or {}
        known: dict[tuple[str, str], Value] = {}
        with np.errstate(all="ignore"):
            for node in self._nodes:
                self._work_out(node, known, gradients)
            found = known[self._goal.name, self._goal.key]
            shape = found.total.shape
            return found.total, {source: np.broadcast_to(part, shape) for source, part in found.parts().items()}

    @property
    def registers(self) -> tuple[str, ...]:
        """The whole registers that it reads."""
        decls = [declarations(self.program)[name] for name in self.update.reads]
        return tuple(dict.fromkeys(decl.arena or decl.name for decl in decls if decl.kind in ("param", "state")))

    @property
    def entering(self) -> dict[str, Wanted]:
        """What is wanted of each gradient: all of it, where not the same elements will do everywhere."""
        found: dict[str, Wanted] = {}
        for want in (node.wanted for node in self._nodes if node.instr is None):
            same = want.name not in found or found[want.name].key == want.key
            found[want.name] = want if same else Wanted(want.name)
        return found

    def _planned(self) -> list[Node]:
        """Every value that is needed, whole or in part, in the order in which they can be worked out."""
        waiting, seen = [self._goal], {(self._goal.name, self._goal.key): self._node(self._goal)}
        while waiting:
            node = seen[waiting[-1].name, waiting.pop().key]
            for need in self._needs(node):
                if (need.name, need.key) not in seen:
                    seen[need.name, need.key] = self._node(need)
                    waiting.append(need)
        order = lambda node: (self._makers.get(node.wanted.name, (-1,))[0], node.wanted.places is not None)  # noqa: E731
        return sorted(seen.values(), key=order)

    def _node(self, need: Wanted) -> Node:
        instr = self._makers[need.name][1] if need.name in self._makers else None
        return Node(instr, need, shares(instr, need, self.update.types) if instr else None)

    def _needs(self, node: Node) -> list[Wanted]:
        if node.shares is not None:
            return [share.wanted for share in node.shares]
        if node.wanted.places is not None and not self._is_given(node):
            return [Wanted(node.wanted.name)]
        return [Wanted(arg) for arg in node.instr.args] if node.instr else []

    def _is_given(self, node: Node) -> bool:
        return node.instr is None or node.instr.op is Op.READ

    def _work_out(self, node: Node, known: dict[tuple[str, str], Value], gradients: Mapping[str, Array]) -> None:
        want, instr = node.wanted, node.instr
        if instr is None:
            known[want.name, want.key] = self._entering(want, at(gradients[want.name], want))
        elif instr.op is Op.READ:
            known[want.name, want.key] = self._read(attrs.text(instr, "name"), want)
        elif node.shares is not None:
            known[want.name, want.key] = self._some(instr, node, known)
        elif want.places is not None:
            whole = known[want.name, ""]
            known[want.name, want.key] = mapped(at(whole.total, want), whole, lambda part: at(part, want))
        elif (want.name, "") not in known:
            results = self._apply(instr, tuple(known[arg, ""] for arg in instr.args))
            known.update(((out, ""), value) for out, value in zip(instr.out, results, strict=True))

    def _entering(self, want: Wanted, total: Array) -> Value:
        """A gradient, divided further where it is split; what that leaves stays with the gradient itself."""
        rest = Source(GRADIENT, want.name)
        if want.name not in self._splits:
            return from_source(rest, total)
        split = self._splits[want.name]

        def parts() -> Parts:
            known = split.at(want)
            return {**known, rest: total - sum(known.values(), np.zeros(()))}

        return Value(total, frozenset([*split.parts, rest]), make=parts)

    def _some(self, instr: Instr, node: Node, known: dict[tuple[str, str], Value]) -> Value:
        """Some elements of a result, from those of its operands."""
        assert node.shares is not None and node.wanted.places is not None
        values = [known[share.wanted.name, share.wanted.key] for share in node.shares]
        operands = tuple(_flat(value) for value in values)
        count = len(node.wanted.places)

        def stretch(part: Array) -> Array:
            return np.broadcast_to(part, (count,))

        if instr.op is Op.CAT:
            return _gathered(count, operands, node.shares)
        if instr.op in (Op.RESHAPE, Op.PERMUTE, Op.SLICE, Op.FLIP, Op.BROADCAST):
            return mapped(stretch(operands[0].total), operands[0], stretch)
        found = carried(instr, operands, self._remark(instr))[0]
        return found if found.total.shape == (count,) else mapped(stretch(found.total), found, stretch)

    def _read(self, name: str, want: Wanted) -> Value:
        decl = declarations(self.program)[name]
        if decl.kind in ("dial", "input"):
            total = at(np.asarray(self._given.get(name, decl.default)), want)
            return from_source(Source(GRADIENT, name), total) if decl.kind == "input" else Value(total)
        total = at(value_of(decl, self._registers), want)
        source = self._source(decl)
        return from_source(source, total) if source else Value(total)

    def _source(self, decl: Decl) -> Source | None:
        """What a register is to the update; None for counters and other single numbers, which are coefficients."""
        register = self.update.register
        if register in (decl.name, decl.arena):
            return Source(SELF)
        single = not decl.type.shape and decl.type != declarations(self.program)[register].type
        if not decl.type.dtype.is_float or single:
            return None
        return Source(CARRIED if decl.kind == "state" else PARAMETER, decl.name.removesuffix(f".{register}"))

    def _apply(self, instr: Instr, operands: Values) -> Values:
        """The results of one instruction on whole values."""
        if instr.op in FLOW:
            return FLOW[instr.op](self, instr, operands)
        if instr.op is Op.BITCAST:
            kind = NUMPY[self.update.types[instr.args[0]].dtype]
            operands = (Value(operands[0].total.astype(kind), operands[0].sources, False),)
        return carried(instr, operands, self._remark(instr))

    def routine(self, name: str, operands: Values) -> Values:
        """A called routine on whole values."""
        called = routines(self.program)[name]
        known = dict(zip((name for name, _ in called.params), operands, strict=True))
        for instr in expanded(called.body, dict(value_types(self.program, called))):
            if instr.op is Op.READ:
                known[instr.out[0]] = self._read(attrs.text(instr, "name"), Wanted(""))
            else:
                results = self._apply(instr, tuple(known[arg] for arg in instr.args))
                known.update(zip(instr.out, results, strict=True))
        return tuple(known[value] for _, value in called.returns)

    def _remark(self, instr: Instr) -> Callable[[], None]:
        return lambda: self.remarks.update({(instruction_text(instr), instr.note.where): None})


def at(array: Array, want: Wanted) -> Array:
    """What is wanted of an array: all of it, or some elements side by side."""
    return wide(array if want.places is None else np.asarray(array).reshape(-1)[want.places])


def _flat(value: Value) -> Value:
    """A single number without dimensions; elements side by side stay so."""
    if value.total.ndim <= 1:
        return value
    return mapped(value.total.reshape(()), value, lambda part: part.reshape(()))


def _gathered(count: int, operands: Values, given: list[Share]) -> Value:
    """Elements from several operands, each at its own places."""

    def put(part: Array, at: Places | None) -> Array:
        whole = np.zeros(count)
        whole[at] = part
        return whole

    terms = []
    for operand, share in zip(operands, given, strict=True):
        function = partial(put, at=share.at)
        placed = function(operand.total)
        terms.append(mapped(placed, operand, function) if operand.divided else Value(placed))
    return added(np.asarray(sum((term.total for term in terms), np.zeros(count))), terms)


def _call(account: Account, instr: Instr, operands: Values) -> Values:
    return account.routine(attrs.text(instr, "body"), operands)


def _loop(account: Account, instr: Instr, operands: Values) -> Values:
    count, carried_on = int(operands[0].total), operands[1:]
    for turn in range(count):
        carried_on = account.routine(attrs.text(instr, "body"), (Value(np.asarray(turn)), *carried_on))
    return carried_on


def _while(account: Account, instr: Instr, operands: Values) -> Values:
    for _ in range(attrs.integer(instr, "limit")):
        if not account.routine(attrs.text(instr, "test"), operands)[0].total:
            break
        operands = account.routine(attrs.text(instr, "body"), operands)
    return operands


def _condition(account: Account, instr: Instr, operands: Values) -> Values:
    return account.routine(attrs.text(instr, "then" if operands[0].total else "other"), operands[1:])


FLOW: dict[Op, Callable[[Account, Instr, Values], Values]] = {
    Op.CALL: _call,
    Op.LOOP: _loop,
    Op.WHILE: _while,
    Op.COND: _condition,
}
