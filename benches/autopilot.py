"""The autopilot beside PBT, ASHA, Schedule-Free AdamW, Prodigy and default AdamW, at equal steps.

Every task begins with a wrong learning rate, 0.1, 1, 10 or 100 times the default, and has three times a run's steps:
the autopilot for all of its forks, PBT and ASHA for all of theirs, every rule by itself for one run. Compared is the
accuracy on a test set that none of them sees, of the state that each would keep (`autopilot_peers.py`). A peer that
does not go by the wrong learning rate is the same for all four. `autopilot_tasks.py` says what the tasks are.
"""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from autopilot_peers import PEERS, measured, tested
from autopilot_tasks import DEFAULT_LR, TASKS, Task
from common import Figures, arguments, close, one_thread, peers

from ontogeny.record.run import Run, create, open_run
from ontogeny.record.runs_folder import RunsFolder
from ontogeny.steer.autopilot.flight import fly
from ontogeny.steer.session import Session

WRONG = (0.1, 1.0, 10.0, 100.0)
TIMES = 3
SAME = ("adamw", "prodigy")
"""Peers that do not go by the wrong learning rate."""
RIVALS = ("schedule_free", "prodigy", "asha", "pbt")
Found = dict[str, dict[tuple[str, float], list[tuple[float, float]]]]


def piloted(task: Task, factor: float, folder: Path) -> tuple[float, float, int]:
    """Test loss and accuracy of what the autopilot keeps, and the steps that it took."""
    data, dials = task.data(), {"lr": factor * DEFAULT_LR}
    create(folder / "run", task.learner(), data, valid=task.valid, dials=dials, options={"threads": 1}).close()
    session = Session(RunsFolder(folder), "run", open=lambda one: open_run(one, data=data))
    report = fly(session, budget=f"{TIMES}x", steps=task.steps, goal=task.goal)
    assert report.steps <= TIMES * task.steps
    return (*measured(_module(task, session.native(report.run), report.step), task.test), report.steps)


def _module(task: Task, run: Run, step: int) -> torch.nn.Module:
    model, state = task.module(), run.state(step)
    tensors = dict(model.named_parameters())
    with torch.no_grad():
        for decl in run.as_of(step).program.named_params():
            flat = state[decl.arena or decl.name].reshape(-1)[decl.offset : decl.offset + decl.type.size]
            tensors[decl.name].copy_(torch.from_numpy(flat.copy()).view(tensors[decl.name].shape))
    return model


def compare(name: str, seed: int, found: Found, steps: list[float]) -> None:
    """All contenders on one task of one seed, from every wrong learning rate."""
    task = TASKS[name](seed)
    budget = TIMES * task.steps
    for factor in WRONG:
        with tempfile.TemporaryDirectory() as folder:
            *figures, taken = piloted(task, factor, Path(folder))
        found["autopilot"][name, factor].append((figures[0], figures[1]))
        steps.append(taken / budget)
        for peer, train in PEERS.items():
            if peer in SAME and factor != WRONG[0]:
                found[peer][name, factor].append(found[peer][name, WRONG[0]][-1])
                continue
            draw = np.random.default_rng([seed, int(10 * factor)])
            found[peer][name, factor].append(tested(train(task, factor * DEFAULT_LR, budget, draw)))
        cells = ", ".join(f"{who} {rows[name, factor][-1][1]:.3f}" for who, rows in found.items())
        print(f"  {name} seed {seed}, {factor:g} x: {cells}", flush=True)


def summary(found: Found, figures: Figures) -> None:
    """Means by task, on how many the autopilot is better than each peer, and how far below AdamW it comes at worst."""
    for name in TASKS:
        for who, rows in found.items():
            cells = [pair for factor in WRONG for pair in rows[name, factor]]
            figures[f"{name}.{who}.accuracy"] = round(statistics.mean(pair[1] for pair in cells), 4)
            losses = [pair[0] for pair in cells if math.isfinite(pair[0])]
            figures[f"{name}.{who}.loss"] = round(statistics.median(losses), 4) if losses else None
    for peer in PEERS:
        figures[f"better_than.{peer}"] = sum(
            figures[f"{name}.autopilot.accuracy"] > figures[f"{name}.{peer}.accuracy"] for name in TASKS
        )
    figures["better_than.all_rivals"] = sum(
        all(
            figures[f"{name}.autopilot.accuracy"] > figures[f"{name}.{peer}.accuracy"]
            for peer in RIVALS
            if peer in PEERS
        )
        for name in TASKS
    )
    worse = {
        (name, factor): 1 - _mean(found["autopilot"][name, factor]) / max(1e-9, _mean(found["adamw"][name, factor]))
        for name in TASKS
        for factor in WRONG
    }
    figures["worst_below_adamw"] = round(max(worse.values()), 4)
    pairs = [
        1 - mine[1] / max(1e-9, theirs[1])
        for cell, rows in found["autopilot"].items()
        for mine, theirs in zip(rows, found["adamw"][cell], strict=True)
    ]
    figures["worst_single_below_adamw"] = round(max(pairs), 4)


def _mean(rows: list[tuple[float, float]]) -> float:
    return statistics.mean(accuracy for _, accuracy in rows)


def main() -> None:
    """One seed, or five with --full."""
    options = arguments(__doc__ or "")
    one_thread()
    found: Found = defaultdict(lambda: defaultdict(list))
    figures: Figures = {}
    shares: list[float] = []
    started = time.perf_counter()
    for seed in range(5 if options.full else 1):
        for name in TASKS:
            compare(name, seed, found, shares)
    summary(found, figures)
    figures["largest_share_of_budget"] = round(max(shares), 4)
    figures["minutes"] = round((time.perf_counter() - started) / 60, 1)
    targets = {f"better_than.{peer}": (">=", 3.0) for peer in RIVALS}
    targets |= {"worst_below_adamw": ("<=", 0.02), "largest_share_of_budget": ("<=", 1.0)}
    close("autopilot", figures, targets, peers("torch", "schedulefree", "prodigyopt"))


if __name__ == "__main__":
    main()
