"""What fills the slots of an intent where a command was meant, and the weights that say so."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from phrase_files import Phrase, Span

from benches.chat_compared import CLAUSE, CONTEXT, each_way, equal, form
from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.phrases.carried import AFTER, BEFORE, FROM, of_taking, offered, said_of, takes
from ontogeny.steer.phrases.features import bucket, of_filler, symbols
from ontogeny.steer.phrases.intents import NEVER
from ontogeny.steer.phrases.items import Item
from ontogeny.steer.phrases.said.intents import INTENTS
from ontogeny.steer.phrases.weighed import DIALS, RECALLED, candidates
from ontogeny.steer.registry import command

FILLERS, TOGETHER = 1 << 18, 32
"""Weights of the features of fillers."""
Row = tuple[list[list[str]], list[int]]
"""Ways to fill a slot by their features, and which of them are right."""


class Unfit(Exception):
    """A slot that nothing fills rightly."""


def carried(
    phrase: Phrase, spans: Sequence[Span], names: Sequence[str], way: Sequence[Mapping[str, Any]]
) -> tuple[list[Row], list[dict[str, Any]]]:
    """What clauses take over from their neighbours and what not; and the commands without what they take over."""
    rows: list[Row] = []
    left = [{**one, "arguments": next(each_way(dict(one.get("arguments", {}))))} for one in way]
    made = [command(one["command"], one["arguments"]) for one in left]
    for at, other, side in _neighbours(len(way)):
        said, there, _ = phrase.text.piece(*spans[at])
        beside = symbols(phrase.text.piece(*spans[other])[0])
        for argument in FROM:
            value = said_of(made[at], argument)
            taken = value is not None and argument not in left[at]["arguments"]
            if taken or not (takes(made[at], argument) or value is not None):
                continue
            offer = offered(made[other], argument, made[at])
            if offer is None or (value is not None and (value != offer or _named(names[at], argument, value, there))):
                continue
            rows.append(
                (
                    [of_taking(argument, side, names[at], names[other], symbols(said), beside, there), []],
                    [0 if value else 1],
                )
            )
            if value is not None:
                del left[at]["arguments"][argument]
    return rows, left


def _neighbours(count: int) -> Iterator[tuple[int, int, str]]:
    """Each clause with the one before it and the one after it."""
    yield from ((at, at - 1, BEFORE) for at in range(1, count))
    yield from ((at, at + 1, AFTER) for at in range(count - 1))


def _named(name: str, argument: str, value: Any, there: Sequence[Item]) -> bool:
    """Whether a clause itself names what an argument is."""
    return any(
        one.item is not None and one.given.get(argument) == value
        for fillers in INTENTS[name].slots.values()
        for one in candidates(fillers, there, CONTEXT, "")
    )


def rows_of(
    phrase: Phrase, span: Span, name: str, wanted: Mapping[str, Any], lost: Counter[str], verbose: bool
) -> list[Row]:
    """What fills the slots of an intent where a command was meant; nothing where it cannot be said so."""
    for arguments in itertools.islice(each_way(dict(wanted.get("arguments", {}))), 8):
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
    intent, (said, there, _) = INTENTS[name], phrase.text.piece(*span)
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
        if not right and slot in intent.needs and slot in RECALLED and span[0]:
            continue  # it is what an earlier clause named
        if not right:
            raise Unfit(slot)
        if right[0] == 0:  # what need not be said is not said by words alone, nor twice
            right = [at for at in right if not at or (several[at].item is not None and slot not in HALVES)]
        if len(several) > 1:
            yield [of_filler(name, slot, c.filler, c.item, said, plain, there) for c in several], right


KEYS = {
    "value": ("to", "by"), "long": ("over", "end"), "many": ("dials",), "tensors": ("tensors", "only_matrices"),
    "with": ("with",),
}  # fmt: skip
"""What a slot fills, where that is not its own name."""


HALVES = ("metric", "bound")
"""Slots of which one alone says nothing."""


def opened(name: str, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The arguments of a command as the slots of its intent name them, in each way that they do."""
    given = dict(arguments)
    if name.startswith("rule:"):
        edit, run = given.pop("edit", ""), given.pop("run", "")
        given = dict(given.pop("arguments", {}))
        if name == "rule:optimiser":
            return list(
                _optimiser(given.pop("to", edit) if edit == "rule" else edit, given, {"run": run} if run else {})
            )
        if name in ("rule:cosine", "rule:warmup"):
            start = given.pop("start", 0)
            long = given.pop("steps", 0) - (start if name == "rule:cosine" else 0)
            said = {"start": start} if start not in (0, CONTEXT.step) else {}
            given = {**given, **said, "over": long}
        if name.startswith("rule:remove"):
            given.pop("edit", None)
        if run:
            given["run"] = run
    if name in ("run", "autopilot"):
        return list(_bounded("until" if name == "run" else "goal", given))
    if name.startswith("alter:"):
        given.pop("how", None)
    if name in ("what-if", "again") and len(given.get("dials", {})) == 1:
        ((dial, value),) = given["dials"].items()
        return [given, {**{key: one for key, one in given.items() if key != "dials"}, "dial": dial, "to": value}]
    return [given]


class Ways:
    """Rows as arrays: the buckets of every way to fill a slot one after the other, and which of them are right."""

    def __init__(self, rows: Sequence[Row]) -> None:
        ways = [
            np.array(sorted({bucket(one, FILLERS) for one in way}), np.int64) for several, _ in rows for way in several
        ]
        self.sizes = np.array([len(one) for one in ways])
        self.starts = np.concatenate([[0], np.cumsum(self.sizes)[:-1]])
        self.flat = np.concatenate(ways)
        self.count = np.array([len(several) for several, _ in rows])
        self.first = np.concatenate([[0], np.cumsum(self.count)[:-1]])
        self.right = np.zeros(len(ways), bool)
        for start, (_, right) in zip(self.first, rows, strict=True):
            self.right[start + np.array(right)] = True

    def taken(self, at: np.ndarray) -> tuple[np.ndarray, ...]:
        """Of some rows the buckets, of which way each is, of which row each way is, and which ways are right."""
        ways, row = spread(self.first[at], self.count[at])
        flat, way = spread(self.starts[ways], self.sizes[ways])
        return self.flat[flat], way, row, self.right[ways]


def spread(starts: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every place of several stretches, and of which stretch it is."""
    ends = np.cumsum(sizes)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    return np.arange(ends[-1]) - (ends - sizes)[owner] + starts[owner], owner


def _bounded(argument: str, given: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A condition said as one, or by its metric and its bound; what is never to be touched part by part."""
    for part in str(given.pop("never", "")).replace(" ", "").split(","):
        if part:
            given[f"never {part if part in NEVER else 'dial'}"] = part
    yield given
    match = CLAUSE.fullmatch(str(given.get(argument, "")).strip())
    if match and match[1] in CONTEXT.metrics and match[2] == (">=" if "accuracy" in match[1] else "<"):
        rest = {name: value for name, value in given.items() if name != argument}
        yield {**rest, "metric": match[1], "bound": float(match[3]) / (100 if match[4] else 1)}


def _optimiser(edit: str, given: dict[str, Any], run: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Another optimizer with its dials: by a number alone, or as settings that name each."""
    dials = {**{name: value for name, value in given.items() if name != "options"}, **given.get("options", {})}
    nesterov = {"nesterov": dials.pop("nesterov")} if "nesterov" in dials else {}
    for alone in ((), ("lr",), ("momentum",), ("lr", "momentum")):
        if all(name in dials for name in alone):
            rest = {name: value for name, value in dials.items() if name not in alone}
            by_number = {name: dials[name] for name in alone}
            yield {"edit": edit, **({"with": rest} if rest else {}), **by_number, **nesterov, **run}


def fit_fillers(rows: Sequence[Row], epochs: int = 10, lr: float = 0.3, kept: float = 0.8) -> np.ndarray:
    """A score for each feature of a filler, such that what is right has most of the probability: AdaGrad."""
    ways, draw = Ways(rows), np.random.default_rng(0)
    weights, squares = np.zeros(FILLERS), np.full(FILLERS, 1e-2)
    for _ in range(epochs):
        order = draw.permutation(len(rows))
        for start in range(0, len(order), TOGETHER):
            flat, way, row, right = ways.taken(order[start : start + TOGETHER])
            stays = draw.random(len(flat)) < kept
            flat, way = flat[stays], way[stays]
            scores = np.bincount(way, weights[flat], len(row))
            told = np.exp(scores - np.maximum.reduceat(scores, np.flatnonzero(np.diff(row, prepend=-1)))[row])
            told /= np.bincount(row, told)[row]
            wanted = np.where(right, told, 0.0)
            wanted /= np.bincount(row, wanted)[row] + 1e-12
            slope = np.bincount(flat, (told - wanted)[way], FILLERS)
            squares += slope * slope
            weights -= lr * slope / np.sqrt(squares)
        weights *= 0.999
    return weights
