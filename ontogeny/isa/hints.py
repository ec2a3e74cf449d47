"""What is said to do next, as it is typed: hints are pasted, and a name may hold whatever a folder's name may."""

from __future__ import annotations

import shlex


def typed(*words: str) -> str:
    """A command of the shell, from its name on, with quotes where a shell would read a word otherwise."""
    return shlex.join(["ontogeny", *words])
