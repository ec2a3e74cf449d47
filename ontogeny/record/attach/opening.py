"""Opening the record of a loop: one writer of a folder, its journal, and all processes of a model at one step."""

from __future__ import annotations

import atexit
import os
import uuid
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ontogeny.isa.errors import RecordError
from ontogeny.machine.compiled.convert import to_numpy
from ontogeny.record.attach.attached import ATTACH, METRICS, TRACE
from ontogeny.record.attach.checkpoints import ALONE, Part
from ontogeny.record.attach.policy import Setup, round_row
from ontogeny.record.attach.processes import count, gathered, rank, together
from ontogeny.record.attach.recorder import Job, Recorder, Task
from ontogeny.record.attach.staging import Staged
from ontogeny.record.attach.watched import Watched
from ontogeny.record.disk import RecordWarning, disk
from ontogeny.record.environment import environment
from ontogeny.record.journal import Journal, stamped
from ontogeny.record.lock import Lock
from ontogeny.record.trace.background import Background
from ontogeny.record.trace.layout import Layout
from ontogeny.record.trace.reader import TraceReader
from ontogeny.record.trace.sharded import PREFIX
from ontogeny.record.trace.storage import Buffer


@dataclass(eq=False)
class Opened:
    """What this process writes with, and the last step that it has behind it; -1 for none.

    `session` says how often the folder has been written, where this process knows. It is closed at the latest when the
    interpreter ends.
    """

    recorder: Recorder[Staged]
    lock: Lock | None
    last: int
    session: int = 0

    def __post_init__(self) -> None:
        atexit.register(self.close)

    def keep(self, step: int, task: Task) -> None:
        """Writes a checkpoint."""
        self.recorder.put(Job(step, task=task))

    def close(self) -> None:
        """Waits until everything is written and lets go of the folder."""
        atexit.unregister(self.close)
        try:
            self.recorder.close()
        finally:
            if self.lock is not None:
                self.lock.release()


class Follower:
    """What a process writes with that trains a copy of what the first one records: its own part of checkpoints.

    `last` and `session` are for the first to say. It is closed at the latest when the interpreter ends.
    """

    last, session = -1, 0

    def __init__(self) -> None:
        self._background: Background | None = Background("ontogeny-checkpoints")
        self._process = os.getpid()
        atexit.register(self.close)

    def keep(self, step: int, task: Task) -> None:
        """Writes a checkpoint, once the one before it is written. Raises RecordError where that one failed."""
        if self._background is None or os.getpid() != self._process:
            raise RecordError(f"this recording is closed, or that of process {self._process}; step {step} is not kept")
        self._background.begin(task)

    def close(self) -> None:
        """Waits until everything is written. Raises RecordError where that failed; closing twice does nothing."""
        atexit.unregister(self.close)
        if self._background is None or os.getpid() != self._process:
            return
        background, self._background = self._background, None
        try:
            background.settle()
        finally:
            background.stop()


@dataclass(frozen=True, slots=True)
class Opening:
    """What this process writes with, None for nothing; the last step that all have behind them, and its checkpoints."""

    writes: Opened | Follower | None
    last: int
    part: Part


def open_record(folder: Path, setup: Setup, watched: Watched, about: dict[str, Any]) -> Opening:
    """Opens the record for this process.

    Where a model is sharded, or there are copies and checkpoints, all processes take part and all raise what one did.
    """
    records = watched.sharded or rank() == 0
    if count() == 1 or not (watched.sharded or setup.checkpoint_every):
        alone = _opened(folder, setup, watched, about) if records else None
        return Opening(alone, -1 if alone is None else alone.last, ALONE)
    opened: list[Opened | Follower] = []
    try:
        together(lambda: opened.append(_opened(folder, setup, watched, about) if records else Follower()))
    except BaseException:  # one that opened while another could not
        for one in opened:
            one.close()
        raise
    said = gathered((opened[0].last, opened[0].session))
    return Opening(opened[0], max(last for last, _ in said), Part(rank(), count(), said[0][1]))


def _opened(folder: Path, setup: Setup, watched: Watched, about: dict[str, Any]) -> Opened:
    with disk("making", folder):
        folder.mkdir(parents=True, exist_ok=True)
    number = rank()
    lock = Lock(folder) if number == 0 else None
    recorder: Recorder[Staged] | None = None
    try:
        if number == 0:
            _admit(folder, setup.resume)
        place = setup.trace.rstrip("/") or str(folder / TRACE)
        place += f"/{PREFIX}{number:05d}" if watched.sharded else ""
        told = folder / (METRICS if number == 0 else f"metrics-{number:05d}.jsonl")
        recorder = Recorder(place, told, _rounding(setup.policy.error))
        if recorder.last >= 0 and not setup.resume:
            raise RecordError(f"{place} holds trajectories already; name another place, or pass resume=True to go on")
        differs = setup.policy.error == 0 and _differs(place, recorder.last, watched)
        about = {**about, "aliases": watched.aliases()}
        session = _write(folder, setup, about, recorder.last, differs) if number == 0 else 0
        return Opened(recorder, lock, max(recorder.last, recorder.last_told), session)
    except BaseException:  # nobody is left who would close them
        if recorder is not None:
            recorder.close()
        if lock is not None:
            lock.release()
        raise


def _admit(folder: Path, resume: bool) -> None:
    """Raises RecordError where the folder holds what this recording may not go on with."""
    entries = Journal(folder).entries
    if entries and entries[0].kind != ATTACH:
        raise RecordError(f"{folder} holds a run of a program, not a recorded loop; name another folder")
    if entries and not resume:
        raise RecordError(f"{folder} holds a run already; name another folder, or pass resume=True to go on")


def _write(folder: Path, setup: Setup, about: dict[str, Any], last: int, differs: bool) -> int:
    """The first line of the journal, or a line that another session begins; how many lines there are then."""
    journal = Journal(folder)
    journal.open_for_writing()
    policy = setup.policy.as_json()
    if journal.entries:
        journal.append(
            stamped("session", max(last, 0), "ontogeny", policy=policy, differs=differs, environment=environment())
        )
    else:
        parent = os.path.relpath(setup.parent, folder) if setup.parent is not None else None
        place = {"policy": policy, "trace": setup.trace, "parent": parent, "first": setup.first}
        journal.append(stamped(ATTACH, 0, "you", id=uuid.uuid4().hex, **about, **place, environment=environment()))
    journal.close()
    return len(journal.entries)


def _differs(place: str, last: int, watched: Watched) -> bool:
    """Whether the model is another than at the last recorded step, by a few elements of each tensor; warns if so."""
    if last < 0:
        return False
    reader = TraceReader(place)
    for name, tensor in zip(watched.named, watched.tensors(), strict=True):
        if name not in reader.tensors or not tensor.numel() or reader.tensors[name].size != tensor.numel():
            continue
        places = np.unique([0, tensor.numel() // 2, tensor.numel() - 1])
        present = to_numpy(tensor.detach().reshape(-1)[torch.as_tensor(places, device=tensor.device)].cpu())
        if reader.lines(name, places)[1][-1].tobytes() != present.tobytes():
            warnings.warn(
                f"{name} is not what it was at the last recorded step {last} of {place}; the record goes on from there "
                f"with a jump. To go on without one, load the model's values of that step first",
                RecordWarning,
                stacklevel=2,
            )
            return True
    return False


def _rounding(error: float) -> Any:
    """What makes bytes of a filled buffer, rounded where the policy allows an error."""

    def raw(layout: Layout, buffer: Staged) -> Buffer:
        if error:
            round_row(layout, np.asarray(buffer.memory.numpy()), error)
        return buffer.raw()

    return raw
