"""Asked for a circuit with a given truth table: does a model need labels of what the circuits it learned from do?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ontogeny.claims.claim import Claim, Expectation, Form, Measured, Series
from ontogeny.claims.tasks.asked import Tried, blind, tried_on_all
from ontogeny.claims.tasks.circuit_models import SPELLING, Answers, Size, answers, asked_for

KINDS = ("seen", "unseen")
QUICK = {"draws": 20_000, "tries": 0, "steps": 2, "width": 16, "depth": 1, "functions": 4, "trials": 4, "pool": 64}
FULL = {
    "draws": 300_000,
    "tries": 4,
    "steps": 1000,
    "width": 64,
    "depth": 2,
    "functions": 40,
    "trials": 32,
    "pool": 4096,
}


def measure(seed: int, **given: int) -> Measured:
    """Labels of all circuits, of none, and random netlists: the share of functions that so many trials have right."""
    size = Size(**given)
    labelled, without = (answers(size, share, seed) for share in (1.0, 0.0))
    netlists, trials = blind(SPELLING, size.pool, seed), size.trials
    random = {kind: tried_on_all(SPELLING.inputs, netlists, part) for kind, part in asked_for(size, seed).items()}
    tables = {"labelled": labelled.tried, "without": without.tried, "random": random}
    figures = {f"{name}_{kind}": found[kind].within(trials) for name, found in tables.items() for kind in KINDS}
    for name, found in tables.items():
        figures |= {f"{name}_{kind}_guided": found[kind].within(trials, guided=True) for kind in KINDS}
    for name in ("without", "random"):
        figures |= {f"{name}_{kind}_of_all": tables[name][kind].within(size.pool) for kind in KINDS}
    figures |= {f"likeliest_{kind}": labelled.likeliest[kind] for kind in KINDS}
    figures |= {"labelled_gates_more": gates_more(labelled), "without_gates_more": gates_more(without)}
    for kind in KINDS:
        figures[f"behind_{kind}"] = figures[f"labelled_{kind}"] - figures[f"without_{kind}"]
    figures["over_random"] = sum(figures[f"without_{kind}"] - figures[f"random_{kind}"] for kind in KINDS) / 2
    return Measured(figures, tuple(line for name, found in tables.items() for line in lines(name, found, trials)))


def gates_more(found: Answers) -> float:
    """Gates of the smallest right circuits that came above the smallest known, in the mean of what was answered."""
    above = np.concatenate([found.tried[kind].gates - found.smallest[kind] for kind in KINDS])
    return float(np.nanmean(above)) if np.isfinite(above).any() else float("nan")


def lines(name: str, found: Mapping[str, Tried], trials: int) -> list[Series]:
    """The share of the functions of either kind that are right within 1, 2, 4... trials."""
    counts = [1 << power for power in range(trials.bit_length())]
    return [Series(f"{name}, {kind}", counts, [found[kind].within(count) for count in counts]) for kind in KINDS]


CLAIM = Claim(
    name="circuits-need-no-labels",
    sentence="A model trained on circuit designs needs no label of what each circuit does to be asked for one.",
    how="A transformer of two blocks learns designs gate after gate: NAND circuits of three inputs, up to 64 of each "
    "function, none more than a gate above the smallest known. With labels, the truth table stands before the gates, "
    "and it is asked by a truth table; without, it writes circuits as it likes. Either way what it writes is "
    "simulated, and a function is answered if one of 32 trials computes it. A fifth of the functions, whole classes "
    "under reordered inputs, were never seen. `random` are netlists drawn at random. `guided` counts a circuit also if "
    "one of its wires is right or the NAND of two would be, `of_all` any of all 4,096 that were written unasked; "
    "`likeliest` is the first answer without chance, `gates_more` how much larger answers are than the smallest known.",
    measure=measure,
    expects=(
        Expectation("behind_seen", "<=", 0.05, "without labels, at most 5 points fewer functions of known designs"),
        Expectation("behind_unseen", "<=", 0.05, "and at most 5 points fewer functions that it never saw"),
        Expectation("over_random", ">=", 0.05, "and at least 5 points more than random netlists"),
    ),
    quick=Form((0, 1), 5.0, QUICK),
    full=Form((0, 1, 2), 95.0, FULL),
    limits="One size of network, little training, three inputs. A label costs nothing here, since it is what the "
    "simulator says of a circuit: what a model may need is labelled data, not somebody who labels. Circuits that "
    "nobody asked for are tried for every function at once, so where many functions are wanted the same ones serve "
    "all. With more trials anything is found: there are 251 functions.",
    axes=("trials", "share of functions answered"),
    logarithmic="x",
    source="the one who asked for this project",
)
