"""What commands mean for a PyTorch loop: settings of its optimizers, its parameters, and whether it waits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ontogeny.isa.errors import OntogenyError
from ontogeny.record.attach.loop import Attachment
from ontogeny.record.dials import Course, course
from ontogeny.record.entries import amount_of
from ontogeny.steer.command import Command
from ontogeny.steer.commands.dials import SAID, check_bounds, moved
from ontogeny.steer.places import MARK, OFF

BETAS = {"beta1": 0, "beta2": 1}
Setting = tuple[dict[str, Any], str]


@dataclass(eq=False)
class Loop:
    """A loop and how it is steered: whether it waits, and settings that are on their way, a course for each group."""

    recording: Attachment
    paused: bool = False
    moving: dict[str, list[Course]] = field(default_factory=dict)

    def turn(self) -> None:
        """Moves the settings that are on their way on by a step."""
        step = self.recording.step_number
        for name, courses in list(self.moving.items()):
            for (group, key), way in zip(self.settings(name), courses, strict=True):
                write(group, key, way(step))
            if step >= courses[0].end:
                del self.moving[name]

    def settings(self, said: str) -> list[Setting]:
        """The settings of all parameter groups that a word means. Raises OntogenyError with what there is."""
        groups = [group for optimizer in self.recording.optimizers for group in optimizer.param_groups]
        word = said.strip().lower()
        names = {key for group in groups for key in group if _is_number(group[key])}
        names |= set(BETAS) if any("betas" in group for group in groups) else set()
        meant = [name for name in sorted(names) if word == name or word in SAID.get(name, ())]
        if not meant:
            raise OntogenyError(f"the optimizer has no setting {said!r}; it has {', '.join(sorted(names))}")
        key = "betas" if meant[0] in BETAS else meant[0]
        return [(group, meant[0]) for group in groups if key in group]

    def parameters(self, patterns: tuple[str, ...]) -> dict[str, nn.Parameter]:
        """The model's parameters by name or pattern. Raises OntogenyError for what matches none."""
        there = dict(self.recording.model.named_parameters())
        found = {name: p for name, p in there.items() if any(fnmatchcase(name, one) for one in patterns)}
        if idle := [one for one in patterns if not any(fnmatchcase(name, one) for name in there)]:
            raise OntogenyError(f"no parameter matches {idle[0]!r}; there are {', '.join(list(there)[:8])}")
        return found

    def first(self, name: str) -> npt.NDArray[Any]:
        """The first recorded values of a parameter. Raises OntogenyError where there are none."""
        traces = self.recording.recorded().traces
        if not len(traces.steps) or name not in (row := traces.row(int(traces.steps[0]))):
            raise OntogenyError(f"no first values of {name!r} are recorded yet, so it cannot be reset to them")
        return np.array(row[name])

    def state_of(self, parameter: nn.Parameter) -> Iterator[torch.Tensor]:
        """What the optimizers keep of a parameter, in its shape."""
        for optimizer in self.recording.optimizers:
            yield from (
                v for v in optimizer.state.get(parameter, {}).values() if getattr(v, "shape", None) == parameter.shape
            )


@dataclass(frozen=True, slots=True)
class Meaning:
    """A command for a loop: what it is to do in words, having checked that it can, what came of it, and doing it."""

    will: Callable[[Loop, Any], str]
    came: Callable[[Loop, Any], str]
    act: Callable[[Loop, Any], None]


def read(group: Mapping[str, Any], key: str) -> float:
    """A setting of a parameter group."""
    return float(group["betas"][BETAS[key]] if key in BETAS else group[key])


def write(group: dict[str, Any], key: str, value: float) -> None:
    """Sets a setting of a parameter group, in place where it is a tensor."""
    if key in BETAS:
        betas = list(group["betas"])
        betas[BETAS[key]] = value
        group["betas"] = tuple(betas)
    elif isinstance(group[key], torch.Tensor):
        group[key].fill_(value)
    else:
        group[key] = value


def _turn(loop: Loop, command: Any) -> str:
    name, way = _way(loop, command)
    return f"turn {name} from {way}{moved(command)}, from step {loop.recording.step_number} on"


def _turned(loop: Loop, command: Any) -> str:
    name, way = _way(loop, command)
    return f"{name} goes from {way}{moved(command)}, from step {loop.recording.step_number} on"


def _way(loop: Loop, command: Any) -> tuple[str, str]:
    """A setting, and from which values to which it goes."""
    command.check_shape()
    settings = loop.settings(command.dial)
    ways = _courses(loop, command, settings)
    if wrong := [way.value for way in ways if not math.isfinite(way.value)]:
        raise OntogenyError(f"{settings[0][1]} cannot be {wrong[0]}; give a finite number")
    for way in ways:
        check_bounds({settings[0][1]: way.value})
    return settings[0][1], ", ".join(sorted({f"{way.start:g} to {way.value:g}" for way in ways}))


def _set(loop: Loop, command: Any) -> None:
    settings = loop.settings(command.dial)
    ways = _courses(loop, command, settings)
    if command.over:
        loop.moving[settings[0][1]] = ways
        return
    loop.moving.pop(settings[0][1], None)
    for (group, key), way in zip(settings, ways, strict=True):
        write(group, key, way.value)


def _courses(loop: Loop, command: Any, settings: list[Setting]) -> list[Course]:
    """The way of each group's setting from here on. Raises OntogenyError for one that cannot be gone."""
    step, over, shape = loop.recording.step_number, command.over, command.shape
    starts = [(key, read(group, key)) for group, key in settings]
    return [course(key, _goal(command, start), start, step, over, shape) for key, start in starts]


def _is_number(value: Any) -> bool:
    single = isinstance(value, torch.Tensor) and value.numel() == 1
    return single or (isinstance(value, int | float) and not isinstance(value, bool))


def _goal(command: Any, present: float) -> float:
    return present * command.by if command.by is not None else float(command.to)


def _freeze(loop: Loop, command: Any) -> None:
    for parameter in loop.parameters(command.tensors).values():
        parameter.requires_grad_(False)
        parameter.grad = None


def _unfreeze(loop: Loop, command: Any) -> None:
    for parameter in loop.parameters(command.tensors).values():
        parameter.requires_grad_(True)


@torch.no_grad()
def _alter(loop: Loop, command: Any) -> None:
    draw = torch.Generator().manual_seed(command.seed)
    for name, parameter in loop.parameters(command.tensors).items():
        parameter.copy_(_altered(loop, command, name, parameter.detach(), draw))
        for kept in loop.state_of(parameter) if command.and_state else ():
            kept.zero_()


def _altered(loop: Loop, command: Any, name: str, value: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    if command.how == "zero":
        return torch.zeros_like(value)
    if command.how == "reset":
        return torch.from_numpy(loop.first(name)).to(value)
    amount = float(command.amount)
    if command.how == "scale":
        return value * amount
    if command.how == "noise":
        noise = torch.randn(value.shape, generator=draw, dtype=torch.float64)
        return (value.double() + amount * value.double().std(correction=0) * noise.to(value.device)).to(value)
    smallest = value.abs().flatten().argsort(stable=True)[: round(amount * value.numel())]
    flat = value.flatten().clone()
    flat[smallest] = 0
    return flat.view_as(value)


def _alter_words(loop: Loop, command: Any) -> str:
    names = loop.parameters(command.tensors)
    command.check_seed()
    amount_of(command.how, command.amount)
    if command.how == "reset":
        _ = [loop.first(name) for name in names]
    return f"{command.words(', '.join(names), 'the loop')}, after step {loop.recording.step_number}"


def _tensors(verb: str) -> Callable[[Loop, Any], str]:
    return lambda loop, command: f"{verb} {', '.join(loop.parameters(command.tensors))}"


def _waits(paused: bool) -> Callable[[Loop, Command], None]:
    def act(loop: Loop, command: Command) -> None:
        loop.paused = paused

    return act


def _stop(loop: Loop, command: Command) -> None:
    loop.recording.stopping, loop.paused = True, False


def _mark(loop: Loop, command: Any) -> None:
    content: dict[str, Any] = {"name": command.name, **({OFF: True} if command.off else {})}
    loop.recording.note(MARK, **content)
    if loop.recording.setup.checkpoint_every and not command.off:
        loop.recording.checkpoint()


def _mark_words(loop: Loop, command: Any) -> str:
    step = loop.recording.step_number
    return f"take the name {command.name!r} from a step" if command.off else f"call step {step} {command.name!r}"


def _marked(loop: Loop, command: Any) -> str:
    step = f"step {loop.recording.step_number} is"
    return f"no step is called {command.name!r} any more" if command.off else f"{step} called {command.name!r}"


def _at(words: str) -> Callable[[Loop, Any], str]:
    return lambda loop, _: words.format(step=loop.recording.step_number)


LOOP: Mapping[str, Meaning] = {
    "pause": Meaning(_at("let the loop wait after step {step}"), _at("the loop waits after step {step}"), _waits(True)),
    "resume": Meaning(
        _at("let the loop go on from step {step}"), _at("the loop goes on from step {step}"), _waits(False)
    ),
    "stop": Meaning(
        _at("set recording.stopping, by which the loop ends where it heeds it"),
        _at("recording.stopping is set: the loop ends where it heeds it"),
        _stop,
    ),
    "set": Meaning(_turn, _turned, _set),
    "freeze": Meaning(_tensors("freeze"), _tensors("freeze"), _freeze),
    "unfreeze": Meaning(_tensors("unfreeze"), _tensors("unfreeze"), _unfreeze),
    "alter": Meaning(_alter_words, _alter_words, _alter),
    "mark": Meaning(_mark_words, _marked, _mark),
}
"""The commands that a loop can be given."""
