"""Programs from wherever a person keeps them: text, the encoded form, a run, or a Python file with an experiment."""

from __future__ import annotations

import sys
from pathlib import Path

from ontogeny.faces.experiments import load_experiment
from ontogeny.isa.encode import MAX_BYTES, decode, is_encoded
from ontogeny.isa.errors import OntogenyError, TextError
from ontogeny.isa.program import Program
from ontogeny.isa.text import from_text
from ontogeny.isa.verify import verify


def read_bytes(place: str) -> bytes:
    """The bytes of a file, or of the standard input where `place` is a dash."""
    if place == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    path = Path(place)
    if not path.exists():
        raise OntogenyError(f"there is no file {place}")
    if path.is_dir():
        raise OntogenyError(f"{place} is a folder; name a file")
    if path.stat().st_size > MAX_BYTES:
        raise OntogenyError(f"{place} is {path.stat().st_size} bytes; at most {MAX_BYTES} are read")
    return path.read_bytes()


def read_text(place: str) -> str:
    """The text of a file. Raises OntogenyError where it is not UTF-8."""
    try:
        return read_bytes(place).decode("utf-8")
    except UnicodeDecodeError as error:
        raise OntogenyError(f"{place} is not text in UTF-8: {error.reason} at byte {error.start}") from error


def parse(text: str, place: str) -> Program:
    """The program that a text spells; an error begins with the file it is in."""
    try:
        return from_text(text)
    except TextError as error:
        raise OntogenyError(f"{place}: {error}") from error


def load_program(place: str) -> Program:
    """The verified program of a file (.onto text, .ontob, or .py with an experiment)."""
    if place.endswith(".py"):
        return load_experiment(place, {}).learner.program
    data = read_bytes(place)
    if not is_encoded(data):
        return parse(read_text(place) if place != "-" else data.decode("utf-8", "replace"), place)
    program = decode(data)
    verify(program)
    return program
