"""What a question holds: the words with which it asks, and for each command those of which it has one."""

from __future__ import annotations

from dataclasses import dataclass

from ontogeny.steer.phrases.normal import forms

ASKING = forms(
    "what why how which when where who whom whose show plot draw graph list compare explain tell is are does did has was were am "
    "find give display see anything any check diagnose describe summarise summarize print suppose imagine whether report inspect "
    "contrast search look examine break account identify count measure chart visualise visualize name point walk isn't hasn't "
    "doesn't didn't wasn't"
)
"""Words that a question holds among its first ones."""
WEAK = forms("name give see look point any anything find break walk account")
"""Words that ask only where they come first."""
TOPICS = frozenset(("alike", "groups", "moments", "compare", "waste", "cost", "events", "explain", "diagnose"))
"""Questions that are asked by their topic alone, where nothing is to be done."""
DOING = forms(
    "set turn put make change run train step go back freeze unfreeze thaw fork branch copy discard delete throw keep mark label use switch "
    "halve double add remove drop cut raise lower increase decrease clip prune scale zero reset noise mix forget leave exclude learn "
    "teach stop pause resume undo revert take let start begin again call until scrap get bring bump restore continue save stash"
)
"""Words with which something is to be done."""
CHANGING = forms("freeze unfreeze fork discard undo clip prune forget mix halve double rewind delete throw")
"""Words that are rather a command's, unless the past or a condition is asked about."""
SUPPOSING = forms("if suppose supposing imagine without had would assume assuming hypothetically")
ADVICE = forms("can could may do does") & forms("can could may")
"""With these a question is about what may be done at all."""
REFUSED = forms("should can could shall may")
"""What begins so asks for advice or leave, which nobody here gives."""
NONE = forms("without no zero off none remove removed dropped")
HALVED = forms("half halve halved")
DOUBLED = forms("double doubled twice")
BY = forms("at least above over more correlation correlate correlated threshold by with of")
OPPOSITE = forms("opposite sign inverse inversely mirrored mirror anti negatively negative reversed")
FIRST = 4
"""Among so many words at the beginning one has to ask."""
PARTIAL = forms("FRACTION TIMES twice double triple times half") | {"FRACTION", "TIMES"}
PLACES = (
    "factor",
    "element",
    "metric",
    "window",
    "reference",
    "dial",
    "dial_values",
    "tensors",
    "number",
    "examples_said",
    "event",
)


@dataclass(frozen=True, slots=True)
class Ask:
    """A question's command: the words of which it has one, and what it needs to name."""

    name: str
    words: frozenset[str]
    needs: tuple[str, ...] = ()


MOVING = forms(
    "alike step twin twins sibling siblings similar similarly correlate correlated correlates resemble resembles same neighbours kin sync parallel shape company twin"
)
WHY = forms(
    "why explain cause caused drove drive moved made reason responsible behind due account come break decompose pushed happened how because term terms"
)
ASKS = (
    Ask("what-if", SUPPOSING, ("dial", "number")),
    Ask("what-if", SUPPOSING, ("examples_said",)),
    Ask("what-if", SUPPOSING, ("dial",)),
    Ask("alike", forms("moves goes along way like those opposite same"), ("element",)),
    Ask("alike", MOVING, ("element",)),
    Ask("explain", WHY, ("element",)),
    Ask("groups", forms("as-one hand alike together group jointly unison cluster concert tandem collectively bunch clump teams families lockstep")),
    Ask("moments", forms("outlier outliers moments kurtosis skewness skew variance statistics distribution distributed unusual unusually oddly strangely odd strange weird odd-ones abnormal extreme unlike")),
    Ask("compare", forms("compare difference differences differ differs different versus vs better worse than against contrast beside part side"), ("reference",)),
    Ask("compare", forms("compare difference differences differ contrast")),
    Ask("waste", forms("waste wasted wasting nothing vain useless unnecessary needless needlessly redundant superfluous pointless idle futile drain unused strip uses")),
    Ask("cost", forms("cost flops operations expensive price multiply-adds arithmetic costly pricey compute bytes operation computing slowest eating pricey")),
    Ask("why", forms("reason reasons story origin background")),
    Ask("history", forms("history commands command log journal undone orders instructions told")),
    Ask("explain", WHY - forms("happened how"), ("tensors",)),
    Ask("events", forms("happened happen generalise generalised grok grokked memorise memorised overfit spiked spike diverge diverged exploded explode events milestones jumped occurred memorisation generalisation highlights notable noteworthy remarkable eventful occur occurs")),
    Ask("diagnose", forms("wrong problem problems healthy health diagnose diagnosis sick ill broken stuck unstable stable issue issues trouble fault faults overfitting bug bugs amiss suspicious fishy worry worried worrying dead saturated vanishing exploding plateau stalled converge converging okay alarming symptoms ok fine well")),
    Ask("curve", frozenset(), ("metric",)),
    Ask("curve", frozenset(), ("element",)),
    Ask("why", forms("why")),
    Ask("status", forms("dials settings state setup")),
    Ask("history", forms("changed change did done do turned set made")),
    Ask("status", forms("status state where doing going far steps settings hyperparameters dials optimiser rule summary overview progress progressing stand situation standing report setup configuration setting look"), ()),
    Ask("status", frozenset(), ("dial",)),
    Ask("why", forms("why reason how-come")),
)  # fmt: skip
