"""The ledger of a recorded loop: what decay did, where the record tells it exactly, and everything else in one line.

A record has every value and the optimizer's settings, but no gradient and no program. Decoupled decay is a share of the
value before the step (`recorded_decay.py`), so it is known; gradient, momentum and rounding are the remainder together.
A tensor of which no element changed in a step was passed over by the optimizer, and did not decay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ontogeny.ask.carry import wide
from ontogeny.ask.common import common_places
from ontogeny.ask.explanation import KEPT_APART, Explanation, Member
from ontogeny.ask.ledger import REST, Ledger, Line, Numbers, closed, exact
from ontogeny.ask.members import Members, Places, members
from ontogeny.ask.parts import SELF
from ontogeny.ask.recorded_decay import Steps, decays_of
from ontogeny.isa.errors import RecordError
from ontogeny.record.attach import Attached
from ontogeny.record.trace.traces import ALL, PIECE_BYTES, Traces, Window

UNTOLD = (
    "a recorded loop keeps no gradients, so that gradient, momentum and rounding are not divided; og.capture makes a "
    "run that tells them apart"
)


@dataclass
class _Tally:
    """What happened to some elements of one tensor: over each step in sum, and to each of them over the window."""

    members: Members
    decay: Numbers
    change: Numbers
    total: float = 0.0
    before: list[Numbers] = field(default_factory=list)
    after: list[Numbers] = field(default_factory=list)
    decays: list[Numbers] = field(default_factory=list)


def explain_recorded(run: Attached, names: str | Iterable[str], steps: str | Window = ALL) -> Explanation:
    """The ledger of the elements `names` over the changes that led to the recorded steps of a window.

    Its lines are decay and the rest, and sum to the change exactly; `remarks` say why decay is not known where it is
    not, which is then in the rest. Raises RecordError for names and windows that there are not.
    """
    asked = (names,) if isinstance(names, str) else tuple(names)
    chosen = members(run.traces, asked)
    states = recorded_states(run.traces.steps, Window.parse(steps) if isinstance(steps, str) else steps)
    decays = decays_of(run, [each.tensor.name for each in chosen], states[:-1], states[1:])
    apart = sum(len(each.places) for each in chosen) <= KEPT_APART
    tallies = [
        _tallied(run.traces, each, states, decay.shares, apart) for each, decay in zip(chosen, decays, strict=True)
    ]
    ledger = _ledger(tallies, states)
    told = tuple(member for tally in tallies for member in _told(tally, ledger)) if apart else ()
    count = sum(len(each.places) for each in chosen)
    reasons = dict.fromkeys(reason for decay in decays for reason in decay.reasons)
    remarks = (*(f"decay is not told apart: {reason}" for reason in reasons), UNTOLD)
    unsure = np.logical_or.reduce([np.isnan(decay.shares) for decay in decays])
    window, unknown = (int(states[0]) + 1, int(states[-1])), states[1:][unsure]
    return Explanation(asked, *window, count, ledger, told, common_places(chosen), (), remarks, tuple(unknown.tolist()))


def recorded_states(steps: Steps, window: Window) -> Steps:
    """The recorded steps of a window, and the one before them. Raises RecordError where no change led to any."""
    inside = window.of(steps)
    first = max(inside.start, 1)
    if len(steps) < 2 or first >= inside.stop or (window.stop is not None and window.stop > int(steps[-1]) + 1):
        reach = f"{steps[0]} to {steps[-1]}" if len(steps) else "none"
        raise RecordError(f"no recorded change leads to the steps {window}; there are the steps {reach}")
    return steps[first - 1 : inside.stop]


def _tallied(traces: Traces, chosen: Members, states: Steps, shares: Numbers, apart: bool) -> _Tally:
    """Some elements over the changes between the states, a bounded number of them at a time."""
    tally = _Tally(chosen, np.zeros(len(shares)), np.zeros(len(shares)))
    share = np.nan_to_num(shares)
    if share.any():
        share = np.where(_moved(traces, chosen, states), share, 0.0)
    for places in _chunks(chosen.places, len(states)):
        there, values = _values(traces, chosen.tensor.name, places, states)
        both = (there[:-1] & there[1:])[:, None]
        decay = np.where(both & (share != 0)[:, None], -share[:, None] * values[:-1], 0.0)
        tally.decay += decay.sum(axis=1)
        tally.change += np.where(both, values[1:] - values[:-1], 0.0).sum(axis=1)
        before, after = values[there][0], values[there][-1]
        tally.total += float(np.sum(after - before))
        if apart:
            tally.before.append(before)
            tally.after.append(after)
            tally.decays.append(decay.sum(axis=0))
    return tally


def _chunks(places: Places, states: int) -> Iterator[Places]:
    """Some places at a time, whose values at all states are bounded."""
    most = max(1, PIECE_BYTES // (8 * states))
    for first in range(0, len(places), most):
        yield places[first : first + most]


def _values(traces: Traces, name: str, places: Places, states: Steps) -> tuple[npt.NDArray[np.bool_], Numbers]:
    """At which states there are values, and the values [states, places], 0 where there are none."""
    steps, found = traces.lines(name, places, Window(int(states[0]), int(states[-1]) + 1))
    if not len(steps):
        raise RecordError(f"{name} was not there from step {states[0]} to {states[-1]}; it came later, or was left out")
    values = np.zeros((len(states), len(places)))
    there = np.isin(states, steps)
    values[there] = wide(found)
    return there, values


def _moved(traces: Traces, chosen: Members, states: Steps) -> npt.NDArray[np.bool_]:
    """At which changes any element of the whole tensor changed; the rest of it is looked at only where it matters."""
    window = Window(int(states[0]), int(states[-1]) + 1)
    moved = np.zeros(len(states) - 1, bool)
    for piece in _chunks(chosen.places, len(states)):
        there, values = _values(traces, chosen.tensor.name, piece, states)
        moved |= (there[:-1] & there[1:]) & (values[1:] != values[:-1]).any(axis=1)
    if moved.all() or len(chosen.places) == chosen.tensor.size:
        return moved
    for whole in traces.pieces(window, [chosen.tensor.name]):
        at = np.searchsorted(states[1:], whole.steps[1:])
        moved[at] |= (whole.values[1:] != whole.values[:-1]).any(axis=1)
    return moved


def _ledger(tallies: list[_Tally], states: Steps) -> Ledger:
    """The lines of all tensors together."""
    nothing = np.zeros(len(states) - 1)
    decay, change = (sum(each, nothing) for each in zip(*((t.decay, t.change) for t in tallies), strict=True))
    rows = [(int(step), {Line(SELF): float(d)}, float(c)) for step, d, c in zip(states[1:], decay, change, strict=True)]
    return closed(rows, sum(tally.total for tally in tallies), Line(REST))


def _told(tally: _Tally, ledger: Ledger) -> list[Member]:
    """Each element's decay over the window, where that is a line, and the rest of its change."""
    before, after, decays = map(np.concatenate, (tally.before, tally.after, tally.decays))
    table = decays[:, None] if len(ledger.lines) > 1 else np.zeros((len(decays), 0))
    sums = exact(table, after - before)
    rows = zip(tally.members.names, before.tolist(), after.tolist(), map(tuple, sums.tolist()), strict=True)
    return [Member(*row) for row in rows]
