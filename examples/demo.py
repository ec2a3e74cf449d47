"""The main job, on a real task: capture, train, watch it generalise, rewind, fork, compare, cost, prove, look.

`make demo` runs this. It writes the runs, a picture and a page into demo/.
"""

import shutil
import sys
import time
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent))

import modular

import ontogeny as og
from ontogeny.faces.costs import top
from ontogeny.faces.page import page
from ontogeny.faces.picture import draw, save
from ontogeny.faces.progress import Live
from ontogeny.faces.sources import view_of

OUT = Path("demo")
STEPS = 1000
console = Console(highlight=False)


def train(run: og.Run, steps: int, until: og.Goal | None, what: str) -> None:
    with run, Live(run.step + steps, run.step, what=what) as live:
        run.advance(steps, until=until.met if until else None, on_step=live.step)


def jump(run: og.Run) -> int:
    """The last evaluated step at which validation accuracy was still under a half."""
    low = [int(row["step"]) for row in run.evaluations() if row["accuracy"] < 0.5]
    return low[-1] if low else 0


def before_and_after(run: og.Run, step: int) -> None:
    """Rewinding is a read: the parameters as they were, beside those of now."""
    started = time.perf_counter()
    then, now = run.state(step)["params"], run.state()["params"]
    took = time.perf_counter() - started
    norms = [float(np.linalg.norm(values.astype(np.float64))) for values in (then, now)]
    console.print(f"rewound to step {step} in {took:.1f} s: the parameters' norm {norms[0]:.1f}, now {norms[1]:.1f}")


def side_by_side(run: og.Run, fork: og.Run) -> None:
    table = Table("step", "validation accuracy", f"{fork.folder.name}: the same, no decay", title="side by side")
    rows = {int(row["step"]): row["accuracy"] for row in run.evaluations()}
    forked = {int(row["step"]): row["accuracy"] for row in fork.evaluations()}
    shared = sorted(step for step in rows if step in forked and step >= fork.base)
    for step in shared[:: max(1, len(shared) // 8)]:
        table.add_row(str(step), f"{rows[step]:.3f}", f"{forked[step]:.3f}")
    console.print(table)


def costs(run: og.Run) -> None:
    lines, total = top(run.program, "learn", 10)
    table = Table("no.", "instruction", "phase", "operations", "share", title="what one step costs, top ten")
    for line in lines:
        share = line.operations / total.operations
        table.add_row(str(line.number), line.text, line.phase, f"{line.operations:,}", f"{share:.1%}")
    console.print(table)
    console.print(
        f"one step: {total.operations / 1e9:.2f} billion operations in {total.instructions} instructions; "
        f"{run.step} steps: {run.step * total.operations / 1e12:.2f} trillion"
    )


def main() -> None:
    torch.set_num_threads(min(2, torch.get_num_threads()))
    shutil.rmtree(OUT, ignore_errors=True)
    console.rule("capture")
    task = modular.experiment()
    program = task.learner.program
    instructions = len(program.routine("learn").body)
    console.print(
        f"one training step is a program of {instructions} instructions; its gradients differ from plain PyTorch's "
        f"by {task.learner.check['gradient_difference']:.1g} of their size"
    )
    console.rule("train")
    run = og.create(
        OUT / "modular", task.learner, task.data, valid=task.valid, seed=task.seed, evaluate_every=task.evaluate_every
    )
    train(run, STEPS, task.until, "train")
    last = run.evaluations()[-1]
    console.print(f"step {run.step}: validation accuracy {last['accuracy']:.3f}")
    console.rule("rewind, fork, compare")
    at = jump(run)
    before_and_after(run, at)
    started = time.perf_counter()
    fork = run.fork(at, OUT / "no-decay", dials={"weight_decay": 0.0})
    console.print(f"forked there in {1000 * (time.perf_counter() - started):.0f} ms")
    train(fork, run.step - at, None, "fork")
    side_by_side(run, fork)
    console.rule("cost")
    costs(run)
    console.rule("proof")
    proof = "\n".join(f"{one.folder.name}: {one.verify()}" for one in (run, fork))
    console.print(proof)
    views = [view_of(run), view_of(fork)]
    files = save(draw(views, "Addition modulo 97: with decay, and without from before the jump"), OUT / "curves.png")
    (OUT / "run.html").write_text(page(views, "Addition modulo 97", proof), encoding="utf-8")
    console.print(f"look at {', '.join(map(str, files))} and {OUT / 'run.html'}")
    if last["accuracy"] < 0.99:
        sys.exit(f"the run ended at {last['accuracy']:.3f}, short of 0.99")


if __name__ == "__main__":
    main()
