"""The book: every claim by name. A claim is a file in `experiments` and a line here, and loaded when asked for."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module

from ontogeny.claims.claim import Claim
from ontogeny.isa.errors import ClaimError

NAMES = (
    "nand-is-two-neurons",
    "hard-decisions",
    "blind-search-hopeless",
    "curvature-foretells-rate",
    "catapult-lowers-curvature",
    "trained-item-approximated",
    "alike-made-alike",
    "capacity-in-bits",
    "held-text-falls",
    "large-memorise-little",
    "looping-buys-depth",
    "dendrites-do-more",
    "local-rules",
    "sleep-helps",
    "large-rate-catapults",
    "decay-generalises",
    "larger-with-decay",
    "best-decay-grows",
    "distilled-beats-direct",
    "circuits-need-no-labels",
    "few-labels-suffice",
)


def claim(name: str) -> Claim:
    """The claim of a name. Raises ClaimError where the book has none."""
    if name not in NAMES:
        near = get_close_matches(name, NAMES, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(NAMES)}"
        raise ClaimError(f"the book has no claim {name!r}; {hint}")
    found = import_module(f"ontogeny.claims.experiments.{name.replace('-', '_')}").CLAIM
    assert isinstance(found, Claim)
    return found


def claims(names: Iterable[str] = ()) -> tuple[Claim, ...]:
    """The claims of some names, else all of them, in the book's order."""
    return tuple(map(claim, tuple(names) or NAMES))
