"""A traced graph with repeated blocks (`front/repeated.py`) becomes instructions: loops over routines of the block.

Forward, each round leaves in a register what it began with (training only). Backward, a loop goes over the rounds from
the last to the first, computes each once more from what it began with, and adds up the gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, vjp
from torch.fx import GraphModule, Node

from ontogeny.front.aten.table import DTYPES
from ontogeny.front.author import Value, constant
from ontogeny.front.lines import Lines
from ontogeny.front.repeated import MODULES, Repeated
from ontogeny.front.source import where_from
from ontogeny.front.trace import traced
from ontogeny.front.translate import Translation, large_constants
from ontogeny.isa.build import Builder
from ontogeny.isa.errors import CaptureError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Decl, Note
from ontogeny.isa.prune import pruned
from ontogeny.isa.types import DType, Type

FORMATS = {ours: theirs for theirs, ours in DTYPES.items()}
ROUND, STATE, KEPT, GRADIENT = "round", "h", "kept", "g"
WHOLE = Type(DType.I64)


def repeated_dials(model: torch.nn.Module) -> dict[str, Decl]:
    """The dials of a model's repeated blocks, by name. Raises CaptureError where two differ in where one begins."""
    found: dict[str, Decl] = {}
    for module in model.modules():
        if isinstance(module, Repeated):
            decl = Decl("dial", module.dial, Type(DType.F64), default=float(module.rounds))
            if found.setdefault(module.dial, decl) != decl:
                raise CaptureError(
                    f"two repeated blocks go by the dial {module.dial!r} and begin with other numbers of rounds; give "
                    "one of them a dial of its own: Repeated(block, rounds, dial='more')"
                )
    return found


class WithRounds(Translation):
    """A translation that knows repeated blocks. Their routines are named after `label` and added to the builder's."""

    def __init__(
        self,
        builder: Builder,
        graph: GraphModule,
        arguments: Sequence[str | Value],
        large: Mapping[int, str],
        label: str,
    ) -> None:
        super().__init__(builder, graph, arguments, large)
        self.label = label

    def _call(self, node: Node) -> Any:
        """As elsewhere, and for a repeated block its loop."""
        name = str(node.target)
        if not name.startswith("ontogeny.rounds"):
            return super()._call(node)
        *operands, held, key = node.args
        assert isinstance(key, int)
        block = _Block(MODULES[key], self.ctx.builder, self.label, self._held(held))
        values = [self._value(operand) for operand in operands]
        if "backward" in name:
            return block.backward(*values)
        return block.kept(*values) if "kept" in name else block.plain(*values)

    def _held(self, nodes: Any) -> list[tuple[str, Value]]:
        """What the block holds: the name of the register that it is, else none, and its value."""
        registers = {decl.name for decl in self.ctx.builder.program.decls if decl.kind != "input"}
        names = [one if isinstance(one, str) and one in registers else "" for one in map(self.values.get, nodes)]
        return list(zip(names, self._value(nodes), strict=True))


@dataclass(frozen=True, slots=True)
class _Block:
    """The loops of one repeated block. A register that it holds is read in each round; other values are carried."""

    module: Repeated
    builder: Builder
    label: str
    held: Sequence[tuple[str, Value]]

    def plain(self, h: Value) -> Value:
        """The last round's result, nothing kept."""
        body, operands = self._opened({STATE: h.type})
        (result,) = self._translated(body, self._once, operands)
        name = self._added(body, {STATE: result})
        return self._loop(name, h)[0]

    def kept(self, h: Value) -> tuple[Value, Value]:
        """The last round's result, and [most, ...] what each round began with."""
        table = h.type.with_shape((self.module.most, *h.shape))
        count = self._count(self.builder)
        message = f"{self.module.dial} is above {self.module.most}, for as many rounds this program keeps what the "
        (count <= self.module.most).ops(Op.ASSERT, message=message + "backward pass needs; capture with a larger most")
        body, (state, kept) = self._opened({STATE: h.type, KEPT: table})
        filled = kept.op(Op.SCATTER_SET, state, Value(body, ROUND))
        (result,) = self._translated(body, self._once, [state])
        name = self._added(body, {STATE: result, KEPT: filled})
        first, second, *_ = self._loop(name, h, constant(self.builder, 0.0, h.dtype).expand(*table.shape))
        return first, second

    def backward(self, g: Value, kept: Value) -> tuple[Value, list[Value]]:
        """The gradients of what the first round began with, and of what the block holds."""
        sums = {f"sum{place}": value.type for place, (_, value) in enumerate(self.held)}
        body, (gradient, table, *before) = self._opened({GRADIENT: g.type, KEPT: kept.type, **sums})
        place = self._count(body) - 1 - Value(body, ROUND)
        of_state, *more = self._translated(body, self._pulled, [table.op(Op.GATHER, place), gradient])
        added = [old + new for old, new in zip(before, more, strict=True)]
        name = self._added(body, {GRADIENT: of_state, KEPT: table, **dict(zip(sums, added, strict=True))})
        zeros = [constant(self.builder, 0.0, type.dtype).expand(*type.shape) for type in sums.values()]
        first, _, *rest = self._loop(name, g, kept, *zeros)
        return first, rest[: len(sums)]

    def _once(self, held: Sequence[Tensor], h: Tensor) -> Tensor:
        names = [name for name, _ in self.module.block.named_parameters()]
        given, params = held[: len(held) - len(names)], held[len(held) - len(names) :]
        with Lines():
            result: Tensor = functional_call(self.module.block, dict(zip(names, params, strict=True)), (h, *given))
        return result

    def _pulled(self, held: Sequence[Tensor], h: Tensor, g: Tensor) -> Any:
        pull = vjp(lambda held, h: self._once(held, h), held, h)[1]
        of_held, of_h = pull(g)
        return of_h, of_held

    def _count(self, builder: Builder) -> Value:
        return Value(builder, builder.read(self.module.dial)).cast(DType.I64)

    def _carried(self) -> list[tuple[str, Value]]:
        return [(f"held{place}", value) for place, (name, value) in enumerate(self.held) if not name]

    def _opened(self, values: Mapping[str, Type]) -> tuple[Builder, list[Value]]:
        """A routine of a round, and its operands without what the block holds."""
        carried = [(name, value.type) for name, value in self._carried()]
        body = Builder(self.builder.program, [(ROUND, WHOLE), *values.items(), *carried])
        body.note = self.builder.note
        return body, [Value(body, name) for name in values]

    def _translated(self, body: Builder, function: Callable[..., Any], operands: Sequence[Value]) -> list[Value]:
        """A function of what the block holds and these, as instructions of a round."""
        example = [_example(value.type) for _, value in self.held]
        examples = [_example(value.type) for value in operands]
        graph = traced(lambda held, *rest: function(held, *rest), (example, *examples))
        if large_constants(graph):
            raise CaptureError("a repeated block makes a large constant tensor; give it as a frozen parameter")
        held = [name or Value(body, f"held{place}") for place, (name, _) in enumerate(self.held)]
        inner = _Round(body, graph, [*held, *operands], {})
        outputs = inner.run()
        if inner.ctx.sites:
            raise CaptureError("a repeated block draws random numbers, which would be the same in every round")
        return outputs

    def _added(self, body: Builder, results: Mapping[str, Value]) -> str:
        """Adds the routine of a round to the program, and gives its name."""
        given = dict(body.params)
        for name, value in results.items():
            if value.type != given[name]:
                raise CaptureError(
                    f"a repeated block takes {given[name]} and gives {value.type}; they have to be alike"
                )
        name = f"{self.label}_round{len(self.builder.program.routines)}"
        returns = [(key, value.name) for key, value in results.items()]
        routine = pruned(body.routine(name, [*returns, *((key, key) for key, _ in self._carried())]))
        self.builder.program = self.builder.program.with_routine(routine)
        return name

    def _loop(self, name: str, *values: Value) -> Sequence[Value]:
        carried = [value for _, value in self._carried()]
        return self._count(self.builder).ops(Op.LOOP, *values, *carried, body=name)


class _Round(Translation):
    """The translation of a round: of the phase of its loop, each instruction from the block's own line."""

    def _note(self, node: Node, forward: bool) -> Note:
        outer = self.ctx.builder.note
        return Note(outer.phase, where_from(node.meta.get("stack_trace") or "") or outer.where)


def _example(type: Type) -> Tensor:
    """Something of a type to trace with; what is in it is never looked at."""
    return torch.zeros(tuple(map(int, type.shape)), dtype=FORMATS[type.dtype])
