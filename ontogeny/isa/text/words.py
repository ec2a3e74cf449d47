"""The words of the text form: tokens, names, quoted text and numbers, each with its way out and its way back.

Nothing is ever evaluated: a number is checked against a pattern and a length before it is converted, and tokens
are found by one regular expression that does not go back, so the work is linear in the text.
"""

from __future__ import annotations

import math
import re
import struct

from ontogeny.isa.errors import ProgramError
from ontogeny.isa.program import Attribute, Number
from ontogeny.isa.sizes import PerSize, Size
from ontogeny.isa.types import DType, Type

MAX_TEXT = 64 << 20
"""Characters of a whole text."""
MAX_LINE = 4 << 20
"""Characters of one line: about 200,000 numbers of one `const`."""
MAX_LINES = 1_000_000
MAX_NUMBER = 64
"""Characters of one number; the longest float takes 24."""

_PLAIN = r"[A-Za-z0-9_][A-Za-z0-9_.]*"
_QUOTED = r'"[^"\\]*(?:\\.[^"\\]*)*'
_NUMBER = r"-?(?:[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|inf)"
TOKEN = re.compile(
    rf'->|%{_PLAIN}|%?{_QUOTED}"?|{_NUMBER}(?![A-Za-z0-9_.])|{_PLAIN}|[;#].*|[^ \t\r]',
    re.DOTALL,
)
"""One token of a line; quoted text that does not end, or a stray character, is one too, which the parser refuses."""

PLAIN = re.compile(_PLAIN)
QUOTED = re.compile(_QUOTED + '"', re.DOTALL)
_INT = re.compile(r"-?[0-9]+")
_FLOAT = re.compile(rf"{_NUMBER}|nan(?:_[0-9a-f]{{16}})?")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
ESCAPES = r"\\ \" \n \t \r \xHH \uHHHH \UHHHHHHHH"
_SHORT = {"\\": "\\", '"': '"', "n": "\n", "t": "\t", "r": "\r"}
_LONG = {after: f"\\{before}" for before, after in _SHORT.items()}

DTYPES: dict[str, DType] = {dtype.value: dtype for dtype in DType}
_TRUTHS = {"true": True, "false": False}


class WordError(ValueError):
    """A token that is no number, name or quoted text; the parser adds the place."""


def quote(text: str) -> str:
    """The text in double quotes, on one line, with what does not print escaped."""
    return '"' + "".join(_escape(char) for char in text) + '"'


def _escape(char: str) -> str:
    if char in _LONG:
        return _LONG[char]
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def unquote(token: str) -> str:
    """The text that a quoted token stands for. Raises WordError for one that does not end or has an unknown escape."""
    if not QUOTED.fullmatch(token):
        raise WordError('quoted text must end on its line with "')
    return _ESCAPE.sub(_unescape, token[1:-1]) if "\\" in token else token[1:-1]


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code is None:
        if match[4] not in _SHORT:
            raise WordError(f"unknown escape {show(match[0])}; there are {ESCAPES}")
        return _SHORT[match[4]]
    if int(code, 16) > 0x10FFFF:
        raise WordError(f"{match[0]} is not a character; the last is \\U0010ffff")
    return chr(int(code, 16))


def name(text: str) -> str:
    """A name as it is printed: bare when it is letters, digits, `_` and dots and reads as nothing else; else quoted."""
    return text if PLAIN.fullmatch(text) and not is_reserved(text) else quote(text)


def value_name(text: str) -> str:
    """The name of a value as it is printed: `%x`, `%0`, `%"any text"`."""
    return "%" + (text if PLAIN.fullmatch(text) else quote(text))


def is_reserved(text: str) -> bool:
    """Whether a bare word is a number, a truth or a number format, so that a name like it is quoted."""
    return text in DTYPES or text in _TRUTHS or _FLOAT.fullmatch(text) is not None


def read_name(token: str) -> str:
    """The name that a token stands for. Raises WordError when it is neither a plain nor a quoted one."""
    if token.startswith('"'):
        return unquote(token)
    if PLAIN.fullmatch(token):
        return token
    raise WordError("expected a name (letters, digits, _ and dots; any other in double quotes)")


def number(value: Number) -> str:
    """A number so that reading gives the same one: every digit of a float, the sign of zero, the bits of a NaN.

    One that follows a size is printed as how it does. Raises ProgramError for what is no number, and for an integer of
    more than MAX_NUMBER characters.
    """
    if isinstance(value, Size | PerSize):
        return follower(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _nan(value) if math.isnan(value) else float.__repr__(value)
    if not isinstance(value, int):
        raise ProgramError(
            f"an attribute of {type(value).__name__} has no text form; use bool, int, float, str, DType or a tuple"
        )
    if abs(value) >= 10 ** (MAX_NUMBER - 1):
        raise ProgramError(f"an integer of more than {MAX_NUMBER - 1} digits has no text form")
    return int.__repr__(value)


def follower(value: Size | PerSize) -> str:
    """A number that follows a size: `batch`, `8*batch-1`, `0.5/batch`, `2.0/(8*batch)`."""
    if isinstance(value, PerSize):
        size = follower(value.size)
        plain = (value.size.times, value.size.plus) == (1, 0)
        return f"{number(value.factor)}{'/' if value.divides else '*'}{size if plain else f'({size})'}"
    times = "" if value.times == 1 else f"{number(value.times)}*"
    sign = "+" if value.plus > 0 else ""
    return f"{times}{name(value.name)}{sign}{number(value.plus) if value.plus else ''}"


def shaped(type_: Type) -> str:
    """A type as it is printed, with the sizes that it follows by name: `f32[batch,8]`."""
    return f"{type_.dtype}[{','.join(map(number, type_.shape))}]"


def _nan(value: float) -> str:
    bits = struct.pack(">d", value).hex()
    return "nan" if bits == struct.pack(">d", math.nan).hex() else f"nan_{bits}"


def read_number(token: str) -> int | float:
    """The number that a token stands for. Raises WordError when it is none, too long, or past the largest float."""
    if len(token) > MAX_NUMBER:
        raise WordError(f"a number of {len(token)} characters; {MAX_NUMBER} are the most")
    if _INT.fullmatch(token):
        return int(token)
    if not _FLOAT.fullmatch(token):
        raise WordError("expected a number")
    if token.startswith("nan"):
        return _read_nan(token)
    value = float(token)
    if math.isinf(value) and "inf" not in token:
        raise WordError(f"{token} is past the largest number of 64 bits; write inf for infinity")
    return value


def _read_nan(token: str) -> float:
    if token == "nan":
        return math.nan
    value: float = struct.unpack(">d", bytes.fromhex(token[4:]))[0]
    if not math.isnan(value):
        raise WordError(f"{token} are not the bits of a NaN")
    return value


def attribute(value: Attribute) -> str:
    """An attribute's value as it is printed; its form alone says of which kind it is."""
    if isinstance(value, str):
        return name(value)
    if isinstance(value, DType):
        return value.value
    if isinstance(value, tuple):
        return f"[{','.join(map(number, value))}]"
    return number(value)


def read_value(token: str) -> bool | int | float | str | DType:
    """The value that one token stands for: truth, number, number format, quoted text or a bare name."""
    if token in _TRUTHS:
        return _TRUTHS[token]
    if token in DTYPES:
        return DTYPES[token]
    return read_number(token) if _FLOAT.fullmatch(token) else read_name(token)


def read_scalar(token: str) -> bool | int | float:
    """The truth or number that one token stands for. Raises WordError for anything else."""
    return _TRUTHS[token] if token in _TRUTHS else read_number(token)


def show(token: str) -> str:
    """A token as an error shows it: quoted, on one line, and not longer than a line."""
    return quote(token if len(token) <= 40 else token[:37] + "...")
