"""What nobody foresaw, told to whoever asked, so that a live process goes on."""

from __future__ import annotations


def unexpected(error: BaseException) -> str:
    """An error in a sentence."""
    return f"something unexpected happened: {type(error).__name__}: {error}"
