"""A model over several processes that goes back to a checkpoint: run once for each, with its rank and their number.

It prints the loss of every step as it is to the last bit. What a process draws is its own: its order of the data, its
dropout; so a process that went on with another's random numbers would show.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import warnings
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

import ontogeny as og
from ontogeny.record.attach.loop import Attachment

EPOCHS, EVERY = 3, 2


class Loop:
    """A model with dropout and a batch norm, its scheduler, and data in another order in each process and epoch."""

    def __init__(self, kind: str) -> None:
        torch.manual_seed(0)
        self.model: nn.Module = nn.Sequential(nn.Linear(7, 10), nn.BatchNorm1d(10), nn.Dropout(0.4), nn.Linear(10, 3))
        if kind == "ddp":
            self.model = nn.parallel.DistributedDataParallel(self.model, broadcast_buffers=False)
        else:
            mesh = init_device_mesh("cpu", (dist.get_world_size(),))
            for part in (self.model[0], self.model[3], self.model):
                fully_shard(part, mesh=mesh)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=0.05)
        self.scheduler = torch.optim.lr_scheduler.StepLR(self.optimizer, 3, 0.5)
        data = TensorDataset(torch.randn(40, 7))
        self.loader = DataLoader(data, batch_size=5, sampler=DistributedSampler(data))
        torch.manual_seed(dist.get_rank())

    def attached(self, folder: Path, **policy: object) -> Attachment:
        keep = {"scheduler": self.scheduler}
        return og.attach(self.model, self.optimizer, folder, checkpoint_every=EVERY, keep=keep, **policy)

    def go_on(self, run: Attachment, name: str, killed_at: int = 0) -> None:
        """Trains to the end of the last epoch; beside each loss stands the sum of the buffers, which are not shared."""
        for (x,) in run.batches(self.loader, EPOCHS):
            self.optimizer.zero_grad()
            loss = self.model(x + 0.1 * torch.randn_like(x)).square().mean()
            loss.backward()
            self.optimizer.step()
            self.scheduler.step()
            if run.step_number + 1 == killed_at:
                die_last()
            run.step(loss)
            own = sum(float(b.sum()) for b in self.model.buffers())
            print(name, run.step_number, loss.item().hex(), own.hex(), flush=True)
        run.close()


def die_last() -> None:
    """The last process is killed while the others go on."""
    dist.barrier()
    if dist.get_rank() == dist.get_world_size() - 1:
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGKILL)


def back(kind: str, folder: Path) -> None:
    """Trains, goes back from the end to where an epoch ended, and from there into the middle of one."""
    loop = Loop(kind)
    run = loop.attached(folder / kind, moments=True)
    loop.go_on(run, f"{kind}-first")
    again = run.rewind(9)
    loop.go_on(again, f"{kind}-again")
    loop.go_on(again.rewind(11), f"{kind}-once-more")


def resumed(kind: str, folder: Path) -> None:
    """What a run does that nobody killed; then another session goes on where one was."""
    loop = Loop(kind)
    loop.go_on(loop.attached(folder / "whole"), "whole")
    loop = Loop(kind)
    run = loop.attached(folder / kind, resume=True)
    print("reached", run.step_number, flush=True)
    loop.go_on(run.rewind(99), "after")


def main(what: str, kinds: str, killed_at: int, rank: int, count: int, folder: Path) -> None:
    """Does what is asked with each of some kinds of models."""
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=count)
    for kind in kinds.split(","):
        if what == "back":
            back(kind, folder)
        elif what == "resumed":
            resumed(kind, folder)
        else:
            loop = Loop(kind)
            loop.go_on(loop.attached(folder / kind), "killed", killed_at)
    dist.barrier()
    dist.destroy_process_group()
    sys.stdout.flush()
    os._exit(0)  # torch's own threads sometimes abort the process while the interpreter is taken down


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]), Path(sys.argv[6]))
