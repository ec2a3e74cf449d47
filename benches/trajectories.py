"""Real trajectories for the bench of the codec: runs that generalise, and others, with and without noise of batches.

Plain PyTorch, recorded once into a cached file below the system's temporary folder (a few minutes): windows of 64 steps
each, of all parameters, or of 64 chunks spread over them where there are more.

    noisy   the modular example as it is: generalises at about 360
    full    the same with all of the training set in each step and a learning rate of 6e-3: at about 1,800
    smooth  the same at 1e-3, which has only memorised after 10,000 steps: its beginning
    sgd     the same under SGD with momentum, at its beginning
    digits  a perceptron of three layers on scikit-learn's digits, AdamW, batches of 64
    gpt     four blocks over the characters of this project's own files, AdamW, batches of 16
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import models
import numpy as np
import numpy.typing as npt
import torch
from common import ROOT
from models import modular

ROWS = 64
LANES = 1 << 16
CHUNK = 1024
Rows = npt.NDArray[np.float32]
Windows = dict[str, Rows]
NAMES = ("early", "around", "after")


@dataclass(frozen=True, slots=True)
class Kind:
    """How a model is trained, and the steps at which its windows begin."""

    begins: tuple[int, int, int]
    rate: float
    batch: int = 0
    momentum: float | None = None
    make: Callable[[], tuple[torch.nn.Module, Callable[[], torch.Tensor]]] | None = None
    """The model and the loss of its next batch, where it is not the modular example."""


def _digits() -> tuple[torch.nn.Module, Callable[[], torch.Tensor]]:
    import digits

    torch.manual_seed(0)
    model, examples = models.MLP(), {name: torch.from_numpy(values) for name, values in digits.pixels(0)[0].items()}
    return model, lambda: _loss_of_some(digits.loss, model, examples, 64)


def _gpt() -> tuple[torch.nn.Module, Callable[[], torch.Tensor]]:
    import gpt_text

    text = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "ontogeny" / "isa").rglob("*.py")))
    alphabet = sorted(set(text))
    codes = np.array([alphabet.index(letter) for letter in text[:100_000]])
    torch.manual_seed(0)
    model = gpt_text.GPT(len(alphabet), context=64, width=128, heads=4, depth=4, dropout=0.0)
    examples = {name: torch.from_numpy(values) for name, values in gpt_text.windows(codes, 64, 1).items()}
    return model, lambda: _loss_of_some(gpt_text.loss, model, examples, 16)


def _loss_of_some(loss: models.Loss, model: torch.nn.Module, examples: models.Batch, batch: int) -> torch.Tensor:
    """The loss of a batch that is drawn, of all examples for a size of 0."""
    taken = torch.randperm(len(examples["x"]))[:batch] if batch else slice(None)
    return loss(model, {name: values[taken] for name, values in examples.items()})["loss"]


KINDS = {
    "noisy": Kind((0, 330, 450), 1.5e-2, batch=1024),
    "full": Kind((0, 1760, 2112), 6e-3),
    "smooth": Kind((0, 160, 320), 1e-3),
    "sgd": Kind((0, 160, 320), 0.1, momentum=0.9),
    "digits": Kind((0, 160, 320), 3e-3, make=_digits),
    "gpt": Kind((0, 80, 160), 1e-3, make=_gpt),
}
GENERALISE = ("noisy", "full")
"""Those whose windows lie before, around and after the generalisation."""


def trajectories() -> Iterator[tuple[str, Rows]]:
    """`noisy.early`, ...: each [64 steps, parameters]."""
    for kind in KINDS:
        path = Path(tempfile.gettempdir()) / f"ontogeny-trajectories-3-{kind}.npz"
        if not path.exists():
            partial = path.with_name(f"{path.stem}-writing.npz")
            np.savez(partial, **_recorded(KINDS[kind]))  # type: ignore[arg-type]
            partial.replace(path)
        with np.load(path) as file:
            yield from ((f"{kind}.{name}", file[name]) for name in NAMES)


def _recorded(kind: Kind) -> Windows:
    model, step = _training(kind)
    rows: list[list[Rows]] = [[] for _ in kind.begins]
    for number in range(max(kind.begins) + ROWS):
        for begin, window in zip(kind.begins, rows, strict=True):
            if begin <= number < begin + ROWS:
                window.append(_some(torch.cat([p.detach().reshape(-1) for p in model.parameters()]).numpy()))
        step()
    return {name: np.stack(window) for name, window in zip(NAMES, rows, strict=True)}


def _some(row: Rows) -> Rows:
    if row.size <= LANES:
        return row.copy()
    starts = np.linspace(0, row.size // CHUNK - 1, LANES // CHUNK).astype(int) * CHUNK
    return np.concatenate([row[start : start + CHUNK] for start in starts])


def _training(kind: Kind) -> tuple[torch.nn.Module, Callable[[], None]]:
    """The model, and what makes its next step."""
    model, loss = kind.make() if kind.make else _modular(kind.batch)
    adamw = {"weight_decay": 0.01} if kind.make else {"weight_decay": 1.0, "betas": (0.9, 0.98)}
    optimizer: torch.optim.Optimizer
    if kind.momentum is None:
        optimizer = torch.optim.AdamW(model.parameters(), lr=kind.rate, **adamw)  # type: ignore[arg-type]
    else:
        optimizer = torch.optim.SGD(model.parameters(), lr=kind.rate, momentum=kind.momentum)

    def step() -> None:
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return model, step


def _modular(batch: int) -> tuple[torch.nn.Module, Callable[[], torch.Tensor]]:
    torch.manual_seed(0)
    model = modular.Transformer()
    examples = {name: torch.from_numpy(values) for name, values in modular.pairs(0.4, 0)[0].items()}
    return model, lambda: _loss_of_some(modular.loss, model, examples, batch)
