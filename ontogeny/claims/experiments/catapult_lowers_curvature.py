"""A catapult lowers curvature: the sharpness after training against the learning rate, below and above 2/l."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import geometric_mean

from ontogeny.ask.phase import Phase
from ontogeny.claims.claim import Claim, Expectation, Form, Measured, Series
from ontogeny.claims.tasks.wide import at, tried

NAMES = {"linear": 3.0, "relu": 7.0}
"""The networks, and which rate times l is looked at, between the bounds."""


def measure(seed: int, *, beside: Sequence[float], steps: int) -> Measured:
    """The sharpness after training over that before, where it was catapulted and where it was not."""
    figures, series, risen = dict[str, float](), list[Series](), list[float]()
    for name, over in NAMES.items():
        every = sorted({1.0, over, *(one for one in beside if one <= over * 4 / 3)})
        found = tried(name, seed, at(every), steps)
        left = {one: did.after.value / did.before.value for one, (_, did) in zip(every, found, strict=True)}
        figures |= {f"left_{name}": left[over], f"left_{name}_lazy": left[1.0]}
        risen.append(float(found[every.index(over)][1].phase is Phase.CATAPULT))
        series.append(Series(name, every, [left[one] for one in every]))
    figures["catapulted"] = min(risen)
    figures["times_lower"] = geometric_mean(figures[f"left_{n}_lazy"] / figures[f"left_{n}"] for n in NAMES)
    return Measured(figures, tuple(series))


CLAIM = Claim(
    name="catapult-lowers-curvature",
    sentence="A catapult lowers the curvature that training ends at.",
    how="The two wide networks, from the same first values, by gradient descent at 1/l, where l is the largest "
    "eigenvalue of the Hessian before the first step, and at a rate between the bounds: 3/l without a nonlinearity, "
    "7/l with ReLU. The eigenvalue is measured again after the last step.",
    measure=measure,
    expects=(
        Expectation("catapulted", ">=", 1.0, "the larger rate catapults: the loss rises, and comes down below"),
        Expectation("left_linear", "<=", 0.5, "it leaves at most half of the curvature without a nonlinearity"),
        Expectation("left_relu", "<=", 0.5, "and with ReLU"),
        Expectation("left_linear_lazy", ">=", 0.9, "the smaller rate leaves nine tenths of it without a nonlinearity"),
        Expectation("left_relu_lazy", ">=", 0.9, "and with ReLU"),
    ),
    quick=Form((0,), 2.0, {"beside": [], "steps": 40}),
    full=Form((0, 1, 2, 3), 8.0, {"beside": [0.5, 1.5, 2.5, 3.5, 5.0, 9.0], "steps": 80}),
    limits="Wide networks, a squared error, all examples at every step. That flatter is better on unseen examples is "
    "not asked here.",
    axes=("learning rate times l", "sharpness after, of that before"),
    logarithmic="x",
    source="Lewkowycz et al. 2020, arXiv 2003.02218",
)
