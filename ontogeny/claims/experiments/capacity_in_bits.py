"""Capacity in bits per parameter: how much of uniformly random strings a small GPT holds, by steps, data and size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ontogeny.claims.claim import Claim, Expectation, Form, Measured, Series
from ontogeny.claims.tasks.strings import Held, Shape, held


def measure(
    seed: int,
    *,
    data: float,
    others: Sequence[float],
    steps: Sequence[int],
    settling: int,
    less_deep: int,
    shape: Mapping[str, Any],
    mode: str,
) -> Measured:
    """`data` bits for each parameter, for each of these numbers of steps; after the last `settling` more in bf16.

    For the first number of steps, `others` in place of `data`, and a network of `less_deep` layers.
    """
    whole = Shape(**shape)
    by_steps = [held(seed, whole, data, one, mode=mode, settling=settling * (one == steps[-1])) for one in steps]
    by_data = [held(seed, whole, one, steps[0], mode=mode) for one in others]
    smaller = Shape(**{**shape, "depth": less_deep})
    flat = held(seed, smaller, data, steps[0], mode=mode)
    figures = {f"bits_after_{one.steps}": one.bits for one in by_steps}
    figures |= {f"bits_of_{given:g}": one.bits for given, one in zip(others, by_data, strict=True)}
    figures |= {
        "bits_f32": by_steps[-1].bits,
        "bits_bf16": by_steps[-1].settled,
        "bits_rounded_at_once": by_steps[-1].rounded,
        "last_doubling": by_steps[-1].bits - by_steps[-2].bits,
        "smaller_network": flat.bits,
        "parameters": float(whole.parameters),
        "smaller_parameters": float(smaller.parameters),
    }
    ends = Series("in the end", [float(one.steps) for one in by_steps], [one.bits for one in by_steps])
    return Measured(figures, (ends, _line("on the way", by_steps[-1])))


def _line(name: str, one: Held) -> Series:
    return Series(name, [float(step) for step in one.at], one.curve)


CLAIM = Claim(
    name="capacity-in-bits",
    sentence="A network holds about 3.6 bits for each of its parameters.",
    how="Strings of 32 letters, each drawn uniformly from 16, learned by a GPT of two layers and 2,048 parameters, all "
    "of them at each step, by SOAP with a rate that falls to nothing: 9.6 bits of them for each parameter, in 600, "
    "4,800 and 9,600 steps; the last of these networks then goes on for 300 steps with parameters that are rounded to "
    "bf16 at every use. Held is what the network's code saves over 4 bits a letter. Attention has queries and keys as "
    "one matrix, and values and what they mix to, since apart some of their parameters undo one another. In 600 steps "
    "also half as much data, and one layer.",
    measure=measure,
    expects=(
        Expectation("bits_bf16", ">=", 3.24, "in bf16 it holds no more than a tenth less than 3.6 bits a parameter"),
        Expectation("bits_bf16", "<=", 3.96, "and no more than a tenth more"),
        Expectation("last_doubling", "<=", 0.1, "twice the steps give at most 0.1 bits more, so this is the plateau"),
    ),
    quick=Form(
        (0, 1),
        2.5,
        {
            "data": 4.0, "others": [], "steps": [3, 6], "settling": 2, "less_deep": 1, "mode": "exact",
            "shape": {
                "width": 4, "depth": 1, "heads": 2, "wider": 2, "letters": 8, "length": 8, "merged": True,
            },
        },
    ),
    full=Form(
        (1, 2, 3),
        200.0,
        {
            "data": 9.6, "others": [4.8], "steps": [600, 4800, 9600], "settling": 300, "less_deep": 1, "mode": "fast",
            "shape": {
                "width": 8, "depth": 2, "heads": 3, "wider": 3, "letters": 16, "length": 32, "merged": True,
            },
        },
    ),
    limits="Whatever is held is a lower bound of what could be: a learner that goes on longer, or a better one, holds "
    "more. Where twice the steps still give more, too few bits only say that the network did not get to its plateau. "
    "Networks far smaller than those of the paper; their shape, that so much data was more to hold than half or twice "
    "of it, and how to go on in bf16 were seen on seed 100. They learned in the fast mode, where another machine need "
    "not give the same digits: on one before, where they were rounded once and did not go on, the same seeds held 3.68 "
    "in bf16 and lay 0.11 apart.",
    axes=("step", "bits held for each parameter"),
    source="Morris et al. 2025, arXiv 2505.24832",
)  # fmt: skip
