"""The best decay grows with size: where bits per held-out character are fewest, over widths of a character model."""

from __future__ import annotations

from typing import Any

from ontogeny.claims.claim import Claim, Expectation, Form, Measured, Series
from ontogeny.claims.tasks.decay import FULL, QUICK, grid


def measure(seed: int, **given: Any) -> Measured:
    """The power of the width that the best decay grows with; beside it that of decay times rate."""
    found = grid(seed, **given)
    widths, rates = sorted(found.cells), {int(width): rate for width, rate in given["rates"].items()}
    lowest = {width: found.lowest(width) for width in widths}
    shrinks = [lowest[width] * rates[width] for width in widths]
    lines = (
        Series("best decay", [float(width) for width in widths], list(lowest.values())),
        Series(
            "times the learning rate, in thousandths", [float(width) for width in widths], [1e3 * s for s in shrinks]
        ),
    )
    figures = {"power": found.power()[0], "times_wider": lowest[widths[-1]] / lowest[widths[0]]}
    figures |= {"times_wider_with_rate": shrinks[-1] / shrinks[0]}
    return Measured({**figures, **{f"best_{width}": lowest[width] for width in widths}}, lines)


CLAIM = Claim(
    name="best-decay-grows",
    sentence="The best weight decay grows with size.",
    how="The cells of `larger-with-decay`: three widths, each at its own learning rate, and four decays. The best "
    "decay of a width lies where a parabola in its logarithm, through the best of the four and its neighbours, is "
    "lowest; at an end of the grid it is that end. A power of the width is fitted to the three.",
    measure=measure,
    expects=(Expectation("power", ">=", 0.0, "the best decay grows with a power of the width above 0"),),
    quick=Form((0,), 3.0, QUICK),
    full=Form((0, 1, 2), 110.0, FULL),
    limits="Decay is times the learning rate, which is larger for the narrowest network (5e-3, the others' 2e-3): by "
    "that product the best decay grows less, times_wider_with_rate in place of times_wider. Four decays, a factor of "
    "three to ten apart. Measured in one process after `larger-with-decay`, whose cells and CPU seconds they are.",
    axes=("width", "best decay"),
    logarithmic="xy",
    source="Kim et al. 2025, Pre-training under infinite compute, arXiv 2509.14786",
)
