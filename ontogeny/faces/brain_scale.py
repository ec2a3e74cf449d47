"""Writes docs/brain-scale.md, every figure computed: `python -m ontogeny.faces.brain_scale docs/brain-scale.md`."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ontogeny.ask.hardware import H100
from ontogeny.ask.price import brain
from ontogeny.ask.price.brain import SYNAPSES, TERMS, WORDS
from ontogeny.ask.price.estimate import YEAR, price
from ontogeny.ask.price.words import count, dollars, in_units, operations, time
from ontogeny.claims.book import claim
from ontogeny.faces.claims import BOOK, known, short
from ontogeny.faces.price_words import assumption_rows

MACHINES = ("8xA100", "p5.48xlarge-on-demand", "8xH100", "8xH100-community", "8xH200", "8xB200")
STATES = (
    (16.0, "mixed precision with Adam (ZeRO, arXiv 1910.02054)"),
    (8.0, "two averages of a byte each, no master weight (as in 8-bit optimizers, arXiv 2110.02861), gradient in 4"),
    (6.0, "weight, gradient and momentum in bf16"),
    (2.0, "the weight alone, in bf16: a rule that keeps no gradient, or a network that is only asked"),
)
STUDENTS = (1e8, 1e9, 1e10, 1e11)
CAPACITY, VOCABULARY = 3.6, 128_256
"""Bits that a parameter holds (Morris et al. 2025, arXiv 2505.24832), and the tokens that Llama 3 tells apart."""
PREMISES = {
    "large-memorise-little": "200 digits, 40 with random labels; 85 to 38,410 parameters",
    "capacity-in-bits": "random strings; 2,048 parameters",
    "larger-with-decay": "60,000 characters; widths 64, 192, 384",
    "best-decay-grows": "the same",
    "large-rate-catapults": "addition modulo 97, a transformer of one layer",
    "decay-generalises": "the same",
    "sleep-helps": "the same",
    "distilled-beats-direct": "digits; 512 units into 8",
}
"""Claims of the book that the argument rests on, and on what each was measured."""
BILLION = 1e9


def page() -> str:
    """The whole page."""
    parts = (
        _begin(),
        _first(),
        _runs(),
        _machines(),
        _memory(),
        _quality(),
        _distilled(),
        _sensible(),
        _premises(),
        _measured(),
        _end(),
    )
    return "\n".join(line for part in parts for line in part)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table of documentation."""
    return [f"| {' | '.join(row)} |" for row in (heads, ("---",) * len(heads), *rows)] + [""]


def paragraph(text: str) -> list[str]:
    """A paragraph on one line, its spaces single."""
    return [" ".join(text.split()), ""]


def _begin() -> list[str]:
    run = brain.teacher()
    worse = run.dollars / max(one.cheapest.dollars for one in brain.equals())
    return [
        "# A network with as many parameters as a brain has synapses",
        "",
        *paragraph(f"""A brain has some {count(SYNAPSES)} synapses, perhaps {count(brain.MORE_SYNAPSES)}, and hears
        about {count(WORDS)} tokens of words in a childhood (a hundred million words: BabyLM, arXiv 2301.11796).
        Suppose that very large networks on very little data, with strong decay and a learning rate that catapults,
        come to generalise. What would such a run cost, and what would a small network cost that learns from it?"""),
        *paragraph(f"""In short: {dollars(run.dollars)} and {in_units(run.watt_hours, "Wh")} for {brain.EPOCHS}
        passes, in {time(run.hours)}, on the {run.accelerators:,} accelerators that its state needs. Arithmetic is
        cheap, since the data are few; memory sets the machine. By the laws of loss that are known, though, a
        run on more data that is as good costs {worse:,.0f} times less, or less still. It is worth its price
        only where more data cannot be had, or where those laws end."""),
        *paragraph("""Nothing of this size was run. Every figure is computed by `ontogeny price` from the
        assumptions at the end; this page is written by `python -m ontogeny.faces.brain_scale docs/brain-scale.md`,
        and a test compares it."""),
    ]  # fmt: skip


def _first() -> list[str]:
    found, now = brain.first_estimate(), brain.teacher()
    many = brain.priced(brain.runs()["as many tokens as Chinchilla asks"], brain.FIRST)
    rows = (
        ("operations", "1.25e24", operations(found.operations), operations(now.operations)),
        ("H100 hours", "a million", count(found.accelerator_hours), count(now.accelerator_hours)),
        ("money", "about 3 million dollars", dollars(found.dollars), dollars(now.dollars)),
        ("energy", "1.3 GWh", in_units(found.watt_hours, "Wh"), in_units(now.watt_hours, "Wh")),
        ("state", "1.6 PB", in_units(found.state, "B"), in_units(now.state, "B")),
        ("accelerators", "22,000", f"{found.accelerators:,}", f"{now.accelerators:,}"),
        ("by the clock", "45 hours", time(found.hours), time(now.hours)),
        ("a brain to age 18", "3.2 MWh", in_units(brain.brain_watt_hours(), "Wh"), "20 W all the time"),
        ("Chinchilla-optimal", "1.2e30 operations", operations(many.operations), dollars(many.dollars)),
    )
    text = f"""The discussion began with an estimate: {count(SYNAPSES)} parameters, {count(WORDS)} tokens,
    {brain.EPOCHS} epochs, 35% utilisation, 16 bytes of state a parameter. With three dollars an hour, no failures
    and nothing for the building it comes out as it was said. Today's list price is {TERMS.hourly:.2f} dollars, a
    tenth of the hours is lost to failures, and the building takes a tenth more."""
    return [
        "## The first estimate, checked",
        "",
        *paragraph(text),
        *table(("", "estimated", "computed", "today"), rows),
    ]


def _runs() -> list[str]:
    rows = []
    for name, shape in brain.runs().items():
        run = brain.priced(shape)
        rows.append(
            (name, count(shape.parameters), count(shape.tokens), f"{shape.epochs:g}", operations(run.operations),
             in_units(run.state, "B"), f"{run.accelerators:,}", time(run.hours), dollars(run.dollars),
             in_units(run.watt_hours, "Wh"))
        )  # fmt: skip
    heads = ("run", "parameters", "tokens", "epochs", "operations", "state", "H100s", "time", "money", "energy")
    large = brain.priced(brain.runs()["as many tokens as Chinchilla asks"])
    large_tokens = brain.runs()["as many tokens as Chinchilla asks"].tokens
    text = f"""What is looked at is {brain.LOOKS} tokens a second for {brain.AWAKE:g} waking hours until
    {brain.YEARS:g}: an assumption about images, not a measurement of eyes. As many tokens as Chinchilla asks are
    {brain.TOKENS_A_PARAMETER} a parameter, {large_tokens / brain.WRITTEN:.1f} times the stock of public text (some
    {count(brain.WRITTEN)} tokens, Villalobos et al. 2024, arXiv 2211.04325); that run would take these machines
    {time(large.hours)}. Attention is left out: in {brain.LAYERS} layers, over {brain.CONTEXT:,} tokens, it would
    add {brain.attention_share():.2%} to 6ND."""
    return ["## Runs", "", *table(heads, rows), *paragraph(text)]


def _machines() -> list[str]:
    shape, rows = brain.runs()["words, 16 times"], []
    for name in MACHINES:
        terms = replace(TERMS, machine=name)
        run = brain.priced(shape, terms)
        rows.append(
            (name, terms.accelerator.name, f"{terms.hourly:.2f}", f"{run.accelerators:,}", time(run.hours),
             dollars(run.dollars), in_units(run.watt_hours, "Wh"), terms.kind.source)
        )  # fmt: skip
    heads = ("machine", "accelerator", "dollars/hour", "how many", "time", "money", "energy", "price")
    text = (
        "The run of 16 times over the words. Prices are lists as of their dates; whoever rents thousands pays others."
    )
    return ["## On machines for rent", "", *paragraph(text), *table(heads, rows)]


def _memory() -> list[str]:
    shape, rows = brain.runs()["words, 16 times"], []
    for state, what in STATES:
        run = brain.priced(shape, replace(TERMS, state_bytes=state))
        rows.append((f"{state:g}", what, in_units(run.state, "B"), f"{run.accelerators:,}", time(run.hours),
                     f"{dollars(run.accelerators * TERMS.hourly)}"))  # fmt: skip
    moved = brain.traffic()
    text = f"""What a run costs does not depend on how many accelerators share it, as long as they are busy; how
    many there have to be does depend on bytes of state alone. They also have to be kept busy. If every accelerator
    gathered all weights for its own tokens, as fully sharded training does, a step would move 6 bytes a parameter
    through each link: {moved.traffic:,.0f} seconds, against {moved.arithmetic:.0f} seconds of arithmetic for a step
    of {count(moved.tokens)} tokens. Arithmetic would take as long only from {count(moved.enough)} tokens a step on,
    more than a childhood holds. So weights must stay where they are and activations travel: as in a brain, what is
    stored and what computes are one place."""
    heads = ("bytes a parameter", "what is kept", "state", "H100s", "time", "an hour of them")
    return ["## Memory sets the machine", "", *table(heads, rows), *paragraph(text)]


def _quality() -> list[str]:
    run = brain.teacher()
    rows = [
        (one.taken, one.law, f"{one.loss:.2f}", f"{one.floor:.2f}", count(one.parameters), count(one.tokens),
         operations(one.cheapest.operations), dollars(one.cheapest.dollars),
         f"{run.dollars / one.cheapest.dollars:,.0f}", f"{one.token_worth * 1e6:,.0f} dollars")
        for one in brain.equals()
    ]  # fmt: skip
    heads = ("repetition", "law", "loss", "floor", "parameters", "fresh tokens", "operations", "money", "times cheaper",
             "a million further tokens")  # fmt: skip
    text = """What loss does the large run reach, and what is the cheapest run on fresh data that reaches the same?
    By the law of Chinchilla as corrected (Besiroglu et al. 2024) and that of repeated data (Muennighoff et al.
    2023). Losses are in nats a token, each of its own law's data, and not to be compared across laws. The last
    column is the price of further data at which both would cost the same: where a million tokens more cost less,
    more data are the better buy."""
    more = f"""These laws were fitted to networks of at most {count(brain.LARGEST["besiroglu"])} and
    {count(brain.LARGEST["muennighoff"])} parameters; {count(SYNAPSES)} are
    {SYNAPSES / brain.LARGEST["besiroglu"]:,.0f} and {SYNAPSES / brain.LARGEST["muennighoff"]:,.0f} times more, with
    {SYNAPSES / WORDS:,.0f} parameters a token, and they were fitted at usual weight decay. With decay tuned to each
    size, about 30 times as strong, loss was seen to fall steadily with size at 200 million tokens, and with
    ensembles to be worth {brain.DATA_GAIN} times the data of the usual recipe (Kim et al. 2025, arXiv 2509.14786):
    {count(brain.DATA_GAIN * WORDS)} tokens' worth here. That is a gain in data, at an asymptote; it is not a factor
    that grows without end with parameters. If the catapult does more than that, these tables do not know it, and
    that is what has to be measured before money is spent."""
    return [
        "## Against Chinchilla-optimal at equal quality",
        "",
        *paragraph(text),
        *table(heads, rows),
        *paragraph(more),
    ]


def _distilled() -> list[str]:
    rows = []
    for parameters in STUDENTS:
        one = brain.student(parameters)
        said = one.labels
        labels = (operations(said.operations), dollars(said.dollars), time(said.hours), in_units(said.watt_hours, "Wh"))
        rows.append((count(one.parameters), count(one.tokens), *labels, f"{one.by_teacher:,.2f}",
                     dollars(one.learning.dollars)))  # fmt: skip
    weights = replace(TERMS, state_bytes=2.0)
    asked = price(2 * SYNAPSES, SYNAPSES, weights)
    million = price(2e6 * SYNAPSES, SYNAPSES, weights)
    own = brain.own_logits() * brain.teacher().dollars
    text = f"""Nobody would serve the large network: its weights alone take {in_units(asked.state, "B")},
    {asked.accelerators:,} H100s at {dollars(asked.accelerators * TERMS.hourly)} an hour, and a million tokens from
    it cost {dollars(million.dollars)}. So it is distilled. A student needs the large one's answers on the tokens
    that it learns from, a forward pass each; times are those of as many H100s as hold the weights."""
    more = f"""Labels on more than {count(brain.break_even())} tokens, three times the teacher's token-passes, cost
    more than the teacher did: a student on 20 tokens a parameter reaches that at
    {count(brain.break_even() / brain.TOKENS_A_PARAMETER)} parameters. The student's own learning is nothing beside
    it. Keeping the answers on the teacher's own words is one forward pass more, {brain.own_logits():.1%} of its
    cost ({dollars(own)}); a student that is content with those, and sees them often, is nearly free. Of an
    ensemble's gain a student 8 times smaller kept 83% (Kim et al. 2025); how much is kept where the teacher is
    {SYNAPSES / 1e9:,.0f} times larger than the student nobody has measured."""
    heads = (
        "student's parameters",
        "tokens",
        "operations of labels",
        "labels",
        "time",
        "energy",
        "by the teacher's cost",
        "its own learning",
    )
    return ["## Distilled", "", *paragraph(text), *table(heads, rows), *paragraph(more)]


def _sensible() -> list[str]:
    run, large = brain.teacher(), brain.priced(brain.runs()["as many tokens as Chinchilla asks"])
    looked, best = brain.priced(brain.runs()["all that is looked at, once"]), brain.equals()[-1]
    ratio = run.watt_hours / brain.brain_watt_hours()
    items = (
        f"""The run on words is affordable today ({dollars(run.dollars)}). What is not to be had by the hour is
        {run.accelerators:,} accelerators in one place for {time(run.hours)}.""",
        f"""No price of computing makes it the better buy where data are for sale: a run on more data becomes
        cheaper alike, and is at least {run.dollars / best.cheapest.dollars:,.0f} times cheaper ({best.taken}). The
        price of data does: it is sensible where a million further tokens cost more than
        {best.token_worth * 1e6:,.0f} dollars, as of a rare language, one person, or a science with few
        measurements.""",
        f"""All that is looked at, once, costs {dollars(looked.dollars)} today; as much as the run on words in
        {brain.years_until(run.dollars, looked.dollars):.0f} years, if operations for a dollar go on doubling every
        {brain.CHEAPER} years.""",
        f"""Chinchilla-optimal at this size costs {dollars(large.dollars)}; a budget of a billion dollars buys it in
        {brain.years_until(BILLION, large.dollars):.0f} years at that pace, if its tokens are written by then.""",
        f"""Energy is {ratio:,.0f} times that of a brain until {brain.YEARS:g}, whose learning and living are in its
        {in_units(brain.brain_watt_hours(), "Wh")}.""",
    )
    return ["## At what price it becomes sensible", "", *(f"- {paragraph(item)[0]}" for item in items), ""]


def _premises() -> list[str]:
    rows = [_premise(name, where) for name, where in PREMISES.items()]
    held, given = SYNAPSES * CAPACITY, WORDS * math.log2(VOCABULARY)
    text = f"""At {CAPACITY} bits a parameter {count(SYNAPSES)} of them hold {held / given:,.0f} times what
    {count(WORDS)} tokens can say at the most ({math.log2(VOCABULARY):.0f} bits each), so nothing but the way it is
    trained keeps such a network from knowing its data by heart. That with strong decay the larger network is the better
    one, and takes more decay, was seen over six times in width; the {math.log10(SYNAPSES / 1e6):.0f} further powers of
    ten in parameters are carried by no measurement."""
    return [
        "## What the argument supposes, measured small",
        "",
        *paragraph("""Verdicts are those of [the book](claims.md), which says what each experiment did; intervals are
        95% over seeds."""),
        *table(("claim", "measured on", "verdict", "figures"), rows),
        *paragraph(text),
    ]


def _premise(name: str, where: str) -> tuple[str, str, str, str]:
    one = claim(name)
    found = known(one, BOOK)
    verdict = found.verdict.value if found else "not measured"
    return f"[{one.sentence}](claims.md#{name})", where, verdict, "; ".join(short(found))


def _measured() -> list[str]:
    text = f"""Operations and memory are arithmetic, and extrapolate. Utilisation is published for {count(16384)}
    H100s and {count(405e9)} parameters: this run has {SYNAPSES / 405e9:,.0f} times the parameters on
    {brain.teacher().accelerators / 16384:.1f} times the accelerators, and {TERMS.utilisation:.0%} is a guess for
    it. By the same arithmetic Llama 3.1 405B comes out {_off(brain.LLAMA_UTILISATION[0])} its published
    {count(brain.LLAMA_HOURS)} H100 hours at {brain.LLAMA_UTILISATION[0]:.0%}, as was reached on as many of them,
    {" and ".join(f"{_off(one)} at {one:.0%}" for one in brain.LLAMA_UTILISATION[1:])}, which were reached
    elsewhere (`benches/price.py`). Loss does not extrapolate so. `ontogeny laws` fits such laws to one's own runs, with
    intervals, and says how far beyond them a forecast lies; the runs made here have at most 162,000 parameters
    (LOG.md), {count(SYNAPSES / 162e3)} times fewer, and there a law fitted to the smaller ones foretold networks of
    a few times the size within 4%. What decay and learning rate do at fixed data was measured over less than a
    decade of width; until a law of theirs has been seen to hold over several, none is carried to this page."""
    return ["## Where the figures come from, and how far they carry", "", *paragraph(text)]


def _off(utilisation: float) -> str:
    off = brain.llama_off(utilisation)
    return f"{abs(off):.1%} {'above' if off > 0 else 'below'}"


def _end() -> list[str]:
    rows = assumption_rows(brain.teacher().assumptions)
    more = (
        "One pass over a token takes 6 operations a parameter, 2 forward and 4 backward "
        "(arXiv 2001.08361); one that is only asked 2.",
        f"Operations for a dollar double in {brain.CHEAPER} years (Hobbhahn and Besiroglu, Epoch, 2022); a brain takes "
        f"{brain.BRAIN_WATTS:g} W.",
        f"A link is {in_units(H100.link, 'B/s')} an accelerator, 400 Gbit/s. No storage, no people, "
        "no runs that failed before.",
        f"A year is {YEAR:g} hours.",
    )
    return [
        "## What is assumed",
        "",
        *table(("assumption", "value", "unit", "source"), rows),
        *(f"- {item}" for item in more),
        "",
    ]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
