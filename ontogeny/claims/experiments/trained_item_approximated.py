"""A trained item is only approximated: windows of text continued from their first half, as they were or not."""

from __future__ import annotations

import torch

from ontogeny.ask.recall import Recall, recall
from ontogeny.claims.claim import Claim, Expectation, Form, Measured, Series
from ontogeny.claims.tasks.text import GPT, codes, loss, windows
from ontogeny.claims.tasks.trained import run_of
from ontogeny.front.rules import adamw

CONTEXT, BATCH, RATE = 64, 16, 3e-3
ASKED = 96


def measure(seed: int, *, little: int, much: int, width: int, steps: int, asked: int, depth: int = 2) -> Measured:
    """The same network, steps and batches on `little` characters, and on `much`."""
    figures, lines = dict[str, float](), list[Series]()
    for name, characters in (("little", little), ("much", much)):
        torch.manual_seed(seed)
        found = trained(seed, characters, GPT(width, depth), steps, asked)
        last = found[-1]
        assert last.continued is not None and last.baseline is not None
        figures |= {
            f"exact_{name}": float(last.continued.exact.mean()),
            f"tokens_{name}": float(last.continued.matched.mean()),
            f"held_out_{name}": float(last.baseline.exact.mean()),
            f"times_seen_{name}": float(last.seen.mean()),
        }
        exact = [float(one.continued.exact.mean()) for one in found if one.continued is not None]
        lines.append(Series(f"trained on {characters:,} characters", [float(one.step) for one in found], exact))
    return Measured(figures, tuple(lines))


def trained(seed: int, characters: int, model: GPT, steps: int, asked: int) -> list[Recall]:
    """What is had back of the windows of so many characters, `asked` times on the way, the last after all steps."""
    learnt, held_out = codes()
    train, valid = windows(learnt[: characters + 1], CONTEXT, CONTEXT), windows(held_out, CONTEXT, CONTEXT)
    valid = {name: array[:: len(array) // ASKED][:ASKED] for name, array in valid.items()}
    rule = adamw(lr=RATE, weight_decay=0.1)
    with run_of(model, loss, rule, train, valid, seed=seed, batch_size=BATCH) as run:
        found = []
        for turn in range(asked):
            run.advance((turn + 1) * steps // asked - run.step)
            found.append(recall(run, most=ASKED, continued=ASKED))
    return found


CLAIM = Claim(
    name="trained-item-approximated",
    sentence="Parameters are a mix of the training data, and even an item that was trained on is only approximated.",
    how="A character model learns windows of 64 characters, none of which overlap, of little text and of much, with "
    "as many steps. Then it is given the first 32 characters of windows that it was trained on, and goes on by itself, "
    "the likeliest character each time. An item is reproduced where the next 33 are exactly those of the text.",
    measure=measure,
    expects=(
        Expectation("exact_much", "<=", 0.05, "of much text, at most one item of twenty comes back exactly", (0, 1)),
        Expectation(
            "exact_little", "<=", 0.5, "of little text, seen much more often, at most half of the items do", (0, 1)
        ),
        Expectation("held_out_little", "<=", 0.01, "what was not trained on does not come back", (0, 1)),
    ),
    quick=Form((0, 1), 4.0, {"little": 1100, "much": 2200, "width": 16, "steps": 6, "asked": 1, "depth": 1}),
    full=Form((0, 1, 2), 60.0, {"little": 6000, "much": 60_000, "width": 64, "steps": 600, "asked": 3}),
    limits="One small network and greedy continuation. As many steps are ten passes over the much text, after which "
    "the network is far from trained out (12% of the characters it goes on with are right), so that what holds there "
    "says little of longer training. What comes back exactly is still stored as probabilities: other ways of asking, "
    "or sampling, may give something else. The text depends on the version of Python.",
    axes=("step", "share of trained items continued exactly"),
    source="the one who asked for this project",
)
