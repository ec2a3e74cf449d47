"""The fit itself: Huber's loss of log losses, brought down from many starts, or for many samples, all at once.

The method is Levenberg and Marquardt's with analytic derivatives, on the curvature that Huber's loss has where it is
quadratic. Huber's bound begins wide (least squares) and narrows to 1e-3 (Hoffmann et al. 2022, D.2) in steps, each from
where the one before ended: where the bound is far below the residuals the loss is nearly their absolute sum, on which a
descent from afar stalls (Madsen and Nielsen 1990). Sums, not means: a mean made Hoffmann's own fit stop before it was
there (Besiroglu et al. 2024).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ontogeny.ask.laws.forms import Floats, Form, log_loss, log_loss_and_slopes
from ontogeny.ask.laws.points import Points

Places = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
DELTA = 1e-3
"""Where Huber's loss turns from a square into a line, in log loss."""
WIDTHS = (1.0, 3e-2, 1e-2, 3e-3, DELTA)
ROUNDS = 200
ENOUGH = 1e-11
"""A descent has arrived where it comes down by less than this share, several times in a row."""
ROUGHLY = 1e-5
"""The same before the last width."""
PATIENCE = 4


@dataclass(frozen=True, slots=True)
class Minima:
    """Where B descents ended: numbers f64[B, P], Huber's loss there f64[B], and whether each arrived."""

    kept: Floats
    value: Floats
    arrived: Bools

    def best(self) -> int:
        """The lowest of those that arrived, else of all; -1 where none is finite."""
        among = np.where(self.arrived, self.value, np.inf)
        among = among if np.isfinite(among).any() else self.value
        return int(np.argmin(among)) if np.isfinite(among).any() else -1


@dataclass(frozen=True)
class Task:
    """A form, points and, for each descent, how often each point counts: f64[B, n] or f64[1, n]."""

    form: Form
    points: Points
    weights: Floats

    def weighing(self, places: Places) -> Floats:
        """The weights of some descents."""
        return self.weights if len(self.weights) == 1 else self.weights[places]


def descend(task: Task, starts: Floats, widths: tuple[float, ...] = WIDTHS, rounds: int = ROUNDS) -> Minima:
    """From each of the starts f64[B, P] to the minimum that it leads to."""
    scales = task.form.scales(task.points)
    at = np.linalg.solve(scales, starts.T).T.astype(np.float64)
    value: Floats = np.full(len(at), np.inf)
    arrived: Bools = np.zeros(len(at), bool)
    with np.errstate(all="ignore"):
        for width in widths:
            enough = ENOUGH if width == widths[-1] else ROUGHLY
            at, value, arrived = _stage(task, scales, at, (width, enough), rounds)
    return Minima(at @ scales.T, value, arrived)


def huber(residuals: Floats, width: float) -> Floats:
    """Half the square, or beyond the width the line that continues it."""
    size = np.abs(residuals)
    return np.where(size <= width, 0.5 * size * size, width * (size - 0.5 * width))


def _value(task: Task, kept: Floats, width: float, places: Places) -> Floats:
    residuals = log_loss(task.form, kept, task.points) - task.points.log("loss")
    found: Floats = (task.weighing(places) * huber(residuals, width)).sum(axis=1)
    return np.where(np.isfinite(found), found, np.inf)


def _derivatives(
    task: Task, kept: Floats, scales: Floats, width: float, places: Places
) -> tuple[Floats, Floats, Floats]:
    """The gradient f64[B, P], the curvature within the width, and over all points, f64[B, P, P]."""
    found, slopes = log_loss_and_slopes(task.form, kept, task.points)
    residuals, slopes = found - task.points.log("loss"), slopes @ scales
    weights = task.weighing(places)
    gradient = np.einsum("bn,bnp->bp", weights * np.clip(residuals, -width, width), slopes)
    within = weights * (np.abs(residuals) <= width)
    turned = np.swapaxes(slopes, 1, 2)
    return gradient, (turned * within[:, None]) @ slopes, (turned * (weights * np.ones_like(within))[:, None]) @ slopes


def _stage(
    task: Task, scales: Floats, at: Floats, bounds: tuple[float, float], rounds: int
) -> tuple[Floats, Floats, Bools]:
    """All descents at one width, each until it comes down by no more than a share."""
    (width, enough), at = bounds, at.copy()
    everyone = np.arange(len(at))
    value = _value(task, at @ scales.T, width, everyone)
    damping, idle = np.full(len(at), 1e-2), np.zeros(len(at), np.int64)
    for _ in range(rounds):
        going = np.flatnonzero((idle < PATIENCE) & (damping < 1e12) & np.isfinite(value))
        if not len(going):
            break
        parts = _derivatives(task, at[going] @ scales.T, scales, width, going)
        trial = at[going] + _step(*parts, damping[going])
        reached = _value(task, trial @ scales.T, width, going)
        lower = reached < value[going]
        small = ~lower | (value[going] - reached <= enough * value[going])
        at[going[lower]] = trial[lower]
        value[going[lower]] = reached[lower]
        damping[going] = np.where(lower, np.maximum(damping[going] / 5, 1e-12), damping[going] * 6)
        idle[going] = np.where(small, idle[going] + lower, 0)
    return at, value, np.isfinite(value) & ((idle >= PATIENCE) | (damping >= 1e12))


def _step(gradient: Floats, within: Floats, over_all: Floats, damping: Floats) -> Floats:
    """Marquardt's step: damped by each number's own curvature over all points."""
    count = gradient.shape[1]
    own = np.einsum("bpp->bp", over_all)
    own = np.maximum(own, 1e-10 * own.max(axis=1, keepdims=True)) + 1e-30
    damped = within + (damping[:, None] * own)[:, :, None] * np.eye(count)
    usable = np.isfinite(damped).all(axis=(1, 2)) & np.isfinite(gradient).all(axis=1)
    damped = np.where(usable[:, None, None], damped, np.eye(count))
    step = np.linalg.solve(damped, -gradient[..., None])[..., 0].astype(np.float64)
    return np.where(usable[:, None], step, 0.0)
