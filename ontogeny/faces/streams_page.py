"""What streams carry, in rows for a terminal and as a page in Markdown."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence

from ontogeny.ask.compressors import COMPRESSORS
from ontogeny.ask.streams.carried import Carried
from ontogeny.ask.streams.stream import PUBLISHED
from ontogeny.faces.terminal import amount, number

COLUMNS = {"model": "left", "bits a symbol": "right", "bits a second": "right", "of the sensor": "right",
           "sent": "right", "held": "right"}  # fmt: skip
"""Of the table of one stream, and where the words of each stand."""
HEADS = {"stream": "left", "sensor": "right", "general compressor": "right", "best": "right", "by": "left",
         "known": "right"}  # fmt: skip
GENERAL = tuple(COMPRESSORS)
INTRODUCTION = """# How much a stream carries once it is predicted

Bits a second of text, sound and images by ever stronger models, as `{command}` made it with
Python {python}. Every model is a lossless code: nothing is discarded. What of a model itself has to be sent is counted
(`sent`, in bits); what an adaptive model holds (`held`, in numbers) both sides find alike on the way. The program that
both run is not counted. Where a stream was made so that its entropy is known, that stands beside it: no code takes
less, but for chance.
"""


def rows(one: Carried) -> list[tuple[str, ...]]:
    """A row for each model of a stream, by COLUMNS."""
    stream = one.stream
    return [
        (
            each.model.name, number(each.sent.bits / stream.symbols.size), _rate(one.rate(each)),
            f"{one.rate(each) / stream.sensor:.1%}", amount(round(each.sent.parameters)), amount(each.sent.holds),
        )
        for each in one.taken
    ]  # fmt: skip


def known(one: Carried) -> str:
    """How what is known of a stream compares with its best model; empty where nothing is known."""
    if one.truth is None or one.stream.truth is None:
        return ""
    words = f"{_truth(one)} bits a second by {one.stream.truth.how}"
    return f"{words}; the best model takes {one.rate(one.least) / one.truth:.4g} times that"


def summary(found: Sequence[Carried]) -> list[tuple[str, ...]]:
    """A row for each stream, by HEADS, all in bits a second."""
    return [
        (
            one.stream.name,
            _rate(one.stream.sensor),
            _rate(min(one.rate(each) for each in one.taken if each.model.name in GENERAL)),
            _rate(one.rate(one.least)),
            one.least.model.name,
            _truth(one),
        )
        for one in found
    ]


def _truth(one: Carried) -> str:
    if one.truth is None or one.stream.truth is None:
        return ""
    return f"{'at most ' if one.stream.truth.at_most else ''}{_rate(one.truth)}"


def _rate(bits: float) -> str:
    return amount(float(f"{bits:.3g}"))


def markdown(found: Sequence[Carried], picture: str, command: str) -> str:
    """The page: by which command, all streams in one table, the picture, published rates, then each stream."""
    parts = [
        INTRODUCTION.format(command=command, python=platform.python_version()),
        _table(HEADS, summary(found)),
        f"![Bits a second against models; the sensors are broken lines, what is known dotted ones]({picture})\n",
        "Published, to be seen beside:\n",
        _table(("rate", "bits a second", "source"), ((one.name, amount(one.bits), one.source) for one in PUBLISHED)),
    ]
    for one in found:
        told = known(one) and f"{known(one)}."
        about = f"{one.stream.how[0].upper()}{one.stream.how[1:]}."
        parts += [
            f"## {one.stream.name}\n",
            f"{about} {told[:1].upper()}{told[1:]}".rstrip() + "\n",
            _table(COLUMNS, rows(one)),
        ]
    words = dict.fromkeys((each.model.name, each.model.words) for one in found for each in one.taken)
    parts += ["## What the models go by\n", _table(("model", "goes by"), words)]
    return "\n".join(parts)


def _table(heads: Iterable[str], lines: Iterable[Sequence[str]]) -> str:
    names = list(heads)
    every = [names, ["---"] * len(names), *lines]
    return "\n".join(f"| {' | '.join(one)} |" for one in every) + "\n"
