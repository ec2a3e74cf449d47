"""Parameters as a compression of the data: how many bits of its targets a run holds, and how many per parameter.

What an example's targets cost is told by codes: all classes alike (`uniform`), each by how frequent it is
(`frequencies`), by the model itself (`model`: its negative log-likelihood), by another run that has not seen them
(`against`). What is memorised is what the model's code saves: over the uniform one for random strings, of which
nothing can be understood (Morris et al. 2025, arXiv 2505.24832); over another run's for real data, example by example
and never below 0, which is their unintended memorisation.

Beside that stand whole descriptions of the same targets. `two_part` sends the parameters as they are stored and then
the targets by the model. `prequential` sends each example by what the model gave it when it was first met, so that the
parameters need not be sent (Dawid 1984): the recorded losses of the steps that learned from it first, shared out evenly
among the examples of a batch. And what zstd, xz and bz2 make of the same targets.

Not known here: whether windows overlap. Targets that are in several examples are counted in each; `every` takes every
so many examples, so that windows of 64 targets that begin one after another are counted once with `every` 64.
"""

from __future__ import annotations

import bz2
import lzma
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import zstandard

from ontogeny.ask.alternative import checked_native
from ontogeny.ask.items import ByClass, judge
from ontogeny.ask.laws.of_runs import parameters_of
from ontogeny.ask.layers import scores
from ontogeny.ask.left_out import occurrences
from ontogeny.ask.memorised import examples_of
from ontogeny.data.pool import by_number
from ontogeny.isa.errors import RecordError
from ontogeny.isa.verify import value_types
from ontogeny.record.recorded import Recorded
from ontogeny.record.stepper import LEARN

BITS = 1 / math.log(2)
"""Bits of a nat."""
Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Description:
    """A way to send all targets: its name, bits in all, and what of that are parameters."""

    name: str
    bits: float
    parameters: float = 0.0


@dataclass(frozen=True)
class Capacity:
    """What a run holds of its targets at a step.

    `targets` were judged, of so many `classes`, in so many `examples`; `parameters` has the run, stored in
    `parameter_bits` each. All lengths are in bits: by the `uniform` code, by `frequencies`, by the `model`, and by the
    run it is held `against` (None without one). `unintended` is what it saves over that one, example by example.
    """

    step: int
    examples: int
    targets: int
    classes: int
    parameters: int
    parameter_bits: int
    uniform: float
    frequencies: float
    model: float
    against: float | None
    unintended: float | None
    descriptions: tuple[Description, ...]

    @property
    def memorised(self) -> float:
        """What the model saves over the code that takes all classes alike."""
        return self.uniform - self.model

    @property
    def per_parameter(self) -> float:
        """`memorised` for each parameter."""
        return self.memorised / self.parameters

    def as_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {**asdict(self), "memorised": self.memorised, "per_parameter": self.per_parameter}


def capacity(run: Recorded, at: int | None = None, against: Recorded | None = None, every: int = 1) -> Capacity:
    """What a run holds of the targets of its training examples at a step (default: the present one).

    Raises RecordError where its loss is no cross entropy over classes, or the other run's classes are not the same.
    """
    checked_native(run)
    step = run.step if at is None else at
    if not 0 <= step <= run.step:
        raise RecordError(f"step {step} is not recorded; there are steps 0 to {run.step}")
    if every < 1:
        raise RecordError(f"every {every} examples; give 1 or more")
    met = occurrences(run, step)
    chosen = np.arange(0, examples_of(run), every)
    now = run.as_of(step)
    arrays = by_number(now.data, int(chosen.max())).examples(chosen)
    costs, labels, classes = _costs(now, step, arrays)
    counts = np.bincount(labels.reshape(-1), minlength=classes)
    uniform, total = labels.size * math.log2(classes), float(costs.sum())
    beside = None if against is None else _beside(against, arrays, classes)
    parameters, stored = parameters_of(now.program), 8 * sum(decl.type.bytes for decl in now.program.named_params())
    return Capacity(
        step, len(labels), labels.size, classes, parameters, stored // parameters, uniform,
        float(_entropy(counts)), total,
        None if beside is None else float(beside.sum()),
        None if beside is None else float(np.maximum(beside - costs, 0.0).sum()),
        (
            Description("two_part", stored + total, stored),
            *_prequential(run, met, set(chosen.tolist()), labels.shape[1]),
            *packed(labels, classes),
        ),
    )  # fmt: skip


def _costs(run: Recorded, step: int, arrays: Any) -> tuple[Floats, Labels, int]:
    """Bits of each example's targets by the run at a step, the targets [examples, targets], and how many classes."""
    asking = judge(run)
    if not isinstance(asking, ByClass):
        raise RecordError("capacity is told in bits of classes; the loss of this run is no cross entropy over classes")
    asking.load(run.state(step))
    labels = np.asarray(arrays[asking.label], np.int64).reshape(len(arrays[asking.label]), -1)
    if (labels < 0).any():
        raise RecordError(
            "some targets are ignored by the loss, so their bits are not told; leave them out of the data"
        )
    costs = asking(arrays, run.dials(step)).loss * labels.shape[1] * BITS
    return costs, labels, _classes(run)


def _classes(run: Recorded) -> int:
    """How many classes the loss is a cross entropy over."""
    routine = run.program.routine(LEARN)
    told = scores(routine)
    assert told is not None
    return int(value_types(run.program, routine)[told.value].shape[-1])


def _beside(run: Recorded, arrays: Any, classes: int) -> Floats:
    """Bits of the same examples by a run that has not seen them."""
    costs, _, there = _costs(run, run.step, arrays)
    if there != classes:
        raise RecordError(
            f"the run it is held against tells {there} classes, this one {classes}; take one of the same task"
        )
    return costs


def _entropy(counts: npt.NDArray[Any]) -> float:
    """Bits of all targets, each by how frequent its class is among them."""
    there = counts[counts > 0]
    return float(-(there * np.log2(there / there.sum())).sum())


def _prequential(run: Recorded, met: dict[int, list[int]], wanted: set[int], targets: int) -> Iterable[Description]:
    """The prequential code, where each of the wanted examples was met and the steps' losses are recorded."""
    first = {number: states[0] for number, states in met.items() if number in wanted}
    if len(first) < len(wanted):
        return
    columns = run.metrics(1, max(first.values()) + 1)
    if "loss" not in columns:
        return
    losses = dict(zip(columns["step"].astype(int).tolist(), columns["loss"].tolist(), strict=True))
    yield Description("prequential", sum(losses[state + 1] for state in first.values()) * targets * BITS)


def packed(labels: Labels, classes: int) -> tuple[Description, ...]:
    """What general compressors make of the targets, a byte each, or two where there are more than 256 classes."""
    data = labels.astype(np.uint8 if classes <= 256 else np.uint16).tobytes()
    lengths = {
        "zstd": len(zstandard.ZstdCompressor(level=19).compress(data)),
        "xz": len(lzma.compress(data, preset=9)),
        "bz2": len(bz2.compress(data)),
    }
    return tuple(Description(name, 8.0 * length) for name, length in lengths.items())
