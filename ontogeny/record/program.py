"""The program of a run, in its text form, and the proof that it is the one that the journal means."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ontogeny.isa.errors import RecordError
from ontogeny.isa.program import Program
from ontogeny.isa.text import from_text, to_text
from ontogeny.record.disk import disk, replace_file

PROGRAM = "program.onto"


def write_program(folder: Path, program: Program) -> str:
    """Writes `program.onto` and gives the SHA-256 of its text."""
    text = to_text(program).encode()
    replace_file(folder / PROGRAM, text)
    return hashlib.sha256(text).hexdigest()


def read_program(folder: Path, expected: str) -> Program:
    """The program in a folder. Raises RecordError where it is not the one whose text has the hash `expected`."""
    path = folder / PROGRAM
    with disk("reading", path):
        text = path.read_bytes()
    if hashlib.sha256(text).hexdigest() != expected:
        raise RecordError(f"{path} has been changed since the run began; put it back, or create a new run from it")
    return from_text(text.decode())
