"""Evolution strategies: the rule's gradient is estimated from losses alone (Salimans et al. 2017, arXiv 1703.03864).

Backpropagation gives nothing through a hard threshold, a sort or a simulator; a loss that can be computed is enough
here. Each step costs one forward pass and two for each pair of opposite perturbations.
"""

from __future__ import annotations

from dataclasses import replace

from ontogeny.front.rules.rule import Estimate, Rule
from ontogeny.isa.errors import ProgramError

SIGMA = "sigma"


def es(rule: Rule, *, pairs: int = 32, sigma: float = 0.02, rank: int = 0, shaped: bool = True) -> Rule:
    """The same rule on gradients by evolution strategies; the dial `sigma` is the perturbations' standard deviation.

    `pairs` opposite perturbations a step. `rank` perturbs each matrix by a product of two thin ones of that rank (as
    EGGROLL does, Sarkar et al. 2025, arXiv 2511.16652); 0 is full rank. `shaped` goes by the losses' ranks, so that
    neither their scale nor an outlier counts; without, by their differences, which estimates the smoothed gradient
    itself. Raises ProgramError for numbers out of range.
    """
    if pairs < 1 or rank < 0 or not sigma > 0:
        raise ProgramError(f"es: {pairs} pairs, rank {rank}, sigma {sigma:g}; expected 1 or more, 0 or more, above 0")
    if rule.estimate or SIGMA in rule.dials or SIGMA in rule.slots:
        raise ProgramError(f"es: the rule {rule.name} has a {SIGMA!r} already; give it a rule on plain gradients")
    estimate = Estimate(pairs, rank, shaped)
    return replace(rule, name=f"es_{rule.name}", dials={**rule.dials, SIGMA: sigma}, estimate=estimate)
