"""Words of the command line -> numbers by name, numbers of steps, and sizes in bytes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ontogeny.faces.experiments import pairs
from ontogeny.isa.errors import OntogenyError


def numbers(words: Sequence[str]) -> dict[str, float]:
    """NAME=NUMBER words as a mapping."""
    return {name: _number(name, text) for name, text in pairs(words).items()}


def step_of(text: str, last: int) -> int:
    """A step as a person says it: 120, `last`, or -10 (or last-10) for ten before the last."""
    if text == "last":
        return last
    text = text.removeprefix("last") if text.startswith("last-") else text
    try:
        step = int(text)
    except ValueError as error:
        raise OntogenyError(f"{text!r} is no step; give a whole number, or last") from error
    found = last + step if step < 0 else step
    if not 0 <= found <= last:
        raise OntogenyError(f"the run has no step {text}; it has 0 to {last}")
    return found


def size_of(text: str) -> int:
    """Bytes as a person says them: 4096, 500M, 2G, 1.5GiB; the letters count in steps of 1024."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", text.strip().lower())
    if match is None or (found := int(float(match[1]) * 1024 ** " kmgt".index(match[2] or " "))) < 1:
        raise OntogenyError(f"{text!r} is no size; give bytes, or a number and K, M, G or T, such as 500M")
    return found


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise OntogenyError(f"{name}={text!r}: a number was expected") from error
