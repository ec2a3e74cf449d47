"""How much decay took at each step of a recorded loop: what its optimizer's settings tell, and why where they do not.

The rules are those of torch.optim: AdamW and Muon multiply a value by 1 - lr * weight_decay before the update, and SGD
without momentum comes to the same. Others add decay to the gradient, where moments mix both; that is not told apart.
The settings beside a step are those in force at it, where the optimizer's own steps were seen (`attach/settings.py`).
Beside those of an optimizer that takes no hooks a scheduler may have turned them for the next step already: they count
where they were the same beside the step before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.record.attach import Attached
from ontogeny.record.attach.metrics import STEPS

Numbers = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int64]
Group = Mapping[str, Any]
DECOUPLED = ("AdamW", "Muon")
MIXED = ("Adam", "Adagrad", "Adadelta", "Adamax", "ASGD", "NAdam", "RAdam", "RMSprop")
SETTINGS = ("lr", "weight_decay", "momentum")


@dataclass(frozen=True)
class Decay:
    """The share of a value that decay took at each of some steps, NaN where that is not known, and the reasons."""

    shares: Numbers
    reasons: tuple[str, ...]


def decays_of(run: Attached, names: Iterable[str], befores: Steps, afters: Steps) -> list[Decay]:
    """The decay of each of some tensors from each of `befores` to each of `afters`, recorded steps.

    Known only where one follows the other.
    """
    columns, apart = run.metrics(), int((afters - befores != 1).sum())
    found = []
    for name in names:
        shares, reasons = np.full(len(afters), np.nan), list[str]()
        if error := run.start["policy"]["error"]:
            reasons.append(f"values were recorded within {error:g}, so that their changes are not exact")
        for groups, at in () if error else _periods(run, afters):
            shares[at] = _shares(_Told(run, columns, groups, befores[at], afters[at], reasons), name)
        if apart and not np.isnan(shares).all():
            reasons.append(f"{apart} changes are over several steps, of which only the last was recorded")
        found.append(Decay(np.where(afters - befores == 1, shares, np.nan), tuple(reasons)))
    return found


def _periods(run: Attached, afters: Steps) -> Iterator[tuple[list[dict[str, Any]], npt.NDArray[np.bool_]]]:
    """Each grouping of parameters that there was, and which of the steps were taken with it."""
    groupings, which = run.groupings(), np.full(len(afters), -1)
    for number, (step, _) in enumerate(groupings):
        which[afters > step] = number
    for number in np.unique(which).tolist():
        yield groupings[number][1] if number >= 0 else [], which == number


@dataclass(frozen=True)
class _Told:
    """What a loop told of some steps with one grouping of its parameters. `reasons` are added to."""

    run: Attached
    columns: Mapping[str, Numbers]
    groups: list[dict[str, Any]]
    befores: Steps
    afters: Steps
    reasons: list[str]


def _shares(told: _Told, name: str) -> Numbers:
    """What decay takes of a tensor's values; NaN where that is not known."""
    places = [place for place, group in enumerate(told.groups) if name in group["tensors"]]
    if not told.groups:
        why = "which optimizer trains it, if any, is not recorded"
    elif not places:
        return np.zeros(len(told.afters))  # no optimizer has it
    elif len(places) > 1:
        why = "several optimizers train it, and in which order is not recorded"
    elif (kind := told.groups[places[0]]["optimizer"]) in (*DECOUPLED, *MIXED, "SGD"):
        return _share(told, places[0])
    else:
        why = f"what {kind} does with decay is not known here; SGD without momentum, {' and '.join(DECOUPLED)} are"
    told.reasons.append(why)
    return np.full(len(told.afters), np.nan)


def _share(told: _Told, place: int) -> Numbers:
    """What decay takes of the values of one group."""
    group, nothing = told.groups[place], np.zeros(len(told.afters))
    ending = f".{place}" if len(told.groups) > 1 else ""
    sessions = sum(entry.kind == "session" for entry in told.run.entries)
    settings = dict[str, Numbers]()
    for name in SETTINGS:
        if (own := name + ending) in told.columns:
            if _repeats(told.columns[own]) > sessions:
                told.reasons.append(f"the loop tells a metric called {own} itself, which may not be the optimizer's")
                return nothing + np.nan
            settings[name] = _beside(told.columns, own, told.afters)
    lr, decay, momentum = (settings.get(name, nothing) for name in SETTINGS)
    unsure = _unseen(told, group) if group["in_force"] else _turned(told, settings, ending)
    kind = group["optimizer"]
    mixed = (decay != 0) & (kind in MIXED or (kind == "SGD" and (momentum != 0)))
    if mixed.any():
        told.reasons.append(f"{kind}{' with momentum' if kind == 'SGD' else ''} mixes decay into what it carries")
    return np.where(mixed | unsure, np.nan, lr * decay)


def _unseen(told: _Told, group: Group) -> npt.NDArray[np.bool_]:
    """Where not just one step of the group's optimizer was seen."""
    name = f"{STEPS}.{group['number']}" if len({one["number"] for one in told.groups}) > 1 else STEPS
    if name not in told.columns:
        return np.zeros(len(told.afters), bool)
    odd = ~np.isnan(told.columns[name])
    counts = dict(zip(told.columns["step"][odd].tolist(), told.columns[name][odd].tolist(), strict=True))
    found = np.array([step in counts for step in told.afters.tolist()])
    if found.any():
        said = sorted({int(counts[step]) for step in told.afters[found].tolist()})
        told.reasons.append(
            f"beside {int(found.sum())} of the steps {group['optimizer']} was seen to take {_or(said)} steps, not one"
        )
    return found


def _turned(told: _Told, settings: Mapping[str, Numbers], ending: str) -> npt.NDArray[np.bool_]:
    """Where settings beside a step may be those for the next."""
    turns = {
        name + ending: _beside(told.columns, name + ending, told.befores) != after for name, after in settings.items()
    }
    found: npt.NDArray[np.bool_] = np.logical_or.reduce([np.zeros(len(told.afters), bool), *turns.values()])
    if found.any():
        names = " and ".join(name for name, where in turns.items() if where.any())
        told.reasons.append(
            f"beside {int(found.sum())} of the steps {names} changed, and the record does not tell whether that was "
            "for this step or the next"
        )
    return found


def _or(counts: list[int]) -> str:
    return " or ".join(map(str, counts))


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
