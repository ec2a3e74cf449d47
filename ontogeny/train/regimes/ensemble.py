"""Ensembles: members that differ in their beginning, judged together by the mean of their probabilities.

As one program (`Ensemble`, `ensemble_loss`): one run has all members, whose losses are added up, so that each has the
gradient that it would have alone. A rule that goes by single elements then takes each the way it would go alone, and
one that looks at all gradients together (clipping, `sam`) does not. Or as runs of their own (`reseeded`, `together`),
which can be on other data, stopped and forked one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import log
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ontogeny.data.base import Array
from ontogeny.front.names import piece
from ontogeny.isa.errors import ProgramError
from ontogeny.isa.program import Decl
from ontogeny.machine.base import value_of
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.machine.learner import Learner
from ontogeny.record.recorded import Recorded

PREDICT, MEMBERS = "predict", "members"


class Ensemble(nn.Module):
    """Modules that are given the same input; together they give the logarithm of the mean of their probabilities."""

    def __init__(self, members: Sequence[nn.Module]) -> None:
        """Raises ProgramError without any."""
        super().__init__()
        if not members:
            raise ProgramError("an ensemble of no members; give one module or more")
        self.members = nn.ModuleList(members)

    @staticmethod
    def of(make: Callable[[], nn.Module], members: int, seed: int = 0) -> Ensemble:
        """So many modules, each made after torch's generator was set to a seed of its own: `seed`, `seed` + 1..."""
        return Ensemble([seeded(make, seed + place) for place in range(members)])

    def scores(self, *given: Tensor) -> list[Tensor]:
        """What each member says, [..., classes]."""
        return [member(*given) for member in self.members]

    def forward(self, *given: Tensor) -> Tensor:
        """Logarithms of the mean of the members' probabilities, [..., classes]."""
        return _mean(self.scores(*given))


def seeded(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    """A module made after torch's generator was set to a seed, which leaves the generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def ensemble_loss(model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`loss`, the sum of the members' cross entropies, which is what is learned; and of all together, and of one.

    `ensemble_loss` and `accuracy` are those of the mean of probabilities, `member_accuracy` is the mean over members.
    Batches have x and y, i64[...] classes.
    """
    assert isinstance(model, Ensemble)
    scores, y = model.scores(batch["x"]), batch["y"]
    alone = torch.stack([_right(one, y) for one in scores]).mean()
    mean = _mean(scores)
    return {
        "loss": torch.stack([F.cross_entropy(one.flatten(0, -2), y.flatten()) for one in scores]).sum(),
        "ensemble_loss": F.nll_loss(mean.flatten(0, -2), y.flatten()),
        "accuracy": _right(mean, y),
        "member_accuracy": alone,
    }


def _mean(scores: Sequence[Tensor]) -> Tensor:
    """Logarithms of the mean of the probabilities that scores say."""
    return torch.logsumexp(torch.stack([one.log_softmax(-1) for one in scores]), 0) - log(len(scores))


def _right(scores: Tensor, y: Tensor) -> Tensor:
    return (scores.argmax(-1) == y).float().mean()


def reseeded(learner: Learner, model: nn.Module) -> Learner:
    """The same program from the initial values of another module like the one that was captured: another member.

    Raises ProgramError where the module's parameters are not the program's.
    """
    values = {name: array.copy() for name, array in learner.values.items()}
    params = dict(model.named_parameters())
    kept = [d for d in learner.program.decls if d.name in params and d.kind in ("param", "state")]
    if missing := [name for name in params if name not in {decl.name for decl in kept}]:
        raise ProgramError(f"the program has no parameter {missing[0]!r}; give a module like the one captured")
    for decl in kept:
        _set(decl, values, params[decl.name])
    return replace(learner, values=values)


def members(one: Learner, whole: Learner) -> list[Learner]:
    """Every member that a program of all has, with its present values; `one` is a learner of an ensemble of one.

    Raises ProgramError where a parameter of `one` is not there for each of them, or of another shape.
    """
    parts = [decl.name.split(".") for decl in whole.program.named_params()]
    places = {int(part[1]) for part in parts if part[0] == MEMBERS and part[1].isdigit()}
    if not places:
        raise ProgramError("the program is of no ensemble: none of its parameters begins with `members.0.`")
    return [_member(one, whole, place) for place in sorted(places)]


def _member(one: Learner, whole: Learner, place: int) -> Learner:
    values = {name: array.copy() for name, array in one.values.items()}
    for decl in one.program.named_params():
        there = decl.name.replace(f"{MEMBERS}.0.", f"{MEMBERS}.{place}.", 1)
        if there not in {named.name for named in whole.program.named_params()}:
            raise ProgramError(f"no member has a parameter {there!r}; give a learner of an ensemble of one like them")
        _set(decl, values, torch.from_numpy(np.array(piece(whole.program, whole.values, there))))
    return replace(one, values=values)


def _set(decl: Decl, values: Mapping[str, Array], param: Tensor) -> None:
    place, new = value_of(decl, values), param.detach().to(torch.float64).numpy()
    if place.shape != new.shape:
        raise ProgramError(f"{decl.name!r} is {decl.type} in the program, and of shape {list(new.shape)} in the module")
    place[...] = new.astype(place.dtype)


def together(runs: Sequence[Recorded], examples: Mapping[str, Array], answers: Array) -> dict[str, float]:
    """What the present states of runs say together of examples: `ensemble_loss`, `accuracy`, `member_accuracy`.

    `examples` are the inputs of their routine `predict`, which gives scores f[..., classes]; `answers` i64[...]. Raises
    ProgramError without a run, or where one has no such routine.
    """
    scores = [torch.from_numpy(np.array(_scores(run, examples), np.float32)) for run in runs]
    if not scores:
        raise ProgramError("an ensemble of no runs; give one or more")
    y, mean = torch.from_numpy(np.asarray(answers)), _mean(scores)
    return {
        "ensemble_loss": float(F.nll_loss(mean.flatten(0, -2), y.flatten())),
        "accuracy": float(_right(mean, y)),
        "member_accuracy": float(np.mean([float(_right(one, y)) for one in scores])),
    }


def _scores(run: Recorded, examples: Mapping[str, Array]) -> Any:
    if not run.program.has(PREDICT):
        raise ProgramError(
            f"{run.folder.name} has no routine {PREDICT!r}; capture with predict=lambda model, batch: ..."
        )
    machine = CompiledMachine(run.program)
    machine.load(run.state())
    found = machine.call(PREDICT, examples, run.dials())
    return next(iter(found.values()))
