"""Sleep: a learner whose weights are scaled down now and then, with replay of examples or without.

The routine itself, its formulas and their source are those of the edit `sleep` (`front/edits/sleep.py`), so that a run
that goes on already gets it by `ontogeny rule RUN sleep --arguments every=100`; this gives it to a learner.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ontogeny.front.edits import apply
from ontogeny.machine.learner import Learner
from ontogeny.train.regimes.taught import taught


def with_sleep(
    learner: Learner,
    *,
    every: int = 0,
    scale: float = 0.9,
    kind: str = "uniform",
    replays: int = 0,
    rate: float = 0.1,
    tensors: Sequence[str] = (),
) -> Learner:
    """The learner with a routine `sleep`, called before every `every`-th step, or with 0 only when somebody calls it.

    Weights, all matrices unless `tensors` names parameters, are scaled by `scale`: `uniform`ly, or larger ones by more
    (`proportional`). Then `replays` steps of gradient descent at `rate` are taken on the batch. All numbers but
    `replays` are dials: `sleep_every`, `sleep_scale`, `sleep_lr`. Raises EditError for what cannot be done.
    """
    given: dict[str, Any] = {"scale": scale, "every": every, "kind": kind, "replays": replays}
    given |= {"rate": rate} if replays else {}
    given |= {"tensors": tuple(tensors)} if tensors else {}
    return taught(learner, apply(learner.program, "sleep", **given))
