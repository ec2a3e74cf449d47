"""A question at its best reading: by its words and by what it names, whatever stands between.

An answer changes nothing, so unlike a change a question may be read by parts. What could be a change is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.command import Command
from ontogeny.steer.phrases.context import Context
from ontogeny.steer.phrases.frames import forms
from ontogeny.steer.phrases.grammar import grammar
from ontogeny.steer.phrases.matcher import Matcher
from ontogeny.steer.phrases.tokens import Word
from ontogeny.steer.registry import command

ASKING = forms(
    "what why how which when where who whom whose show plot draw graph list compare explain tell is are does did has was were am "
    "find give display see anything any check diagnose describe summarise summarize print suppose imagine whether report inspect "
    "contrast search look examine break account identify count measure chart visualise visualize name point walk isn't hasn't "
    "doesn't didn't wasn't would had should do can could"
)
"""Words that a question holds among its first ones."""
CHANGING = forms(
    "freeze unfreeze fork discard undo clip prune forget mix halve double rewind delete throw"
)
"""Words that are rather a command's, unless the past or a condition is asked about."""
SUPPOSING = forms("if suppose supposing imagine without had would assume assuming hypothetically")
FIRST = 4
"""Among so many words at the beginning one has to ask."""
PLACES = ("element", "metric", "window", "reference", "dial", "tensors", "number", "examples_said", "event")


@dataclass(frozen=True, slots=True)
class Ask:
    """A question's command: the words of which it has one, and what it needs to name."""

    name: str
    words: frozenset[str]
    needs: tuple[str, ...] = ()


MOVING = forms("like alike similar similarly correlate correlated correlates resemble resembles same neighbours kin sync parallel shape company twin")
WHY = forms("why explain cause caused drove drive moved made reason responsible behind due account come break decompose pushed happened how because term terms")
ASKS = (
    Ask("what-if", SUPPOSING, ("dial", "number")),
    Ask("what-if", SUPPOSING, ("examples_said",)),
    Ask("what-if", SUPPOSING, ("dial",)),
    Ask("alike", MOVING, ("element",)),
    Ask("explain", WHY, ("element",)),
    Ask("groups", forms("together group jointly unison cluster concert tandem collectively bunch clump teams families")),
    Ask("moments", forms("outlier outliers moments kurtosis skewness skew variance statistics distribution distributed unusual odd strange weird odd-ones abnormal extreme")),
    Ask("compare", forms("compare difference differences differ differs different versus vs better worse than against contrast beside part side"), ("reference",)),
    Ask("compare", forms("compare difference differences differ contrast")),
    Ask("waste", forms("waste wasted wasting nothing vain useless unnecessary needless needlessly redundant superfluous pointless idle futile")),
    Ask("cost", forms("cost flops operations expensive price multiply-adds arithmetic costly pricey compute bytes operation")),
    Ask("history", forms("history commands command log journal undone orders instructions told")),
    Ask("explain", WHY - forms("happened how"), ("tensors",)),
    Ask("events", forms("happened happen generalise generalised grok grokked memorise memorised overfit spiked spike diverge diverged exploded explode events milestones jumped occurred memorisation generalisation highlights notable noteworthy remarkable eventful")),
    Ask("diagnose", forms("wrong problem problems healthy health diagnose diagnosis sick ill broken stuck unstable stable issue issues trouble fault faults overfitting bug bugs amiss suspicious fishy worry worried worrying dead saturated vanishing exploding plateau stalled converge converging okay alarming symptoms ok fine well")),
    Ask("curve", frozenset(), ("metric",)),
    Ask("curve", frozenset(), ("element",)),
    Ask("history", forms("changed change did done do turned set made")),
    Ask("status", forms("status state where doing going far steps settings hyperparameters dials optimiser rule summary overview progress progressing stand situation standing report setup configuration setting look"), ()),
    Ask("status", frozenset(), ("dial",)),
    Ask("why", forms("why reason how-come")),
)  # fmt: skip


def question(said: Sequence[Word], context: Context) -> Command | None:
    """The question that words ask, at their best reading; None where they are none, or could be a change."""
    heard = frozenset(kind for word in said for kind in word.kinds)
    begins = frozenset(kind for word in said[:FIRST] for kind in word.kinds)
    asks = bool(begins & ASKING) or (bool(said) and said[-1].text == "?")
    if not asks or (heard & CHANGING and not heard & (ASKING - forms("do can could any see look give"))):
        return None
    named = dict(_named(said, context))
    for one in ASKS:
        if all(need in named for need in one.needs) and (not one.words or heard & one.words):
            try:
                return command(one.name, _arguments(one, named, context))
            except OntogenyError:
                continue
    return None


def _named(said: Sequence[Word], context: Context) -> Iterator[tuple[str, Any]]:
    """What the words name, the longest of each kind."""
    known = grammar()
    matcher = Matcher(known, said)
    for table in PLACES:
        found = [
            (end - at, tree) for at in range(len(said)) for end, tree in matcher.table(table, at).items()
        ]  # fmt: skip
        for _, tree in sorted(found, key=lambda one: -one[0]):
            try:
                yield table, known.meaning(tree, context)
                break
            except OntogenyError:
                continue


def _arguments(one: Ask, named: Mapping[str, Any], context: Context) -> dict[str, Any]:
    window = {"steps": named["window"]} if "window" in named else {}
    if one.name == "what-if":
        return _supposed(one, named, context)
    if one.name == "alike":
        return {"element": named["element"], **window}
    if one.name == "explain":
        names = named["element"] if "element" in one.needs else named["tensors"]
        if not isinstance(names, str) and len(names) != 1:
            raise OntogenyError("one tensor at a time")
        return {"names": names if isinstance(names, str) else names[0], **window}
    if one.name == "curve":
        return {"of": named[one.needs[0]], **window}
    if one.name == "compare":
        return {"to": named["reference"]} if "reference" in one.needs else {}
    return window if one.name in ("groups", "moments") else {}


def _supposed(one: Ask, named: Mapping[str, Any], context: Context) -> dict[str, Any]:
    start = int(named["window"].rstrip(":")) if named.get("window", "").endswith(":") else 0
    later = {"start": start} if start else {}
    if "examples_said" in one.needs:
        return {"without": named["examples_said"], **later}
    value = named["number"] if "number" in one.needs else 0.0
    if "number" in one.needs and value == start:
        raise OntogenyError("no value is named")
    return {"dials": {named["dial"]: value}, **later}
