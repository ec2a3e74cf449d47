"""What PyTorch itself defines an ATen operation by, as a graph of simpler ones: for operations that have no entry here.

The definitions are torch's own (`torch._decomp`, or the composite ones of ATen). Some are known to be wrong, such as
that of flash attention's backward; a capture ends with the differential check, so a wrong one is refused there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch._decomp import decomposition_table
from torch.func import functionalize
from torch.fx import GraphModule, Node
from torch.fx.experimental.proxy_tensor import make_fx

COMPOSITE = "CompositeImplicitAutograd"


def decomposed(node: Node) -> tuple[GraphModule, list[Node]] | None:
    """The graph that a node stands for and the nodes that are its inputs, in order; None where torch defines none."""
    definition = _definition(node.target)
    if definition is None:
        return None
    inputs = list(dict.fromkeys(node.all_input_nodes))

    def function(*tensors: Any) -> Any:
        given = dict(zip(inputs, tensors, strict=True))
        args, kwargs = _plain(node.args, given), _plain(node.kwargs, given)
        result = definition(*args, **kwargs)
        if result is NotImplemented:
            raise NotImplementedError
        return tuple(result) if isinstance(result, tuple) else result

    try:
        with torch.no_grad():
            graph = make_fx(functionalize(function, remove="mutations"), tracing_mode="fake")(
                *(input.meta["val"] for input in inputs)
            )
    except NotImplementedError:
        return None
    return None if any(inner.target is node.target for inner in graph.graph.nodes) else (graph, inputs)


def _plain(arg: Any, given: Mapping[Node, Any]) -> Any:
    """A node's arguments as those of a call."""
    if isinstance(arg, Node):
        return given[arg]
    if isinstance(arg, Mapping):
        return {name: _plain(item, given) for name, item in arg.items()}
    return (
        type(arg)(_plain(item, given) for item in arg)
        if type(arg) is tuple
        else ([_plain(item, given) for item in arg] if isinstance(arg, list) else arg)
    )


def _definition(target: Any) -> Callable[..., Any] | None:
    if not isinstance(target, torch._ops.OpOverload):
        return None
    if target in decomposition_table:
        return decomposition_table[target]
    has = torch._C._dispatch_has_kernel_for_dispatch_key(target.name(), COMPOSITE)
    return target.decompose if has else None
