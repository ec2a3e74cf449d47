"""The words of Verilog text, each with its line, and what is read of them: names, ranges, expressions over bits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ontogeny.evolve.circuits.draft import CircuitFileError

KEYWORDS = frozenset(
    {
        *(
            "always",
            "and",
            "assign",
            "begin",
            "buf",
            "case",
            "else",
            "end",
            "endcase",
            "endmodule",
            "for",
            "function",
            "if",
        ),
        *(
            "initial",
            "inout",
            "input",
            "integer",
            "module",
            "nand",
            "negedge",
            "nor",
            "not",
            "or",
            "output",
            "parameter",
        ),
        *("posedge", "reg", "signed", "supply0", "supply1", "task", "tri", "wire", "xnor", "xor"),
    }
)
DEEPEST = 100
NESTED = 40
WIDEST_VECTOR = 1 << 16
LEVELS = (("||",), ("&&",), ("|",), ("^", "~^", "^~"), ("&",), ("==", "!="))
WORD = re.compile(
    r"""(?P<skip>\s+|//[^\n]*|/\*.*?\*/|\(\*(?!\s*\)).*?\*\)|`(?:timescale|default_nettype|celldefine|endcelldefine)[^\n]*)
    |(?P<number>\d*\s*'[sS]?[bBoOdDhH]\s*[0-9a-fA-FxXzZ_?]+|\d+)
    |(?P<name>[A-Za-z_][A-Za-z0-9_$]*|\\[^\s]+)
    |(?P<mark><=|&&|\|\||==|!=|~\^|\^~|[()\[\]{},;:?=@&|^~!.\#*+-])""",
    re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of text: its kind (name, escaped, number, mark, end) and its line."""

    kind: str
    text: str
    line: int

    def __str__(self) -> str:
        return "the end of the file" if self.kind == "end" else repr(self.text)


@dataclass(frozen=True, slots=True)
class Bit:
    """An expression of one bit: `op` is wire, 0, 1, not, and, or, xor or if; `parts` are what it is of."""

    op: str
    parts: tuple[Bit, ...] = ()
    name: str = ""
    depth: int = 0


def words(text: str) -> Iterator[Word]:
    """The words of the text, and an end."""
    place, line = 0, 1
    while place < len(text):
        found = WORD.match(text, place)
        if not found:
            raise CircuitFileError(f"{text[place : place + 20].split(chr(10))[0]!r} is no word of Verilog", line)
        kind, piece = str(found.lastgroup), found.group()
        if kind == "name" and piece.startswith("\\"):
            yield Word("escaped", piece[1:], line)
        elif kind != "skip":
            yield Word(kind, piece, line)
        line += piece.count("\n")
        place = found.end()
    yield Word("end", "", line)


def bit(op: str, *parts: Bit, line: int) -> Bit:
    """An expression over others; what is associative is not nested."""
    if op in ("and", "or", "xor"):
        parts = tuple(inner for part in parts for inner in (part.parts if part.op == op else (part,)))
    depth = 1 + max(part.depth for part in parts)
    if depth > DEEPEST:
        raise CircuitFileError(f"an expression more than {DEEPEST} deep; expected it in several assigns", line)
    return Bit(op, parts, depth=depth)


class Reader:
    """Goes through the words; `widths` has the declared vectors: their bits' names, lowest first."""

    def __init__(self, text: str) -> None:
        self.words = list(words(text))
        self.at = 0
        self.widths: dict[str, tuple[int, int]] = {}
        self.nested = 0

    @property
    def next(self) -> Word:
        """The word that comes."""
        return self.words[self.at]

    def take(self) -> Word:
        """The word that comes, gone past."""
        word = self.next
        self.at += word.kind != "end"
        return word

    def meets(self, *texts: str) -> bool:
        """Whether one of these comes; it is gone past then."""
        found = self.next.kind in ("name", "mark") and self.next.text in texts
        self.at += found
        return found

    def expect(self, text: str, why: str = "") -> Word:
        """Goes past `text`. Raises CircuitFileError where something else comes."""
        if not self.meets(text):
            raise self.wrong(f"{text!r}{why and ' ' + why}")
        return self.words[self.at - 1]

    def wrong(self, expected: str) -> CircuitFileError:
        """The error that says what came, and what was expected."""
        return CircuitFileError(f"{self.next}; expected {expected}", self.next.line)

    def name(self, what: str) -> str:
        """A name, escaped or not a keyword."""
        word = self.next
        if word.kind != "escaped" and (word.kind != "name" or word.text in KEYWORDS):
            raise self.wrong(what)
        return self.take().text

    def whole(self) -> int:
        """A plain whole number."""
        if self.next.kind != "number" or not self.next.text.isdecimal() or len(self.next.text) > 9:
            raise self.wrong("a whole number")
        return int(self.take().text)

    def range(self) -> tuple[int, int] | None:
        """A range in brackets, where one comes: its first and last place."""
        if not self.meets("["):
            return None
        line, high = self.next.line, self.whole()
        low = self.whole() if self.meets(":") else high
        self.expect("]")
        if abs(high - low) >= WIDEST_VECTOR:
            raise CircuitFileError(f"[{high}:{low}] is wider than {WIDEST_VECTOR} bits", line)
        return high, low

    def bits_of(self, name: str) -> list[str]:
        """The names of a declared vector's bits, lowest first, or the name alone."""
        return [name] if name not in self.widths else between(name, *self.widths[name])

    def selected(self, what: str = "the name of a wire") -> list[str]:
        """A name with or without a range: its bits, lowest first."""
        line, name = self.next.line, self.name(what)
        chosen = self.range()
        if chosen is None:
            return self.bits_of(name)
        inside = set(self.bits_of(name)) if name in self.widths else set()
        found = between(name, *chosen)
        if not inside.issuperset(found):
            raise CircuitFileError(f"{found[0]!r} is not declared; expected a bit of a declared vector", line)
        return found

    def target(self) -> list[str]:
        """What is assigned to: a name, a part of one, or several in braces, the last of them lowest."""
        if not self.meets("{"):
            return self.selected()
        parts = [self.selected()]
        while self.meets(","):
            parts.append(self.selected())
        self.expect("}")
        return [name for part in reversed(parts) for name in part]

    def expression(self) -> list[Bit]:
        """An expression: its bits, lowest first."""
        self.nested += 1
        if self.nested > NESTED:
            raise self.wrong(f"no more than {NESTED} brackets in each other")
        line, found = self.next.line, self._level(0)
        if self.meets("?"):
            yes = self.expression()
            self.expect(":")
            no = self.expression()
            by = truth(found, line)
            found = [bit("if", by, a, b, line=line) for a, b in paired(yes, no, "?", line)]
        self.nested -= 1
        return found

    def _level(self, level: int) -> list[Bit]:
        if level == len(LEVELS):
            return self._unary()
        found = self._level(level + 1)
        while self.next.kind == "mark" and self.next.text in LEVELS[level]:
            operator = self.take()
            found = BINARY[operator.text](found, self._level(level + 1), operator.line)
        return found

    def _unary(self) -> list[Bit]:
        inverted = []
        while self.next.kind == "mark" and self.next.text in UNARY:
            inverted.append(self.take())
        found = self._operand()
        for word in reversed(inverted):
            found = UNARY[word.text](found, word.line)
        return found

    def _operand(self) -> list[Bit]:
        if self.meets("("):
            found = self.expression()
            self.expect(")")
            return found
        if self.meets("{"):
            parts = [self.expression()]
            while self.meets(","):
                parts.append(self.expression())
            self.expect("}")
            return [one for part in reversed(parts) for one in part]
        if self.next.kind == "number":
            return self.constant()
        return [Bit("wire", name=name) for name in self.selected("a wire, a constant or an expression in brackets")]

    def constant(self) -> list[Bit]:
        """A number as bits, lowest first; without a width it has those it needs."""
        word = self.take()
        size, _, digits = re.sub(r"[\s_]", "", word.text).rpartition("'")
        base = {"b": 2, "o": 8, "d": 10, "h": 16}.get(digits.lstrip("sS")[:1].lower(), 10) if "'" in word.text else 10
        bare = digits.lstrip("sS")[1:] if "'" in word.text else digits
        try:
            value = int(bare, base)
        except ValueError:
            raise CircuitFileError(
                f"{word.text!r}; expected a number of zeros and ones, no x or z", word.line
            ) from None
        width = int(size) if size else max(1, value.bit_length())
        if not 0 < width <= WIDEST_VECTOR:
            raise CircuitFileError(f"{word.text!r} has {width} bits; expected 1 to {WIDEST_VECTOR}", word.line)
        return [Bit(str(value >> place & 1)) for place in range(width)]


def between(name: str, high: int, low: int) -> list[str]:
    """The names of the bits `high` down to `low`, the last first."""
    step = 1 if high >= low else -1
    return [f"{name}[{place}]" for place in range(low, high + step, step)]


def paired(a: Sequence[Bit], b: Sequence[Bit], operator: str, line: int) -> Iterator[tuple[Bit, Bit]]:
    """The bits of two operands by pairs; they must be as many."""
    if len(a) != len(b):
        raise CircuitFileError(f"{operator!r} of {len(a)} bits and {len(b)}; expected as many of each", line)
    return zip(a, b, strict=True)


def truth(bits: Sequence[Bit], line: int) -> Bit:
    """Whether any bit is one."""
    return bits[0] if len(bits) == 1 else bit("or", *bits, line=line)


def _each(op: str, inverted: bool = False) -> Callable[[list[Bit], list[Bit], int], list[Bit]]:
    def join(a: list[Bit], b: list[Bit], line: int) -> list[Bit]:
        found = [bit(op, x, y, line=line) for x, y in paired(a, b, op, line)]
        return [bit("not", one, line=line) for one in found] if inverted else found

    return join


def _unlike(a: list[Bit], b: list[Bit], line: int) -> Bit:
    return truth([bit("xor", x, y, line=line) for x, y in paired(a, b, "==", line)], line)


BINARY: dict[str, Callable[[list[Bit], list[Bit], int], list[Bit]]] = {
    "&": _each("and"),
    "|": _each("or"),
    "^": _each("xor"),
    "~^": _each("xor", inverted=True),
    "^~": _each("xor", inverted=True),
    "&&": lambda a, b, line: [bit("and", truth(a, line), truth(b, line), line=line)],
    "||": lambda a, b, line: [bit("or", truth(a, line), truth(b, line), line=line)],
    "!=": lambda a, b, line: [_unlike(a, b, line)],
    "==": lambda a, b, line: [bit("not", _unlike(a, b, line), line=line)],
}
UNARY: dict[str, Callable[[list[Bit], int], list[Bit]]] = {
    "~": lambda a, line: [bit("not", one, line=line) for one in a],
    "!": lambda a, line: [bit("not", truth(a, line), line=line)],
    "&": lambda a, line: [bit("and", *a, line=line)],
    "|": lambda a, line: [truth(a, line)],
    "^": lambda a, line: [bit("xor", *a, line=line)],
}
