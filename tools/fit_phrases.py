"""Fits the weights by which words are understood (ontogeny/steer/phrases/weights.npz) to files of phrases.

    python tools/fit_phrases.py tests/phrases/tuning*.jsonl

A phrase says which commands it means, not which of its words say what. Where it means several, the way to cut it is
found by weights fitted to the others; what fills a slot is any filler with which the command is the one that was meant.
The same files give the same weights on the same machine.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import re
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benches.chat_compared import CONTEXT, _each, equal, form, lines
from ontogeny.isa.errors import OntogenyError
from ontogeny.steer.phrases import known
from ontogeny.steer.phrases.features import bucket, of_clause, of_filler, symbols
from ontogeny.steer.phrases.known import heard
from ontogeny.steer.phrases.network import FILE, GAIN
from ontogeny.steer.phrases.said.intents import INTENTS, intent_of
from ontogeny.steer.phrases.weighed import ASK, CHAT, DIALS, PART, SAYING, SETTING, SEVERAL, Text, candidates
from ontogeny.steer.registry import command

BUCKETS, HIDDEN, NETS, FILLERS = 1 << 14, 48, 3, 1 << 18
MOST_CUTS = 600
DENIALS = ("don't ", "do not ", "never ", "please don't ", "don't you dare ")
SEVERAL_TIMES = 4
"""How many phrases must have a word that is known."""
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Example:
    """A piece of a text, its label, and how much it counts."""

    features: frozenset[str]
    label: str
    weight: float


@dataclass
class Phrase:
    """A text and each way to understand it: commands as they stand in the file."""

    text: Text
    ways: list[list[dict[str, Any]]]
    asked: bool
    seen: dict[Span, frozenset[str]] = field(default_factory=dict)

    def features(self, span: Span) -> frozenset[str]:
        """The features of a piece."""
        if span not in self.seen:
            self.seen[span] = frozenset(of_clause(*self.text.piece(*span)))
        return self.seen[span]

    @property
    def whole(self) -> Span:
        """The whole of it, without what separates around it."""
        return self.text.bare(0, len(self.text.said))

    def sequences(self) -> list[tuple[str, ...]]:
        """The intents of each way to understand it."""
        found = {tuple(intent_of(one["command"], one.get("arguments", {})) for one in way) for way in self.ways}
        return sorted(one for one in found if all(name in INTENTS for name in one))


def ways(expect: Any) -> Iterator[Any]:
    """Every way to understand a phrase: commands, or ask."""
    if isinstance(expect, Mapping):
        for one in expect["any"]:
            yield from ways(one)
    else:
        yield expect


def read(files: Sequence[Path]) -> list[Phrase]:
    """The phrases of files."""
    found = []
    for line in (line for file in files for line in lines(file)):
        all_ways = list(ways(line["expect"]))
        commands = [way for way in all_ways if way != "ask" and way]
        found.append(Phrase(text_of(line["words"]), commands, "ask" in all_ways))
    return [one for one in found if one.text.said]


def vocabulary(files: Sequence[Path]) -> list[str]:
    """Words of several phrases that are no names there."""
    count: Counter[str] = Counter()
    names: set[str] = set()
    for line in (line for file in files for line in lines(file)):
        count.update(set(re.findall(r"[a-z]+(?:['-][a-z]+)*", line["words"].lower())))
        given = [one.get("arguments", {}) for way in ways(line["expect"]) if way != "ask" for one in way]
        names |= {word for one in given for word in re.findall(r"[a-z]+", str(one.get("name", "")).lower())}
    return sorted(
        word for word, times in count.items()
        if times >= SEVERAL_TIMES and word not in names and not word.endswith("'s")
    )


def text_of(said: str) -> Text:
    """A text as the reader takes it."""
    return Text.of(heard(said, CONTEXT), CONTEXT)


class Intents(nn.Module):
    """One hidden layer over hashed features; features are dropped at random while it is fitted."""

    def __init__(self, names: Sequence[str], hidden: int = HIDDEN) -> None:
        super().__init__()
        self.names = list(names)
        self.rows = nn.EmbeddingBag(BUCKETS, hidden, mode="sum", sparse=True)
        nn.init.normal_(self.rows.weight, std=0.05)
        self.out = nn.Linear(hidden, len(names))
        self.drop = nn.Dropout(0.5)

    def forward(self, several: Sequence[torch.Tensor]) -> torch.Tensor:
        """Scores [pieces, intents] of pieces by their buckets."""
        sizes = [len(one) for one in several]
        starts = torch.tensor([0, *np.cumsum(sizes)[:-1]])
        root = torch.tensor([max(1.0, size) ** 0.5 for size in sizes])[:, None]
        return self.out(self.drop(torch.relu(self.rows(torch.cat(list(several)), starts) * GAIN / root)))


def buckets(features: frozenset[str]) -> torch.Tensor:
    """The buckets of features, each once."""
    return torch.tensor(sorted({bucket(one, BUCKETS) for one in features}), dtype=torch.long)


def fit_intents(
    examples: Sequence[Example], epochs: int, seed: int = 0, kept: float = 0.6, lr: float = 3e-3
) -> Intents:
    """The network that says the labels of pieces."""
    torch.manual_seed(seed)
    draw = torch.Generator().manual_seed(seed)
    net = Intents(sorted({one.label for one in examples}))
    place = {name: at for at, name in enumerate(net.names)}
    rows = [buckets(one.features) for one in examples]
    labels = torch.tensor([place[one.label] for one in examples])
    weights = torch.tensor([one.weight for one in examples])
    both = (torch.optim.SparseAdam(net.rows.parameters(), lr=lr), torch.optim.Adam(net.out.parameters(), lr=lr))
    for epoch in range(epochs):
        for group in (group for one in both for group in one.param_groups):
            group["lr"] = lr * (1 - epoch / epochs) + 1e-4
        order = torch.randperm(len(rows), generator=draw)
        for start in range(0, len(rows), 64):
            batch = order[start : start + 64]
            some = [rows[at][torch.rand(len(rows[at]), generator=draw) < kept] for at in batch.tolist()]
            loss = nn.functional.cross_entropy(net(some), labels[batch], reduction="none") * weights[batch]
            net.zero_grad()
            loss.mean().backward()
            for one in both:
                one.step()
    return net.eval()


def said_by(net: Intents, several: Sequence[frozenset[str]]) -> np.ndarray:
    """Log probabilities [pieces, labels]."""
    with torch.no_grad():
        return torch.log_softmax(net([buckets(one) for one in several]), 1).numpy() if several else np.zeros((0, 0))


def singles(phrases: Sequence[Phrase]) -> Iterator[Example]:
    """The phrases that mean one command, or that are asked back about; and each denied."""
    for one in phrases:
        found = [sequence[0] for sequence in one.sequences() if len(sequence) == 1]
        if one.asked:
            found.append(ASK)
        for name in found:
            yield Example(one.features(one.whole), name, 1 / len(found))
        if found and not one.asked:
            yield from denied(one)


def denied(one: Phrase) -> Iterator[Example]:
    """A phrase with a denial before it: to be asked about."""
    said = " ".join(word.text for word in one.text.said)
    if not any(word in said.lower() for word in ("not", "n't", "never", "stop", "no ")):
        text = text_of(DENIALS[len(said) % len(DENIALS)] + said)
        yield Example(frozenset(of_clause(*text.piece(*text.bare(0, len(text.said))))), ASK, 0.1)


def divisions(phrase: Phrase, count: int) -> Iterator[list[Span]]:
    """Every way to cut a text into so many pieces, up to a number of ways."""
    text = phrase.text
    for cuts in itertools.islice(itertools.combinations(text.cuts, count - 1), MOST_CUTS):
        starts, stops = (0, *(at + 1 for at in cuts)), (*cuts, len(text.said))
        spans = [text.bare(start, stop) for start, stop in zip(starts, stops, strict=True)]
        if all(start < stop for start, stop in spans):
            yield spans


def settings(phrase: Phrase) -> Iterator[list[Span]]:
    """What is done and how, at each word that may stand between them; either may be the command that comes first."""
    start, stop = phrase.whole
    for at in range(start + 1, stop - 1):
        if phrase.text.said[at].kind in SETTING:
            pair = [(start, at), (at + (phrase.text.said[at].kind != "without"), stop)]
            yield pair
            yield pair[::-1]


@dataclass(frozen=True, slots=True)
class Division:
    """A phrase of several commands, cut."""

    phrase: Phrase
    intents: tuple[str, ...]
    spans: tuple[Span, ...]
    weight: float


def cut(phrases: Sequence[Phrase], net: Intents) -> list[Division]:
    """Each phrase of several commands at its most probable cuts."""
    found = []
    place = {name: at for at, name in enumerate(net.names)}
    for one in phrases:
        several = [sequence for sequence in one.sequences() if len(sequence) > 1]
        for sequence in several:
            spans = list(divisions(one, len(sequence))) or (list(settings(one)) if len(sequence) == 2 else [])
            each = sorted({span for division in spans for span in division})
            sure = dict(zip(each, said_by(net, [one.features(span) for span in each]), strict=True))

            def worth(division: list[Span], sequence: tuple[str, ...] = sequence, sure: Any = sure) -> float:
                return sum(
                    float(sure[span][place[name]]) if name in place else -12.0
                    for span, name in zip(division, sequence, strict=True)
                )

            if spans:
                found.append(Division(one, sequence, tuple(max(spans, key=worth)), 1 / len(several)))
    return found


def pieces(phrases: Sequence[Phrase], divisions_found: Sequence[Division], net: Intents) -> Iterator[Example]:
    """The pieces of what was cut, and, so that others are told from them, what is more or less than a piece."""
    for one in divisions_found:
        for span, name in zip(one.spans, one.intents, strict=True):
            yield Example(one.phrase.features(span), name, one.weight)
            for part in halves(one.phrase, span):
                yield Example(one.phrase.features(part), PART, 0.3 * one.weight)
        for first, last in itertools.combinations(one.spans, 2):
            yield Example(one.phrase.features((first[0], last[1])), SEVERAL, one.weight)
        for first, second in itertools.pairwise(one.spans):
            across = [(part[0], second[1]) for part in halves(one.phrase, first) if part[1] == first[1]]
            across += [(first[0], part[1]) for part in halves(one.phrase, second) if part[0] == second[0]]
            for span in across:
                yield Example(one.phrase.features(span), SEVERAL, 0.3 * one.weight)
    for phrase in phrases:
        names = {sequence[0] for sequence in phrase.sequences()}
        if phrase.ways and all(len(way) == 1 for way in phrase.ways) and names:
            yield from halves_of_one(phrase, names, net)


def halves(phrase: Phrase, span: Span) -> Iterator[Span]:
    """The two parts of a piece at each place where it might be cut."""
    for at in phrase.text.cuts:
        if span[0] < at < span[1]:
            for part in (phrase.text.bare(span[0], at), phrase.text.bare(at + 1, span[1])):
                if part[0] < part[1]:
                    yield part


def halves_of_one(phrase: Phrase, names: set[str], net: Intents) -> Iterator[Example]:
    """Parts of a phrase that means one command: the command and some chat where that is clear, else parts."""
    wanted = [net.names.index(name) for name in names if name in net.names]
    for at in phrase.text.cuts:
        both = [phrase.text.bare(0, at), phrase.text.bare(at + 1, len(phrase.text.said))]
        if any(start >= stop for start, stop in both) or not wanted:
            continue
        sure = said_by(net, [phrase.features(span) for span in both])[:, wanted].max(1)
        for here, other in ((0, 1), (1, 0)):
            named = any(item.type in SAYING for item in phrase.text.piece(*both[here])[1])
            if sure[other] > -0.7 and sure[here] < -1.5 and not named:
                yield Example(phrase.features(both[here]), CHAT, 0.5)
                yield Example(phrase.features(both[other]), sorted(names)[0], 0.5)
                break
        else:
            for span in both:
                yield Example(phrase.features(span), PART, 0.3)


Row = tuple[list[list[str]], list[int]]
"""Ways to fill a slot by their features, and which of them are right."""


class Unfit(Exception):
    """A slot that nothing fills rightly."""


def rows_of(phrase: Phrase, span: Span, name: str, wanted: Mapping[str, Any], lost: Counter[str]) -> list[Row]:
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
    if VERBOSE:
        print("  unfit", reason, "|", " ".join(word.text for word in phrase.text.said[slice(*span)]), "|", wanted.get("arguments"))  # fmt: skip
    return []


VERBOSE = False


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


KEYS = {"value": ("to", "by"), "long": ("over", "end"), "many": ("dials",), "tensors": ("tensors", "only_matrices"), "with": ("with",)}  # fmt: skip


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
            start = given.get("start", 0)
            long = given.pop("steps", 0) - (start if name == "rule:cosine" else 0)
            given = {**given, "start": start, "over": long}
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


def fit(phrases: Sequence[Phrase], epochs: int = 30) -> dict[str, Any]:
    """All weights, as they are kept."""
    one = list(singles(phrases))
    net = fit_intents(one, epochs=12)
    for last in (False, True):
        found = cut(phrases, net)
        examples = one + list(pieces(phrases, found, net))
        net = fit_intents(examples, epochs=epochs if last else 12)
    lost: Counter[str] = Counter()
    rows: list[Row] = []
    for phrase in phrases:
        for way in phrase.ways[:2]:
            if len(way) == 1 and (name := intent_of(way[0]["command"], way[0].get("arguments", {}))) in INTENTS:
                rows += rows_of(phrase, phrase.whole, name, way[0], lost)
    for division in found:
        way = next(w for w in division.phrase.ways if tuple(intent_of(c["command"], c.get("arguments", {})) for c in w) == division.intents)  # fmt: skip
        for span, name, wanted in zip(division.spans, division.intents, way, strict=True):
            rows += rows_of(division.phrase, span, name, wanted, lost)
    print(
        f"{len(phrases)} phrases, {len(examples)} pieces, {len(rows)} slots; not to be said by slots: {sum(lost.values())}"
    )
    print("  ", lost.most_common(12))
    nets = [net, *(fit_intents(examples, epochs, seed) for seed in range(1, NETS))]
    return packed(nets, fit_fillers(rows))


def packed(nets: Sequence[Intents], fillers: np.ndarray) -> dict[str, Any]:
    """Weights as bytes, with a scale for each column; several networks side by side as one that says their mean."""
    rows = np.concatenate([net.rows.weight.detach().numpy() for net in nets], 1)
    out = np.concatenate([net.out.weight.detach().numpy().T for net in nets]) / len(nets)
    bias = np.mean([net.out.bias.detach().numpy() for net in nets], 0)
    scale = np.abs(rows).max(0) / 127
    fillers_scale = float(np.abs(fillers).max() / 127)
    return {
        "intents": np.array(nets[0].names),
        "hidden": np.round(rows / scale).astype(np.int8),
        "scale": scale.astype(np.float32),
        "out": out.astype(np.float16),
        "bias": bias.astype(np.float32),
        "fillers": np.round(fillers / fillers_scale).astype(np.int8),
        "fillers_scale": np.float32(fillers_scale),
    }


def main() -> None:
    """Fits to the files that are named, and writes the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "ontogeny" / "steer" / "phrases" / FILE)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--verbose", action="store_true", help="print what slots cannot say")
    given = parser.parse_args()
    global VERBOSE
    VERBOSE = given.verbose
    torch.set_num_threads(1)
    file = ROOT / "ontogeny" / "steer" / "phrases" / known.FILE
    file.write_text("\n".join(textwrap.wrap(" ".join(vocabulary(given.files)), 118)) + "\n", encoding="utf-8")
    known.known_words.cache_clear()
    kept = fit(read(given.files), given.epochs)
    np.savez_compressed(given.out, **kept)
    print(json.dumps({"file": str(given.out), "bytes": given.out.stat().st_size}))


if __name__ == "__main__":
    main()
