"""A training step, captured and compiled, against the best that its peers do on the same model, batch and rule.

Quick: torch eager with fused AdamW, and JAX jit where it is installed. With --full also torch.compile of the model and
the optimizer, whose first compile takes minutes. The captured step takes NumPy batches and gives NumPy metrics; the
peers are handed tensors.
"""

from __future__ import annotations

from collections.abc import Callable

from common import Figures, Targets, arguments, close, interleaved, one_thread, peers, ratio, show_times
from in_jax import jax_step
from models import GPT_TASK, MLP_TASK, MODULAR_TASK, Task, captured_step, eager_step

from ontogeny.isa.errors import OntogenyError

PEERS = ("eager", "torch.compile", "jax")
LIMITS = {"modular": 1.0, "gpt": 1.0, "mlp": 0.6}
Step = Callable[[], object]


def fast_step(task: Task, learner: object) -> Step | None:
    """The captured step in fast mode, or None, said, where there is no such mode yet or it cannot run."""
    try:
        step = captured_step(task, learner, mode="fast")
        step()
        return step
    except (OntogenyError, NotImplementedError) as error:
        print(f"  {task.name}: fast mode is skipped: {error}")
        return None


def contenders(task: Task, full: bool) -> dict[str, Step]:
    """Every way to take the step that is to be had here."""
    learner = task.capture()
    found: dict[str, Step | None] = {
        "exact": captured_step(task, learner, mode="exact"),
        "fast": fast_step(task, learner),
        "eager": eager_step(task),
        "torch.compile": eager_step(task, compiled=True) if full else None,
        "jax": jax_step(task),
    }
    return {name: step for name, step in found.items() if step is not None}


def main() -> None:
    """Measures the three models."""
    options = arguments(__doc__ or "")
    one_thread()
    versions = peers("torch", "jax")
    if not options.full:
        print("  torch.compile is skipped without --full")
    figures: Figures = {}
    targets: Targets = {}
    for task in (MODULAR_TASK, GPT_TASK, MLP_TASK):
        times = interleaved(contenders(task, options.full), 21 if options.full else 9)
        show_times(task.name, times)
        figures[f"fast_over_best.{task.name}"] = ratio(times, "fast", PEERS)
        figures[f"exact_over_eager.{task.name}"] = ratio(times, "exact", ("eager",))
        for peer in PEERS:
            figures[f"fast_over_{peer}.{task.name}"] = ratio(times, "fast", (peer,))
        targets[f"fast_over_best.{task.name}"] = ("<=", LIMITS[task.name])
        targets[f"exact_over_eager.{task.name}"] = ("<=", 1.10)
    close("step_speed", figures, targets, versions)


if __name__ == "__main__":
    main()
