"""A law in sentences: what it is, how the fit went, what it foretells and how far beyond the runs that lies."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from ontogeny.ask.laws.asked import Told
from ontogeny.ask.laws.law import Interval, Law, Optimal, Prediction

FAR = 10.0
"""How many times beyond the runs a forecast is said to be a guess."""
SHOWN = 5
HIGH = 0.1
GUESS = f"beyond: times outside the runs; past {FAR:g}x it is a guess, whatever the interval"


def lines(found: Told) -> list[str]:
    """All of it, a line for each forecast."""
    law = found.law
    numbers = ", ".join(f"{name} {_between(one)}" for name, one in law.numbers().items())
    said = [f"{law.form.name}: {law.form.formula}", numbers, *fit_words(law), *refused_words(found.refused)]
    said += [_foretold(one, found.unit) for one in found.predictions]
    said += [GUESS] if far(found.predictions) else []
    said += [f"parameters without end would reach {_between(one.loss)} on {one.tokens:.3g} {found.unit}"
             for one in found.asymptotes]  # fmt: skip
    said += [_best_use(one, found) for one in found.optimal]
    return [*said, *_decays(found)]


def fit_words(law: Law) -> list[str]:
    """How the fit went, what a reader has to know besides, and which runs lie far off; nothing of a published law."""
    if law.points is None:
        return []
    fit = law.as_json()
    same, starts = fit["starts_at_the_same_minimum"]
    failed = f", {law.failed} of {law.failed + fit['samples']} samples failed" if law.failed else ""
    said = [
        f"{fit['points']} runs, typical error {fit['typical_error']:.2%}; {same} of {starts} starts led to this "
        f"minimum; low and high: 95 of 100 of {fit['samples']} samples of the runs{failed}",
        *law.remarks(),
    ]
    if off := law.far_off():
        more = f" and {len(off) - SHOWN} more" if len(off) > SHOWN else ""
        named = ", ".join(f"{name} ({error:+.0%})" for name, error in off[:SHOWN])
        hint = "; --drop-highest K leaves out the K highest losses" if off[0][1] > HIGH else ""
        said.append(f"far off the law: {named}{more}{hint}")
    return said


def refused_words(refused: Mapping[str, str]) -> list[str]:
    """Why each richer form is not supported."""
    return [f"not {name}: {why.removeprefix(name).lstrip(': ')}" for name, why in refused.items()]


def far(found: Sequence[Prediction]) -> bool:
    """Whether a forecast lies so far beyond the runs that it is a guess."""
    return any(one.beyond > FAR for one in found)


def _foretold(one: Prediction, unit: str) -> str:
    epochs = one.tokens / one.unique
    times = f", each {epochs:.3g} times" if epochs > 1.001 else ""
    beyond = "" if math.isnan(one.beyond) or one.beyond <= 1.001 else f", {one.beyond:.3g}x beyond"
    return f"{one.parameters:.3g} parameters on {one.tokens:.3g} {unit}{times}: loss {_between(one.loss)}{beyond}"


def _best_use(one: Optimal, found: Told) -> str:
    epochs = f", {one.epochs.value:.3g} epochs" if one.epochs.value > 1 else ""
    return (
        f"the best use of {one.budget:.3g} operations, at {found.each:.3g} a parameter and {found.unit.rstrip('s')}: "
        f"{_between(one.parameters)} parameters on {_between(one.tokens)} {found.unit}{epochs}, "
        f"for a loss of {_between(one.loss)}"
    )


def _decays(found: Told) -> Iterator[str]:
    for size, unique, *decay in found.decays:
        value, low, high = decay
        yield f"the best weight decay at {size:.3g} parameters on {unique:.3g}: {value:.4g} ({low:.4g} to {high:.4g})"


def _between(one: Interval) -> str:
    return f"{one.value:.4g}" + ("" if math.isnan(one.low) else f" ({one.low:.4g} to {one.high:.4g})")
