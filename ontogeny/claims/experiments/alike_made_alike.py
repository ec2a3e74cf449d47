"""Parameters correlated in shape share a generation function: pairs of like charts, and what made each of the two."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ontogeny.ask.alike import alike
from ontogeny.ask.by_example import by_example_apart
from ontogeny.ask.explain import explain
from ontogeny.ask.ledger import ROUNDING
from ontogeny.ask.series import shapes, span
from ontogeny.claims.claim import Claim, Expectation, Form, Measured, Series
from ontogeny.claims.tasks import modular
from ontogeny.claims.tasks.digits import digits
from ontogeny.claims.tasks.losses import of_examples
from ontogeny.claims.tasks.trained import run_of
from ontogeny.front.rules import adamw
from ontogeny.record.run import Run
from ontogeny.record.trace.traces import Window, element, shown

AT_LEAST, NEAREST, EVERY = 0.95, 16, 10
SHARE = 0.7
BINS = np.linspace(-1, 1, 11)
Floats = npt.NDArray[np.float64]
Pair = tuple[str, str]


def measure(seed: int, *, pairs: int, steps: int, around: int, prime: int, count: int) -> Measured:
    """Both tasks; cosines of explanations, of pairs that are alike and of pairs that are not chosen for that."""
    figures, lines = dict[str, float](), list[Series]()
    for name, task in {"addition": addition(seed, prime), "digits": images(seed, count)}.items():
        with task as run:
            run.advance(steps)
            window = learning(run, around)
            chosen = drawn(run, window, pairs, np.random.default_rng(seed))
            made = Made.of(run, window, {one for three in chosen for one in three})
        like = [(query, match) for query, match, _ in chosen]
        other = [(query, beside) for query, _, beside in chosen]
        figures |= {
            f"by_example_{name}": made.mean(made.examples, like),
            f"by_example_random_{name}": made.mean(made.examples, other, np.abs),
            f"by_term_{name}": made.mean(made.terms, like),
            f"by_term_random_{name}": made.mean(made.terms, other),
        }
        figures[f"gain_{name}"] = figures[f"by_example_{name}"] - figures[f"by_example_random_{name}"]
        lines.append(Series(name, *made.curve()))
    return Measured(figures, tuple(lines))


@contextmanager
def addition(seed: int, prime: int) -> Iterator[Run]:
    """Addition modulo a prime by a transformer, from all pairs that it learns from at each step."""
    torch.manual_seed(seed)
    train, valid = modular.pairs(prime, SHARE, seed)
    rule, model = adamw(1e-2, betas=(0.9, 0.98), weight_decay=1.0), modular.by_fan_in(modular.Transformer(prime))
    batch = len(train["x"])
    with run_of(model, modular.loss, rule, train, valid, seed=seed, batch_size=batch, evaluate_every=EVERY) as run:
        yield run


@contextmanager
def images(seed: int, count: int) -> Iterator[Run]:
    """Digits by a perceptron, from so many images, all of them at each step."""
    torch.manual_seed(seed)
    train, valid = digits(seed, count)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    rule = adamw(1e-2, weight_decay=0.1)
    with run_of(model, of_examples, rule, train, valid, seed=seed, batch_size=count, evaluate_every=EVERY) as run:
        yield run


def learning(run: Run, around: int) -> Window:
    """The steps before and after half of what is held out was first right, as far as they were taken."""
    rows = run.evaluations()
    middle = next((int(row["step"]) for row in rows if row["accuracy"] >= 0.5), run.step // 2)
    first = min(max(1, middle - around), run.step + 1 - 2 * around)
    return Window(first, first + 2 * around)


def drawn(run: Run, window: Window, count: int, rng: np.random.Generator) -> list[tuple[str, str, str]]:
    """Elements at random, each with one whose chart is alike, and one that is not chosen for that.

    All three are of one tensor; the third is drawn from those whose updates vary most nearly as much as the second's.
    """
    tensors = run.traces.tensors
    names, sizes = list(tensors), np.array([one.size for one in tensors.values()])
    homes = np.repeat(np.arange(len(names)), sizes)
    places = np.concatenate([np.arange(size) for size in sizes])
    found = list[tuple[str, str, str]]()
    for at in rng.permutation(len(homes)):
        name, place = names[homes[at]], int(places[at])
        energy = energies(run, name, window)
        if not energy[place]:
            continue
        answer = alike(run, shown(tensors[name], place), AT_LEAST, window=window)
        matches = answer.elements - answer.starts[name]
        matches = matches[(matches >= 0) & (matches < len(energy))]
        if not len(matches):
            continue
        match = int(rng.choice(matches))
        gap = np.abs(np.log(np.maximum(energy, 1e-300)) - np.log(energy[match]))
        gap[[place, match]] = np.inf
        beside = int(rng.choice(np.argsort(gap)[:NEAREST]))
        found.append((shown(tensors[name], place), shown(tensors[name], match), shown(tensors[name], beside)))
        if len(found) == count:
            break
    return found


def energies(run: Run, name: str, window: Window) -> Floats:
    """How much the updates of each element of a tensor vary over a window."""
    over = span(run.traces, window=window)
    _, values = run.traces.lines(name, np.arange(run.traces.tensors[name].size), over.states)
    return np.asarray(over.series(values).var(axis=0))


@dataclass(frozen=True)
class Made:
    """What made some elements: by name the parts of `examples`, of the `terms` of the rule, and the chart's shape."""

    examples: Mapping[str, Floats]
    terms: Mapping[str, Floats]
    charts: Mapping[str, Floats]

    @staticmethod
    def of(run: Run, window: Window, names: set[str]) -> Made:
        """Explained over the window."""
        asked = sorted(names)
        parts = by_example_apart(run, asked, window)
        told = explain(run, asked, window)
        kept = [place for place, line in enumerate(told.ledger.lines) if line.kind != ROUNDING]
        over = span(run.traces, window=window)
        charts = {}
        for name in asked:
            tensor, place = element(run.traces, name)
            charts[name] = shapes(over.series(run.traces.lines(tensor, [place], over.states)[1]))[0][:, 0]
        return Made(
            {name: np.array([one.part for one in found.examples]) for name, found in parts.items()},
            {one.name: np.array(one.sums)[kept] for one in told.members},
            charts,
        )

    def mean(
        self, of: Mapping[str, Floats], pairs: list[Pair], size: Callable[[Floats], Floats] = lambda cosines: cosines
    ) -> float:
        """The mean cosine of some pairs; none where there is no pair."""
        return float(np.mean(size(np.array([cosine(of[one], of[other]) for one, other in pairs]))))

    def curve(self) -> tuple[list[float], list[float]]:
        """The correlation of charts, and the mean cosine by example, of all pairs of one tensor."""
        found = [
            (cosine(self.charts[one], self.charts[other]), cosine(self.examples[one], self.examples[other]))
            for one in self.charts
            for other in self.charts
            if one < other and one.split("[")[0] == other.split("[")[0]
        ]
        charts, examples = np.array(found).T
        within = np.clip(np.digitize(charts, BINS) - 1, 0, len(BINS) - 2)
        there = sorted(set(within.tolist()))
        return [float(charts[within == one].mean()) for one in there], [
            float(examples[within == one].mean()) for one in there
        ]


def cosine(one: Floats, other: Floats) -> float:
    """0 where one of them is nothing."""
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / size if size else 0.0


CLAIM = Claim(
    name="alike-made-alike",
    sentence="Parameters correlated in shape share a generation function.",
    how="A transformer learns addition modulo 31 and a perceptron digits, by AdamW on all examples at each step. Over "
    "the steps around which it learns most, parameters are drawn, each with one of the same tensor whose updates "
    "correlate with its own by 0.95 or more, and one whose updates only vary as much. What each training "
    "example gave to a parameter, in all of these steps, is its explanation: two are compared by the cosine of it.",
    measure=measure,
    expects=(
        Expectation("by_example_addition", ">=", 0.8, "like charts in addition have the same examples behind them"),
        Expectation("by_example_digits", ">=", 0.8, "and so have like charts in digits"),
        Expectation("gain_addition", ">=", 0.3, "more so in addition than pairs that are not alike, of either sign"),
        Expectation("gain_digits", ">=", 0.3, "and in digits"),
    ),
    quick=Form((0,), 4.0, {"pairs": 3, "steps": 12, "around": 2, "prime": 7, "count": 40}),
    full=Form((0, 1, 2, 3, 4), 60.0, {"pairs": 24, "steps": 120, "around": 30, "prime": 31, "count": 300}),
    limits="Parts by step correlate because the charts do, so they are not compared; since every example is in every "
    "step, a like chart says nothing of itself about parts by example. By term of the rule (by_term: decay, carried "
    "momentum, fresh gradient, in sum over the steps) like charts agree far more than others; part of that is there "
    "because they go the same way. What momentum carried over is not divided by example. Two small networks, AdamW.",
    axes=("correlation of two parameters' updates", "cosine of their parts by example"),
    source="the one who asked for this project",
)
