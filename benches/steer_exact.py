"""Random scripts of steering, and a straight replay of the journals that they leave, hash by hash.

A script is twenty commands of a seeded draw, taken by one session: steps, going back, marks, forks, dials at once
and over steps, alterations, edits of the rule, examples left out, learned also, mixed in and forgotten, switching,
discarding, taking back, undoing; now and then another session takes over. Every tenth script goes to a live process
between whose steps they fall. The learner has dropout. Afterwards everything but journals, programs, data and the state
at step 0 is thrown away in a copy of the folder, all runs are computed again there from the beginning, and the hash of
every step of every run is compared. A command that is refused in words counts as refused, not as wrong.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import Figures, arguments, close, one_thread, peers
from torch import nn

import ontogeny as og
from ontogeny.isa.errors import OntogenyError
from ontogeny.record.run import open_run
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.live.client import Client, find
from ontogeny.steer.live.launch import start
from ontogeny.steer.registry import command
from ontogeny.steer.session import Session

SCRIPTS, MANY = 60, 1000
COMMANDS = 20
LIVE_EVERY = 10
EXAMPLES = 96
KEPT = ("journal.jsonl", "program.onto", "data", "added")
"""What of a run's folder is truth, beside the state at step 0 of a root."""
SMALL = 3e-4
ANOTHER = 0.05
"""The chance that another session takes over before a command."""


def main() -> None:
    """All scripts, a folder each."""
    options = arguments(__doc__ or "")
    one_thread()
    with tempfile.TemporaryDirectory() as home:
        first = Path(home, "first")
        begin(first / "one")
        total: Counter[str] = Counter()
        started = time.perf_counter()
        for seed in range(MANY if options.full else SCRIPTS):
            total += script(first, Path(home, "runs"), seed)
        seconds = time.perf_counter() - started
    figures: Figures = {**total, "seconds": round(seconds)}
    figures |= {name: total[name] for name in ("different_states", "unexpected")}
    for name, value in figures.items():
        print(f"  {name:20} {value}")
    close("steer_exact", figures, {"different_states": ("<=", 0), "unexpected": ("<=", 0)}, peers("torch"))


def begin(folder: Path) -> None:
    """A run at step 0 of a small network with dropout."""
    torch.manual_seed(0)
    draw = np.random.default_rng(0)
    x = draw.normal(size=(EXAMPLES, 6)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] > 0).astype(np.int64)
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 2))

    def loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        scores = model(batch["x"])
        accuracy = (scores.argmax(-1) == batch["y"]).float().mean()
        return {"loss": nn.functional.cross_entropy(scores, batch["y"]), "accuracy": accuracy}

    batch = {"x": x[:16], "y": y[:16]}
    learner = og.capture(model, loss, og.adamw(lr=1e-2), batch, valid=batch, name="one")
    og.create(folder, learner, og.Arrays({"x": x, "y": y}, batch_size=16), valid=batch, evaluate_every=5).close()


def script(first: Path, runs: Path, seed: int) -> Counter[str]:
    """One script in a fresh folder: how many commands were taken, how many states compared, how many differ."""
    shutil.rmtree(runs, ignore_errors=True)
    shutil.copytree(first, runs)
    told: Counter[str] = Counter(scripts=1)
    draw = random.Random(seed)
    live = seed % LIVE_EVERY == LIVE_EVERY - 1
    client = start(runs / "one", ["live", str(runs / "one"), "--serve", "--paused"]) if live else None
    session = Session(RunsFolder(runs), "one", host=find if live else lambda folder: None)
    for _ in range(COMMANDS):
        name, given = drawn(draw, session)
        if draw.random() < ANOTHER:
            session = Session(session.runs, session.position.folder.name, host=find if live else lambda folder: None)
        try:
            session.do(command(name, given))
            told["commands"] += 1
        except OntogenyError:
            told["refused"] += 1
        except Exception as error:
            print(f"  script {seed}: {name} {given}: {type(error).__name__}: {error}")
            told["unexpected"] += 1
    if client is not None:
        end(client)
        session.let_go()
        told["live"] += 1
    return told + compared(runs, seed)


def end(client: Client) -> None:
    """Ends the live process, and waits until it has let go of its run."""
    with client:
        client.do(command("stop"))
    while Path(client.address.socket).exists():
        time.sleep(0.01)


def drawn(draw: random.Random, session: Session) -> tuple[str, dict[str, Any]]:
    """A command and its arguments."""
    tensor = draw.choice(["0.weight", "0.bias", "3.weight", "*.bias"])
    step = draw.randrange(0, session.recording().step + 1)
    runs = [folder.name for folder in session.runs.all()]
    choices: list[tuple[int, str, dict[str, Any]]] = [
        (8, "run", {"steps": draw.randint(1, 9)}),
        (1, "run", {"until": "accuracy >= 0.9", "steps": 8}),
        (4, "back", {"to": str(step)}),
        (1, "back", {"to": f"-{draw.randint(1, 5)}"}),
        (1, "mark", {"name": f"mark {step}"}),
        (2, "fork", {"at": str(step)}),
        (3, "set", {"dial": "lr", "by": draw.choice([0.5, 2.0, 0.1])}),
        (1, "set", {"dial": "decay", "to": draw.random()}),
        (2, "set", {"dial": "lr", "to": draw.uniform(SMALL, 0.03), "over": draw.randint(1, 12), "shape": "cosine"}),
        (2, "alter", {"how": "noise", "tensors": [tensor], "amount": 0.1, "seed": step}),
        (1, "alter", {"how": "prune", "tensors": [tensor], "amount": 0.3, "and_state": True}),
        (1, "alter", {"how": "reset", "tensors": [tensor]}),
        (1, "rule", {"edit": "sgd", "arguments": {"lr": 0.05}}),
        (1, "rule", {"edit": "clip", "arguments": {"norm": 1.0}}),
        (1, "rule", {"edit": "update_sign", "arguments": {"lr": 0.003}}),
        (1, "freeze", {"tensors": [tensor]}),
        (1, "unfreeze", {"tensors": [tensor]}),
        *of_data(draw),
        (5, "undo", {}),
        (1, "switch", {"run": draw.choice(runs)}),
        (1, "discard", {"run": draw.choice(runs)}),
        (1, "take-back", {"run": draw.choice(away(session) or ["none"])}),
        (1, "pause", {}),
        (1, "resume", {}),
    ]
    _, name, given = draw.choices(choices, [weight for weight, _, _ in choices])[0]
    return name, given


def of_data(draw: random.Random) -> list[tuple[int, str, dict[str, Any]]]:
    """Commands that change what the batches hold."""
    first = draw.randrange(0, EXAMPLES - 8)
    some = draw.choice([f"{first}:{first + 8}", f"{first}", f"{first},{first + 5}", "y=1"])
    fresh = {"x": [[draw.gauss(0, 1) for _ in range(6)] for _ in range(3)], "y": [0, 1, 1]}
    return [
        (2, "leave-out", {"examples": some}),
        (1, "learn-again", {"examples": some}),
        (2, "learn", {"examples": some, "rows": draw.randint(1, 4)}),
        (1, "learn", {"values": fresh, "rows": 2}),
        (1, "stop-learning", {}),
        (2, "mix", {"examples": some, "share": draw.choice([0.125, 0.25, 0.5])}),
        (1, "mix", {"examples": some, "share": 0.0}),
        (1, "forget", {"examples": some}),
    ]


def away(session: Session) -> list[str]:
    """The runs that were discarded."""
    folder = session.runs.root / ".discarded"
    return sorted(one.name for one in folder.iterdir()) if folder.is_dir() else []


def compared(runs: Path, seed: int) -> Counter[str]:
    """Every state of every run against the same computed again from the journals alone."""
    told: Counter[str] = Counter()
    bare = runs.with_name("bare")
    shutil.rmtree(bare, ignore_errors=True)
    folders = sorted(RunsFolder(runs).all(), key=lambda folder: (folder / "journal.jsonl").stat().st_ctime_ns)
    for folder in folders:
        (bare / folder.name).mkdir(parents=True)
        for name in KEPT:
            if (folder / name).is_dir():
                shutil.copytree(folder / name, bare / folder.name / name)
            elif (folder / name).exists():
                shutil.copy(folder / name, bare / folder.name / name)
    shutil.copytree(runs / "one" / "keyframes", bare / "one" / "keyframes", ignore=_all_but_first)
    pending = {folder.name: open_run(folder) for folder in folders}
    for name in sorted(pending, key=lambda name: len(_lineage(pending, name))):
        made, again = pending[name], open_run(bare / name)
        with again:
            again.advance(made.step - again.step)
        for step in range(made.base + 1, made.step + 1):
            told["states"] += 1
            if made.hash(step) != again.hash(step):
                told["different_states"] += 1
                print(f"  script {seed}: {name} differs at step {step}")
                break
    return told


def _all_but_first(folder: str, names: list[str]) -> list[str]:
    """The keyframes that are not the state at step 0."""
    return [name for name in names if not name.startswith("0" * 6) or int(name.split(".")[0]) != 0]


def _lineage(runs: dict[str, Any], name: str) -> tuple[Any, ...]:
    """A run's ancestors, so that they are computed before it."""
    path: tuple[Any, ...] = runs[name]._lineage.path
    return path


if __name__ == "__main__":
    main()
