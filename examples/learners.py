"""A learner found from nothing: regularised evolution of empty tapes on AutoML-Zero's linear tasks.

What was found is printed, simplified by proof on tasks that the search never saw, explained by what each row is worth,
shown as a program of the language, and run as a learner of its own: recorded, and on other data than it was found on.

    python examples/learners.py [--seed 104] [--to runs/found]
"""

import argparse
import time
from pathlib import Path

import numpy as np

import ontogeny as og
from ontogeny.evolve import search
from ontogeny.evolve.tapes.ageing import TapeAgeing
from ontogeny.evolve.tapes.candidates import Learning, linear
from ontogeny.evolve.tapes.explained import ablated, simplified
from ontogeny.evolve.tapes.learner import recorded_learner
from ontogeny.isa.text import to_text
from ontogeny.machine.swarm.learners import learners
from ontogeny.machine.swarm.learners_program import to_program
from ontogeny.machine.swarm.learners_tape import Tape


def recorded(found: Tape, folder: Path, seed: int) -> None:
    """A run of the learner on 400 noisy examples of one linear task, 100 held out, four at a time."""
    rng = np.random.default_rng(seed)
    x, weights = rng.standard_normal((500, found.banks.features)), rng.standard_normal(found.banks.features)
    y = x @ weights + 0.05 * rng.standard_normal(500)
    data = og.Arrays({"x": x[:400], "y": y[:400]}, batch_size=4, seed=seed)
    learner = recorded_learner(found, batch=4, valid=100, name="found")
    held_out = {"valid.x": x[400:], "valid.y": y[400:]}
    with og.create(folder, learner, data, valid=held_out, evaluate_every=20, seed=seed) as run:
        run.advance(100)
        rows = [(int(row["step"]), row["loss"]) for row in run.evaluations()]
    print(f"recorded in {folder}:", *(f"step {step}: held-out loss {loss:.5f}" for step, loss in rows), sep="\n  ")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=104)
    options.add_argument("--evaluations", type=int, default=2_000_000)
    options.add_argument("--to", type=Path, help="a folder for the recorded run")
    given = options.parse_args()
    started = time.process_time()
    fitness = Learning(linear(seed=given.seed), enough=0.01)
    found = search(TapeAgeing(), fitness, seed=given.seed, evaluations=given.evaluations)
    print(f"{found}, {time.process_time() - started:.1f} s of CPU\n\n{found.best}\n")
    unseen = linear(20, 100, 100, seed=1_000_000)
    short, gone = simplified(found.best, unseen)
    print(f"simplified, {len(gone)} of {len(found.best)} rows out:", *gone, sep="\n  ")
    print("\nwhat each row is worth on 20 unseen tasks:", *ablated(short, unseen), sep="\n  ")
    long = float(learners([short], linear(100, 1000, 100, seed=1_000_000), 1)[0])
    print(
        f"\nwith 1,000 examples each, 100 unseen tasks: fitness {1 - long:.6f}\n\n{to_text(to_program(short, 'found'))}"
    )
    if given.to is not None:
        recorded(short, given.to, given.seed)


if __name__ == "__main__":
    main()
