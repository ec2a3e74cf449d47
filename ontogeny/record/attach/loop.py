"""`attach`: two lines in a training loop that is not ours, and every parameter is recorded at every step.

    run = og.attach(model, optimizer, "runs/mine")
    for batch in loader:
        ...
        optimizer.step()
        run.step(loss)

The loop's own thread copies the values into a buffer; everything else happens on another thread. Nothing about the
training is changed: no random number is drawn, no gradient touched.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from ontogeny.isa.errors import RecordError
from ontogeny.record.attach import checkpoints
from ontogeny.record.attach.attached import GROUPS, Attached
from ontogeny.record.attach.loader import Position
from ontogeny.record.attach.moments import WatchedMoments
from ontogeny.record.attach.opening import Opened, open_record
from ontogeny.record.attach.policy import Policy, Setup
from ontogeny.record.attach.processes import count, together
from ontogeny.record.attach.recorder import Job, Pool
from ontogeny.record.attach.rewinding import Loop, last_of_all
from ontogeny.record.attach.settings import Settings, scalar
from ontogeny.record.attach.staging import Staged
from ontogeny.record.attach.watched import Watched
from ontogeny.record.journal import Journal, stamped

MOST_BUFFERS = 32
Optimizers = torch.optim.Optimizer | Sequence[torch.optim.Optimizer] | None


def attach(
    model: nn.Module,
    optimizer: Optimizers = None,
    folder: Path | str = "runs/attached",
    *,
    every: int = 1,
    only: Sequence[str] | None = None,
    buffers: bool = False,
    error: float = 0.0,
    when_slow: Literal["wait", "skip"] = "wait",
    checkpoint_every: int = 0,
    keep: Mapping[str, Any] | None = None,
    memory: int = 256 << 20,
    trace: str = "",
    resume: bool = False,
    first: int = 0,
    moments: bool = False,
) -> Attachment:
    """Records a model from now on; call `step` on what it gives after each step of the optimizer.

    `folder` must not hold a run yet, unless `resume`, which goes on after its last step. `every`, `only`, `buffers`,
    `error` and `when_slow` are the policy (see `Policy`); by default everything is kept exactly. Every
    `checkpoint_every` steps what `rewind` needs is kept, with the `state_dict` of what else is named in `keep` (a
    scheduler, a gradient scaler). `memory` bounds the bytes of rows under way (there are always two buffers, and never
    more than 32). `trace` is a URL for the values, if they are not to lie in the folder. `first` is the step that the
    model stands at. With `moments` those of all steps, recorded or not, are streamed (see `watch_moments`), and kept
    when this is closed. Where processes share a model by shards, each calls this with the same folder, and keeps its
    part of checkpoints and moments; where each has a copy, the first process records, and with `checkpoint_every` all
    of them must call this, since what each has drawn is its own. Raises RecordError for what does not fit.
    """
    policy = Policy(every, None if only is None else tuple(only), buffers, error, when_slow)
    setup = Setup(policy, checkpoint_every, memory, trace, resume, dict(keep or {}), first=first, moments=moments)
    return Attachment(model, optimizer, Path(folder), setup)


class Attachment:
    """A loop that is being recorded. Also a context manager, which closes it.

    `listeners` are called after every step, on the loop's own thread. Once `stopping` is set the loop ought to end.
    """

    def __init__(self, model: nn.Module, optimizer: Optimizers, folder: Path, setup: Setup) -> None:
        self.folder, self.setup, self.policy = folder, setup, setup.policy
        self.model = model
        self.optimizers = _several(optimizer)
        self.position = Position()
        self.skipped = 0
        self.stopping = False
        self.listeners: list[Callable[[], object]] = []
        self._watched = Watched(model, self.policy.only, self.policy.buffers)
        opening = open_record(folder, setup, self._watched, self._about())
        self._writes, self._part, self._again = opening.writes, opening.part, opening.last >= 0
        self._open = opening.writes if isinstance(opening.writes, Opened) else None
        self.step_number = opening.last if self._again else setup.first
        self._settings = Settings(self.optimizers if self._open is not None else ())
        self._groups: list[dict[str, Any]] = []
        if self._open is not None:
            self._restage()
            self._regroup()
            if not self._again:
                self._record(self._settings.initial(), always=True)
        self.moments = self._streamed() if setup.moments and self._open is not None else None
        if self.moments is not None:
            atexit.register(self._keep_moments)  # before what was opened closes by itself

    @property
    def waited(self) -> float:
        """Seconds that the loop has waited for the disk so far."""
        return self._open.recorder.waited if self._open is not None else 0.0

    @property
    def buffers(self) -> int:
        """How many rows there is memory for now: more are made while the disk is behind, up to the bound."""
        return self._pool.made if self._open is not None else 0

    def step(self, loss: torch.Tensor | float | None = None, **metrics: torch.Tensor | float) -> None:
        """One step of the optimizer has been taken. Records the parameters, the loss and other scalars.

        Raises RecordError where recording has failed (a full disk); what was recorded before stays.
        """
        turned = self._settings.told()
        if self._settings.regrouped:
            self._regroup()
        self.step_number += 1
        if self._open is not None:
            told = {name: scalar(value) for name, value in metrics.items()}
            if loss is not None:
                told["loss"] = scalar(loss)
            told.update(turned)
            self._record(told)
        if self.moments is not None:
            self.moments.step()
        if self.setup.checkpoint_every and self.step_number % self.setup.checkpoint_every == 0:
            self.checkpoint()
        for listener in self.listeners:
            listener()

    def add(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer that was made later, and has just taken its first step."""
        self.optimizers.append(optimizer)
        if self._open is not None:
            self._settings.add(optimizer, steps=1)

    def note(self, kind: str, *, author: str = "you", **content: Any) -> None:
        """Writes an entry into the journal at the present step, durably. Raises RecordError where none is kept here."""
        if not isinstance(self._open, Opened) or self._open.lock is None:
            raise RecordError("this process keeps no journal of the loop; the first one does")
        journal = Journal(self.folder)
        journal.open_for_writing()
        try:
            journal.append(stamped(kind, self.step_number, author, **content))
        finally:
            journal.close()

    def tell(self, **metrics: torch.Tensor | float) -> None:
        """Further scalars of the present step, such as those of an evaluation."""
        if self._open is not None and metrics:
            told = {name: scalar(value) for name, value in metrics.items()}
            self._open.recorder.put(Job(self.step_number, told))

    def checkpoint(self) -> None:
        """Keeps what it takes to come back to this step: model, optimizers, random generators, place in the data.

        Where several processes train the model each calls this at the same step, and keeps its part.
        """
        if self._writes is not None:
            kept = self._loop().state(self._open is None)
            self._writes.keep(self.step_number, checkpoints.taken(self.folder, self.step_number, kept, self._part))

    def rewind(self, step: int, folder: Path | str | None = None) -> Attachment:
        """Goes back to the last checkpoint at or before a step, and records what follows as a run of its own.

        The model, the optimizers, what `keep` names and the random generators become what they were, and `batches` goes
        on from there. This recording is closed and stays as it is. `folder` is the new one's, by default this one's
        name with the step. Where several processes train the model all of them go back, to a checkpoint that all have.
        Raises RecordError where there is none, or the folder holds a run already.
        """
        several = self._part.count > 1
        if count() > 1 and not several and not self._watched.sharded:
            raise RecordError(f"the copies in {count()} processes keep no checkpoints; set checkpoint_every in each")
        together(self.close) if several else self.close()
        at, part = last_of_all(self.folder, step, self._part)
        new = Path(folder) if folder is not None else self.folder.with_name(f"{self.folder.name}-from-{at}")

        def found_there() -> dict[str, Any]:
            if Journal(new).entries:
                raise RecordError(f"{new} holds a run already; name another folder for what follows step {at}")
            return self._loop().read(self.folder, at, part, self._open is None)

        kept = together(found_there) if several else found_there()
        self._loop().restore(kept)
        trace = self.setup.trace and f"{self.setup.trace.rstrip('/')}-from-{at}"
        setup = replace(self.setup, parent=self.folder, first=at, resume=False, trace=trace)
        found = Attachment(self.model, self.optimizers, new, setup)
        found.position = self.position
        found.position.go_to(kept["position"], kept["generators"])
        return found

    def batches(self, loader: Iterable[Any], epochs: int = 1) -> Iterator[Any]:
        """The loader's batches over some epochs, with the place in them kept, so that `rewind` can go back to it.

        They end early once `stopping` is set.
        """
        for batch in self.position.batches(loader, epochs):
            yield batch
            if self.stopping:
                return

    def recorded(self) -> Attached:
        """What has been recorded so far, to be asked questions."""
        return Attached(self.folder)

    def close(self) -> None:
        """Waits until everything is written. Raises RecordError where that failed; closing twice does nothing."""
        self._settings.leave()
        try:
            self._keep_moments()
        finally:
            if self._writes is not None:
                self._writes.close()

    def __enter__(self) -> Attachment:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _loop(self) -> Loop:
        return Loop(self.model, self.optimizers, self.setup.keep, self.position)

    def _about(self) -> dict[str, Any]:
        """What the journal says of the loop."""
        names = ", ".join(type(optimizer).__name__ for optimizer in self.optimizers)
        return {"model": type(self.model).__name__, "optimizer": names}

    def _regroup(self) -> None:
        """Writes which tensors the optimizers' groups have from here on, unless the journal says so already."""
        self._settings.regrouped = False
        groups = self._settings.groups(self._watched.named)
        if self._open is not None and self._open.lock is not None and groups != self._groups:
            self._groups = groups
            self.note(GROUPS, author="ontogeny", groups=groups)

    def _streamed(self) -> WatchedMoments:
        """Moments from here on. A step that was recorded before is only what the next update starts from."""
        own = Watched(self.model, self.policy.only, self.policy.buffers)
        return WatchedMoments(own, first=self.step_number, again=self._again)

    def _keep_moments(self) -> None:
        atexit.unregister(self._keep_moments)
        if self.moments is not None and self.moments.last > self.moments.first:
            self.moments.save(self.folder)

    def _restage(self) -> None:
        """Buffers for the tensors that there are now."""
        layout, pinned = self._watched.layout(), bool(self._watched.devices)
        count = max(2, min(MOST_BUFFERS, self.setup.memory // max(1, layout.row_bytes)))
        self._pool: Pool[Staged] = Pool(layout, lambda: Staged.of(layout, pinned), count)
        self._pinned = pinned

    def _record(self, told: dict[str, float], always: bool = False) -> None:
        assert self._open is not None
        recorder = self._open.recorder
        if self.step_number % self.policy.every and not always:
            if told:
                recorder.put(Job(self.step_number, told))
            return
        if self._watched.changed():
            self._watched.walk()
            self._settings.regrouped = True
            if self._watched.layout() != self._pool.layout or bool(self._watched.devices) != self._pinned:
                self._restage()
        buffer = recorder.buffer(self._pool, self.policy.when_slow == "wait")
        if buffer is None:
            self.skipped += 1
            recorder.put(Job(self.step_number, {**told, "skipped": float(self.skipped)}))
            return
        try:
            buffer.fill(self._watched.tensors(), self._watched.devices)
            recorder.put(Job(self.step_number, told, self._pool, buffer))
        except BaseException:
            self._pool.give_back(buffer)  # an interrupted copy
            raise


def _several(optimizer: Optimizers) -> list[torch.optim.Optimizer]:
    if isinstance(optimizer, torch.optim.Optimizer):
        return [optimizer]
    return [] if optimizer is None else list(optimizer)
