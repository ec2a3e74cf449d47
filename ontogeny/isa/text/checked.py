"""Text -> a verified program; what the verifier finds is reported at its line of the text."""

from __future__ import annotations

import re

from ontogeny.isa.errors import ProgramError, TextError
from ontogeny.isa.program import Program
from ontogeny.isa.text.cursor import Cursor
from ontogeny.isa.text.reader import Source, read
from ontogeny.isa.text.words import read_name, value_name
from ontogeny.isa.types import Type
from ontogeny.isa.verify import value_types, verify

_ROUTINE = re.compile(r"routine '([^']+)'( returns)?")
_DECLARATION = re.compile(r"(?:(?:declaration|size|param|state|dial|input) )?'([^']+)'")


def from_text(text: str, check: bool = True) -> Program:
    """The program that a text spells.

    It is verified, and where the text gives the type of a result, it must be the one that follows. With `check` false
    it is only read. Raises TextError, with line and column, for whatever is wrong.
    """
    source = read(text)
    if check:
        try:
            verify(source.program)
        except ProgramError as error:
            placed = _placed(text, _line(source, error), 0, str(error))
            placed.routine, placed.instruction = error.routine, error.instruction
            raise placed from error
        _compare(text, source)
    return source.program


def _placed(text: str, line: int, token: int, message: str) -> TextError:
    """The error at a token of a line, counted from 0."""
    cursor = Cursor(text.split("\n")[line - 1], line)
    return TextError(message, line, cursor.column(min(token, len(cursor.tokens) - 1)))


def _line(source: Source, error: ProgramError) -> int:
    """The line that the verifier's error is about: of the innermost instruction, a routine or a declaration."""
    bodies, message = {body.head.name: body for body in source.bodies}, str(error)
    body = bodies.get(error.routine)
    if body and 0 < error.instruction <= len(body.lines):
        return body.lines[error.instruction - 1]
    routine = _ROUTINE.match(message)
    if routine and routine[1] in bodies:
        return bodies[routine[1]].end if routine[2] else bodies[routine[1]].line
    declaration = _DECLARATION.match(message)
    return source.lines.get(declaration[1], 1) if declaration else 1


def _compare(text: str, source: Source) -> None:
    for body, routine in zip(source.bodies, source.program.routines, strict=True):
        known = value_types(source.program, routine) if body.types else {}
        for line, name, given in body.types:
            if known[name] != given:
                raise _mistyped(text, line, name, given, known[name])


def _mistyped(text: str, line: int, name: str, given: Type, known: Type) -> TextError:
    tokens = Cursor(text.split("\n")[line - 1], line).tokens
    token = next(place for place, token in enumerate(tokens) if token[:1] == "%" and read_name(token[1:]) == name)
    return _placed(text, line, token, f"{value_name(name)} is {known}, not {given}")
