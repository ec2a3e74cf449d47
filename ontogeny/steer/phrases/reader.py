"""Words as commands by the phrases alone: quick, the same every time, and never a guess at a change.

A text is divided into clauses, as few as can be read; each clause is read by the phrases of every
command. Where two readings say different things, or a word is not understood, it asks back, and names what would be
sure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any

from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.command import Command, Effect
from ontogeny.steer.commands.asking import Compare
from ontogeny.steer.phrases.context import Context, context_of
from ontogeny.steer.phrases.courtesy import bare, chatter
from ontogeny.steer.phrases.frames import Frame, Framed, fitting
from ontogeny.steer.phrases.grammar import SAID, grammar, rule_of, vocabulary
from ontogeny.steer.phrases.hedges import hedged, in_turn
from ontogeny.steer.phrases.known import PASSED, known_words, plain_words
from ontogeny.steer.phrases.matcher import Matcher, Tree
from ontogeny.steer.phrases.nearest import nearest
from ontogeny.steer.phrases.normal import NOTHING, SAME, normal
from ontogeny.steer.phrases.phrase import Unclear
from ontogeny.steer.phrases.questions import question
from ontogeny.steer.phrases.said.asked import ASKING
from ontogeny.steer.phrases.said.frames import FRAMES
from ontogeny.steer.phrases.said.further import FURTHER
from ontogeny.steer.phrases.spelling import spellings
from ontogeny.steer.phrases.tokens import LONGEST, MOST, Word, words
from ontogeny.steer.reading import Alternative, Reading
from ontogeny.steer.registry import BY_NAME, command
from ontogeny.steer.session import Session

CLAUSES = 12
OFFERED = 3
WAYS = 8
"""Ways to mend the spelling of a text that are tried."""
"""Commands that one text may hold, at most."""
PLACED = ("set", "rule", "freeze", "unfreeze", "alter", "run", "leave-out", "mix", "learn", "fork")
"""Commands before which it may be said where."""
TRIED = 4
"""Things named before that are tried for a pronoun, the last first."""
PRONOUNS = ("it", "them", "those", "these")
RECALLED = ("dial", "tensors_named", "examples_said", "steps_named")
"""What a pronoun may stand for: the tables of what was named before."""
PASSED_NONE: frozenset[str] = frozenset()
SUPPOSED = ("if", "suppose", "supposing", "imagine", "assume", "assuming")
"""What begins so only supposes."""
TELLING = ("tell", "show", "know", "wonder", "curious")
"""A clause that begins so asks for words."""
PUNCTUATION = ("COMMA", "SEMICOLON", "STOP", "DASH")
SETTING = ("with", "without", "at", "using", "under")
"""Words before a setting."""
NEAR = ("of", "on", "in", "for", "at", "with", "to", "from")
"""Words before the name of a run."""
MOVING = ("fork", "rule", "freeze", "unfreeze")


@dataclass(frozen=True, slots=True)
class Clause:
    """A reading of one clause: the command's name, its phrase, and what it names beside: a run, a setting, where."""

    name: str
    tree: Tree | Framed | Command
    run: Tree | None = None
    beside: Clause | None = None
    place: Tree | None = None


class PhraseReader:
    """A reader that knows phrases, and asks no one."""

    def read(self, text: str, session: Session) -> Reading:
        """What the words mean to a session where it stands."""
        return read(text, context_of(session))


def read(text: str, context: Context) -> Reading:
    """What the words mean in a context. Raises nothing for any text, and takes bounded time."""
    if len(text) > LONGEST:
        return Reading(unsure=f"that is longer than {LONGEST} letters; say it in several sentences")
    said = [word for word in words(text, context, known_words()) if not _nothing(word)]
    if len(said) > MOST or sum(word.separates for word in said) > 2 * CLAUSES:
        return Reading(unsure="that is much at once; say it in several sentences")
    said = in_turn(said)
    if said and said[0].kind in SUPPOSED and (asked := _question(said, context)):
        return _meant([asked], context)
    if clauses := divided(said):
        reading = _meant(clauses, context)
        mended = None if reading.commands else _one_spelling(said, context)
        return hedged(text, mended if mended and mended.commands else reading)
    if (clauses := divided(said, lambda words_said: _one_question(words_said, context))) and len(clauses) > 1:
        return _meant(clauses, context)
    if (found := _one_spelling(said, context)) is not None:
        return hedged(text, found)
    several = any(word.kind in ("then", "SEMICOLON", "STOP", "COLON") for word in _trimmed(said))
    if not several and (asked := _question(said, context)):
        return _meant([asked], context)
    return _back(nearest(said, context), "", context)


def _one_spelling(said: list[Word], context: Context) -> Reading | None:
    """What words mean with slips of the pen mended, where all ways to mend them mean the same."""
    readings = [_meant(clauses, context) for attempt in _respelt(said) if (clauses := divided(attempt))]
    sure = [one for one in readings if one.commands]
    return sure[0] if sure and all(one == sure[0] for one in sure) else (readings[0] if readings and not sure else None)


def divided(
    said: Sequence[Word], asked: Callable[[Sequence[Word]], list[Clause]] = lambda _: []
) -> list[list[Clause]] | None:
    """The readings of each clause, of as few clauses as the words can be divided into; None where they cannot.

    `asked` reads a clause that no phrase reads.
    """
    said = _trimmed(said)
    ends = [place for place, word in enumerate(said) if word.separates] + [len(said)]
    starts = [0, *(end + 1 for end in ends[:-1])]
    best: dict[int, tuple[int, list[list[Clause]]]] = {0: (0, [])}
    for start in starts:
        if start not in best or (start == len(said) and said):
            continue
        for end in ends:
            if end < start:
                continue
            found = [] if end == start else _clause_of(said[:start], said[start:end]) or asked(said[start:end])
            apart = (not start or said[start - 1].kind in PUNCTUATION) and (
                end == len(said) or said[end].kind in PUNCTUATION
            )
            if end > start and not found and not (apart and chatter(said[start:end])):
                continue
            cost, before = best[start]
            longer = cost + (_cost(found[0]) if found else 0), [*before, *([found] if found else [])]
            if end + 1 not in best or longer[0] < best[end + 1][0]:
                best[end + 1] = longer
    return best.get(len(said) + 1, (0, []))[1] or None


def _clause_of(before: Sequence[Word], said: Sequence[Word]) -> list[Clause]:
    """A clause by itself, or by what was named before it. A value that is no step is a dial's: take it back to 0.98."""
    value = any(word.kind == "NUMBER" and word.value != int(word.value) for word in said)
    ends = any(word.kind in ("stop", "quit", "end") for word in said)
    recalled = _recalled(before, said) if value or ends else []
    return recalled or _read(said) or _recalled(before, said)


def _cost(one: Clause) -> int:
    """Of two divisions the one that costs less is taken: fewer clauses, and those read most literally."""
    return 1 + (one.tree.strain if isinstance(one.tree, Framed) else 0)


def _recalled(before: Sequence[Word], said: Sequence[Word]) -> list[Clause]:
    """A clause whose `it` or `them` is what was named before it in the text: take the embeddings and freeze them."""
    at = next((place for place, word in enumerate(said) if word.kind in PRONOUNS), None)
    if at is None or not before:
        return []
    matcher = Matcher(grammar(), before)
    named = [
        (end, end - start, start)
        for table in RECALLED
        for start in range(len(before))
        for end in matcher.table(table, start)
    ]
    for end, _, start in sorted(named, reverse=True)[:TRIED]:
        if found := clause([*said[:at], *before[start:end], *said[at + 1 :]]):
            return found
    return []


def _read(said: Sequence[Word]) -> list[Clause]:
    return clause(said) or elsewhere(said) or under(said) or _from(said)


def _question(said: Sequence[Word], context: Context) -> list[Clause]:
    """The question that a clause asks, as one already understood."""
    for trimmed in bare(said):
        if (asked := question(trimmed, context)) is not None:
            return [Clause(asked.NAME, asked)]
    return []


def _one_question(said: Sequence[Word], context: Context) -> list[Clause]:
    """The same of words between which nothing stands that may end a clause."""
    first = bare(said)[-1][0] if said else None
    if first is None or said[0].kind == "that" or any(word.separates for word in said):
        return []
    return _question(said, context) if first.kind in ASKING or said[-1].text == "?" else []


def clause(said: Sequence[Word]) -> list[Clause]:
    """The readings of one clause: the most literal ones by the phrases, or, where there are none, those by frames."""
    known = grammar()
    trimmed = bare(said)
    for words_left in trimmed:
        matcher = Matcher(known, words_left)
        trees = {name: matcher.whole(rule_of(name)) for name in SAID}
        found = [(Clause(name, tree), tree.own) for name, tree in trees.items() if tree is not None]
        if found:
            most = max(own for _, own in found)
            return _telling(said, [one for one, own in found if own == most])
    for tables, wide in ((FRAMES, False), (FURTHER, True)):
        for words_left in trimmed:
            if framed := _framed(tables, words_left, wide):
                return _telling(said, framed)
    return []


def _telling(said: Sequence[Word], found: list[Clause]) -> list[Clause]:
    """Without changes where something is to be told."""
    told = bool(said) and said[0].kind in TELLING
    return [one for one in found if not (told and BY_NAME[one.name].EFFECT is not Effect.ASKS)]


def _framed(tables: Mapping[str, Sequence[Frame]], said: Sequence[Word], wide: bool) -> list[Clause]:
    """The readings by frames in which places take most words; `wide` ones pass over what is said with the command."""
    fits = [
        (framed.filled, Clause(name, framed))
        for name, several in tables.items()
        for one in several
        if (
            framed := fitting(
                one,
                grammar(),
                said,
                (vocabulary(name) | plain_words() if one.needs and one.places else vocabulary(name) | PASSED)
                if wide
                else PASSED_NONE,
            )
        )
    ]
    most = max((filled for filled, _ in fits), default=0)
    return [one for filled, one in fits if filled == most]


def _from(said: Sequence[Word]) -> list[Clause]:
    """A change that begins with where it is to be made: from step 200 on use sgd."""
    if not said or said[0].kind not in ("from", "at", "starting", "beginning"):
        return []
    matcher = Matcher(grammar(), said)
    for end, tree in sorted(matcher.table("place", 1).items(), reverse=True):
        rest = [word for word in said[end:] if word.kind not in ("on", "onwards", "onward")]
        found = [one for one in clause(rest) if one.name in PLACED] if rest else []
        if found:
            return [replace(found[0], place=tree)]
    return []


def under(said: Sequence[Word]) -> list[Clause]:
    """A clause with a setting beside it: run 100 steps with a learning rate of 0.001, fork without the decay."""
    for at, word in enumerate(said):
        if at and word.kind in SETTING:
            first, second = clause(said[:at]), clause(said[at + (word.kind != "without") :])
            first = [one for one in first if one.name in ("run", "fork")]
            second = [one for one in second if one.name in ("set", "rule")]
            if first and second:
                return [replace(first[0], beside=second[0])]
    return []


def elsewhere(said: Sequence[Word]) -> list[Clause]:
    """The readings of a clause that names another run: on the fork, of no-decay."""
    matcher = Matcher(grammar(), said)
    for at, word in enumerate(said):
        start = at + 1 if word.kind in NEAR else at
        if start == at and "RUN" not in word.kinds:
            continue
        for end, tree in sorted(matcher.table("reference", start).items(), reverse=True):
            rest = [*said[:at], *said[end:]]
            if rest and not any(word.separates or word.kind == "without" for word in rest) and (found := clause(rest)):
                return [replace(one, run=tree) for one in found]
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
        if meant and found and found[0].NAME == meant[-1].NAME == "discard" and not found[0].run:
            continue  # we do not need the fork, throw it out: it is the fork, once
        if meant and found and found[0].NAME in ("discard", "keep") and not found[0].run and _compared(meant[-1]):
            found = [command(found[0].NAME, {"run": _compared(meant[-1])})]
        meant += found
        if any(one.NAME in MOVING for one in found):
            context = context.forked()
    return Reading(commands=tuple(meant))


def _compared(before: Command) -> str:
    """The run that was just put beside this one: what `it` is after that."""
    return before.to if isinstance(before, Compare) else ""


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
    if isinstance(one.tree, Command):
        return [one.tree]
    known = grammar()
    given: Any = one.tree.means(known, context) if isinstance(one.tree, Framed) else known.meaning(one.tree, context)
    several = given if isinstance(given, list) else [given]
    if one.run is not None:
        several = [{"run": known.meaning(one.run, context), **each} for each in several]
    own = [command(one.name, each) for each in several]
    if one.place is not None:
        return [command("back", {"to": known.meaning(one.place, context)}), *own]
    if one.beside is None:
        return own
    setting = _commands(one.beside, context)
    return [*setting, *own] if one.name == "run" else [*own, *setting]


def _back(options: Sequence[str], why: str, context: Context) -> Reading:
    """Asking back, with those of the options that are sure."""
    alternatives = tuple(islice(_sure(options, context), OFFERED))
    why = why or ("I do not understand that" + ("; did you mean" if alternatives else "; `help` says what can be said"))
    return Reading(unsure=why, alternatives=alternatives)


def _sure(options: Sequence[str], context: Context) -> Iterator[Alternative]:
    for option in options:
        said = [word for word in words(option, context, known_words()) if not _nothing(word)]
        clauses = divided(said)
        read_again = _meant(clauses, context) if clauses else Reading(unsure="?")
        if read_again.commands:
            yield Alternative(option, read_again.commands)


def _nothing(word: Word) -> bool:
    return (not word.kind.isupper() or word.kind == "NAME") and normal(word.text) in NOTHING


def _trimmed(said: Sequence[Word]) -> list[Word]:
    """Without what separates at both ends, and the last of several in a row that separate."""
    found: list[Word] = []
    for word in said:
        if not (word.separates and (not found or found[-1].separates)):
            found.append(word)
    while found and found[-1].separates:
        found.pop()
    return found


def _respelt(said: list[Word]) -> Iterator[list[Word]]:
    """The words with each unknown one taken for a known one that it nearly is, in every way."""
    near = [
        spellings(word.text.lower(), known_words() | NOTHING | frozenset(SAME)) if word.kind == "NAME" else ()
        for word in said
    ]
    if not any(near) or math.prod(max(1, len(one)) for one in near) > WAYS:
        return
    for chosen in product(*(one or (None,) for one in near)):
        words_so = (replace(w, kind=normal(c), text=c) if c else w for w, c in zip(said, chosen, strict=True))
        yield [word for word in words_so if not _nothing(word)]
