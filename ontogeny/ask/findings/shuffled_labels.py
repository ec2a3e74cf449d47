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
Floats = npt.NDArray[np.float64]


def look(evidence: Evidence) -> Iterator[Finding]:
    """Whether neighbours agree on labels."""
    examples = evidence.examples
    if not examples.label or examples.label not in examples.valid or examples.train[examples.label].ndim != 1:
        raise Silent("no label for each example, in training and held out, is known")
    names = examples.inputs
    held, train = agreement(examples.valid, names, examples.label), agreement(examples.train, names, examples.label)
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


def agreement(arrays: Mapping[str, Array], names: tuple[str, ...], label: str) -> tuple[float, float]:
    """How often an example's nearest other one has its label, beyond chance, of the most; and the standard error."""
    found = {name: np.asarray(array) for name, array in arrays.items()}
    chosen = np.unique(np.linspace(0, len(found[label]) - 1, MOST).astype(int))
    labels = found[label][chosen]
    near = nearest_rows(spread([found[name][chosen] for name in names]))
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    chance = float(np.square(shares).sum())
    agree = float(np.mean(labels[near] == labels))
    left = max(1 - chance, 1e-9)
    return (agree - chance) / left, math.sqrt(chance * (1 - chance) / len(labels)) / left


def spread(arrays: list[Array]) -> Floats:
    """Rows of numbers, scaled alike; whole numbers as one column for each value, since those are names."""
    columns = []
    for array in arrays:
        flat = array.reshape(len(array), -1)
        if flat.dtype.kind in "iu" and len(np.unique(flat)) <= 256:
            columns += [(flat == value).astype(np.float64) for value in np.unique(flat)]
        else:
            flat = flat.astype(np.float64)
            columns.append((flat - flat.mean()) / max(float(flat.std()), 1e-12))
    return np.concatenate(columns, axis=1)


def nearest_rows(rows: Floats) -> npt.NDArray[np.int64]:
    """The nearest other row of each, by Euclid's distance."""
    squares = np.square(rows).sum(axis=1)
    distance = squares[:, None] + squares[None, :] - 2 * rows @ rows.T
    np.fill_diagonal(distance, np.inf)
    found: npt.NDArray[np.int64] = distance.argmin(axis=1)
    return found


KIND = Kind(NAME, "training labels do not belong to their inputs", look=look)
