"""What is said in the words of a phrase: a text divided into clauses, as few as the phrases of the commands read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.command import Command, Effect
from ontogeny.steer.phrases.context import Context
from ontogeny.steer.phrases.courtesy import bare, chatter
from ontogeny.steer.phrases.grammar import SAID, grammar, rule_of
from ontogeny.steer.phrases.known import heard
from ontogeny.steer.phrases.matcher import Matcher, Tree
from ontogeny.steer.phrases.phrase import Missing, Unclear
from ontogeny.steer.phrases.tokens import Word
from ontogeny.steer.reading import Alternative, Reading
from ontogeny.steer.registry import BY_NAME, FORKING, command

SUPPOSED = frozenset(("if", "suppose", "supposing", "imagine", "assume", "assuming"))
"""What begins so only supposes."""
TELLING = ("tell", "show", "know", "wonder", "curious")
"""A clause that begins so asks for words."""
PUNCTUATION = ("COMMA", "SEMICOLON", "STOP", "DASH")


@dataclass(frozen=True, slots=True)
class Clause:
    """A reading of one clause: the command's name and its phrase."""

    name: str
    tree: Tree


def literally(said: Sequence[Word], context: Context) -> Reading:
    """The commands whose phrases the words are; neither commands nor a reason where they are none.

    Unsure where a phrase lacks something, or where two phrases mean different things.
    """
    clauses = divided(said)
    return meant(clauses, context) if clauses else Reading()


def divided(said: Sequence[Word]) -> list[list[Clause]] | None:
    """The readings of each clause, of as few clauses as the words can be divided into; None where they cannot."""
    said = trimmed(said)
    if said and said[0].kind in SUPPOSED:
        return None
    ends = [place for place, word in enumerate(said) if word.separates] + [len(said)]
    best: dict[int, tuple[int, list[list[Clause]]]] = {0: (0, [])}
    for start in (0, *(end + 1 for end in ends[:-1])):
        if start not in best or (start == len(said) and said):
            continue
        for end in (end for end in ends if end >= start):
            found = clause(said[start:end]) if end > start else []
            if end > start and not found and not _apart(said, start, end):
                continue
            count, before = best[start]
            longer = count + bool(found), [*before, *([found] if found else [])]
            if end + 1 not in best or longer[0] < best[end + 1][0]:
                best[end + 1] = longer
    return best.get(len(said) + 1, (0, []))[1] or None


def _apart(said: Sequence[Word], start: int, end: int) -> bool:
    """Whether words stand between punctuation, and only say how things are."""
    before = not start or said[start - 1].kind in PUNCTUATION
    after = end == len(said) or said[end].kind in PUNCTUATION
    return before and after and chatter(said[start:end])


def clause(said: Sequence[Word]) -> list[Clause]:
    """The most literal readings of one clause by the phrases of all commands."""
    for words_left in bare(said):
        matcher = Matcher(grammar(), words_left)
        trees = {name: matcher.whole(rule_of(name)) for name in SAID}
        found = [(Clause(name, tree), tree.own) for name, tree in trees.items() if tree is not None]
        if found:
            most = max(own for _, own in found)
            return _telling(said, [one for one, own in found if own == most])
    return []


def _telling(said: Sequence[Word], found: list[Clause]) -> list[Clause]:
    """Without changes where something is to be told."""
    told = bool(said) and said[0].kind in TELLING
    return [one for one in found if not (told and BY_NAME[one.name].EFFECT is not Effect.ASKS)]


def meant(clauses: list[list[Clause]], context: Context) -> Reading:
    """The commands of clauses, each said where the ones before it lead."""
    commands: list[Command] = []
    for readings in clauses:
        try:
            found = _agreed(readings, context)
        except Unclear as unclear:
            return Reading(
                unsure=str(unclear), alternatives=_options(unclear, context), settled=isinstance(unclear, Missing)
            )
        except OntogenyError as error:
            return Reading(unsure=str(error))
        commands += found
        if any(one.NAME in FORKING for one in found):
            context = context.forked()
    return Reading(commands=tuple(commands))


def _options(unclear: Unclear, context: Context) -> tuple[Alternative, ...]:
    """What an unclear phrase offers, with the commands that each is."""
    found = ((option, literally(heard(option, context), context).commands) for option in unclear.options)
    return tuple(Alternative(option, commands) for option, commands in found if commands)


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
    several = given if isinstance(given, list) else [given]
    return [command(one.name, each) for each in several]


def trimmed(said: Sequence[Word]) -> list[Word]:
    """Without what separates at both ends, and the last of several in a row that separate."""
    found: list[Word] = []
    for word in said:
        if not (word.separates and (not found or found[-1].separates)):
            found.append(word)
    while found and found[-1].separates:
        found.pop()
    return found
