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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from phrase_files import ROOT, Example, Phrase, Span, intents_of, read, text_of, vocabulary
from phrase_nets import Labels, fit_labels, said_by
from phrase_slots import Row, carried, fit_fillers, rows_of

from ontogeny.steer.phrases import known
from ontogeny.steer.phrases.network import FILE
from ontogeny.steer.phrases.said.intents import INTENTS
from ontogeny.steer.phrases.weighed import ASK, CHAT, PART, SAYING, SETTING, SEVERAL, WHOLE

NETS, KINDS = 3, 32
PARTLY = 0.3
"""How much what is no clause counts beside what is one."""
MOST_CUTS = 600
DENIALS = ("don't ", "do not ", "never ", "please don't ", "don't you dare ")


def singles(phrases: Sequence[Phrase]) -> Iterator[Example]:
    """The phrases that mean one command, or that are asked back about; and each denied."""
    for one in phrases:
        found = [sequence[0] for sequence in one.sequences() if len(sequence) == 1]
        if one.asked:
            found.append(ASK)
        for name in found:
            yield one.piece(one.whole, name, 1 / len(found))
        if found and not one.asked:
            yield from denied(one)


def denied(one: Phrase) -> Iterator[Example]:
    """A phrase with a denial before it: to be asked about."""
    said = " ".join(word.text for word in one.text.said)
    if not any(word in said.lower() for word in ("not", "n't", "never", "stop", "no ")):
        text = text_of(DENIALS[len(said) % len(DENIALS)] + said)
        whole = Phrase(text, [], True)
        yield whole.piece(whole.whole, ASK, 0.1)


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
    set_apart: bool
    """Whether what separates stands between its pieces; else they are what is done and how, in one clause."""


def cut(phrases: Sequence[Phrase], net: Labels, kinds: Labels | None) -> list[Division]:
    """Each phrase of several commands at its most probable cuts."""
    found = []
    place = {name: at for at, name in enumerate(net.names)}
    for one in phrases:
        several = [sequence for sequence in one.sequences() if len(sequence) > 1]
        for sequence in several:
            apart = list(divisions(one, len(sequence)))
            spans = apart or (list(settings(one)) if len(sequence) == 2 else [])
            each = sorted({span for division in spans for span in division})
            sure = dict(zip(each, said_by(net, [one.piece(span) for span in each]), strict=True))
            whole = whole_by(kinds, one, each)

            def worth(
                division: list[Span], sequence: tuple[str, ...] = sequence, sure: Any = sure, whole: Any = whole
            ) -> float:
                return sum(
                    whole[span] + (float(sure[span][place[name]]) if name in place else -12.0)
                    for span, name in zip(division, sequence, strict=True)
                )

            if spans:
                found.append(Division(one, sequence, tuple(max(spans, key=worth)), 1 / len(several), bool(apart)))
    return found


def whole_by(kinds: Labels | None, phrase: Phrase, each: Sequence[Span]) -> dict[Span, float]:
    """How probably each piece is a clause; before that is known, each is."""
    if kinds is None or not each:
        return dict.fromkeys(each, 0.0)
    sure = said_by(kinds, [phrase.piece(span) for span in each])[:, kinds.names.index(WHOLE)]
    return dict(zip(each, sure.tolist(), strict=True))


def named(phrases: Sequence[Phrase], found: Sequence[Division]) -> Iterator[Example]:
    """What clauses are meant to do: texts of one clause, and the pieces of what was cut."""
    yield from singles(phrases)
    for one in found:
        for span, name in zip(one.spans, one.intents, strict=True):
            yield one.phrase.piece(span, name, one.weight)


def kinds_of(phrases: Sequence[Phrase], found: Sequence[Division], net: Labels) -> Iterator[Example]:
    """What is a clause and what is more, or less; of texts that may be cut."""
    for one in found:
        whole = (min(start for start, _ in one.spans), max(stop for _, stop in one.spans))
        for span in one.spans if one.set_apart else [whole]:
            yield one.phrase.piece(span, WHOLE, one.weight)
            for part in halves(one.phrase, span):
                yield one.phrase.piece(part, PART, PARTLY * one.weight)
        for span in several(one) if one.set_apart else ():
            yield one.phrase.piece(span, SEVERAL, PARTLY * one.weight)
    for phrase in phrases:
        names = {sequence[0] for sequence in phrase.sequences() if len(sequence) == 1}
        if (names or phrase.asked) and all(len(way) == 1 for way in phrase.ways) and phrase.text.cuts:
            yield phrase.piece(phrase.whole, WHOLE)
            yield from halves_of_one(phrase, names, net)


def several(one: Division) -> Iterator[Span]:
    """Stretches of more than one piece: of several, and of one and a part of its neighbour."""
    for first, last in itertools.combinations(one.spans, 2):
        yield first[0], last[1]
    for first, second in itertools.pairwise(one.spans):
        yield from ((part[0], second[1]) for part in halves(one.phrase, first) if part[1] == first[1])
        yield from ((first[0], part[1]) for part in halves(one.phrase, second) if part[0] == second[0])


def halves(phrase: Phrase, span: Span) -> Iterator[Span]:
    """The two parts of a piece at each place where it might be cut."""
    for at in phrase.text.cuts:
        if span[0] < at < span[1]:
            for part in (phrase.text.bare(span[0], at), phrase.text.bare(at + 1, span[1])):
                if part[0] < part[1]:
                    yield part


def halves_of_one(phrase: Phrase, names: set[str], net: Labels) -> Iterator[Example]:
    """Parts of a phrase that means one command: the command and some chat where that is clear, else parts."""
    wanted = [net.names.index(name) for name in names or {ASK} if name in net.names]
    for at in phrase.text.cuts:
        both = [phrase.text.bare(0, at), phrase.text.bare(at + 1, len(phrase.text.said))]
        if any(start >= stop for start, stop in both) or not wanted:
            continue
        sure = said_by(net, [phrase.piece(span) for span in both])[:, wanted].max(1)
        for here, other in ((0, 1), (1, 0)):
            told = any(item.type in SAYING for item in phrase.text.piece(*both[here])[1])
            if sure[other] > -0.7 and sure[here] < -1.5 and not told:
                yield phrase.piece(both[here], CHAT, 0.5)
                yield phrase.piece(both[other], WHOLE, 0.5)
                break
        else:
            for span in both:
                yield phrase.piece(span, PART, PARTLY)


def fit(phrases: Sequence[Phrase], epochs: int, verbose: bool) -> dict[str, Any]:
    """All weights, as they are kept."""
    net, kinds = fit_labels(list(singles(phrases)), epochs=12), None
    for last in (False, True):
        found = cut(phrases, net, kinds)
        examples = list(named(phrases, found))
        net = fit_labels(examples, epochs=epochs if last else 12)
        spans = list(kinds_of(phrases, found, net))
        kinds = fit_labels(spans, epochs=epochs if last else 12, hidden=KINDS)
    rows = slots(phrases, found, verbose)
    print(f"{len(phrases)} phrases, {len(examples)} clauses, {len(spans)} pieces, {len(rows)} slots")
    nets = [net, *(fit_labels(examples, epochs, seed) for seed in range(1, NETS))]
    both = [kinds, *(fit_labels(spans, epochs, seed, hidden=KINDS) for seed in range(1, NETS))]
    return packed({"intents": nets, "kinds": both}, fit_fillers(rows))


def slots(phrases: Sequence[Phrase], found: Sequence[Division], verbose: bool) -> list[Row]:
    """What fills the slots of every clause."""
    lost: Counter[str] = Counter()
    rows: list[Row] = []
    for phrase in phrases:
        for way in phrase.ways[:2]:
            if len(way) == 1 and (name := intents_of(way)[0]) in INTENTS:
                rows += rows_of(phrase, phrase.whole, name, way[0], lost, verbose)
    for division in found:
        way = next(way for way in division.phrase.ways if intents_of(way) == division.intents)
        taken, left = carried(division.phrase, division.spans, division.intents, way)
        rows += taken
        for span, name, wanted in zip(division.spans, division.intents, left, strict=True):
            rows += rows_of(division.phrase, span, name, wanted, lost, verbose)
    print(f"not to be said by slots: {sum(lost.values())}; {lost.most_common(12)}")
    return rows


def packed(layers: Mapping[str, Sequence[Labels]], fillers: np.ndarray) -> dict[str, Any]:
    """Weights as bytes, with a scale for each column; several networks side by side as one that says their mean."""
    kept: dict[str, Any] = {}
    for name, nets in layers.items():
        rows = np.concatenate([net.rows.weight.detach().numpy() for net in nets], 1)
        out = np.concatenate([net.out.weight.detach().numpy().T for net in nets]) / len(nets)
        scale = np.abs(rows).max(0) / 127
        kept |= {
            name: np.array(nets[0].names),
            f"{name}_hidden": np.round(rows / scale).astype(np.int8),
            f"{name}_scale": scale.astype(np.float32),
            f"{name}_out": out.astype(np.float16),
            f"{name}_bias": np.mean([net.out.bias.detach().numpy() for net in nets], 0).astype(np.float32),
        }
    fillers_scale = float(np.abs(fillers).max() / 127)
    return {
        **kept,
        "fillers": np.round(fillers / fillers_scale).astype(np.int8),
        "fillers_scale": np.float32(fillers_scale),
    }


def main() -> None:
    """Fits to the files that are named, and writes the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "ontogeny" / "steer" / "phrases" / FILE)
    parser.add_argument("--epochs", type=int, default=20)
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
