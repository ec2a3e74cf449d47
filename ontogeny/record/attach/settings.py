"""The settings of a loop's optimizers as they were when each took a step, and which tensors each of their groups has.

A hook reads them at the end of the optimizer's own step, so that a scheduler which turns them for the next step has not
done so yet, whatever the order of calls in the loop. An optimizer that takes no hooks, or was not seen to step, is read
beside the loop's step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import is_
from typing import Any

import torch

from ontogeny.record.attach.metrics import STEPS

HOOKS = "_optimizer_step_post_hooks"


@dataclass(eq=False)
class _Seen:
    """An optimizer: the handle where its steps are seen, how many there were since the last row, its groups' settings.

    `held` are the objects in its groups when `values` were read of them.
    """

    optimizer: torch.optim.Optimizer
    hook: Any = None
    steps: int = 0
    held: list[Any] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    values: list[dict[str, float]] = field(default_factory=list)


class Settings:
    """What the optimizers of a loop are set to. `regrouped` says that their groups have changed since it was unset."""

    def __init__(self, optimizers: Sequence[torch.optim.Optimizer]) -> None:
        self.regrouped = False
        self._seen: list[_Seen] = []
        self._known: dict[str, float] = {}
        self._read = False
        for one in optimizers:
            self.add(one)

    def add(self, optimizer: torch.optim.Optimizer, steps: int = 0) -> None:
        """One optimizer more, which has taken so many steps since the last row."""
        seen = _Seen(plain := unwrapped(optimizer), steps=steps)
        if hasattr(plain, HOOKS):
            seen.hook = plain.register_step_post_hook(lambda *_: self._stepped(seen))
        self._seen.append(seen)
        self._look(seen)

    def leave(self) -> None:
        """Takes the hooks away."""
        for seen in self._seen:
            if seen.hook is not None:
                seen.hook.remove()

    def initial(self) -> dict[str, float]:
        """What they are before the first step."""
        return self._turned()

    def told(self) -> dict[str, float]:
        """What is to be told beside a row: settings that changed since the last one, and odd numbers of steps."""
        for seen in self._seen:
            if seen.hook is None or not seen.steps:
                self._look(seen)
        found = self._turned() if self._read else {}
        for number, seen in enumerate(self._seen):
            if seen.hook is not None and seen.steps != 1:
                found[f"{STEPS}.{number}" if len(self._seen) > 1 else STEPS] = float(seen.steps)
            seen.steps = 0
        return found

    def groups(self, named: Mapping[str, torch.Tensor]) -> list[dict[str, Any]]:
        """Each group: its optimizer's class and number, whether settings are read `in_force`, its tensors' names."""
        names = {id(tensor): name for name, tensor in named.items()}
        return [
            {
                "optimizer": type(seen.optimizer).__name__,
                "number": number,
                "in_force": seen.hook is not None,
                "tensors": [names[id(one)] for one in group["params"] if id(one) in names],
            }
            for number, seen in enumerate(self._seen)
            for group in seen.optimizer.param_groups
        ]

    def _stepped(self, seen: _Seen) -> None:
        if torch.compiler.is_compiling():
            return  # a step that is compiled calls no hooks: it is not seen, rather than made another
        seen.steps += 1
        self._look(seen)

    def _look(self, seen: _Seen) -> None:
        """Reads an optimizer's settings where something in its groups is not what it was."""
        groups = seen.optimizer.param_groups
        held = [value for group in groups for value in group.values()]
        sizes = [len(group["params"]) for group in groups]
        if sizes == seen.sizes and len(held) == len(seen.held) and all(map(is_, held, seen.held)):
            return
        self.regrouped = self.regrouped or sizes != seen.sizes
        # Numbers cannot change in place, so that the same objects are the same settings; a tensor can.
        seen.held = [] if any(isinstance(group.get("lr"), torch.Tensor) for group in groups) else held
        seen.sizes, seen.values, self._read = sizes, [_numbers(group) for group in groups], True

    def _turned(self) -> dict[str, float]:
        """The settings as they were read last that are not those told before, by group."""
        every = [values for seen in self._seen for values in seen.values]
        now = {
            f"{key}.{number}" if len(every) > 1 else key: value
            for number, values in enumerate(every)
            for key, value in values.items()
        }
        changed = {name: value for name, value in now.items() if self._known.get(name) != value}
        self._known, self._read = now, False
        return changed


def _numbers(group: Mapping[str, Any]) -> dict[str, float]:
    """The numbers among a group's settings; of tensors, its learning rate."""
    return {
        key: scalar(value)
        for key, value in group.items()
        if (kind := type(value)) is float or kind is int or (key == "lr" and kind is torch.Tensor)
    }


def unwrapped(optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """The optimizer that takes the steps, of one that only wraps it, such as Accelerate's."""
    while isinstance(inner := getattr(optimizer, "optimizer", None), torch.optim.Optimizer):
        optimizer = inner
    return optimizer


def scalar(value: torch.Tensor | float) -> float:
    """A number, also of a tensor with one element."""
    return float(value.item() if isinstance(value, torch.Tensor) else value)
