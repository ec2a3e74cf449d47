"""Lines from a person: at a terminal with its history and editing, else as they stand on the standard input."""

from __future__ import annotations

import sys
from collections.abc import Callable

try:
    import readline
except ImportError:  # not on every system: lines can be typed without it
    readline = None  # type: ignore[assignment]


def heard(prompts: bool = True) -> Callable[[str, str], str]:
    """A function that gives the next line, after a prompt. Raises EOFError at the end."""
    if sys.stdin.isatty() and prompts:
        return _typed
    return _piped


def _typed(prompt: str, text: str = "") -> str:
    if readline is None or not text:
        return input(prompt)
    readline.set_startup_hook(lambda: readline.insert_text(text))
    try:
        return input(prompt)
    finally:
        readline.set_startup_hook(None)


def _piped(prompt: str, text: str = "") -> str:
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\n")
