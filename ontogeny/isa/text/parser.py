"""One line of text -> one record of `isa.text.lines`. Errors say where, what was expected, and the nearest word.

The grammar has no nesting, so there is no recursion here; a `Cursor` walks over the tokens of one line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import NoReturn

from ontogeny.isa.op import ATTRIBUTES, BY_NAME, Op
from ontogeny.isa.program import KINDS, Attribute, Decl, Instr, Note, Number
from ontogeny.isa.sizes import Size
from ontogeny.isa.text.cursor import Cursor
from ontogeny.isa.text.lines import InstrLine, Line, ProgramLine, ReturnLine, RoutineLine, SizeLine
from ontogeny.isa.text.numbers import dimension, follows, scalar, whole
from ontogeny.isa.text.words import (
    DTYPES,
    MAX_NUMBER,
    QUOTED,
    WordError,
    read_name,
    read_number,
    read_value,
    show,
    unquote,
)
from ontogeny.isa.types import MAX_ELEMENTS, MAX_RANK, Type

HEADS = ("program", "size", "routine", "return", *KINDS)
_NOTE = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*"[ \t]*|[^|]*)(?:\|(.*))?', re.DOTALL)
_NO_NOTE = Note()


def parse_line(cursor: Cursor) -> Line | None:
    """The record of one line, or None for a line that is empty or a comment. Raises TextError."""
    head = cursor.token
    following = cursor.tokens[min(1, len(cursor.tokens) - 1)]
    if not head:
        if cursor.note:
            cursor.fail("a note stands after an instruction; a comment begins with #", 0, found=False)
        return None
    line: Line
    if head[0] == "%" or head in BY_NAME:
        return _instruction(cursor)
    if head not in HEADS:
        _unknown_head(cursor, following)
    cursor.take()
    if head == "program":
        line = ProgramLine(cursor.read(read_name, "the program's name"))
    elif head == "size":
        line = _size(cursor)
    elif head == "routine":
        line = _routine(cursor)
    elif head == "return":
        line = _return(cursor)
    else:
        line = _declaration(cursor, head)
    _end(cursor)
    if cursor.note:
        cursor.fail("only an instruction has a note after ';'; a comment begins with #", found=False)
    return line


def _unknown_head(cursor: Cursor, following: str) -> NoReturn:
    if following.startswith(("%", "{")):
        cursor.unknown("unknown operation", cursor.token, BY_NAME)
    near = get_close_matches(cursor.token[:MAX_NUMBER], [*HEADS, *BY_NAME], 1)
    hint = f"; did you mean {near[0]!r}?" if near else f": {', '.join(HEADS)}, an operation, or %results = operation"
    cursor.fail(f"a line cannot begin with {show(cursor.token)}{hint}", found=False)


def _end(cursor: Cursor) -> None:
    if cursor.token:
        cursor.fail("expected the end of the line")


def _declaration(cursor: Cursor, kind: str) -> Decl:
    name = cursor.read(read_name, f"the {kind}'s name")
    cursor.expect(":")
    of = read_type(cursor)
    if not cursor.skip("="):
        return Decl(kind, name, of)
    if kind == "dial":
        return Decl(kind, name, of, default=float(cursor.read(read_number, "the dial's default, a number")))
    if kind == "input":
        cursor.place -= 1
        cursor.fail("an input has no default; a dial has", found=False)
    arena = cursor.read(read_name, f"the {kind} that this one is a piece of, as in theta[4]")
    cursor.expect("[")
    offset = whole(cursor, "the piece's first element")
    cursor.expect("]")
    return Decl(kind, name, of, arena=arena, offset=offset)


def _size(cursor: Cursor) -> SizeLine:
    name = cursor.read(read_name, "the size's name")
    if name in cursor.sizes:
        cursor.fail(f"size {show(name)} stands twice; give each its own name", cursor.place - 1, found=False)
    cursor.expect("=")
    cursor.sizes[name] = whole(cursor, "what it is at present", 1)
    return SizeLine(Size(cursor.sizes[name], name))


def read_type(cursor: Cursor) -> Type:
    """A type such as `f32[64,128]`. Raises TextError."""
    dtype = DTYPES.get(cursor.token)
    if dtype is None:
        if not cursor.token or not cursor.token[0].isalnum():
            cursor.fail("expected a type such as f32[2,3]")
        cursor.unknown("unknown number format", cursor.token, DTYPES)
    start = cursor.place
    cursor.place += 1
    cursor.expect("[")
    shape: list[int] = []
    while not cursor.skip("]"):
        if shape:
            cursor.expect(",")
        shape.append(dimension(cursor))
        if len(shape) > MAX_RANK:
            cursor.fail(f"more than {MAX_RANK} dimensions", cursor.place - 1, found=False)
    of = Type(dtype, tuple(shape))
    if of.size > MAX_ELEMENTS:
        cursor.fail(f"{of} has more than {MAX_ELEMENTS} elements", start, found=False)
    return of


def _value(cursor: Cursor, expected: str) -> str:
    token = cursor.token
    if len(token) < 2 or token[0] != "%":
        cursor.fail(f"expected {expected}, such as %x")
    return cursor.read(_read_value_name, expected) if token[1] == '"' else cursor.take()[1:]


def _read_value_name(token: str) -> str:
    return unquote(token[1:])


def _routine(cursor: Cursor) -> RoutineLine:
    name = cursor.read(read_name, "the routine's name")
    params: list[tuple[str, Type]] = []
    cursor.expect("(")
    while not cursor.skip(")"):
        if params:
            cursor.expect(",")
        param = _value(cursor, "an operand's name")
        cursor.expect(":")
        params.append((param, read_type(cursor)))
    results: list[str] = []
    if cursor.skip("->"):
        results.append(cursor.read(read_name, "a result's name"))
        while cursor.skip(","):
            results.append(cursor.read(read_name, "a result's name"))
    cursor.expect(":")
    return RoutineLine(name, tuple(params), tuple(results) or None)


def _return(cursor: Cursor) -> ReturnLine:
    returns: list[tuple[str, str]] = []
    while cursor.token:
        if returns:
            cursor.expect(",")
        key = cursor.read(read_name, "a result's name")
        cursor.expect("=")
        returns.append((key, _value(cursor, "the value to return")))
    return ReturnLine(tuple(returns))


def _instruction(cursor: Cursor) -> InstrLine:
    out: list[str] = []
    types: list[Type | None] = []
    if cursor.token not in BY_NAME:
        more = True
        while more:
            out.append(_value(cursor, "a result"))
            types.append(read_type(cursor) if cursor.skip(":") else None)
            more = cursor.skip(",")
        cursor.expect("=")
    op = BY_NAME.get(cursor.token)
    if op is None:
        if not cursor.token or not cursor.token[0].isalnum():
            cursor.fail("expected an operation")
        cursor.unknown("unknown operation", cursor.token, BY_NAME)
    cursor.place += 1
    args: list[str] = []
    while cursor.token not in ("", "{"):
        args.append(_value(cursor, "an operand, attributes in { }, or the end of the line"))
    attrs = _attributes(cursor, op) if cursor.token else ()
    _end(cursor)
    note = read_note(cursor) if cursor.note else _NO_NOTE
    return InstrLine(Instr(tuple(out), op, tuple(args), attrs, note), tuple(types))


def _attributes(cursor: Cursor, op: Op) -> tuple[tuple[str, Attribute], ...]:
    kinds = ATTRIBUTES.get(op, {})
    attrs: dict[str, Attribute] = {}
    cursor.expect("{")
    while not cursor.skip("}"):
        if attrs:
            cursor.expect(",")
        key = cursor.token
        if key not in kinds:
            if not key or not key[0].isalnum():
                cursor.fail("expected an attribute's name or '}'")
            cursor.unknown(f"{op.text} has no attribute", key, kinds)
        if key in attrs:
            cursor.fail(f"{op.text} is given {key} twice", found=False)
        cursor.place += 1
        cursor.expect("=")
        attrs[key] = _attribute(cursor, key, kinds[key])
    return tuple(attrs.items())


def _attribute(cursor: Cursor, key: str, kind: str) -> Attribute:
    start = cursor.place
    expected = f"{key} to be {EXPECTED[kind]}"
    value: Attribute
    if cursor.token == "[":
        value = _list(cursor)
    elif kind in NUMERIC and follows(cursor):
        value = scalar(cursor)
    else:
        value = cursor.read(read_value, expected)
    if not ACCEPTS[kind](value):
        cursor.fail(f"expected {expected}", start)
    return value


def _list(cursor: Cursor) -> tuple[Number, ...]:
    cursor.expect("[")
    values: list[Number] = []
    while not cursor.skip("]"):
        if values:
            cursor.expect(",")
        values.append(scalar(cursor))
    return tuple(values)


def _is_int(value: Attribute) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


EXPECTED: dict[str, str] = {
    "str": "a name, or text in double quotes",
    "int": "a whole number",
    "ints": "whole numbers in [ ]",
    "number": "a number",
    "numbers": "a number, or numbers in [ ]",
    "bool": "true or false",
    "dtype": f"a number format: {', '.join(DTYPES)}",
}
"""What each kind of attribute in `isa.op.ATTRIBUTES` is, in words."""

NUMERIC = ("int", "ints", "number", "numbers")
"""The kinds in which a bare name is that of a size."""

ACCEPTS: dict[str, Callable[[Attribute], bool]] = {
    "str": lambda value: isinstance(value, str),
    "int": _is_int,
    "ints": lambda value: isinstance(value, tuple) and all(map(_is_int, value)),
    "number": lambda value: isinstance(value, (int, float)),
    "numbers": lambda value: isinstance(value, (int, float, tuple)),
    "bool": lambda value: isinstance(value, bool),
    "dtype": lambda value: value in DTYPES.values(),
}


def read_note(cursor: Cursor) -> Note:
    """The note after an instruction: `phase | where`, each bare or in quotes. Raises TextError."""
    match = _NOTE.fullmatch(cursor.note.strip(" \t\r"))
    if match is None:
        cursor.fail("expected 'phase | where' after ';'", found=False)
    return Note(*(_note_part(cursor, (part or "").strip(" \t\r")) for part in match.groups()))


def _note_part(cursor: Cursor, part: str) -> str:
    if not part.startswith('"'):
        return part
    if not QUOTED.fullmatch(part):
        cursor.fail("quoted text in a note must end before '|' or the end of the line", found=False)
    try:
        return unquote(part)
    except WordError as error:
        cursor.fail(str(error), found=False)
