"""What nobody foresaw, told to whoever asked, so that a live process goes on."""

from __future__ import annotations

import traceback
from contextlib import suppress


def logged(error: BaseException) -> str:
    """An error in a sentence; where it came from goes to the process's standard error, which a live run keeps."""
    if isinstance(error, Exception):
        with suppress(OSError):  # a full disk has no room for it
            traceback.print_exception(error)
    return f"{unexpected(error)}; the log of its process says where"


def unexpected(error: BaseException) -> str:
    """An error in a sentence."""
    return f"something unexpected happened: {type(error).__name__}: {error}"
