"""A model over several processes, recorded: run once for each, with the rank, how many there are, and a folder."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.tensor import DTensor

import ontogeny as og


def network() -> nn.Sequential:
    """Sizes that divide evenly by no number of processes, and a bias with fewer elements than processes."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(7, 10), nn.Tanh(), nn.Linear(10, 3))


def whole(tensor: torch.Tensor) -> np.ndarray:
    """All of a parameter, in every process."""
    full = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
    return full.detach().numpy().copy()


def main(kind: str, steps: int, killed_at: int, rank: int, count: int, folder: Path) -> None:
    """Trains; the first process writes what the parameters were at each step."""
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=count)
    model: nn.Module = network()
    if kind == "ddp":
        model = nn.parallel.DistributedDataParallel(model)
    else:
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        mesh = init_device_mesh("cpu", (count,))
        for part in (model[0], model[2], model):
            fully_shard(part, mesh=mesh)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05)
    run = og.attach(model, optimizer, folder / "run", resume=kind == "resumed")
    print("begins at", run.step_number, flush=True)
    names = [name.removeprefix("module.") for name, _ in model.named_parameters()]
    seen = {name: [whole(p)] for name, p in zip(names, model.parameters(), strict=True)}
    torch.manual_seed(rank)
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        loss = model(torch.randn(5, 7)).square().mean()
        loss.backward()
        optimizer.step()
        if step == killed_at and rank == count - 1:
            os.kill(os.getpid(), signal.SIGKILL)
        run.step(loss)
        for name, p in zip(names, model.parameters(), strict=True):
            seen[name].append(whole(p))
        if rank == 0:
            np.savez(folder / "writing.npz", **{name: np.stack(rows) for name, rows in seen.items()})
            os.replace(folder / "writing.npz", folder / "seen.npz")
    run.close()
    dist.barrier()
    dist.destroy_process_group()
    # Torch's own threads sometimes abort the process while the interpreter is taken down (seen once in six runs).
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1], *map(int, sys.argv[2:6]), Path(sys.argv[6]))
