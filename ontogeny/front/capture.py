"""A PyTorch model, its loss and a learning rule become one program.

The routines: `learn` (forward, backward, update), `evaluate` when a validation batch is given, `predict` when a
prediction function is. Each is traced at two sizes of its batch, so that the program has the sizes `batch` and `valid`
(see front/batch.py) and works with any number of examples; where that cannot be, the learner's `fixed` says why.

What is not captured: models whose Python code depends on the values of tensors, complex numbers, quantised weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.func import functional_call

from ontogeny.front.author import Value
from ontogeny.front.batch import Followed, Tensors, Traces, follow
from ontogeny.front.check import check_buffers, compared, plain_metrics, plain_step
from ontogeny.front.estimate import LOSS, Estimator, operands, within
from ontogeny.front.layout import Arena, arenas
from ontogeny.front.local import Local, stepped
from ontogeny.front.rounds import WithRounds, repeated_dials
from ontogeny.front.rules.rule import Estimate, Rule
from ontogeny.front.rules.sam import ascended
from ontogeny.front.trace import Batch, Loss, Objective, metrics, objective_value, traced
from ontogeny.front.translate import flat, large_constants, type_of
from ontogeny.front.update import append_update, rule_dials, slot_decls, slot_starts
from ontogeny.isa.build import Builder
from ontogeny.isa.errors import CaptureError
from ontogeny.isa.program import Decl, Note, Program, Routine
from ontogeny.isa.prune import pruned
from ontogeny.isa.resize import resized
from ontogeny.isa.types import DType, Type
from ontogeny.isa.verify import verify
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.machine.compiled.convert import to_numpy
from ontogeny.machine.formats import NUMPY
from ontogeny.machine.learner import Array, Learner

Predict = Callable[[nn.Module, Batch], torch.Tensor]
FORWARD = Note("forward")
CHECK = "check"
"""The routine that the differential check runs: metrics and gradients out, buffers committed."""
OURS = ("seed", "step", "params")


def capture(
    model: nn.Module,
    loss: Loss | Local,
    rule: Rule,
    example_batch: Mapping[str, Any],
    *,
    valid: Mapping[str, Any] | None = None,
    predict: Predict | None = None,
    name: str = "",
) -> Learner:
    """One program of a model, its loss and a rule, checked against plain autograd on the example batch.

    `loss(model, batch)` returns the scalar to minimise, or a dict of scalars with it under "loss"; a `Local` says
    itself what each parameter is moved by. Batches are dicts of arrays or tensors. Raises CaptureError for what cannot
    be captured, naming the user's line, and when the captured gradients are not those of plain PyTorch.
    """
    batch, held_out = _tensors(example_batch), _tensors(valid or {})
    captured = _Capture(Objective(model, loss), rule, batch, name or type(model).__name__.lower())
    training = model.training
    try:
        program = captured.sized(held_out, predict)
        model.train()
        measured = captured.check(program)
    finally:
        model.train(training)
    program = replace(program, routines=tuple(r for r in program.routines if r.name != CHECK))
    verify(program)
    return Learner(program, captured.values(), measured, captured.fixed)


def _tensors(batch: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Copies, so that two inputs which are one tensor in the example stay two inputs of the program.

    Raises CaptureError for one that is empty: nothing could be checked on it.
    """
    found = {name: torch.as_tensor(value).clone() for name, value in batch.items()}
    if empty := [name for name, tensor in found.items() if not tensor.numel()]:
        shape = list(found[empty[0]].shape)
        raise CaptureError(f"the example's {empty[0]!r} is of shape {shape}, so it is empty; give one example or more")
    return found


@dataclass(slots=True)
class _Held:
    """The tensors of a module under their names: trained, frozen, buffers."""

    params: dict[str, torch.Tensor]
    frozen: dict[str, torch.Tensor]
    buffers: dict[str, torch.Tensor]

    @classmethod
    def of(cls, objective: Objective) -> _Held:
        params = {k: p.detach() for k, p in objective.named_parameters() if p.requires_grad}
        frozen = {k: p.detach() for k, p in objective.named_parameters() if not p.requires_grad}
        buffers = {k: b.detach() for k, b in objective.named_buffers()}
        if not params:
            raise CaptureError("the model has no parameter that requires a gradient, so there is nothing to learn")
        return cls(params, frozen, buffers)

    @property
    def rest(self) -> dict[str, torch.Tensor]:
        return {**self.frozen, **self.buffers}


class _Capture:
    """One capture under way: declarations gathered while routines are built."""

    def __init__(
        self,
        objective: Objective,
        rule: Rule,
        batch: dict[str, torch.Tensor],
        name: str,
        example: _Capture | None = None,
    ) -> None:
        self.example = example or self
        self.random = False
        self.fixed: dict[str, str] = {}
        self._names: list[str] = []
        self.objective, self.rule, self.batch, self.name = objective, rule, batch, name
        self.held = _Held.of(objective)
        self.dials = repeated_dials(objective.model)
        taken = {*OURS, *rule.all_dials, *rule.slots, "clip", *self.example.batch, *self.dials}
        if clash := {*rule.all_dials, *rule.slots, *self.example.batch} & {*self.dials}:
            raise CaptureError(
                f"{min(clash)!r} is a dial of a repeated block and taken; give Repeated(dial=...) another"
            )
        plain = {key: key.removeprefix("model.") for key in (*self.held.params, *self.held.rest)}
        self.names = {key: f"model.{short}" if short in taken else short for key, short in plain.items()}
        types = {self.names[key]: type_of(p) for key, p in self.held.params.items()}
        self.arenas: list[Arena] = arenas(types, rule.groups)
        self.inputs: dict[str, Decl] = {}
        self.constants: dict[str, torch.Tensor] = dict(example.constants) if example else {}
        self._declare_inputs(batch, "")
        self._check_inputs()

    def sized(self, held_out: dict[str, torch.Tensor], predict: Predict | None) -> Program:
        """The whole program, with the routine CHECK, at the example's sizes, which it follows where it can."""
        followed = {"batch": follow("batch", self.batch, lambda batch: self._traces(batch, {}, predict))}
        self.constants.update(followed["batch"].traces.constants)
        if held_out:
            followed["valid"] = follow("valid", held_out, lambda batch: self._traces({}, batch, None))
            self.constants.update(followed["valid"].traces.constants)
        for (size, found), (batch, prefix) in zip(
            followed.items(), ((self.batch, ""), (held_out, "valid.")), strict=False
        ):
            self._declare_inputs(batch, prefix, found)
            if found.size is None:
                self.fixed[size] = found.reason
        routines = {r.name: r for found in followed.values() for r in found.traces.routines}
        last = ("learn", "evaluate", "predict", CHECK)
        order = [name for name in routines if name not in last] + [name for name in last if name in routines]
        sizes = tuple(found.size for found in followed.values() if found.size is not None)
        program = replace(self.program(*(routines[name] for name in order)), sizes=sizes)
        own = {"batch": self.batch, "valid": held_out}
        return resized(program, {size.name: _count(own[size.name]) for size in sizes})

    def _traces(self, batch: Tensors, held_out: Tensors, predict: Predict | None) -> Traces:
        """The routines of one batch traced on it, or `evaluate` on a held-out one, by a capture beside this one."""
        beside = _Capture(self.objective, self.rule, dict(batch), self.name, self)
        model = self.objective.model
        routines: list[Routine] = []
        if batch:
            model.train()
            routines += beside.learn()
        model.eval()
        if predict:
            routines += beside.predict(predict, beside.batch)
        if held_out:
            routines += beside.evaluate(dict(held_out))
        self.random = self.random or beside.random
        new = {name: value for name, value in beside.constants.items() if name not in self.constants}
        return Traces(tuple(routines), new)

    def _declare_inputs(self, batch: Mapping[str, torch.Tensor], prefix: str, followed: Followed | None = None) -> None:
        for key, tensor in batch.items():
            type_ = type_of(tensor)
            self.inputs[prefix + key] = Decl(
                "input", prefix + key, followed.input_type(key, type_) if followed else type_
            )

    def _check_inputs(self) -> None:
        """Raises CaptureError where an input has the name of something else, which would be read in its place."""
        rule, others = f"the rule {self.rule.name!r}", {d.name: d.kind for d in self._decls() if d.kind != "input"}
        whose = {"param": "the program's parameters", "dial": f"a dial of {rule}", "state": "what the program keeps"}
        for name in (name for name in self.inputs if name in others):
            what = f"a state slot of {rule}" if name in self.rule.slots else whose[others[name]]
            raise CaptureError(f"the batch's {name!r} is called like {what}; rename it in the batch and in the loss")

    def _decls(self) -> tuple[Decl, ...]:
        whole: list[Decl] = []
        for arena in self.arenas:
            whole += [arena.decl, *arena.pieces] if self.rule.elementwise else [_alone(p) for p in arena.pieces]
        frozen = [Decl("param", self.names[k], type_of(v)) for k, v in self.held.frozen.items()]
        buffers = [Decl("state", self.names[k], type_of(v)) for k, v in self.held.buffers.items()]
        constants = [Decl("state", k, type_of(v)) for k, v in self.constants.items()]
        counters = [Decl("state", n, Type(DType.I64)) for n in ("seed", "step")]
        state = [*slot_decls(self.rule, self._updated()), *frozen, *buffers, *constants, *counters]
        return (*whole, *state, *rule_dials(self.rule, self.arenas), *self.dials.values(), *self.inputs.values())

    def _updated(self) -> list[Decl]:
        if self.rule.elementwise:
            return [arena.decl for arena in self.arenas]
        return [_alone(piece) for arena in self.arenas for piece in arena.pieces]

    def program(self, *routines: Routine) -> Program:
        """The declarations so far with these routines."""
        return Program(self.name, self._decls(), tuple(routines))

    def _translated(
        self,
        label: str,
        function: Any,
        args: tuple[Any, ...],
        prefix: str,
        gradients: int = 0,
        given: Sequence[Decl] = (),
    ) -> tuple[Builder, list[Value], WithRounds]:
        """A function as instructions; what it takes is read, or lies in the registers and inputs that it is `given`.

        Routines that it calls, named after `label`, are then among those of the builder's program.
        """
        graph = traced(function, args)
        large = large_constants(graph)
        names = {key: f"constant.{len(self.constants) + i}" for i, key in enumerate(large)}
        self.constants.update({names[key]: tensor for key, tensor in large.items()})
        builder = Builder(self.program(), operands(given))
        lying: dict[str, str | Value] = dict(within(builder, given, self.arenas))
        named: list[str] = [self.names[k] for group in args[:-1] for k in group] + [prefix + k for k in args[-1]]
        arguments = [lying.get(name, name) for name in named]
        translation = WithRounds(builder, graph, arguments, names, label)
        outputs = translation.run(forward=_forward_nodes(graph, gradients))
        return builder, outputs, translation

    def learn(self) -> tuple[Routine, ...]:
        """The routine `learn`, one for the check, metrics and gradients out, buffers committed; and what they call."""
        return self._estimated(self.rule.estimate) if self.rule.estimate else self._differentiated()

    def _estimated(self, estimate: Estimate) -> tuple[Routine, ...]:
        """As `learn`, by gradients that only losses are needed for; buffers are as the parameters leave them."""
        held, registers, inputs = self.held, self._updated(), [self.inputs[key] for key in self.batch]
        args = (held.params, held.frozen, held.buffers, self.batch)
        given = [*registers, *inputs]
        builder, outputs, translation = self._translated("loss", objective_value(self.objective), args, "", given=given)
        self.random = translation.ctx.sites > 0
        count = len(outputs) - len(held.buffers)
        returns = [*self._metric_names(count), *(self.names[k] for k in held.buffers)]
        loss = pruned(builder.routine(LOSS, [(n, v.name) for n, v in zip(returns, outputs, strict=True)]))
        own = builder.program.routines
        program = partial(self.program, *own)
        estimator = Estimator(estimate, registers, inputs, self.arenas, loss, translation.ctx.sites, program)
        builder, values = estimator.opened(FORWARD)
        named = [(name, value.name) for name, value in zip(returns, values, strict=True)]
        for register, value in named[count:]:
            builder.commit(register, value)
        check = builder.routine(CHECK, named[:count])
        gradients = estimator.gradients(builder)
        append_update(builder, self.rule, self.arenas, gradients)
        return builder.routine("learn", named[:count]), check, *estimator.routines, *own

    def _differentiated(self) -> tuple[Routine, ...]:
        held = self.held
        args = (held.params, held.frozen, held.buffers, self.batch)
        step = stepped(self.objective)
        builder, outputs, translation = self._translated("learn", step, args, "", len(held.params))
        self.random = translation.ctx.sites > 0
        count, buffers = len(held.params), len(held.buffers)
        gradients = {self.names[k]: v for k, v in zip(held.params, outputs[:count], strict=True)}
        named = self._metric_names(len(outputs) - count - buffers)
        returns = [(n, v.name) for n, v in zip(named, outputs[count : len(outputs) - buffers], strict=True)]
        checked = [*returns, *((f"gradient.{n}", v.name) for n, v in gradients.items())]
        for key, value in zip(held.buffers, outputs[len(outputs) - buffers :], strict=True):
            new = translation.ctx.replaced.get(value.name, value.name)
            if new != builder.read(self.names[key]):
                builder.note = builder.maker(new).note
                builder.commit(self.names[key], new)
        check = pruned(builder.routine(CHECK, checked))
        if self.rule.ascends:
            gradients = ascended(builder, builder.body, gradients)
        append_update(builder, self.rule, self.arenas, gradients)
        return pruned(builder.routine("learn", returns)), check, *builder.program.routines

    def _metric_names(self, count: int) -> list[str]:
        held, example = self.held, self.example
        if not example._names:
            with torch.no_grad():
                copies = {k: v.clone() for k, v in {**held.params, **held.rest}.items()}
                example._names = list(metrics(functional_call(self.objective, copies, (example.batch,))))
        if len(example._names) != count:
            raise CaptureError(
                f"the loss function returned {count} metrics while traced and {len(example._names)} when run"
            )
        return example._names

    def evaluate(self, batch: dict[str, torch.Tensor]) -> tuple[Routine, ...]:
        """The routine `evaluate`: the metrics on a held-out batch, its inputs called `valid.`; and what it calls."""
        self._declare_inputs(batch, "valid.")

        def function(params: Any, frozen: Any, buffers: Any, batch: Any) -> Any:
            return metrics(functional_call(self.objective, {**params, **frozen, **buffers}, (batch,)))

        held = self.held
        args = (held.params, held.frozen, held.buffers, batch)
        builder, outputs, _ = self._translated("evaluate", function, args, "valid.")
        names = self._metric_names(len(outputs))
        routine = builder.routine("evaluate", [(n, v.name) for n, v in zip(names, outputs, strict=True)])
        return pruned(routine), *builder.program.routines

    def predict(self, predict: Predict, batch: dict[str, torch.Tensor]) -> tuple[Routine, ...]:
        """The routine `predict`: what the prediction function gives, in evaluation mode; and what it calls."""
        wrapped = Objective(self.objective.model, predict)

        def function(params: Any, frozen: Any, buffers: Any, batch: Any) -> Any:
            return functional_call(wrapped, {**params, **frozen, **buffers}, (batch,))

        held = self.held
        args = (held.params, held.frozen, held.buffers, batch)
        builder, outputs, _ = self._translated("predict", function, args, "")
        names = ["y"] if len(outputs) == 1 else [f"y{i}" for i in range(len(outputs))]
        routine = builder.routine("predict", [(n, v.name) for n, v in zip(names, outputs, strict=True)])
        return pruned(routine), *builder.program.routines

    def values(self) -> dict[str, Array]:
        """The initial value of every register."""
        program = self.program()
        params = {self.names[k]: np.array(to_numpy(v)) for k, v in self.held.params.items()}
        rest = {self.names[k]: np.array(to_numpy(v)) for k, v in self.held.rest.items()}
        known = {**params, **rest, **{k: np.array(to_numpy(v)) for k, v in self.constants.items()}}
        known.update({arena.decl.name: arena.filled(params) for arena in self.arenas})
        starts = slot_starts(self.rule, self._updated())
        for decl in program.kept():
            if decl.name not in known:
                known[decl.name] = np.full(decl.type.shape, starts.get(decl.name, 0.0), NUMPY[decl.type.dtype])
        return {decl.name: known[decl.name] for decl in program.kept()}

    def check(self, program: Program) -> dict[str, float]:
        """The differential check of the captured gradients. Raises CaptureError when they are not autograd's."""
        machine = CompiledMachine(program)
        machine.load(self.values())
        found = machine.call(CHECK, {k: np.array(to_numpy(v)) for k, v in self.batch.items()}, {})
        held = (self.objective, self.held.params, self.held.rest, self.batch, self.random)
        named, plain = (plain_metrics(*held), {}) if self.rule.estimate else plain_step(*held)
        check_buffers(machine.state(), {self.names[k]: self.objective.after[k] for k in self.held.buffers})
        expected = {self.names[k]: g for k, g in plain.items()}
        gradients = {k.removeprefix("gradient."): v for k, v in found.items() if k.startswith("gradient.")}
        return compared(gradients, expected, (float(found["loss"]), float(named["loss"].detach())))


def _count(batch: Tensors) -> int:
    return next(len(tensor) for tensor in batch.values() if tensor.dim())


def _alone(piece: Decl) -> Decl:
    return Decl("param", piece.name, piece.type)


def _forward_nodes(graph: Any, gradients: int) -> int:
    """How many nodes come before the loss and whatever else the forward pass returns are known."""
    nodes = list(graph.graph.nodes)
    outputs = flat(nodes[-1].args[0])
    return 1 + max((nodes.index(n) for n in outputs[gradients:] if n in nodes), default=len(nodes))
