"""Scaling laws: published points, a known truth, and real runs whose largest are held out.

Published: the points that Besiroglu et al. 2024 read off figure 4 of Hoffmann et al. 2022 (chinchilla_points.csv, less
the five highest, as they did), against the constants that they print, in their standard errors, and against SciPy's
BFGS on the same loss. Beside it how Hoffmann's own fit went astray: L-BFGS on the mean of the losses, from
starts of their grid. Truth: points at the same sizes and data from the printed constants with noise, refitted; counted
is how many 95% intervals hold. Runs: a character model in sizes and lengths; the law of the shorter foretells the
longest. With --full more sets, and the largest size is held out, too.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy is loaded

import numpy as np
from common import Figures, Targets, arguments, close, one_thread, peers
from laws_runs import LENGTHS, SIZES, trained
from scipy.optimize import minimize

from ontogeny.ask.laws.descent import DELTA, huber
from ontogeny.ask.laws.forms import CHINCHILLA, Floats, log_loss, log_loss_and_slopes
from ontogeny.ask.laws.law import Law, fitted
from ontogeny.ask.laws.of_runs import points_of
from ontogeny.ask.laws.points import Points, points
from ontogeny.ask.laws.published import LAWS, published
from ontogeny.ask.laws.read import read_points

POINTS = read_points(Path(__file__).with_name("chinchilla_points.csv")).without_highest(5)
ERRORS = {"E": 0.03, "A": 124.58, "alpha": 0.02, "B": 1293.23, "beta": 0.02}
"""Standard errors that Besiroglu et al. print."""
NOISE, STARTS = 0.0075, 400
"""Of the synthetic losses: the typical error of the published points about their law."""


def summed(kept: Floats) -> tuple[float, Floats]:
    """Huber's loss of the published points, and its gradient."""
    found, slopes = log_loss_and_slopes(CHINCHILLA, kept[None], POINTS)
    errors = found[0] - POINTS.log("loss")
    return float(huber(errors, DELTA).sum()), np.clip(errors, -DELTA, DELTA) @ slopes[0]


def of_published(figures: Figures) -> None:
    """The published points, refitted."""
    started = time.process_time()
    law = fitted(POINTS, "chinchilla", samples=500)
    figures["published.cpu_seconds"] = round(time.process_time() - started, 2)
    _, theirs, *_ = LAWS["besiroglu"]
    for name, one in law.numbers().items():
        print(f"  {name}: {one.value:.4f} ({one.low:.4f} to {one.high:.4f}), printed {theirs[name]} +- {ERRORS[name]}")
    off = {name: abs(one.value - theirs[name]) / ERRORS[name] for name, one in law.numbers().items()}
    figures["published.worst_standard_errors"] = round(max(off.values()), 3)
    held = [one.low <= theirs[name] <= one.high for name, one in law.numbers().items()]
    figures["published.within_intervals"] = sum(held)
    scipy = minimize(lambda kept: tuple(1e3 * one for one in summed(kept)), law.kept + 0.01, jac=True, method="BFGS")
    figures["published.loss_over_scipy"] = round(law.value / summed(scipy.x)[0], 9)
    astray(law, figures)


def astray(law: Law, figures: Figures) -> None:
    """L-BFGS with SciPy's bounds on the mean: from some of Hoffmann's grid, the lowest; and from what they print."""
    draw = np.random.default_rng(0)
    factors, exponents, floors = np.arange(0, 30, 5), np.arange(0, 2.5, 0.5), np.arange(-1, 1.5, 0.5)
    starts = np.stack([draw.choice(one, STARTS) for one in (floors, factors, exponents, factors, exponents)], axis=1)
    ends = [by_mean(start) for start in starts.astype(np.float64)]
    best = min(ends, key=lambda kept: summed(kept)[0])
    figures["astray.mean_loss_over_ours"] = round(summed(best)[0] / law.value, 3)
    figures["astray.beta"] = round(float(best[4]), 4)
    print(
        f"  a mean, by L-BFGS: E {np.exp(best[0]):.3f}, alpha {best[2]:.4f}, beta {best[4]:.4f}; as printed 0.34, 0.28"
    )
    hoffmann = published("hoffmann")
    stayed = by_mean(hoffmann.kept)
    figures["astray.from_printed_alpha"], figures["astray.from_printed_beta"] = (
        round(float(stayed[i]), 4) for i in (2, 4)
    )
    errors = POINTS.log("loss") - log_loss(hoffmann.form, hoffmann.kept[None], POINTS)[0]
    figures["astray.rounded_median_error"] = round(float(np.median(errors)), 4)


def by_mean(start: Floats) -> Floats:
    """Where L-BFGS ends on the mean of the losses."""
    found: Floats = minimize(
        lambda kept: tuple(one / len(POINTS) for one in summed(kept)), start, jac=True, method="L-BFGS-B"
    ).x
    return found


def of_truth(figures: Figures, sets: int, samples: int) -> None:
    """Sets of points from the printed constants; the intervals of the numbers, of a forecast, and of an optimum."""
    truth = published("besiroglu")
    exact = log_loss(CHINCHILLA, truth.kept[None], POINTS)[0]
    right, best = truth.predict(70e9, 1.4e12).loss.value, truth.optimal(5.76e23).parameters.value
    held, failed = [], 0
    for seed in range(sets):
        noisy = np.exp(exact + NOISE * np.random.default_rng(seed).standard_normal(len(exact)))
        law = fitted(points(POINTS.parameters, POINTS.tokens, noisy), "chinchilla", samples, sets + seed, check=False)
        wanted = (*truth.numbers().values(), law.predict(70e9, 1.4e12).loss, law.optimal(5.76e23).parameters)
        found = (*law.numbers().values(), wanted[-2], wanted[-1])
        values = (*(one.value for one in truth.numbers().values()), right, best)
        held.append([one.low <= value <= one.high for one, value in zip(found, values, strict=True)])
        failed += law.failed
    shares = np.mean(held, axis=0)
    print(f"  intervals that hold, of {sets}: " + ", ".join(f"{one:.0%}" for one in shares))
    figures |= {"truth.coverage": round(float(shares.mean()), 3), "truth.least_coverage": round(float(shares.min()), 3)}
    figures["truth.failed_samples"] = failed


def of_runs(figures: Figures, full: bool) -> None:
    """The law of some runs against others that it has not seen."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        given = points_of(trained(Path(folder), SIZES if full else SIZES[:4], LENGTHS if full else LENGTHS[:4]))
        figures["runs.cpu_seconds"] = round(time.process_time() - started, 1)
    out = given.tokens == given.tokens.max()
    if full:
        out |= given.parameters == given.parameters.max()
    law = fitted(given.take(np.flatnonzero(~out)), "chinchilla")
    held = given.take(np.flatnonzero(out))
    errors, inside = zip(*(told(law, held, place) for place in range(len(held))), strict=True)
    figures |= {"runs.fitted": len(given) - len(held), "runs.held_out": len(held)}
    figures["runs.worst_error"] = round(max(errors), 4)
    figures["runs.inside"] = round(sum(inside) / len(inside), 3)


def told(law: Law, held: Points, place: int) -> tuple[float, bool]:
    """By what share a run's loss is missed, and whether it lies where a run was said to fall."""
    found = law.predict(held.parameters[place], held.tokens[place])
    loss = held.loss[place]
    print(
        f"  {held.names[place]}: {loss:.3f}, foretold {found.loss.value:.3f} "
        f"({found.run.low:.3f} to {found.run.high:.3f})"
    )
    return abs(found.loss.value / loss - 1), bool(found.run.low <= loss <= found.run.high)


def main() -> None:
    """All three."""
    options = arguments(__doc__ or "")
    one_thread()
    figures: Figures = {}
    of_published(figures)
    of_truth(figures, *((200, 500) if options.full else (50, 100)))
    of_runs(figures, options.full)
    targets: Targets = {
        "published.worst_standard_errors": ("<=", 0.1),
        "published.within_intervals": (">=", 5),
        "published.loss_over_scipy": ("<=", 1.000001),
        "truth.coverage": (">=", 0.92),
        "truth.least_coverage": (">=", 0.88),
        "runs.inside": (">=", 0.9),
        "runs.worst_error": ("<=", 0.05),
    }
    close("laws", figures, targets, peers("scipy"))


if __name__ == "__main__":
    main()
