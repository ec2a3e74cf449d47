"""What a loop tells of its steps, gathered as it comes: loss, accuracy, and their values on held-out data."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ontogeny.ask.curve import Curve

LOSSES = ("loss", "train.loss", "train_loss", "logged.loss")
VALID_LOSSES = ("valid.loss", "val.loss", "val_loss", "valid_loss", "eval_loss", "logged.eval_loss", "test_loss")
ACCURACIES = ("accuracy", "acc", "train_accuracy", "train.accuracy")
VALID_ACCURACIES = ("valid.accuracy", "val.accuracy", "val_accuracy", "valid_accuracy", "val_acc", "eval_accuracy")
"""Names that metrics go by; the first one told counts."""
FEW_EVALUATIONS, SLOW = 3, 10
"""Evaluations are few: their level is the median of three, their noise that of about ten."""


class Progress:
    """The curves so far. A held-out metric counts only when it is new: a loop repeats it until the next evaluation."""

    def __init__(self) -> None:
        self.step = 0
        self.loss, self.accuracy = Curve(), Curve()
        self.valid_loss, self.valid_accuracy = Curve(FEW_EVALUATIONS, SLOW), Curve(FEW_EVALUATIONS, SLOW)
        self.evaluated = False
        self._last: tuple[float, float] = (math.nan, math.nan)

    def add(self, step: int, metrics: Mapping[str, float]) -> None:
        """The metrics of the step that led to a state; what is not told is passed over."""
        self.step = step
        loss, accuracy = first_told(metrics, LOSSES), first_told(metrics, ACCURACIES)
        if loss is not None:
            self.loss.add(step, loss)
        if accuracy is not None:
            self.accuracy.add(step, accuracy)
        held_out, right = first_told(metrics, VALID_LOSSES), first_told(metrics, VALID_ACCURACIES)
        now = (math.nan if held_out is None else held_out, math.nan if right is None else right)
        self.evaluated = not all(a == b or (a != a and b != b) for a, b in zip(now, self._last, strict=True))
        if self.evaluated:
            self._last = now
            if held_out is not None:
                self.valid_loss.add(step, held_out)
            if right is not None:
                self.valid_accuracy.add(step, right)


def first_told(metrics: Mapping[str, float], names: tuple[str, ...]) -> float | None:
    """The first of some metrics that was told, None where none was."""
    for name in names:
        if name in metrics:
            return metrics[name]
    return None
