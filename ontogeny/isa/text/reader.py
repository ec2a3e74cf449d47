"""Whole texts: reading one into a program, checking it, and formatting one without losing its comments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ontogeny.isa.errors import ProgramError, TextError
from ontogeny.isa.program import Decl, Instr, Program, Routine
from ontogeny.isa.sizes import Size
from ontogeny.isa.text.cursor import Cursor
from ontogeny.isa.text.lines import InstrLine, Line, ProgramLine, ReturnLine, RoutineLine, SizeLine, print_line
from ontogeny.isa.text.parser import parse_line
from ontogeny.isa.text.words import MAX_LINE, MAX_LINES, MAX_TEXT, show
from ontogeny.isa.types import Type


@dataclass(slots=True)
class Body:
    """A routine while it is read; the lines of its head, instructions and end; the types that the text gives."""

    head: RoutineLine
    line: int
    body: list[Instr] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    types: list[tuple[int, str, Type]] = field(default_factory=list)
    returns: ReturnLine | None = None
    end: int = 0

    def routine(self) -> Routine:
        """The routine that was read."""
        return Routine(self.head.name, self.head.params, tuple(self.body), self.returns.returns if self.returns else ())


@dataclass(slots=True)
class Source:
    """A text that was read: its program, the routines with their lines, and the lines of the declarations."""

    program: Program
    bodies: list[Body]
    lines: dict[str, int]


def cursors(text: str) -> Iterator[Cursor]:
    """The lines of a text, which share the sizes declared in it. Raises TextError where it is larger than the caps."""
    if len(text) > MAX_TEXT:
        raise TextError(f"the text has {len(text)} characters; {MAX_TEXT} are the most", 1, 1)
    sizes: dict[str, int] = {}
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        raise TextError(f"the text has {len(lines)} lines; {MAX_LINES} are the most", MAX_LINES, 1)
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE:
            raise TextError(f"the line has {len(line)} characters; {MAX_LINE} are the most", number, MAX_LINE)
        yield Cursor(line, number, sizes)


def read(text: str) -> Source:
    """The program that a text spells, not verified. Raises TextError."""
    name: str | None = None
    sizes: list[Size] = []
    decls: list[Decl] = []
    bodies: list[Body] = []
    lines: dict[str, int] = {}
    cursor = Cursor("", 1)
    for cursor in cursors(text):
        line = parse_line(cursor)
        if line is None:
            continue
        if isinstance(line, ProgramLine) or name is None:
            name = _program(cursor, line, name)
        elif isinstance(line, SizeLine):
            _outside(cursor, bodies, "a size")
            sizes.append(line.size)
        elif isinstance(line, Decl):
            _outside(cursor, bodies, "a declaration")
            decls.append(line)
            lines[line.name] = cursor.number
        elif isinstance(line, RoutineLine):
            _outside(cursor, bodies, "a routine")
            bodies.append(Body(line, cursor.number))
        else:
            _inside(cursor, bodies, line)
    if name is None:
        raise TextError("expected a program; its first line is 'program NAME'", cursor.number, 1)
    cursor.place = len(cursor.tokens) - 1
    _outside(cursor, bodies, "the end of the text")
    routines = tuple(body.routine() for body in bodies)
    return Source(Program(name, tuple(decls), routines, tuple(sizes)), bodies, lines)


def _program(cursor: Cursor, line: Line, name: str | None) -> str:
    if name is not None:
        cursor.fail(f"the text is already program {show(name)}; one text holds one program", 0, found=False)
    if not isinstance(line, ProgramLine):
        cursor.fail("the first line is 'program NAME'", 0)
    return line.name


def _outside(cursor: Cursor, bodies: list[Body], what: str) -> None:
    if bodies and bodies[-1].returns is None:
        routine = show(bodies[-1].head.name)
        place = None if what == "the end of the text" else 0
        message = f"{what} before routine {routine} has ended; it ends with 'return name=%value, ...'"
        cursor.fail(message, place, found=False)


def _inside(cursor: Cursor, bodies: list[Body], line: InstrLine | ReturnLine) -> None:
    if not bodies or bodies[-1].returns is not None:
        cursor.fail("outside a routine; 'routine NAME():' begins one and its 'return' ends it", 0, found=False)
    body = bodies[-1]
    if isinstance(line, InstrLine):
        body.body.append(line.instr)
        body.lines.append(cursor.number)
        body.types += [
            (cursor.number, out, of) for out, of in zip(line.instr.out, line.types, strict=True) if of is not None
        ]
        return
    names = tuple(key for key, _ in line.returns)
    if body.head.results is not None and names != body.head.results:
        announced = ", ".join(map(show, body.head.results))
        given = ", ".join(map(show, names)) or "none"
        cursor.fail(f"line {body.line} announces the results {announced}; here are {given}", 0, found=False)
    body.returns, body.end = line, cursor.number


def format_text(text: str) -> str:
    """The text in its canonical layout; comments, the order of lines, given types and single empty lines stay.

    It is parsed line by line, not verified, so that a program in the making can be formatted. Raises TextError.
    """
    done: list[str] = []
    within = False
    for cursor in cursors(text):
        line = parse_line(cursor)
        within = isinstance(line, RoutineLine) or (within and not isinstance(line, (Decl, ProgramLine, SizeLine)))
        done.append(_format(cursor, line, within))
        within = within and not isinstance(line, ReturnLine)
    return _spaced(done)


def _format(cursor: Cursor, line: Line | None, within: bool) -> str:
    comment = cursor.comment.rstrip(" \t\r")
    if line is None:
        return f"  {comment}" if within and comment else comment
    try:
        printed = print_line(line)
    except ProgramError as error:
        raise TextError(str(error), cursor.number, 1) from error
    return f"{printed}  {comment}" if comment else printed


def _spaced(lines: list[str]) -> str:
    kept = [line for place, line in enumerate(lines) if line or (place and lines[place - 1])]
    return "\n".join(kept).strip("\n") + "\n"
