"""How much decay took at each step of a recorded loop: what its optimizer's settings tell, and why where they do not.

The rules are those of torch.optim: AdamW and Muon multiply a value by 1 - lr * weight_decay before the update, and SGD
without momentum comes to the same. Others add decay to the gradient, where moments mix both; that is not told apart.
A loop tells its settings beside a step, maybe only after a scheduler has turned them for the next: a step counts where
they were the same beside the step before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ontogeny.record.attach import Attached

Numbers = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int64]
DECOUPLED = ("AdamW", "Muon")
MIXED = ("Adam", "Adagrad", "Adadelta", "Adamax", "ASGD", "NAdam", "RAdam", "RMSprop")
SETTINGS = ("lr", "weight_decay", "momentum")


@dataclass(frozen=True)
class Decay:
    """The share of a value that decay took at each of some steps, NaN where that is not known, and the reasons."""

    shares: Numbers
    reasons: tuple[str, ...]


def decay_of(run: Attached, befores: Steps, afters: Steps) -> Decay:
    """The decay from each of `befores` to each of `afters`, recorded steps; known only where one follows the other."""
    unknown = np.full(len(afters), np.nan)
    if why := _undivided(run):
        return Decay(unknown, (why,))
    columns = run.metrics()
    groups = list(_groups(columns))
    if len(groups) > 1 and "" in groups:
        return Decay(unknown, ("groups of parameters were added to the optimizer, which changed its settings' names",))
    reasons = list[str]()
    shares = [_share(run, columns, group, befores, afters, reasons) for group in groups or [""]]
    if any(not np.array_equal(one, shares[0], equal_nan=True) for one in shares[1:]):
        return Decay(
            unknown, ("the optimizer's groups decay differently, and which tensor is in which is not recorded",)
        )
    known = np.where(afters - befores == 1, shares[0], np.nan)
    if (count := int((afters - befores != 1).sum())) and not np.isnan(shares[0]).all():
        reasons.append(f"{count} changes are over several steps, of which only the last was recorded")
    return Decay(known, tuple(dict.fromkeys(reasons)))


def _undivided(run: Attached) -> str:
    """Why nothing is told of any step; empty where something may be."""
    name, policy = run.start["optimizer"], run.start["policy"]
    if policy["error"]:
        return f"values were recorded within {policy['error']:g}, so that their changes are not exact"
    if name in (*DECOUPLED, *MIXED, "SGD"):
        return ""
    if not name or "," in name:
        return f"which of the optimizers ({name}) has which tensor is not recorded" if name else "it has no optimizer"
    return f"what {name} does with decay is not known here; SGD without momentum, {' and '.join(DECOUPLED)} are"


def _groups(columns: Mapping[str, Numbers]) -> Iterator[str]:
    """The optimizer's groups by what ends the names of their settings: nothing where there is one, else .0, .1, ..."""
    for name in columns:
        if name == "lr" or (name.startswith("lr.") and name[3:].isdigit()):
            yield name[2:]


def _share(
    run: Attached, columns: Mapping[str, Numbers], group: str, befores: Steps, afters: Steps, reasons: list[str]
) -> Numbers:
    """What decay takes of a value by the settings of one group, for each change; NaN where they do not tell."""
    sessions = sum(entry.kind == "session" for entry in run.entries)
    found = dict[str, tuple[Numbers, Numbers]]()
    for name in SETTINGS:
        if (own := name + group) in columns:
            if _repeats(columns[own]) > sessions:
                reasons.append(f"the loop tells a metric called {own} itself, which may not be the optimizer's")
                return np.full(len(afters), np.nan)
            found[name] = _beside(columns, own, befores), _beside(columns, own, afters)
    nothing = np.zeros(len(afters))
    lr, decay, momentum = (found.get(name, (nothing, nothing))[1] for name in SETTINGS)
    turns = {name + group: before != after for name, (before, after) in found.items()}
    turned = np.logical_or.reduce([nothing != 0, *turns.values()])
    shares = np.where(turned, np.nan, lr * decay)
    if turned.any():
        names = " and ".join(name for name, where in turns.items() if where.any())
        reasons.append(
            f"beside {int(turned.sum())} of the steps {names} changed, and the record does not tell whether that was "
            "for this step or the next"
        )
    name = run.start["optimizer"]
    mixed = (decay != 0) & (name in MIXED or (name == "SGD" and (momentum != 0)))
    if mixed.any():
        reasons.append(f"{name}{' with momentum' if name == 'SGD' else ''} mixes decay into what it carries")
    return np.where(mixed, np.nan, shares)


def _repeats(column: Numbers) -> int:
    """How often the same was told again, which a recorder does only when it begins anew."""
    told = column[~np.isnan(column)]
    return int((told[1:] == told[:-1]).sum())


def _beside(columns: Mapping[str, Numbers], name: str, steps: Steps) -> Numbers:
    """What a setting last was, beside each of some steps."""
    told = ~np.isnan(columns[name])
    at, values = columns["step"][told], columns[name][told]
    order = np.argsort(at, kind="stable")
    places = np.searchsorted(at[order], steps, "right") - 1
    return np.where(places >= 0, values[order][np.maximum(places, 0)], np.nan)
