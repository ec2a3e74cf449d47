"""A place in one line of text: the tokens before and after it, and errors that say where it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import NoReturn, TypeVar

from ontogeny.isa.errors import TextError
from ontogeny.isa.text.words import MAX_NUMBER, TOKEN, WordError, show

T = TypeVar("T")


class Cursor:
    """The tokens of one line and a place among them; `""` stands after the last one.

    `sizes` are those that the text has declared so far, by name.
    """

    def __init__(self, text: str, number: int, sizes: dict[str, int] | None = None) -> None:
        self.text = text
        self.number = number
        self.sizes = {} if sizes is None else sizes
        self.tokens: list[str] = TOKEN.findall(text)
        self.place = 0
        self.note = ""
        self.comment = ""
        if self.tokens and self.tokens[-1][0] in ";#":
            tail = self.tokens.pop()
            self.note, self.comment = (tail[1:], "") if tail[0] == ";" else ("", tail)
        self.tokens.append("")

    @property
    def token(self) -> str:
        """The token that stands here."""
        return self.tokens[self.place]

    def take(self) -> str:
        """The token that stands here; steps over it."""
        token = self.tokens[self.place]
        if token:
            self.place += 1
        return token

    def skip(self, token: str) -> bool:
        """Steps over `token` if it stands here, and says whether it did."""
        if self.tokens[self.place] != token:
            return False
        self.place += 1
        return True

    def expect(self, token: str) -> None:
        """Steps over `token`. Raises TextError when another one stands here."""
        if self.tokens[self.place] != token:
            self.fail(f"expected {token!r}")
        self.place += 1

    def read(self, reader: Callable[[str], T], expected: str) -> T:
        """What `reader` makes of the token that stands here; steps over it."""
        token = self.tokens[self.place]
        if not token:
            self.fail(f"expected {expected}")
        try:
            value = reader(token)
        except WordError as error:
            self.fail(str(error) if token[0] == '"' or len(token) > MAX_NUMBER else f"expected {expected}: {error}")
        self.place += 1
        return value

    def fail(self, message: str, place: int | None = None, found: bool = True) -> NoReturn:
        """Raises TextError at this token, or the one at `place`, and says what was found there."""
        place = self.place if place is None else place
        what = f", found {show(self.tokens[place]) if self.tokens[place] else 'the end of the line'}" if found else ""
        raise TextError(message + what, self.number, self.column(place))

    def column(self, place: int) -> int:
        """The column of a token, counted from one."""
        for index, match in enumerate(TOKEN.finditer(self.text)):
            if index == place:
                return match.start() + 1
        return len(self.text.rstrip()) + 1

    def unknown(self, what: str, word: str, known: Iterable[str], place: int | None = None) -> NoReturn:
        """Raises TextError for a word that is none of the known ones, and names the nearest."""
        known = list(known)
        near = get_close_matches(word, known, 1) if len(word) <= MAX_NUMBER else []
        few = f"; there are {', '.join(known)}" if len(known) <= 8 else "; see docs/SPEC.md"
        hint = f"; did you mean {near[0]!r}?" if near else few if known else "; there are none"
        self.fail(f"{what} {show(word)}{hint}", place, found=False)
