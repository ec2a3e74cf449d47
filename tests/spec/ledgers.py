"""What tests of ledgers share."""

from __future__ import annotations

import math

from ontogeny.ask.explanation import Explanation


def sums_are_exact(found: Explanation) -> None:
    """The lines sum to the change without any error: of each step, of the window, and of each element."""
    ledger = found.ledger
    for parts, change in zip(ledger.parts, ledger.change, strict=True):
        assert math.fsum(parts) == change
    assert math.fsum(ledger.sums) == ledger.total
    for member in found.members:
        assert math.fsum(member.sums) == member.after - member.before
