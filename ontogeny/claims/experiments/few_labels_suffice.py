"""Of how many circuits must be known what they do, for a model to be asked for one by its truth table?"""

from __future__ import annotations

from collections.abc import Sequence

from ontogeny.claims.claim import Claim, Expectation, Form, Measured, Series
from ontogeny.claims.experiments.circuits_need_no_labels import FULL, KINDS, QUICK
from ontogeny.claims.tasks.circuit_models import Size, answers

SHARES = {"hundredth": 0.01, "tenth": 0.1, "all": 1.0}


def measure(seed: int, *, shares: Sequence[str] = tuple(SHARES), **given: int) -> Measured:
    """The share of functions answered by the share of circuits that were labelled, with as many steps."""
    size = Size(**given)
    found = {name: answers(size, SHARES[name], seed) for name in shares}
    figures = {f"{name}_{kind}": one.tried[kind].within(size.trials) for name, one in found.items() for kind in KINDS}
    figures |= {f"{name}_likeliest_{kind}": one.likeliest[kind] for name, one in found.items() for kind in KINDS}
    figures |= {f"behind_{kind}": figures[f"all_{kind}"] - figures[f"tenth_{kind}"] for kind in KINDS}
    labelled = [SHARES[name] for name in shares]
    return Measured(figures, tuple(Series(kind, labelled, [figures[f"{n}_{kind}"] for n in shares]) for kind in KINDS))


CLAIM = Claim(
    name="few-labels-suffice",
    sentence="Labels of one circuit in ten serve as well as labels of all.",
    how="As circuits-need-no-labels, but the truth table stands before every circuit, before one in ten, or one in a "
    "hundred, drawn by lot, and before the others a sign that nothing is said. Where not all have one, half of what is "
    "learned from, in as many steps, are those that do, over and over. A function is answered if one of 32 trials "
    "computes it.",
    measure=measure,
    expects=(
        Expectation(
            "behind_seen", "<=", 0.05, "at most 5 points fewer functions of known designs than with all labels"
        ),
        Expectation("behind_unseen", "<=", 0.05, "and at most 5 points fewer functions that it never saw"),
    ),
    quick=Form((0, 1), 2.0, {**QUICK, "shares": ["tenth", "all"]}),
    full=Form((0, 1, 2), 135.0, FULL),
    limits="One size of network and little training; how labelled and unlabelled circuits are mixed is not tuned.",
    axes=("share of circuits labelled", "share of functions answered"),
    logarithmic="x",
    source="the one who asked for this project",
)
