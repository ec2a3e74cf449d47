"""How edits stand in a program: in the notes of their own instructions, as `update | freeze embed.*, unembed.*`.

The first word names the edit, `key=value` are its numbers and words, and the rest are the patterns of its tensors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from ontogeny.front.rules.sam import ASCENT
from ontogeny.front.update import CLIP, SCHEDULE, SINCE
from ontogeny.isa.program import Instr

NOISE, SMOOTH, GRADIENT_SIGN, PERPENDICULAR = "noise", "smooth", "gradient_sign", "perpendicular"
NO_DECAY, UPDATE_SIGN, LR_FACTOR, MASK, FREEZE = "no_decay", "update_sign", "lr_factor", "mask", "freeze"

GRADIENTS = frozenset({CLIP, NOISE, SMOOTH, GRADIENT_SIGN, PERPENDICULAR})
"""Edits between the gradients and the rule; each acts on what the one before it makes."""
RATES = frozenset({SCHEDULE})
"""Edits between the learning rates and the rule."""
COMMITS = {NO_DECAY: 1, UPDATE_SIGN: 2, LR_FACTOR: 3, MASK: 4, FREEZE: 5}
"""Edits between the rule and its commits, in their order, so that what is frozen stays so whatever else is edited."""
ROUTINES = ("sleep", "perturb")
"""Edits that add a routine of their name, whose notes say what it was made with."""
NAMES = (*sorted(GRADIENTS | RATES), *COMMITS, *ROUTINES, ASCENT)


@dataclass(frozen=True, slots=True)
class Standing:
    """An edit that a program has."""

    name: str
    patterns: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """What its notes say."""
        options = [f"{key}={value}" for key, value in self.options.items()]
        return " ".join([self.name, *([", ".join(self.patterns)] if self.patterns else []), *options])


@lru_cache(maxsize=1 << 14)
def standing(where: str) -> Standing | None:
    """The edit that a note tells of, or None where it is of the rule itself."""
    name, _, rest = where.partition(" ")
    if name not in NAMES:
        return None
    words = rest.replace(",", " ").split()
    options = dict(word.split("=", 1) for word in words if "=" in word)
    return Standing(name, tuple(word for word in words if "=" not in word), options)


def all_standing(body: Iterable[Instr]) -> list[Standing]:
    """The edits of a routine, in the order in which they act on what they edit."""
    wheres = dict.fromkeys(instr.note.where for instr in body)
    return [found for found in map(standing, wheres) if found]


def kind(instr: Instr) -> str:
    """The name of the edit that an instruction belongs to; empty for the rule's own."""
    return instr.note.where.partition(" ")[0] if standing(instr.note.where) else ""


def since(body: Iterable[Instr]) -> int:
    """The step from which the rule counts its own."""
    said = (instr.note.where.split() for instr in body)
    return next((int(words[1]) for words in said if len(words) == 2 and words[0] == SINCE and words[1].isdigit()), 0)
