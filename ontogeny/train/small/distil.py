"""A student that learns what a teacher says: the same capture, run and journal as any learner, with another loss.

The teacher's outputs are data, an input `teacher` of the program, or, where those would be too large to keep, the
teacher itself stands in the program as frozen state. The student's forward pass is the routine `predict`, so dropout is
not in it, and running statistics stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ontogeny.front.capture import capture
from ontogeny.front.rules import Rule
from ontogeny.front.to_module import to_module
from ontogeny.isa.errors import SmallError
from ontogeny.machine.learner import Array, Learner
from ontogeny.train.small.teacher import FEATURES, inputs_of, with_features

TEACHER = "teacher"
TEACHER_FEATURES = "teacher.features"


@dataclass(frozen=True, slots=True)
class Teaching:
    """What the loss is made of.

    (1 - hard) of it is T^2 times the divergence of the student from the teacher, both softened by the temperature T
    (Hinton et al. 2015, arXiv 1503.02531), `hard` of it the cross entropy with the true class; `features` times the
    mean square distance of what enters both last products, the student's through a matrix that is learned, comes on top
    (Romero et al. 2015, arXiv 1412.6550). Where the targets are no classes, both are mean square distances.
    """

    temperature: float = 4.0
    hard: float = 0.1
    features: float = 0.0

    def check(self) -> None:
        """Raises SmallError for what is no temperature, no share and no weight."""
        if not (0 < self.temperature < math.inf and 0 <= self.hard <= 1 and 0 <= self.features < math.inf):
            raise SmallError(f"{self}: the temperature is above 0, hard from 0 to 1, features 0 or more, all finite")


def softened(scores: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T^2 times the mean divergence of softmax(scores / T) from softmax(teacher / T), in nats."""
    wanted, found = (F.log_softmax(each / temperature, -1) for each in (teacher, scores))
    return temperature**2 * (wanted.exp() * (wanted - found)).sum(-1).mean()


class Student(nn.Module):
    """A learner's `predict` as a module to be taught, and the matrix that takes its features to the teacher's."""

    def __init__(self, start: Learner, features: tuple[int, int] | None = None) -> None:
        super().__init__()
        self.inputs = inputs_of(start.program)
        self.result = start.program.routine("predict").returns[0][0]
        self.network = to_module(with_features(start) if features else start)
        for parameter in self.network.parameters():
            parameter.requires_grad_(parameter.dtype.is_floating_point)
        self.projector = nn.Linear(*features, bias=False) if features else None

    def forward(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor | None]:
        """Scores, and features in the teacher's width where it has any."""
        found: Any = self.network(**{name: batch[name] for name in self.inputs})
        scores = found[self.result] if isinstance(found, dict) else found
        return scores, self.projector(found[FEATURES]) if self.projector is not None else None


@dataclass(frozen=True, slots=True)
class Lesson:
    """The loss of a student: which input is the true target, whether that is a class, how it is taught, by whom.

    `frozen` is the teacher where it stands in the program; else its outputs come with the batch.
    """

    target: str
    classes: bool
    teaching: Teaching
    frozen: nn.Module | None = None

    def __call__(self, model: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        scores, features = model(batch)
        teacher, their = self._taught(model, batch)
        truth, how = batch[self.target], self.teaching
        if self.classes:
            hard = F.cross_entropy(scores.flatten(0, -2), truth.flatten())
            soft = softened(scores, teacher, how.temperature)
        else:
            hard, soft = F.mse_loss(scores, truth), F.mse_loss(scores, teacher)
        loss = (1 - how.hard) * soft + how.hard * hard
        if features is not None and their is not None:
            loss = loss + how.features * F.mse_loss(features, their.reshape(features.shape))
        named = {"loss": loss, "distance": soft, "hard": hard}
        right = {"accuracy": (scores.argmax(-1) == truth).float().mean()} if self.classes else {}
        return named | right

    def _taught(self, model: nn.Module, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor | None]:
        if self.frozen is None:
            return batch[TEACHER], batch.get(TEACHER_FEATURES)
        with torch.no_grad():
            scores, _ = self.frozen(batch)
        return scores.detach(), None


def student(
    start: Learner,
    rule: Rule,
    lesson: Lesson,
    examples: Mapping[str, Array],
    valid: Mapping[str, Array],
    batch_size: int,
) -> Learner:
    """The learner of a student that begins at `start`. `examples` and `valid` have the teacher's outputs among them.

    Raises SmallError for teaching that means nothing, CaptureError for what cannot be captured.
    """
    lesson.teaching.check()
    example = {name: values[:batch_size] for name, values in examples.items()}
    widths = None
    if lesson.teaching.features:
        if lesson.frozen is not None or TEACHER_FEATURES not in examples:
            raise SmallError(f"the teacher's features are not among the examples; give them as {TEACHER_FEATURES!r}")
        own = {name: torch.as_tensor(example[name]) for name in inputs_of(start.program)}
        entering = to_module(with_features(start).resized(batch=batch_size))(**own)[FEATURES]
        widths = int(entering.shape[-1]), int(examples[TEACHER_FEATURES].shape[-1])
    model = Student(start, widths)
    name = start.program.name
    return capture(
        model, lesson, rule, example, valid=valid or None, predict=lambda m, b: m(b)[0], name=f"{name}_small"[:64]
    )


def frozen(teacher: Learner) -> Student:
    """The teacher as a module whose parameters learn nothing: a program that it is captured into has them as state."""
    model = Student(teacher)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model.eval()
