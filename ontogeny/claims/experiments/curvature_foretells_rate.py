"""The largest Hessian eigenvalue before training foretells what a learning rate will do: lazy, catapult, diverging."""

from __future__ import annotations

from ontogeny.ask.phase import Phase
from ontogeny.claims.claim import Claim, Expectation, Form, Measured, Series
from ontogeny.claims.tasks.wide import spread, tried

NAMES = ("linear", "relu")
ORDER: dict[Phase | None, float] = {Phase.LAZY: 0.0, Phase.CATAPULT: 1.0, Phase.DIVERGING: 2.0, None: -1.0}


def measure(seed: int, *, rates: int, steps: int) -> Measured:
    """The share of rates that was foretold rightly, on both networks, and what each rate did."""
    figures, series = dict[str, float](), list[Series]()
    for name in NAMES:
        found = tried(name, seed, spread(rates), steps)
        figures[name] = sum(told.phase is did.phase for told, did in found) / len(found)
        over = [told.rate * told.sharpness.value for told, _ in found]
        series.append(Series(name, over, [ORDER[did.phase] for _, did in found]))
    return Measured(figures, tuple(series))


CLAIM = Claim(
    name="curvature-foretells-rate",
    sentence="The largest curvature before training foretells whether a learning rate is lazy, catapults or diverges.",
    how="Two wide networks, one of two layers without a nonlinearity and one of three hidden layers of ReLU, with a "
    "squared error and all examples at every step. The largest eigenvalue l of the Hessian is measured before the "
    "first step; a rate below 2/l is foretold to be lazy, one up to 4/l (12/l with ReLU) to catapult, one above to "
    "diverge. Then each rate is a run: lazy where its loss never rose, a catapult where it rose, came down below and "
    "the curvature is less, diverging where it is no finite number or every unit died.",
    measure=measure,
    expects=(
        Expectation("linear", ">=", 0.95, "at least 95% of rates are foretold rightly without a nonlinearity", (0, 1)),
        Expectation("relu", ">=", 0.95, "and with ReLU", (0, 1)),
    ),
    quick=Form((0,), 2.0, {"rates": 4, "steps": 40}),
    full=Form((0, 1, 2, 3), 30.0, {"rates": 40, "steps": 80}),
    limits="Networks near the limit of large width, on inputs in random directions with ReLU. There 12/l is about "
    "right; where the same network reads handwritten digits it is lost from about 9/l on, and one hidden layer of ReLU "
    "was never lost. Nothing is said of small batches, momentum, Adam or cross entropy.",
    axes=("learning rate times l", "0 lazy, 1 catapult, 2 diverging, -1 none"),
    logarithmic="x",
    source="Lewkowycz et al. 2020, arXiv 2003.02218",
)
