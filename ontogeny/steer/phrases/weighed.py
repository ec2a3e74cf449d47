"""Words as commands by weight: which clauses a text has, what each is meant to do, and how sure that is.

A text may be cut wherever one clause may end. Of all ways to cut it and to understand each piece the most probable one
is taken. Nothing is done by it: a reading says how sure it is, and below a bound it asks back.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.command import Command
from ontogeny.steer.phrases.carried import AFTER, BEFORE, FROM, of_taking, offered, takes
from ontogeny.steer.phrases.context import Context
from ontogeny.steer.phrases.features import ALONE, Beside, of_clause, of_filler, of_words, symbols
from ontogeny.steer.phrases.intents import Filler, Given, Intent
from ontogeny.steer.phrases.items import Item, items
from ontogeny.steer.phrases.network import Network, network
from ontogeny.steer.phrases.said.intents import INTENTS
from ontogeny.steer.phrases.tokens import Word

ASK = "ASK"
"""What a clause may be beside an intent: nothing that can be done."""
WHOLE, CHAT, SEVERAL, PART = "WHOLE", "CHAT", "SEVERAL", "PART"
"""What a piece of a text may be: a clause, nothing at all, several clauses, half a clause."""
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
ASKED_BACK = 1.0
"""What asking back loses beside what can be done: words that are new look like those that mean nothing."""
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


Span = tuple[int, int]
"""The first word of a piece of a text, and the one after its last."""


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
    plain: tuple[str, ...] = ()


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
        """The text without what separates around it, with all that its words name."""
        start, stop = cls(said, context).bare(0, len(said))
        return cls(said[start:stop], context, items(said[start:stop], context))

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

    def piece(self, start: int, stop: int) -> tuple[Sequence[Word], list[Item], Beside]:
        """The words of a bare piece, what they name, and what stands beside them."""
        there = [one.moved(start) for one in self.there if one.within(start, stop)]
        framed = [*ALONE[:2], *self.plain, *ALONE[2:]]
        return self.said[start:stop], there, (*framed[start : start + 2], *framed[stop + 2 : stop + 4])

    @cached_property
    def plain(self) -> list[str]:
        """The words as the weights see them."""
        return symbols(self.said)


def weighed(said: Sequence[Word], context: Context, weights: Network | None = None) -> Weighed:
    """What a text means most probably."""
    text = Text.of(said, context)
    if not text.said or len(text.cuts) > LONGEST_TEXT:
        return Weighed((), 0.0)
    return _divided(Weighing(text, weights or network()))


def _divided(weighing: Weighing) -> Weighed:
    """The text cut so that what its pieces mean is most probable."""
    text = weighing.text
    cuts, end = text.cuts, len(text.said)
    best: dict[int, tuple[float, tuple[Piece, ...]]] = {0: (0.0, ())}
    all_ways: dict[int, float] = {0: 0.0}
    for start in sorted({0, *(at + 1 for at in cuts)}):
        if start not in best:
            continue
        before, pieces = best[start]
        for stop in [*(at for at in cuts if at >= start), end]:
            all_ways[stop + 1] = float(
                np.logaddexp(all_ways.get(stop + 1, -math.inf), all_ways[start] + weighing.any_kind(start, stop))
            )
            for piece in weighing.pieces(start, stop, pieces):
                sure = before + (piece.sure if piece else 0.0)
                if stop + 1 not in best or sure > best[stop + 1][0]:
                    best[stop + 1] = (sure, (*pieces, *([piece] if piece else [])))
    sure, found = best.get(end + 1, (-math.inf, ()))
    taken = _taken_over(found, weighing.weights)
    sure += sum(one.sure - other.sure for one, other in zip(taken, found, strict=True)) - all_ways.get(end + 1, 0.0)
    return Weighed(taken, math.exp(min(sure, 0.0)))


def _taken_over(pieces: Sequence[Piece], weights: Network) -> tuple[Piece, ...]:
    """The pieces with what each takes over from the one before it, or else from the one after it."""
    found = list(pieces)
    saying = [at for at, piece in enumerate(found) if piece.intent != CHAT]
    for before, at in pairwise(saying):
        found[at] = _taking(found[at], found[before], BEFORE, weights)
    for at, after in pairwise(saying[::-1]):
        found[after] = _taking(found[after], found[at], AFTER, weights)
    return tuple(found)


def _taking(piece: Piece, other: Piece, side: str, weights: Network) -> Piece:
    if len(piece.commands) != 1 or not other.commands:
        return piece
    one, like, sure = piece.commands[0], other.commands[-1 if side == BEFORE else 0], piece.sure
    for argument in FROM:
        value = offered(like, argument, one) if takes(one, argument) else None
        if value is None:
            continue
        speaks = weights.evidence(
            of_taking(argument, side, piece.intent, other.intent, piece.plain, other.plain, piece.named)
        )
        sure -= math.log1p(math.exp(-abs(speaks)))
        if speaks > 0:
            one = one.model_copy(update={argument: value})
    return replace(piece, commands=(one,), sure=sure)


@dataclass(frozen=True)
class Weighing:
    """A text under way of being understood: what each of its pieces may mean is found once."""

    text: Text
    weights: Network
    features: dict[Span, set[str]] = field(default_factory=dict)
    intents: dict[Span, list[tuple[str, float]]] = field(default_factory=dict)
    kinds: dict[Span, tuple[float, float]] = field(default_factory=dict)

    def pieces(self, start: int, stop: int, before: Sequence[Piece]) -> Iterator[Piece | None]:
        """The most probable meaning of a piece; None where nothing is said, and none where nothing is probable."""
        start, stop = self.text.bare(start, stop)
        if start == stop:
            yield None
            return
        whole, chat = self.kind(start, stop)
        found = [*self.understood(start, stop, before), *self._both(start, stop, before)]
        found = [replace(one, sure=one.sure + whole) for one in found]
        if stop - start < len(self.text.said) and not any(
            one.type in SAYING for one in self.text.piece(start, stop)[1]
        ):
            found.append(Piece(CHAT, chat))
        if found:
            yield max(found, key=lambda one: one.sure)

    def understood(self, start: int, stop: int, before: Sequence[Piece]) -> Iterator[Piece]:
        """What a clause may mean, by its most probable intents."""
        said, there, _ = self.text.piece(start, stop)
        for name, sure in self._probable(start, stop):
            if name == ASK:
                yield Piece(name, sure)
            elif name in INTENTS:
                yield filled(name, sure, said, there, self.text.context, self.weights, before)

    def kind(self, start: int, stop: int) -> tuple[float, float]:
        """The log probability that a piece is a clause, and that it is chat. What cannot be cut is a clause."""
        if not self.text.cuts:
            return 0.0, -math.inf
        if (start, stop) not in self.kinds:
            sure = self.weights.kinds.of(self._features(start, stop))
            names = self.weights.kinds.names
            self.kinds[start, stop] = (float(sure[names.index(WHOLE)]), float(sure[names.index(CHAT)]))
        return self.kinds[start, stop]

    def any_kind(self, start: int, stop: int) -> float:
        """The log probability that what stands between two cuts is a clause or chat, or that nothing does.

        A stretch with what separates at its ends is none: the same pieces would be counted twice.
        """
        if start == stop:
            return 0.0
        return (
            float(np.logaddexp(*self.kind(start, stop))) if self.text.bare(start, stop) == (start, stop) else -math.inf
        )

    def _probable(self, start: int, stop: int) -> list[tuple[str, float]]:
        if (start, stop) not in self.intents:
            layer = self.weights.intents
            sure = layer.of(self._features(start, stop)) - ASKED_BACK * np.array([name == ASK for name in layer.names])
            most = ((layer.names[at], float(sure[at])) for at in sure.argsort()[::-1][:TRIED].tolist())
            self.intents[start, stop] = [one for one in most if one[1] >= LEAST]
        return self.intents[start, stop]

    def _features(self, start: int, stop: int) -> set[str]:
        if (start, stop) not in self.features:
            self.features[start, stop] = of_clause(*self.text.piece(start, stop))
        return self.features[start, stop]

    def _both(self, start: int, stop: int, before: Sequence[Piece]) -> Iterator[Piece]:
        """What is done and how, in one clause: the setting comes first, and what follows a fork after it."""
        for at in range(start + 1, stop - 1):
            if self.text.said[at].kind not in SETTING:
                continue
            first = self._likeliest(start, at, before)
            second = self._likeliest(at + (self.text.said[at].kind != "without"), stop, before)
            if first and second and _goes_with(first, second):
                done, how = (first, second) if first.intent in DOING else (second, first)
                order = (how, done) if done.intent == "run" else (done, how)
                commands = tuple(command for piece in order for command in piece.commands)
                yield Piece("both", first.sure + second.sure, commands, (*first.named, *second.named))

    def _likeliest(self, start: int, stop: int, before: Sequence[Piece]) -> Piece | None:
        several = [one for one in self.understood(start, stop, before) if one.commands]
        return max(several, key=lambda one: one.sure) if several else None


def _goes_with(first: Piece, second: Piece) -> bool:
    kinds = [one.intent.split(":")[0] for one in (first, second)]
    if kinds[0] in HOW:
        return kinds[0] == "rule" and kinds[1] == "run"
    return kinds[0] in DOING and kinds[1] in HOW


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
    lacking = any(not given.get(slot) for slot in intent.needs)
    try:
        made = () if lacking else (intent.made(given, context),)
    except (OntogenyError, KeyError, TypeError, ValueError):
        made = ()
    if not made:
        sure += LACKING
    elif made[0].EFFECT.confirmed:
        sure += _left(intent, said, there, taken)
    return Piece(name, sure, made, tuple(there), tuple(plain))


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


def _recalled(fillers: Sequence[Filler], before: Sequence[Piece], context: Context) -> Given:
    """What the last clause before named that fits: take the embeddings and freeze them."""
    for piece in reversed(before):
        for candidate in candidates(fillers, piece.named, context, "")[1:]:
            if candidate.item is not None:
                return candidate.given
    return {}
