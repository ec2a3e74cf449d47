"""The numbers of a line, plain or following a size: `12`, `batch`, `8*batch-1`, `0.5/batch`, `2.0/(8*batch)`."""

from __future__ import annotations

from ontogeny.isa.errors import ProgramError
from ontogeny.isa.program import Number
from ontogeny.isa.sizes import PerSize, Size
from ontogeny.isa.text.cursor import Cursor
from ontogeny.isa.text.words import WordError, is_reserved, read_name, read_number, read_scalar
from ontogeny.isa.types import MAX_ELEMENTS


def whole(cursor: Cursor, expected: str, least: int = 0) -> int:
    """A plain whole number. Raises TextError for anything else."""
    value = cursor.read(read_number, f"{expected}, a whole number from {least} on")
    if not isinstance(value, int) or not least <= value <= MAX_ELEMENTS:
        cursor.fail(f"expected {expected}, a whole number from {least} to {MAX_ELEMENTS}", cursor.place - 1)
    return value


def dimension(cursor: Cursor) -> int:
    """A size in a shape, plain or following. Raises TextError."""
    start = cursor.place
    if not follows(cursor):
        return whole(cursor, "a size")
    value = scalar(cursor)
    if not isinstance(value, Size) or not 0 <= value <= MAX_ELEMENTS:
        cursor.fail(f"expected a size, a whole number from 0 to {MAX_ELEMENTS}, not {value}", start, found=False)
    return value


def follows(cursor: Cursor) -> bool:
    """Whether a number that follows a size stands here: a factor before one, or the name of one."""
    return cursor.tokens[min(cursor.place + 1, len(cursor.tokens) - 1)] in ("*", "/") or _name(cursor) in cursor.sizes


def scalar(cursor: Cursor) -> Number:
    """A number or truth, plain or following. Raises TextError."""
    if not follows(cursor):
        return cursor.read(read_scalar, "a number")
    start = cursor.place
    try:
        return _size(cursor) if _name(cursor) in cursor.sizes else _product(cursor)
    except ProgramError as error:
        cursor.fail(str(error), start, found=False)


def _product(cursor: Cursor) -> Number:
    factor = cursor.read(read_number, "a factor, a number")
    if isinstance(factor, int):
        if cursor.token == "/":
            cursor.fail("a quotient is a fraction; write 1.0/batch")
        return _size(cursor, factor)
    divides = cursor.take() == "/"
    if not cursor.skip("("):
        return PerSize(factor, Size(*_named(cursor)), divides)
    times = whole(cursor, "a factor", -MAX_ELEMENTS) if _name(cursor) not in cursor.sizes else None
    size = _size(cursor, times)
    cursor.expect(")")
    return PerSize(factor, size, divides)


def _size(cursor: Cursor, times: int | None = None) -> Size:
    """What stands from here on of `times*name+plus`, where `times` has been read."""
    if times is not None:
        cursor.expect("*")
    n, name = _named(cursor)
    plus = 0
    if cursor.skip("+"):
        plus = whole(cursor, "what is added")
    elif cursor.token.startswith("-"):
        plus = whole(cursor, "what is added", -MAX_ELEMENTS)
    return Size(n, name, 1 if times is None else times, plus)


def _named(cursor: Cursor) -> tuple[int, str]:
    name = cursor.read(read_name, "the name of a size")
    if name not in cursor.sizes:
        cursor.unknown("unknown size", name, cursor.sizes, cursor.place - 1)
    return cursor.sizes[name], name


def _name(cursor: Cursor) -> str | None:
    """The name that stands here, bare or quoted, or None for another token."""
    if not cursor.sizes or not cursor.token or is_reserved(cursor.token):
        return None
    try:
        return read_name(cursor.token)
    except WordError:
        return None
