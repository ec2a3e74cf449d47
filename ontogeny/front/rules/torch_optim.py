"""Any optimizer of `torch.optim`, or of one's own on its base class, as a rule, by tracing one step of it.

The optimizer runs once for real, which shows its state and where that starts; a step from there is traced with the
gradient, the parameter, the state, the step count and the dials as inputs. Scalars are computed in double precision,
as PyTorch's own Python numbers are. The trace is the step that follows the first: an optimizer whose first step is
another is refused, and so is state that starts at other than one number (SGD's momentum: use `sgd`).
"""

from __future__ import annotations

import inspect
import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import prod
from types import MappingProxyType
from typing import Any

import torch
from torch._subclasses.fake_tensor import unset_fake_temporarily
from torch.fx import GraphModule, Node
from torch.fx.experimental.proxy_tensor import disable_proxy_modes_tracing

from ontogeny.front.aten.table import DTYPES
from ontogeny.front.author import Value, maximum, minimum
from ontogeny.front.rules.rule import Rule, Shape, Slots
from ontogeny.front.trace import TRACING, traced
from ontogeny.front.translate import Translation
from ontogeny.isa.errors import CaptureError
from ontogeny.isa.program import Note

Factory = Callable[[Iterable[torch.nn.Parameter]], torch.optim.Optimizer]
Tensors = dict[str, torch.Tensor]
SHAPE = (2, 3)
"""The parameter on which an optimizer is first tried."""
MARK = 0.1234567
"""The weight decay while it is traced: optimizers leave it out where it is zero, and so ask for its value."""
FORMATS = {dtype: theirs for theirs, dtype in DTYPES.items()}


def torch_optim(factory: Factory, **dials: float) -> Rule:
    """The rule of `factory(parameters)`, as `torch_optim(lambda params: torch.optim.RMSprop(params, lr=1e-3))`.

    `lr` is a dial; further float options become dials when given here with their values, such as `weight_decay=0.1`;
    the rest are constants.
    Raises CaptureError for what cannot be traced: an optimizer that needs a closure (LBFGS), whose Python branches on a
    tensor or a dial, or whose state does not start as one number.
    """
    step = _Step(factory)
    state, probes = step.starts(), step.probes()
    values = {"lr": float(step.options["lr"]), **dials} if "lr" in step.options else dict(dials)
    if unknown := sorted(set(values) - set(step.options)):
        raise CaptureError(f"{step.name} has no option {unknown[0]!r}; it has {', '.join(sorted(step.options))}")
    kept = {slot: value for found in probes for slot, value in found.items() if slot != "step"}
    scalars = frozenset(slot for slot, value in kept.items() if not value.shape)
    starts = {slot: float(value.reshape(-1)[0]) for slot, value in kept.items() if value.any()}

    def update(g: Value, p: Value, slots: Slots, given: Mapping[str, Value]) -> tuple[Value, Slots]:
        return _translated(step, g, p, slots, {name: given[name] for name in (*values, "step")}, "step" in state)

    def shapes(shape: Shape) -> dict[str, Shape]:
        return {slot: tuple(value.shape) for slot, value in step.starts(shape).items() if slot != "step"}

    whole = step.elementwise(state)
    own = None if whole else shapes
    return Rule(step.name, values, tuple(kept), update, whole, scalars=scalars, starts=starts, shapes=own)


class _Start(dict[str, Any]):
    """A parameter's state, which remembers what each entry was first set to."""

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[str, Any] = {}

    def __setitem__(self, name: str, value: Any) -> None:
        self.first.setdefault(name, value.clone() if isinstance(value, torch.Tensor) else value)
        super().__setitem__(name, value)


@dataclass(slots=True)
class _Step:
    """One step of an optimizer as a function of tensors."""

    factory: Factory

    @property
    def name(self) -> str:
        """The optimizer's name, in small letters."""
        return type(self._made(torch.zeros(SHAPE))).__name__.lower()

    @property
    def options(self) -> dict[str, Any]:
        """Its options that are single numbers."""
        group = self._made(torch.zeros(SHAPE)).param_groups[0]
        return {k: v for k, v in group.items() if isinstance(v, (int, float)) and not isinstance(v, bool)}

    def _made(self, param: torch.Tensor) -> torch.optim.Optimizer:
        optimizer = self.factory([torch.nn.Parameter(param.clone())])
        for name, wanted in {"foreach": False, "fused": False, "capturable": True}.items():
            if name in optimizer.param_groups[0]:
                optimizer.param_groups[0][name] = wanted
        return optimizer

    def probes(self) -> list[Tensors]:
        """The state of a matrix, and of a vector where the optimizer takes one."""
        found = [self.starts()]
        with suppress(CaptureError):
            found.append(self.starts(SHAPE[:1]))
        return found

    def starts(self, shape: Shape = SHAPE) -> Tensors:
        """The state before the first step. Raises CaptureError where one traced step could not stand for every step."""
        param, grad = (torch.linspace(a, b, prod(shape)).reshape(shape) for a, b in ((-1.0, 1.0), (0.3, -0.5)))
        states: defaultdict[Any, _Start] = defaultdict(_Start)
        try:
            optimizer = self._made(param)
            optimizer.state = states
            target = optimizer.param_groups[0]["params"][0]
            target.grad = grad
            with compiling(optimizer):
                optimizer.step()
        except Exception as error:  # the optimizer's own
            raise CaptureError(f"{self.name} cannot be traced, its step failed: {error}") from error
        first = dict(states[target].first)
        for slot, value in first.items():
            self._checked(slot, value)
        again, _ = self(grad, param, first, {})
        if not torch.allclose(again, target.detach(), rtol=1e-5, atol=1e-7):
            raise CaptureError(f"{self.name} cannot be traced: its first step is not like the ones that follow")
        return first

    def _checked(self, slot: str, value: Any) -> None:
        if not isinstance(value, torch.Tensor):
            raise CaptureError(f"{self.name} keeps {slot!r} as a Python {type(value).__name__}; make it a tensor")
        if (value != value.reshape(-1)[0]).any():
            instead = "; use og.sgd(lr, momentum=...), which does the same" if self.name == "sgd" else ""
            raise CaptureError(
                f"{self.name}'s {slot!r} of shape {tuple(value.shape)} is not one number to start with{instead}"
            )

    def __call__(
        self, g: torch.Tensor, p: torch.Tensor, state: Tensors, dials: Mapping[str, Any]
    ) -> tuple[torch.Tensor, Tensors]:
        """(gradient, parameter, state, dials) -> (new parameter, new state)."""
        with disable_proxy_modes_tracing(), unset_fake_temporarily():
            optimizer = self._made(torch.zeros(SHAPE))
        param = p.clone()
        param.grad = g
        optimizer.param_groups[0].update(dials, params=[param])
        optimizer.state[param].update({slot: value.clone() for slot, value in state.items()})
        with compiling(optimizer):
            optimizer.step()
        return param, {slot: optimizer.state[param][slot] for slot in state}

    def elementwise(self, state: Tensors) -> bool:
        """Whether a step of a whole is the step of its elements."""
        param, grad = torch.linspace(-1, 1, 6), torch.linspace(0.3, -0.5, 6)

        def run(at: slice) -> torch.Tensor:
            fitting = {k: v.reshape(-1)[at] if v.shape else v for k, v in state.items()}
            return self(grad[at], param[at], fitting, {})[0]

        try:
            parts = torch.cat([run(slice(i, i + 1)) for i in range(6)])
            return torch.allclose(parts, run(slice(0, 6)), rtol=1e-5, atol=1e-7)
        except (RuntimeError, ValueError, AssertionError):
            return False


@contextmanager
def compiling(optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """Optimizers keep scalars as tensors while PyTorch says that it compiles; and traced ones can be compared."""
    names = inspect.unwrap(type(optimizer).step).__globals__
    own = {name: names[name] for name in EXTREMES if name in names}
    with TRACING:
        before = torch.compiler.is_compiling
        torch.compiler.is_compiling = lambda: True
        names.update({name: one for name, one in EXTREMES.items() if name not in own})
        try:
            yield
        finally:
            torch.compiler.is_compiling = before
            for name in EXTREMES.keys() - own.keys():
                del names[name]


class _Scalars(Translation):
    """A translation in which a tensor's number is the tensor, and the profiler's marks are nothing. All is update."""

    def _note(self, node: Node, forward: bool) -> Note:
        return self.ctx.builder.note

    marked: Mapping[float, Value] = MappingProxyType({})

    def _value(self, arg: Any) -> Any:
        return self.marked[arg] if isinstance(arg, float) and arg in self.marked else super()._value(arg)

    def _call(self, node: Node) -> Any:
        if str(node.target).startswith("profiler."):
            return None
        target: Any = node.target
        if target in NUMBERS or (getattr(target, "__module__", "") == "_operator" and target is not operator.getitem):
            return NUMBERS.get(target, target)(*(self._value(arg) for arg in node.args))
        if "_local_scalar_dense" in str(node.target):
            return self._value(node.args[0])
        return super()._call(node)


def _translated(
    step: _Step, g: Value, p: Value, slots: Slots, dials: dict[str, Value], counts: bool
) -> tuple[Value, Slots]:
    state = {**slots, **({"step": dials["step"] - 1.0} if counts else {})}
    dials = {name: value for name, value in dials.items() if name != "step"}
    examples = [{k: _example(v) for k, v in group.items()} for group in (state, dials)]
    marks = {name: MARK + place * 1e-6 for place, name in enumerate(dials) if name == "weight_decay"}
    tensors = {name: example for name, example in examples.pop().items() if name not in marks}

    def marked(g: torch.Tensor, p: torch.Tensor, state: Tensors, dials: Tensors) -> tuple[torch.Tensor, Tensors]:
        return step(g, p, state, {**dials, **marks})

    graph = traced(marked, (_example(g), _example(p), *examples, tensors))
    given: list[Any] = [g, p, *state.values(), *(dials[name] for name in tensors)]
    translation = _Scalars(p.builder, graph, given, {})
    translation.marked = {mark: dials[name] for name, mark in marks.items()}
    _check_marks(step.name, graph, marks)
    new, *rest = translation.run()
    found = dict(zip(state, rest, strict=True))
    return new, {slot: found[slot].cast(value.dtype) for slot, value in slots.items()}


def _larger(a: Any, b: Any) -> Value:
    return maximum(a, b) if isinstance(a, Value) else maximum(b, a)


def _smaller(a: Any, b: Any) -> Value:
    return minimum(a, b) if isinstance(a, Value) else minimum(b, a)


def _extreme(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Of two numbers, each of which may be a tensor."""
    return lambda *numbers: function(*(n.item() if isinstance(n, torch.Tensor) else n for n in numbers))


EXTREMES = {"max": _extreme(torch.sym_max), "min": _extreme(torch.sym_min)}
"""What Python's own are of a traced number."""
NUMBERS: dict[Any, Callable[..., Any]] = {torch.sym_max: _larger, torch.sym_min: _smaller}


def _check_marks(name: str, graph: GraphModule, marks: Mapping[str, float]) -> None:
    used = {arg for node in graph.graph.nodes for arg in (*node.args, *node.kwargs.values()) if isinstance(arg, float)}
    for dial, mark in marks.items():
        if mark not in used:
            raise CaptureError(
                f"{name} does not use {dial!r} as it stands, so it cannot be a dial; set it as an option"
            )


def _example(value: Value) -> torch.Tensor:
    return torch.zeros(value.shape, dtype=FORMATS[value.dtype])
