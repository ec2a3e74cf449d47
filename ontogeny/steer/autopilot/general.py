"""What is tried where no finding says what: the learning rate, its schedule, decay, clipping.

A table of what helps often, by dial and edit; a further one is one line.
"""

from __future__ import annotations

from collections.abc import Mapping

from ontogeny.steer.autopilot.proposal import Proposal, Situation
from ontogeny.steer.commands.dials import Set
from ontogeny.steer.commands.rules import Rule

RATES = (0.3, 3.0, 0.1, 10.0)
DECAYS = (10.0, 0.1)
FACTORS: Mapping[str, tuple[float, ...]] = {"lr": RATES, "weight_decay": DECAYS}
WORDS = {"lr": "the learning rate", "weight_decay": "the weight decay"}
LATE = 0.02
"""Of its learning rate, where an annealed one ends."""


class General:
    """Proposes other rates and decays, and clipping, where the run does not get on."""

    name = "general"

    def propose(self, situation: Situation) -> list[Proposal]:
        """Factors on the dials that the run has."""
        if not situation.plateau:
            return []
        dials = situation.run.dials()
        return [
            turned(dial, factor, "held-out loss no longer falls")
            for dial, factors in FACTORS.items()
            if dials.get(dial)
            for factor in factors
        ]


def turned(dial: str, factor: float, reason: str) -> Proposal:
    """A dial by a factor, at once."""
    return Proposal(f"{WORDS.get(dial, dial)} x {factor:g}", (Set(dial=dial, by=factor),), None, reason)


def annealed(steps: int, at: int | None = None) -> Proposal:
    """The learning rate to next to nothing over so many steps."""
    reason = "the end of the budget: smaller steps settle what larger ones leave unsettled"
    command = Set(dial="lr", by=LATE, over=steps, shape="cosine")
    return Proposal(f"the learning rate down to {LATE:.0%} over {steps} steps", (command,), at, reason)


def clipped() -> Proposal:
    """The gradient's norm bounded."""
    return Proposal("clip the gradient at 1", (Rule(edit="clip", arguments={"norm": 1.0}),), None, "a general one")
