"""A traced ATen graph becomes instructions: every node through the table of `front/aten`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.fx import GraphModule, Node

from ontogeny.front.aten import ATEN, Context, Handler, Meta
from ontogeny.front.aten.decompose import decomposed
from ontogeny.front.aten.table import DTYPES
from ontogeny.front.author import Value
from ontogeny.front.source import where_from
from ontogeny.front.trace import DEPENDS
from ontogeny.isa.build import Builder
from ontogeny.isa.errors import CaptureError, ProgramError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Note, Number
from ontogeny.isa.types import Type

SMALL = 64
"""Constant tensors of at most so many elements are written into the program; larger ones become state."""


def type_of(tensor: torch.Tensor) -> Type:
    """The language's type of a tensor. Raises CaptureError for formats that it does not have."""
    if tensor.dtype not in DTYPES:
        raise CaptureError(
            f"tensors of {tensor.dtype} cannot be captured; use one of {', '.join(str(d) for d in DTYPES)}"
        )
    if not all(isinstance(n, int) for n in tensor.shape):
        raise CaptureError(DEPENDS)
    return Type(DTYPES[tensor.dtype], tuple(int(n) for n in tensor.shape))


class Translation:
    """Translates one graph into one builder. `large` collects constants that must become state, by their names."""

    def __init__(
        self, builder: Builder, graph: GraphModule, arguments: Sequence[str | Value], large: Mapping[int, str]
    ) -> None:
        self.ctx = Context(builder)
        self.graph = graph
        self.arguments = arguments
        self.large = large
        self.values: dict[Node, Any] = {}

    def run(self, forward: int = 1 << 62) -> list[Value]:
        """The graph's outputs, flat. The first `forward` nodes are noted as the forward pass, the rest as backward."""
        placeholders = iter(self.arguments)
        for number, node in enumerate(self.graph.graph.nodes):
            self.ctx.builder.note = self._note(node, number < forward)
            if node.op == "placeholder":
                self.values[node] = next(placeholders)
            elif node.op == "get_attr":
                self.values[node] = self._constant(node)
            elif node.op == "call_function":
                self.values[node] = self._call(node)
            elif node.op == "output":
                return [self._value(arg) for arg in flat(node.args[0])]
        return []

    def _note(self, node: Node, forward: bool) -> Note:
        return Note("forward" if forward else "backward", where_from(node.meta.get("stack_trace") or ""))

    def _value(self, arg: Any) -> Any:
        """An argument of a call: nodes as values, declared inputs read where they are first used."""
        if isinstance(arg, Node):
            value = self.values[arg]
            return self.ctx.read(value) if isinstance(value, str) else value
        if isinstance(arg, (list, tuple)):
            return [self._value(item) for item in arg]
        return arg

    def _call(self, node: Node) -> Any:
        if getattr(node.target, "__name__", "") == "getitem":
            source: Any = self._value(node.args[0])
            return source[node.args[1]]
        name = str(node.target).removeprefix("aten.").removeprefix("prims.").removesuffix(".default")
        handler = ATEN.get(name)
        base, _, overload = name.partition(".")
        if handler is None and base.endswith("_"):
            return self._in_place(node, f"{base[:-1]}.{overload}".rstrip("."))
        return self._handled(node, name, handler)

    def _in_place(self, node: Node, name: str) -> Any:
        """A change in place that functionalising has left: whoever uses the changed value from here on gets the new."""
        result = self._handled(node, name, ATEN.get(name))
        if isinstance(node.args[0], Node):
            self.values[node.args[0]] = result
        return result

    def _handled(self, node: Node, name: str, handler: Handler | None) -> Any:
        try:
            meta = self._meta(node)
            given = [self._value(a) for a in node.args] if handler else []
            result = handler(self.ctx, meta, *given, **self._keywords(node)) if handler else NotImplemented
        except (ProgramError, CaptureError) as error:
            raise CaptureError(f"{self._at()}: ATen's {name!r}: {error}") from error
        self._changed(node)
        return self._defined(node, name) if result is NotImplemented else result

    def _changed(self, node: Node) -> None:
        """Values that an operation has changed in place, such as a copy of running statistics, are the new ones now."""
        for source in node.all_input_nodes:
            value = self.values[source]
            if isinstance(value, Value) and value.name in self.ctx.replaced:
                self.values[source] = Value(self.ctx.builder, self.ctx.replaced[value.name])

    def _defined(self, node: Node, name: str) -> Any:
        """An operation without an entry, or whose entry leaves it, by PyTorch's own definition of it."""
        found = decomposed(node)
        if found is None:
            raise CaptureError(
                f"{self._at()}: no meaning is known for ATen's {name!r}; write it with other operations, "
                "or add it to front/aten"
            )
        graph, inputs = found
        inside = _Inside(self.ctx.builder, graph, [self._value(i) for i in inputs], {})
        inside.ctx, inside.note = self.ctx, self.ctx.builder.note
        results = inside.run()
        return results[0] if isinstance(node.meta["val"], torch.Tensor) else tuple(results)

    def _keywords(self, node: Node) -> dict[str, Any]:
        ignored = ("dtype", "device", "layout", "pin_memory", "memory_format", "generator", "implicit", "non_blocking")
        return {key: self._value(value) for key, value in node.kwargs.items() if key not in ignored}

    def _meta(self, node: Node) -> Meta:
        value = node.meta.get("val")
        return Meta(
            tuple(type_of(t) for t in (value if isinstance(value, (list, tuple)) else (value,)) if t is not None)
        )

    def _at(self) -> str:
        return self.ctx.builder.note.where or "in the traced step"

    def _constant(self, node: Node) -> Value:
        tensor = getattr(self.graph, str(node.target))
        type, builder = type_of(tensor), self.ctx.builder
        if id(tensor) in self.large:
            return self.ctx.read(self.large[id(tensor)])
        numbers: list[Number] = tensor.reshape(-1).tolist()
        value = numbers[0] if type.shape == () else tuple(numbers)
        return Value(builder, builder.one(Op.CONST, value=value, dtype=type.dtype, shape=type.shape))


class _Inside(Translation):
    """A translation of what one operation is defined by, all of it noted as that operation."""

    note: Note

    def _note(self, node: Node, forward: bool) -> Note:
        return self.note


def large_constants(graph: GraphModule) -> dict[int, torch.Tensor]:
    """The constant tensors of a graph that are too large to be written into a program, by identity."""
    found = {}
    for node in graph.graph.nodes:
        if node.op == "get_attr":
            tensor = getattr(graph, str(node.target))
            if tensor.numel() > SMALL:
                found[id(tensor)] = tensor
    return found


def flat(value: Any) -> list[Any]:
    """The leaves of nested lists, tuples and dicts, in order."""
    if isinstance(value, Mapping):
        return [leaf for item in value.values() for leaf in flat(item)]
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in flat(item)]
    return [value]
