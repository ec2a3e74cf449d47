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
import torch.distributed as dist

from ontogeny.isa.errors import RecordError
from ontogeny.machine.compiled.convert import to_numpy
from ontogeny.record.attach.attached import ATTACH, METRICS, TRACE
from ontogeny.record.attach.policy import Setup, round_row
from ontogeny.record.attach.recorder import Recorder
from ontogeny.record.attach.staging import Staged
from ontogeny.record.attach.watched import Watched
from ontogeny.record.disk import RecordWarning, disk
from ontogeny.record.environment import environment
from ontogeny.record.journal import Journal, stamped
from ontogeny.record.lock import Lock
from ontogeny.record.trace.layout import Layout
from ontogeny.record.trace.reader import TraceReader
from ontogeny.record.trace.sharded import PREFIX
from ontogeny.record.trace.storage import Buffer


@dataclass(eq=False)
class Opened:
    """What this process writes with, and the last step that all processes have behind them; -1 for none.

    It is closed at the latest when the interpreter ends.
    """

    recorder: Recorder[Staged]
    lock: Lock | None
    last: int

    def __post_init__(self) -> None:
        atexit.register(self.close)

    def close(self) -> None:
        """Waits until everything is written and lets go of the folder."""
        atexit.unregister(self.close)
        try:
            self.recorder.close()
        finally:
            if self.lock is not None:
                self.lock.release()


def rank() -> int:
    """Which of the processes this is."""
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


def open_record(folder: Path, setup: Setup, watched: Watched, about: dict[str, Any]) -> Opened | None:
    """Opens the record for this process; None where another process records for it.

    Where a model is sharded all processes take part, and all raise what one of them did.
    """
    if not watched.sharded:
        return _opened(folder, setup, watched, about) if rank() == 0 else None
    found: Opened | None = None
    try:
        found, said = _opened(folder, setup, watched, about), None
    except RecordError as error:
        said = str(error)
    all_said: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(all_said, (said, found.last if found is not None else -1))
    if wrong := [text for text, _ in all_said if text is not None]:
        if found is not None:
            found.close()
        raise RecordError(said or f"another process could not record: {wrong[0]}")
    assert found is not None
    found.last = max(last for _, last in all_said)
    return found


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
        if number == 0:
            _write(folder, setup, {**about, "aliases": watched.aliases()}, recorder.last, differs)
        return Opened(recorder, lock, max(recorder.last, recorder.last_told))
    except BaseException:
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


def _write(folder: Path, setup: Setup, about: dict[str, Any], last: int, differs: bool) -> None:
    """The first line of the journal, or a line that another session begins."""
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
