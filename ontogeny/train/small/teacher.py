"""What a network says of examples: the teacher's outputs as data, of one network or the mean of several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ontogeny.isa.errors import SmallError
from ontogeny.isa.op import Op
from ontogeny.isa.program import Program
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.machine.learner import Array, Learner
from ontogeny.train.small.activations import products
from ontogeny.train.small.units import PREDICT

Named = Mapping[str, Array]
FEATURES = "features"


def inputs_of(program: Program) -> list[str]:
    """The inputs that `predict` reads, as declared. SmallError where it has none, or there is no `predict`."""
    if not program.has(PREDICT):
        raise SmallError(
            f"the program has no routine {PREDICT!r}, so nothing says what the network gives; capture with "
            "predict=lambda model, batch: ... and run again"
        )
    read = {str(i.attr("name")) for i in program.routine(PREDICT).body if i.op is Op.READ}
    found = [decl.name for decl in program.of("input") if decl.name in read]
    if not found:
        raise SmallError(f"{PREDICT!r} reads no input, so what it gives does not depend on an example")
    return found


def batches(examples: Named, size: int) -> Iterator[tuple[dict[str, Array], int]]:
    """All examples in their order, `size` at a time, and how many count: the last batch is filled up with its first."""
    count = len(next(iter(examples.values())))
    for first in range(0, count, size):
        places = np.arange(first, first + size)
        places[places >= count] = first
        yield {name: values[places] for name, values in examples.items()}, min(size, count - first)


def collected(call: Callable[[dict[str, Array]], Array], examples: Named, size: int) -> Array:
    """The results of a function of batches for all examples."""
    return np.concatenate([call(batch)[:count] for batch, count in batches(examples, size)])


def outputs(learner: Learner, examples: Named, result: str = "") -> Array:
    """What `predict` gives for every example: its first result, or the one named."""
    given = inputs_of(learner.program)
    if missing := [name for name in given if name not in examples]:
        raise SmallError(
            f"{PREDICT!r} reads {missing[0]!r}, which the examples do not have; they have {list(examples)}"
        )
    result = result or learner.program.routine(PREDICT).returns[0][0]
    machine = CompiledMachine(learner.program)
    machine.load(learner.values)
    size = learner.program.decl(given[0]).type.shape[0]
    return collected(lambda batch: machine.call(PREDICT, batch, {})[result], {n: examples[n] for n in given}, size)


def ensemble(scores: Sequence[Array]) -> Array:
    """Scores whose softmax is the mean of the softmaxes of several networks' scores, [..., classes] each."""
    logs = np.stack([log_softmax(each) for each in scores]).astype(np.float64)
    top = logs.max(0)
    found: Array = (top + np.log(np.exp(logs - top).mean(0))).astype(np.float32)
    return found


def log_softmax(scores: Array) -> Array:
    """Along the last axis, in f64."""
    wide = scores.astype(np.float64)
    wide = wide - wide.max(-1, keepdims=True)
    found: Array = wide - np.log(np.exp(wide).sum(-1, keepdims=True))
    return found


def with_features(learner: Learner) -> Learner:
    """The learner whose `predict` also gives what enters its last product with a weight, as `features`."""
    program = learner.program
    inputs_of(program)
    entering = [product.entering for product in products(program)]
    if not entering:
        raise SmallError("predict multiplies by no weight, so it has no features before the last product")
    routine = program.routine(PREDICT)
    new = replace(routine, returns=(*routine.returns, (FEATURES, entering[-1])))
    return replace(learner, program=program.with_routine(new))
