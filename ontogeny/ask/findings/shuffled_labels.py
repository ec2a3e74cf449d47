"""shuffled_labels: training labels do not go with their inputs, though those of held-out examples do.

By nearest neighbours, without any model: how often an example and its nearest other one have the same label, beyond
what chance gives. Where neighbours tell nothing about held-out labels either, they are no evidence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from ontogeny.ask.evidence import Evidence, Silent
from ontogeny.ask.finding import Finding, Remedy
from ontogeny.ask.kind import Kind
from ontogeny.ask.sureness import sureness
from ontogeny.data.base import Array

NAME = "shuffled_labels"
MOST = 1500
"""Examples that are looked at, drawn evenly."""
SHARE = 0.25
"""Of what neighbours tell about held-out labels, what they tell about training labels where it is as likely as not."""
CLEAR = 4.0
"""So many standard errors beyond chance is telling."""
NAMES, COLUMNS = 256, 4096
"""Whole numbers of so many values at most are names; and the most columns that rows are compared by."""
Floats = npt.NDArray[np.float64]


def look(evidence: Evidence) -> Iterator[Finding]:
    """Whether neighbours agree on labels."""
    examples = evidence.examples
    names = examples.inputs
    held = agreement(examples.valid, names, evidence.labels(held_out=True))
    train = agreement(examples.train, names, evidence.labels())
    if held[0] < CLEAR * held[1]:
        raise Silent("nearest neighbours do not tell the labels of held-out examples either")
    told = max(train[0], train[1] / 4)
    score = math.log(SHARE * held[0] / told)
    yield Finding(
        name=NAME,
        since=0,
        sureness=sureness(NAME, score),
        words=(
            f"neighbours agree on their label {held[0]:.0%} beyond chance among held-out examples, {train[0]:.0%} "
            "among training examples"
        ),
        score=score,
        figures={"held_out": held[0], "train": train[0]},
        remedies=(Remedy("find where inputs and labels are put together, and keep them in one order; begin anew"),),
    )


def agreement(
    arrays: Mapping[str, Array], names: tuple[str, ...], labels: npt.NDArray[np.int64]
) -> tuple[float, float]:
    """How often an example's nearest other one has its label, beyond chance, of the most; and the standard error."""
    chosen = np.unique(np.linspace(0, len(labels) - 1, MOST).astype(int))
    labels = labels[chosen]
    near = nearest_rows(spread([np.asarray(arrays[name])[chosen] for name in names]))
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    chance = float(np.square(shares).sum())
    agree = float(np.mean(labels[near] == labels))
    left = max(1 - chance, 1e-9)
    return (agree - chance) / left, math.sqrt(chance * (1 - chance) / len(labels)) / left


def spread(arrays: list[Array]) -> Floats:
    """Rows of numbers, scaled alike; whole numbers as one column for each value, since those are names.

    Where these would be too many columns, how often each value is there; of other numbers, some evenly spread.
    """
    columns = []
    for array in arrays:
        flat = array.reshape(len(array), -1)
        values = np.unique(flat) if flat.dtype.kind in "iu" else ()
        if 0 < len(values) <= NAMES:
            own = [(flat == value).astype(np.float64) for value in values]
            wide = len(values) * flat.shape[1] > COLUMNS
            columns += [one.sum(axis=1, keepdims=True) for one in own] if wide else own
        else:
            chosen = np.unique(np.linspace(0, flat.shape[1] - 1, COLUMNS).astype(int))
            numbers = flat[:, chosen].astype(np.float64)
            columns.append((numbers - numbers.mean()) / max(float(numbers.std()), 1e-12))
    return np.concatenate(columns, axis=1)


def nearest_rows(rows: Floats) -> npt.NDArray[np.int64]:
    """The nearest other row of each, by Euclid's distance."""
    squares = np.square(rows).sum(axis=1)
    distance = squares[:, None] + squares[None, :] - 2 * rows @ rows.T
    np.fill_diagonal(distance, np.inf)
    found: npt.NDArray[np.int64] = distance.argmin(axis=1)
    return found


KIND = Kind(NAME, "training labels do not belong to their inputs", look=look)
