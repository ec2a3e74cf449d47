"""Lines with fewer points, from which no spike is lost."""

from __future__ import annotations

import numpy as np

from ontogeny.faces.view import Line

MOST_POINTS = 4000


def thinned(line: Line, most: int = MOST_POINTS) -> Line:
    """The line with at most `most` points: of every stretch its first, lowest and highest, so that no spike is lost."""
    steps, values = line
    if len(steps) <= most:
        return line
    kept: set[int] = {len(steps) - 1}
    for stretch in np.array_split(np.arange(len(steps)), most // 3):
        finite = np.nan_to_num(values[stretch], nan=0.0)
        kept |= {int(stretch[0]), int(stretch[finite.argmin()]), int(stretch[finite.argmax()])}
    places = np.array(sorted(kept))
    return steps[places], values[places]
