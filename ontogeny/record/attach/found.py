"""The model that an optimizer trains, found among the objects of a process, for a script that does not hand it over."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from typing import TypeVar

from torch import nn, optim

from ontogeny.isa.errors import RecordError

T = TypeVar("T")


def live_optimizers(first: optim.Optimizer) -> list[optim.Optimizer]:
    """The optimizers that there are, `first` in front; one that only wraps another is the other."""
    found = {id(first.param_groups): first}
    for one in objects(optim.Optimizer):
        if hasattr(one, "param_groups"):
            found.setdefault(id(one.param_groups), one)
    return list(found.values())


def model_of(optimizers: Iterable[optim.Optimizer]) -> nn.Module:
    """The outermost module that holds what the optimizers train; where there are several, a dictionary of them.

    Raises RecordError where no module holds it.
    """
    wanted = {id(p) for one in optimizers for group in one.param_groups for p in group["params"]}
    owners: list[nn.Module] = []
    parents: dict[int, list[nn.Module]] = {}
    for module in objects(nn.Module):
        if any(id(p) in wanted for p in module._parameters.values()):
            owners.append(module)
        for child in module._modules.values():
            parents.setdefault(id(child), []).append(module)
    roots = _needed(list({id(root): root for owner in owners for root in _above(owner, parents)}.values()), wanted)
    if not roots:
        raise RecordError("what the optimizer trains belongs to no nn.Module; record it with og.attach from the script")
    return roots[0] if len(roots) == 1 else _together(roots)


def objects(kind: type[T]) -> Iterator[T]:
    """All live objects of a class, garbage that waits for its collection left out."""
    gc.collect()
    yield from (one for one in gc.get_objects() if issubclass(type(one), kind))


def _above(module: nn.Module, parents: dict[int, list[nn.Module]]) -> list[nn.Module]:
    """The outermost modules that a module lies in."""
    seen, found, waiting = {id(module)}, [], [module]
    while waiting:
        here = waiting.pop()
        above = parents.get(id(here), [])
        found += [] if above else [here]
        waiting += [one for one in above if id(one) not in seen]
        seen.update(map(id, above))
    return found


def _needed(roots: list[nn.Module], wanted: set[int]) -> list[nn.Module]:
    """Of modules, those without which something wanted would be missing; of wrappers of one model, the closest."""
    held = {id(root): {id(p) for p in root.parameters()} for root in roots}
    roots = sorted(roots, key=lambda root: (-len(held[id(root)] & wanted), sum(1 for _ in root.modules())))
    chosen, covered = [], set[int]()
    for root in roots:
        if new := (held[id(root)] & wanted) - covered:
            chosen.append(root)
            covered |= new
    return chosen


def _together(roots: list[nn.Module]) -> nn.ModuleDict:
    """Modules under the names of their classes."""
    found: dict[str, nn.Module] = {}
    for root in roots:
        name, number = type(root).__name__.lower(), 2
        while name in found:
            name, number = f"{type(root).__name__.lower()}_{number}", number + 1
        found[name] = root
    return nn.ModuleDict(found)
