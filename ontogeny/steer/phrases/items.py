"""What words name: typed things, each with the words that name it.

Tables of phrases say how a step, a tensor or a factor is said (`said/`); this finds every one of them in a clause,
whatever stands between.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.phrases.context import Context
from ontogeny.steer.phrases.grammar import grammar
from ontogeny.steer.phrases.matcher import VALUED, Matcher
from ontogeny.steer.phrases.normal import forms, normal
from ontogeny.steer.phrases.tokens import Word

TABLES = {
    "place": "not_a_number", "steps": "steps_named", "window": "window", "condition": "condition", "dial": "dial",
    "tensors": "tensors", "element": "element", "examples": "examples_said", "list": "example_list", "metric": "what",
    "run": "reference", "optimiser": "optimiser", "setting": "setting", "values": "pairs", "budget": "budget",
    "event": "event", "discarded": "discarded", "edit": "edit_name", "factor": "factor", "share": "share",
    "speed": "speed", "machine": "machine", "precision": "precision", "runs": "runs",
}  # fmt: skip
"""The tables that are looked for, by the type of what they name."""
NAMING = forms(
    "call called name named as label labelled it mark tag title titled bookmark step point spot place new branch "
    "fork run this that here version result marker copy"
)
"""Words after which a word may be a name."""
UNNAMED = ("NAME", "QUOTED", "DOTTED", "RUN", "MARK")
BEFORE_FILE = forms("from in of file out load to with learn at")
POINTING = forms(
    "it this that here there them one branch fork run step steps spot point place new and as is called named"
)
"""Words that are no names, also where a name may stand."""
SETTING_OFF = ("COLON", "ARROW", "EQUALS")
"""Signs after which a word may be a name."""
RUN_WORDS = forms("run fork branch one")
LONGEST_NAME = 3


@dataclass(frozen=True, slots=True)
class Item:
    """A thing that words `start` to `stop` name: its type (a key of `TABLES`, number, name, file...) and its value."""

    type: str
    start: int
    stop: int
    value: Any

    def within(self, start: int, stop: int) -> bool:
        """Whether all of its words lie between two places."""
        return start <= self.start and self.stop <= stop

    def moved(self, by: int) -> Item:
        """The same where so many words before it are left away."""
        return Item(self.type, self.start - by, self.stop - by, self.value)


def items(said: Sequence[Word], context: Context) -> list[Item]:
    """All that the words name. Of what one table can read from a word on, the longest counts."""
    matcher = Matcher(grammar(), said)
    found = [item for type_, table in TABLES.items() for item in _by_table(matcher, type_, table, context)]
    settings = [one for one in found if one.type == "setting"]
    if settings:
        merged = {name: value for one in settings for name, value in one.value.items()}
        found.append(Item("settings", settings[0].start, settings[-1].stop, merged))
    found += [item for at, word in enumerate(said) for item in _of_word(said, at, word)]
    found += _spoken_runs(said, context)
    return found


def _by_table(matcher: Matcher, type_: str, table: str, context: Context) -> Iterator[Item]:
    covered = -1
    for at in range(len(matcher.words)):
        ends = matcher.table(table, at)
        for stop in sorted((end for end in ends if end > covered), reverse=True):
            try:
                value = matcher.grammar.meaning(ends[stop], context)
            except OntogenyError:
                continue
            covered = stop
            yield Item(type_, at, stop, value)
            break


def _of_word(said: Sequence[Word], at: int, word: Word) -> Iterator[Item]:
    """A number, and what may be a name, a file or a routine."""
    if word.value is not None and word.kinds & {*VALUED}:
        yield Item("number", at, at + 1, float(word.value))
    named = at > 0 and (normal(said[at - 1].text) in NAMING or said[at - 1].kind in SETTING_OFF)
    if word.kind in UNNAMED or (named and "ANY" in word.kinds and normal(word.text) not in POINTING):
        yield Item("name", at, at + 1, word.text)
    if named and word.kind in ("FRACTION", "ORDINAL") and word.text.isalpha():
        yield Item("name", at, at + 1, word.text)
    if word.kind in ("QUOTED", "DOTTED") and re.search(r"\.\w{2,}$", word.text):
        folders = at
        while folders and said[folders - 1].kind == "SLASH":
            inner = (
                folders > 1 and "ANY" in said[folders - 2].kinds and normal(said[folders - 2].text) not in BEFORE_FILE
            )
            folders -= 1 + inner
        yield Item("file", folders, at + 1, "".join(one.text for one in said[folders : at + 1]))
    if word.kind in ("NAME", "QUOTED") or normal(word.text) == "sleep":
        yield Item("routine", at, at + 1, word.text)
    if named and normal(word.text) not in POINTING:
        rest = said[at:]
        plain = all(
            ("ANY" in one.kinds or one.kind in ("NUMBER", "RUN", "MARK")) and normal(one.text) not in POINTING
            for one in rest
        )
        if plain and len(rest) <= LONGEST_NAME and (len(rest) > 1 or word.kind == "NUMBER"):
            yield Item("name", at, len(said), " ".join(one.text for one in rest))


def _spoken_runs(said: Sequence[Word], context: Context) -> Iterator[Item]:
    """A run whose name has a dash, said without one: the no decay run."""
    small = [word.text.lower() for word in said]
    for name in (*context.runs, *context.discarded):
        parts = [part for part in re.split(r"[-_ .]", name.lower()) if part]
        if len(parts) < 2:
            continue
        for at in range(len(small) - len(parts)):
            stop = at + len(parts)
            if small[at:stop] == parts and normal(small[stop]) in RUN_WORDS:
                yield Item("run", at, stop + 1, name)
