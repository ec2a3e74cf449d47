"""Words as commands by weight: which clauses a text has, what each is meant to do, and how sure that is.

A text may be cut wherever one clause may end. Of all ways to cut it and to understand each piece the most probable one
is taken. Nothing is done by it: a reading says how sure it is, and below a bound it asks back.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.command import Command
from ontogeny.steer.phrases.context import Context
from ontogeny.steer.phrases.features import of_clause, of_filler, of_words, symbols
from ontogeny.steer.phrases.intents import Filler, Given, Intent
from ontogeny.steer.phrases.items import Item, items
from ontogeny.steer.phrases.network import Network, network
from ontogeny.steer.phrases.said.intents import INTENTS
from ontogeny.steer.phrases.tokens import Word

ASK, CHAT, SEVERAL, PART = "ASK", "CHAT", "SEVERAL", "PART"
"""What a piece may be beside an intent: nothing that can be done, nothing at all, several clauses, half a clause."""
AGAIN, HERE = ("it", "its", "that", "there"), ("this", "here")
"""Words by which the run is meant that was just named, and by which it is not."""
MOVED = ("switch", "fork", "again", "back")
"""Commands after which one stands where they lead, so that it need not be named."""
SETTING = ("with", "without", "at", "using", "under", "for")
"""Words between what is done and how: run 100 steps without the decay, lion for 50 steps."""
DOING, HOW = ("run", "fork", "again", "back"), ("set", "rule")
OF_RUNS = ("discard", "switch", "keep", "take-back", "stop", "pause")
"""Commands that are about a whole run: an unknown word beside may be the run that is meant."""
LEFT = frozenset(("dial", "optimiser", "condition", "examples"))
SPOKEN = 1.0
"""How much a word must speak for what is said by words alone, and must be said."""
LACKING = -2.0
"""What an intent loses that lacks what it needs."""
UNUSED, UNKNOWN, UNKNOWN_RUN = -1.5, -0.7, -3.0
"""What a change loses (log probability) by each number or thing that it does not use, by each word that is unknown."""
DIALS = ("dial", "value")
TRIED = 4
LEAST = -6.0
"""How many intents are tried of a piece, and the log probability from which on."""
LONGEST_TEXT = 24
"""Places where a text may be cut, at most."""
_SAYING = "number dial tensors element examples metric run optimiser place values file"
SAYING = frozenset(_SAYING.split())
"""What chat does not name."""
RECALLED = ("tensors", "examples", "dial", "names", "element", "run")
"""Slots that may be filled by what was named in a clause before."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to fill a slot; no item: by words alone, and nothing given: not at all."""

    filler: str
    item: Item | None
    given: Given


@dataclass(frozen=True, slots=True)
class Piece:
    """What a piece of a text means: an intent or ASK or CHAT, how sure that is (log probability), and its commands."""

    intent: str
    sure: float
    commands: tuple[Command, ...] = ()
    named: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Weighed:
    """The pieces of a text as they are understood best, and how sure all of it is (a probability)."""

    pieces: tuple[Piece, ...]
    sure: float

    @property
    def commands(self) -> tuple[Command, ...]:
        """What is meant, or nothing where a piece is not understood."""
        if any(not one.commands for one in self.pieces if one.intent != CHAT):
            return ()
        return tuple(command for piece in self.pieces for command in piece.commands)


@dataclass(frozen=True)
class Text:
    """A text, all that it names, and its pieces."""

    said: Sequence[Word]
    context: Context
    there: Sequence[Item] = field(default_factory=list)

    @classmethod
    def of(cls, said: Sequence[Word], context: Context) -> Text:
        """The text with all that its words name."""
        return cls(said, context, items(said, context))

    @property
    def cuts(self) -> list[int]:
        """Where a clause may end. Over the next 100 steps is one."""
        return [
            at
            for at, word in enumerate(self.said)
            if word.separates and not (word.kind == "next" and at and not self.said[at - 1].separates)
        ]

    def bare(self, start: int, stop: int) -> tuple[int, int]:
        """A piece without what separates around it; a question mark stays."""
        while start < stop and self.said[start].separates:
            start += 1
        while stop > start and self.said[stop - 1].separates and self.said[stop - 1].text != "?":
            stop -= 1
        return start, stop

    def piece(self, start: int, stop: int) -> tuple[Sequence[Word], list[Item]]:
        """The words of a bare piece, and what they name."""
        return self.said[start:stop], [one.moved(start) for one in self.there if one.within(start, stop)]


def weighed(said: Sequence[Word], context: Context, weights: Network | None = None) -> Weighed:
    """What a text means most probably."""
    weights = weights or network()
    text = Text.of(said, context)
    cuts = text.cuts
    if not said or len(cuts) > LONGEST_TEXT:
        return Weighed((), 0.0)
    best: dict[int, tuple[float, tuple[Piece, ...]]] = {0: (0.0, ())}
    for start in sorted({0, *(at + 1 for at in cuts)}):
        if start not in best:
            continue
        for stop in [*(at for at in cuts if at >= start), len(said)]:
            for piece in _pieces(text, start, stop, best[start][1], weights):
                sure = best[start][0] + (piece.sure if piece else 0.0)
                if stop + 1 not in best or sure > best[stop + 1][0]:
                    best[stop + 1] = (sure, (*best[start][1], *([piece] if piece else [])))
    sure, pieces = best.get(len(said) + 1, (-math.inf, ()))
    return Weighed(pieces, math.exp(sure))


def _pieces(text: Text, start: int, stop: int, before: Sequence[Piece], weights: Network) -> Iterator[Piece | None]:
    start, stop = text.bare(start, stop)
    if start == stop:
        yield None
        return
    said, there = text.piece(start, stop)
    found = list(understood(said, there, text.context, weights, before))
    if stop - start == len(text.said):
        found = [one for one in found if one.intent != CHAT]
    found += _both(text, start, stop, weights, before)
    if found:
        yield max(found, key=lambda one: one.sure)


def _both(text: Text, start: int, stop: int, weights: Network, before: Sequence[Piece]) -> Iterator[Piece]:
    """What is done and how, in one clause: the setting comes first, and what follows a fork after it."""
    for at in range(start + 1, stop - 1):
        if text.said[at].kind not in SETTING:
            continue
        second_from = at + (text.said[at].kind != "without")
        pair = []
        for first, last in ((start, at), (second_from, stop)):
            several = [
                one for one in understood(*text.piece(first, last), text.context, weights, before) if one.commands
            ]
            pair += [max(several, key=lambda one: one.sure)] if several else []
        if len(pair) == 2 and _goes_with(*pair):
            done, how = pair if pair[0].intent in DOING else pair[::-1]
            order = (how, done) if done.intent == "run" else (done, how)
            commands = tuple(command for piece in order for command in piece.commands)
            yield Piece("both", pair[0].sure + pair[1].sure, commands, (*pair[0].named, *pair[1].named))


def _goes_with(first: Piece, second: Piece) -> bool:
    kinds = [one.intent.split(":")[0] for one in (first, second)]
    if kinds[0] in HOW:
        return kinds[0] == "rule" and kinds[1] == "run"
    return kinds[0] in DOING and kinds[1] in HOW


def understood(
    said: Sequence[Word], there: Sequence[Item], context: Context, weights: Network, before: Sequence[Piece] = ()
) -> Iterator[Piece]:
    """What a piece may mean, by its most probable intents."""
    probable = weights.of_clause(of_clause(said, there))
    for at in probable.argsort()[::-1][:TRIED].tolist():
        name, sure = weights.intents[at], float(probable[at])
        if sure < LEAST:
            return
        if name == ASK or (name == CHAT and not any(item.type in SAYING for item in there)):
            yield Piece(name, sure)
        elif name in INTENTS:
            yield filled(name, sure, said, there, context, weights, before)


def filled(
    name: str, sure: float, said: Sequence[Word], there: Sequence[Item], context: Context, weights: Network,
    before: Sequence[Piece] = (),
) -> Piece:  # fmt: skip
    """An intent with its slots filled as is most probable, no word for two slots; without a command where one lacks."""
    intent, plain = INTENTS[name], symbols(said)
    given: dict[str, Given] = {}
    taken: list[Item] = []
    for slot, fillers in intent.slots.items():
        dial = given.get("dial", {}).get("dial", "")
        if (slot in DIALS and given.get("many")) or (slot == "value" and not dial):
            continue  # all dials with their values are said already, or none is
        several = candidates(fillers, there, context, dial)
        if slot in intent.needs:
            several = [one for one in several if _spoken(name, slot, one, plain, weights)]
        if len(several) > 1:
            sums = weights.of_fillers([of_filler(name, slot, c.filler, c.item, said, plain, there) for c in several])
            free = [at for at, one in enumerate(several) if not _overlaps(one.item, taken)]
            at = max(free, key=lambda at: float(sums[at]))
            sure += float(sums[at] - np.logaddexp.reduce(sums[free]))
            taken += [item for item in (several[at].item,) if item is not None]
            given[slot] = several[at].given
        if not given.get(slot) and slot in intent.needs and slot in RECALLED:
            given[slot] = _recalled(fillers, before, context)
    given.update(_same_run(intent, given, said, before))
    lacking = any(not given.get(slot) for slot in intent.needs)
    try:
        made = () if lacking else (intent.made(given, context),)
    except (OntogenyError, KeyError, TypeError, ValueError):
        made = ()
    if not made:
        sure += LACKING
    elif made[0].EFFECT.confirmed:
        sure += _left(intent, said, there, taken)
    return Piece(name, sure, made, tuple(there))


def _spoken(name: str, slot: str, one: Candidate, plain: Sequence[str], weights: Network) -> bool:
    """Whether what must be said is said: by something that is named, or by a word that speaks for it."""
    if one.item is not None or not one.given:
        return True
    return max(map(weights.evidence, of_words(name, slot, one.filler, plain)), default=0.0) >= SPOKEN


def _left(intent: Intent, said: Sequence[Word], there: Sequence[Item], taken: Sequence[Item]) -> float:
    """What a change loses by what it leaves aside."""
    types = LEFT - {"dial"} if intent.command in ("rule", "autopilot") else LEFT
    things = [one for one in there if one.type in types and not _overlaps(one, taken)]
    left = [word for at, word in enumerate(said) if not any(one.start <= at < one.stop for one in taken)]
    numbers = sum(word.kind in ("NUMBER", "PERCENT", "QUOTED", "ELEMENT", "TENSOR") for word in left)
    unknown = UNKNOWN_RUN if intent.command in OF_RUNS else UNKNOWN
    return UNUSED * (numbers + len({one.start for one in things})) + unknown * sum(word.kind == "NAME" for word in left)


def candidates(fillers: Sequence[Filler], there: Sequence[Item], context: Context, dial: str) -> list[Candidate]:
    """Every way to fill a slot with what is there; the first is not at all."""
    found = [Candidate("none", None, {})]
    for filler in fillers:
        for item in [one for one in there if one.type == filler.item] if filler.item else [None]:
            try:
                given = filler.fill(item.value if item else None, context, dial)
            except (OntogenyError, ValueError, TypeError, IndexError, ZeroDivisionError, KeyError):
                continue
            found.append(Candidate(filler.name, item, given))
    return found


def _overlaps(item: Item | None, taken: Sequence[Item]) -> bool:
    return item is not None and any(item.start < one.stop and one.start < item.stop for one in taken)


def _same_run(
    intent: Intent, given: Mapping[str, Given], said: Sequence[Word], before: Sequence[Piece]
) -> dict[str, Given]:
    """The run that the clause before was about, where it is meant again: take it back and switch to it; its curve."""
    last = before[-1].commands[-1] if before and before[-1].commands else None
    if last is None or not last.run or last.NAME in MOVED or not _points(said):
        return {}
    if intent.command == "compare":
        return {"to": {"to": last.run}} if not given.get("to") else {}
    return {"run": {"run": last.run}} if not given.get("run") else {}


def _points(said: Sequence[Word]) -> bool:
    return any(word.kind in AGAIN for word in said) and not any(word.kind in HERE for word in said)


def _recalled(fillers: Sequence[Filler], before: Sequence[Piece], context: Context) -> Given:
    """What the last clause before named that fits: take the embeddings and freeze them."""
    for piece in reversed(before):
        for candidate in candidates(fillers, piece.named, context, "")[1:]:
            if candidate.item is not None:
                return candidate.given
    return {}
