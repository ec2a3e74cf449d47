"""What people say around a command without meaning anything by it: could you, I would like you to, from here on."""

from __future__ import annotations

from collections.abc import Sequence

from ontogeny.steer.phrases.normal import NOTHING, normal
from ontogeny.steer.phrases.tokens import Word

_BEFORE = """
could|can|would|will|i would like to|i would like|i would love to|i want to|i want|i need to|i need|we want to|
we need to|can we|could we|shall we|can i|could i|may i|might we|lets|let s|try to|try|go ahead and|go ahead|
would mind|would be so kind as to|would it be possible to|is it possible to|how about|do favour and|
do favor and|next|afterwards|after that|after which|it is time to|we should|i think we should|i think we|
think we should|be so good as to|then|and then|and|but|for now|finally|in addition|i would like to know|
i want to know|do know|know|tell|i wonder|wonder|i am curious|curious|can tell|let know|i suggest we|i suggest|
let us|it would be good to|it would be nice to|it would be great to|feel free to|i am going to|i will|we will|
this time|instead|once more|mind|be nice and|time to|lets try|lets try to|why not|i guess we|i guess|i think|do|
go and|from there|there|in that case|having done that|once done|when done|after this|thereafter|subsequently|
from here|from this|meanwhile|in new fork|on that fork|on fork|on it|can tell whether|tell whether|i would say|
what about|were to|should like to|i should like to|would it be ok to|is it ok to|need to|want to|help to|help|
i ask to|before anything else|start by|begin by|first of all|first|to begin with|to start with|second|third|
lastly|last|at end|in end|now that"""
_AFTER = """
from here on|from now on|from here|from this point on|from this point|from this point onwards|from here onwards|
from now onwards|for now|for moment|right away|at once|immediately|at this point|as of now|if possible|if can|
if that is possible|for while|there|in there|on it|on there|straight away|asap|if would|would|will|can|could|
next|then|afterwards|after that|and|instead|first|if that is ok|henceforth|going forward|in fork|on fork|
in that fork|on that fork|as well|once more|from there|from that point on|from that point|thank|many|do think|
would say|if want|for run|in this run|of this run|as next|already|from there on|in what follows|starting here|
starting from here|if does not hurt|when can|at moment|of course"""


def _sorted(text: str) -> list[tuple[str, ...]]:
    """Word by word in their one form, the longest first."""
    lines = (" ".join(text.split())).split("|")
    made = {tuple(normal(word) for word in line.split() if normal(word) not in NOTHING) for line in lines}
    return sorted(filter(None, made), key=len, reverse=True)


BEFORE, AFTER = _sorted(_BEFORE), _sorted(_AFTER)


def bare(words: Sequence[Word]) -> list[list[Word]]:
    """A clause as it stands, and with ever more of what stands around it taken away."""
    found = [list(words)]
    clause = list(words)
    while clause and (more := _begins(clause)):
        clause = clause[more:]
        found.append(clause)
    trimmed = [one for clause in list(found) for one in _ends(clause)]
    return [one for one in [*found, *trimmed] if one]


def _ends(clause: list[Word]) -> list[list[Word]]:
    found: list[list[Word]] = []
    while clause and (more := next((len(s) for s in AFTER if _said(clause[-len(s) :]) == s), 0)):
        clause = clause[:-more]
        found.append(clause)
    return found


def _begins(clause: list[Word]) -> int:
    return next((len(said) for said in BEFORE if _said(clause[: len(said)]) == said), 0)


def _said(words: Sequence[Word]) -> tuple[str, ...]:
    return tuple(normal(word.text) for word in words)
