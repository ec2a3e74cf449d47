"""What previews are put together from. A preview says what is to be done: `would` stands before it, or a number.

All that was asked for stands in it, so that who agrees has seen it; `tests/golden/test_previews.py` holds that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ontogeny.steer.session import Session

MOST = 120
"""Characters of what somebody wrote out that a sentence repeats whole."""


def counted(number: int, noun: str) -> str:
    """A number of things: 1 step, 2,000 steps."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def example_words(said: str) -> str:
    """Examples as they were asked for: `example 3`, `the examples 3,17`, `the examples y=3`."""
    return f"example {said}" if said.strip().isdigit() else f"the examples {said}"


def settings(values: Mapping[str, Any]) -> str:
    """Names and their values: `lr 0.3, noise 0`."""
    return ", ".join(f"{name} {shown(value)}" for name, value in values.items())


def arguments(given: Mapping[str, Any]) -> str:
    """Arguments as words: `steps 2:9, at least 0.8, either sign, not deep`."""
    return ", ".join(_argument(name.replace("_", " "), value) for name, value in given.items())


def shown(value: Any) -> str:
    """A value as a person writes it."""
    if isinstance(value, Mapping):
        return settings(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(shown, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def clipped(text: str) -> str:
    """A text that may be long, its beginning and its end."""
    return text if len(text) <= MOST else f"{text[: MOST // 2]} ... {text[-MOST // 2 :]}"


def forked_first(session: Session, run: str) -> str:
    """What comes before a change where the session stands in the past of the run: a fork there."""
    if not session.in_past(run):
        return ""
    return f"fork {session.native(run).folder.name} at step {session.step(run)} and there "


def _argument(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return name if value else f"not {name}"
    return f"{name} {shown(value)}"
