"""What is said to the chat and is no command: a greeting, a call for help, how long it takes, what is elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ontogeny.steer.command import Command
from ontogeny.steer.phrases.normal import normal
from ontogeny.steer.phrases.numerals import number, spoken
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
COURTESY = frozenset(("please", "can", "could", "would", "you", "now", "let", "us"))
SMALLER = frozenset(("make", "shrink", "compress", "distil", "distill"))
NETWORK = frozenset(("network", "model", "net", "learner"))
THIS = frozenset(("it", "this", "that", "the", "my", "our"))
_SIZE = "by a factor of times x fold down much smaller into to with fewer parameters"
SIZE = frozenset(_SIZE.split())
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


def smaller(text: str, run: str) -> Reading | None:
    """Where to go with a network that is to be made smaller: make it ten times smaller.

    It is no command of a session, since it takes minutes and makes other networks beside the run.
    """
    words = [word for word in re.findall(r"[a-z]+|\d+(?:\.\d+)?|[^\s\w]", text.lower()) if word not in ".!?-"]
    words = words[next((at for at, word in enumerate(words) if word not in COURTESY), 0) :]
    if len(words) < 2 or words[0] not in SMALLER or words[1] not in THIS:
        return None
    rest = words[2:]
    named = rest[:1] and rest[0] in NETWORK
    if (words[1] in ("the", "my", "our") and not named) or (words[0] == "make" and not {"smaller", "fewer"} & {*rest}):
        return None
    left = [word for word in rest if word not in SIZE | NETWORK | COURTESY]
    times = _number(left) if left else USUAL
    if times <= 1:
        return None
    command = f"ontogeny shrink {run or 'RUN'} --by {times:g}"
    return Reading(answer=f"making a network smaller takes minutes; the shell has a command for it: {command}")


def _number(words: Sequence[str]) -> float:
    """What all words are together, in digits or spelt; 0 where they are no number."""
    if re.fullmatch(r"\d+(\.\d+)?", " ".join(words)):
        return float(words[0])
    found = (way(words) for way in (number, spoken))
    return next((float(value) for value, taken in found if taken == len(words)), 0.0)
