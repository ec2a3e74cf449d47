"""What is said to the chat and is no command: a greeting, a call for help, how long something would take."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ontogeny.steer.command import Command
from ontogeny.steer.phrases.normal import normal
from ontogeny.steer.phrases.tokens import Word
from ontogeny.steer.reading import Reading

HELP = re.compile(
    r"""\s*(hello|hi|hey|good\s(morning|evening|afternoon)|hi\sthere|hello\sthere)?[\s,.!]*
    (please\s)?(help(\sme)?(\splease)?|commands|((show|list)\s(me\s)?)?((the|all|your)\s)*commands|who\sare\syou|what\sare\syou
    |what\s(can|could|do)\s(you|i|we)\s(do|say|ask|tell\syou|type|understand|offer)(\s(here|with\sthis|for\sme))?|how\sdo(es)?\s(this|it)\swork
    |how\sdo\si\suse\s(this|it|you)|(what|which)\scommands\s(are\sthere|do\syou\s(have|know|understand)))?[\s,.!?]*""",
    re.VERBOSE | re.IGNORECASE,
)
"""A greeting, a call for help, or one and the other."""
_FRAME = "how long much times will would does do did it take takes need needs to for last we i you"
FRAME = frozenset(_FRAME.split())
"""How long will it take to: what stands around what something is asked of."""
LONGEST_FRAME = 7


def asks_for_help(text: str) -> bool:
    """Whether a text greets, or asks what can be said."""
    return bool(re.search(r"\w", text)) and HELP.fullmatch(text) is not None


def how_long(said: Sequence[Word], meaning: Callable[[Sequence[Word]], Sequence[Command]]) -> Reading | None:
    """What is supposed where it is asked how long it would take: how long will 1000 steps take?"""
    small = [normal(word.text) for word in said]
    if small[:2] not in (["how", "long"], ["how", "much"]) or not {"take", "takes", "need", "last"} & set(small):
        return None
    start = next((at for at, word in enumerate(small) if word not in FRAME), len(small))
    stop = max((at + 1 for at, word in enumerate(small) if word not in FRAME and word != "?"), default=0)
    found = meaning(said[start:stop]) if start <= LONGEST_FRAME and start < stop else ()
    return Reading(supposed=tuple(found)) if Reading(commands=tuple(found)).changes else None
