"""Models that write circuits: what they learn from, with labels of all circuits, some or none, and their answers.

The label of a circuit is its truth table, in front of its gates. Whole classes of functions are held out, so that no
circuit that a model saw computes a held-out function, not even with its inputs in another order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ontogeny.claims.tasks.asked import Tried, asked, right, tried, tried_on_all
from ontogeny.claims.tasks.designs import Designs, classes, designs
from ontogeny.claims.tasks.text import GPT
from ontogeny.claims.tasks.trained import run_of
from ontogeny.data.base import Array
from ontogeny.evolve.circuits.spelling import Spelling
from ontogeny.front.rules import Rule, muon
from ontogeny.front.rules.schedule import cosine, warmup
from ontogeny.record.run import Run

Named = dict[str, Array]
SPELLING = Spelling(inputs=3, gates=10)
EACH, HELD_OUT, BATCH = 64, 0.2, 128


@dataclass(frozen=True, slots=True)
class Loss:
    """Cross entropy of what follows the label, in nats for a place, and how often the likeliest is right there."""

    cases: int

    def __call__(self, model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Of a batch x, y i64[batch, context]."""
        scores, after = model(batch["x"])[:, self.cases - 1 :], batch["y"][:, self.cases - 1 :]
        accuracy = (scores.argmax(-1) == after).float().mean()
        return {"loss": F.cross_entropy(scores.flatten(0, 1), after.flatten()), "accuracy": accuracy}


def rule(steps: int) -> Rule:
    """Muon that warms up and is cooled over so many steps. AdamW at 4e-3 was far behind it: see LOG.md."""
    return muon(lr=0.02, adam_lr=4e-3, weight_decay=0.1).with_schedule(warmup(50, cosine(steps, 0.05)))


def model(width: int, depth: int, spelling: Spelling = SPELLING) -> nn.Module:
    """A transformer that reads and writes the symbols of a spelling."""
    return GPT(width, depth, spelling.context, 4, spelling.symbols)


def split(inputs: int, known: Designs, share: float, seed: int) -> tuple[list[int], list[int]]:
    """Functions to learn from, and those held out: this share of the classes, drawn by the seed."""
    every = np.random.default_rng(seed).permutation(sorted(classes(inputs)))
    held = {int(least) for least in every[: round(share * len(every))]}
    found: tuple[list[int], list[int]] = ([], [])
    for least, members in classes(inputs).items():
        found[least in held].extend(function for function in members if function in known)
    return found


def examples(spelling: Spelling, known: Designs, functions: Sequence[int], share: float, each: int, seed: int) -> Named:
    """Sequences of circuits, x, y i64[n, context], of which this share, drawn by the seed, has its label.

    Every function is there `each` times, its circuits over and over. Where some have a label and some have none, all
    come without, and beside them as many sequences of those that have one.
    """
    lots = np.random.default_rng(seed)
    plain = {function: known[function] for function in functions}
    labelled = {function: [one for one in found if lots.random() < share] for function, found in plain.items()}
    parts = [_sequences(spelling, plain, each, False)] if share < 1 else []
    if any(labelled.values()):
        with_label = _sequences(spelling, labelled, each, True)
        parts.append(with_label[np.arange(len(parts[0])) % len(with_label)] if parts else with_label)
    whole = np.concatenate(parts)
    return {"x": whole[:, :-1].copy(), "y": whole[:, 1:].copy()}


def _sequences(spelling: Spelling, known: Designs, each: int, labelled: bool) -> Array:
    functions = [function for function, found in known.items() if found for _ in range(each)]
    circuits = [found[turn % len(found)] for found in known.values() if found for turn in range(each)]
    prompts = spelling.prompts([function if labelled else None for function in functions])
    return np.concatenate([prompts, spelling.spelt(circuits)], axis=1)


@dataclass(frozen=True, slots=True)
class Size:
    """How large an experiment is.

    Designs are found among `draws` random circuits and by `tries` of a search; a model of this width and depth learns
    for so many steps, and is asked for so many functions of either kind, `trials` times each; `pool` circuits are
    written unasked.
    """

    draws: int
    tries: int
    steps: int
    width: int
    depth: int
    functions: int
    trials: int
    pool: int

    @property
    def known(self) -> Designs:
        """The designs."""
        return designs(SPELLING.inputs, SPELLING.gates, EACH, self.draws, self.tries)


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model answered, by which functions were asked for ("seen", "unseen"), and what came likeliest first.

    `smallest` are the gates of the smallest circuits known of them, f64[functions].
    """

    tried: Mapping[str, Tried]
    likeliest: Mapping[str, float]
    smallest: Mapping[str, Array]


def parts(size: Size, seed: int) -> dict[str, list[int]]:
    """The functions to learn from, and those held out."""
    return dict(zip(("seen", "unseen"), split(SPELLING.inputs, size.known, HELD_OUT, seed), strict=True))


def asked_for(size: Size, seed: int) -> dict[str, list[int]]:
    """Those of either that a model is asked for, drawn by the seed."""
    lots = np.random.default_rng(seed)
    return {name: lots.permutation(part)[: size.functions].tolist() for name, part in parts(size, seed).items()}


@contextmanager
def trained(size: Size, share: float, seed: int) -> Iterator[Run]:
    """A run that has learned from circuits of which this share is labelled. It is gone when the block ends."""
    seen, unseen = parts(size, seed).values()
    train = examples(SPELLING, size.known, seen, share, EACH, seed)
    valid = examples(SPELLING, size.known, unseen, float(share > 0), 4, seed)
    torch.manual_seed(seed)
    judged, learned = Loss(SPELLING.cases), model(size.width, size.depth)
    with run_of(learned, judged, rule(size.steps), train, valid, seed=seed, batch_size=BATCH) as run:
        run.advance(size.steps)
        yield run


@cache
def answers(size: Size, share: float, seed: int) -> Answers:
    """Answers of a model that learned from circuits of which this share is labelled.

    Without labels it writes circuits as it likes, and all are tried for every function.
    """
    inputs, chosen = SPELLING.inputs, asked_for(size, seed)
    smallest = {name: np.array([len(size.known[one][0]) for one in part], float) for name, part in chosen.items()}
    with trained(size, share, seed) as run:
        if not share:
            written = asked(run.learner, SPELLING, [None] * size.pool, seed=seed)
            return Answers({name: tried_on_all(inputs, written, part) for name, part in chosen.items()}, {}, smallest)
        found = {name: tried(run.learner, SPELLING, part, size.trials, seed) for name, part in chosen.items()}
        first = {name: asked(run.learner, SPELLING, part, 0.0) for name, part in chosen.items()}
    likeliest = {name: float(right(inputs, first[name], part).mean()) for name, part in chosen.items()}
    return Answers(found, likeliest, smallest)
