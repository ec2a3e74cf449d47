"""A learner found from nothing on small images: pairs of the 8 x 8 digits of scikit-learn, for AutoML-Zero's of CIFAR.

Each of 16 pairs is thrown onto 16 features at random; a tape learns 200 examples one after another, and is judged on
100 others. 16 other pairs say whether what was found is a learner, or these pairs' own; a straight line fitted to each
pair says what there is to reach. Needs scikit-learn: pip install ontogeny[demo].

    python examples/digit_learners.py [--seed 1] [--evaluations 4000000]
"""

import argparse
import time
from itertools import combinations

import numpy as np
from sklearn.datasets import load_digits

from ontogeny.evolve import search
from ontogeny.evolve.tapes.ageing import TapeAgeing
from ontogeny.evolve.tapes.candidates import Instructions, Learners, Learning
from ontogeny.evolve.tapes.explained import ablated, simplified
from ontogeny.machine.swarm.learners import Tasks, predictions
from ontogeny.machine.swarm.learners_operations import DEMO
from ontogeny.machine.swarm.learners_tape import Tape


def digit_pairs(first: int, seed: int, count: int = 16, features: int = 16) -> Tasks:
    """Tasks of telling two digits apart, labels -1 and 1, by a random projection each: 200 to learn from, 100 after."""
    images, digits = load_digits(return_X_y=True)
    images = (images - images.mean(axis=0)) / 16
    pairs = np.random.default_rng(0).permutation(list(combinations(range(10), 2)))[first : first + count]
    rng, given, labels = np.random.default_rng(seed), [], []
    for one, other in pairs:
        rows = rng.permutation(np.flatnonzero((digits == one) | (digits == other)))[:300]
        thrown = images[rows] @ rng.standard_normal((64, features))
        given.append(thrown / thrown.std())
        labels.append(np.where(digits[rows] == one, 1.0, -1.0))
    return Tasks(np.stack(given), np.stack(labels), 200)


def accuracy(found: Tape, tasks: Tasks) -> float:
    """The share of examples, of those not learnt from, whose label has the prediction's sign."""
    predicted, _ = predictions(found, tasks)
    return float(((predicted > 0) == (tasks.labels > 0))[:, tasks.train :].mean())


def least_squares(tasks: Tasks) -> float:
    """The same of a straight line fitted to each task."""
    right, train = [], tasks.train
    for given, labels in zip(tasks.features, tasks.labels, strict=True):
        line = np.linalg.lstsq(given[:train], labels[:train], rcond=None)[0]
        right.append(((given @ line > 0) == (labels > 0))[train:].mean())
    return float(np.mean(right))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--evaluations", type=int, default=4_000_000)
    given = options.parse_args()
    seed, evaluations = given.seed, given.evaluations
    tasks, unseen = digit_pairs(0, seed), digit_pairs(16, seed + 1)
    method = TapeAgeing(Instructions(operations=(*DEMO, 1, 47)), restart=500_000)
    started = time.process_time()
    found = search(method, Learning(tasks, Learners(4, 3, 1, 16), enough=0.0), seed=seed, evaluations=evaluations)
    short, _ = simplified(found.best, unseen)
    print(f"{found}, {time.process_time() - started:.1f} s of CPU\n\n{short}\n", *ablated(short, unseen), sep="\n")
    print(f"\naccuracy on its own pairs {accuracy(short, tasks):.3f}, on 16 others {accuracy(short, unseen):.3f}")
    print(f"least squares {least_squares(tasks):.3f} and {least_squares(unseen):.3f}")


if __name__ == "__main__":
    main()
