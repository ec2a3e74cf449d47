"""Shrink and perturb (Ash and Adams 2020, arXiv 1910.08475): now and then a learner is brought closer to its beginning.

They found that a network which goes on to more data generalises worse than one that begins anew, and not once it was
shrunk and given fresh noise. The routine is that of the edit `perturb` (`front/edits/perturb.py`), which a run that
goes on already gets by `ontogeny rule RUN perturb`; this gives it to a learner, with the spread that its tensors had.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ontogeny.front.edits import apply
from ontogeny.front.edits.places import matching
from ontogeny.machine.base import value_of
from ontogeny.machine.learner import Learner
from ontogeny.train.regimes.taught import taught


def with_shrink_perturb(
    learner: Learner, *, every: int = 0, shrink: float = 0.4, sigma: float = 0.1, tensors: Sequence[str] = ()
) -> Learner:
    """The learner with a routine `perturb`, p = shrink * p + sigma * noise, every `every` steps or when called.

    The noise of a tensor is normal with the standard deviation of its initial values, keyed by seed and step. Dials:
    `perturb_every`, `perturb_shrink`, `perturb_sigma`. Raises EditError for what cannot be done.
    """
    decls = [d for d in matching(learner.program, tuple(tensors) or ("*",)) if d.type.dtype.is_float]
    spread = {d.name: float(np.std(value_of(d, learner.values).astype(np.float64))) for d in decls}
    given: dict[str, Any] = {"every": every, "shrink": shrink, "sigma": sigma, "deviations": spread}
    given |= {"tensors": tuple(tensors)} if tensors else {}
    return taught(learner, apply(learner.program, "perturb", **given))
