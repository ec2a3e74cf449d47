"""What streaming the moments of every parameter's values and updates adds to a training step of a million parameters.

The perceptron and the batch of `record_cost`: a step takes about 50 ms of CPU time. CPU time of the main thread at one
thread, both contenders step by step in turn; the mean over all steps, since the moments are worked out at every 16th.
Beside it Pébay's formulas at every step, as `record/moments.py` has them, tensor by
tensor: what it saves to take 16 rows together.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from common import Figures, Targets, arguments, close, one_thread, peers
from record_cost import Contender, Told, batch_of_a_step
from torch import nn

import ontogeny as og
from ontogeny.record.moments import Moments

WARM = 16


def streamed(model: nn.Module, _: torch.optim.Optimizer) -> Told:
    """Ours."""
    watched = og.watch_moments(model)
    return lambda loss: watched.step()


def one_by_one(model: nn.Module, _: torch.optim.Optimizer) -> Told:
    """Each observation for itself, tensor by tensor."""
    before = [p.detach().double() for p in model.parameters()]
    values, updates = ([Moments.start(torch.zeros_like(p)) for p in before] for _ in range(2))

    @torch.no_grad()
    def told(loss: torch.Tensor) -> None:
        for place, tensor in enumerate(model.parameters()):
            now = tensor.detach().double()
            values[place].add(now)
            updates[place].add(now - before[place])
            before[place] = now

    return told


def mean_ms(clocked: list[tuple[float, float]]) -> float:
    """The mean CPU time, the first rows left out."""
    return 1000 * sum(cpu for _, cpu in clocked[WARM:]) / len(clocked[WARM:])


def main() -> None:
    """All in turn."""
    options = arguments(__doc__ or "")
    one_thread()
    batch = batch_of_a_step()
    kinds: dict[str, Callable[[nn.Module, torch.optim.Optimizer], Told]] = {
        "plain": lambda model, optimizer: lambda loss: None,
        "ours": streamed,
        "one_by_one": one_by_one,
    }
    contenders = {name: Contender(batch, kind) for name, kind in kinds.items()}
    started = time.perf_counter()
    for _ in range(WARM + 16 * (12 if options.full else 4)):
        for contender in contenders.values():
            contender.step()
    plain = mean_ms(contenders["plain"].steps)
    ours, each = (mean_ms(contenders[name].calls) for name in ("ours", "one_by_one"))
    figures: Figures = {
        "parameters": sum(p.numel() for p in contenders["plain"].model.parameters()),
        "step_cpu_ms": round(plain, 2),
        "ours_cpu_ms": round(ours, 2),
        "share_of_step": round(ours / plain, 4),
        "one_by_one_cpu_ms": round(each, 2),
        "over_one_by_one": round(ours / each, 3),
        "seconds": round(time.perf_counter() - started, 1),
    }
    targets: Targets = {}
    close("moments", figures, targets, peers("torch"))


if __name__ == "__main__":
    main()
