"""Looping buys depth without parameters: a block gone through several times, beside other uses of as many."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from ontogeny.claims.claim import Claim, Expectation, Form, Measured, Series
from ontogeny.claims.tasks.automaton import loss, rings
from ontogeny.claims.tasks.trained import run_of
from ontogeny.front.rules import adamw
from ontogeny.isa.cost import routine_cost
from ontogeny.isa.program import Program
from ontogeny.train.neurons.attention import Attention
from ontogeny.train.neurons.convolution import Convolution
from ontogeny.train.neurons.looped import Looped, Stacked
from ontogeny.train.neurons.one_use import OneUse

CELLS, RULE, STEPS_AHEAD, WIDTH = 20, 110, 5, 16
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "looped": lambda: Looped(WIDTH, STEPS_AHEAD),
    "one_pass": lambda: Looped(WIDTH, 1),
    "stacked": lambda: Stacked(WIDTH, STEPS_AHEAD),
    "convolution": lambda: Convolution(85, STEPS_AHEAD),
    "attention": lambda: Attention(CELLS, 12, 3),
    "one_use": lambda: OneUse(CELLS, 26),
}
"""About 1,100 parameters each, but for `stacked`, whose blocks have each their own."""


def measure(seed: int, *, steps: int, networks: Sequence[str] = tuple(NETWORKS)) -> Measured:
    """These networks on the same rings after as many steps: accuracy, parameters, and uses of one for an example."""
    figures: dict[str, float] = {}
    lines = []
    for name in networks:
        found, line = learned(seed, steps, NETWORKS[name])
        figures.update({f"{name}_{what}": value for what, value in found.items()})
        lines.append(Series(name.replace("_", " "), *line))
    figures["over_one_pass"] = figures["looped_accuracy"] - figures["one_pass_accuracy"]
    figures["behind_stacked"] = figures["stacked_accuracy"] - figures["looped_accuracy"]
    figures["parameters_saved"] = figures["stacked_parameters"] / figures["looped_parameters"]
    return Measured(figures, tuple(lines))


def learned(seed: int, steps: int, made: Callable[[], nn.Module]) -> tuple[dict[str, float], tuple[list[float], ...]]:
    """The figures of one network, and its accuracy on held-out rings by step."""
    train, valid = rings(seed, 1024, 1024, CELLS, RULE, STEPS_AHEAD)
    torch.manual_seed(seed)
    model, rule = made(), adamw(lr=0.005, weight_decay=0.0)
    with run_of(model, loss, rule, train, valid, seed=seed, batch_size=64, evaluate_every=max(10, steps // 10)) as run:
        run.advance(steps)
        rows = run.evaluations()
        found = {"accuracy": float(rows[-1]["accuracy"]), **usage(run.program)}
    return found, ([float(row["step"]) for row in rows], [float(row["accuracy"]) for row in rows])


def usage(program: Program) -> dict[str, float]:
    """How many parameters a program has, and how often one is used for an example, in the mean over them."""
    sizes = {decl.name: decl.type.size for decl in program.named_params()}
    uses = routine_cost(program, "predict").uses
    total = sum(sizes.values())
    return {"parameters": float(total), "uses": sum(uses[name] * size for name, size in sizes.items()) / total}


CLAIM = Claim(
    name="looping-buys-depth",
    sentence="Looping buys depth without parameters.",
    how="What a ring of 20 cells will be after five steps of rule 110, learned from 1,024 rings, in as many steps of "
    "AdamW, by: one block of 1,105 parameters gone through five times; the same gone through once; five such blocks, "
    "each with its own; and a convolution that sees as far, attention, and a layer whose every weight is used once for "
    "an example, with as many parameters as one block. `looped_uses` and so on say how often a parameter is used.",
    measure=measure,
    expects=(
        Expectation("over_one_pass", ">=", 0.2, "looping gets at least 20 points more held-out cells right"),
        Expectation("behind_stacked", "<=", 0.02, "and is at most 2 points behind blocks of their own"),
        Expectation("parameters_saved", ">=", 4.0, "with at most a quarter of their parameters"),
    ),
    quick=Form((0, 1), 2.0, {"steps": 10, "networks": ["looped", "one_pass", "stacked"]}),
    full=Form((0, 1, 2, 3, 4), 20.0, {"steps": 1000}),
    limits="A task whose answer is made by doing one thing over and over; the convolution, which sees all that decides "
    "a cell at once, gets there too, with as many parameters and no depth. A block that is looped costs as many "
    "operations as blocks of their own: it saves parameters, no work.",
    axes=("step", "accuracy on held-out cells"),
    source="the one who asked for this project",
)
