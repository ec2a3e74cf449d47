"""Learning rules that are no gradients: what each parameter is moved by is computed, not differentiated.

`Local(directions)` stands where a loss does: `capture(model, Local(directions), og.sgd(lr=0.1), batch)`. The learning
rule (SGD, AdamW, any other) does with a direction what it does with a gradient, so all that is known of gradients
holds: dials, edits, explanations, forks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call

from ontogeny.front.trace import Batch, Objective, metrics, objective_step
from ontogeny.isa.errors import CaptureError

Directions = Callable[[Any, Batch], tuple[Any, Mapping[str, Tensor]]]
"""(model, batch) -> (metrics with the loss, {parameter's name in the model: what it is moved against})."""
PREFIX = "model."


@dataclass(frozen=True, slots=True)
class Local:
    """A rule that says for each parameter what it is moved against: minus the change that a rate of one makes.

    Called like a loss it gives the metrics alone.
    """

    directions: Directions

    def __call__(self, model: nn.Module, batch: Batch) -> Any:
        """The metrics."""
        return self.directions(model, batch)[0]


def stepped(objective: Objective) -> Callable[..., Any]:
    """(params, frozen, buffers, batch) -> (gradients or directions, metrics, new buffers), pure."""
    loss = objective.loss
    return local_step(objective, loss) if isinstance(loss, Local) else objective_step(objective)


def local_step(objective: Objective, local: Local) -> Callable[..., Any]:
    """(params, frozen, buffers, batch) -> (directions, metrics, new buffers), pure, as `trace.objective_step`.

    Raises CaptureError where a parameter has no direction, or one of another shape.
    """
    whole = Objective(objective.model, local.directions)

    def step(params: Any, frozen: Any, buffers: Any, batch: Any) -> Any:
        changed = {name: buffer.clone() for name, buffer in buffers.items()}
        named, given = functional_call(whole, {**params, **frozen, **changed}, (batch,))
        directions = {name: given.get(name.removeprefix(PREFIX)) for name in params}
        _check(given, params, directions)
        return directions, metrics(named), {name: whole.after[name] for name in changed}

    return step


def _check(given: Mapping[str, Tensor], params: Mapping[str, Tensor], directions: Mapping[str, Tensor | None]) -> None:
    if unknown := [name for name in given if PREFIX + name not in params]:
        raise CaptureError(f"the rule gives a direction for {unknown[0]!r}, which is no trained parameter of the model")
    for name, parameter in params.items():
        short, direction = name.removeprefix(PREFIX), directions[name]
        if direction is None:
            raise CaptureError(
                f"the rule gives no direction for {short!r}; give one, or do not let it require a gradient"
            )
        if direction.shape != parameter.shape:
            raise CaptureError(
                f"the rule's direction for {short!r} is {tuple(direction.shape)}; the parameter is "
                f"{tuple(parameter.shape)}"
            )
