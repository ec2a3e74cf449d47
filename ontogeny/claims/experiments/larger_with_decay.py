"""Strong decay makes larger monotonically better at fixed data: widths of a character model, each at its best decay."""

from __future__ import annotations

from typing import Any

from ontogeny.claims.claim import Claim, Expectation, Form, Measured, Series
from ontogeny.claims.tasks.decay import FULL, QUICK, grid

WEAK = 0.1


def measure(seed: int, **given: Any) -> Measured:
    """What each width gains over the one before, at the best decay of each and at the weak one."""
    found = grid(seed, **given)
    widths = sorted(found.cells)
    figures = {f"gain_to_{wide}": gain for wide, gain in zip(widths[1:], found.gains(), strict=True)}
    weak = {f"weak_gain_to_{wide}": gain for wide, gain in zip(widths[1:], found.gains(WEAK), strict=True)}
    least = {"least_gain": min(figures.values()), "least_weak_gain": min(weak.values())}
    bits = {f"bits_{width}": found.best(width).bits for width in widths}
    x = [float(width) for width in widths]
    best = Series("the best decay of each width", x, [*bits.values()])
    lines = [
        Series(f"decay {cell.decay:g}", x, [found.at(width, cell.decay).bits for width in widths])
        for cell in found.cells[widths[0]]
    ]
    return Measured({**least, **figures, **weak, **bits}, (best, *lines))


CLAIM = Claim(
    name="larger-with-decay",
    sentence="Strong weight decay makes larger monotonically better at fixed data.",
    how="A feed-forward network reads the eight characters before and foretells the next, of 60,000 characters of "
    "Python's manual, for eight and a half passes by AdamW; bits per character are those of the 40,000 held out, after "
    "1,998 of 2,000 steps. Three widths, each at its learning rate (the best tried on a seed that is not judged), and "
    "four decays of the matrices. A width's best decay is that of the grid with the fewest bits.",
    measure=measure,
    expects=(
        Expectation("least_gain", ">=", 0.0, "each width is better than the narrower one, each at its best decay"),
        Expectation("least_weak_gain", "<=", 0.0, "at a decay of 0.1 some width is no better than the narrower one"),
    ),
    quick=Form((0,), 3.0, QUICK),
    full=Form((0, 1, 2), 110.0, FULL),
    limits="One small task and network. The best decay is chosen by the held-out text that is judged, for every width "
    "alike, and so were the rates, with another seed. The figures belong to the version of Python whose manual it is.",
    axes=("width", "bits per held-out character"),
    logarithmic="x",
    source="Kim et al. 2025, Pre-training under infinite compute, arXiv 2509.14786",
)
