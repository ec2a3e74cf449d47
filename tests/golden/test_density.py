"""A small density, number by number: five lines over six steps, among them one that turns not finite."""

from __future__ import annotations

import numpy as np

from ontogeny.ask.chart import chart
from ontogeny.record.trace.arrays import ArrayTraces

LINES = np.array(
    [[0, 1, 4, 2, -3], [1, 1, 3, 2, -3], [2, 1, 2, 2, -2], [3, 1, 1, 2, np.inf], [4, 1, 0, 2, 1], [5, 1, -1, 2, 2]],
    np.float32,
)
EXPECTED = """\
.    .    .    .    .    .    .    .    .    .
.    .    .    .    .    .    .    .    .    1
1    .    .    .    .    .    .    1    1    .
.    1    1    .    .    1    1    .    .    .
1    1    1    3    3    1    1    1    1    2
1    2    2    1    1    2    2    1    2    1
1    .    .    .    .    .    .    1    1    .
.    .    .    .    .    .    .    .    .    1
.    .    .    1    .    .    .    .    .    .
1    1    1    .    .    .    .    .    .    .
not finite
.    .    .    .    1    1    1    1    .    .
"""


def printed() -> str:
    """The density in rows, the highest first."""
    found = chart(ArrayTraces({"w": LINES}), columns=10, rows=10, span=(-3.5, 6.5)).panels[0].density
    rows = [*found.counts[::-1], None, found.nonfinite]
    words = [["not finite"] if row is None else [f"{value:.2g}" if value else "." for value in row] for row in rows]
    return "".join("".join(f"{word:<5}" for word in row).rstrip() + "\n" for row in words)


def test_a_small_density_is_what_it_was() -> None:
    assert printed() == EXPECTED
