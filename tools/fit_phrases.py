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
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from phrase_files import ROOT, Example, Phrase, Span, intents_of, read, text_of, vocabulary
from phrase_slots import Row, fit_fillers, rows_of
from torch import nn

from ontogeny.steer.phrases import known
from ontogeny.steer.phrases.features import bucket, of_clause
from ontogeny.steer.phrases.network import FILE, GAIN
from ontogeny.steer.phrases.said.intents import INTENTS
from ontogeny.steer.phrases.weighed import ASK, CHAT, PART, SAYING, SETTING, SEVERAL

BUCKETS, HIDDEN, NETS = 1 << 14, 48, 3
MOST_CUTS = 600
DENIALS = ("don't ", "do not ", "never ", "please don't ", "don't you dare ")


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


def fit(phrases: Sequence[Phrase], epochs: int, verbose: bool) -> dict[str, Any]:
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
            if len(way) == 1 and (name := intents_of(way)[0]) in INTENTS:
                rows += rows_of(phrase, phrase.whole, name, way[0], lost, verbose)
    for division in found:
        way = next(way for way in division.phrase.ways if intents_of(way) == division.intents)
        for span, name, wanted in zip(division.spans, division.intents, way, strict=True):
            rows += rows_of(division.phrase, span, name, wanted, lost, verbose)
    print(f"{len(phrases)} phrases, {len(examples)} pieces, {len(rows)} slots")
    print(f"not to be said by slots: {sum(lost.values())}; {lost.most_common(12)}")
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
    torch.set_num_threads(1)
    file = ROOT / "ontogeny" / "steer" / "phrases" / known.FILE
    file.write_text("\n".join(textwrap.wrap(" ".join(vocabulary(given.files)), 118)) + "\n", encoding="utf-8")
    known.known_words.cache_clear()
    kept = fit(read(given.files), given.epochs, given.verbose)
    np.savez_compressed(given.out, **kept)
    print(json.dumps({"file": str(given.out), "bytes": given.out.stat().st_size}))


if __name__ == "__main__":
    main()
