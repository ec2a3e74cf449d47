"""What keeping every step costs: bytes, bits that differ on replay, and the share of a step's time.

Compared with writing the raw f32 state (parameters and AdamW's two moments) at every step, which is what one must keep
to go on from any of them, and with the parameters alone. A run folder's bytes are all of it, the data set and step 0
included, which weigh much in a run as short as these; so there is also what each further stretch of K steps adds, a
keyframe and its rows. Replay happens in a fresh process, which is given states that this one noted. Shares are measured
with a keyframe every 64 steps, and `chosen` where the run chooses by measuring, as it does unless told otherwise;
the loop with everything in it is held against the bare machine on the same batches.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from common import Figures, Targets, arguments, close, interleaved, one_thread, peers, python, ratio
from models import GPT_TASK, MLP_TASK, MODULAR_TASK, Task

import ontogeny as og
from ontogeny.machine.compiled import CompiledMachine
from ontogeny.record.hashing import StateHasher
from ontogeny.record.keeper import Keeper
from ontogeny.record.rows import HASHES, METRICS

EVERY = 64
TURN = 0.25
"""Seconds of one turn of the loop and of the bare machine, so that what an `advance` costs at its end weighs little."""
STEPS = {"modular": 256, "gpt": 64, "mlp": 256}
FRESH = """
import sys, numpy as np, torch
torch.set_num_threads(1)
import ontogeny as og
run, noted = og.open_run(sys.argv[1]), np.load(sys.argv[2])
bits = 0
for step in {key.split(":")[0] for key in noted.files}:
    for name, values in run.state(int(step)).items():
        one, two = (np.ascontiguousarray(a).reshape(-1).view("u1") for a in (noted[f"{step}:{name}"], values))
        bits += int(np.bitwise_count(one ^ two).sum())
print(bits, run.verify().ok)
"""


def main() -> None:
    """A run of each model in a folder that is thrown away."""
    options = arguments(__doc__ or "")
    one_thread()
    figures: Figures = {}
    targets: Targets = {}
    for task in (MODULAR_TASK, MLP_TASK, GPT_TASK):
        with tempfile.TemporaryDirectory() as folder:
            measure(task, Path(folder), STEPS[task.name] * (4 if options.full else 1), figures)
        targets[f"fewer_bytes.{task.name}"] = (">=", 25)
        targets[f"differing_bits.{task.name}"] = ("<=", 0)
        targets[f"added_bytes_fewer_than_parameters_alone.{task.name}"] = (">=", 25)
        targets[f"recording_share.{task.name}"] = ("<=", 0.05)
        targets[f"recording_share_chosen.{task.name}"] = ("<=", 0.05)
    close("replay", figures, targets, peers("torch", "zstandard", "xxhash"))


def measure(task: Task, folder: Path, steps: int, figures: Figures) -> None:
    """The figures of one model."""
    run = og.create(folder / "run", task.capture(), data_of(task), keyframe_every=EVERY)
    run.advance(2)
    noted = sorted({1 + EVERY // 2, EVERY - 1, steps - EVERY // 3})
    states: dict[str, Any] = {}

    def note(step: int, _: object) -> None:
        if step in noted:
            states.update({f"{step}:{name}": values for name, values in run._seat.machine.state().items()})

    spent, total = recorded(lambda: run.advance(steps - 2, on_step=note))
    run.close()
    name = task.name
    chosen(task, folder / "chosen", steps, figures)
    for what, seconds in spent.items():
        figures[f"{what}_share.{name}"] = round(seconds / total, 4)
    figures[f"recording_share.{name}"] = round(sum(spent.values()) / total, 4)
    bytes_of(run, figures, name)
    np.savez(folder / "noted.npz", **states)
    figures[f"differing_bits.{name}"] = replayed(folder)
    kept = {key.rsplit(".", 1)[0]: value for key, value in figures.items() if key.endswith(f".{name}")}
    print(f"  {name}, {steps} steps of {1000 * total / (steps - 2):.3f} ms of CPU: {kept}", flush=True)


def data_of(task: Task) -> og.Arrays:
    """Eight batches' worth of examples."""
    drawn = task.batches(8)
    joined = {name: np.concatenate([batch[name] for batch in drawn]) for name in drawn[0]}
    return og.Arrays(joined, batch_size=len(next(iter(drawn[0].values()))))


def bytes_of(run: og.Run, figures: Figures, name: str) -> None:
    """How many times fewer bytes the folder holds than raw f32 at every step."""
    folder = sum(path.stat().st_size for path in run.folder.rglob("*") if path.is_file())
    kept = list(run.program.kept())
    raw = sum(decl.type.size * 4 for decl in kept if decl.type.size > 1)
    params = sum(decl.type.size * 4 for decl in kept if decl.kind == "param")
    states = run.step + 1
    figures[f"folder_bytes.{name}"] = folder
    figures[f"fewer_bytes.{name}"] = round(states * raw / folder, 1)
    figures[f"fewer_bytes_than_parameters_alone.{name}"] = round(states * params / folder, 1)
    rows = sum((run.folder / file).stat().st_size for file in (HASHES, METRICS)) / run.step
    last = run.history.own.keyframes.sizes()[EVERY * (run.step // EVERY)]
    figures[f"added_bytes_fewer_than_parameters_alone.{name}"] = round(EVERY * params / (last + EVERY * rows), 1)


def chosen(task: Task, folder: Path, steps: int, figures: Figures) -> None:
    """The figures of a run that chooses the spacing of its keyframes."""
    run = og.create(folder, task.capture(), data_of(task))
    run.advance(2)
    spent, total = recorded(lambda: run.advance(steps - 2))
    figures[f"recording_share_chosen.{task.name}"] = round(sum(spent.values()) / total, 4)
    machine, data, dials = CompiledMachine(run.program, threads=1), run.data, run.dials()
    machine.load(run.state(0))
    turn, at = max(16, int(TURN * steps / total)), iter(range(1 << 30))
    times = interleaved(
        {
            "loop": lambda: run.advance(turn),
            "machine": lambda: [machine.call("learn", data.batch(next(at)), dials) for _ in range(turn)],
        },
        warm=1,
    )
    figures[f"loop_over_machine.{task.name}"] = ratio(times, "loop", ["machine"])
    kept = run.keyframes()
    figures[f"spacing_chosen.{task.name}"] = kept.spacing
    figures[f"worst_rewind_seconds.{task.name}"] = kept.worst_seconds and round(kept.worst_seconds, 2)
    run.close()


def replayed(folder: Path) -> int:
    """Differing bits in a fresh process; raises where `verify` there finds a hash that differs."""
    bits, verified = python(FRESH, str(folder / "run"), str(folder / "noted.npz"))[2].split()
    if verified != "True":
        raise RuntimeError("verify found a step whose hash differs in a fresh process")
    return int(bits)


def recorded(work: Callable[[], object]) -> tuple[dict[str, float], float]:
    """CPU seconds that went into hashing and keyframes during `work`, and all of its CPU seconds."""
    spent = {"hashing": 0.0, "keyframe": 0.0}
    with (
        timed(CompiledMachine, "view", spent, "hashing"),
        timed(StateHasher, "row", spent, "hashing"),
        timed(Keeper, "keep", spent, "keyframe"),
    ):
        started = time.process_time()
        work()
        return spent, time.process_time() - started


@contextmanager
def timed(owner: type, method: str, spent: dict[str, float], key: str) -> Iterator[None]:
    """Adds the CPU time of every call of a method to `spent[key]`."""
    plain = getattr(owner, method)

    def wrapped(*args: Any) -> Any:
        started = time.process_time()
        try:
            return plain(*args)
        finally:
            spent[key] += time.process_time() - started

    setattr(owner, method, wrapped)
    try:
        yield
    finally:
        setattr(owner, method, plain)


if __name__ == "__main__":
    main()
