"""Parameters as a compression of the data: how many bits of its targets a run holds, and how many per parameter.

What an example's targets cost is told by codes: all classes alike (`uniform`), each by how frequent it is
(`frequencies`), by the model itself (`model`: its negative log-likelihood), by another run that has not seen them
(`against`). What is memorised is what the model's code saves: over the uniform one for random strings, of which
nothing can be understood (Morris et al. 2025, arXiv 2505.24832); over another run's for real data, which is their
unintended memorisation (`target_bits.py`; over sizes, `unintended.py`).

Beside that stand whole descriptions of the same targets. `two_part` sends the parameters as they are stored and then
the targets by the model. `prequential` sends each example by what the model gave it when it was first met, so that the
parameters need not be sent (Dawid 1984): the recorded cross entropies of the steps that learned from it first, shared
out evenly among the examples of a batch; where `learn` gives none, since its loss holds more, that is not told. And
what general compressors make of the same targets.

Not known here: whether windows overlap. Targets that are in several examples are counted in each; `every` takes every
so many examples, so that windows of 64 targets that begin one after another are counted once with `every` 64.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ontogeny.ask.alternative import checked_native
from ontogeny.ask.compressors import COMPRESSORS, bits_of
from ontogeny.ask.laws.of_runs import parameters_of
from ontogeny.ask.layers import charged
from ontogeny.ask.left_out import occurrences
from ontogeny.ask.memorised import examples_of
from ontogeny.ask.target_bits import BITS, Beyond, Code, Labels, Reference
from ontogeny.data.pool import by_number
from ontogeny.isa.errors import RecordError
from ontogeny.record.recorded import Recorded


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
    run it is held `against`. `unintended` is what it saves over that one, example by example, of which `luck` would be
    there if it had learned nothing of them; `known` of them that one has learned from, too. A held-out target costs it
    `unseen` bits. These five are None without such a run, the last ones where they cannot be told.
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
    known: int | None = None
    unseen: float | None = None
    luck: float | None = None

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


def capacity(
    run: Recorded, at: int | None = None, against: Recorded | Reference | None = None, every: int = 1
) -> Capacity:
    """What a run holds of the targets of its training examples at a step (default: the present one).

    Several runs are best held against one Reference, which looks through its own examples once. Raises RecordError
    where the loss is no cross entropy over classes, or the other run's classes are not the same.
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
    code = Code(now, step)
    own, labels, classes = code(arrays), code.labels(arrays), code.classes
    counts = np.bincount(labels.reshape(-1), minlength=classes)
    uniform, total = labels.size * math.log2(classes), float(own.sum())
    other = against if isinstance(against, Reference | None) else Reference(against)
    beyond = Beyond() if other is None else other.beyond(code, arrays, own)
    parameters, stored = parameters_of(now.program), 8 * sum(decl.type.bytes for decl in now.program.named_params())
    return Capacity(
        step, len(labels), labels.size, classes, parameters, stored // parameters, uniform,
        float(_entropy(counts)), total,
        beyond.against, beyond.unintended,
        (
            Description("two_part", stored + total, stored),
            *_sent(prequential(run, met, set(chosen.tolist()), labels.shape[1], charged(now.program))),
            *packed(labels, classes),
        ),
        beyond.known, beyond.unseen, beyond.luck,
    )  # fmt: skip


def _entropy(counts: npt.NDArray[Any]) -> float:
    """Bits of all targets, each by how frequent its class is among them."""
    there = counts[counts > 0]
    return float(-(there * np.log2(there / there.sum())).sum())


def prequential(
    run: Recorded, met: dict[int, list[int]], wanted: set[int], targets: int, column: str = "loss"
) -> float | None:
    """Bits of the wanted examples, of so many targets each, by the losses of the steps that learned from them first.

    `met` has the states whose steps learned from each example (`left_out.occurrences`), `column` the metric that is the
    mean of what a target cost (`layers.charged`). None where one was not met, or where that was not recorded.
    """
    first = {number: states[0] for number, states in met.items() if number in wanted}
    if len(first) < len(wanted):
        return None
    columns = run.metrics(1, max(first.values()) + 1)
    if column not in columns:
        return None
    losses = dict(zip(columns["step"].astype(int).tolist(), columns[column].tolist(), strict=True))
    return float(sum(losses[state + 1] for state in first.values()) * targets * BITS)


def read_once(run: Recorded, first: int = 0) -> float:
    """Bits of the examples from number `first` on, of one target each, by a run that went through them one time.

    Raises RecordError where a loss of its steps was not recorded.
    """
    met = occurrences(run, run.step)
    found = prequential(run, met, {number for number in met if number >= first}, 1)
    if found is None:
        raise RecordError(f"{run.folder.name} records no loss of its steps, so what it was charged is not known")
    return found


def _sent(bits: float | None) -> Iterable[Description]:
    """The prequential code, where there is one."""
    return () if bits is None else (Description("prequential", bits),)


def packed(labels: Labels, classes: int) -> tuple[Description, ...]:
    """What general compressors make of the targets, a byte each, or two where there are more than 256 classes."""
    data = labels.astype(np.uint8 if classes <= 256 else np.uint16).tobytes()
    return tuple(Description(name, bits_of(name, data)) for name in COMPRESSORS)
