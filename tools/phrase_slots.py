"""What fills the slots of an intent where a command was meant, and the weights that say so."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from phrase_files import Phrase, Span

from benches.chat_compared import CONTEXT, _each, equal, form
from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.phrases.features import bucket, of_filler, symbols
from ontogeny.steer.phrases.said.intents import INTENTS
from ontogeny.steer.phrases.weighed import DIALS, candidates
from ontogeny.steer.registry import command

FILLERS = 1 << 18
"""Weights of the features of fillers."""
Row = tuple[list[list[str]], list[int]]
"""Ways to fill a slot by their features, and which of them are right."""


class Unfit(Exception):
    """A slot that nothing fills rightly."""


def rows_of(
    phrase: Phrase, span: Span, name: str, wanted: Mapping[str, Any], lost: Counter[str], verbose: bool
) -> list[Row]:
    """What fills the slots of an intent where a command was meant; nothing where it cannot be said so."""
    for arguments in itertools.islice(_each(dict(wanted.get("arguments", {}))), 8):
        if name in ("freeze", "unfreeze") and "edit" in arguments:
            wanted, arguments = {"command": name}, arguments["arguments"]
        for given in opened(name, arguments):
            try:
                return list(_rows(phrase, span, name, form(command(wanted["command"], arguments), False), given))
            except Unfit as slot:
                reason = f"{name}.{slot}"
            except (OntogenyError, TypeError, KeyError) as error:
                reason = f"{name}: {error}"
    lost[reason] += 1
    if verbose:
        said = " ".join(word.text for word in phrase.text.said[slice(*span)])
        print("  unfit", reason, "|", said, "|", wanted.get("arguments"))
    return []


def _rows(phrase: Phrase, span: Span, name: str, target: Any, open_: Mapping[str, Any]) -> Iterator[Row]:
    intent, (said, there) = INTENTS[name], phrase.text.piece(*span)
    dial, plain = open_.get("dial", ""), symbols(said)
    for slot, fillers in intent.slots.items():
        if (slot in DIALS and "dials" in open_) or (slot == "value" and not dial):
            continue
        several = candidates(fillers, there, CONTEXT, dial)
        keys = {key for candidate in several for key in candidate.given}
        keys |= {key for filler in fillers for key in KEYS.get(slot, ())}
        right = []
        for at, candidate in enumerate(several):
            rest = {key: value for key, value in open_.items() if key not in keys}
            if not candidate.given and slot in intent.needs:
                continue
            try:
                made = form(intent.made({"rest": rest, slot: candidate.given}, CONTEXT), False)
            except (OntogenyError, KeyError, TypeError, ValueError):
                continue
            if equal(made, target):
                right.append(at)
        if not right:
            raise Unfit(slot)
        if right[0] == 0:  # what need not be said is not said by words alone, nor twice
            right = [at for at in right if not at or several[at].item is not None]
        if len(several) > 1:
            yield [of_filler(name, slot, c.filler, c.item, said, plain, there) for c in several], right


KEYS = {
    "value": ("to", "by"), "long": ("over", "end"), "many": ("dials",), "tensors": ("tensors", "only_matrices"),
    "with": ("with",),
}  # fmt: skip
"""What a slot fills, where that is not its own name."""


def opened(name: str, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The arguments of a command as the slots of its intent name them, in each way that they do."""
    given = dict(arguments)
    if name.startswith("rule:"):
        edit, run = given.pop("edit", ""), given.pop("run", "")
        given = dict(given.pop("arguments", {}))
        if name == "rule:optimiser":
            edit = given.pop("to", edit) if edit == "rule" else edit
            given = {**given, **given.pop("options", {})}
            nesterov = {"nesterov": given.pop("nesterov")} if "nesterov" in given else {}
            given = {"edit": edit, **({"with": given} if given else {}), **nesterov}
        if name in ("rule:cosine", "rule:warmup"):
            start = given.pop("start", 0)
            long = given.pop("steps", 0) - (start if name == "rule:cosine" else 0)
            said = {"start": start} if start not in (0, CONTEXT.step) else {}
            given = {**given, **said, "over": long}
        if name.startswith("rule:remove"):
            given.pop("edit", None)
        if run:
            given["run"] = run
    if name.startswith("alter:"):
        given.pop("how", None)
    if name in ("what-if", "again") and len(given.get("dials", {})) == 1:
        ((dial, value),) = given["dials"].items()
        return [given, {**{key: one for key, one in given.items() if key != "dials"}, "dial": dial, "to": value}]
    return [given]


def fit_fillers(rows: Sequence[Row], epochs: int = 10, lr: float = 0.3, kept: float = 0.8) -> np.ndarray:
    """A score for each feature of a filler, such that what is right has most of the probability: AdaGrad."""
    data = [
        ([np.array(sorted({bucket(one, FILLERS) for one in way})) for way in several], right) for several, right in rows
    ]
    weights, squares = np.zeros(FILLERS), np.full(FILLERS, 1e-2)
    draw, shuffled = np.random.default_rng(0), random.Random(0)
    for _ in range(epochs):
        shuffled.shuffle(data)
        for several, right in data:
            some = [way[draw.random(len(way)) < kept] for way in several]
            scores = np.array([weights[way].sum() for way in some])
            told = np.exp(scores - scores.max())
            told /= told.sum()
            wanted = np.zeros_like(told)
            wanted[right] = told[right]
            wanted /= wanted.sum() + 1e-12
            for way, step in zip(some, told - wanted, strict=True):
                if abs(step) > 1e-3:
                    squares[way] += step * step
                    weights[way] -= lr * step / np.sqrt(squares[way])
        weights *= 0.999
    return weights
