"""What it takes to say which examples are memorised, exactly: addition mod 97, every example left out by itself.

The run is the one of `benches/models.py` with embeddings of 0.02, 40% of the pairs, 140 steps, recorded in exact and in
fast mode. Each example left out is a replay in the run's own mode; of one, the last state is held against `what_if`'s,
bit for bit. The rate on some examples is carried over to all 3,763 and two cores, each with one thread; `--full` leaves
out all of them in fast mode, with two processes, and says how long that took by the clock as well.

Beside it what a recall of all items takes, and with `--full` the estimate by subsets against exact answers.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from common import Figures, Targets, arguments, close, one_thread, peers

import ontogeny as og
from ontogeny.ask.left_out import Replays, in_all, left_out
from ontogeny.ask.subsets import agreement, by_subsets
from ontogeny.claims.tasks.modular import Transformer, loss, pairs
from ontogeny.record.hashing import shown
from ontogeny.record.run import Run

STEPS, BATCH, CORES, SEED = 140, 1024, 2, 1
SOME = {"exact": 6, "fast": 20}
FEW, RETRAININGS, SHARE = 12, 24, 0.9


def main() -> None:
    """Both modes in folders that are thrown away."""
    options = arguments(__doc__ or "")
    one_thread()
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for mode, count in SOME.items():
            with recorded(Path(folder) / mode, mode) as run:
                if mode == "fast":
                    warm(run)
                rate(run, mode, count, figures)
                if mode == "exact":
                    recalling(run, figures)
                    if options.full:
                        estimating(run, figures)
                elif options.full:
                    everything(run, figures)
    names = [name for name in figures if name.startswith("hours_for_all")]
    targets: Targets = dict.fromkeys(names, ("<=", 1.0))
    targets |= {name: ("<=", 0) for name in figures if name.startswith("differing_hashes")}
    close("recall", figures, targets, peers("torch"))


def recorded(folder: Path, mode: str) -> Run:
    """The modular task, learnt to the end."""
    train, valid = pairs(97, 0.4, 0)
    torch.manual_seed(SEED)
    model = Transformer()
    torch.nn.init.normal_(model.embed.weight, std=0.02)
    rule = og.adamw(lr=1.5e-2, weight_decay=1.0, betas=(0.9, 0.98))
    example = {name: array[:BATCH] for name, array in train.items()}
    learner = og.capture(model, loss, rule, example, valid=valid)
    held_out = {f"valid.{name}": array for name, array in valid.items()}
    options = {"mode": mode, "threads": 1}
    run = og.create(folder, learner, og.Arrays(train, BATCH, seed=SEED), valid=held_out, options=options)
    run.advance(STEPS)
    return run


def warm(run: Run) -> None:
    """Compiles the step at the two sizes of a batch."""
    left_out(run, [0], at=(4,))


def rate(run: Run, mode: str, count: int, figures: Figures) -> None:
    """CPU seconds of a replay, and one replay's bits beside what_if's."""
    chosen = np.random.default_rng(3).choice(len(run.data), count, replace=False).tolist()  # type: ignore[arg-type]
    began = time.process_time()
    found = left_out(run, chosen)
    seconds = (time.process_time() - began) / count
    whole = in_all(found)
    figures[f"seconds_for_one.{mode}"] = round(seconds, 3)
    figures[f"hours_for_all.{mode}"] = round(seconds * len(run.data) / CORES / 3600, 3)  # type: ignore[arg-type]
    figures[f"memorised.{mode}"] = round(whole.memorised, 4)
    figures[f"lost_by_chance.{mode}"] = round(whole.by_chance, 4)
    figures[f"differing_hashes.{mode}"] = int(last_hash(run, chosen[0]) != og.what_if(run, without=[chosen[0]]).hash)
    print(f"  {mode}: {seconds:.2f} s of CPU for one; of {count} {whole}", flush=True)


def last_hash(run: Run, number: int) -> str:
    """The hash of the last state of the replay that leaves an example out."""
    replays = Replays(run, (run.step,))
    list(replays([number]))
    return shown(run.history.hasher.row(replays.other.state()))


def recalling(run: Run, figures: Figures) -> None:
    """CPU seconds of a recall of all items, beside the steps that the run took."""
    began = time.process_time()
    found = og.recall(run)
    figures["seconds_of_recall"] = round(time.process_time() - began, 3)
    figures["exact_items"] = round(float(found.items.exact.mean()), 4)


def estimating(run: Run, figures: Figures) -> None:
    """The estimate by subsets, and how far from exact it is on a few examples."""
    began = time.process_time()
    estimated = by_subsets(run, RETRAININGS, SHARE)
    figures["seconds_of_estimate"] = round(time.process_time() - began, 1)
    chosen = np.random.default_rng(4).choice(estimated.numbers, FEW, replace=False).tolist()
    both = agreement(estimated, left_out(run, chosen))
    if both is not None:
        figures["estimate_correlation"] = round(both.correlation, 3)
        figures["estimate_bias"], figures["estimate_error"] = round(both.bias, 3), round(both.error, 3)
    figures["estimate_standard_error"] = round(float(np.nanmean(estimated.needed_error)), 3)


def everything(run: Run, figures: Figures) -> None:
    """Every example left out, by two processes, and the hours by the clock."""
    began = time.perf_counter()
    found = left_out(run, range(len(run.data)), workers=CORES)  # type: ignore[arg-type]
    figures["hours_for_all.clock"] = round((time.perf_counter() - began) / 3600, 3)
    whole = in_all(found)
    figures["memorised.all"], figures["memorised.low"] = round(whole.memorised, 4), round(whole.low, 4)
    figures["memorised.high"] = round(whole.high, 4)
    figures["lost_by_chance.all"] = whole.by_chance


if __name__ == "__main__":
    main()
