"""Handwritten digits by logic gates alone: grown without gradients, and soft gates learned by a rule, then hardened.

    python examples/digit_gates.py [FOLDER]                  # both; their circuits and the recorded run into the folder
    ontogeny run examples/digit_gates.py --steps 600         # the soft gates alone, a run like any other

A pixel is seven bits, whether it is above 1, 3, ... 13 of 16. Each class has votes, and the class with most wins; that
is counted in gates, too. Needs scikit-learn: pip install ontogeny[demo].
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

import ontogeny as og
from ontogeny.evolve.circuits.blif import to_blif
from ontogeny.evolve.circuits.simplify import simplified
from ontogeny.evolve.circuits.vote import decided
from ontogeny.evolve.fitness.classifying import accuracy, thermometer
from ontogeny.evolve.fitness.tables import outputs_of
from ontogeny.evolve.gates.soft_gates import SoftGates, hardened
from ontogeny.evolve.gates.voting import grown
from ontogeny.front.names import model_tensors
from ontogeny.isa.netlist import Netlist, numbers_of

LEVELS = range(1, 15, 2)
Bits = dict[str, np.ndarray]


def loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Cross entropy and accuracy."""
    scores = model(batch["x"])
    share = (scores.argmax(-1) == batch["y"]).float().mean()
    return {"loss": F.cross_entropy(scores, batch["y"]), "accuracy": share}


def bits(seed: int) -> tuple[Bits, Bits]:
    """1,400 images of 448 bits to learn from and 397 held out."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(x))
    named = {"x": thermometer(x[order], LEVELS).astype(np.float32), "y": y[order].astype(np.int64)}
    return {k: v[:1400] for k, v in named.items()}, {k: v[1400:] for k, v in named.items()}


def soft(gates: int, seed: int) -> SoftGates:
    """The model: one layer. A second one made it slower, and no better."""
    return SoftGates(448, [gates], 10, temperature=8.0, seed=seed)


def experiment(lr: float = 0.2, gates: int = 4000, seed: int = 0) -> og.Experiment:
    """The soft gates, ready to run."""
    train, valid = bits(seed)
    example = {name: values[:100] for name, values in train.items()}
    rule = og.adamw(lr=lr, weight_decay=0.0)
    model = soft(gates, seed)
    learner = og.capture(model, loss, rule, example, valid=valid, predict=lambda m, b: m(b["x"]), name="soft_gates")
    data = og.Arrays(train, batch_size=100, seed=seed)
    held_out = {f"valid.{name}": values for name, values in valid.items()}
    return og.Experiment(learner, data, held_out, seed=seed, name="soft gates")


def right(net: Netlist, held_out: Bits) -> tuple[float, Netlist]:
    """The share of held-out images that a netlist of votes has right, and the whole classifier, its vote in gates."""
    fitness = accuracy(held_out["x"], held_out["y"], len(net.outputs))
    whole = decided(net, 10)
    found = numbers_of(outputs_of(whole, fitness.words), len(fitness.labels))
    assert (found == fitness.predicted([net])[0]).all(), "the vote in gates is not the vote"
    return 1 - fitness.errors([net])[0], whole


def told(name: str, net: Netlist, held_out: Bits, folder: Path, how: str) -> None:
    share, whole = right(net, held_out)
    size = f"{net.gates} gates of two inputs, {len(net.outputs)} votes ({whole.gates} gates with their counting)"
    (folder / f"{name}.blif").write_text(to_blif(whole, name), encoding="utf-8")
    print(f"{name}: {share:.1%} of {len(held_out['y'])} held-out images by {size}; {how}")


def learned(folder: Path, seed: int, steps: int) -> tuple[SoftGates, str]:
    """The model as a recorded run left it."""
    task, started = experiment(seed=seed), time.process_time()
    with og.create(folder, task.learner, task.data, valid=task.valid, seed=seed) as run:
        run.advance(steps)
        tensors = model_tensors(run.learner.program, run.state())
    model = soft(4000, seed)
    model.load_state_dict({name: torch.from_numpy(value) for name, value in tensors.items()})
    return model, f"{steps} recorded steps, {time.process_time() - started:.1f} s of CPU"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="a new folder for the circuits and the run")
    parser.add_argument("--seed", type=int, default=0, help="another seed: another split, other gates (default: 0)")
    parser.add_argument("--steps", type=int, default=600, help="of the soft gates (default: 600)")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    train, held_out = bits(given.seed)
    for name, votes, gates, temperature in (("small", 25, 4, 2.0), ("grown", 100, 2, 4.0)):
        started = time.process_time()
        net = grown(train["x"], train["y"], votes, gates=gates, temperature=temperature, seed=given.seed)
        told(name, net, held_out, folder, f"without gradients, {time.process_time() - started:.2f} s of CPU")
    model, how = learned(folder / "run", given.seed, given.steps)
    with torch.no_grad():
        scores = model(torch.from_numpy(held_out["x"])).argmax(1).numpy()
    before = float(np.mean(scores == held_out["y"]))
    told("soft", simplified(hardened(model)), held_out, folder, f"{before:.1%} before hardening; {how}")


if __name__ == "__main__":
    main()
