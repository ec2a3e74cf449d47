"""Recording the Trainer of Lightning, by either of its names: `Trainer(callbacks=[RecordCallback("runs/mine")])`.

The loss of a step is the sum of what `backward` was called on since the step before it, which with gradient
accumulation is the mean over its parts. With several optimizers, a row is taken at the end of a batch in which one of
them has stepped.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from ontogeny.isa.errors import RecordError
from ontogeny.record.attach.loop import Attachment, attach
from ontogeny.record.attach.losses import Losses

NAMES = ("lightning.pytorch", "pytorch_lightning")


class Recording:
    """What the callback does, whatever Lightning calls its base class."""

    def __init__(self, folder: Path | str, **policy: Any) -> None:
        self.folder, self.policy = folder, policy
        self.run: Attachment | None = None
        self._losses = Losses()
        self._hooks: list[Any] = []
        self._stepped = False

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Attaches to the module and its optimizers; with checkpoints, the schedulers are kept, too."""
        keep = {f"scheduler.{number}": found.scheduler for number, found in enumerate(trainer.lr_scheduler_configs)}
        told = {"keep": keep, "first": trainer.global_step, **self.policy}
        self.run = attach(pl_module, trainer.optimizers, self.folder, **told)
        self._losses.watch()
        self._hooks = [one.register_step_post_hook(self._after) for one in trainer.optimizers]

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *rest: Any) -> None:
        """Ends a round of several optimizers."""
        if self._stepped and len(self._hooks) > 1:
            self._row()

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Waits until everything is written."""
        self._leave()
        run, self.run = self.run, None
        if run is not None:
            run.close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """What was recorded up to here is kept; the exception goes its way."""
        self.on_train_end(trainer, pl_module)

    def _after(self, *_: Any) -> None:
        self._stepped = True
        if len(self._hooks) == 1:
            self._row()

    def _row(self) -> None:
        self._stepped = False
        if self.run is not None:
            self.run.step(self._losses.total())

    def _leave(self) -> None:
        for hook in self._hooks:
            hook.remove()
        if self._hooks:
            self._losses.leave()
        self._hooks = []


def _bases() -> tuple[type, ...]:
    """The callback classes of those Lightnings that the process uses, or else of the one that is installed."""
    used = [name for name in NAMES if sys.modules.get(name) is not None]
    for name in used or NAMES:
        try:
            import_module(name)
        except ImportError:
            continue
        used = used or [name]
    if not used:
        raise RecordError("recording a Trainer of Lightning needs it: pip install 'ontogeny[lightning]'")
    return tuple(sys.modules[name].Callback for name in used)


RecordCallback: type[Recording] = type("RecordCallback", (Recording, *_bases()), {"__doc__": Recording.__doc__})
"""Records what a Trainer trains, from the first step to the last. `policy` is what `og.attach` takes."""
