"""Words that make of a change a thought, a report or a plan; and what is said after what it follows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ontogeny.steer.phrases.tokens import Word
from ontogeny.steer.reading import Reading

HEDGES = re.compile(
    r"""\b(maybe|perhaps|possibly)\s+(i|we|one)\b|\b(i|we|one)\s+(might|could)\b|\b(could|should|would|can)\s+one\b
    |\bthinking\s+(about|of)\b.*\b(some|one)\s?(point|day|time)|\b(tomorrow|yesterday|tonight|someday|eventually|next\s+week)\b
    |\b(last|this)\s+(week|month|night|morning|year)\b|\bi\s+wonder\s+(if|whether)\b|\bi('m|\s+am)\s+not\s+sure\b""",
    re.VERBOSE | re.IGNORECASE,
)
"""What makes of words for a change a thought, a report or a plan."""


_WHAT = "it loss run model network training generalised memorised spiked that this steps"
WHAT = frozenset(_WHAT.split())
"""What something happened to, after `before`."""


def hedged(text: str, found: Reading) -> Reading:
    """What was only thought of, told of, or meant for another time, is not done: it asks back."""
    if found.changes and HEDGES.search(text):
        return Reading(unsure="is that to be done now? then say just what is to be done")
    return found


def in_turn(said: Sequence[Word]) -> list[Word]:
    """What comes first is said first: run 100 steps after setting the decay to 0.3; run, but halve the rate first."""
    if (first := _first(_ended(said))) is not None:
        return first
    at = next(
        (at for at in range(1, len(said) - 1) if said[at].kind == "after" and said[at + 1].text.endswith("ing")), 0
    )
    if not at or any(word.separates for word in said[:-1]):
        return list(said)
    return [*said[at + 1 :], Word("then", "then"), *said[:at]]


def _first(said: Sequence[Word]) -> list[Word] | None:
    """A, but B first; A, but first B; before A, B: then B comes first."""
    then = Word("then", "then")
    at = next((at for at in range(len(said) - 2, 0, -1) if said[at].kind == "but"), 0)
    if at and said[-1].kind == "first":
        return [*said[at + 1 : -1], then, *_ended(said[:at])]
    if at and said[at + 1].kind == "first":
        return [*said[at + 2 :], then, *_ended(said[:at])]
    comma = next((at for at, word in enumerate(said) if word.kind == "COMMA"), 0)
    if comma > 2 and said[0].kind == "before" and (said[1].kind not in WHAT or said[2].kind == "NUMBER"):
        return [*said[comma + 1 :], then, *said[1:comma]]
    return None


def _ended(said: Sequence[Word]) -> list[Word]:
    return list(said[:-1] if said and said[-1].separates else said)
