"""Recording a script that knows nothing of it: hooks on every optimizer's step find the model and attach to it.

A step is one step of the optimizer. Where a script has several, it is a round in which each has stepped at most once: a
row is taken when one of them is about to step again, and at the end. The loss is the last scalar that `backward` was
called on, as it was before a gradient scaler. Where recording fails, the script goes on without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from ontogeny.isa.errors import RecordError
from ontogeny.record.attach.found import live_optimizers, model_of
from ontogeny.record.attach.loop import Attachment
from ontogeny.record.attach.losses import Losses
from ontogeny.record.attach.policy import Setup


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of it. `folder` is None where nothing was recorded; `notes` say what there is to know."""

    folder: Path | None
    steps: int
    bytes: int
    waited: float
    notes: tuple[str, ...]


class ScriptRecorder:
    """Records the first model that is trained while this context is entered."""

    def __init__(self, folder: Path, setup: Setup) -> None:
        self._folder, self._setup = folder, setup
        self._run: Attachment | None = None
        self._optimizers: list[Optimizer] = []
        self._stepped: dict[int, float | None] = {}
        self._notes: list[str] = []
        self._over = False
        self._losses = Losses()

    def __enter__(self) -> ScriptRecorder:
        self._losses.watch()
        self._hooks = [
            register_optimizer_step_pre_hook(lambda optimizer, args, kwargs: self._guarded(self._before, optimizer)),
            register_optimizer_step_post_hook(lambda optimizer, args, kwargs: self._guarded(self._after, optimizer)),
        ]
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()
        self._losses.leave()
        if self._run is not None:
            self._guarded(lambda run: self._row() if self._stepped else None, self._run)
            self._over = False
            self._guarded(Attachment.close, self._run)

    def result(self) -> Recorded:
        """What has been recorded."""
        run = self._run
        if run is None:
            told = self._notes or ["no optimizer of torch has taken a step, so nothing was recorded"]
            return Recorded(None, 0, 0, 0.0, tuple(told))
        size = sum(path.stat().st_size for path in run.folder.rglob("*") if path.is_file())
        return Recorded(run.folder, run.step_number, size, run.waited, tuple(self._notes))

    def _guarded(self, work: Callable[[Any], object], given: object) -> None:
        if self._over:
            return
        try:
            work(given)
        except RecordError as error:
            self._over = True
            self._notes.append(str(error))

    def _before(self, optimizer: Optimizer) -> None:
        """Just before a step: attaches at the first; of several optimizers, ends the round that one had a part in."""
        if self._run is None:
            self._optimizers = live_optimizers(optimizer)
            model = model_of(self._optimizers)
            self._run = Attachment(model, self._optimizers, self._folder, self._setup)
            if len(self._optimizers) > 1:
                kinds = ", ".join(type(one).__name__ for one in self._optimizers)
                self._notes.append(f"there are several optimizers ({kinds}); a step is a round of them")
        elif id(optimizer) in self._stepped and len(self._optimizers) > 1:
            self._row()

    def _after(self, optimizer: Optimizer) -> None:
        if not any(optimizer is one for one in self._optimizers):
            self._admit(optimizer)
        self._stepped[id(optimizer)] = self._losses.last()
        if len(self._optimizers) == 1:
            self._row()

    def _admit(self, optimizer: Optimizer) -> None:
        """An optimizer that was made later. What it trains is recorded as far as it lies in the model."""
        assert self._run is not None
        self._optimizers.append(optimizer)
        self._run.add(optimizer)
        known = {id(p) for p in self._run.model.parameters()}
        if any(id(p) not in known for group in optimizer.param_groups for p in group["params"]):
            said = f"a {type(optimizer).__name__} came later and trains what is not in the recorded model"
            self._notes.append(f"{said}; that part is not recorded")

    def _row(self) -> None:
        assert self._run is not None
        places = {id(one): number for number, one in enumerate(self._optimizers)}
        alone = len(self._optimizers) == 1
        losses = {"loss" if alone else f"loss.{places[one]}": loss for one, loss in self._stepped.items()}
        self._stepped = {}
        self._run.step(**{name: loss for name, loss in losses.items() if loss is not None})
