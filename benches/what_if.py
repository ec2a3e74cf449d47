"""What an answer to "what if" and a count of waste cost, against the bare steps and against training again.

`what-if` leaves four examples out of the second half of a run and replays both sides; training again is what a plain
PyTorch loop has to do for the same answer: both sides from the first step, since it has no state of a later one. The
bits of the answer are held against a run that was made with the smaller batches. `waste` looks at three steps.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from common import Figures, interleaved, of_tasks, ratio, show_times
from explain import replaying
from models import GPT_TASK, MLP_TASK, MODULAR_TASK, Task, tensors
from replay import data_of

import ontogeny as og
from ontogeny.ask.alternative import alternative, kept
from ontogeny.ask.waste import waste
from ontogeny.data.without import Without

STEPS, EVERY, FROM = 24, 8, 8
GONE = (0, 1, 2, 3)


def main() -> None:
    """A short run of each model in a folder that is thrown away."""
    of_tasks("what_if", __doc__ or "", (MODULAR_TASK, MLP_TASK), (GPT_TASK,), measure, 5, "differing_hashes")


def measure(task: Task, folder: Path, rounds: int, figures: Figures) -> None:
    """The figures of one model."""
    run = og.create(folder / "run", task.capture(), data_of(task), keyframe_every=EVERY)
    run.advance(STEPS)
    other = alternative(run, without=GONE, start=FROM)
    figures[f"smaller_batches.{task.name}"] = len(other.touched)
    with kept(run, other, folder / "kept") as child:
        figures[f"differing_hashes.{task.name}"] = int(og.what_if(run, without=GONE, start=FROM).hash != child.hash())
    contenders: dict[str, Callable[[], object]] = {
        "replay": replaying(run),
        "what_if": lambda: og.what_if(run, without=GONE, start=FROM),
        "training_again": training_again(task),
        "waste": lambda: waste(run, samples=3),
    }
    times = interleaved(contenders, rounds, warm=1)
    show_times(f"{task.name}, {STEPS - EVERY} of {STEPS} steps", times)
    figures[f"what_if_over_replay.{task.name}"] = ratio(times, "what_if", ["replay"])
    figures[f"what_if_over_training_again.{task.name}"] = ratio(times, "what_if", ["training_again"])
    figures[f"waste_over_replay.{task.name}"] = ratio(times, "waste", ["replay"])
    run.close()


def training_again(task: Task) -> Callable[[], object]:
    """Both sides in plain PyTorch from the first step on."""
    data = data_of(task)
    smaller = Without(data, GONE)
    batches = [tensors(data.batch(step)) for step in range(STEPS)]
    others = [tensors((smaller if step >= FROM else data).batch(step)) for step in range(STEPS)]

    def work() -> None:
        for side in (batches, others):
            model = task.model()
            optimizer = torch.optim.AdamW(model.parameters(), **task.rule, fused=True)
            for batch in side:
                optimizer.zero_grad()
                task.loss(model, batch)["loss"].backward()
                optimizer.step()

    return work


if __name__ == "__main__":
    main()
