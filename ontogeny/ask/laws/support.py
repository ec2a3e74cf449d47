"""Whether points can support a law, before it is fitted and after; if not, which runs would have to be added."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ontogeny.ask.laws.forms import EXPONENT, FACTOR, REPEATS, SHIFT, Floats, Form, log_loss_and_slopes
from ontogeny.ask.laws.points import SAME, Points, groups
from ontogeny.ask.laws.tuned import cells, loose
from ontogeny.isa.errors import LawError

NOTED = 4.0
"""Epochs up to which a repeated token is nearly as good as a new one (Muennighoff et al. 2023)."""
REPEATED = 3.0
"""Epochs that some run needs for anything to be said of repetition."""
RATIO = {EXPONENT: 4.0, REPEATS: 10.0}
"""An interval whose ends are farther apart than this factor says nothing about its number."""
SHIFTS = 1.5
"""The widest interval of an exponent that may have either sign."""
FLOOR = 0.5
"""The widest interval of the floor, as a share of the least loss."""
LIMITS = {EXPONENT: (0.02, 4.0), REPEATS: (1e-3, 1e4)}
"""Beyond these an exponent is none (the loss does not follow the axis, or falls off a cliff); repeats have no end."""
UNTUNED = 1 / 3
"""The largest share of sizes and data whose best decay may lie at the edge of those tried."""
FAILED = 0.1
ENDLESS = 1e9
ASTRAY = 100.0
"""An exponent is blamed before the floor unless it is told so many times better."""
TOGETHER = 0.97
SHOWN = 3
ONE = {"parameters": "one size", "unique": "one number of distinct tokens"}
WORDS = {"parameters": "sizes N", "tokens": "numbers of tokens D", "unique": "numbers of distinct tokens U"}


@dataclass(frozen=True, slots=True)
class Need:
    """What a form needs: so many points, levels of each axis, and that an axis be the same in all points."""

    points: int
    levels: tuple[tuple[str, int], ...]
    same: str = ""
    repeated: bool = False
    tuning: bool = False


NEEDS = {
    "chinchilla": Need(10, (("parameters", 3), ("tokens", 3))),
    "repetition": Need(12, (("parameters", 3), ("tokens", 3)), repeated=True),
    "excess": Need(14, (("parameters", 3), ("tokens", 3)), repeated=True),
    "size": Need(5, (("parameters", 4),), same="unique"),
    "data": Need(5, (("tokens", 4),), same="parameters"),
    "tuned": Need(12, (("parameters", 3), ("unique", 3)), tuning=True),
}


def check_points(form: Form, whole: Points, points: Points) -> None:
    """LawError where the points, of `whole` those that count, are too few or too alike for the form."""
    need = NEEDS[form.name]
    if need.same and points.levels(need.same) > 1:
        found = points.levels(need.same)
        raise LawError(f"{form.name} is for one of the {WORDS[need.same]}, and the runs have {found}")
    short = [
        f"{levels} {WORDS[axis]} at least (there {'is' if found == 1 else 'are'} {found})"
        for axis, levels in need.levels
        if (found := points.levels(axis)) < levels
    ]
    if len(points) < need.points:
        several = " that differ in more than weight decay" if len(points) < len(whole) else ""
        short.append(f"{need.points} points{several} at least (there are {len(points)})")
    if short:
        raise LawError(f"{form.name} needs {', and '.join(short)}; add runs of other {_words(need)}")
    if need.repeated:
        _check_repeated(form, points)
    elif form.name == "chinchilla" and points.epochs.max() > NOTED:
        raise LawError(
            f"chinchilla takes every token as a new one, and the runs have up to {points.epochs.max():.3g} epochs; the "
            f"forms repetition and tuned are for that, or leave out runs of more than {NOTED:g} epochs"
        )
    if need.tuning or (form.name == "size" and points.epochs.max() > NOTED):
        _check_tuned(form, whole)


def _words(need: Need) -> str:
    return " and ".join(WORDS[axis] for axis, _ in need.levels)


def _check_repeated(form: Form, points: Points) -> None:
    again = points.epochs > 1.5
    most = float(points.epochs.max())
    if groups(points.epochs).max(initial=0) == 0:
        raise LawError(
            f"{form.name} needs runs of different numbers of epochs, and all have {most:.3g}; add runs of 1 and "
            f"of 16 epochs"
        )
    if again.sum() < 3 or most < REPEATED:
        raise LawError(
            f"{form.name} needs repeated data: at least 3 runs of more than 1.5 epochs, one of them of {REPEATED:g} or "
            f"more (there are {int(again.sum())}, up to {most:.3g}); add runs of 4, 16 and 64 epochs"
        )


def _check_tuned(form: Form, whole: Points) -> None:
    if all(len(cell.decays) < 2 for cell in cells(whole, form.tuned_over)):
        raise LawError(
            f"{form.name} is a law at the best weight decay, and no size and data was tried at more than one; add "
            f"runs at three or more weight decays for each"
        )
    if (unknown := np.isnan(whole.decay)).any():
        raise LawError(
            f"{form.name} is a law at the best weight decay, and that of {whole.called(int(unknown.argmax()))} is not "
            f"known; give it, or leave that run out"
        )
    lacking = loose(whole, form.tuned_over)
    if len(lacking) > UNTUNED * len(cells(whole, form.tuned_over)):
        more = f" and {len(lacking) - SHOWN} more" if len(lacking) > SHOWN else ""
        raise LawError(
            f"{form.name} is a law at the best weight decay, which has to lie between decays that were tried; add runs "
            f"at: {'; '.join(lacking[:SHOWN])}{more}"
        )


def check_asked(form: Form, points: Points | None, at: Points) -> None:
    """LawError where a law is asked what it says nothing of: `points` are those that it was fitted to, if known."""
    if form.name == "chinchilla" and at.epochs.max() > NOTED:
        raise LawError(
            f"chinchilla takes every token as a new one, and {at.epochs.max():.3g} epochs were asked about; the form "
            f"repetition is for that, given runs of several numbers of epochs"
        )
    same = NEEDS[form.name].same
    if same and points is not None:
        own, asked = points.range(same), float(getattr(at, same)[0])
        if not own[0] / (1 + SAME) <= asked <= own[1] * (1 + SAME):
            raise LawError(
                f"{form.name} is a law for the {ONE[same]} of these runs, {own[0]:,.0f}, and says nothing of "
                f"{asked:,.0f}; ask about {own[0]:.6g}, or add runs of other {WORDS[same]}"
            )


def check_fit(form: Form, points: Points, best: Floats, samples: Floats, failed: float) -> None:
    """LawError where the fit does not determine the numbers: `samples` f64[B, P] are those of resampled points.

    `failed` is the share of samples in which no descent came to an end.
    """
    if not len(samples):
        weakest = _weakest(form, points, best)
        raise LawError(f"{form.name} could be fitted to no sample of the points; {_advice(form, points, weakest)}")
    low, high = np.percentile(samples, (2.5, 97.5), axis=0)
    for place, number in sorted(enumerate(form.numbers), key=lambda one: one[0] == 0):
        least, most = (float(one) for one in number.shown(np.array([low[place], high[place]])))
        if _unknown(number.kind, place == 0, (least, most), float(number.shown(best[place : place + 1])[0]), points):
            raise LawError(
                f"{form.name}: these runs leave {number.name} ({number.meaning}) {_between(least, most)}"
                f", which is not to know it; {_advice(form, points, number.name)}"
            )
    if failed > FAILED:
        raise LawError(
            f"{form.name}: with {failed:.0%} of the samples of the points the fit came to no end, so that one run more "
            f"or less decides; {_advice(form, points, _weakest(form, points, best))}"
        )


def _between(least: float, most: float) -> str:
    if least > ENDLESS:
        return "without any bound"
    return f"between {least:.3g} and {most:.3g}" if most < ENDLESS else f"anywhere above {least:.3g}"


def _weakest(form: Form, points: Points, best: Floats) -> str:
    """The exponent that the points tell least of, by the fit's curvature; the floor where all are told well."""
    slopes = log_loss_and_slopes(form, best[None], points)[1][0] @ form.scales(points)
    curvature = slopes.T @ slopes
    errors = np.sqrt(np.diag(np.linalg.pinv(curvature + 1e-12 * np.trace(curvature) * np.eye(len(best)))))
    exponents = {number.name: errors[place] for place, number in enumerate(form.numbers) if number.kind != FACTOR}
    name = max(exponents, key=lambda one: float(exponents[one]))
    return name if not exponents[name] < errors[0] / ASTRAY else form.numbers[0].name


def _unknown(kind: str, floor: bool, ends: tuple[float, float], best: float, points: Points) -> bool:
    """Whether an interval says nothing, or its number lies at the limits of what it can be."""
    low, high = ends
    if floor:
        return high - low > FLOOR * float(points.loss.min())
    if kind == FACTOR:
        return False
    if kind == SHIFT:
        return high - low > SHIFTS
    at_limit = not LIMITS[kind][0] < best < LIMITS[kind][1]
    return at_limit or low <= 0 or high > RATIO[kind] * low


def _advice(form: Form, points: Points, name: str) -> str:
    """Which runs would tell."""
    axis = {"alpha": "parameters", "A": "parameters", "beta": form.axes[-1], "B": form.axes[-1]}.get(name, "")
    if name == "beta" and "tokens" in form.axes:
        axis = "tokens"
    if name == "R_D":
        return f"add runs of more epochs than {points.epochs.max():.3g}, four times as many, beside runs of one epoch"
    if name == "R_N":
        return "add runs with many more parameters on the same few distinct tokens, ten times as many"
    if name == "gamma":
        return "add the same sizes on other amounts of distinct data"
    if {"parameters", "tokens"} <= set(form.axes) and points.levels("parameters") > 1 and points.levels("tokens") > 1:
        together = float(np.corrcoef(points.log("parameters"), points.log("tokens"))[0, 1])
        if abs(together) > TOGETHER:
            return (
                f"parameters and tokens vary together in these runs (correlation {together:.2f}), so that neither's "
                f"part is told; add runs of the same sizes on four times and a quarter of the tokens"
            )
    if not axis:
        return "the losses are still far above any floor; add runs of ten times the parameters and tokens, or more runs"
    low, high = points.range(axis)
    return (
        f"add runs at {WORDS[axis]} farther apart than {low:.3g} to {high:.3g}: down to {low / 4:.3g} and up to "
        f"{high * 4:.3g}, or several seeds of each"
    )
