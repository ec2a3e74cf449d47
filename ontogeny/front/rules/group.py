"""Groups of parameters with dials of their own, such as a strong decay for embeddings alone.

A group's dial is called like the rule's with the group behind it, `weight_decay.embed`, and is turned like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ontogeny.isa.errors import CaptureError, ProgramError

WHOLE = frozenset({"clip", "sigma", "sam_rho"})
"""Dials of what is done with all gradients together, before the rule."""
SHOWN = 12


@dataclass(frozen=True, slots=True)
class Group:
    """The parameters that a pattern matches, under a name, and those dials that are not as for the rest."""

    name: str
    pattern: str
    dials: Mapping[str, float]


def groups_of(rule: str, dials: Iterable[str], given: Mapping[str, Mapping[str, float]]) -> tuple[Group, ...]:
    """A group for each pattern. Raises ProgramError for a dial that the rule has not, or has only for all together."""
    there, found = tuple(dials), list[Group]()
    for pattern, own in given.items():
        for dial in own:
            if dial in WHOLE:
                raise ProgramError(f"{dial!r} is of all gradients together, so no group can have its own")
            if dial not in there:
                raise ProgramError(f"the rule {rule} has no dial {dial!r} for {pattern!r}; it has {', '.join(there)}")
        if not own:
            raise ProgramError(f"the group {pattern!r} of {rule} has no dial of its own; give one, or leave it out")
        found.append(Group(_called(pattern, {group.name for group in found}), pattern, dict(own)))
    return tuple(found)


def assigned(groups: Sequence[Group], params: Iterable[str]) -> dict[str, str]:
    """The group of each parameter that is in one. Raises CaptureError for a pattern that matches none, and for a
    parameter that two match."""
    names, found = tuple(params), dict[str, str]()
    patterns = {group.name: group.pattern for group in groups}
    for group in groups:
        own = [name for name in names if fnmatchcase(name, group.pattern)]
        if not own:
            there = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
            raise CaptureError(f"no parameter matches the group {group.pattern!r}; there are {there}")
        if both := next((name for name in own if name in found), None):
            raise CaptureError(
                f"the groups {patterns[found[both]]!r} and {group.pattern!r} both match {both!r}; a parameter can be "
                "in one group only"
            )
        found.update(dict.fromkeys(own, group.name))
    return found


def _called(pattern: str, taken: set[str]) -> str:
    """A name for a group that says what it is of, not yet taken."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", pattern).strip("_") or "group"
    more = (f"{name}_{number}" for number in range(2, 1000))
    return name if name not in taken else next(each for each in more if each not in taken)
