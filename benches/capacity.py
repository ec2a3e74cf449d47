"""Bits per parameter that a small GPT holds of random strings (Morris et al. 2025: 3.51 in bf16, 3.83 in f32).

What is done is the claim `capacity-in-bits`, by the same code; with `--full` in its full form, three seeds of three
lengths of training, which takes about fifteen minutes of CPU. Else one seed of 150 and 300 steps. `bits_bf16` is of a
network that went on learning with rounded parameters, `bits_rounded_at_once` of one that did not. What is held is a
lower bound, so beside the plain figures stands what the last doubling of the steps gave, and how many more of them it
would take if each gave as much (`doublings_short`; they give less and less). The targets are those of the issue, for
`--full` alone: 300 steps are far from a plateau; the seeds have to agree within 0.1, which they do not.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from common import Figures, Targets, arguments, close, one_thread, peers

from ontogeny.claims.experiments.capacity_in_bits import CLAIM
from ontogeny.claims.result import measure

QUICK: Mapping[str, Any] = {**CLAIM.full.given, "others": [], "steps": [150, 300], "settling": 50}
F32, BF16 = 3.8, 3.5
WHOLE = ("bits_f32", "bits_bf16")


def main() -> None:
    """Every seed, then their means and how far apart they lie."""
    options = arguments(__doc__ or "")
    one_thread()
    began = time.process_time()
    found = _full() if options.full else [CLAIM.measure(0, **QUICK).figures]
    figures: Figures = {name: round(float(np.mean([one[name] for one in found])), 4) for name in found[0]}
    for name in WHOLE:
        figures[f"{name}_apart"] = round(float(np.ptp([one[name] for one in found])), 4) if len(found) > 1 else None
    gained = float(np.mean([one["last_doubling"] for one in found]))
    figures["doublings_short"] = round((F32 - float(np.mean([one["bits_f32"] for one in found]))) / gained, 2)
    figures["cpu_seconds"] = round(time.process_time() - began, 1)
    targets: Targets = {"bits_f32": (">=", F32), "bits_bf16": (">=", BF16)}
    targets |= {f"{name}_apart": ("<=", 0.1) for name in WHOLE}
    close("capacity", figures, targets if options.full else {}, peers("torch"))


def _full() -> Sequence[Mapping[str, float]]:
    def told(result: Any) -> None:
        last = result.seeds[-1]
        print(f"  seed {last.seed}, {last.seconds:.0f} s of CPU: {dict(last.measured.figures)}", flush=True)

    return [one.measured.figures for one in measure(CLAIM, True, after=told).seeds]


if __name__ == "__main__":
    main()
