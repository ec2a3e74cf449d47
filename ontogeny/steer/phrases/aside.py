"""What is said to the chat and is no command: a greeting, a call for help, how long it takes, what is elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ontogeny.steer.command import Command
from ontogeny.steer.phrases.courtesy import bare
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
SMALLER = frozenset(("make", "shrink", "compress", "distil", "distill"))
NETWORK = frozenset(("network", "model", "net", "learner"))
THIS = NETWORK.union(("it", "this", "that"))
_SIZE = "by a factor of times x fold down much smaller into to with fewer parameters"
SIZE = NETWORK.union(_SIZE.split())
USUAL = 10.0
"""How many times fewer parameters, where that is not said."""


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


def smaller(said: Sequence[Word], run: str) -> Reading | None:
    """Where to go with a network that is to be made smaller: make it ten times smaller.

    It is no command of a session, since it takes minutes and makes other networks beside the run.
    """
    found = (_times_smaller([word for word in clause if word.kind != "STOP"]) for clause in bare(said))
    times = next((one for one in found if one > 1), None)
    if times is None:
        return None
    command = f"ontogeny shrink {run or 'RUN'} --by {times:g}"
    return Reading(answer=f"making a network smaller takes minutes; the shell has a command for it: {command}")


def _times_smaller(clause: Sequence[Word]) -> float:
    """By how much a clause wants a network smaller, USUAL where it does not say; 0 where it wants something else."""
    small = [word.text.lower() for word in clause if word.value is None]
    numbers = [word.value for word in clause if word.value is not None]
    if len(small) < 2 or small[0] not in SMALLER or small[1] not in THIS or len(numbers) > 1:
        return 0.0
    if not SIZE.issuperset(small[2:]) or (small[0] == "make" and {"smaller", "fewer"}.isdisjoint(small)):
        return 0.0
    return float(numbers[0]) if numbers else USUAL
