"""What a teacher itself writes, for a student to read: sequences distilled (Kim and Rush 2016, arXiv 1606.07947)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ontogeny.isa.errors import SmallError
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.machine.learner import Array, Learner
from ontogeny.train.small.teacher import Named, batches, inputs_of, log_softmax
from ontogeny.train.small.units import PREDICT

PROMPTED = 4
"""A teacher goes on from so great a part of an example: the first quarter."""


def with_written(examples: Named, teachers: Sequence[Learner], target: str, count: int, seed: int = 0) -> Named:
    """The examples, and after them `count` sequences that teachers write, as many each as far as that goes.

    Each goes on from the first quarter of an example drawn at random. SmallError where the examples are not sequences
    i64[n, context] and what follows each of their places, under the name `target`.
    """
    name = inputs_of(teachers[0].program)[0]
    x, y = examples[name], examples[target]
    if set(examples) != {name, target} or x.shape != y.shape or x.ndim != 2 or (x[:, 1:] != y[:, :-1]).any():
        raise SmallError(
            f"a teacher writes where {target!r} is what follows each place of {name!r}, and nothing else is given; the "
            f"examples have {', '.join(f'{name} {list(values.shape)}' for name, values in examples.items())}"
        )
    prompts = x[np.random.default_rng(seed).integers(len(x), size=count), : max(1, x.shape[1] // PROMPTED)]
    parts = []
    for place, teacher in enumerate(teachers):
        if len(share := prompts[place :: len(teachers)]):
            parts.append(written(teacher, share, seed=seed + place))
    return {
        name: np.concatenate([x, *(part["x"] for part in parts)]),
        target: np.concatenate([y, *(part["y"] for part in parts)]),
    }


def written(teacher: Learner, prompts: Array, temperature: float = 1.0, seed: int = 0) -> dict[str, Array]:
    """Sequences that begin with prompts i64[n, p] and go on as the teacher samples: x, y i64[n, context].

    y is what follows each place of x. At temperature 0 the likeliest is taken. SmallError for a teacher that does not
    map i64[n, context] to scores [n, context, symbols], and for one whose scores depend on what comes later.
    """
    given = inputs_of(teacher.program)
    routine = teacher.program.routine(PREDICT)
    type_ = teacher.program.decl(given[0]).type
    if len(given) != 1 or type_.rank != 2 or not type_.dtype.is_int:
        raise SmallError(f"a teacher that writes reads one input i64[n, context]; this one reads {', '.join(given)}")
    size, context = (int(n) for n in type_.shape)
    if prompts.ndim != 2 or not 0 < prompts.shape[1] <= context:
        raise SmallError(f"prompts have 1 to {context} symbols each; these are of shape {prompts.shape}")
    machine = CompiledMachine(teacher.program)
    machine.load(teacher.values)
    random = np.random.default_rng(seed)
    parts = []
    for batch, count in batches({given[0]: prompts}, size):
        x = np.zeros((size, context + 1), np.int64)
        x[:, : prompts.shape[1]] = batch[given[0]]
        for at in range(prompts.shape[1], context + 1):
            scores = machine.call(PREDICT, {given[0]: x[:, :context]}, {})[routine.returns[0][0]]
            _check(scores, (size, context))
            x[:, at] = _drawn(scores[:, at - 1], temperature, random)
        after = machine.call(PREDICT, {given[0]: _other(x[:, :context], scores.shape[-1])}, {})[routine.returns[0][0]]
        if not np.allclose(after[:, 0], scores[:, 0], rtol=1e-3, atol=1e-4):
            raise SmallError("the teacher's scores for a place depend on what comes later, so it cannot write")
        parts.append(x[:count])
    found = np.concatenate(parts)
    return {"x": found[:, :-1].copy(), "y": found[:, 1:].copy()}


def _check(scores: Array, shape: tuple[int, int]) -> None:
    if scores.ndim != 3 or scores.shape[:2] != shape:
        raise SmallError(f"a teacher that writes gives scores for every place; this one's are of shape {scores.shape}")


def _other(x: Array, symbols: int) -> Array:
    """The same beginnings with another symbol at every later place."""
    found = x.copy()
    found[:, 1:] = (x[:, 1:] + 1) % symbols
    return found


def _drawn(scores: Array, temperature: float, random: np.random.Generator) -> Array:
    """A symbol of each row: by its probability, or the likeliest at temperature 0."""
    if not temperature:
        found: Array = scores.argmax(-1)
        return found
    chances = np.exp(log_softmax(scores / temperature)).cumsum(-1)
    places: Array = (random.random((len(scores), 1)) * chances[:, -1:] > chances).sum(-1)
    return places
