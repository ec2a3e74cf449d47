"""The name that a person may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, names: Iterable[str]) -> str:
    """The nearest of some names, at least one; spaces and dashes are as good as underscores."""
    there = list(names)
    found = get_close_matches(name.strip().lower().replace(" ", "_").replace("-", "_"), there, 1, 0.0)
    return found[0] if found else there[0]
