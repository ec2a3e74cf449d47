"""Words as commands by the phrases alone: quick, the same every time, and never a guess at a change.

A text is divided into clauses, as few as can be read; each clause is read by the phrases of every
command. Where two readings say different things, or a word is not understood, it asks back, and names what would be
sure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.command import Command
from ontogeny.steer.phrases.context import Context, context_of
from ontogeny.steer.phrases.courtesy import bare
from ontogeny.steer.phrases.grammar import SAID, grammar, rule_of
from ontogeny.steer.phrases.matcher import Matcher, Tree
from ontogeny.steer.phrases.nearest import nearest, question
from ontogeny.steer.phrases.normal import NOTHING, normal
from ontogeny.steer.phrases.phrase import Unclear
from ontogeny.steer.phrases.spelling import correction
from ontogeny.steer.phrases.tokens import LONGEST, MOST, Word, words
from ontogeny.steer.reading import Alternative, Reading
from ontogeny.steer.registry import command
from ontogeny.steer.session import Session

CLAUSES = 12
"""Commands that one text may hold, at most."""
MOVING = ("fork", "rule", "freeze", "unfreeze")


@dataclass(frozen=True, slots=True)
class Clause:
    """A reading of one clause: the command's name, and its phrase."""

    name: str
    tree: Tree


class PhraseReader:
    """A reader that knows phrases, and asks no one."""

    def read(self, text: str, session: Session) -> Reading:
        """What the words mean to a session where it stands."""
        return read(text, context_of(session))


def read(text: str, context: Context) -> Reading:
    """What the words mean in a context. Raises nothing for any text, and takes bounded time."""
    if len(text) > LONGEST:
        return Reading(unsure=f"that is longer than {LONGEST} letters; say it in several sentences")
    said = [word for word in words(text, context, grammar().words) if not _nothing(word)]
    if len(said) > MOST or sum(word.separates for word in said) > 2 * CLAUSES:
        return Reading(unsure="that is much at once; say it in several sentences")
    for attempt in (said, _respelt(said)):
        if attempt is not None and (clauses := divided(attempt)) is not None:
            return _meant(clauses, context)
    asked = question(said, context)
    if asked is not None:
        return Reading(commands=(asked,))
    return _back(nearest(said, context), "", context)


def divided(said: Sequence[Word]) -> list[list[Clause]] | None:
    """The readings of each clause, of as few clauses as the words can be divided into; None where they cannot."""
    said = _trimmed(said)
    ends = [place for place, word in enumerate(said) if word.separates] + [len(said)]
    starts = [0, *(end + 1 for end in ends[:-1])]
    best: dict[int, list[list[Clause]]] = {0: []}
    for start in starts:
        if start not in best or (start == len(said) and said):
            continue
        for end in ends:
            if end < start:
                continue
            found = [] if end == start else clause(said[start:end])
            if end > start and not found:
                continue
            longer = [*best[start], *([found] if found else [])]
            after = end + 1
            if after not in best or len(longer) < len(best[after]):
                best[after] = longer
    return best.get(len(said) + 1) or None


def clause(said: Sequence[Word]) -> list[Clause]:
    """The readings of one clause, the most literal ones."""
    known = grammar()
    for trimmed in bare(said):
        matcher = Matcher(known, trimmed)
        trees = {name: matcher.whole(rule_of(name)) for name in SAID}
        found = [Clause(name, tree) for name, tree in trees.items() if tree is not None]
        if found:
            most = max(one.tree.own for one in found)
            return [one for one in found if one.tree.own == most]
    return []


def _meant(clauses: list[list[Clause]], context: Context) -> Reading:
    """The commands of clauses, each said where the ones before it lead."""
    meant: list[Command] = []
    for readings in clauses:
        try:
            found = _agreed(readings, context)
        except Unclear as unclear:
            return _back(unclear.options, str(unclear), context)
        except OntogenyError as error:
            return Reading(unsure=str(error))
        meant += found
        if any(one.NAME in MOVING for one in found):
            context = context.forked()
    return Reading(commands=tuple(meant))


def _agreed(readings: list[Clause], context: Context) -> list[Command]:
    """What all readings of a clause say. Raises Unclear where they say different things."""
    found: list[list[Command]] = []
    unclear: Unclear | None = None
    for one in readings:
        try:
            said = _commands(one, context)
            found += [said] if said not in found else []
        except Unclear as error:
            unclear = unclear or error
    if not found:
        raise unclear or Unclear("that could not be read")
    if len(found) > 1 and any(one.EFFECT.confirmed for said in found for one in said):
        raise Unclear("that may mean several things: " + " or ".join(one.says() for said in found for one in said))
    return found[0]


def _commands(one: Clause, context: Context) -> list[Command]:
    given: Any = grammar().meaning(one.tree, context)
    return [command(one.name, each) for each in (given if isinstance(given, list) else [given])]


def _back(options: Sequence[str], why: str, context: Context) -> Reading:
    """Asking back, with those of the options that are sure."""
    alternatives = tuple(_sure(options, context))
    why = why or ("I do not understand that" + ("; did you mean" if alternatives else "; `help` says what can be said"))
    return Reading(unsure=why, alternatives=alternatives)


def _sure(options: Sequence[str], context: Context) -> Iterator[Alternative]:
    for option in options:
        said = [word for word in words(option, context, grammar().words) if not _nothing(word)]
        clauses = divided(said)
        read_again = _meant(clauses, context) if clauses else Reading(unsure="?")
        if read_again.commands:
            yield Alternative(option, read_again.commands)


def _nothing(word: Word) -> bool:
    return (not word.kind.isupper() or word.kind == "NAME") and normal(word.text) in NOTHING


def _trimmed(said: Sequence[Word]) -> list[Word]:
    """Without what separates at both ends, and doubled separators as one."""
    found = [word for place, word in enumerate(said) if not (word.separates and (not place or place == len(said) - 1))]
    return found


def _respelt(said: list[Word]) -> list[Word] | None:
    """Unknown words taken for the one known word that they nearly are; None where there is none."""
    again = []
    for word in said:
        near = correction(word.text.lower(), grammar().words) if word.kind == "NAME" else None
        again.append(replace(word, kind=normal(near), text=near) if near else word)
    return again if again != said else None
