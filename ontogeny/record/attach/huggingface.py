"""Recording the Trainer of Hugging Face: `Trainer(..., callbacks=[RecordCallback("runs/mine")])`.

The loss of a step is the sum of what `backward` was called on since the step before it, which with gradient
accumulation is the mean over its parts. What the trainer logs is kept under its names, with `logged.` before them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ontogeny.isa.errors import RecordError
from ontogeny.record.attach.loop import Attachment, attach
from ontogeny.record.attach.losses import Losses

try:
    from transformers import TrainerCallback
except ImportError as error:
    raise RecordError("recording a Trainer needs transformers: pip install 'ontogeny[hf]'") from error


class RecordCallback(TrainerCallback):  # type: ignore[misc]
    """Records what a Trainer trains, from the first step to the last. `policy` is what `og.attach` takes."""

    def __init__(self, folder: Path | str, **policy: Any) -> None:
        self.folder, self.policy = folder, policy
        self.run: Attachment | None = None
        self._losses = Losses()

    def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Attaches to the model and the optimizer; with checkpoints, the scheduler is kept, too."""
        keep = {"scheduler": given["lr_scheduler"]} if given.get("lr_scheduler") is not None else {}
        told = {"keep": keep, "first": state.global_step, **self.policy}
        self.run = attach(given["model"], given.get("optimizer"), self.folder, **told)
        self._losses.watch()

    def on_optimizer_step(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """The optimizer has taken a step; its learning rate is still the one that it was taken with."""
        if self.run is not None:
            self.run.step(self._losses.total())

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **given: Any) -> None:
        """Keeps the numbers among what is logged."""
        if self.run is not None:
            numbers = {f"logged.{k}": float(v) for k, v in (logs or {}).items() if isinstance(v, int | float)}
            self.run.tell(**numbers)

    def on_train_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Waits until everything is written."""
        self._losses.leave()
        run, self.run = self.run, None
        if run is not None:
            run.close()
