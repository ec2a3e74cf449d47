"""A plain PyTorch loop, recorded, as a process that may be killed: it prints the hash of every step it has taken."""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

import ontogeny as og


def digest(tensors: dict[str, np.ndarray]) -> str:
    """One short hash of tensors by name."""
    found = hashlib.sha256()
    for name in sorted(tensors):
        found.update(name.encode() + np.ascontiguousarray(tensors[name]).tobytes())
    return found.hexdigest()[:16]


def of_model(model: nn.Module) -> str:
    """The hash of a model's parameters."""
    return digest({name: p.detach().numpy() for name, p in model.named_parameters()})


def main(folder: str, steps: int, pause: float) -> None:
    """Goes on with the record in `folder` for some steps: each line is a step and a hash, after the step was taken."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(24, 40), nn.Tanh(), nn.Linear(40, 5))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    if (Path(folder) / "journal.jsonl").exists() and (last := og.Attached(folder)).step:
        model.load_state_dict({n: torch.from_numpy(a.copy()) for n, a in last.traces.row(last.step).items()})
    run = og.attach(model, optimizer, folder, resume=True, checkpoint_every=7)
    print("ready", run.step_number, of_model(model), flush=True)
    for _ in range(steps):
        x = torch.randn(8, 24)
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()
        run.step(loss)
        print(run.step_number, of_model(model), float(loss.detach()).hex(), flush=True)
        time.sleep(pause)
    run.close()
    print("closed", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
