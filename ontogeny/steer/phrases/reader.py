"""Words as commands without a language model: quick, the same every time, and never a guess at a change.

What is said in the words of a phrase is read by it (`literal.py`). Anything else is weighed (`weighed.py`): what is
most probable is taken where it is probable enough, and asked back about where it is not. A change that is not said in
so many words, nor all but certain, is marked as such: it is asked about whatever a person has allowed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, product

from ontogeny.steer.command import Command
from ontogeny.steer.phrases.aside import asks_for_help, how_long, smaller
from ontogeny.steer.phrases.context import Context, context_of
from ontogeny.steer.phrases.hedges import hedged, in_turn
from ontogeny.steer.phrases.known import heard, known_words, says_nothing
from ontogeny.steer.phrases.literal import SUPPOSED, literally
from ontogeny.steer.phrases.nearest import nearest
from ontogeny.steer.phrases.normal import NOTHING, SAME, normal
from ontogeny.steer.phrases.said.plain import NEGATIONS
from ontogeny.steer.phrases.spelling import spellings
from ontogeny.steer.phrases.tokens import LONGEST, MOST, Word
from ontogeny.steer.phrases.weighed import Weighed, weighed
from ontogeny.steer.reading import Alternative, Reading
from ontogeny.steer.registry import FORKING
from ontogeny.steer.session import Session

CLAUSES = 12
OFFERED = 3
WAYS = 8
"""Ways to mend the spelling of a text that are tried."""
ENOUGH, ENOUGH_ASKED = 0.05, 0.01
"""How probable a change must be to be shown, and a question to be answered."""
CERTAIN = 0.9
"""How probable a change must be to be done without being asked about, where a person has allowed that."""
OVERRULES, ADDS, DECIDES = 0.98, 0.9, 0.15
"""How probable a reading must be to stand against a phrase that says otherwise, less, or too little."""
MENDED = 0.5
"""What a reading of mended words counts beside one of the words as they stand."""
DENYING = frozenset(("freeze", "unfreeze", "leave-out", "learn-again", "stop-learning", "rule", "keep"))
"""What may be meant by denying something: not to train a tensor is to freeze it."""
PUT_AWAY = ("discard", "keep")
NEARLY = 0.9
"""How probable what is meant by denying something must be, to be believed as it is."""
HALF = 0.5
"""How sure words must be without a denial, beside with it, for it to be one."""
ASKING = frozenset(("when", "why", "who", "which", "did", "does", "was", "were", "had"))
"""A text that begins so asks, and changes nothing."""
BEGINNING = 3
ENDING = frozenset(("COMMA", "SEMICOLON", "STOP", "DASH", "but"))
"""What ends a denial, where what is denied is none of what is meant."""


class PhraseReader:
    """A reader that knows phrases, and asks no one."""

    def read(self, text: str, session: Session) -> Reading:
        """What the words mean to a session where it stands."""
        return read(text, context_of(session))


def read(text: str, context: Context) -> Reading:
    """What the words mean in a context. Raises nothing for any text, and takes bounded time."""
    if len(text) > LONGEST:
        return Reading(unsure=f"that is longer than {LONGEST} letters; say it in several sentences")
    if asks_for_help(text):
        return Reading(help=True)
    said = heard(text, context)
    if len(said) > MOST or sum(word.separates for word in said) > 2 * CLAUSES:
        return Reading(unsure="that is much at once; say it in several sentences")
    said = in_turn(said)
    if not said:
        return back(said, "", context)
    timed = how_long(said, lambda rest: literally(rest, context).commands)
    if timed is not None:
        return timed
    if (elsewhere := smaller(said, context.run)) is not None:
        return elsewhere
    found = literally(said, context)
    if found.settled:
        return found
    found = Reading() if found.changes and supposed(said) else replace(found, commands=settled(found.commands))
    best, taken = likeliest(said, context)
    meant = _allowed(best, taken, context)
    if found.unsure and not (meant and best.sure >= DECIDES):
        return back(said, found.unsure, context, found.alternatives)
    bound = ADDS if adds(meant, found.commands) else OVERRULES
    if found.commands and (best.sure < bound or not meant or meant == found.commands):
        return hedged(text, found)
    if meant:
        reading = Reading(commands=meant)
        return hedged(text, replace(reading, sure=not reading.changes or best.sure >= CERTAIN))
    return back(said, "", context)


def adds(meant: Sequence[Command], said: Sequence[Command]) -> bool:
    """Whether commands are the ones that were said, with more about them: keep it, which is the run before."""
    return len(meant) == len(said) and all(
        one.NAME == other.NAME
        and all(getattr(one, name) == getattr(other, name) for name in other.model_dump(exclude_defaults=True))
        for one, other in zip(meant, said, strict=True)
    )


def likeliest(said: Sequence[Word], context: Context) -> tuple[Weighed, Sequence[Word]]:
    """What the words mean most probably, as they stand or with slips of the pen mended; and the words so."""
    best, taken = weighed(said, context), said
    for attempt in respelt(said):
        mended = weighed(attempt, context)
        if MENDED * mended.sure > best.sure:
            best, taken = replace(mended, sure=MENDED * mended.sure), attempt
    return best, taken


def _allowed(best: Weighed, said: Sequence[Word], context: Context) -> tuple[Command, ...]:
    """The commands of a reading that is probable enough, and is none that was told not to be done."""
    changes = Reading(commands=best.commands).changes
    if best.sure < (ENOUGH if changes else ENOUGH_ASKED):
        return ()
    return () if changes and denied(best, said, context) else settled(best.commands)


def settled(commands: Sequence[Command]) -> tuple[Command, ...]:
    """Without what is put away twice, and without the name of the run that one stands at by then.

    We do not need the fork, throw it out; switch to no-decay and show its loss.
    """
    found: list[Command] = []
    stands = ""
    for one in commands:
        before = found[-1] if found else None
        if one.NAME == "switch":
            stands = one.run
        elif one.NAME in FORKING:
            stands = ""
        elif stands and one.run == stands:
            one = one.model_copy(update={"run": ""})
        if one.NAME in PUT_AWAY and before is not None and before.NAME == one.NAME and one.run in ("", before.run):
            continue
        found.append(one)
    return tuple(found)


def supposed(said: Sequence[Word]) -> bool:
    """Whether words only suppose what they say: what if we freeze it."""
    return not SUPPOSED.isdisjoint(word.kind for word in said[:2])


def denied(best: Weighed, said: Sequence[Word], context: Context) -> bool:
    """Whether a change is what words deny: they begin with a denial, and mean the same without it as surely."""
    if said[0].kind in ASKING or supposed(said):
        return True
    at = next((at for at, word in enumerate(said[:BEGINNING]) if word.kind in NEGATIONS), None)
    if at is None:
        return False
    meant = best.pieces[0].commands
    if not meant:  # do not run it yet, just halve the rate; but: don't show it and then undo
        return next((word.kind for word in said[at + 1 :] if word.separates), "") not in ENDING
    if meant[0].NAME not in DENYING:
        return True
    if best.sure >= NEARLY:
        return False
    rest = weighed([*said[:at], *said[at + 1 :]], context)
    return rest.commands[:1] == meant[:1] and rest.sure >= HALF * best.sure


def back(said: Sequence[Word], why: str, context: Context, alternatives: Sequence[Alternative] = ()) -> Reading:
    """Asking back, with what would be sure."""
    offered = tuple(alternatives) or tuple(islice(_sure(nearest(said, context), context), OFFERED))
    why = why or ("I do not understand that" + ("; did you mean" if offered else "; `help` says what can be said"))
    return Reading(unsure=why, alternatives=offered)


def _sure(options: Sequence[str], context: Context) -> Iterator[Alternative]:
    for option in options:
        if commands := literally(heard(option, context), context).commands:
            yield Alternative(option, commands)


def respelt(said: Sequence[Word]) -> Iterator[list[Word]]:
    """The words with each unknown one taken for a known one that it nearly is, in every way."""
    near = [
        spellings(word.text.lower(), known_words() | NOTHING | frozenset(SAME)) if word.kind == "NAME" else ()
        for word in said
    ]
    if not any(near) or math.prod(max(1, len(one)) for one in near) > WAYS:
        return
    for chosen in product(*(one or (None,) for one in near)):
        words_so = (replace(w, kind=normal(c), text=c) if c else w for w, c in zip(said, chosen, strict=True))
        yield [word for word in words_so if not says_nothing(word)]
