"""What a clause takes over from the one beside it: the run, the steps or the examples that are named there.

Lift the keep on no-decay and discard it; the loss and the held-out loss since 300. Which words take over what is
weighed, like everything that is not said in the words of a phrase.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from ontogeny.steer.command import Command
from ontogeny.steer.phrases.items import Item

BEFORE, AFTER = "before", "after"
FROM = {
    "run": ("run", "to"), "to": ("run",), "steps": ("steps", "over"), "over": ("over", "steps"), "start": ("start",),
    "examples": ("examples", "without"), "without": ("without", "examples"),
}  # fmt: skip
"""The arguments that may be taken over, and from which arguments of the other command."""
ONLY = {"to": ("compare",)}
"""The commands of which an argument with a common name is meant."""
MOVING = ("switch", "fork", "again")
"""Commands after which a session stands where they lead, so that the run need not be named."""
UNNAMED = ("", ":", 0)
"""What an argument is that is not said."""


def said_of(one: Command, argument: str) -> Any:
    """What a command says of an argument, or None where it says nothing or has none."""
    if one.NAME not in ONLY.get(argument, (one.NAME,)):
        return None
    value = getattr(one, argument, None)
    return None if value in UNNAMED else value


def takes(one: Command, argument: str) -> bool:
    """Whether a command has an argument that may be taken over and is not said."""
    return hasattr(one, argument) and one.NAME in ONLY.get(argument, (one.NAME,)) and said_of(one, argument) is None


def offered(one: Command, argument: str, like: Command) -> Any:
    """What a clause offers a neighbour for an argument, or None. Where one moves to, one stands."""
    if one.NAME in MOVING and argument == "run":
        return None
    kind = type(getattr(like, argument))
    found = (said_of(one, name) for name in FROM[argument])
    return next((value for value in found if value is not None and type(value) is kind), None)


def of_taking(
    argument: str, side: str, here: str, other: str, plain: Sequence[str], beside: Sequence[str],
    there: Sequence[Item],
) -> list[str]:  # fmt: skip
    """The features by which a clause of intent `here` takes an argument over from one of intent `other`."""
    tag = f"carry|{argument}|{side}"
    return [f"{own}|{one}" for own in (tag, f"{tag}|{here}") for one in _seen(here, other, plain, beside, there)]


def _seen(here: str, other: str, plain: Sequence[str], beside: Sequence[str], there: Sequence[Item]) -> Iterator[str]:
    yield from ("always", f"i:{other}", f"same:{here == other}", f"n:{min(len(plain), 8)}")
    yield from (f"w:{word}" for word in set(plain))
    yield from (f"o:{word}" for word in set(beside))
    yield from (f"b:{a} {b}" for a, b in pairwise(["<", *plain, ">"]))
    yield from (f"t:{type_}" for type_ in {one.type for one in there})
