"""failing_slice: a class or a cluster of inputs, held out, that it gets wrong while it gets the rest right."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ontogeny.ask.evidence import Evidence, Silent
from ontogeny.ask.finding import Finding, Remedy, series
from ontogeny.ask.findings.shuffled_labels import spread
from ontogeny.ask.kind import NONE, Kind
from ontogeny.ask.sureness import sureness

NAME = "failing_slice"
SHARE = 0.4
"""Of the accuracy on the rest, what a slice's accuracy is where it is as likely as not a fault."""
RIGHT = 0.8
"""What the accuracy on the rest has to be at least, for a slice to stand out."""
FEWEST = 8
CLUSTERS = 8
CLEAR = 4.0
"""Standard errors between a slice and the rest."""


def look(evidence: Evidence) -> Iterator[Finding]:
    """The worst slice at the last state; since when, of a few states."""
    inside, examples = evidence.inside, evidence.examples
    labels = evidence.labels(held_out=True)
    states = inside.steps[:: max(1, len(inside.steps) // 8)]
    states = tuple(dict.fromkeys((*states, inside.steps[-1])))
    if len(inside.held_out(states[-1])) != len(labels):
        raise Silent("its loss is not a cross entropy over one label for each held-out example")
    slices = slices_of(labels, spread([np.asarray(examples.valid[name]) for name in examples.inputs]))
    right = {step: inside.held_out(step).argmax(axis=1) == labels for step in states}
    scored = {name: slice_score(right[states[-1]], chosen) for name, chosen in slices.items()}
    worst = max(scored, key=lambda name: scored[name])
    if scored[worst] == NONE:
        return
    chosen, since = slices[worst], states[-1]
    for step in reversed(states):
        if slice_score(right[step], chosen) <= 0:
            break
        since = step
    own, rest = float(right[states[-1]][chosen].mean()), float(right[states[-1]][~chosen].mean())
    yield Finding(
        name=NAME,
        since=since,
        sureness=sureness(NAME, scored[worst]),
        words=f"{own:.0%} of the {chosen.sum()} held-out examples of {worst} are right, {rest:.0%} of the others",
        found=since,
        score=scored[worst],
        evidence=(
            series(f"accuracy on {worst}", states, (right[step][chosen].mean() for step in states)),
            series("accuracy on the others", states, (right[step][~chosen].mean() for step in states)),
        ),
        figures={"accuracy": own, "others": rest, "examples": float(chosen.sum())},
        remedies=(
            Remedy(
                f"look whether training has examples of {worst}, and with which labels; add some, or weigh them more"
            ),
        ),
        units=(worst,),
    )


def slices_of(labels: npt.NDArray[np.generic], rows: npt.NDArray[np.float64]) -> dict[str, npt.NDArray[np.bool_]]:
    """The examples of each label, and of each cluster of inputs."""
    groups = clusters(rows)
    found = {f"label {value}": np.asarray(labels == value) for value in np.unique(labels)}
    return found | {f"cluster {number}": np.asarray(groups == number) for number in range(CLUSTERS)}


def slice_score(right: npt.NDArray[np.bool_], chosen: npt.NDArray[np.bool_]) -> float:
    """Beyond 0 where a slice's accuracy is less than SHARE of the rest's; NONE where that is not clear."""
    count, others = int(chosen.sum()), int((~chosen).sum())
    if count < FEWEST or not others:
        return NONE
    own, rest = float(right[chosen].mean()), float(right[~chosen].mean())
    error = math.sqrt(rest * (1 - rest) / count + 0.25 / count / 4)
    if rest < RIGHT or rest - own < CLEAR * error:
        return NONE
    return math.log(SHARE * rest / max(own, 0.02))


def clusters(rows: npt.NDArray[np.float64], turns: int = 20) -> npt.NDArray[np.int64]:
    """The cluster of each row, by k-means from rows that lie far apart."""
    centres = [rows[0]]
    for _ in range(CLUSTERS - 1):
        far = np.min([np.square(rows - centre).sum(axis=1) for centre in centres], axis=0)
        centres.append(rows[int(far.argmax())])
    middles = np.array(centres)
    for _ in range(turns):
        squares = np.square(rows).sum(axis=1)[:, None] + np.square(middles).sum(axis=1)[None, :]
        own = (squares - 2 * rows @ middles.T).argmin(axis=1)
        for number in np.unique(own):
            middles[number] = rows[own == number].mean(axis=0)
    found: npt.NDArray[np.int64] = own
    return found


KIND = Kind(NAME, "held-out examples of one kind that it gets wrong", look=look)
