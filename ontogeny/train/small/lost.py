"""What was lost and won: loss and accuracy, by class, and the examples that turned wrong and right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ontogeny.isa.errors import SmallError
from ontogeny.machine.learner import Array
from ontogeny.train.small.teacher import log_softmax

SLICES = 200
"""So many classes are told apart at most: those with the most examples."""


@dataclass(frozen=True, slots=True)
class Quality:
    """The mean loss, cross entropy in nats or mean square, and for classes the share that is right."""

    loss: float
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class Slice:
    """One class: how many examples it has, and which share of them each network gets right."""

    label: int
    examples: int
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Lost:
    """A small network against the one that it was made from, on held-out examples, counted from 0.

    Where an example has several targets, as a sequence has, `turned_*` are [example, place]; their counts are whole.
    """

    before: Quality
    after: Quality
    slices: tuple[Slice, ...] = ()
    wrong: int = 0
    right: int = 0
    turned_wrong: tuple[object, ...] = ()
    turned_right: tuple[object, ...] = ()


def target_of(examples: Mapping[str, Array], scores: Array, read: list[str]) -> tuple[str, bool]:
    """Which input is the truth for these scores, and whether it is classes.

    It is one that `predict` does not read: whole numbers of the scores' shape without the last axis, or numbers of the
    scores' own shape. SmallError where there is none, or more than one.
    """
    others = {name: values for name, values in examples.items() if name not in read}
    classes = [n for n, v in others.items() if v.dtype.kind in "iu" and v.shape == scores.shape[:-1]]
    values = [n for n, v in others.items() if v.dtype.kind == "f" and v.shape == scores.shape]
    if len(found := classes or values) != 1:
        there = ", ".join(f"{name} {v.dtype}{list(v.shape)}" for name, v in others.items()) or "none"
        raise SmallError(
            f"predict gives scores {list(scores.shape)}, and exactly one input that it does not read must say what is "
            f"true: classes {list(scores.shape[:-1])} or values {list(scores.shape)}; there are {there}"
        )
    return found[0], bool(classes)


def quality(scores: Array, truth: Array, classes: bool) -> Quality:
    """Of scores f32[..., classes] for i64[...], or of values for values."""
    if not classes:
        return Quality(float(np.square(scores.astype(np.float64) - truth).mean()), None)
    logs = np.take_along_axis(log_softmax(scores), truth[..., None].astype(np.int64), -1)
    return Quality(float(-logs.mean()), float((scores.argmax(-1) == truth).mean()))


def lost(before: Array, after: Array, truth: Array, classes: bool, listed: int = 100) -> Lost:
    """What changed from scores to scores; at most `listed` examples of either kind are named."""
    whole = quality(before, truth, classes), quality(after, truth, classes)
    if not classes:
        return Lost(*whole)
    was, now = before.argmax(-1) == truth, after.argmax(-1) == truth
    labels, counts = np.unique(truth, return_counts=True)
    usual = np.sort(labels[np.argsort(-counts, kind="stable")[:SLICES]])
    slices = tuple(_slice(int(label), truth == label, was, now) for label in usual)
    turned = was & ~now, ~was & now
    wrong, right = (int(each.sum()) for each in turned)
    return Lost(*whole, slices, wrong, right, *(_named(each, listed) for each in turned))


def _slice(label: int, here: npt.NDArray[np.bool_], was: Array, now: Array) -> Slice:
    return Slice(label, int(here.sum()), float(was[here].mean()), float(now[here].mean()))


def _named(turned: npt.NDArray[np.bool_], listed: int) -> tuple[object, ...]:
    places = np.argwhere(turned)[:listed].tolist()
    return tuple(place[0] if len(place) == 1 else place for place in places)
