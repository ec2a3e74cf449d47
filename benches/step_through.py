"""The machine that can stop at any instruction (step mode, nobody watching), against torch eager with fused AdamW."""

from __future__ import annotations

from common import Figures, Targets, arguments, close, interleaved, one_thread, peers, ratio, show_times
from models import GPT_TASK, MLP_TASK, captured_step, eager_step

LIMITS = {"gpt": 1.25, "mlp": 3.0}


def main() -> None:
    """Measures both models."""
    options = arguments(__doc__ or "")
    one_thread()
    figures: Figures = {}
    targets: Targets = {}
    for task in (GPT_TASK, MLP_TASK):
        learner = task.capture()
        contenders = {"step": captured_step(task, learner, mode="step"), "eager": eager_step(task)}
        times = interleaved(contenders, 21 if options.full else 9)
        show_times(f"{task.name}, {len(learner.program.routine('learn').body)} instructions", times)
        figures[f"step_over_eager.{task.name}"] = ratio(times, "step", ("eager",))
        targets[f"step_over_eager.{task.name}"] = ("<=", LIMITS[task.name])
    close("step_through", figures, targets, peers("torch"))


if __name__ == "__main__":
    main()
