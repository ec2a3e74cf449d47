"""Words, numbers, names and signs of a text, each with what it may be in the grammar.

A word that the run has a name of its own for (a tensor, a dial, another run) is that name, unless the phrases know it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ontogeny.steer.phrases import numerals
from ontogeny.steer.phrases.context import Context
from ontogeny.steer.phrases.normal import normal

PATTERN = re.compile(
    r"""(?P<quoted>"[^"]{1,80}"|“[^”]{1,80}”|(?<!\w)'[^']{1,80}'(?!\w)|`[^`]{1,80}`)
    |(?P<element>[A-Za-z_][\w.]*\[[\d\s,:-]*\])
    |(?P<range>(?<![\w.])\d+:(?:\d+|(?!\s+[^\W_]))|(?<![\w.]):\d+)(?!\w)
    |(?P<number>(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)?(?:\.\d+)?(?<=\d)(?:e[-+]?\d+)?)
     (?P<unit>\s?%|\s?percent\b|(?:st|nd|rd|th)\b|[kKmM]\b|\s?x(?=\s|$|[,.;!?]))?(?!\w)
    |(?P<pattern>[A-Za-z_*][\w*]*(?:\.[\w*]+)+\.?\*?|\w*\*\w*)
    |(?P<word>[^\W\d_](?:[\w]|['’-](?=\w))*|_\w+)
    |(?P<sign>>=|<=|==|->|[<>=,;:.!?()\[\]/&+-])
    |(?P<other>\S)""",
    re.VERBOSE | re.IGNORECASE,
)
SIGNS = {
    ",": "COMMA", ";": "SEMICOLON", ".": "STOP", "!": "STOP", "?": "STOP", ":": "COLON", "(": "OPEN", ")": "CLOSE",
    "[": "OPEN", "]": "CLOSE",
    "=": "EQUALS", "==": "EQUALS", ">=": "ABOVE", ">": "ABOVE", "<=": "BELOW", "<": "BELOW", "-": "DASH", "/": "SLASH",
    "+": "PLUS", "->": "ARROW",
}  # fmt: skip
ANY = "ANY"
"""The kind of every single word, for a name that may be any."""
NUMERIC = {**numerals.NAMED, **numerals.PARTS}
LONGEST = 1000
MOST = 100
SEPARATORS = (
    "COMMA",
    "SEMICOLON",
    "STOP",
    "and",
    "then",
    "before",
    "but",
    "plus",
    "followed",
    "afterwards",
    "finally",
    "next",
    "COLON",
    "DASH",
    "PLUS",
)
"""What may stand between two commands."""
_CONTRACTED = """what's:what is|whats:what is|it's:it is|that's:that is|let's:lets|i'd:i would|i'm:i am|where's:where is
how's:how is|hows:how is|who's:who is|there's:there is|i'll:i will|we'll:we will|we'd:we would|dont:don't|cannot:can not
can't:can not|gonna:going to|rollback:roll back|didnt:didn't|doesnt:doesn't|isnt:isn't|i've:i have|we've:we have
wanna:want to
you'd:would|you'll:will|they're:they are|you've:have|you're:are|'em:them
we're:we are|hasnt:hasn't|wasnt:wasn't|lr's:lr|loss's:loss|gimme:give"""
_RATE = r"(?:the\s+)?(?:lr|(?:learning|step)[- ]?(?:rate|size))"
_TO = r"(?:=|:|->|(?:(?:back|down|up)\s)?to\b|at\b|is\b|be\b)"
_SHARE = r"(?P<share>[\w.-]+\s?(?:%|percent\b))(?!\s*(?:of|more|less|lower|higher|larger|smaller|bigger|off)\b)"
_RATE_TO_SHARE = re.compile(rf"(?P<rate>\b{_RATE})\s?{_TO}\s?{_SHARE}", re.IGNORECASE)
_RATE_SHARE = re.compile(rf"(?P<rate>(?:^\s*|\b(?:set|put|make|turn|change)\s+){_RATE})\s{_SHARE}", re.IGNORECASE)
_RATE_LESS = re.compile(rf"(?P<rate>\b(?:lower|reduce|decrease|drop|cut)\s+{_RATE})\s{_SHARE}", re.IGNORECASE)
SHORTHAND: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"\bw/o\b", re.IGNORECASE), "without "),
    (re.compile(r"\bw/(?=\s|\w)", re.IGNORECASE), "with "),
    (re.compile(r"@"), " at "),
    (re.compile(r"(?<=\s)x\s?(\d+(?:\.\d+)?)(?=$|[\s,;.])"), r"\1x"),
    (re.compile(r"\b(lr|wd|decay|rate)\s?\*=?\s?(\d*\.?\d+)", re.IGNORECASE), r"\1 \2x"),
    (re.compile(r"\b(lr|wd|decay|rate)\s?/=?\s?(\d+)\b", re.IGNORECASE), r"\1 1/\2"),
    (re.compile(r"\bbeta ([12])\b", re.IGNORECASE), r"beta\1"),
    (re.compile(r"\bbeta[- ]one\b", re.IGNORECASE), "beta1"),
    (re.compile(r"\bbeta[- ]two\b", re.IGNORECASE), "beta2"),
    (re.compile(r"\bper cent\b", re.IGNORECASE), "percent"),
    (_RATE_TO_SHARE, r"\g<rate> to \g<share> of it"),
    (_RATE_LESS, r"\g<rate> by \g<share>"),
    (_RATE_SHARE, r"\g<rate> to \g<share> of it"),
    (re.compile(r"\bbtw\b(?=.*\d)", re.IGNORECASE), "between"),
    (re.compile(r"\bsign\(g\)", re.IGNORECASE), "sign of gradients"),
    (re.compile(r"(?<=instead of )g\b", re.IGNORECASE), "gradients"),
)
"""What people write short, and as they would say it. A learning rate of 10% is a tenth of what it is, never 0.1."""
QUOTES = re.compile(r"""("[^"]*"|“[^”]*”|`[^`]*`)""")
_SHORT = """sw:switch to|rm:remove|frz:freeze|cmp:compare|hist:history|cmds:commands|cmd:command|ex:examples
exs:examples|attn:attention|mom:momentum|sched:schedule|b1:beta1|b2:beta2|whatif:what if|wheres:where is
ops:operations|op:operation|diag:diagnose|opt:optimiser|optim:optimiser|reinit:reinitialise|corr:correlation|w:with
vl:validation loss|va:validation accuracy"""
NAMING = re.compile(
    r"\b(called|named|as|titled|labelled|(the\s+)?name(\s+of)?|(call|name|label|mark)(\s+(it|this|that|here))?)\s+$",
    re.IGNORECASE,
)
"""What stands before a name that somebody gives."""
NO_KIND: frozenset[str] = frozenset()
CONTRACTED = dict(pair.split(":") for pair in f"{_CONTRACTED}|{_SHORT}".replace("\n", "|").split("|"))


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of a text: its kind in the grammar, what was written, its value, and other kinds that it may be."""

    kind: str
    text: str
    value: Any = None
    also: frozenset[str] = frozenset()

    @property
    def kinds(self) -> frozenset[str]:
        """All that it may be in the grammar."""
        return self.also | {self.kind}

    @property
    def separates(self) -> bool:
        """Whether another command may begin after it."""
        return self.kind in SEPARATORS


def words(text: str, context: Context, known: Collection[str]) -> list[Word]:
    """The pieces of a text; `known` are the words that the phrases use."""
    plain = unicodedata.normalize("NFKC", text).replace("’", "'").replace("−", "-").replace("×", "x").replace("≥", ">=")
    plain = plain.replace("≤", "<=").replace("–", "-").replace("—", ", ")
    plain = "".join(_written_out(part) if at % 2 == 0 else part for at, part in enumerate(QUOTES.split(plain)))
    return _joined(list(_pieces(plain, context, known)))


def _written_out(text: str) -> str:
    for pattern, meant in SHORTHAND:
        text = pattern.sub(meant, text)
    return text


def _pieces(text: str, context: Context, known: Collection[str]) -> Iterator[Word]:
    names = _names(context)
    for match in PATTERN.finditer(text):
        kind, said = match.lastgroup or "", match[0]
        if match["number"]:
            yield _number(match)
        elif kind == "quoted":
            yield Word("QUOTED", said[1:-1])
        elif kind == "sign":
            yield Word(SIGNS.get(said, "OTHER"), said) if said != "&" else Word("and", "and")
        elif kind == "word":
            given = "-" in said and NAMING.search(text[: match.start()]) and said.lower() not in names
            yield from [Word("NAME", said, also=frozenset((ANY,)))] if given else _word(said, names, known)
        elif kind == "pattern":
            yield from _dotted(said, names, known)
        else:
            yield Word(kind.upper(), said.replace(" ", ""))


def _names(context: Context) -> dict[str, str]:
    """The kind of each name that the run has."""
    kinds = {
        "INPUT": context.inputs, "MARK": context.marks, "RUN": (*context.discarded, *context.runs),
        "METRIC": context.metrics, "DIAL": context.dials, "TENSOR": context.tensors,
    }  # fmt: skip
    return {name.lower(): kind for kind, names in kinds.items() for name in names}


def _dotted(said: str, names: dict[str, str], known: Collection[str]) -> Iterator[Word]:
    """A name with dots or a pattern; what ends a sentence without a space after it is two words."""
    trimmed = said.rstrip(".")
    if trimmed.lower() in names:
        yield Word(names[trimmed.lower()], trimmed)
    elif "*" in said:
        yield Word("PATTERN", trimmed)
    else:
        yield Word("DOTTED", trimmed)


def _word(said: str, names: dict[str, str], known: Collection[str]) -> Iterator[Word]:
    small = said.lower()
    if small in CONTRACTED and small not in names:
        for one in CONTRACTED[small].split():
            yield Word(normal(one), one, also=frozenset((ANY,)))
    elif normal(small) in known or small in numerals.NAMED or small in numerals.PARTS:
        yield Word(normal(small), said, also=frozenset((ANY, *([names[small]] if small in names else []))))
    elif small in names:
        yield Word(names[small], said, also=frozenset((ANY,)))
    elif small.endswith("'s") and small[:-2] in names:
        yield Word(names[small[:-2]], said[:-2], also=frozenset((ANY,)))
    elif "-" in said and all(normal(one.lower()) in known or one.lower() in NUMERIC for one in said.split("-") if one):
        for one in said.split("-"):
            yield from _word(one, names, known)
    elif small.endswith("'s"):
        yield from _word(said[:-2], names, known)
    else:
        yield Word("NAME", said, also=frozenset((ANY,)))


def _number(match: re.Match[str]) -> Word:
    value, unit = float(match["number"].replace(",", "")), (match["unit"] or "").strip().lower()
    if unit in ("%", "percent"):
        return Word("PERCENT", match[0], value / 100)
    if unit in ("st", "nd", "rd", "th"):
        return Word("ORDINAL", match[0], value)
    if unit == "x":
        return Word("TIMES", match[0], value)
    return Word("NUMBER", match[0], value * {"k": 1e3, "m": 1e6}.get(unit, 1.0))


def _joined(found: list[Word]) -> list[Word]:
    """Numbers in words as numbers: two hundred, three quarters; 5 hundred; 1/10; 10 percent."""
    joined: list[Word] = []
    place = 0
    small = [word.text.lower() for word in found]
    while place < len(found):
        word, taken = _numeral(found, small, place)
        joined.append(word)
        place += taken
    return joined


def _numeral(found: Sequence[Word], small: list[str], place: int) -> tuple[Word, int]:
    word, after = found[place], found[place + 1 :]
    ahead = small[place : place + 10]
    if word.kind == "NUMBER" and after:
        if after[0].text.lower() in ("hundred", "thousand", "million"):
            return replace(word, value=word.value * numerals.LARGE[small[place + 1]]), 2
        if after[0].kind == "SLASH" and len(after) > 1 and after[1].kind == "NUMBER" and after[1].value:
            return Word("FRACTION", "/".join((word.text, after[1].text)), word.value / after[1].value), 3
    if word.kind.isupper():
        return word, 1
    value, taken = numerals.spoken(ahead)
    if taken:
        if ahead[taken : taken + 1] == ["percent"]:
            return Word("PERCENT", " ".join(ahead[: taken + 1]), value / 100), taken + 1
        return Word("NUMBER", " ".join(ahead[:taken]), value), taken
    value, taken = numerals.part(ahead)
    if taken:
        own = frozenset((normal(ahead[0]),)) if taken == 1 else NO_KIND
        return Word("FRACTION", " ".join(ahead[:taken]), value, own), taken
    value, taken = numerals.number(ahead)
    if taken == 1 and ahead[0] in ("one", "zero"):
        return replace(word, value=value, also=word.also | {"NUMBER"}), 1
    if taken:
        unit = ahead[taken : taken + 1]
        if unit == ["percent"]:
            return Word("PERCENT", " ".join(ahead[: taken + 1]), value / 100), taken + 1
        return Word("NUMBER", " ".join(ahead[:taken]), value), taken
    return word, 1
