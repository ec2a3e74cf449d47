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

import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

from ontogeny.isa.errors import RecordError
from ontogeny.record.attach import checkpoints
from ontogeny.record.attach.attached import ATTACH, METRICS, TRACE, Attached
from ontogeny.record.attach.loader import Position
from ontogeny.record.attach.policy import Policy, round_row
from ontogeny.record.attach.recorder import Job, Pool, Recorder
from ontogeny.record.attach.staging import Staged
from ontogeny.record.attach.watched import Watched
from ontogeny.record.disk import disk
from ontogeny.record.environment import environment
from ontogeny.record.journal import Journal, stamped
from ontogeny.record.trace.sharded import PREFIX

MEMORY = 256 << 20
MOST_BUFFERS = 32


def attach(
    model: nn.Module,
    optimizer: torch.optim.Optimizer | None = None,
    folder: Path | str = "runs/attached",
    *,
    every: int = 1,
    only: Sequence[str] | None = None,
    buffers: bool = False,
    error: float = 0.0,
    when_slow: Literal["wait", "skip"] = "wait",
    checkpoint_every: int = 0,
    memory: int = MEMORY,
    trace: str = "",
    resume: bool = False,
) -> Attachment:
    """Records a model from now on; call `step` on what it gives after each step of the optimizer.

    `folder` must not hold a run yet, unless `resume`, which goes on after its last step. `every`, `only`, `buffers`,
    `error` and `when_slow` are the policy (see `Policy`); by default everything is kept exactly. Every
    `checkpoint_every` steps what `rewind` needs is kept. `memory` bounds the bytes of rows under way. `trace` is a URL
    for the values, if they are not to lie in the folder. Where processes share a model by shards, each calls this with
    the same folder; where each has a copy, the first process records. Raises RecordError for what does not fit.
    """
    policy = Policy(every, None if only is None else tuple(only), buffers, error, when_slow)
    return Attachment(model, optimizer, Path(folder), Setup(policy, checkpoint_every, memory, trace, resume))


@dataclass(frozen=True, slots=True)
class Setup:
    """How a loop is recorded: see `attach`. A recording that goes on from a step of another one names both."""

    policy: Policy
    checkpoint_every: int = 0
    memory: int = MEMORY
    trace: str = ""
    resume: bool = False
    parent: Path | None = None
    first: int = 0


PLAIN = Setup(Policy())


class Attachment:
    """A loop that is being recorded. Also a context manager, which closes it."""

    def __init__(
        self, model: nn.Module, optimizer: torch.optim.Optimizer | None, folder: Path, setup: Setup = PLAIN
    ) -> None:
        self.folder, self.setup, self.policy = folder, setup, setup.policy
        self._model, self._optimizer = model, optimizer
        self.position = Position()
        self.skipped = 0
        self._told: dict[str, float] = {}
        self._watched = Watched(model, self.policy.only, self.policy.buffers)
        self._recorder = self._begun()
        self._restage()
        last = self._recorder.last if self._recorder is not None else -1
        self.step_number = last if last >= 0 else setup.first
        if self._recorder is not None and last < 0:
            self._record(self._turned(), always=True)

    @property
    def waited(self) -> float:
        """Seconds that the loop has waited for the disk so far."""
        return self._recorder.waited if self._recorder is not None else 0.0

    def step(self, loss: torch.Tensor | float | None = None, **metrics: torch.Tensor | float) -> None:
        """One step of the optimizer has been taken. Records the parameters, the loss and other scalars.

        Raises RecordError where recording has failed (a full disk); what was recorded before stays.
        """
        self.step_number += 1
        if self._recorder is None:
            return
        told = {"loss": loss, **metrics} if loss is not None else metrics
        values = {name: _scalar(value) for name, value in told.items()}
        self._record({**values, **self._turned()})
        if self.setup.checkpoint_every and self.step_number % self.setup.checkpoint_every == 0:
            self.checkpoint()

    def checkpoint(self) -> None:
        """Keeps what it takes to come back to this step: model, optimizer, random generators, place in the data."""
        kept = {
            "model": dict(self._model.state_dict()),
            "optimizer": self._optimizer.state_dict() if self._optimizer is not None else None,
            "generators": checkpoints.generators(),
            "position": self.position.as_tree(),
        }
        if self._recorder is not None:
            self._recorder.put(Job(task=checkpoints.taken(self.folder, self.step_number, kept)))

    def rewind(self, step: int, folder: Path | str | None = None) -> Attachment:
        """Goes back to the last checkpoint at or before a step, and records what follows as a run of its own.

        The model, the optimizer and the random generators become what they were, and `batches` goes on from there. This
        recording is closed and stays as it is. `folder` is the new one's, by default this one's name with the step.
        """
        self.close()
        there = [at for at in checkpoints.steps(self.folder) if at <= step]
        if not there:
            raise RecordError(f"{self.folder} has no checkpoint at or before step {step}; set checkpoint_every")
        at = there[-1]
        kept = checkpoints.read(self.folder, at)
        self._model.load_state_dict(kept["model"])
        if self._optimizer is not None and kept["optimizer"] is not None:
            self._optimizer.load_state_dict(kept["optimizer"])
        checkpoints.set_generators(kept["generators"])
        new = Path(folder) if folder is not None else self.folder.with_name(f"{self.folder.name}-from-{at}")
        setup = replace(self.setup, parent=self.folder, first=at, resume=False)
        found = Attachment(self._model, self._optimizer, new, setup)
        found.position = self.position
        found.position.go_to(kept["position"], kept["generators"])
        return found

    def batches(self, loader: Iterable[Any], epochs: int = 1) -> Iterator[Any]:
        """The loader's batches over some epochs, with the place in them kept, so that `rewind` can go back to it."""
        return self.position.batches(loader, epochs)

    def recorded(self) -> Attached:
        """What has been recorded so far, to be asked questions."""
        return Attached(self.folder)

    def close(self) -> None:
        """Waits until everything is written. Raises RecordError where that failed; closing twice does nothing."""
        if self._recorder is not None:
            self._recorder.close()

    def __enter__(self) -> Attachment:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begun(self) -> Recorder[Staged] | None:
        """Makes the folder and its journal (the first process does), and opens the store of this process, if any."""
        rank = dist.get_rank() if dist.is_available() and dist.is_initialized() else 0
        if rank and not self._watched.sharded:
            return None
        with disk("making", self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        if rank == 0:
            self._write_journal()
        place = self.setup.trace.rstrip("/") or str(self.folder / TRACE)
        if self._watched.sharded:
            place += f"/{PREFIX}{rank:05d}"
        metrics = self.folder / (METRICS if rank == 0 else f"metrics-{rank:05d}.jsonl")
        return Recorder(place, metrics, self._rounded if self.policy.error else Staged.raw)

    def _write_journal(self) -> None:
        journal = Journal(self.folder)
        if journal.entries and not self.setup.resume:
            raise RecordError(f"{self.folder} holds a run already; name another folder, or pass resume=True to go on")
        journal.open_for_writing()
        if journal.entries:
            journal.append(stamped("session", 0, "ontogeny", environment=environment()))
        else:
            journal.append(stamped(ATTACH, 0, "you", **self._about()))
        journal.close()

    def _about(self) -> dict[str, Any]:
        """What the journal says of the loop."""
        optimizer, parent = self._optimizer, self.setup.parent
        return {
            "id": uuid.uuid4().hex,
            "model": type(self._model).__name__,
            "optimizer": type(optimizer).__name__ if optimizer is not None else "",
            "aliases": self._watched.aliases(),
            "policy": self.policy.as_json(),
            "trace": self.setup.trace,
            "parent": os.path.relpath(parent, self.folder) if parent is not None else None,
            "first": self.setup.first,
            "environment": environment(),
        }

    def _restage(self) -> None:
        """Buffers for the tensors that there are now."""
        layout = self._watched.layout()
        count = max(2, min(MOST_BUFFERS, self.setup.memory // max(1, layout.row_bytes)))
        pinned = any(tensor.is_cuda for tensor in self._watched.tensors())
        self._pool: Pool[Staged] = Pool(layout, lambda: Staged.of(layout, pinned), count)

    def _record(self, metrics: dict[str, float], always: bool = False) -> None:
        recorder = self._recorder
        assert recorder is not None
        if self.step_number % self.policy.every and not always:
            if metrics:
                recorder.put(Job(self.step_number, metrics, task=_nothing))
            return
        if self._watched.changed():
            self._watched.walk()
            self._restage()
        buffer = recorder.buffer(self._pool, self.policy.when_slow == "wait")
        if buffer is None:
            self.skipped += 1
            metrics = {**metrics, "skipped": float(self.skipped)}
            recorder.put(Job(self.step_number, metrics, task=_nothing))
            return
        buffer.fill(self._watched.tensors())
        recorder.put(Job(self.step_number, metrics, self._pool, buffer))

    def _rounded(self, buffer: Staged) -> memoryview:
        row = buffer.memory.numpy()
        round_row(self._pool.layout, np.asarray(row), self.policy.error)
        return buffer.raw()

    def _turned(self) -> dict[str, float]:
        """The optimizer's settings that have changed since the last step, by group."""
        if self._optimizer is None:
            return {}
        present = {
            f"{key}.{number}" if len(self._optimizer.param_groups) > 1 else key: float(value)
            for number, group in enumerate(self._optimizer.param_groups)
            for key, value in group.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
        changed = {name: value for name, value in present.items() if self._told.get(name) != value}
        self._told = present
        return changed


def _scalar(value: torch.Tensor | float) -> float:
    """A number, also of a tensor with one element."""
    return float(value.detach()) if isinstance(value, torch.Tensor) else float(value)


def _nothing() -> None:
    """A job that writes metrics alone."""
