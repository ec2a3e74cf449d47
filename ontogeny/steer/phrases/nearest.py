"""What words that are not understood could have meant."""

from __future__ import annotations

from collections.abc import Sequence

from ontogeny.steer.command import Command
from ontogeny.steer.phrases.context import Context
from ontogeny.steer.phrases.tokens import Word


def nearest(said: Sequence[Word], context: Context) -> list[str]:
    """Some full commands in words that share most with what was said."""
    return []


def question(said: Sequence[Word], context: Context) -> Command | None:
    """The question that words ask, at their best reading; None where they are none, or could be a change."""
    return None
