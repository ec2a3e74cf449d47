"""Laws that others fitted to their own runs, to foretell by where one has none, and to compare with. No intervals.

Each is a form, its numbers, where it is from, and the largest numbers of parameters and tokens of the runs behind it.
"""

from __future__ import annotations

import numpy as np

from ontogeny.ask.laws.law import Law
from ontogeny.ask.laws.table import FORMS
from ontogeny.isa.errors import LawError

CHINCHILLAS = {"parameters": 16e9, "tokens": 318e9}
"""The largest of the runs of Hoffmann's figure 4, as they were read off it (`benches/chinchilla_points.csv`)."""
LAWS: dict[str, tuple[str, dict[str, float], str, dict[str, float]]] = {
    "besiroglu": (
        "chinchilla",
        {"E": 1.8172, "A": 482.01, "alpha": 0.3478, "B": 2085.43, "beta": 0.3658},
        "Besiroglu et al. 2024 (arXiv 2404.10102), from the points of Hoffmann's figure 4",
        CHINCHILLAS,
    ),
    "hoffmann": (
        "chinchilla",
        {"E": 1.69, "A": 406.4, "alpha": 0.34, "B": 410.7, "beta": 0.28},
        "Hoffmann et al. 2022 (arXiv 2203.15556), as printed; refuted by Besiroglu et al. 2024",
        CHINCHILLAS,
    ),
    "muennighoff": (
        "excess",
        {"E": 1.87, "A": 521, "alpha": 0.353, "B": 1488, "beta": 0.353, "R_D": 15.4, "R_N": 5.3},
        "Muennighoff et al. 2023 (arXiv 2305.16264), on C4",
        {"parameters": 8.7e9, "tokens": 900e9},
    ),
}


def published(name: str) -> Law:
    """A law by who published it. LawError with those there are."""
    if name not in LAWS:
        raise LawError(f"there is no published law {name!r}; there are {', '.join(LAWS)}")
    form, numbers, source, largest = LAWS[name]
    kinds = FORMS[form].numbers
    kept = np.array([numbers[one.name] if one.kind == "exponent" else np.log(numbers[one.name]) for one in kinds])
    return Law(FORMS[form], kept, np.zeros((0, len(kept))), source=source, largest=largest)
