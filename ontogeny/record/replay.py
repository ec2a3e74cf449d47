"""Computing a state again: from the keyframe before it, comparing the hash of every step with the recorded one."""

from __future__ import annotations

from collections.abc import Iterator

from ontogeny.isa.errors import RecordError
from ontogeny.machine.base import Machine
from ontogeny.record.hashing import shown
from ontogeny.record.history import History
from ontogeny.record.stepper import Stepper, view


def to_step(machine: Machine, history: History, stepper: Stepper, step: int) -> None:
    """Brings a machine to the state of `step`. Raises RecordError at the first step whose hash differs."""
    at, state = history.nearest(step)
    machine.load(state)
    for _ in walk(machine, history, stepper, at, step):
        pass


def walk(machine: Machine, history: History, stepper: Stepper, first: int, last: int) -> Iterator[int]:
    """Takes a machine that holds the state of `first` on to `last`, and stands at each step between, both included.

    Raises RecordError at the first step whose hash is not the recorded one.
    """
    at = first
    yield at
    while at < last:
        stepper.take(machine, at)
        at += 1
        recorded, row = history.hash_row(at), history.hasher.row(view(machine))
        if recorded is not None and recorded[:8] != row[:8]:
            names = ", ".join(history.hasher.differing(recorded, row)) or "some register"
            raise RecordError(
                f"replay differs from the record at step {at} in {names} (hash {shown(row)}, recorded "
                f"{shown(recorded)}): the record was damaged or computed elsewhere; verify() says more, "
                "and earlier steps can be forked"
            )
        yield at
